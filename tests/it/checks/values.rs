//! Values as both engines hold them, pair by pair, through real columns and the checksum check.

use std::collections::BTreeMap;

use rehearse::{
    check::{checksum::Checksum, uuid_type::UuidType},
    model::{FindingKind, Stage},
};
use serde::Deserialize;

use super::{NOTHING, Planted, bench::Bench};

#[derive(Deserialize)]
struct Values {
    value: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Value {
    case: String,
    verdict: Verdict,
    pair: Answer,
    postgres: Held,
    sqlite: Held,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Same,
    Differ,
    Asis,
    NotUuid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Equal,
    Differ,
    Unchecked,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Held {
    r#type: String,
    value: String,
}

fn values() -> Vec<Value> {
    let text = include_str!("../../../fixtures/values/sqlite-postgres.toml");
    toml::from_str::<Values>(text).unwrap().value
}

/// A table with one value in it.
fn table(at: usize, held: &Held) -> String {
    format!(
        "CREATE TABLE v{at} (id integer PRIMARY KEY, v {});\nINSERT INTO v{at} VALUES (1, {});\n",
        held.r#type, held.value
    )
}

#[test]
fn values_are_equal_or_not_as_a_fair_comparison_says() {
    let Some(bench) = Bench::take("values_are_equal_or_not_as_a_fair_comparison_says") else { return };
    let values = values();
    let mut pair = bench.pair();
    let sql =
        |held: fn(&Value) -> &Held| values.iter().enumerate().map(|(at, one)| table(at, held(one))).collect::<String>();
    pair.source(&sql(|value| &value.sqlite));
    pair.target(&sql(|value| &value.postgres));
    pair.record(Stage::Migrated);
    let derived = pair.derive(Stage::Migrated, &[]);
    let examined = pair.examine(&[&Checksum], Stage::Migrated, &derived, &[]).remove(0);

    let mut found = BTreeMap::new();
    for finding in &examined.findings {
        assert!(matches!(finding.kind, FindingKind::ChangedRow | FindingKind::ChangedValue), "{finding:?}");
        assert_eq!(finding.total, 1, "{finding:?}");
        found.insert(finding.subject.table.as_ref().unwrap().to_string(), Answer::Differ);
    }
    for unchecked in &examined.unchecked {
        found.insert(unchecked.subject.trim_end_matches(".v").to_owned(), Answer::Unchecked);
    }
    let mut wrong = Vec::new();
    for (at, value) in values.iter().enumerate() {
        let answer = found.get(&format!("v{at}")).copied().unwrap_or(Answer::Equal);
        if answer != value.pair {
            wrong.push(format!("{}: {:?} instead of {:?}", value.case, answer, value.pair));
        }
        // Values that are the same for all pairs of engines are no difference here either.
        assert!(value.verdict != Verdict::Same || value.pair != Answer::Differ, "{}", value.case);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_only_looks_like_a_uuid_is_named() {
    let Some(bench) = Bench::take("what_only_looks_like_a_uuid_is_named") else { return };
    let values: Vec<Value> = values().into_iter().filter(|value| value.verdict == Verdict::NotUuid).collect();
    assert!(!values.is_empty());
    for value in values {
        let mut pair = bench.pair();
        pair.source(&table(0, &value.sqlite));
        pair.target(&table(0, &value.postgres));
        pair.record(Stage::Migrated);
        let stated = Planted { stated: &[("v0", "v", "uuid")], ..NOTHING }.stated();
        let derived = pair.derive(Stage::Migrated, &stated);
        let examined = pair.examine(&[&UuidType], Stage::Migrated, &derived, &[]).remove(0);
        let told: Vec<String> = examined.findings.iter().map(|one| super::told("uuid_type", one)).collect();
        assert_eq!(told, ["uuid_type uuid_invalid source v0.v 1", "uuid_type uuid_invalid target v0.v 1"]);
    }
}
