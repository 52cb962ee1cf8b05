//! What can go wrong with the scenarios of Q-Docs, and how each of them then ends.

use std::{fs, path::Path};

use rehearse::model::{Outcome, Report, Stage, Verdict};

use crate::support::{Ended, Sandbox, ended, files, root, skipped};

/// The scenarios in a place where they can be changed.
struct Bench {
    sandbox: Sandbox,
}

impl Bench {
    /// `None`, and said so, where there is no PostgreSQL.
    fn new(test: &str) -> Option<Self> {
        if !Path::new("/usr/lib/postgresql").is_dir() {
            skipped(test, "local", "no PostgreSQL is installed");
            return None;
        }
        let sandbox = Sandbox::new();
        for name in ["qdocs-fresh", "qdocs-users-csv", "qdocs-backup-restore", "qdocs-legacy-dms", "qdocs-legacy-files"]
        {
            let from = root().join("scenarios").join(name);
            for file in files(&from) {
                sandbox.write(
                    &format!("{name}/{}", file.strip_prefix(&from).unwrap().display()),
                    fs::read(&file).unwrap(),
                );
            }
        }
        Some(Self { sandbox })
    }

    /// Changes a file at one place.
    #[track_caller]
    fn change(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.sandbox.path(file)).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{file}: {from}");
        self.sandbox.write(file, text.replace(from, to));
    }

    fn run(&self, name: &str) -> (Ended, Report) {
        let folder = self.sandbox.path(name).display().to_string();
        let output = ended(&mut self.sandbox.rehearsal(&["run", &folder, "--provider", "local", "--seed", "1"]));
        let report = self.sandbox.report(name);
        (output, report)
    }
}

/// The checks that failed at a stage.
fn failed(report: &Report, stage: Stage) -> Vec<&str> {
    let checks = report.scenarios[0].checks.iter().filter(|check| check.stage == stage);
    checks.filter(|check| matches!(check.outcome, Outcome::Failed { .. })).map(|check| check.id.as_str()).collect()
}

/// Why a step did not succeed.
#[track_caller]
fn why<'r>(report: &'r Report, step: &str) -> &'r str {
    let found = report.scenarios[0].steps.iter().find(|one| one.id == step).unwrap_or_else(|| panic!("no step {step}"));
    found.outcome.reason().unwrap_or_else(|| panic!("{step} succeeded"))
}

/// Nothing is left of a migration that came to its end too early.
#[track_caller]
fn assert_nothing_left(report: &Report) {
    let proof = report.scenarios[0].checks.iter().find(|check| check.id == "no_trace").unwrap();
    assert_eq!(proof.outcome, Outcome::Passed);
}

#[test]
fn a_fresh_installation_that_breaks_drifts_or_leaves_something_is_told() {
    let Some(bench) = Bench::new("a_fresh_installation_that_breaks_drifts_or_leaves_something_is_told") else { return };
    // The migrations forgot an index that the models have, and a type is left behind.
    let index = "CREATE INDEX documents_title_idx ON documents (lower(title) text_pattern_ops);\n";
    let folder = "qdocs-fresh/migrations";
    let last = format!("{folder}/0005_more_statuses_and_one_latest_version");
    bench.change(&format!("{last}.up.sql"), index, "CREATE TYPE left_behind AS ENUM ('a');\n");
    bench.change(&format!("{last}.down.sql"), "DROP INDEX documents_title_idx;\n", "");
    // The administrator can sign in with a password that everybody knows.
    bench.change(&format!("{folder}/0007_reference_data.up.sql"), "'Administrator', '!'", "'Administrator', 'admin'");
    let (output, report) = bench.run("qdocs-fresh");
    assert_eq!((output.code, report.verdict), (1, Verdict::Fail), "{output:?}");
    assert_eq!(failed(&report, Stage::Migrated), ["schema", "checksum"], "{output:?}");
    assert_eq!(failed(&report, Stage::RolledBack), ["no_trace"], "{output:?}");
    for told in ["documents_title_idx", "left_behind", "hashed_password"] {
        assert!(output.stdout.contains(told), "{told}: {output:?}");
    }

    // One breaks: those before it are taken back, and nothing is left.
    bench.change(&format!("{last}.up.sql"), "CREATE TYPE left_behind AS ENUM ('a');", "CREATE TYPE left_behind AS;");
    let (output, report) = bench.run("qdocs-fresh");
    assert_eq!((output.code, report.verdict), (3, Verdict::Inconclusive), "{output:?}");
    assert!(output.stdout.contains("0005_more_statuses_and_one_latest_version.up.sql:5"), "{output:?}");
    assert_nothing_left(&report);
}

