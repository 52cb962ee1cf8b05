//! Tables of which very many rows differ: the first pass ends as soon as it sees that, and what is said is as exact as ever.

use rehearse::model::{Address, Cause, FindingKind, Side, Sides, Tls};

use super::bench::Bench;
use crate::{
    props::tables::{How, examine},
    support::mariadb::{Container, has},
};

/// Rows of the source. No multiple of what orders them.
const ROWS: u64 = 20_000;

/// How the target differs from the source.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Differs {
    Nowhere,
    /// In one row of fifty, which is not wide.
    Somewhere,
    /// In every other row; two are missing, and two are extraneous.
    Widely,
}

/// A table, the rows of the target in another order if that is wanted.
fn sql(engine: &str, side: Side, shuffled: bool, differs: Differs) -> String {
    let numbers = match engine {
        "postgres" => format!("(SELECT n AS id FROM generate_series(1, {ROWS}) AS n) AS s"),
        "mariadb" => format!("(SELECT seq AS id FROM seq_1_to_{ROWS}) AS s"),
        _ => format!(
            "(WITH RECURSIVE s(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM s WHERE id < {ROWS}) SELECT id FROM s) AS s"
        ),
    };
    let order = if shuffled && side == Side::Target { "(id * 7919) % 20011" } else { "id" };
    let create = "CREATE TABLE t (id bigint NOT NULL PRIMARY KEY, n bigint, note text)";
    // Rows that are changed later may all move to the end of the table.
    let late = if side == Side::Target && differs == Differs::Widely { "3600 * (1 - id % 2)" } else { "0" };
    let insert =
        format!("INSERT INTO t SELECT id, id * 10 + {late}, 'a note on this row' FROM {numbers} ORDER BY {order}");
    let differ = match (side, differs) {
        (Side::Source, _) | (_, Differs::Nowhere) => "",
        (_, Differs::Somewhere) => "UPDATE t SET n = n + 3600 WHERE id % 50 = 0;",
        (_, Differs::Widely) => "DELETE FROM t WHERE id IN (5, 7); INSERT INTO t (id) VALUES (0), (-1);",
    };
    format!("{create}; {insert}; {differ}")
}

/// Compares two tables that hold the rows of [`sql`], and tells how many rows were read.
fn compared(bench: &Bench, sides: &Sides<Address>, how: &How, differs: Differs) -> u64 {
    let (examined, read) = bench.runtime().block_on(examine(sides, how));
    let total = |kind| examined.findings.iter().filter(|one| one.kind == kind).map(|one| one.total).sum::<u64>();
    let kinds =
        [FindingKind::MissingRow, FindingKind::ExtraneousRow, FindingKind::ChangedRow, FindingKind::ChangedValue];
    let (totals, shifted) = match differs {
        Differs::Nowhere => ([0, 0, 0, 0], 0),
        Differs::Somewhere => ([0, 0, ROWS / 50, ROWS / 50], ROWS / 50),
        Differs::Widely => ([2, 2, ROWS / 2, ROWS / 2], ROWS / 2),
    };
    assert_eq!(kinds.map(total), totals, "{how:?} {differs:?}");
    let causes = examined.findings.iter().flat_map(|finding| &finding.causes);
    let offset = Cause::Offset { by: Some("+3600".to_owned()) };
    assert_eq!(causes.filter(|one| one.cause == offset).map(|one| one.total).sum::<u64>(), shifted);
    let rows = examined.coverage.rows;
    assert_eq!((rows.checked, rows.total), (2 * ROWS, 2 * ROWS), "{how:?} {differs:?}");
    assert_eq!((&examined.unchecked, &examined.loss_ledger), (&Vec::new(), &Vec::new()));
    read
}

const HOWS: [How; 3] =
    [How { memory: 512 << 20, jobs: 1 }, How { memory: 1, jobs: 1 }, How { memory: 1 << 20, jobs: 3 }];

/// Fills two databases and compares them in every way: only rows of the beginning are read twice. One side may have come to
/// its end before the other began.
fn is_wide(bench: &Bench, sides: &Sides<Address>, shuffled: bool) {
    for (side, address) in sides.iter() {
        bench.say(address, &sql(address.engine.as_str(), side, shuffled, Differs::Widely));
    }
    for how in &HOWS {
        let read = compared(bench, sides, how, Differs::Widely);
        let once = 2 * ROWS;
        assert!(
            (once + 100..once + ROWS * 5 / 4).contains(&read),
            "{read} rows were read of {once}, {how:?} {sides:?}"
        );
    }
}

#[test]
fn the_first_pass_ends_where_very_many_rows_differ() {
    let Some(bench) = Bench::take("wide differences") else { return };
    for shuffled in [false, true] {
        let (one, other) = (bench.pair(), bench.pair());
        let (file, first, second) = (&one.addresses().source, &one.addresses().target, &other.addresses().target);
        is_wide(&bench, &Sides::new(first.clone(), second.clone()), shuffled);
        bench.say(second, "DROP TABLE t");
        is_wide(&bench, &Sides::new(file.clone(), second.clone()), shuffled);
        bench.say(first, "DROP TABLE t");
        is_wide(&bench, &Sides::new(first.clone(), other.addresses().source.clone()), shuffled);
    }
}

#[test]
fn the_first_pass_is_whole_where_few_rows_differ_or_none() {
    let Some(bench) = Bench::take("narrow differences") else { return };
    for differs in [Differs::Nowhere, Differs::Somewhere] {
        let (one, other) = (bench.pair(), bench.pair());
        one.target(&sql("postgres", Side::Source, true, differs));
        other.target(&sql("postgres", Side::Target, true, differs));
        let sides = Sides::new(one.addresses().target.clone(), other.addresses().target.clone());
        for how in &HOWS {
            let read = compared(&bench, &sides, how, differs);
            assert!(if differs == Differs::Nowhere { read == 2 * ROWS } else { read > 2 * ROWS }, "{read}");
        }
    }
}

#[test]
fn the_first_pass_ends_on_mariadb_where_very_many_rows_differ() {
    let test = "the_first_pass_ends_on_mariadb_where_very_many_rows_differ";
    let Some(bench) = Bench::take(test) else { return };
    if !bench.runtime().block_on(has(test, "11.8")) {
        return;
    }
    let server = Container::start("mariadb:11.8", &[], &[]);
    bench.runtime().block_on(server.wait());
    let admin = server.address("127.0.0.1", Tls::default());
    for name in ["one", "other", "third"] {
        bench.say(&admin, &format!("CREATE DATABASE {name}"));
    }
    let database = |name| admin.with_database(name);
    is_wide(&bench, &Sides::new(database("one"), database("other")), false);
    let pair = bench.pair();
    is_wide(&bench, &Sides::new(database("third"), pair.addresses().target.clone()), true);
}
