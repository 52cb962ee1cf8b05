//! Runs that are killed in the middle of a backup or of a restore.

use super::*;
use crate::{
    checks::bench,
    support::{
        ended,
        server::{Started, Urls, ask},
    },
};

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

/// A backup on a server of the user's, whose restore into a scratch database is slow.
const TESTED: &[(&str, &str)] = &[
    (
        "scenario.toml",
        "format_version = 1\ntitle = \"A slow test\"\n[source]\nengine = \"sqlite\"\nschema = \"source.sql\"\n\
         dataset = \"dataset.toml\"\n[target]\nengine = \"postgres\"\nschema = \"target.sql\"\n\
         [[step]]\nkind = \"backup\"\nside = \"target\"\ntest_restore = true\n",
    ),
    ("dataset.toml", "format_version = 1\n"),
    (
        "source.sql",
        "CREATE TABLE kept (id INTEGER PRIMARY KEY);
         INSERT INTO kept WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 200) SELECT id FROM n",
    ),
    (
        "target.sql",
        "CREATE FUNCTION slowly(bigint) RETURNS boolean LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_catalog.pg_sleep(0.01); RETURN true; END $$;
         CREATE TABLE kept (id bigint PRIMARY KEY CHECK (slowly(id)));
         INSERT INTO kept SELECT generate_series(1, 200)",
    ),
];

/// The scratch database is a lease of the run's: it goes with the step, and where the run was killed, by any verb that ends it.
#[tokio::test(flavor = "multi_thread")]
async fn the_scratch_database_of_a_backups_test_is_given_back() {
    let test = "the_scratch_database_of_a_backups_test_is_given_back";
    let Some(users) = Started::local(test).await else { return };
    let databases = async |like: &str| {
        let sql = format!("SELECT count(*) FROM pg_catalog.pg_database WHERE datname LIKE '{like}'");
        ask(&users.server.admin, &sql).await[0][0].clone().unwrap()
    };
    let url = bench::url(&users.server.admin);
    for verb in ["", "clean", "rollback"] {
        let Some(place) = Place::with(TESTED, test, "local") else { return };
        let folder = place.sandbox.path("slow").display().to_string();
        let mut command = place.sandbox.rehearsal(&["run", &folder, "--target-url", "env:USERS", "--disposable"]);
        let child = command.env("USERS", &url).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut playing = Playing { place: &place, child };
        playing.until("testing", |event| event["mark"].get("testing").is_some());
        let since = Instant::now();
        while databases("rehearse%_target_beside").await != "1" {
            assert!(since.elapsed() < PATIENCE, "no scratch database is made");
        }
        if verb.is_empty() {
            let output = playing.output();
            assert_eq!(output.status.code(), Some(0), "{output:?}");
        } else {
            let id = playing.kill();
            let held = place.verb("status", &id);
            assert!(held.stdout.contains("_target_beside"), "{held:?}");
            let ended = ended(place.sandbox.command(&[verb, &id]).env("USERS", &url));
            assert_eq!(ended.code, if verb == "clean" { 0 } else { 3 }, "{ended:?}");
        }
        if verb == "rollback" {
            assert_eq!(no_trace(&place.report()), "passed", "{:#}", place.report());
        }
        assert_eq!(databases("rehearse%").await, "0", "{verb}");
        place.assert_nothing_left();
    }
    users.leases.release(&Urls::default()).await;
}
