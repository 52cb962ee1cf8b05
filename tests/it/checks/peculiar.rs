//! Tables that a check must meet: each is compared right, or named as unchecked.

use std::collections::BTreeSet;

use rehearse::model::Stage;

use super::{
    bench::Bench,
    unreadable::{lines, look, subjects},
};

const LONG: &str = "a_name_of_sixty_three_bytes_which_is_as_long_as_a_name_may_be_x";

#[test]
fn names_of_every_kind_are_quoted_and_matched() {
    let Some(bench) = Bench::take("peculiar names") else { return };
    let mut pair = bench.pair();
    pair.make_clean();
    let rows = format!(
        "INSERT INTO \"select\" VALUES (1, 'a', 'owl', 'x'), (2, 'b', NULL, 'y');
         INSERT INTO \"a b.c\" VALUES (1, 1), (2, 2), (3, NULL);
         INSERT INTO {LONG} VALUES (7);"
    );
    pair.source(&format!(
        "CREATE TABLE \"select\" (\"from\" BIGINT NOT NULL PRIMARY KEY, \"white space\" TEXT, \"🦉\" TEXT, \"q\"\"uo'te\" TEXT UNIQUE);
         CREATE TABLE \"a b.c\" (\"Ünit\" BIGINT NOT NULL PRIMARY KEY, \"\"\"\" BIGINT REFERENCES \"select\");
         CREATE TABLE {LONG} ({LONG} INTEGER); {rows}"
    ));
    pair.target(&format!(
        "CREATE TABLE \"select\" (\"from\" bigint PRIMARY KEY, \"white space\" text, \"🦉\" text, \"q\"\"uo'te\" text UNIQUE);
         CREATE TABLE \"a b.c\" (\"Ünit\" bigint PRIMARY KEY, \"\"\"\" bigint REFERENCES \"select\");
         CREATE TABLE {LONG} ({LONG} bigint); {rows}"
    ));
    pair.record(Stage::Migrated);
    assert_eq!(look(&mut pair), (BTreeSet::new(), BTreeSet::new()));
    pair.target(&format!(
        "UPDATE \"select\" SET \"🦉\" = 'cat' WHERE \"from\" = 1; UPDATE {LONG} SET {LONG} = 8;
         SET session_replication_role = replica; UPDATE \"a b.c\" SET \"\"\"\" = 9 WHERE \"Ünit\" = 2"
    ));
    pair.record(Stage::Migrated);
    let (findings, unchecked) = look(&mut pair);
    assert_eq!(unchecked, BTreeSet::new());
    assert_eq!(
        findings,
        lines(&[
            "checksum changed_row target select 1",
            "checksum changed_value target select.🦉 1 [from=\"1\" 🦉: \"owl\" -> \"cat\"]",
            "checksum changed_row target a b\\.c 1",
            "checksum changed_value target a b\\.c.\" 1 [Ünit=\"2\" \": \"2\" -> \"9\"]",
            "orphan orphan target a b\\.c.\" 1 [\"=\"9\"]",
            &format!("checksum missing_row target {LONG} 1 [{LONG}=\"7\"]"),
            &format!("checksum extraneous_row target {LONG} 1 [{LONG}=\"8\"]"),
        ])
    );
}

#[test]
fn tables_of_many_columns_and_of_none() {
    let Some(bench) = Bench::take("many columns") else { return };
    let mut pair = bench.pair();
    pair.make_clean();
    let columns = |kind: &str| (0..1600).map(|at| format!("c{at} {kind}")).collect::<Vec<_>>().join(", ");
    let values =
        |last: u8| (0..1600).map(|at| if at == 1599 { last } else { 1 }.to_string()).collect::<Vec<_>>().join(", ");
    pair.source(&format!(
        "CREATE TABLE wide ({}); INSERT INTO wide VALUES ({}), ({})",
        columns("INTEGER"),
        values(1),
        values(2)
    ));
    pair.target(&format!(
        "CREATE TABLE wide ({}); INSERT INTO wide VALUES ({}), ({}); CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES",
        columns("smallint"), values(1), values(3)
    ));
    pair.record(Stage::Migrated);
    let (findings, unchecked) = look(&mut pair);
    assert_eq!(unchecked, BTreeSet::new());
    let kinds: BTreeSet<&str> = findings.iter().filter_map(|line| line.split(" [").next()).collect();
    assert_eq!(kinds, BTreeSet::from(["checksum missing_row target wide 1", "checksum extraneous_row target wide 1"]));
}

#[test]
fn views_partitions_heirs_and_generated_columns() {
    let Some(bench) = Bench::take("views and partitions") else { return };
    let mut pair = bench.pair();
    pair.make_clean();
    pair.source(
        "CREATE VIEW active_users AS SELECT id, email FROM users WHERE is_active;
         CREATE TABLE measures (level BIGINT); INSERT INTO measures VALUES (1), (2), (50);
         CREATE TABLE sums (a BIGINT, b BIGINT GENERATED ALWAYS AS (a + 1) STORED); INSERT INTO sums (a) VALUES (1), (2);
         CREATE TABLE animals (name TEXT); INSERT INTO animals VALUES ('cat');
         CREATE TABLE birds (name TEXT, wings BIGINT); INSERT INTO birds VALUES ('owl', 2)",
    );
    pair.target(
        "CREATE TABLE measures (level bigint) PARTITION BY RANGE (level);
         CREATE TABLE measures_low PARTITION OF measures FOR VALUES FROM (0) TO (10);
         CREATE TABLE measures_rest PARTITION OF measures DEFAULT; INSERT INTO measures VALUES (1), (2), (50);
         CREATE TABLE sums (a bigint, b bigint GENERATED ALWAYS AS (a + 1) STORED); INSERT INTO sums (a) VALUES (1), (2);
         CREATE TABLE animals (name text); CREATE TABLE birds (wings bigint) INHERITS (animals);
         INSERT INTO animals VALUES ('cat'); INSERT INTO birds VALUES ('owl', 2);
         CREATE FOREIGN DATA WRAPPER wrap; CREATE SERVER far FOREIGN DATA WRAPPER wrap;
         DROP TABLE words; CREATE FOREIGN TABLE words (word text) SERVER far",
    );
    pair.record(Stage::Migrated);
    let (findings, unchecked) = look(&mut pair);
    assert_eq!(findings, BTreeSet::new());
    assert_eq!(subjects(&unchecked), lines(&["object view:active_users", "row target words"]));
    pair.target("DELETE FROM animals WHERE name = 'owl'; DELETE FROM measures WHERE level = 50");
    pair.record(Stage::Migrated);
    let (findings, _) = look(&mut pair);
    let kinds: BTreeSet<String> =
        findings.iter().filter_map(|line| line.split(" [").next()).map(str::to_owned).collect();
    assert_eq!(
        kinds,
        lines(&[
            "row_count count_differs target birds 1",
            "row_count count_differs target measures 1",
            "checksum missing_row target birds 1",
            "checksum missing_row target measures 1",
        ])
    );
    pair.target("DROP FOREIGN DATA WRAPPER wrap CASCADE");
}
