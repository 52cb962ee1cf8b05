//! Every folder of `fixtures/invalid/` is a scenario that cannot be used; its `expected.txt` is what a person is told.
//!
//! `REHEARSE_BLESS=1 cargo test --test it invalid` writes what is expected anew; look at the difference before it is kept.

use std::{fs, path::PathBuf};

use crate::support::{Ended, Sandbox, root};

fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        fs::read_dir(root().join("fixtures/invalid")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

/// What was told, with the place of the repository masked.
fn told(ended: &Ended) -> String {
    ended.stderr.replace(root().to_str().unwrap(), "[ROOT]")
}

#[test]
fn every_invalid_scenario_is_told_exactly_and_nothing_is_started() {
    let folders = folders();
    assert!(folders.len() > 20);
    let mut differing = Vec::new();
    for folder in folders {
        let sandbox = Sandbox::new();
        let name = folder.to_str().unwrap();
        let (run, plan) = (sandbox.rehearse(&["run", name]), sandbox.rehearse(&["plan", name]));
        assert_eq!((run.code, plan.code), (2, 2), "{name}: {run:?}");
        assert_eq!((run.stdout.as_str(), plan.stdout.as_str()), ("", ""), "{name}");
        assert_eq!(told(&run), told(&plan), "{name}");
        sandbox.assert_untouched();
        let expected = folder.join("expected.txt");
        if std::env::var_os("REHEARSE_BLESS").is_some_and(|bless| bless == "1") {
            fs::write(&expected, told(&run)).unwrap();
        }
        if fs::read_to_string(&expected).unwrap_or_default() != told(&run) {
            differing.push(format!("{name}:\n{}", told(&run)));
        }
    }
    assert!(differing.is_empty(), "not as in expected.txt:\n{}", differing.join("\n"));
}

#[test]
fn every_message_names_its_file() {
    for folder in folders() {
        let expected = fs::read_to_string(folder.join("expected.txt")).unwrap();
        let mut lines = expected.lines();
        let head = lines.next().unwrap();
        assert!(head.starts_with("error: invalid input: ") && head.contains(" problem"), "{head}");
        let place = format!("[ROOT]/fixtures/invalid/{}/", folder.file_name().unwrap().to_str().unwrap());
        assert!(lines.clone().count() > 0 && lines.all(|line| line.starts_with(&place)), "{expected}");
    }
}

#[test]
fn problems_of_several_scenarios_are_told_at_once() {
    let sandbox = Sandbox::new();
    let all = ["run", "fixtures/invalid/unknown-engine", "pfa-vanguard", "fixtures/invalid/two-files"];
    let ended = sandbox.rehearse(&all);
    assert_eq!(ended.code, 2);
    for part in ["invalid input: 5 problems", "`oracle`", "`tranfer`", "dataset.toml:4: table.users.row: "] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    sandbox.assert_untouched();
}

#[test]
fn what_only_the_schema_can_tell_is_told_for_every_scenario_too() {
    let sandbox = Sandbox::new();
    let ended = sandbox.rehearse(&["run", "fixtures/invalid/no-such-table", "fixtures/invalid/bad-source-sql"]);
    assert_eq!(ended.code, 2);
    for part in ["invalid input: 3 problems", "unknown column `nam`", "running line 7 of a script"] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    sandbox.assert_untouched();
}

#[test]
fn list_tells_the_problems_of_a_scenario_as_well() {
    let sandbox = Sandbox::new();
    let ended = sandbox.call(&["list", "scenarios", "--scenarios-dir", "fixtures/invalid"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.starts_with("error: invalid input: "), "{}", ended.stderr);
}

/// Mapping files that cannot be used lie side by side, each with a text of what a person is told.
#[test]
fn every_invalid_mapping_is_told_exactly_and_nothing_is_read() {
    let folder = root().join("fixtures/mapping/invalid");
    let mut mappings: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    mappings.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    mappings.sort();
    assert!(mappings.len() >= 12);
    let mut differing = Vec::new();
    for mapping in mappings {
        let sandbox = Sandbox::new();
        rusqlite::Connection::open(sandbox.path("a.db")).unwrap().execute_batch("CREATE TABLE a (x)").unwrap();
        let (file, mapping) = (sandbox.path("a.db"), mapping);
        let [file, name] = [&file, &mapping].map(|path| path.to_str().unwrap());
        let ended = sandbox.rehearse(&["audit", "--source", file, "--target", file, "--mapping", name]);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
        sandbox.assert_untouched();
        let expected = mapping.with_extension("txt");
        if std::env::var_os("REHEARSE_BLESS").is_some_and(|bless| bless == "1") {
            fs::write(&expected, told(&ended)).unwrap();
        }
        if fs::read_to_string(&expected).unwrap_or_default() != told(&ended) {
            differing.push(format!("{name}:\n{}", told(&ended)));
        }
    }
    assert!(differing.is_empty(), "not as expected:\n{}", differing.join("\n"));
}
