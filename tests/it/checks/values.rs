//! Values as the three engines hold them, pair by pair, through real columns and the checksum check.

use std::collections::{BTreeMap, BTreeSet};

use rehearse::{
    canon::comparison::{Stated, StatedColumn},
    check::{Examined, checksum::Checksum, uuid_type::UuidType},
    engine,
    model::{Address, FindingKind, Side, Stage},
    provision::scratch,
    report::causes::causes,
};
use serde::Deserialize;

use super::bench::Bench;
use crate::support::{
    Sandbox,
    server::{Started, Urls, request},
};

#[derive(Deserialize)]
struct Values {
    value: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Value {
    case: String,
    verdict: Verdict,
    #[serde(default)]
    differs: BTreeSet<String>,
    #[serde(default)]
    named: BTreeSet<String>,
    #[serde(default)]
    stated: BTreeMap<String, String>,
    postgres: Held,
    mariadb: Held,
    sqlite: Held,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Same,
    Differ,
    Asis,
    NotUuid,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Held {
    r#type: String,
    value: String,
}

/// Source and target of each pair of engines.
const PAIRS: [(&str, &str); 3] = [("postgres", "mariadb"), ("mariadb", "sqlite"), ("sqlite", "postgres")];

fn values() -> Vec<Value> {
    toml::from_str::<Values>(include_str!("../../../fixtures/values/engines.toml")).unwrap().value
}

impl Value {
    fn held(&self, engine: &str) -> &Held {
        match engine {
            "postgres" => &self.postgres,
            "mariadb" => &self.mariadb,
            _ => &self.sqlite,
        }
    }
}

/// A table for each case, with its value in it.
fn tables(engine: &str, values: &[Value]) -> String {
    // Days that are none are refused otherwise.
    let before = if engine == "mariadb" { "SET sql_mode = ''; SET NAMES utf8mb4;\n" } else { "" };
    let table = |(at, value): (usize, &Value)| {
        let Held { r#type, value } = value.held(engine);
        format!("CREATE TABLE v{at} (id int PRIMARY KEY, v {type});\nINSERT INTO v{at} VALUES (1, {value});\n")
    };
    before.to_owned() + &values.iter().enumerate().map(table).collect::<String>()
}

/// The rules that a scenario would state for a pair of engines.
fn stated(pair: &str, values: &[Value]) -> Vec<Stated> {
    let rule = |(at, value): (usize, &Value)| {
        let rule = value.stated.get(pair)?.clone();
        let column = StatedColumn { target: None, rule: Some(rule) };
        let columns = BTreeMap::from([("v".to_owned(), column)]);
        Some(Stated { source: format!("v{at}"), target: format!("v{at}"), columns })
    };
    values.iter().enumerate().filter_map(rule).collect()
}

/// What the checksum says of each case: whether its values differ, and all that it names.
pub(super) fn told(examined: &Examined) -> BTreeMap<String, (bool, BTreeSet<String>)> {
    let mut told: BTreeMap<String, (bool, BTreeSet<String>)> = BTreeMap::new();
    for finding in &examined.findings {
        assert!(matches!(finding.kind, FindingKind::ChangedRow | FindingKind::ChangedValue), "{finding:?}");
        assert_eq!(finding.total, 1, "{finding:?}");
        let (differs, named) = told.entry(finding.subject.table.as_ref().unwrap().to_string()).or_default();
        *differs = true;
        named.extend(causes(finding).into_iter().map(|cause| cause.replace("1 row: ", "")));
    }
    for entry in &examined.loss_ledger {
        assert_eq!(entry.rows, 1, "{entry:?}");
        let named = &mut told.entry(entry.table.to_string()).or_default().1;
        // Without the name of the table, which says only which case it is.
        named.insert(format!("{} {} {}", entry.side, entry.column, entry.rule));
    }
    told
}

/// MariaDB in a container.
pub(super) struct Container(Started);

impl Container {
    pub(super) fn of(version: &str, bench: &Bench, test: &str) -> Option<Self> {
        let sandbox = Sandbox::new();
        let mut request = request(&sandbox.work());
        request.engine = engine::by_id("mariadb").unwrap();
        request.version = Some(version.to_owned());
        bench.runtime().block_on(Started::of(test, "container", request, sandbox)).map(Self)
    }

    /// A database that is not there yet.
    pub(super) fn database(&mut self, bench: &Bench, name: &str) -> Address {
        let Started { server, leases, request, .. } = &mut self.0;
        bench.runtime().block_on(scratch::create(server, request.engine, name, leases, None)).unwrap()
    }

    /// Takes it away.
    pub(super) fn end(self, bench: &Bench) {
        bench.runtime().block_on(self.0.leases.release(&Urls::default()));
    }
}

fn compare_on(version: &str, test: &str) {
    let Some(bench) = Bench::take(test) else { return };
    let Some(mut container) = Container::of(version, &bench, test) else { return };
    let mariadb = container.database(&bench, "values");
    let values = values();
    let pair = bench.pair();
    pair.source(&tables("sqlite", &values));
    pair.target(&tables("postgres", &values));
    bench.say(&mariadb, &tables("mariadb", &values));
    let addresses = BTreeMap::from([
        ("sqlite", pair.address(Side::Source).clone()),
        ("postgres", pair.address(Side::Target).clone()),
        ("mariadb", mariadb),
    ]);
    let mut wrong = Vec::new();
    let mut named: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for (source, target) in PAIRS {
        let name = format!("{source}-{target}");
        let mut pair = bench.between(&addresses[source], &addresses[target]);
        pair.record(Stage::Migrated);
        let derived = pair.derive(Stage::Migrated, &stated(&name, &values));
        let examined = pair.examine(&[&Checksum], Stage::Migrated, &derived, &[]).remove(0);
        wrong.extend(examined.unchecked.iter().map(|one| format!("{name}: {} is unchecked", one.subject)));
        let told = told(&examined);
        for (at, value) in values.iter().enumerate() {
            let (differs, says) = told.get(&format!("v{at}")).cloned().unwrap_or_default();
            if differs != value.differs.contains(&name) {
                wrong.push(format!("{name}: {}: {}", value.case, if differs { "differs" } else { "is equal" }));
            }
            named.entry(at).or_default().extend(says.into_iter().map(|one| format!("{name}: {one}")));
        }
    }
    for (at, value) in values.iter().enumerate() {
        for line in value.named.difference(&named[&at]) {
            wrong.push(format!("{}: `{line}` is not told, but {:?}", value.case, named[&at]));
        }
    }
    container.end(&bench);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn values_are_equal_or_not_as_a_fair_comparison_says() {
    // One after the other: the bench's server is shared, containers are not.
    for version in ["10.11", "11.8"] {
        compare_on(version, "values_are_equal_or_not_as_a_fair_comparison_says");
    }
}

#[test]
fn the_table_is_whole_and_agrees_with_itself() {
    let values = values();
    assert_eq!(values.len(), 54);
    let pairs: BTreeSet<String> = PAIRS.iter().map(|(source, target)| format!("{source}-{target}")).collect();
    for value in &values {
        assert!(value.differs.is_subset(&pairs), "{}", value.case);
        match value.verdict {
            Verdict::Same => assert!(value.differs.is_empty(), "{}", value.case),
            // What differs from one of two differs from the other too, unless those two differ.
            Verdict::Differ => assert!(value.differs.len() >= 2, "{}", value.case),
            Verdict::Asis => {
                // Where an engine holds something else it is a difference; where a rule folds it, it is named.
                let silent = value.case == "time over 24h";
                assert!(silent || !value.differs.is_empty() || !value.named.is_empty(), "{}", value.case);
            }
            Verdict::NotUuid => assert!(value.differs.is_empty(), "{}", value.case),
        }
    }
}

#[test]
fn uuids_in_another_order_are_equal_where_that_is_stated() {
    let test = "uuids_in_another_order_are_equal_where_that_is_stated";
    let Some(bench) = Bench::take(test) else { return };
    for (bytes, rule) in [
        ("41d4e29b550e8400a716446655440000", "uuid_swapped"),
        ("00840e559be2d441a716446655440000", "uuid_mixed_endian"),
        ("550e8400e29b41d4a716446655440000", "uuid"),
    ] {
        let mut pair = bench.pair();
        pair.source(&format!("CREATE TABLE v (id integer PRIMARY KEY, v blob); INSERT INTO v VALUES (1, x'{bytes}')"));
        pair.target("CREATE TABLE v (id int PRIMARY KEY, v uuid)");
        pair.target("INSERT INTO v VALUES (1, '550e8400-e29b-41d4-a716-446655440000')");
        pair.record(Stage::Migrated);
        for other in ["uuid", "uuid_swapped", "uuid_mixed_endian"] {
            let column = StatedColumn { target: None, rule: Some(other.to_owned()) };
            let columns = BTreeMap::from([("v".to_owned(), column)]);
            let stated = Stated { source: "v".to_owned(), target: "v".to_owned(), columns };
            let derived = pair.derive(Stage::Migrated, &[stated]);
            let examined = pair.examine(&[&Checksum], Stage::Migrated, &derived, &[]).remove(0);
            assert_eq!(examined.findings.is_empty(), rule == other, "{bytes} under {other}");
            let is_told = examined.loss_ledger.iter().any(|entry| entry.rows == 1 && entry.side == Side::Source);
            assert_eq!(is_told, other != "uuid", "{bytes} under {other}: {:?}", examined.loss_ledger);
        }
    }
}

#[test]
fn what_only_looks_like_a_uuid_is_named() {
    let Some(bench) = Bench::take("what_only_looks_like_a_uuid_is_named") else { return };
    let values: Vec<Value> = values().into_iter().filter(|value| value.verdict == Verdict::NotUuid).collect();
    assert!(!values.is_empty());
    for mut value in values {
        value.stated.insert("sqlite-postgres".to_owned(), "uuid".to_owned());
        let values = [value];
        let mut pair = bench.pair();
        pair.source(&tables("sqlite", &values));
        pair.target(&tables("postgres", &values));
        pair.record(Stage::Migrated);
        let derived = pair.derive(Stage::Migrated, &stated("sqlite-postgres", &values));
        let examined = pair.examine(&[&UuidType], Stage::Migrated, &derived, &[]).remove(0);
        let told: Vec<String> = examined.findings.iter().map(|one| super::told("uuid_type", one)).collect();
        assert_eq!(told, ["uuid_type uuid_invalid source v0.v 1", "uuid_type uuid_invalid target v0.v 1"]);
    }
}
