//! Planted differences are found exactly, no more and no less, in whole tables: whatever their columns, their key, the
//! memory there is, and the number of sessions that read them.

use std::{cell::Cell, collections::BTreeMap, path::Path};

use proptest::{collection::vec, prelude::*, test_runner::TestCaseError};
use rehearse::{
    canon::comparison,
    check::{Check, CheckContext, Examined, Readers, Resources, Surroundings, Tally, checksum::Checksum},
    engine::{self, Rowset},
    model::{Address, Endpoint, EngineId, FindingKind, Redaction, Side, Sides, Snapshot, Stage, TableName, Tls},
};
use tokio::runtime::Runtime;

use crate::{
    checks::bench::Bench,
    support::mariadb::{Container, has},
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn planted_differences_are_found_in_sqlite(plan in any_plan(), how in any_how()) {
        let folder = tempfile::tempdir().unwrap();
        let sides = Sides::from_fn(|side| file(&folder.path().join(format!("{side}.db"))));
        for (side, address) in sides.iter() {
            let Endpoint::File(path) = &address.endpoint else { unreachable!() };
            let connection = rusqlite::Connection::open(path).unwrap();
            connection.execute_batch(&plan.sql(side, "sqlite")).unwrap();
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        is_found(&plan, &runtime, &sides, &how)?;
    }
}

#[test]
fn planted_differences_are_found_between_engines() {
    let Some(bench) = Bench::take("planted_differences_are_found_between_engines") else { return };
    let config = ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let run = |(plan, how, both): (Plan, How, bool)| {
        let pair = bench.pair();
        pair.source(&plan.sql(Side::Source, "sqlite"));
        pair.target(&plan.sql(Side::Target, "postgres"));
        let mut sides = pair.addresses().clone();
        let other = bench.pair();
        if both {
            other.target(&plan.sql(Side::Source, "postgres"));
            sides.source = other.addresses().target.clone();
        }
        if plan.rows >= MANY {
            let parts = bench.runtime().block_on(parts(&sides.target, how.jobs));
            prop_assert!(parts >= how.jobs.min(2), "{parts} parts");
        }
        is_found(&plan, bench.runtime(), &sides, &how)
    };
    runner.run(&(any_plan(), any_how(), any::<bool>()), run).unwrap();
}

#[test]
fn planted_differences_are_found_with_mariadb_on_either_side() {
    let test = "planted_differences_are_found_with_mariadb_on_either_side";
    let Some(bench) = Bench::take(test) else { return };
    if !bench.runtime().block_on(has(test, "11.8")) {
        return;
    }
    let server = Container::start("mariadb:11.8", &[], &[]);
    bench.runtime().block_on(server.wait());
    let admin = server.address("127.0.0.1", Tls::default());
    let made = Cell::new(0);
    let database = |sql: &str| {
        made.set(made.get() + 1);
        let name = format!("t{}", made.get());
        bench.say(&admin, &format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"));
        bench.say(&admin.with_database(&name), sql);
        admin.with_database(&name)
    };
    let config = ProptestConfig { cases: 9, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let run = |(plan, how, partner, is_source): (Plan, How, usize, bool)| {
        let (own, other) = if is_source { (Side::Source, Side::Target) } else { (Side::Target, Side::Source) };
        let pair = bench.pair();
        let theirs = match ["sqlite", "postgres", "mariadb"][partner] {
            "sqlite" => {
                pair.source(&plan.sql(other, "sqlite"));
                pair.addresses().source.clone()
            }
            "postgres" => {
                pair.target(&plan.sql(other, "postgres"));
                pair.addresses().target.clone()
            }
            _ => database(&plan.sql(other, "mariadb")),
        };
        let ours = database(&plan.sql(own, "mariadb"));
        let sides = if is_source { Sides::new(ours, theirs) } else { Sides::new(theirs, ours) };
        is_found(&plan, bench.runtime(), &sides, &how)
    };
    runner.run(&(any_plan(), any_how(), 0..3_usize, any::<bool>()), run).unwrap();
}

/// In how many parts the table can be read.
async fn parts(address: &Address, jobs: usize) -> usize {
    let mut session = engine::by_id(address.engine.as_str()).unwrap().connect(address).await.unwrap();
    let rowset = Rowset::of(TableName { schema: None, name: "t".to_owned() }, vec!["id".to_owned()]);
    let parts = session.parts(&rowset, jobs).await.unwrap();
    session.close().await.unwrap();
    parts.len()
}

/// Rows of a table that is worth several sessions, and a look at the keys before the rows.
const MANY: u32 = 2_600;

/// How a comparison is made.
#[derive(Clone, Debug)]
pub struct How {
    /// Bytes of memory.
    pub memory: u64,
    /// Sessions a side.
    pub jobs: usize,
}

fn any_how() -> impl Strategy<Value = How> {
    // One byte is as little as there can be: everything that does not go into one buffer goes to disk.
    (prop_oneof![Just(1), Just(1 << 20), Just(512 << 20)], 1..4_usize).prop_map(|(memory, jobs)| How { memory, jobs })
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Integer,
    Real,
    Text,
    Bytes,
    /// Of a scale that doubles hold exactly: SQLite has no other fractions.
    Decimal,
    Boolean,
    /// In upper case where it is text.
    Uuid,
    Moment,
    /// Spelled with and without blanks.
    Json,
}

const KINDS: [Kind; 9] = [
    Kind::Integer,
    Kind::Real,
    Kind::Text,
    Kind::Bytes,
    Kind::Decimal,
    Kind::Boolean,
    Kind::Uuid,
    Kind::Moment,
    Kind::Json,
];

/// How rows are named.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Key {
    Number,
    Text,
    Both,
    None,
}

/// What becomes of a row.
#[derive(Clone, Debug)]
enum Fate {
    Same,
    Missing,
    Extraneous,
    /// These columns, as a set of bits.
    Changed(u8),
    /// There once more in the target, where there is no key.
    Twice,
}

/// Two tables and what is different in them.
#[derive(Clone, Debug)]
struct Plan {
    kinds: Vec<Kind>,
    key: Key,
    rows: u32,
    /// By the number of the row.
    fates: BTreeMap<u32, Fate>,
    /// Every so many rows has the fate of its first one, where it is not 0.
    every: u32,
    /// The target's rows come in the reverse order.
    reversed: bool,
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let kind = prop::sample::select(&KINDS[..]);
    let key = prop_oneof![Just(Key::Number), Just(Key::Text), Just(Key::Both), Just(Key::None)];
    let fate = prop_oneof![
        Just(Fate::Missing),
        Just(Fate::Extraneous),
        any::<u8>().prop_map(Fate::Changed),
        Just(Fate::Twice),
    ];
    let rows = prop_oneof![0..40_u32, Just(MANY)];
    (
        vec(kind, 1..5),
        key,
        rows,
        vec((any::<prop::sample::Index>(), fate), 0..6),
        prop_oneof![Just(0), Just(2), Just(700)],
        any::<bool>(),
    )
        .prop_map(|(kinds, key, rows, fates, every, reversed)| {
            let rows_of = |(at, fate): (prop::sample::Index, Fate)| (at.index(rows.max(1) as usize) as u32, fate);
            Plan { kinds, key, rows, fates: fates.into_iter().map(rows_of).collect(), every, reversed }
        })
}

impl Plan {
    fn fate(&self, row: u32) -> Fate {
        let own = self.fates.get(&row);
        let fate = own.or_else(|| {
            let repeats = self.every > 0 && row.is_multiple_of(self.every);
            repeats.then(|| self.fates.values().next()).flatten()
        });
        match fate.cloned().unwrap_or(Fate::Same) {
            Fate::Twice if self.key != Key::None => Fate::Same,
            Fate::Changed(bits) if self.changed(bits).is_empty() => Fate::Same,
            fate => fate,
        }
    }

    /// The columns that these bits change.
    fn changed(&self, bits: u8) -> Vec<usize> {
        (0..self.kinds.len()).filter(|column| bits >> column & 1 == 1).collect()
    }

    fn sql(&self, side: Side, engine: &str) -> String {
        let word = |kind: &Kind| match (kind, engine) {
            (Kind::Integer, _) => "bigint",
            (Kind::Real, _) => "double precision",
            (Kind::Text, _) => "text",
            (Kind::Bytes, "postgres") => "bytea",
            (Kind::Bytes, _) => "blob",
            (Kind::Decimal, _) => "decimal(20,3)",
            (Kind::Boolean, _) => "boolean",
            (Kind::Uuid, "sqlite") => "char(36)",
            (Kind::Uuid, _) => "uuid",
            (Kind::Moment, "postgres") => "timestamp",
            (Kind::Moment, _) => "datetime",
            (Kind::Json, "postgres") => "jsonb",
            (Kind::Json, _) => "json",
        };
        let columns = self.kinds.iter().enumerate().map(|(at, kind)| format!(", c{at} {}", word(kind)));
        let (number, key) = match (self.key, engine) {
            (Key::Number, "sqlite") => ("INTEGER PRIMARY KEY", String::new()),
            (Key::Number, _) => ("bigint PRIMARY KEY", String::new()),
            (Key::Text, _) => ("bigint NOT NULL", ", PRIMARY KEY (name)".to_owned()),
            (Key::Both, _) => ("bigint NOT NULL", ", PRIMARY KEY (name, id)".to_owned()),
            (Key::None, _) => ("bigint NOT NULL", String::new()),
        };
        let end = match engine {
            "sqlite" if self.key == Key::Both => ") WITHOUT ROWID",
            "sqlite" | "mariadb" => ")",
            // Few rows a block, so that a small table is worth several sessions.
            _ => ") WITH (fillfactor = 10)",
        };
        let columns: String = columns.collect();
        // A key of MariaDB is of a text with a bound.
        let name = if engine == "mariadb" { "varchar(100)" } else { "text" };
        let create = format!("CREATE TABLE t (id {number}, name {name} NOT NULL{columns}{key}{end};");
        let mut rows: Vec<String> = (0..self.rows).flat_map(|row| self.values(row, side, engine)).collect();
        if self.reversed && side == Side::Target {
            rows.reverse();
        }
        let inserts = rows.chunks(200).map(|rows| format!("INSERT INTO t VALUES {};", rows.join(",")));
        // A file of SQLite is synced once and not for every statement.
        format!("BEGIN; {create} {} COMMIT;", inserts.collect::<String>())
    }

    fn values(&self, row: u32, side: Side, engine: &str) -> Vec<String> {
        let fate = self.fate(row);
        let (times, changed) = match (&fate, side) {
            (Fate::Missing, Side::Target) | (Fate::Extraneous, Side::Source) => (0, Vec::new()),
            (Fate::Twice, Side::Target) => (2, Vec::new()),
            (Fate::Changed(bits), Side::Target) => (1, self.changed(*bits)),
            _ => (1, Vec::new()),
        };
        let value = |(at, kind): (usize, &Kind)| {
            let number = (row as usize * 7 + at) * 2 + usize::from(changed.contains(&at));
            match (kind, engine) {
                _ if number.is_multiple_of(22) => "NULL".to_owned(),
                (Kind::Integer, _) => number.to_string(),
                (Kind::Real, _) => format!("{number}.5"),
                (Kind::Text, _) => format!("'{number:060}'"),
                (Kind::Bytes, "postgres") => format!("'\\x{number:08}'::bytea"),
                (Kind::Bytes, _) => format!("x'{number:08}'"),
                (Kind::Decimal, _) => format!("{number}.125"),
                // What changes is odd where it was even.
                (Kind::Boolean, _) => (number % 2 == 1).to_string(),
                (Kind::Uuid, "sqlite") => format!("'ABCDEF00-0000-4000-8000-{number:012X}'"),
                (Kind::Uuid, _) => format!("'abcdef00-0000-4000-8000-{number:012x}'"),
                (Kind::Moment, _) => {
                    let (hour, minute, second) = (number / 3600, number / 60 % 60, number % 60);
                    format!("'2024-02-29 {hour:02}:{minute:02}:{second:02}'")
                }
                (Kind::Json, "sqlite") => format!("'{{\"n\":{number},\"a\":[1,null]}}'"),
                (Kind::Json, _) => format!("'{{\"a\": [1, null], \"n\": {number}}}'"),
            }
        };
        let values = self.kinds.iter().enumerate().map(value).collect::<Vec<_>>().join(", ");
        // Numbers far apart, so that a few rows are worth several sessions.
        vec![format!("({}, 'row {row:060}', {values})", i64::from(row) * 1_000); times]
    }
}

fn file(path: &Path) -> Address {
    Address { engine: EngineId::from("sqlite"), endpoint: Endpoint::File(path.to_owned()) }
}

/// Compares and holds what was found against the plan.
fn is_found(plan: &Plan, runtime: &Runtime, sides: &Sides<Address>, how: &How) -> Result<(), TestCaseError> {
    let (examined, _) = runtime.block_on(examine(sides, how));
    prop_assert_eq!(&examined.unchecked, &Vec::new());
    let (mut missing, mut extraneous, mut changed, mut repeated) = (0, 0, 0, 0);
    let mut values: BTreeMap<String, u64> = BTreeMap::new();
    for row in 0..plan.rows {
        match plan.fate(row) {
            Fate::Same => {}
            Fate::Missing => missing += 1,
            Fate::Extraneous => extraneous += 1,
            Fate::Twice => (extraneous, repeated) = (extraneous + 1, repeated + 1),
            Fate::Changed(_) if plan.key == Key::None => (missing, extraneous) = (missing + 1, extraneous + 1),
            Fate::Changed(bits) => {
                changed += 1;
                plan.changed(bits).iter().for_each(|column| *values.entry(format!("c{column}")).or_default() += 1);
            }
        }
    }
    let total = |kind: FindingKind| -> u64 {
        examined.findings.iter().filter(|finding| finding.kind == kind).map(|finding| finding.total).sum()
    };
    let kinds = [FindingKind::MissingRow, FindingKind::ExtraneousRow, FindingKind::ChangedRow];
    prop_assert_eq!(kinds.map(total), [missing, extraneous, changed]);
    let found: BTreeMap<String, u64> = examined
        .findings
        .iter()
        .filter(|finding| finding.kind == FindingKind::ChangedValue)
        .map(|finding| (finding.subject.columns[0].clone(), finding.total))
        .collect();
    prop_assert_eq!(found, values);
    let again = examined.findings.iter().flat_map(|finding| &finding.causes);
    let again = again.filter(|one| one.cause == rehearse::model::Cause::Repeated).map(|one| one.total);
    prop_assert_eq!(again.sum::<u64>(), repeated);
    Ok(())
}

/// Compares all rows, and tells how many were read for that.
pub async fn examine(sides: &Sides<Address>, how: &How) -> (Examined, u64) {
    let mut snapshots = BTreeMap::new();
    for (side, address) in sides.iter() {
        let mut session = engine::by_id(address.engine.as_str()).unwrap().connect(address).await.unwrap();
        let catalogue = session.introspect().await.unwrap();
        session.close().await.unwrap();
        snapshots.insert((Stage::Migrated, side), Snapshot { catalogue, ..Snapshot::default() });
    }
    let catalogue = |side| &snapshots[&(Stage::Migrated, side)].catalogue;
    let same = sides.source.engine == sides.target.engine;
    let derived = comparison::derive(catalogue(Side::Source), catalogue(Side::Target), &[], same);
    let resources = Resources { memory_bytes: how.memory, folder: std::env::temp_dir(), jobs: how.jobs };
    let mut cx = CheckContext {
        stage: Stage::Migrated,
        readers: Readers::open(sides).await.unwrap(),
        snapshots: &snapshots,
        derived: &derived,
        tally: Tally::default(),
        not_carried: &[],
        loss_ledger: &[],
        left_out: &[],
        redaction: &Redaction::Show,
        sample: 3,
        resources: &resources,
        writes_source: false,
        changes_source: false,
        surroundings: &Surroundings::default(),
        probes: &[],
        probed: &[],
    };
    let examined = Checksum.run(&mut cx).await.unwrap();
    let read = cx.readers.rows_read();
    cx.readers.close().await.unwrap();
    (examined, read)
}
