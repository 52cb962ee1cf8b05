//! Causes: a thousand rows of which every column went wrong in its own way, and what the checksum says of them.

use std::collections::BTreeMap;

use rehearse::{
    check::{Examined, checksum::Checksum},
    model::{FindingKind, Redaction, Stage},
    report::causes::causes,
};

use super::bench::{Bench, Pair};

const SOURCE: &str = "
    CREATE TABLE orders (
        id INTEGER PRIMARY KEY, seen TEXT, written TEXT, note TEXT, status TEXT, first TEXT, last TEXT, price TEXT,
        code TEXT, remark TEXT, city TEXT, motto TEXT
    );
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000)
    INSERT INTO orders SELECT
        n,
        datetime(1700000000 + n * 61, 'unixepoch'),
        CASE WHEN n <= 12 THEN '2024-01-02 03:04:05+05' ELSE '2024-01-02 03:04:05+00' END,
        'note ' || n || CASE WHEN n <= 38 THEN '  ' ELSE '' END,
        CASE n % 4 WHEN 0 THEN 'A' WHEN 1 THEN 'B' ELSE 'C' END,
        'first' || n,
        'last' || n,
        n || '.' || printf('%03d', n),
        'ABCDEFGH' || n,
        CASE WHEN n <= 7 THEN '' WHEN n <= 9 THEN NULL ELSE 'r' END,
        CASE WHEN n <= 15 THEN 'Zürich' WHEN n <= 18 THEN 'Łódź' ELSE 'Graz' END,
        CASE WHEN n <= 5 THEN 'caf' || char(233) || n WHEN n = 6 THEN 'x' ELSE 'y' END
    FROM numbers;
    CREATE TABLE log (line TEXT);
    INSERT INTO log VALUES ('a'), ('a'), ('b'), ('c'), ('c');
";

const TARGET: &str = "
    CREATE TABLE orders (
        id integer PRIMARY KEY, seen timestamptz, written timestamp, note text, status text, first text, last text,
        price numeric(12, 2), code varchar(8), remark text, city text, motto text
    );
    INSERT INTO orders SELECT
        n,
        to_timestamp(1700000000 + n * 61) + interval '1 hour',
        '2024-01-02 03:04:05',
        'note ' || n,
        CASE n % 4 WHEN 0 THEN 'active' WHEN 1 THEN 'blocked' ELSE 'C' END,
        CASE WHEN n <= 20 THEN 'last' ELSE 'first' END || n,
        CASE WHEN n <= 20 THEN 'first' ELSE 'last' END || n,
        (n || '.' || lpad(n::text, 3, '0'))::numeric,
        'ABCDEFGH',
        CASE WHEN n <= 7 THEN NULL WHEN n <= 9 THEN '' ELSE 'r' END,
        CASE WHEN n <= 15 THEN 'ZÃ¼rich' WHEN n <= 18 THEN '?ód?' ELSE 'Graz' END,
        CASE WHEN n <= 5 THEN 'cafe' || U&'\\0301' || n WHEN n = 6 THEN 'z' ELSE 'y' END
    FROM generate_series(1, 1000) AS n;
    CREATE TABLE log (line text);
    INSERT INTO log VALUES ('a'), ('b'), ('b'), ('b'), ('c'), ('d');
";

fn planted(bench: &Bench) -> Pair<'_> {
    let mut pair = bench.pair();
    pair.source(SOURCE);
    pair.target(TARGET);
    pair.record(Stage::Migrated);
    pair
}

fn examined(pair: &Pair<'_>, redaction: &Redaction) -> Examined {
    let derived = pair.derive(Stage::Migrated, &[]);
    pair.examine_as(redaction, &[&Checksum], Stage::Migrated, &derived, &[]).remove(0)
}

#[test]
fn every_changed_value_has_its_cause() {
    let Some(bench) = Bench::take("every_changed_value_has_its_cause") else { return };
    let pair = planted(&bench);
    let examined = examined(&pair, &Redaction::Show);
    let mut told = BTreeMap::new();
    for finding in &examined.findings {
        let sum: u64 = finding.causes.iter().map(|one| one.total).sum();
        let whole = finding.kind == FindingKind::ChangedRow || sum == finding.total;
        assert!(whole, "{} of {}: {:?}", sum, finding.total, finding.causes);
        let shown = finding.kind == FindingKind::ChangedRow || finding.sample.len() as u64 == finding.total.min(3);
        assert!(shown, "{} of {}: {:?}", finding.subject, finding.total, finding.sample);
        told.insert(format!("{} {}", finding.kind, finding.subject), causes(finding).join("; "));
    }
    let expected = [
        ("changed_row target orders", ""),
        ("changed_value target orders.city", "15 rows: UTF-8 read as windows-1252; 3 rows: characters replaced by ?"),
        ("changed_value target orders.code", "1,000 rows: cut after 8 characters"),
        ("changed_value target orders.first", "20 rows: swapped with last"),
        ("changed_value target orders.last", "20 rows: swapped with first"),
        ("changed_value target orders.motto", "5 rows: normalised to Unicode's NFD; 1 row: unexplained"),
        ("changed_value target orders.note", "38 rows: blanks at the end lost"),
        ("changed_value target orders.price", "900 rows: rounded to 2 digits behind the point"),
        ("changed_value target orders.remark", "7 rows: empty became NULL; 2 rows: NULL became empty"),
        ("changed_value target orders.seen", "1,000 rows: exactly +1 h"),
        (
            "changed_value target orders.status",
            "250 rows: \"active\" in place of \"A\"; 250 rows: \"blocked\" in place of \"B\"",
        ),
        ("changed_value target orders.written", "12 rows: the zone was dropped, the local time kept"),
        ("extraneous_row target log", "2 rows: the other side has the same row, but not as often; 1 row: unexplained"),
        ("missing_row target log", "2 rows: the other side has the same row, but not as often"),
    ];
    let expected: BTreeMap<String, String> =
        expected.iter().map(|(finding, causes)| ((*finding).to_owned(), (*causes).to_owned())).collect();
    assert_eq!(told, expected);
}

