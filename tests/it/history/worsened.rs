//! What is wrong behind a way up and was not before it.

use rehearse::model::{MigrationReport, Severity, Verdict};

use super::{Past, came_to, one};

/// What a migration made worse: `error orphan children.parent_id 20`.
fn worsened(migration: &MigrationReport) -> Vec<String> {
    let told = migration.worsened.iter().map(|worse| {
        let (mut subject, finding) = (worse.finding.subject.clone(), &worse.finding);
        subject.side = None;
        format!("{} {} {subject} {}", worse.severity(), finding.kind, finding.total)
    });
    told.collect()
}

/// A text without its line breaks.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

const PARENTS: &str = "CREATE TABLE parents (id INTEGER PRIMARY KEY, n INTEGER);
    CREATE TABLE children (id INTEGER PRIMARY KEY, parent_id INTEGER NOT NULL REFERENCES parents (id));";
const NO_PARENTS: &str = "DROP TABLE children; DROP TABLE parents;";
const MOVE: &str = "UPDATE parents SET id = id + 1000;";
const MOVE_BACK: &str = "UPDATE parents SET id = id - 1000;";

#[test]
fn references_that_a_way_up_leaves_dangling_are_told_once() {
    let past = Past::sqlite();
    past.pairs(&[
        ("1_tables", PARENTS, NO_PARENTS),
        (
            "2_moves",
            "UPDATE parents SET id = id + 1000 WHERE id <= 10;",
            "UPDATE parents SET id = id - 1000 WHERE id > 1000;",
        ),
        ("3_widens", "ALTER TABLE parents ADD COLUMN x;", "ALTER TABLE parents DROP COLUMN x;"),
        ("4_renames", "ALTER TABLE children RENAME TO kids;", "ALTER TABLE kids RENAME TO children;"),
        ("5_worse", "UPDATE kids SET parent_id = -1;", "SELECT 1;"),
        ("6_repairs", "DELETE FROM kids;", "SELECT 1;"),
    ]);
    let ended = past.run(&["--layout", "golang-migrate", "--rows", "20"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let history = past.history();
    assert_eq!(
        came_to(&history)[..4],
        ["1_tables restores", "2_moves restores", "3_widens restores", "4_renames restores"]
    );
    let told: Vec<Vec<String>> = history.migrations.iter().map(worsened).collect();
    let few = one(&history, "2_moves").worsened[0].finding.total;
    assert!(0 < few && few < 20 && told[1] == [format!("error orphan children.parent_id {few}")], "{told:?}");
    assert!(told[0].is_empty() && told[2].is_empty() && told[3].is_empty() && told[5].is_empty(), "{told:?}");
    assert_eq!(told[4], ["error orphan kids.parent_id 20"]);
    let found = one(&history, "5_worse").worsened[0].finding.found.clone();
    assert_eq!(found, Some(format!("none ({few} before)")));
    let moves = one(&history, "2_moves");
    assert_eq!((moves.severity(), moves.class_severity()), (Some(Severity::Error), None));
    assert!(!moves.worsened[0].finding.sample.is_empty());

    let reasons = past.report().scenarios[0].reasons.clone();
    let reason = "behind `2_moves` and 1 more: rows refer to a parent that is not there";
    assert!(reasons.iter().any(|one| one.starts_with(reason)), "{reasons:?}");
    let line = format!("children.parent_id: rows refer to a parent that is not there ({few} in all");
    assert!(flat(&ended.stdout).contains(&format!("behind the way up {line}")), "{}", ended.stdout);
    for format in ["report.md", "report.html", "junit.xml"] {
        let text = std::fs::read_to_string(past.sandbox.run_directory().join(format)).unwrap();
        let text = text.replace("\\_", "_");
        assert!(text.contains("restores; its way up leaves something wrong"), "{format}: {text}");
        assert!(text.contains(&line), "{format}: {text}");
    }
}

#[test]
fn what_is_wrong_behind_a_way_up_can_be_accepted_by_its_kind() {
    let past = Past::sqlite();
    past.pairs(&[("1_tables", PARENTS, NO_PARENTS), ("2_moves", MOVE, MOVE_BACK)]);
    let accept = |migration: &str, class: &str| {
        let text = format!("[[accept]]\nmigration = \"{migration}\"\nclass = \"{class}\"\nwhy = \"they come later\"\n");
        past.sandbox.write("accept.toml", &text);
        let file = past.sandbox.path("accept.toml").display().to_string();
        past.run(&["--layout", "golang-migrate", "--accept", &file])
    };
    let ended = accept("2", "orphan");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(past.report().verdict, Verdict::Pass);
    assert!(worsened(one(&past.history(), "2_moves"))[0].starts_with("note orphan "), "{}", ended.stdout);
    assert!(ended.stdout.contains("accepted: they come later"), "{}", ended.stdout);
    // The same of a migration that does not need it is a finding, and so is what it does not accept.
    let ended = accept("1", "orphan");
    assert_eq!(ended.code, 1, "{ended:?}");
    let told = "`1` is accepted as orphan, and its way up leaves nothing of the kind";
    assert!(flat(&ended.stdout).contains(told), "{}", ended.stdout);
    assert_eq!(accept("2", "loses_rows").code, 1);
}

#[test]
fn a_file_is_looked_through_behind_each_way_up() {
    let past = Past::sqlite();
    let written = |sql: &str| {
        format!(
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = '{sql}' WHERE name = 't';
             PRAGMA writable_schema = OFF;"
        )
    };
    let (without, with) =
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, n TEXT)", "CREATE TABLE t (id INTEGER PRIMARY KEY, n TEXT NOT NULL)");
    past.pairs(&[
        ("1_table", &format!("{without}; INSERT INTO t VALUES (-1, NULL);"), "DROP TABLE t;"),
        ("2_not_null", &written(with), &written(without)),
    ]);
    let ended = past.run(&["--layout", "golang-migrate"]);
    let history = past.history();
    assert!(worsened(one(&history, "1_table")).is_empty(), "{}", ended.stdout);
    let told = &one(&history, "2_not_null").worsened;
    assert_eq!(told.len(), 1, "{}", ended.stdout);
    assert_eq!(told[0].word(), "damaged");
    assert!(told[0].finding.found.clone().unwrap().contains("NULL value in t.n"), "{told:?}");
}

#[test]
fn what_postgres_does_not_hold_by_itself_is_asked() {
    let Some(past) = Past::postgres("what_postgres_does_not_hold_by_itself_is_asked") else { return };
    past.pairs(&[
        (
            "1_tables",
            &format!("{PARENTS} CREATE TABLE loose (id int PRIMARY KEY, parent_id int);"),
            "DROP TABLE loose, children, parents;",
        ),
        (
            "2_moves",
            &format!("SET session_replication_role = replica; {MOVE}"),
            &format!("SET session_replication_role = replica; {MOVE_BACK}"),
        ),
        (
            "3_copies",
            "CREATE TABLE copies (id serial PRIMARY KEY, n int); INSERT INTO copies (id, n) SELECT id, n FROM parents;",
            "DROP TABLE copies;",
        ),
        (
            "4_serial_in_step",
            "CREATE TABLE again (id serial PRIMARY KEY, n int); INSERT INTO again (id, n) SELECT id, n FROM parents;
             SELECT setval('again_id_seq', (SELECT max(id) FROM again));",
            "DROP TABLE again;",
        ),
        (
            "5_not_valid",
            "ALTER TABLE loose ADD CONSTRAINT late FOREIGN KEY (parent_id) REFERENCES loose (id) NOT VALID;
             UPDATE loose SET parent_id = id;",
            "-",
        ),
        ("6_still_not_valid", "ALTER TABLE loose ADD note text;", "ALTER TABLE loose DROP note;"),
        ("7_renamed", "ALTER TABLE loose RENAME TO bound;", "ALTER TABLE bound RENAME TO loose;"),
        ("8_validates", "ALTER TABLE bound VALIDATE CONSTRAINT late;", "-"),
        ("9_index", "CREATE INDEX i ON bound (note);", "DROP INDEX i;"),
        (
            "10_invalid",
            "UPDATE pg_catalog.pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass;",
            "UPDATE pg_catalog.pg_index SET indisvalid = true WHERE indexrelid = 'i'::regclass;",
        ),
        ("11_disables", "ALTER TABLE bound DISABLE TRIGGER ALL;", "ALTER TABLE bound ENABLE TRIGGER ALL;"),
    ]);
    let ended = past.run(&["--layout", "golang-migrate", "--rows", "20"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let history = past.history();
    let of = |name: &str| worsened(one(&history, name));
    assert_eq!(of("2_moves"), ["error orphan children.parent_id 20"], "{}", ended.stdout);
    let copies = of("3_copies");
    assert!(copies.len() == 1 && copies[0].starts_with("error sequence_behind copies.id "), "{copies:?}");
    assert_eq!(of("5_not_valid"), ["warning foreign_key_not_validated loose.parent_id 1"]);
    for name in ["1_tables", "4_serial_in_step", "6_still_not_valid", "7_renamed", "8_validates", "9_index"] {
        assert_eq!(of(name), Vec::<String>::new(), "{name}");
    }
    assert_eq!(of("10_invalid"), ["error index_invalid index:bound.i 1"]);
    assert_eq!(of("11_disables"), ["error left_disabled constraint:bound.late 1"]);
    let references = past.report().coverage.references;
    assert!(references.total > 0 && references.is_whole(), "{references}");
}

#[test]
fn what_mariadb_is_told_not_to_hold_is_asked() {
    let Some(past) = Past::mariadb("what_mariadb_is_told_not_to_hold_is_asked") else { return };
    let off = |sql: &str| format!("SET foreign_key_checks = 0; {sql}");
    let parents = PARENTS.replace("REFERENCES parents (id)", ", FOREIGN KEY (parent_id) REFERENCES parents (id)");
    past.pairs(&[("1_tables", &parents, NO_PARENTS), ("2_moves", &off(MOVE), &off(MOVE_BACK))]);
    let ended = past.run(&["--layout", "golang-migrate", "--rows", "20"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let history = past.history();
    assert_eq!(worsened(one(&history, "1_tables")), Vec::<String>::new());
    assert_eq!(worsened(one(&history, "2_moves")), ["error orphan children.parent_id 20"], "{}", ended.stdout);
}
