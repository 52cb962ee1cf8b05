//! Runs that are stopped or killed while a command of the user's is at work.

use super::*;

const FILES: &[(&str, &str)] = &[
    (
        "scenario.toml",
        "format_version = 1\ntitle = \"A command that hangs\"\n[source]\nengine = \"sqlite\"\nschema = \"source.sql\"\n\
         dataset = \"dataset.toml\"\n[target]\nengine = \"postgres\"\nschema = \"target.sql\"\n\
         [[step]]\nname = \"tool\"\nkind = \"command\"\n\
         up = [\"sh\", \"-c\", \"echo begun; echo $$ > $WORK_FOLDER/begun; setsid sleep 71234 & exec sleep 71235\"]\n\
         down = [\"sh\", \"-c\", \"echo taken back\"]\n",
    ),
    ("dataset.toml", "format_version = 1\n[table.t]\nrows = 2\n"),
    ("source.sql", "CREATE TABLE t (id INTEGER PRIMARY KEY);"),
    ("target.sql", "CREATE TABLE t (id bigint PRIMARY KEY);"),
];

fn begun(test: &str) -> Option<Place> {
    Place::with(FILES, test, "local")
}

/// Waits until the command and its child are there.
fn until_it_works(playing: &mut Playing<'_>) {
    playing.until("the command", step_started("migrate/tool"));
    until("the command's processes", || processes("sleep 71234").len() + processes("sleep 71235").len() == 2);
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "no {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_command_ends_with_its_run() {
    let Some(place) = begun("a_command_ends_with_its_run") else { return };
    // One at a time: both look for the same processes.
    let mut playing = place.start(&[]);
    until_it_works(&mut playing);
    playing.signal("-TERM");
    assert_eq!(playing.exit_code(), 3);
    assert_eq!([processes("sleep 71234"), processes("sleep 71235")], [Vec::new(), Vec::new()]);
    let log = fs::read_to_string(place.run_directory().unwrap().join("commands/migrate-tool.log")).unwrap();
    assert!(log.contains("taken back"), "{log}");
    place.assert_ended();

    let Some(place) = begun("a_command_ends_with_its_run") else { return };
    let mut playing = place.start(&[]);
    until_it_works(&mut playing);
    let id = playing.kill();
    until("end of the command's processes", || {
        processes("sleep 71234").is_empty() && processes("sleep 71235").is_empty()
    });
    assert_eq!(place.verb("rollback", &id).code, 3);
    let log = fs::read_to_string(place.run_directory().unwrap().join("commands/rollback-tool.log")).unwrap();
    assert!(log.contains("taken back"), "{log}");
    place.assert_ended();
}
