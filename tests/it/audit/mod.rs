//! `rehearse audit`: two databases as they stand, by the program as a user runs it.

mod baseline;
mod dump;
mod live;
mod mapping;
mod mariadb;
mod rights;

use std::{net::TcpListener, path::Path};

use rehearse::model::{Report, Verdict};

use crate::{
    checks::bench::{Bench, Pair},
    support::{Ended, Sandbox, ended},
};

/// Two tables that refer to each other, in a file.
const TINY: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, seen TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id), cents INTEGER);
INSERT INTO users VALUES (1, 'Ada', '2024-01-01'), (2, 'Bo', NULL);
INSERT INTO orders VALUES (10, 1, 250), (11, 2, 999), (12, 2, NULL);";

/// A sandbox for one audit.
struct Audit {
    sandbox: Sandbox,
}

impl Audit {
    fn new() -> Self {
        Self { sandbox: Sandbox::new() }
    }

    /// Makes a SQLite file by SQL.
    fn file(&self, name: &str, sql: &str) -> String {
        let path = self.sandbox.path(name);
        run_sql(&path, sql);
        path.to_str().unwrap().to_owned()
    }

    /// `rehearse audit` with these flags, and with URLs in the environment.
    fn call_with(&self, flags: &[&str], urls: &[(&str, &str)]) -> Ended {
        let mut command = self.sandbox.rehearsal(&[&["audit"], flags].concat());
        command.envs(urls.iter().copied());
        ended(&mut command)
    }

    fn call(&self, flags: &[&str]) -> Ended {
        self.call_with(flags, &[])
    }

    fn report(&self) -> Report {
        self.sandbox.report("audit")
    }
}

fn run_sql(path: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    connection.execute_batch(sql).unwrap_or_else(|error| panic!("{error} in {sql}"));
}

/// Every finding that makes its check fail: `checksum missing_row target orders 1`.
fn errors(report: &Report) -> Vec<String> {
    let errors = report.findings().filter(|(_, finding)| finding.severity == rehearse::model::Severity::Error);
    errors
        .map(|(check, finding)| format!("{} {} {} {}", check.id, finding.kind, finding.subject, finding.total))
        .collect()
}

/// A clean pair on the bench.
fn pair(bench: &Bench) -> Pair<'_> {
    let mut pair = bench.pair();
    pair.make_clean();
    pair
}

