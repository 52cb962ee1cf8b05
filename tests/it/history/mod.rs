//! `rehearse run --migrations`: the history of migrations that somebody has, by the program as a user runs it.

mod bad_input;
mod classes;
mod selection;

use rehearse::model::{HistoryReport, MigrationClass, MigrationReport, Report};

use crate::support::{Ended, Sandbox, skipped};

/// A sandbox with a folder of migrations.
pub struct Past {
    pub sandbox: Sandbox,
    engine: &'static str,
    provider: &'static str,
}

impl Past {
    /// Migrations for PostgreSQL; `None` where it cannot be had, which is said, and is a failure where `REHEARSE_REQUIRE`
    /// asks for it.
    pub fn postgres(test: &str) -> Option<Self> {
        let past = Self { sandbox: Sandbox::new(), engine: "postgres", provider: "local" };
        let local = rehearse::provision::by_id("local").unwrap();
        let request = crate::support::server::request(&past.sandbox.work());
        match crate::support::server::wait(async move { local.offer(&request).await }) {
            Ok(_) => Some(past),
            Err(unable) => {
                skipped(test, "local", &unable.reason);
                None
            }
        }
    }

    /// Migrations for SQLite.
    pub fn sqlite() -> Self {
        Self { sandbox: Sandbox::new(), engine: "sqlite", provider: "auto" }
    }

    /// Writes a file of the folder.
    pub fn file(&self, name: &str, text: &str) {
        self.sandbox.write(&format!("m/{name}"), text);
    }

    /// Writes pairs: a name, its way up, its way down (none, if that is `-`).
    pub fn pairs(&self, pairs: &[(&str, &str, &str)]) {
        for (name, up, down) in pairs {
            self.file(&format!("{name}.up.sql"), up);
            if *down != "-" {
                self.file(&format!("{name}.down.sql"), down);
            }
        }
    }

    pub fn folder(&self) -> String {
        self.sandbox.path("m").display().to_string()
    }

    /// `rehearse run --migrations` with these flags besides.
    pub fn run(&self, flags: &[&str]) -> Ended {
        let folder = self.folder();
        let all = ["run", "--migrations", &folder, "--engine", self.engine, "--provider", self.provider, "--seed", "1"];
        self.sandbox.rehearse(&[&all, flags].concat())
    }

    pub fn report(&self) -> Report {
        self.sandbox.report("migrations")
    }

    pub fn history(&self) -> HistoryReport {
        self.report().scenarios.remove(0).history.expect("a history was rehearsed")
    }
}

/// Each migration with what it came to: `1_users restores`.
pub fn came_to(history: &HistoryReport) -> Vec<String> {
    history.migrations.iter().map(|one| format!("{} {}", one.name, one.class)).collect()
}

/// One migration of the report.
#[track_caller]
pub fn one<'h>(history: &'h HistoryReport, name: &str) -> &'h MigrationReport {
    history.migrations.iter().find(|one| one.name == name).unwrap_or_else(|| panic!("{name} is not in {history:?}"))
}

/// What differs of a migration: `trace_left index:public.t.i`, without notes.
pub fn differs(migration: &MigrationReport) -> Vec<String> {
    let told = migration.findings.iter().filter(|one| one.severity > rehearse::model::Severity::Note);
    told.map(|one| {
        let mut subject = one.subject.clone();
        subject.side = None;
        format!("{} {subject}", one.kind)
    })
    .collect()
}

#[test]
fn every_class_has_its_own_word() {
    let words: std::collections::BTreeSet<&str> = MigrationClass::ALL.iter().map(|class| class.word()).collect();
    assert_eq!(words.len(), MigrationClass::ALL.len());
    for class in MigrationClass::ALL {
        assert_eq!(serde_json::to_value(class).unwrap(), class.word());
    }
}
