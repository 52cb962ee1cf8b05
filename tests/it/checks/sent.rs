//! Tables that two databases send alike are compared by the bytes that they send first; what is said of them must be what
//! is said of the same rows when every value is read.

use rehearse::{
    canon::comparison::{Condition, Stated, StatedColumn},
    check::{Examined, Readers, checksum::Checksum},
    engine::Rowset,
    model::{Coverage, Side, Sides, Stage},
};

use super::{
    bench::{Bench, Pair},
    entry, told,
};

/// In every other database a type of the database's own has another OID.
const SHIFT_OIDS: &str = "CREATE TYPE other AS ENUM ('a'); CREATE TYPE another AS ENUM ('b');";

const SCHEMA: &str = "
    CREATE TYPE mood AS ENUM ('glad', 'sad');
    CREATE DOMAIN small AS int CHECK (VALUE < 100);
    CREATE TYPE place AS (x int, y text);
    CREATE TABLE numbers (id int PRIMARY KEY, n numeric, f float8, d jsonb, j json);
    CREATE TABLE plain (id bigint PRIMARY KEY, t text, at timestamptz, u uuid, e mood, s small, a int[], p place);
    CREATE TABLE moods (id int PRIMARY KEY, m mood[]);
    CREATE TABLE smalls (id int PRIMARY KEY, s small[]);
    CREATE TABLE tokens (token text, at int, note text, other text, PRIMARY KEY (at, token));
    CREATE TABLE large (t text PRIMARY KEY, b bytea);
    CREATE TABLE uuids (id uuid PRIMARY KEY, t text);
    CREATE TABLE twice (id int, t text);
    INSERT INTO numbers VALUES (1, 1.0, 0.0, '{\"a\": 1.0, \"b\": 2}', '{\"a\": 1}'), (2, 2.50, 'NaN', '[1.10]', '[1]'),
        (3, 3, 3.5, '3', '3'), (4, NULL, NULL, NULL, NULL), (5, 5, 5, '5', '5');
    INSERT INTO plain SELECT n, 'text ' || n, timestamptz '2024-01-01 00:00+00' + n * interval '1 hour', md5(n::text)::uuid,
        'glad', n % 50, ARRAY[n, NULL, 1], ROW(n, 'y')::place FROM generate_series(1, 3000) AS n;
    INSERT INTO moods SELECT n, ARRAY['glad', 'sad']::mood[] FROM generate_series(1, 100) AS n;
    INSERT INTO smalls SELECT n, ARRAY[n % 7, 3]::small[] FROM generate_series(1, 100) AS n;
    INSERT INTO tokens SELECT md5(n::text)::uuid::text, n % 3, 'note', md5('other ' || n)::uuid::text
        FROM generate_series(1, 300) AS n;
    INSERT INTO large SELECT 'large ' || n, (SELECT string_agg(sha256((n * i)::text::bytea), '') FROM generate_series(1, 3000) AS i)
        FROM generate_series(1, 20) AS n;
    INSERT INTO uuids SELECT md5(n::text)::uuid, 'text' FROM generate_series(1, 3000) AS n;
    INSERT INTO twice VALUES (1, 'a'), (1, 'a'), (2, 'b'), (NULL, NULL);";

/// The same values, stored unlike.
const UNLIKE: &str = "
    UPDATE numbers SET n = 1.000, f = '-0', d = '{\"a\": 1.00, \"b\": 2}', j = '{ \"a\": 1 }' WHERE id = 1;
    UPDATE numbers SET n = 2.5, d = '[1.1]' WHERE id = 2;
    UPDATE tokens SET token = upper(token), other = '{' || other || '}' WHERE at = 0;";