#[test]
fn equal_files_pass_and_each_table_is_read() {
    let audit = Audit::new();
    let (source, target) = (audit.file("old.db", TINY), audit.file("new.db", TINY));
    let ended = audit.call(&["--source", &source, "--target", &format!("sqlite:{target}")]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let report = audit.report();
    assert_eq!((report.verdict, report.coverage.rows.checked, report.coverage.rows.total), (Verdict::Pass, 10, 10));
    assert!(report.coverage.is_whole(), "{}", report.coverage);
    assert!(report.scenarios[0].files.iter().all(|file| file.sha256_before == file.sha256_after));
    audit.sandbox.assert_released();
}

/// Names of one side in camel case and of the other with underscores are the same names; exact ones come first.
#[test]
fn tables_and_columns_meet_by_their_folded_names() {
    let audit = Audit::new();
    let tables = |users: &str, plain: &str, album: &str, user: &str| {
        format!(
            "CREATE TABLE {users} (id INTEGER PRIMARY KEY, {album} INTEGER, {user} TEXT, user_name TEXT);
             INSERT INTO {users} VALUES (1, 7, 'Ada', 'ada');
             CREATE TABLE {plain} (id INTEGER PRIMARY KEY); INSERT INTO {plain} VALUES (1), (2)"
        )
    };
    let source = audit.file("old.db", &tables("\"AlbumUsers\"", "orders", "\"albumId\"", "\"fullName\""));
    let target = audit.file("new.db", &tables("album_users", "orders", "album_id", "full_name"));
    let ended = audit.call(&["--source", &source, "--target", &target]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let report = audit.report();
    assert!(report.coverage.is_whole(), "{}", report.coverage);
    assert_eq!(report.coverage.rows.checked, 6);
    // The one that is called so is the one that is meant.
    run_sql(Path::new(&source), "ALTER TABLE \"AlbumUsers\" ADD COLUMN \"userName\" TEXT");
    let ended = audit.call(&["--source", &source, "--target", &target]);
    assert_eq!(errors(&audit.report()), ["schema column_missing source AlbumUsers.userName 1"], "{ended:?}");
}

#[test]
fn what_differs_is_found_counted_and_located() {
    let audit = Audit::new();
    let source = audit.file("old.db", TINY);
    let changes = "UPDATE users SET name = 'Bob' WHERE id = 2; DELETE FROM orders WHERE id = 10;
        INSERT INTO orders VALUES (13, 77, 1), (14, 1, 1);";
    let target = audit.file("new.db", &format!("{TINY}{changes}"));
    let ended = audit.call(&["--source", &source, "--target", &target, "--show-values"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let expected = [
        "checksum missing_row target orders 1",
        "checksum extraneous_row target orders 2",
        "checksum changed_row target users 1",
        "checksum changed_value target users.name 1",
        "orphan orphan target orders.user_id 1",
        "integrity damaged target file:foreign_key_check 1",
        "row_count count_differs target orders 1",
    ];
    assert_eq!(errors(&audit.report()), expected);
    assert!(ended.stdout.contains("id = \"2\": name source \"Bo\", target \"Bob\""), "{}", ended.stdout);
}

/// Keys that differ in one file and are equal under the other's collation are found before anybody loads them.
#[test]
fn keys_that_are_one_under_the_targets_collation_are_foretold() {
    let audit = Audit::new();
    let words = |collation: &str, rows: &str| {
        format!(
            "CREATE TABLE words (word TEXT COLLATE {collation} PRIMARY KEY NOT NULL); INSERT INTO words VALUES {rows}"
        )
    };
    let source = audit.file("old.db", &words("BINARY", "('Ada'), ('ada'), ('Bo')"));
    let target = audit.file("new.db", &words("NOCASE", "('Ada'), ('Bo')"));
    let ended = audit.call(&["--source", &source, "--target", &target]);
    let found = errors(&audit.report());
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(found.contains(&"unique key_collision source words.word 1".to_owned()), "{found:?}");
}

/// A difference that does not fit the memory it may take is counted to the row all the same.
#[test]
fn differences_beyond_the_memory_are_counted_exactly() {
    let audit = Audit::new();
    let rows = |shift: u32| {
        format!(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER NOT NULL, b TEXT NOT NULL);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
             INSERT INTO t SELECT i, i + {shift} * (i % 2), hex(i * 7919) FROM n"
        )
    };
    let (source, target) = (audit.file("old.db", &rows(0)), audit.file("new.db", &rows(5)));
    let flags = ["--source", &source, "--target", &target, "--memory", "1", "--jobs", "2", "--settle", "0"];
    let ended = audit.call(&flags);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_eq!(
        errors(&audit.report()),
        ["checksum changed_row target t 30000", "checksum changed_value target t.a 30000"]
    );
}

#[test]
fn a_side_that_is_no_database_is_a_wrong_call() {
    let audit = Audit::new();
    let source = audit.file("old.db", TINY);
    let text = audit.sandbox.write(
        "notes.txt",
        "no database at all, but long enough to hold a header of one hundred bytes, which is what SQLite reads first",
    );
    for (target, told) in [
        ("nowhere.db", "/nowhere.db` cannot be read: No such file"),
        (text.to_str().unwrap(), "is not a SQLite database"),
        ("oracle://u@h/d", "`--target`: `oracle` URLs are not known"),
        ("env:REHEARSE_TEST_NO_SUCH", "`--target`: the environment has no variable `REHEARSE_TEST_NO_SUCH`"),
    ] {
        let ended = audit.call(&["--source", &source, "--target", target]);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
        assert!(ended.stderr.contains(told), "{}", ended.stderr);
    }
    audit.sandbox.assert_untouched();
}

#[test]
fn a_server_that_is_not_there_makes_the_audit_inconclusive() {
    let audit = Audit::new();
    let source = audit.file("old.db", TINY);
    // Bound, so that nobody else takes it, and gone when the audit asks.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("postgres://reader:hunter2@127.0.0.1:{port}/app");
    let ended = audit.call_with(&["--source", &source, "--target", "env:AUDITED"], &[("AUDITED", &url)]);
    assert_eq!(ended.code, 3, "{ended:?}");
    let report = audit.report();
    assert!(report.scenarios[0].reasons[0].contains("failed to reach postgres://reader@127.0.0.1"), "{report:?}");
    assert!(audit.sandbox.artefacts().iter().all(|(_, text)| !text.contains("hunter2")));
    audit.sandbox.assert_released();
}

#[test]
fn a_file_against_a_server() {
    let Some(bench) = Bench::take("a_file_against_a_server") else { return };
    let pair = pair(&bench);
    let audit = Audit::new();
    let (source, url) = (pair.file().to_str().unwrap().to_owned(), pair.target_url());
    let flags = ["--source", &source, "--target", "env:AUDITED"];
    let ended = audit.call_with(&flags, &[("AUDITED", &url)]);
    assert_eq!(ended.code, 0, "{ended:?}");
    pair.target("DELETE FROM posts WHERE id = 3");
    let ended = audit.call_with(&flags, &[("AUDITED", &url)]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let found = errors(&audit.report());
    assert!(found.contains(&"checksum missing_row target posts 1".to_owned()), "{found:?}");
    assert!(found.contains(&"row_count count_differs target posts 1".to_owned()), "{found:?}");
    audit.sandbox.assert_released();
}
