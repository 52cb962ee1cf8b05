//! Runs that are killed while files are taken one by one, or once some were left out.

use rehearse::model::{Report, Side, Stage};

use super::*;

const FILES: &[(&str, &str)] = &[
    (
        "scenario.toml",
        "format_version = 1\ntitle = \"File by file\"\n[source]\nengine = \"sqlite\"\nschema = \"source.sql\"\n\
         dataset = \"dataset.toml\"\n[target]\nengine = \"postgres\"\nschema = \"target.sql\"\n\
         [[step]]\nname = \"in\"\nkind = \"files\"\nact = \"import\"\nfailed_files = \"leave\"\n\
         [[step.file]]\npath = \"quick.csv\"\ntable = \"quick\"\n[[step.file]]\npath = \"slow.csv\"\ntable = \"slow\"\n\
         [[step.file]]\npath = \"wrong.csv\"\ntable = \"quick\"\n\
         [[step]]\nname = \"waits\"\nkind = \"command\"\n\
         up = [\"sh\", \"-c\", \"until test -e go; do sleep 0.05; done\"]\ndown = [\"true\"]\n",
    ),
    ("dataset.toml", "format_version = 1\n[table.settings]\nrows = 0\n"),
    ("source.sql", "CREATE TABLE settings (name TEXT PRIMARY KEY);"),
    (
        "target.sql",
        "CREATE TABLE settings (name text PRIMARY KEY); CREATE TABLE quick (note text); CREATE TABLE slow (note text);
         CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_sleep(0.01); RETURN NEW; END $$;
         CREATE TRIGGER slowly BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION slowly();",
    ),
    ("quick.csv", "note\none\ntwo\n"),
    ("wrong.csv", "note\nthree\n\"four\n"),
];

fn place(test: &str) -> Option<Place> {
    let place = Place::with(FILES, test, "local")?;
    place.sandbox.write("slow/slow.csv", format!("note\n{}", "line\n".repeat(200)));
    Some(place)
}

/// In the middle of the second file, whose rows come slowly.
fn until_the_second_file(playing: &mut Playing<'_>) {
    playing.until("the second file", |event| {
        let taking = event["mark"]["taking"].as_str();
        event["step"] == "migrate/in" && taking.is_some_and(|path| path.ends_with("/slow.csv"))
    });
    std::thread::sleep(Duration::from_millis(300));
}

/// What was left out is a finding, and every row of the others is there once: the tables have no key that would tell.
#[track_caller]
fn assert_taken_once(place: &Place) {
    let report: Report = place.sandbox.report("slow");
    let scenario = &report.scenarios[0];
    let found: Vec<String> = report.findings().map(|(check, one)| format!("{} {}", check.id, one.kind)).collect();
    assert!(found.contains(&"accounted file_left_out".to_owned()), "{found:?}");
    let there = scenario.fingerprints.iter().find(|one| (one.stage, one.side) == (Stage::Migrated, Side::Target));
    let rows = there.unwrap().tables.iter().map(|one| (one.table.name.as_str(), one.fingerprint.rows));
    assert_eq!(rows.collect::<Vec<_>>(), [("quick", 2), ("settings", 0), ("slow", 200)]);
    let step = scenario.steps.iter().find(|step| step.id == "migrate/in").unwrap();
    let figures: Vec<(&str, f64)> = step.figures.iter().map(|one| (one.name.as_str(), one.value)).collect();
    for figure in [("rows_inserted", 202.0), ("files_taken", 2.0), ("files_failed", 1.0)] {
        assert!(figures.contains(&figure), "{figures:?}");
    }
}

#[test]
fn an_import_that_is_killed_within_a_file_is_gone_on_with_or_taken_back() {
    for verb in ["resume", "rollback"] {
        let Some(place) = place("an_import_that_is_killed_within_a_file_is_gone_on_with_or_taken_back") else { return };
        place.sandbox.write("slow/go", "");
        let mut playing = place.start(&[]);
        until_the_second_file(&mut playing);
        let id = playing.kill();
        let ended = place.verb(verb, &id);
        assert_eq!(ended.code, if verb == "resume" { 1 } else { 3 }, "{verb}: {}\n{}", ended.stdout, ended.stderr);
        assert_eq!(no_trace(&place.report()), "passed", "{verb}");
        if verb == "resume" {
            assert_taken_once(&place);
        }
        place.assert_ended();
    }
}

/// Whoever takes a run up knows what was left out before.
#[test]
fn what_was_left_out_before_a_run_was_killed_is_no_pass_either() {
    let Some(place) = place("what_was_left_out_before_a_run_was_killed_is_no_pass_either") else { return };
    let mut playing = place.start(&[]);
    playing.until("the step behind the import", step_started("migrate/waits"));
    let id = playing.kill();
    place.sandbox.write("slow/go", "");
    let ended = place.verb("resume", &id);
    assert_eq!(ended.code, 1, "{}\n{}", ended.stdout, ended.stderr);
    assert_taken_once(&place);
    place.assert_ended();
}
