//! Values that tools trip over, and what has to come out of each pair.

use std::collections::{BTreeMap, BTreeSet};

use rehearse::{
    check::checksum::Checksum,
    model::{Address, Side, Stage},
};
use serde::Deserialize;

use super::{
    bench::{Bench, Pair},
    values::{Container, told},
};

#[derive(Deserialize)]
struct Traps {
    value: Vec<Trap>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trap {
    trap: String,
    /// Engine, column type, value.
    source: [String; 3],
    target: [String; 3],
    answer: Answer,
    #[serde(default)]
    named: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Equal,
    Differs,
    Unchecked,
}

fn traps() -> Vec<Trap> {
    toml::from_str::<Traps>(include_str!("../../../fixtures/values/traps.toml")).unwrap().value
}

/// A table for each of these traps, with one side's value in it.
fn tables(traps: &[&Trap], side: Side) -> String {
    let mut sql = String::new();
    for (at, trap) in traps.iter().enumerate() {
        let [engine, kind, value] = if side == Side::Source { &trap.source } else { &trap.target };
        if at == 0 && engine == "mariadb" {
            sql += "SET sql_mode = ''; SET NAMES utf8mb4;\n";
        }
        sql += &format!("CREATE TABLE v{at} (id int PRIMARY KEY, v {kind});\nINSERT INTO v{at} VALUES (1, {value});\n");
    }
    sql
}

/// Fills an engine's database with one side of these traps, and says where it is.
fn filled<'b>(
    bench: &'b Bench,
    container: &mut Container,
    standing: &mut Vec<Pair<'b>>,
    (traps, side): (&[&Trap], Side),
) -> Address {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let [engine, ..] = if side == Side::Source { &traps[0].source } else { &traps[0].target };
    let sql = tables(traps, side);
    if engine == "mariadb" {
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let address = container.database(bench, &format!("traps{number}"));
        bench.say(&address, &sql);
        return address;
    }
    // A pair of which one side is used.
    let pair = bench.pair();
    let address = if engine == "sqlite" {
        pair.source(&sql);
        pair.address(Side::Source).clone()
    } else {
        pair.target(&sql);
        pair.address(Side::Target).clone()
    };
    standing.push(pair);
    address
}

#[test]
fn every_trap_comes_out_as_stated() {
    let test = "every_trap_comes_out_as_stated";
    let Some(bench) = Bench::take(test) else { return };
    let Some(mut container) = Container::of("11.8", &bench, test) else { return };
    let traps = traps();
    let mut groups: BTreeMap<(&str, &str), Vec<&Trap>> = BTreeMap::new();
    for trap in &traps {
        groups.entry((&trap.source[0], &trap.target[0])).or_default().push(trap);
    }
    let mut wrong = Vec::new();
    for ((source, target), traps) in &groups {
        let mut standing = Vec::new();
        let source_address = filled(&bench, &mut container, &mut standing, (traps, Side::Source));
        let target_address = filled(&bench, &mut container, &mut standing, (traps, Side::Target));
        let mut pair = bench.between(&source_address, &target_address);
        pair.record(Stage::Migrated);
        let derived = pair.derive(Stage::Migrated, &[]);
        let examined = pair.examine(&[&Checksum], Stage::Migrated, &derived, &[]).remove(0);
        let told = told(&examined);
        let unchecked: BTreeSet<&str> = examined.unchecked.iter().map(|one| one.subject.as_str()).collect();
        for (at, trap) in traps.iter().enumerate() {
            let (differs, named) = told.get(&format!("v{at}")).cloned().unwrap_or_default();
            let answer = match differs {
                _ if unchecked.contains(format!("v{at}.v").as_str()) => Answer::Unchecked,
                true => Answer::Differs,
                false => Answer::Equal,
            };
            let what = format!("{}: {source} {} and {target} {}", trap.trap, trap.source[2], trap.target[2]);
            if answer != trap.answer {
                wrong.push(format!("{what}: {answer:?} instead of {:?}, {named:?}", trap.answer));
            }
            for line in &trap.named {
                if !named.iter().any(|told| told.starts_with(line.as_str())) {
                    wrong.push(format!("{what}: `{line}` is not told, but {named:?}"));
                }
            }
        }
    }
    container.end(&bench);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