/// Rows that differ, and rows that are only on one side.
const PLANTED: &str = "
    UPDATE numbers SET n = 3.001 WHERE id = 3;
    UPDATE numbers SET d = 'null' WHERE id = 4;
    UPDATE plain SET at = at + interval '1 hour' WHERE id % 2 = 0;
    UPDATE plain SET t = '' WHERE id = 7;
    UPDATE plain SET e = 'sad', s = NULL WHERE id = 9;
    UPDATE plain SET a = '[0:2]={11,NULL,1}' WHERE id = 11;
    DELETE FROM plain WHERE id IN (21, 22);
    INSERT INTO plain (id) VALUES (0), (9000);
    UPDATE moods SET m = ARRAY['sad', 'glad']::mood[] WHERE id = 5;
    UPDATE smalls SET s = NULL WHERE id = 5;
    UPDATE tokens SET note = 'Note' WHERE at = 0 AND note = 'note' AND lower(token) < '8';
    UPDATE tokens SET other = 'none' WHERE at = 1 AND token < '8';
    DELETE FROM tokens WHERE at = 2 AND token < '1';
    UPDATE large SET b = set_byte(b, length(b) - 1, 255 - get_byte(b, length(b) - 1)) WHERE t = 'large 3';
    UPDATE uuids SET t = 'other' WHERE id = md5('5')::uuid;
    DELETE FROM uuids WHERE id = md5('6')::uuid;
    INSERT INTO uuids VALUES (md5('more')::uuid, 'more');
    INSERT INTO twice VALUES (2, 'b');";

const FINDINGS: [&str; 26] = [
    "checksum changed_row target large 1",
    "checksum changed_value target large.b 1",
    "checksum changed_row target moods 1",
    "checksum changed_value target moods.m 1",
    "checksum changed_row target numbers 2",
    "checksum changed_value target numbers.n 1",
    "checksum changed_value target numbers.d 1",
    "checksum missing_row target plain 2",
    "checksum extraneous_row target plain 2",
    "checksum changed_row target plain 1502",
    "checksum changed_value target plain.t 1",
    "checksum changed_value target plain.at 1499",
    "checksum changed_value target plain.e 1",
    "checksum changed_value target plain.s 1",
    "checksum changed_value target plain.a 1",
    "checksum changed_row target smalls 1",
    "checksum changed_value target smalls.s 1",
    "checksum missing_row target tokens 10",
    "checksum changed_row target tokens 102",
    "checksum changed_value target tokens.note 59",
    "checksum changed_value target tokens.other 43",
    "checksum extraneous_row target twice 1",
    "checksum missing_row target uuids 1",
    "checksum extraneous_row target uuids 1",
    "checksum changed_row target uuids 1",
    "checksum changed_value target uuids.t 1",
];

const TABLES: [&str; 8] = ["numbers", "plain", "moods", "smalls", "tokens", "large", "uuids", "twice"];

/// What a scenario would state: UUIDs in texts, and a condition that holds for every row, if rows are not to be read as they
/// stand. Those cannot be compared as they are sent.
fn stated(every_value: bool) -> Vec<Stated> {
    let always = |_| every_value.then(|| Condition { sql: "true".to_owned(), ..Condition::default() });
    let uuid = || StatedColumn { rule: Some("uuid".to_owned()), ..StatedColumn::default() };
    let of_table = |table: &&str| Stated {
        source: (*table).to_owned(),
        target: (*table).to_owned(),
        filters: Sides::from_fn(always),
        columns: match *table {
            "tokens" => [("token".to_owned(), uuid()), ("other".to_owned(), uuid())].into(),
            _ => [].into(),
        },
        ..Stated::default()
    };
    TABLES.iter().map(of_table).collect()
}

/// Everything that the check says.
#[derive(Debug, PartialEq)]
struct Said {
    findings: Vec<String>,
    causes: Vec<String>,
    ledger: Vec<String>,
    coverage: Coverage,
}

fn said(pair: &Pair<'_>, every_value: bool) -> Said {
    let derived = pair.derive(Stage::Migrated, &stated(every_value));
    let examined = pair.examine(&[&Checksum], Stage::Migrated, &derived, &[]);
    let [Examined { findings, unchecked, loss_ledger, coverage, .. }] = &examined[..] else { panic!("one check") };
    // That not all of a table may be what a condition leaves is said of every condition.
    assert!(unchecked.iter().all(|one| every_value && one.subject.ends_with(" (true)")), "{unchecked:?}");
    Said {
        // Which rows are shown is up to the pass.
        findings: findings.iter().map(|one| told("checksum", one).split(" [").next().unwrap().to_owned()).collect(),
        causes: findings.iter().map(|one| format!("{} {:?}", one.subject, one.causes)).collect(),
        ledger: loss_ledger.iter().map(entry).collect(),
        coverage: *coverage,
    }
}

