//! One history in each layout: the same migrations come to the same.

use std::{fs, process::Command};

use rehearse::run::resume;

use super::{Past, came_to};
use crate::support::skipped;

/// A migration: number, title, way up, way down.
pub type Pair = (&'static str, &'static str, &'static str, &'static str);

/// A good one, and one of each kind of bad ones, in SQL that all engines take.
const PAIRS: &[Pair] = &[
    ("1", "users", "CREATE TABLE users (id INTEGER PRIMARY KEY, n INTEGER, word VARCHAR(20));", "DROP TABLE users;"),
    ("2", "not back", "CREATE TABLE b (id INTEGER PRIMARY KEY);\nSELECT 1;", "DROP TABLE b;\nDROP TABLE nowhere;"),
    ("3", "word", "ALTER TABLE users DROP COLUMN word;", "ALTER TABLE users ADD COLUMN word VARCHAR(20);"),
    ("4", "nothing", "CREATE INDEX users_n ON users (n);", ""),
    ("10", "left over", "CREATE TABLE c (id INTEGER PRIMARY KEY);\nCREATE TABLE d (id INTEGER);", "DROP TABLE d;"),
];

/// The other kinds of bad ones: columns come back in another order, only a table without rows takes it, nothing takes it.
const WORSE: &[Pair] = &[
    ("1", "users", "CREATE TABLE users (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER);", "DROP TABLE users;"),
    (
        "2",
        "order",
        "ALTER TABLE users ADD COLUMN c INTEGER;\nUPDATE users SET c = a;\nALTER TABLE users DROP COLUMN a;",
        "ALTER TABLE users ADD COLUMN a INTEGER;\nUPDATE users SET a = c;\nALTER TABLE users DROP COLUMN c;",
    ),
    (
        "3",
        "needs no rows",
        "CREATE TABLE one (n INTEGER PRIMARY KEY);\nINSERT INTO one SELECT 1 FROM users;",
        "DROP TABLE one;",
    ),
    ("4", "broken", "CREATE TABLE d (id INTEGER);\nINSERT INTO nowhere SELECT id FROM d;", "DROP TABLE d;"),
];

/// A tool of the user's, which runs a file in either engine.
const TOOL: &str = r#"
set -eu
case $TARGET_URL in
  postgres*) psql -X -q -v ON_ERROR_STOP=1 -f "$1" "$TARGET_URL" ;;
  *) sqlite3 -batch -bail "$TARGET_DATABASE" ".read $1" ;;
esac
"#;
const COMMANDS: &str = "format_version = 1\nlist = [\"sh\", \"-c\", \"ls *.up.sql | sed s/.up.sql$//\"]\n\
    up = [\"sh\", \"tool.sh\", \"{version}.up.sql\"]\ndown = [\"sh\", \"tool.sh\", \"{version}.down.sql\"]\n";

/// The classes of [`PAIRS`] where there are ways down.
const CLASSES: [&str; 5] = ["restores", "down_fails", "loses_rows", "blank_down", "differs"];

