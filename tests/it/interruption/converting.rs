//! A conversion to UUIDs that is killed in the middle of a batch.

use super::*;

/// Two hundred users, a hundredth of a second each.
const FILES: &[(&str, &str)] = &[
    (
        "scenario.toml",
        "format_version = 1\ntitle = \"A slow conversion\"\n[source]\nengine = \"postgres\"\nschema = \"source.sql\"\n\
         dataset = \"dataset.toml\"\n[target]\nengine = \"postgres\"\nin_place = true\n\
         [[step]]\nname = \"convert\"\nkind = \"convert_uuid\"\nkey = \"users.id\"\nbatch_rows = 50\n\
         [[bookkeeping]]\nname = \"migration_log\"\nwhy = \"a log\"\n\
         [[bookkeeping]]\nname = \"migration_backup\"\nrule = \"free\"\nwhy = \"a backup\"\n",
    ),
    (
        "dataset.toml",
        "format_version = 1\n[table.users]\nrows = 200\n[table.users.columns]\nid = { fake = \"uuid\" }\n\
         [table.notes]\nrows = 300\n",
    ),
    (
        "source.sql",
        "CREATE TABLE users (id varchar(36) PRIMARY KEY, name text);
         CREATE TABLE notes (id bigint PRIMARY KEY, user_id varchar(36) REFERENCES users (id), note text);
         CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_sleep(0.01); RETURN NEW; END $$;
         CREATE TRIGGER slowly BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION slowly();",
    ),
];

fn killed(test: &str) -> Option<(Place, String)> {
    killed_on(test, "local", "15")
}

fn killed_on(test: &str, provider: &'static str, version: &str) -> Option<(Place, String)> {
    let place = Place::with(FILES, test, provider)?;
    killed_at(place, &["--target-version", version], Duration::from_millis(700))
}

/// Kills a run so long after its key began to be converted.
fn killed_at(place: Place, flags: &[&str], after: Duration) -> Option<(Place, String)> {
    let mut playing = place.start(flags);
    playing.until("migrate_key", |event| event["mark"]["operation"] == "migrate_key");
    std::thread::sleep(after);
    let id = playing.kill();
    let is_over = |event: &Json| event["mark"]["operation"] == "migrate_key" && event["mark"]["status"] == "completed";
    assert_eq!(place.count(is_over), 0, "it was killed in the middle");
    let status = place.verb("status", &id);
    assert_eq!(status.code, 0, "{}", status.stderr);
    for part in ["interrupted", "in the middle of: migrate/convert", "rehearse resume", "rollback"] {
        assert!(status.stdout.contains(part), "{part}: {}", status.stdout);
    }
    Some((place, id))
}

#[test]
fn a_conversion_is_resumed() {
    let Some((place, id)) = killed("a_conversion_is_resumed") else { return };
    goes_on(&place, &id);
}

#[test]
fn a_conversion_on_a_later_server_is_resumed() {
    let Some((place, id)) = killed_on("a_conversion_on_a_later_server_is_resumed", "container", "17") else { return };
    goes_on(&place, &id);
}

/// The scenario itself, killed in batches so small that its key takes a while.
fn scenario_killed(test: &str) -> Option<(Place, String)> {
    let scenario = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/uuid-conversion");
    let files = ["scenario.toml", "dataset.toml", "schema/source.sql"];
    let mut texts = files.map(|name| fs::read_to_string(scenario.join(name)).unwrap());
    assert!(texts[0].contains("batch_rows = 1000\n"));
    texts[0] = texts[0].replace("batch_rows = 1000\n", "batch_rows = 10\n");
    let files: Vec<(&str, &str)> = files.into_iter().zip(texts.iter().map(String::as_str)).collect();
    let place = Place::with(&files, test, "local")?;
    killed_at(place, &["--rows", "12000"], Duration::from_millis(60))
}

#[test]
fn the_conversion_of_the_scenario_is_resumed_from_the_middle_of_a_batch() {
    let test = "the_conversion_of_the_scenario_is_resumed_from_the_middle_of_a_batch";
    let Some((place, id)) = scenario_killed(test) else { return };
    goes_on(&place, &id);
}

#[test]
fn the_conversion_of_the_scenario_is_rolled_back_from_the_middle_of_a_batch() {
    let test = "the_conversion_of_the_scenario_is_rolled_back_from_the_middle_of_a_batch";
    let Some((place, id)) = scenario_killed(test) else { return };
    goes_back(&place, &id);
}

fn goes_on(place: &Place, id: &str) {
    let resumed = place.verb("resume", id);
    assert_eq!(resumed.code, 0, "{}\n{}", resumed.stdout, resumed.stderr);
    place.assert_ended();
    assert_eq!(place.report()["verdict"], "pass");
    let ended = |operation: &str| {
        place.count(|event| {
            event["step"] == "migrate/convert"
                && event["mark"]["operation"] == operation
                && event["mark"]["status"] == "completed"
        })
    };
    assert_eq!((ended("migrate_key"), ended("validate_migration")), (1, 1));
}

#[test]
fn a_conversion_is_rolled_back() {
    let Some((place, id)) = killed("a_conversion_is_rolled_back") else { return };
    goes_back(&place, &id);
}

#[test]
fn a_conversion_on_a_later_server_is_rolled_back() {
    let Some((place, id)) = killed_on("a_conversion_on_a_later_server", "container", "17") else { return };
    goes_back(&place, &id);
}

fn goes_back(place: &Place, id: &str) {
    let rolled_back = place.verb("rollback", id);
    place.assert_ended();
    assert_eq!(no_trace(&place.report()), "passed", "{}\n{}", rolled_back.stdout, rolled_back.stderr);
}
