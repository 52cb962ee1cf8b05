//! Rehearsals with files that are left out: what nobody takes later is no pass.

use rehearse::model::{Outcome, Report, Verdict};

use super::*;
use crate::support::{Ended, ended};

const SCENARIO: &str = "format_version = 1\ntitle = \"Some are left out\"\n\
    [source]\nengine = \"sqlite\"\nschema = \"source.sql\"\ndataset = \"dataset.toml\"\n\
    [target]\nengine = \"sqlite\"\nschema = \"schema.sql\"\n\
    [[step]]\nname = \"in\"\nkind = \"files\"\nact = \"import\"\nfailed_files = \"leave\"\n\
    [[step.file]]\npath = \"one.csv\"\ntable = \"books\"\n[[step.file]]\npath = \"two.csv\"\ntable = \"books\"\n";
const RETRY: &str = "[[step]]\nname = \"mended\"\nkind = \"command\"\nup = [\"cp\", \"right.csv\", \"two.csv\"]\n\
    down = [\"cp\", \"wrong.csv\", \"two.csv\"]\n\
    [[step]]\nname = \"again\"\nkind = \"files\"\nact = \"import\"\nretry = \"in\"\n";

fn run(sandbox: &Sandbox, scenario: &str) -> (Ended, Report) {
    sandbox.write("left/scenario.toml", scenario);
    let output = ended(&mut sandbox.rehearsal(&["run", sandbox.path("left").to_str().unwrap(), "--seed", "1"]));
    (output, sandbox.report("left"))
}

#[test]
fn what_is_left_out_and_never_retried_is_no_pass() {
    let sandbox = Sandbox::new();
    sandbox.write("left/source.sql", "CREATE TABLE settings (name VARCHAR(9) PRIMARY KEY);");
    sandbox.write("left/dataset.toml", "format_version = 1\n[table.settings]\nrows = 0\n");
    let both = "CREATE TABLE settings (name VARCHAR(9) PRIMARY KEY);\
                CREATE TABLE books (id INTEGER PRIMARY KEY, name VARCHAR(9));";
    sandbox.write("left/schema.sql", both);
    sandbox.write("left/one.csv", "id,name\n1,One\n");
    let wrong = "id,name\n2,Two\n3,Secretly long\n";
    for name in ["left/two.csv", "left/wrong.csv"] {
        sandbox.write(name, wrong);
    }
    sandbox.write("left/right.csv", "id,name\n2,Two\n3,Three\n");

    let (output, report) = run(&sandbox, SCENARIO);
    assert_eq!((output.code, report.verdict), (1, Verdict::Fail), "{output:?}");
    let failed = report.scenarios[0].checks.iter().filter(|check| matches!(check.outcome, Outcome::Failed { .. }));
    assert_eq!(failed.map(|check| check.id.as_str()).collect::<Vec<_>>(), ["accounted"], "{output:?}");
    let findings: Vec<String> = report.findings().map(|(_, one)| format!("{} {}", one.kind, one.subject)).collect();
    assert!(findings.contains(&"file_left_out target file:two.csv".to_owned()), "{findings:?}");
    let (_, finding) = report.findings().find(|(check, _)| check.id == "accounted").unwrap();
    let why = "/two.csv:3:3: column `name` holds 13 characters, and the target takes 9";
    assert!(finding.found.as_ref().unwrap().ends_with(why), "{finding:?}");
    let note = &report.run.notes[0];
    assert!(note.starts_with("`in` left out 1 of 2 files:\n`two.csv`: ") && note.ends_with(why), "{note}");
    assert!(output.stdout.contains("left out 1 of 2 files"), "{output:?}");
    assert!(sandbox.artefacts().iter().all(|(_, text)| !text.contains("Secretly")));

    let (output, report) = run(&sandbox, &format!("{SCENARIO}{RETRY}"));
    assert_eq!((output.code, report.verdict), (0, Verdict::Pass), "{output:?}");
    assert!(!report.findings().any(|(check, _)| check.id == "accounted"), "{output:?}");
    // Each time it is gone through, the first step leaves it out, and the second one takes it.
    for (step, figure, value) in [("in", "files_failed", 1.0), ("again", "files_taken", 1.0)] {
        for way in ["migrate", "reapply"] {
            let id = format!("{way}/{step}");
            let found = report.scenarios[0].steps.iter().find(|one| one.id == id).unwrap();
            assert_eq!(found.figures.iter().find(|one| one.name == figure).unwrap().value, value, "{id}");
        }
    }
    sandbox.assert_released();
}

/// A retry that fails takes the whole migration back.
#[test]
fn a_retry_that_fails_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    sandbox.write("left/source.sql", "CREATE TABLE books (id INTEGER PRIMARY KEY, name VARCHAR(9));");
    sandbox.write("left/dataset.toml", "format_version = 1\n[table.books]\nrows = 0\n");
    sandbox.write("left/schema.sql", "CREATE TABLE books (id INTEGER PRIMARY KEY, name VARCHAR(9));");
    sandbox.write("left/one.csv", "id,name\n1,One\n");
    for name in ["left/two.csv", "left/wrong.csv", "left/right.csv"] {
        sandbox.write(name, "id,name\n1,Two\n");
    }
    let (output, report) = run(&sandbox, &format!("{SCENARIO}{RETRY}"));
    assert_ne!(output.code, 0, "{output:?}");
    let told = crate::support::scenarios::why(&report, "migrate/again");
    assert!(told.starts_with("one file that step `in` left out cannot be taken again:\n`two.csv`: "), "{told}");
    crate::support::scenarios::assert_nothing_left(&report);
    sandbox.assert_released();
}
