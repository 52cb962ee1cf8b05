//! `rehearse run --migrations`: the history of migrations that somebody has, by the program as a user runs it.

mod alone;
mod bad_input;
mod chain_rows;
mod changed;
mod classes;
mod commands;
mod counts;
mod layouts;
mod ledgers;
mod locks;
mod selection;
mod since;
mod sqitch;
mod worsened;

use rehearse::model::{HistoryReport, MigrationClass, MigrationReport, Report};
use rehearse::provision::Request;

use crate::support::{Ended, Sandbox, server};

/// A sandbox with a folder of migrations.
pub struct Past {
    pub sandbox: Sandbox,
    engine: &'static str,
    provider: &'static str,
    version: Option<&'static str>,
}

impl Past {
    /// Migrations for PostgreSQL; `None` where it cannot be had, which is said, and is a failure where `REHEARSE_REQUIRE`
    /// asks for it.
    pub fn postgres(test: &str) -> Option<Self> {
        Self::on(test, "postgres", "local", None)
    }

    /// Migrations for MariaDB, in the same way.
    pub fn mariadb(test: &str) -> Option<Self> {
        Self::on(test, "mariadb", "container", Some("10.11"))
    }

    fn on(test: &str, engine: &'static str, provider: &'static str, version: Option<&'static str>) -> Option<Self> {
        let past = Self { sandbox: Sandbox::new(), engine, provider, version };
        let request = Request {
            engine: rehearse::engine::by_id(engine).unwrap(),
            version: version.map(str::to_owned),
            ..server::request(&past.sandbox.work())
        };
        let test = test.to_owned();
        let able = server::wait(async move { server::offered(&test, provider, &request).await.is_some() });
        able.then_some(past)
    }

    /// Migrations for SQLite.
    pub fn sqlite() -> Self {
        Self { sandbox: Sandbox::new(), engine: "sqlite", provider: "auto", version: None }
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
        let version: Vec<&str> = self.version.iter().flat_map(|version| ["--target-version", *version]).collect();
        self.sandbox.rehearse(&[&all, version.as_slice(), flags].concat())
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