#[test]
fn causes_show_no_values_unless_asked() {
    let Some(bench) = Bench::take("causes_show_no_values_unless_asked") else { return };
    let pair = planted(&bench);
    let json = |redaction: &Redaction| serde_json::to_string(&examined(&pair, redaction).findings).unwrap();
    let (shown, hidden) = (json(&Redaction::Show), json(&Redaction::Redact { salt: [1; 32] }));
    for value in ["active", "blocked"] {
        assert!(shown.contains(&format!("{{\"value\":\"{value}\"}}")), "{shown}");
    }
    for value in ["active", "blocked", "rich", "ABCDEFGH", "note 1", "first1", "2024"] {
        assert!(!hidden.contains(value), "{value} in {hidden}");
    }
    assert!(hidden.contains("substituted") && hidden.contains("\"micros\":3600000000"), "{hidden}");
}

#[test]
fn keys_that_moved_are_a_cause_of_rows() {
    let Some(bench) = Bench::take("keys_that_moved_are_a_cause_of_rows") else { return };
    let mut pair = bench.pair();
    // One key too far, a thousand further, and two rows that are only gone.
    pair.source(
        "CREATE TABLE dense (id INTEGER PRIMARY KEY, name TEXT);
         INSERT INTO dense VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (5, 'e');
         CREATE TABLE far (id INTEGER PRIMARY KEY, name TEXT);
         INSERT INTO far VALUES (1, 'a'), (20, 'b'), (300, 'c'), (4, 'x'), (5, 'y');
         CREATE TABLE gone (id INTEGER PRIMARY KEY, name TEXT);
         INSERT INTO gone VALUES (1, 'a'), (2, 'b'), (3, 'c');
         CREATE TABLE twice (id INTEGER PRIMARY KEY, name TEXT);
         INSERT INTO twice VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (5, 'e');
         CREATE TABLE words (word TEXT NOT NULL PRIMARY KEY, page INTEGER);
         INSERT INTO words VALUES ('a', 1), ('b', 2), ('c', 3), ('d', 9), ('e', 9), ('f', 9)",
    );
    pair.target(
        "CREATE TABLE dense (id int PRIMARY KEY, name text);
         INSERT INTO dense VALUES (2, 'a'), (3, 'b'), (4, 'c'), (5, 'd'), (6, 'e');
         CREATE TABLE far (id int PRIMARY KEY, name text);
         INSERT INTO far VALUES (1001, 'a'), (1020, 'b'), (1300, 'c'), (4, 'x');
         CREATE TABLE gone (id int PRIMARY KEY, name text);
         INSERT INTO gone VALUES (3, 'c');
         CREATE TABLE twice (id int PRIMARY KEY, name text);
         INSERT INTO twice VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (5, 'e'), (17, 'b'), (20, 'c'), (18, 'd'), (30, 'new');
         CREATE TABLE words (word text PRIMARY KEY, page int);
         INSERT INTO words VALUES ('a', 1), ('b', 2), ('c', 3), ('d', 9), ('e', 9), ('f', 9), ('x', 9), ('y', 9), ('z', 9)",
    );
    pair.record(Stage::Migrated);
    let examined = examined(&pair, &Redaction::Show);
    let rows = examined.findings.iter().filter(|finding| finding.kind != FindingKind::ChangedValue);
    let told: Vec<String> = rows
        .map(|finding| {
            let table = finding.subject.table.as_ref().unwrap();
            format!("{table} {} {}: {}", finding.kind, finding.total, causes(finding).join("; "))
        })
        .collect();
    let (one, far) = (
        "the other side has the row with its key moved by +1",
        "the other side has the row with its key moved by +1000",
    );
    assert_eq!(
        told,
        [
            format!("dense missing_row 1: 1 row: {one}"),
            format!("dense extraneous_row 1: 1 row: {one}"),
            format!("dense changed_row 4: 4 rows: {one}"),
            format!("far missing_row 4: 3 rows: {far}; 1 row: unexplained"),
            format!("far extraneous_row 3: 3 rows: {far}"),
            "gone missing_row 2: ".to_owned(),
            "twice extraneous_row 4: 3 rows: the other side has the row once, under another key: loaded again; 1 row: unexplained"
                .to_owned(),
            // Several rows of the source hold the same: nobody can tell.
            "words extraneous_row 3: ".to_owned(),
        ]
    );
}