/// How a layout writes such, and whether it has ways down.
pub fn write(past: &Past, layout: &str, pairs: &[Pair]) -> bool {
    let two = |number: &str| format!("{number:0>2}");
    for (number, title, up, down) in pairs {
        let (number, title) = (two(number), title.replace(' ', "_"));
        match layout {
            "sqlx" | "golang-migrate" | "numbered" | "pop" => {
                past.file(&format!("{number}_{title}.up.sql"), up);
                past.file(&format!("{number}_{title}.down.sql"), down);
            }
            "diesel" => {
                past.file(&format!("2024-01-{number}-000000_{title}/up.sql"), up);
                past.file(&format!("2024-01-{number}-000000_{title}/down.sql"), down);
            }
            "goose" => {
                past.file(&format!("{number}_{title}.sql"), &format!("-- +goose Up\n{up}\n-- +goose Down\n{down}\n"))
            }
            "dbmate" => {
                past.file(&format!("{number}_{title}.sql"), &format!("-- migrate:up\n{up}\n-- migrate:down\n{down}\n"))
            }
            "up-down" => past.file(&format!("{number}_{title}.sql"), &format!("-- up\n{up}\n-- down\n{down}\n")),
            "flyway" => {
                past.file(&format!("V{number}__{title}.sql"), up);
                past.file(&format!("U{number}__{title}.sql"), down);
            }
            "refinery" => past.file(&format!("V{number}__{title}.sql"), up),
            "sqitch" => {
                past.file(&format!("deploy/{title}.sql"), up);
                past.file(&format!("revert/{title}.sql"), down);
                let verify = if title == "word" { "SELECT word FROM users;" } else { "SELECT id FROM users;" };
                past.file(&format!("verify/{title}.sql"), verify);
            }
            "command" => {
                past.file(&format!("{number}_{title}.up.sql"), up);
                past.file(&format!("{number}_{title}.down.sql"), down);
            }
            other => panic!("nobody wrote a history for {other}"),
        }
    }
    if layout == "command" {
        past.file("commands.toml", COMMANDS);
        past.file("tool.sh", TOOL);
    }
    if layout == "sqitch" {
        let line = |(_, title, ..): &Pair| format!("{} 2024-01-01T00:00:00Z A <a@b>\n", title.replace(' ', "_"));
        past.file("sqitch.plan", &format!("%project=x\n\n{}", pairs.iter().map(line).collect::<String>()));
    }
    layout != "refinery"
}

fn expected(layout: &str) -> Vec<&'static str> {
    match layout {
        "refinery" => vec!["no_down"; 5],
        // Its own verification asks for the column that is gone.
        "sqitch" => vec!["restores", "down_fails", "verify_fails", "blank_down", "differs"],
        // A command that does nothing is a command all the same: what it left tells.
        "command" => vec!["restores", "down_fails", "loses_rows", "differs", "differs"],
        _ => CLASSES.to_vec(),
    }
}

fn each_comes_to_the_same(new: impl Fn() -> Option<Past>, layouts: &[&str]) {
    for layout in layouts {
        let Some(past) = new() else { return };
        fails(&past, layout);
        let Some(past) = new() else { return };
        let has_downs = write(&past, layout, PAIRS);
        let ended = past.run(&["--layout", layout]);
        assert_eq!(ended.code, if has_downs { 1 } else { 3 }, "{layout}: {ended:?}");
        let history = past.history();
        let classes: Vec<String> =
            came_to(&history).iter().map(|one| one.rsplit(' ').next().unwrap_or_default().to_owned()).collect();
        assert_eq!(classes, expected(layout), "{layout}: {}", ended.stdout);
        for one in history.migrations.iter().filter(|one| one.class.word() == "down_fails") {
            let error = one.error.clone().unwrap_or_default();
            // Where it stands, or else the command that was told the file.
            let place = if *layout == "command" { "02_not_back.down.sql`" } else { ".sql:" };
            assert!(error.contains("nowhere") && error.contains(place), "{layout}: {error}");
        }
        past.sandbox.assert_released();
    }
}

/// What [`WORSE`] comes to.
fn fails(past: &Past, layout: &str) {
    let has_downs = write(past, layout, WORSE);
    let ended = past.run(&["--layout", layout]);
    assert_eq!(ended.code, 1, "{layout}: {ended:?}");
    let history = past.history();
    let good = if has_downs { ["restores", "column_order"] } else { ["no_down"; 2] };
    let classes: Vec<&str> = history.migrations.iter().map(|one| one.class.word()).collect();
    assert_eq!(classes, [&good[..], &["fails_only_with_rows", "up_fails"]].concat(), "{layout}: {}", ended.stdout);
    past.sandbox.assert_released();
}

fn layouts() -> Vec<&'static str> {
    // Commands of the user's have tests of their own.
    let ids = rehearse::migrate::layout::ALL.iter().map(|layout| layout.id());
    ids.filter(|id| *id != "command").collect()
}

#[test]
fn every_layout_on_sqlite() {
    let mut layouts = layouts();
    if Command::new("sqlite3").arg("-version").output().is_err() {
        skipped(
            "every_layout_on_sqlite",
            "local",
            "the command sqlite3, which a tool of the user's calls, is not installed",
        );
        layouts.retain(|layout| *layout != "command");
    }
    each_comes_to_the_same(|| Some(Past::sqlite()), &layouts);
}

