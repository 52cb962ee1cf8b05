//! Scenarios of the repository in a place where they can be changed, and what became of them.

use std::{fs, path::Path};

use rehearse::model::{Outcome, Report, Stage};

use super::{Ended, Sandbox, ended, files, root, skipped};

/// Copies of scenarios.
pub struct Scenarios {
    pub sandbox: Sandbox,
}

impl Scenarios {
    /// `None`, and said so, where there is no PostgreSQL.
    pub fn new(test: &str, names: &[&str]) -> Option<Self> {
        if !Path::new("/usr/lib/postgresql").is_dir() {
            skipped(test, "local", "no PostgreSQL is installed");
            return None;
        }
        let sandbox = Sandbox::new();
        for name in names {
            let from = root().join("scenarios").join(name);
            for file in files(&from) {
                let to = format!("{name}/{}", file.strip_prefix(&from).unwrap().display());
                sandbox.write(&to, fs::read(&file).unwrap());
            }
        }
        Some(Self { sandbox })
    }

    /// Changes a file at one place.
    #[track_caller]
    pub fn change(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.sandbox.path(file)).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{file}: {from}");
        self.sandbox.write(file, text.replace(from, to));
    }

    /// Rehearses one on the PostgreSQL that is installed here.
    pub fn run(&self, name: &str) -> (Ended, Report) {
        self.run_with(name, &[])
    }

    /// The same with more said.
    pub fn run_with(&self, name: &str, more: &[&str]) -> (Ended, Report) {
        self.run_anywhere(name, &[&["--provider", "local"], more].concat())
    }

    /// Rehearses one on whatever servers its sides can be had from.
    pub fn run_anywhere(&self, name: &str, more: &[&str]) -> (Ended, Report) {
        let folder = self.sandbox.path(name).display().to_string();
        let output = ended(&mut self.sandbox.rehearsal(&[&["run", &folder, "--seed", "1"], more].concat()));
        let report = self.sandbox.report(name);
        (output, report)
    }
}

/// The checks that failed at a stage.
pub fn failed(report: &Report, stage: Stage) -> Vec<&str> {
    let checks = report.scenarios[0].checks.iter().filter(|check| check.stage == stage);
    checks.filter(|check| matches!(check.outcome, Outcome::Failed { .. })).map(|check| check.id.as_str()).collect()
}

/// Why a step did not succeed.
#[track_caller]
pub fn why<'r>(report: &'r Report, step: &str) -> &'r str {
    let found = report.scenarios[0].steps.iter().find(|one| one.id == step).unwrap_or_else(|| panic!("no step {step}"));
    found.outcome.reason().unwrap_or_else(|| panic!("{step} succeeded"))
}

/// Nothing is left of a migration that came to its end too early.
#[track_caller]
pub fn assert_nothing_left(report: &Report) {
    let proof = report.scenarios[0].checks.iter().find(|check| check.id == "no_trace").unwrap();
    assert_eq!(proof.outcome, Outcome::Passed);
}
