//! Tables that differ, and that a checksum of some other tool holds equal: ours tells them apart, and how they differ.

use std::collections::BTreeMap;

use rehearse::{
    check::checksum::Checksum,
    model::{Side, Stage},
};

use super::{
    bench::{Bench, Pair},
    values::Container,
};

/// How the sums of others come to be equal, columns, rows of the source, rows of the target, what has to be found.
type Collision = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

/// From SQLite to PostgreSQL.
const FROM_A_FILE: &[Collision] = &[
    (
        "values are joined by nothing",
        "id int PRIMARY KEY, a text, b text",
        "(1, 'ab', 'c')",
        "(1, 'a', 'bc')",
        &["changed_row 1", "changed_value a 1", "changed_value b 1"],
    ),
    (
        "values are joined by what they may hold",
        "id int PRIMARY KEY, a text, b text",
        "(1, 'a|b', 'c')",
        "(1, 'a', 'b|c')",
        &["changed_row 1", "changed_value a 1", "changed_value b 1"],
    ),
    (
        "a text stands for NULL",
        "id int PRIMARY KEY, a text",
        "(1, NULL), (2, NULL), (3, NULL), (4, NULL)",
        "(1, '<null>'), (2, 'DEFAULT_REPLACEMENT_STRING'), (3, ''), (4, NULL)",
        &["changed_row 3", "changed_value a 3"],
    ),
    (
        "digests are combined by XOR, and pairs cancel out",
        "a text",
        "('a'), ('b'), ('b')",
        "('a'), ('c'), ('c')",
        &["extraneous_row 2", "missing_row 2"],
    ),
    (
        "digests are combined by XOR, and a pair is nothing",
        "a text",
        "('a'), ('b'), ('b')",
        "('a')",
        &["missing_row 2"],
    ),
    (
        "CRC32 is affine, and an even number of like changes cancels out",
        "id int PRIMARY KEY, a text",
        "(1, '11:22'), (2, '11:22'), (3, '11:22'), (4, '11:22')",
        "(1, '11:32'), (2, '11:32'), (3, '11:32'), (4, '11:32')",
        &["changed_row 4", "changed_value a 4"],
    ),
    ("rows are joined by nothing", "a text", "('x'), ('yz')", "('xy'), ('z')", &["extraneous_row 2", "missing_row 2"]),
    (
        "numbers are cut after eleven digits",
        "id int PRIMARY KEY, a bigint",
        "(1, 100000000001)",
        "(1, 100000000002)",
        &["changed_row 1", "changed_value a 1"],
    ),
];

/// From MariaDB to PostgreSQL; a type may be another one there.
const FROM_MARIADB: &[Collision] = &[
    (
        "the connection has three bytes for a character",
        "id int PRIMARY KEY, a varchar(9)",
        "(1, 'a😀b')",
        "(1, 'a😁b')",
        &["changed_row 1", "changed_value a 1"],
    ),
    (
        "decimals go through a double",
        "id int PRIMARY KEY, a decimal(30, 2)",
        "(1, 12345678901234567.89)",
        "(1, 12345678901234567.90)",
        &["changed_row 1", "changed_value a 1"],
    ),
    (
        "the logarithm of zero is NULL",
        "id int PRIMARY KEY, a double precision",
        "(1, 0), (2, NULL)",
        "(1, NULL), (2, 0)",
        &["changed_row 2", "changed_value a 2"],
    ),
];

fn tables(collisions: &[Collision], side: Side) -> String {
    let table = |(at, (_, columns, source, target, _)): (usize, &Collision)| {
        let rows = if side == Side::Source { source } else { target };
        format!("CREATE TABLE c{at} ({columns});\nINSERT INTO c{at} VALUES {rows};\n")
    };
    collisions.iter().enumerate().map(table).collect()
}

fn told_apart(mut pair: Pair<'_>, collisions: &[Collision]) -> Vec<String> {
    pair.record(Stage::Migrated);
    let derived = pair.derive(Stage::Migrated, &[]);
    let examined = pair.examine(&[&Checksum], Stage::Migrated, &derived, &[]).remove(0);
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for finding in &examined.findings {
        let column = finding.subject.columns.join(",");
        let blank = if column.is_empty() { "" } else { " " };
        let line = format!("{} {column}{blank}{}", finding.kind, finding.total);
        found.entry(finding.subject.table.as_ref().unwrap().to_string()).or_default().push(line);
    }
    let mut wrong = Vec::new();
    for (at, (name, .., finds)) in collisions.iter().enumerate() {
        let mut told = found.remove(&format!("c{at}")).unwrap_or_default();
        told.sort();
        if told != *finds {
            wrong.push(format!("{name}: {told:?}"));
        }
    }
    wrong
}

/// SQLite lets a primary key of text be NULL, as often as somebody likes.
#[test]
fn rows_whose_key_is_null_are_compared() {
    let Some(bench) = Bench::take("rows_whose_key_is_null_are_compared") else { return };
    let source = "CREATE TABLE c0 (a TEXT PRIMARY KEY, b int); INSERT INTO c0 VALUES (NULL, 1), (NULL, 2), ('x', 3);
                  CREATE TABLE c1 (a TEXT PRIMARY KEY, b int); INSERT INTO c1 VALUES (NULL, 1), (NULL, 2), ('x', 3);
                  CREATE TABLE c2 (a TEXT PRIMARY KEY, b int); INSERT INTO c2 VALUES (NULL, 1), (NULL, 1);";
    let target = "CREATE TABLE c0 (a text UNIQUE, b int); INSERT INTO c0 VALUES (NULL, 2), ('x', 3), (NULL, 1);
                  CREATE TABLE c1 (a text UNIQUE, b int); INSERT INTO c1 VALUES (NULL, 2), ('x', 3), (NULL, 4);
                  CREATE TABLE c2 (a text UNIQUE, b int); INSERT INTO c2 VALUES (NULL, 1);";
    let pair = bench.pair();
    pair.source(source);
    pair.target(target);
    let expected: &[Collision] = &[
        ("the same rows", "", "", "", &[]),
        ("one of them is another", "", "", "", &["extraneous_row 1", "missing_row 1"]),
        ("one of them is there once", "", "", "", &["missing_row 1"]),
    ];
    assert_eq!(told_apart(pair, expected), Vec::<String>::new());
}

#[test]
fn what_other_checksums_hold_equal_is_told_apart() {
    let test = "what_other_checksums_hold_equal_is_told_apart";
    let Some(bench) = Bench::take(test) else { return };
    let pair = bench.pair();
    pair.source(&tables(FROM_A_FILE, Side::Source));
    pair.target(&tables(FROM_A_FILE, Side::Target));
    assert_eq!(told_apart(pair, FROM_A_FILE), Vec::<String>::new());
}

#[test]
fn what_other_checksums_of_mariadb_hold_equal_is_told_apart() {
    let test = "what_other_checksums_of_mariadb_hold_equal_is_told_apart";
    let Some(bench) = Bench::take(test) else { return };
    let Some(mut container) = Container::of("11.8", &bench, test) else { return };
    let source = container.database(&bench, "collisions");
    bench.say(&source, &tables(FROM_MARIADB, Side::Source));
    let target = bench.pair();
    target.target(&tables(FROM_MARIADB, Side::Target));
    let wrong = told_apart(bench.between(&source, target.address(Side::Target)), FROM_MARIADB);
    container.end(&bench);
    assert_eq!(wrong, Vec::<String>::new());
}