/// Two databases with the same in them, and what they are made of is not the same to the bit.
fn databases(bench: &Bench, name: &str) -> Sides<String> {
    let names = Sides::new(format!("{name}_source"), format!("{name}_target"));
    for (_, name) in names.iter() {
        bench.say(&bench.admin, &format!("CREATE DATABASE {name} TEMPLATE template0"));
    }
    bench.say(&bench.admin.with_database(&names.source), SCHEMA);
    bench.say(&bench.admin.with_database(&names.target), &format!("{SHIFT_OIDS}{SCHEMA}"));
    names
}

#[test]
fn rows_compared_as_they_are_sent_come_out_as_when_every_value_is_read() {
    let Some(bench) = Bench::take("rows as they are sent") else { return };
    let names = databases(&bench, "sent");
    let addresses = names.as_ref().map(|name| bench.admin.with_database(name));
    let mut pair = bench.between(&addresses.source, &addresses.target);

    bench.say(&addresses.target, UNLIKE);
    pair.record(Stage::Migrated);
    let unlike = said(&pair, false);
    assert_eq!(unlike.findings, Vec::<String>::new());
    assert_eq!(unlike, said(&pair, true));
    let ledger = [
        "source numbers.n number at value: 2",
        "source numbers.d json by value: 2",
        "target numbers.n number at value: 1",
        "target numbers.f number at value: 1",
        "target numbers.d json by value: 1",
        "target tokens.token uuid from text or bytes: 100",
        "target tokens.other uuid from text or bytes: 100",
    ];
    assert_eq!(unlike.ledger, ledger);

    bench.say(&addresses.target, PLANTED);
    pair.record(Stage::Migrated);
    let planted = said(&pair, false);
    assert_eq!(planted, said(&pair, true));
    assert_eq!(planted.findings, FINDINGS);
    let unfit = "target tokens.other as stored where unfit for uuid: 43".to_owned();
    assert!(planted.ledger.contains(&unfit), "{planted:#?}");

    for (_, name) in names.iter() {
        bench.say(&bench.admin, &format!("DROP DATABASE {name} WITH (FORCE)"));
    }
}

#[test]
fn only_rows_that_mean_the_same_in_both_databases_are_sent_alike() {
    let Some(bench) = Bench::take("forms of rows") else { return };
    let names = databases(&bench, "forms");
    let addresses = names.as_ref().map(|name| bench.admin.with_database(name));
    bench.runtime().block_on(async {
        let mut readers = Readers::open(&addresses).await.unwrap();
        let mut form = async |side, table: &str, columns: &[&str]| {
            let columns = columns.iter().map(|column| (*column).to_owned()).collect();
            readers.side(side).unwrap().sent_form(&Rowset::of(table.parse().unwrap(), columns)).await.unwrap()
        };
        for (table, columns, is_alike) in [
            ("plain", &["id", "t", "at", "u", "e", "s", "a"][..], true),
            // The fields of a composite carry OIDs, but only such as are built in.
            ("plain", &["p"], true),
            ("moods", &["id", "m"], false),
            ("smalls", &["id", "s"], false),
            ("plain", &["nothing"], false),
        ] {
            let forms = Side::BOTH;
            let [source, target] = [form(forms[0], table, columns).await, form(forms[1], table, columns).await];
            assert_eq!(source.is_some(), is_alike, "{table} {columns:?}");
            assert_eq!(source.map(|form| form.words), target.map(|form| form.words), "{table} {columns:?}");
        }
        assert_ne!(
            form(Side::Source, "plain", &["id"]).await.map(|form| form.words),
            form(Side::Source, "numbers", &["id"]).await.map(|form| form.words)
        );
        readers.close().await.unwrap();
    });
    for (_, name) in names.iter() {
        bench.say(&bench.admin, &format!("DROP DATABASE {name} WITH (FORCE)"));
    }
}
