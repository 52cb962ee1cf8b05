//! What is no usual database: each thing is compared right or named as unchecked, and never passed over.
//!
//! By `rehearse audit` on real servers, as a user would find out.

use std::process::Command;

use rehearse::model::{Report, Severity, Verdict};

use crate::support::{Ended, Sandbox, ended};

mod mariadb;
mod midway;
mod postgres;
mod sqlite;

/// Where an audit is called, and what came of it.
struct Audit {
    sandbox: Sandbox,
}

impl Audit {
    fn new() -> Self {
        Self { sandbox: Sandbox::new() }
    }

    /// The call, with both URLs in the environment.
    fn command(&self, source: &str, target: &str) -> Command {
        let mut command = self.sandbox.rehearsal(&["audit", "--source", "env:SOURCE", "--target", "env:TARGET"]);
        command.env("SOURCE", source).env("TARGET", target);
        command
    }

    /// Audits two servers' databases.
    fn of(&self, source: &str, target: &str) -> (Ended, Report) {
        let ended = ended(&mut self.command(source, target));
        (ended, self.sandbox.report("audit"))
    }

    /// Audits two databases that are equal, and of which everything can be checked.
    #[track_caller]
    fn passes(&self, source: &str, target: &str) -> Report {
        let (ended, report) = self.of(source, target);
        assert_eq!((ended.code, report.verdict), (0, Verdict::Pass), "{ended:?}");
        assert!(report.coverage.is_whole() && unchecked(&report).is_empty(), "{ended:?}");
        report
    }

    /// Audits two databases that differ, and gives what was found: `checksum missing_row target orders 1`.
    #[track_caller]
    fn finds(&self, source: &str, target: &str) -> Vec<String> {
        let (ended, report) = self.of(source, target);
        assert_eq!((ended.code, report.verdict), (1, Verdict::Fail), "{ended:?}");
        errors(&report)
    }
}

fn errors(report: &Report) -> Vec<String> {
    let errors = report.findings().filter(|(_, finding)| finding.severity == Severity::Error);
    errors
        .map(|(check, finding)| format!("{} {} {} {}", check.id, finding.kind, finding.subject, finding.total))
        .collect()
}

/// What was not checked and why: `row target t: permission denied`.
fn unchecked(report: &Report) -> Vec<String> {
    let all = report.scenarios.iter().flat_map(|scenario| &scenario.unchecked);
    all.map(|one| format!("{} {}: {}", one.aspect, one.subject, one.reason)).collect()
}

/// What became of a check.
#[track_caller]
fn outcome<'r>(report: &'r Report, check: &str) -> &'r str {
    let found = report.scenarios[0].checks.iter().find(|one| one.id == check);
    found.unwrap_or_else(|| panic!("{check}")).outcome.word()
}