#[test]
fn every_layout_on_postgres() {
    each_comes_to_the_same(|| Past::postgres("every_layout_on_postgres"), &layouts());
}

#[test]
fn a_layout_on_mariadb() {
    each_comes_to_the_same(|| Past::mariadb("a_layout_on_mariadb"), &["golang-migrate", "goose"]);
}

/// What the tool's table of a kept database holds.
fn kept_of(past: &Past, layout: &str, query: &str) -> Vec<String> {
    let ended = past.run(&["--layout", layout, "--keep", "--require-coverage", "0"]);
    let report = past.report();
    let id = report.run.id.to_string();
    let standing = resume::status(&past.sandbox.run_directory()).unwrap();
    assert!(standing.kept, "{ended:?}");
    let file = past.sandbox.work().join(format!("rehearse-{id}/target.db"));
    let connection = rusqlite::Connection::open(&file).unwrap();
    let mut statement = connection.prepare(query).unwrap_or_else(|error| panic!("{layout}: {error}"));
    let width = statement.column_count();
    let text = |row: &rusqlite::Row<'_>| {
        let told = |at| match row.get::<_, rusqlite::types::Value>(at)? {
            rusqlite::types::Value::Null => Ok("NULL".to_owned()),
            rusqlite::types::Value::Integer(number) => Ok(number.to_string()),
            rusqlite::types::Value::Text(text) => Ok(text),
            other => Ok::<_, rusqlite::Error>(format!("{other:?}")),
        };
        Ok((0..width).map(told).collect::<Result<Vec<String>, _>>()?.join("|"))
    };
    let rows = statement.query_map([], text).unwrap().map(Result::unwrap).collect();
    let history = past.history();
    assert_eq!(history.bookkeeping.len(), 1, "{layout}");
    let ended = past.sandbox.call(&["clean", &id, "--out", past.sandbox.out().to_str().unwrap()]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(!file.exists() && fs::read_dir(past.sandbox.work()).unwrap().next().is_none());
    rows
}

/// What Flyway runs again whenever it changed has no version, and comes last.
#[test]
fn a_repeatable_migration_is_rehearsed_behind_the_others() {
    let past = Past::sqlite();
    past.file("R__all_things.sql", "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT id FROM t;");
    past.file("V2__more.sql", "ALTER TABLE t ADD COLUMN n INTEGER;");
    past.file("U2__more.sql", "ALTER TABLE t DROP COLUMN n;");
    past.file("V1__t.sql", "CREATE TABLE t (id INTEGER PRIMARY KEY);");
    past.file("U1__t.sql", "DROP TABLE t;");
    let query = "SELECT installed_rank, version, description, type, script, success FROM flyway_schema_history \
                 WHERE version IS NULL OR installed_rank = (SELECT MAX(installed_rank) FROM flyway_schema_history \
                 WHERE version = '2')";
    let rows = kept_of(&past, "flyway", query);
    assert_eq!(came_to(&past.history()), ["V1__t restores", "V2__more restores", "R__all_things restores"]);
    let of = |row: &String| row.split_once('|').map(|(rank, rest)| (rank.parse::<u32>().unwrap(), rest.to_owned()));
    let rows: Vec<(u32, String)> = rows.iter().filter_map(of).collect();
    let [(before, second), (behind, repeated)] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(second, "2|more|SQL|V2__more.sql|1");
    assert_eq!(repeated, "NULL|all things|SQL|R__all_things.sql|1");
    assert!(before < behind, "{rows:?}");
    let coverage = past.report().coverage.downs;
    assert_eq!((coverage.checked, coverage.total), (2, 2), "it has no way down, and needs none");
    // One that fails is told like any other.
    past.file("R__all_things.sql", "CREATE VIEW w AS SELECT id FROM t;\nDROP VIEW nowhere;");
    past.run(&["--layout", "flyway"]);
    assert_eq!(came_to(&past.history())[2], "R__all_things up_fails");
}
