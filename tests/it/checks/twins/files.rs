//! A SQLite file against its own copy, by the program as a user runs it.

use std::{collections::BTreeSet, fs, path::Path};

use rehearse::model::Verdict;

use super::super::told;
use crate::support::{Sandbox, ended};

const EVERYTHING: &str = "
    PRAGMA user_version = 7;
    CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL COLLATE NOCASE UNIQUE,
        city TEXT DEFAULT 'Vienna', born DATE, age INTEGER CHECK (age > 0), twice INTEGER AS (age * 2) STORED);
    INSERT INTO users (email, age) VALUES ('ada@example.org', 36), ('grace@example.org', 85), ('gone', 1);
    DELETE FROM users WHERE email = 'gone';
    CREATE TABLE posts (code TEXT PRIMARY KEY, author INTEGER NOT NULL, title ANY,
        CONSTRAINT by FOREIGN KEY (author) REFERENCES users ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED)
        STRICT, WITHOUT ROWID;
    INSERT INTO posts VALUES ('a', 1, 'one'), ('b', 2, x'00ff'), ('c', 2, 1.5);
    CREATE INDEX users_city ON users (city DESC, lower(email)) WHERE age > 5;
    CREATE VIEW old AS SELECT email FROM users WHERE age > 50;
    CREATE TRIGGER users_gone AFTER DELETE ON users BEGIN DELETE FROM posts WHERE author = old.id; END;";

/// A change of the copy, and every finding.
const CHANGES: &[(&str, &[&str])] = &[
    ("DROP VIEW old", &["schema object_missing target view:old 1"]),
    ("DROP TRIGGER users_gone", &["schema object_missing target trigger:users_gone 1"]),
    ("DROP INDEX users_city", &["schema object_missing target index:users_city 1"]),
    (
        "DROP INDEX users_city; CREATE INDEX users_city ON users (city, lower(email)) WHERE age > 5",
        &["schema object_changed target index:users_city 1"],
    ),
    ("PRAGMA user_version = 8", &["schema warning object_changed target setting:user_version 1"]),
    ("UPDATE sqlite_sequence SET seq = 2", &["sequence warning sequence_gives_again target sequence:users 1"]),
    ("UPDATE sqlite_sequence SET seq = 1", &["sequence sequence_behind target users.id 1"]),
    ("CREATE TABLE more (x)", &["schema warning object_extra target table:more 1"]),
    ("DROP TABLE posts", &["schema table_missing source posts 1", "unchecked reference posts(author) -> users(id)"]),
    (
        "PRAGMA foreign_keys = OFF; DELETE FROM posts WHERE code = 'c'; INSERT INTO posts VALUES ('d', 99, 'x')",
        &[
            "checksum extraneous_row target posts 1",
            "checksum missing_row target posts 1",
            "integrity damaged target file:foreign_key_check 1",
            "orphan orphan target posts.author 1",
        ],
    ),
];

fn run(path: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute_batch(sql).unwrap_or_else(|error| panic!("{error} in {sql}"));
}

#[test]
fn a_file_equals_its_copy_and_every_change_of_the_copy_is_found() {
    let mut wrong = Vec::new();
    for (change, expected) in std::iter::once(&("", &[] as &[&str])).chain(CHANGES) {
        let sandbox = Sandbox::new();
        let (source, copy) = (sandbox.path("source.db"), sandbox.path("copy.db"));
        run(&source, EVERYTHING);
        fs::copy(&source, &copy).unwrap();
        run(&copy, change);
        let sides = ["--source", source.to_str().unwrap(), "--target", copy.to_str().unwrap()];
        let ended = ended(&mut sandbox.rehearsal(&[&["audit"], sides.as_slice()].concat()));
        let report = sandbox.report("audit");
        let findings = report.findings().map(|(check, finding)| told(&check.id, finding));
        let mut found: BTreeSet<String> =
            findings.map(|line| line.split(" [").next().unwrap_or_default().to_owned()).collect();
        let unchecked = report.scenarios[0].unchecked.iter();
        found.extend(unchecked.map(|one| format!("unchecked {} {}", one.aspect, one.subject)));
        if found != expected.iter().map(|line| (*line).to_owned()).collect() {
            wrong.push(format!("{change}:\nexpected {expected:#?}\nfound {found:#?}\n{}", ended.stderr));
        }
        if change.is_empty() {
            assert_eq!((ended.code, report.verdict), (0, Verdict::Pass), "{ended:?}");
            assert!(report.coverage.is_whole(), "{}", report.coverage);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