#[test]
fn users_that_are_there_and_files_that_are_broken_are_left_alone() {
    let Some(bench) = Bench::new("users_that_are_there_and_files_that_are_broken_are_left_alone") else { return };
    // Somebody who is there already is changed by the import: it is seen, and so is that no way back brings that back.
    let skip = "            skipped := skipped + 1;";
    let change = "            UPDATE users SET full_name = one.full_name WHERE username = one.username;";
    bench.change("qdocs-users-csv/import/users.sql", skip, &format!("{skip}\n{change}"));
    let (output, report) = bench.run("qdocs-users-csv");
    assert_eq!((output.code, report.verdict), (1, Verdict::Fail), "{output:?}");
    assert_eq!(failed(&report, Stage::Migrated), ["checksum"], "{output:?}");
    assert_eq!(failed(&report, Stage::RolledBack), ["no_trace"], "{output:?}");

    // A quote that is never closed: nobody knows where the next user begins, and none is imported.
    bench.change("qdocs-users-csv/import/users.csv", "\"Johnson, Bob\"", "\"Johnson, Bob");
    let (output, report) = bench.run("qdocs-users-csv");
    assert_eq!((output.code, report.verdict), (1, Verdict::Fail), "{output:?}");
    let told = why(&report, "migrate/read");
    assert!(told.contains("import/users.csv:"), "{told}");
    assert_nothing_left(&report);
}

#[test]
fn documents_that_are_cut_or_left_behind_are_told() {
    let Some(bench) = Bench::new("documents_that_are_cut_or_left_behind_are_told") else { return };
    let scenario = "qdocs-legacy-files/scenario.toml";
    // Rows that a key takes along have to be named: without them nothing is removed, and that is found.
    let audit = "    { table = \"audit_logs\", where = \"document_id IN (SELECT id FROM documents WHERE document_number LIKE \
                 'LEGACY-%' AND created_at >= '2020-01-01')\" },\n";
    bench.change(scenario, audit, "");
    let (output, report) = bench.run("qdocs-legacy-files");
    assert_eq!((output.code, report.verdict), (1, Verdict::Fail), "{output:?}");
    assert_eq!(failed(&report, Stage::Migrated), Vec::<&str>::new(), "{output:?}");
    let told = why(&report, "rollback/import");
    assert!(told.contains("9 rows of audit_logs would go as well, which are not named"), "{told}");
    assert_eq!(failed(&report, Stage::RolledBack), ["no_trace"], "{output:?}");

    // An export that was cut in the middle: its place is told, and nothing is written.
    let export = "qdocs-legacy-files/import/legacy.json";
    let text = fs::read_to_string(bench.sandbox.path(export)).unwrap();
    bench.sandbox.write(export, &text[..text.find("LEGACY-0005").unwrap()]);
    let (output, report) = bench.run("qdocs-legacy-files");
    assert_eq!((output.code, report.verdict), (1, Verdict::Fail), "{output:?}");
    let told = why(&report, "migrate/read-json");
    assert!(told.contains("legacy.json:6:1: the file ends in the middle of the row that begins here"), "{told}");
    assert_nothing_left(&report);
}

#[test]
fn a_backup_that_lacks_what_is_restored_from_it_is_told() {
    let Some(bench) = Bench::new("a_backup_that_lacks_what_is_restored_from_it_is_told") else { return };
    // A table that others refer to is not among those that are backed up: the restore fails, and is taken back whole.
    let scenario = "qdocs-backup-restore/scenario.toml";
    bench.change(scenario, "[\"roles\", \"users\", \"documents\", \"document_versions\"]", "[\"documents\"]");
    let (output, report) = bench.run("qdocs-backup-restore");
    assert_eq!((output.code, report.verdict), (3, Verdict::Inconclusive), "{output:?}");
    let told = why(&report, "migrate/restore-documents");
    assert!(told.contains("cannot be restored") && told.contains("users"), "{told}");
    assert_nothing_left(&report);
}
