//! Statements that no transaction holds: each layout has its own word for them, and each tool its own way to send them.

use super::{Past, came_to, one};

const INDEX: &str = "CREATE INDEX CONCURRENTLY i ON t (n);";
const DROP: &str = "DROP INDEX CONCURRENTLY i;";

/// Writes a migration as a layout does, with its word that takes the transaction away or without.
fn write(past: &Past, layout: &str, number: u8, ways: (&str, &str), is_marked: bool) {
    let (up, down) = ways;
    let word = |word: &'static str| if is_marked { word } else { "" };
    let name = format!("{number}_m");
    match layout {
        "sqlx" => {
            past.file(&format!("{name}.up.sql"), &format!("{}{up}", word("-- no-transaction\n")));
            past.file(&format!("{name}.down.sql"), &format!("{}{down}", word("-- no-transaction\n")));
        }
        "diesel" => {
            past.file(&format!("{name}/up.sql"), up);
            past.file(&format!("{name}/down.sql"), down);
            past.file(&format!("{name}/metadata.toml"), word("run_in_transaction = false\n"));
        }
        "goose" => {
            let head = word("-- +goose NO TRANSACTION\n");
            past.file(&format!("{name}.sql"), &format!("{head}-- +goose Up\n{up}\n-- +goose Down\n{down}\n"));
        }
        "dbmate" => {
            let alone = word(" transaction:false");
            let text = format!("-- migrate:up{alone}\n{up}\n-- migrate:down{alone}\n{down}\n");
            past.file(&format!("{name}.sql"), &text);
        }
        "flyway" => {
            for (prefix, text) in [("V", up), ("U", down)] {
                past.file(&format!("{prefix}{number}__m.sql"), text);
                if is_marked {
                    past.file(&format!("{prefix}{number}__m.sql.conf"), "executeInTransaction=false");
                }
            }
        }
        other => panic!("nobody wrote {other}"),
    }
}

/// A way up, its way down, and whether the layout's word is there.
type Ways<'a> = (&'a str, &'a str, bool);

/// What a history comes to that makes a table and then goes these ways: classes, and what was said.
fn rehearsed(layout: &str, ways: &[Ways<'_>]) -> Option<(Past, Vec<(String, String)>)> {
    let past = Past::postgres("statements_that_no_transaction_holds")?;
    write(&past, layout, 1, ("CREATE TABLE t (id int PRIMARY KEY, n int);", "DROP TABLE t;"), false);
    for (number, (up, down, is_marked)) in (2..).zip(ways) {
        write(&past, layout, number, (up, down), *is_marked);
    }
    past.run(&["--layout", layout]);
    let history = past.history();
    assert_eq!(history.migrations[0].class.word(), "restores", "{layout}: {history:?}");
    let told = history.migrations[1..].iter();
    let told = told.map(|one| (one.class.word().to_owned(), one.error.clone().unwrap_or_default())).collect();
    Some((past, told))
}

const TWO: &str = "CREATE INDEX CONCURRENTLY j ON t (n);\nCREATE INDEX CONCURRENTLY k ON t (n, id);";
const REFUSED: &str = "CREATE INDEX CONCURRENTLY cannot run inside a transaction block";

/// With the layout's word one runs. Of two in one file goose sends one after the other; the other tools send the file in one
/// message, which the server takes for a transaction.
#[test]
fn each_layouts_word_takes_the_transaction_away() {
    for layout in ["sqlx", "diesel", "goose", "dbmate"] {
        let Some((_, told)) = rehearsed(layout, &[(INDEX, DROP, true), (TWO, "DROP INDEX j, k;", true)]) else {
            return;
        };
        assert_eq!(told[0], ("restores".to_owned(), String::new()), "{layout}");
        let (class, error) = &told[1];
        if layout == "goose" {
            assert_eq!((class.as_str(), error.as_str()), ("restores", ""));
        } else {
            assert!(class == "up_fails" && error.contains(REFUSED), "{layout}: {told:?}");
        }
    }
}

#[test]
fn without_the_word_it_fails() {
    for layout in ["sqlx", "diesel", "goose", "dbmate"] {
        let Some((_, told)) = rehearsed(layout, &[(INDEX, DROP, false)]) else { return };
        assert!(told[0].0 == "up_fails" && told[0].1.contains(REFUSED), "{layout}: {told:?}");
    }
}

/// Flyway needs no word for what its parser knows, and runs nothing of a mix.
#[test]
fn flyway_finds_them_itself() {
    let mixed = "ALTER TABLE t ADD a int;\nCREATE INDEX CONCURRENTLY l ON t (a);";
    let ways = [
        (INDEX, DROP, false),
        (TWO, "DROP INDEX CONCURRENTLY j;\nDROP INDEX CONCURRENTLY k;", false),
        // A word beside the script goes before what the parser finds.
        (mixed, "ALTER TABLE t DROP a;\nDROP INDEX IF EXISTS l;", true),
        ("ALTER TABLE t ADD b int;\nCREATE INDEX CONCURRENTLY m ON t (b);", "ALTER TABLE t DROP b;", false),
    ];
    let Some((past, told)) = rehearsed("flyway", &ways) else { return };
    for at in 0..3 {
        assert_eq!(told[at], ("restores".to_owned(), String::new()), "{}", ways[at].0);
    }
    let (class, error) = &told[3];
    assert_eq!(class, "up_fails", "{error}");
    assert!(error.starts_with("V5__m.sql:2: Flyway runs none of it"), "{error}");
    assert!(error.contains("both transactional and non-transactional statements"), "{error}");
    past.file("flyway.toml", "[flyway]\nmixed = true\n");
    past.run(&["--layout", "flyway", "--only", "5"]);
    assert_eq!(came_to(&past.history()), ["V5__m restores"]);
}

#[test]
fn a_value_of_an_enum_is_used_by_the_next_migration() {
    let Some(past) = Past::postgres("a_value_of_an_enum_is_used_by_the_next_migration") else { return };
    let again = "CREATE TYPE old AS ENUM ('well'); ALTER TABLE t ALTER mood TYPE old USING mood::text::old;
         DROP TYPE mood; ALTER TYPE old RENAME TO mood;";
    past.pairs(&[
        (
            "1_moods",
            "CREATE TYPE mood AS ENUM ('well'); CREATE TABLE t (id int PRIMARY KEY, mood mood NOT NULL);",
            "DROP TABLE t; DROP TYPE mood;",
        ),
        ("2_ill", "ALTER TYPE mood ADD VALUE 'ill';", again),
        ("3_uses_it", "INSERT INTO t VALUES (-77, 'ill');", "DELETE FROM t WHERE id = -77;"),
        // In one transaction with what adds it, it cannot be used.
        ("4_too_early", "ALTER TYPE mood ADD VALUE 'odd'; INSERT INTO t VALUES (-78, 'odd');", "SELECT 1;"),
    ]);
    past.run(&["--layout", "sqlx"]);
    let history = past.history();
    assert_eq!(came_to(&history), ["1_moods restores", "2_ill restores", "3_uses_it restores", "4_too_early up_fails"]);
    let error = one(&history, "4_too_early").error.clone().unwrap();
    assert!(error.contains("unsafe use of new value \"odd\""), "{error}");
}
