//! Runs that are killed in the middle of a backup or of a restore.

use super::*;

/// The check makes every row that is filled in or restored slow.
const FILES: &[(&str, &str)] = &[
    (
        "scenario.toml",
        "format_version = 1\ntitle = \"A slow restore\"\n[source]\nengine = \"postgres\"\nschema = \"source.sql\"\n\
         dataset = \"dataset.toml\"\n[target]\nengine = \"postgres\"\n\
         [[step]]\nkind = \"backup\"\n[[step]]\nkind = \"restore\"\nfrom = \"backup\"\n",
    ),
    ("dataset.toml", "format_version = 1\n[table.parents]\nrows = 20\n[table.children]\nrows = 100\n"),
    (
        "source.sql",
        "CREATE FUNCTION slowly(bigint) RETURNS boolean LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_catalog.pg_sleep(0.01); RETURN true; END $$;
         CREATE TABLE parents (id bigint PRIMARY KEY, name text NOT NULL);
         CREATE TABLE children (id bigint PRIMARY KEY CHECK (slowly(id)), parent_id bigint REFERENCES parents (id));",
    ),
];

fn killed(place: &Place, act: &str, word: &str) -> String {
    let mut playing = place.start(&[]);
    playing.until(word, |event| event["step"] == act && event["mark"].get(word).is_some());
    let id = playing.kill();
    let since = Instant::now();
    while !processes(&place.sandbox.work().display().to_string()).iter().all(|(_, line)| line.contains("postgres")) {
        assert!(since.elapsed() < PATIENCE, "a process outlives its run");
        std::thread::sleep(Duration::from_millis(20));
    }
    id
}

#[test]
fn a_killed_backup_and_a_killed_restore_are_gone_on_with() {
    for (act, word) in [("migrate/backup", "backing_up"), ("migrate/restore", "restoring")] {
        let Some(place) = Place::with(FILES, "a_killed_backup_and_a_killed_restore_are_gone_on_with", "local") else {
            return;
        };
        let id = killed(&place, act, word);
        let resumed = place.verb("resume", &id);
        assert_eq!(resumed.code, 0, "{act}: {}\n{}", resumed.stdout, resumed.stderr);
        assert_eq!(place.report()["verdict"], "pass", "{act}");
        place.assert_ended();
    }
}

#[test]
fn a_killed_restore_is_taken_back_without_a_trace() {
    let Some(place) = Place::with(FILES, "a_killed_restore_is_taken_back_without_a_trace", "local") else { return };
    let id = killed(&place, "migrate/restore", "restoring");
    let rolled_back = place.verb("rollback", &id);
    assert_eq!(rolled_back.code, 3, "{}\n{}", rolled_back.stdout, rolled_back.stderr);
    assert_eq!(no_trace(&place.report()), "passed", "{:#}", place.report());
    place.assert_ended();
}
