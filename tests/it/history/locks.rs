//! The locks of scripts that begin and end their transactions themselves.

use rehearse::model::footprint::Footprint;

use super::{Past, came_to, one};

/// Writes a project of sqitch: changes with their scripts, each with a revert that nothing is said about.
fn write(past: &Past, changes: &[(&str, &str, &str)]) {
    let line = |(name, ..): &(&str, &str, &str)| format!("{name} 2024-01-01T00:00:00Z A <a@b>\n");
    past.file("sqitch.plan", &format!("%project=x\n\n{}", changes.iter().map(line).collect::<String>()));
    for (name, up, down) in changes {
        past.file(&format!("deploy/{name}.sql"), up);
        past.file(&format!("revert/{name}.sql"), down);
    }
}

fn footprint(past: &Past, name: &str) -> Footprint {
    one(&past.history(), name).footprint.clone().unwrap_or_else(|| panic!("{name} left no footprint"))
}

/// `t ACCESS EXCLUSIVE` of each lock, the strongest first.
fn held(footprint: &Footprint) -> Vec<String> {
    let table =
        |one: &rehearse::model::footprint::LockHeld| one.table.as_ref().map_or("all".into(), ToString::to_string);
    footprint.locks.iter().map(|one| format!("{} {}", table(one), one.mode)).collect()
}

#[test]
fn a_transaction_of_the_script_s_own_is_asked_before_it_commits() {
    let Some(past) = Past::postgres("a_transaction_of_the_script_s_own_is_asked_before_it_commits") else { return };
    write(
        &past,
        &[
            (
                "tables",
                "BEGIN;\nCREATE TABLE t (id int PRIMARY KEY, n int);\nCREATE TABLE u (id int);\nCOMMIT;\n",
                "BEGIN; DROP TABLE t, u; COMMIT;",
            ),
            (
                "waits",
                "BEGIN;\nALTER TABLE t ADD a int;\nSELECT pg_sleep(0.3);\nCOMMIT;\nSELECT pg_sleep(0.3);\n",
                "BEGIN; ALTER TABLE t DROP a; COMMIT;",
            ),
            (
                "twice",
                "BEGIN;\nLOCK TABLE t IN SHARE MODE;\nCOMMIT AND CHAIN;\nLOCK TABLE u IN EXCLUSIVE MODE;\nROLLBACK;\n",
                "SELECT 1;",
            ),
            (
                "outside",
                "SET lock_timeout = '5s';\nCREATE INDEX i ON t (n);\nBEGIN;\nALTER TABLE u ADD a int;\nCOMMIT;\n",
                "DROP INDEX i; ALTER TABLE u DROP a;",
            ),
            (
                "strict",
                "BEGIN;\nSET LOCAL lock_timeout = '5s';\nSET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\n\
                 ALTER TABLE t ADD b int;\nEND;\n",
                "ALTER TABLE t DROP b;",
            ),
        ],
    );
    let ended = past.run(&[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let of = |name: &str| footprint(&past, name);
    let waits = of("waits");
    assert_eq!((held(&waits), waits.locks_unknown), (vec!["t ACCESS EXCLUSIVE".to_owned()], None));
    // As long as its transaction, and no longer; the other sleep keeps nobody waiting.
    let ms = waits.locks[0].held_ms.expect("it was noted");
    let up = one(&past.history(), "waits").up_ms.expect("it went up");
    assert!(ms >= 300 && ms + 300 <= up, "{ms} of {up} ms");
    assert_eq!(waits.missed, [5]);
    let twice = of("twice");
    assert_eq!((held(&twice), twice.missed), (vec!["u EXCLUSIVE".to_owned(), "t SHARE".to_owned()], vec![]));
    let outside = of("outside");
    assert_eq!((held(&outside), outside.missed), (vec!["u ACCESS EXCLUSIVE".to_owned()], vec![2]));
    assert_eq!((held(&of("strict")), of("strict").missed), (vec!["t ACCESS EXCLUSIVE".to_owned()], vec![]));
    let told = "the locks of line 2 are not known, which no transaction holds";
    assert!(ended.stdout.contains(told), "{}", ended.stdout);
}

#[test]
fn one_message_is_cut_only_where_that_changes_nothing() {
    let Some(past) = Past::postgres("one_message_is_cut_only_where_that_changes_nothing") else { return };
    past.pairs(&[
        ("1_table", "CREATE TABLE t (id int PRIMARY KEY);", "DROP TABLE t;"),
        ("2_one", "BEGIN;\nALTER TABLE t ADD a int;\nCOMMIT;", "ALTER TABLE t DROP a;"),
        (
            "3_two",
            "BEGIN; ALTER TABLE t ADD b int; COMMIT; BEGIN; ALTER TABLE t ADD c int; COMMIT;",
            "ALTER TABLE t DROP b, DROP c;",
        ),
        // The server reads all of a message before it runs any of it.
        ("4_misspelled", "BEGIN; CREATE TABLE v (id int); COMMIT; BEGIN; ALTRE TABLE t; COMMIT;", "SELECT 1;"),
    ]);
    let ended = past.run(&["--layout", "golang-migrate"]);
    let history = past.history();
    let expected = ["1_table restores", "2_one restores", "3_two restores", "4_misspelled up_fails"];
    assert_eq!(came_to(&history), expected, "{}", ended.stdout);
    let own = footprint(&past, "2_one");
    assert_eq!((held(&own), own.locks_unknown), (vec!["t ACCESS EXCLUSIVE".to_owned()], None));
    let two = footprint(&past, "3_two");
    assert!(two.locks.is_empty() && two.locks_unknown.is_some_and(|why| why.contains("one message")));
}

#[test]
fn a_file_is_asked_before_its_script_commits() {
    let past = Past::sqlite();
    let up =
        "PRAGMA foreign_keys = OFF;\nBEGIN;\nALTER TABLE t ADD COLUMN n INTEGER;\nCOMMIT;\nPRAGMA foreign_keys = ON;\n";
    write(
        &past,
        &[
            ("table", "CREATE TABLE t (id INTEGER PRIMARY KEY);\n", "DROP TABLE t;\n"),
            ("column", up, "ALTER TABLE t DROP COLUMN n;\n"),
        ],
    );
    let ended = past.run(&[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let column = footprint(&past, "column");
    assert_eq!((held(&column), column.missed), (vec!["all RESERVED".to_owned()], vec![]));
    assert_eq!(footprint(&past, "table").missed, [1]);
}
