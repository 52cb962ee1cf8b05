//! A copy that is killed in the middle of a part.

use super::*;

/// Two hundred rows in parts of twenty, a hundredth of a second each.
const FILES: &[(&str, &str)] = &[
    (
        "scenario.toml",
        "format_version = 1\ntitle = \"A slow copy\"\n[source]\nengine = \"sqlite\"\nschema = \"source.sql\"\n\
         dataset = \"dataset.toml\"\n[target]\nengine = \"postgres\"\nschema = \"target.sql\"\n\
         [[step]]\nname = \"copy\"\nkind = \"copy\"\nmapping = \"mapping.toml\"\nbatch_rows = 20\ntriggers = \"fire\"\n",
    ),
    (
        "mapping.toml",
        "format_version = 1\n[[copy]]\nsource = \"children\"\ntarget = \"kids\"\ncolumns.note = { target = \"remark\" }\n",
    ),
    ("dataset.toml", "format_version = 1\n[table.parents]\nrows = 30\n[table.children]\nrows = 200\n"),
    (
        "source.sql",
        "CREATE TABLE parents (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
         CREATE TABLE children (id INTEGER PRIMARY KEY, parent_id INTEGER NOT NULL REFERENCES parents (id), note TEXT);",
    ),
    (
        "target.sql",
        "CREATE TABLE parents (id bigint PRIMARY KEY, name text NOT NULL);
         CREATE TABLE kids (id bigint PRIMARY KEY, parent_id bigint NOT NULL REFERENCES parents (id), remark text);
         CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_sleep(0.01); RETURN NEW; END $$;
         CREATE TRIGGER slowly BEFORE INSERT ON kids FOR EACH ROW EXECUTE FUNCTION slowly();",
    ),
];

fn killed(test: &str) -> Option<(Place, String)> {
    let place = Place::with(FILES, test, "local")?;
    let mut playing = place.start(&[]);
    playing.until("copy", |event| event["mark"]["copy"] == "begun");
    std::thread::sleep(Duration::from_millis(700));
    let id = playing.kill();
    let status = place.verb("status", &id);
    assert_eq!(status.code, 0, "{}", status.stderr);
    for part in ["interrupted", "in the middle of: migrate/copy", "rehearse resume", "rollback"] {
        assert!(status.stdout.contains(part), "{part}: {}", status.stdout);
    }
    Some((place, id))
}

#[test]
fn a_copy_is_resumed() {
    let Some((place, id)) = killed("a_copy_is_resumed") else { return };
    let resumed = place.verb("resume", &id);
    assert_eq!(resumed.code, 0, "{}\n{}", resumed.stdout, resumed.stderr);
    place.assert_ended();
    assert_eq!(place.report()["verdict"], "pass");
    // Announced by both processes, whole once, and never taken back before the rollback.
    let marks = |step: &str, word: &str| place.count(|event| event["step"] == step && event["mark"]["copy"] == word);
    assert_eq!(
        (marks("migrate/copy", "begun"), marks("migrate/copy", "whole"), marks("migrate/copy", "taken_back")),
        (2, 1, 0)
    );
}

#[test]
fn a_copy_is_rolled_back() {
    let Some((place, id)) = killed("a_copy_is_rolled_back") else { return };
    let rolled_back = place.verb("rollback", &id);
    assert_eq!(rolled_back.code, 3, "{}\n{}", rolled_back.stdout, rolled_back.stderr);
    place.assert_ended();
    assert_eq!(no_trace(&place.report()), "passed", "{}\n{}", rolled_back.stdout, rolled_back.stderr);
}
