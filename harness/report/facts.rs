//! One line of a table each, ready to print: the same words in every format.

use std::cmp::Reverse;

use super::{history, prose};
use crate::model::{
    Finding, Outcome, Severity, Side, Stage,
    event::Direction,
    report::{CheckReport, FileWitness, ScenarioReport, SideReport, StepReport},
};

/// What stands where there is no figure.
pub const NONE: &str = "–";

/// A step.
pub struct StepFacts {
    /// Its place in the plan: `migrate/transfer`.
    pub step: String,
    /// `transfer, forward`.
    pub what: String,
    /// `passed`, `failed`, `skipped` or `broken`.
    pub outcome: &'static str,
    /// Why it was skipped or broke.
    pub reason: Option<String>,
    /// Rows that it moved.
    pub rows: String,
    /// How long it took.
    pub time: String,
    /// Rows per second.
    pub rate: String,
    /// Its own figures.
    pub figures: Vec<String>,
}

impl From<&StepReport> for StepFacts {
    fn from(step: &StepReport) -> Self {
        let direction = match step.direction {
            Direction::Setup => "setup",
            Direction::Forward => "forward",
            Direction::Back => "back",
        };
        // A step that was skipped has no figures, nor has one in whose middle the journal ends.
        let ran = matches!(step.outcome, Outcome::Passed | Outcome::Failed { .. }) || step.duration_ms > 0;
        let figure = |text: String| if ran { text } else { NONE.to_owned() };
        Self {
            step: prose::visible(&step.id).into_owned(),
            what: prose::visible(&format!("{}, {direction}", step.kind)).into_owned(),
            outcome: step.outcome.word(),
            reason: step.outcome.reason().map(|reason| prose::visible_lines(reason).into_owned()),
            rows: figure(prose::count(step.rows)),
            time: figure(prose::duration(step.duration_ms)),
            rate: prose::rate(step.rows, step.duration_ms).unwrap_or_else(|| NONE.to_owned()),
            figures: step.figures.iter().map(prose::figure).collect(),
        }
    }
}

/// A check at a stage.
pub struct CheckFacts {
    /// `checksum@migrated`.
    pub name: String,
    /// Its id.
    pub check: String,
    /// The stage.
    pub stage: String,
    /// `passed`, `failed`, `skipped` or `broken`.
    pub outcome: &'static str,
    /// Why it was skipped or broke.
    pub reason: Option<String>,
    /// `2 errors, 1 note`.
    pub findings: String,
    /// How long it took.
    pub time: String,
}

impl From<&CheckReport> for CheckFacts {
    fn from(check: &CheckReport) -> Self {
        let found = |severity| check.findings.iter().filter(|finding| finding.severity == severity).count() as u64;
        let counts: Vec<String> =
            [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
                .into_iter()
                .filter(|(severity, _)| found(*severity) > 0)
                .map(|(severity, word)| prose::plural(found(severity), word, &format!("{word}s")))
                .collect();
        let ran = !matches!(check.outcome, Outcome::Skipped { .. });
        Self {
            name: prose::visible(&format!("{}@{}", check.id, check.stage)).into_owned(),
            check: prose::visible(&check.id).into_owned(),
            stage: check.stage.to_string(),
            outcome: check.outcome.word(),
            reason: check.outcome.reason().map(|reason| prose::visible_lines(reason).into_owned()),
            findings: if counts.is_empty() { NONE.to_owned() } else { counts.join(", ") },
            time: if ran { prose::duration(check.duration_ms) } else { NONE.to_owned() },
        }
    }
}

/// Every finding of a rehearsal with the name of its check, the gravest first, because long lists are cut.
pub fn findings(scenario: &ScenarioReport) -> Vec<(String, &Finding)> {
    let mut findings: Vec<(String, &Finding)> = Vec::new();
    for check in &scenario.checks {
        findings.extend(check.findings.iter().map(|finding| (CheckFacts::from(check).name, finding)));
    }
    findings.sort_by_key(|(_, finding)| Reverse(finding.severity));
    findings
}

/// What the checks before the first write said: `go, 6 checks passed`; `None` where there were none.
pub fn preflight(scenario: &ScenarioReport) -> Option<String> {
    let checks: Vec<&CheckReport> = scenario.checks.iter().filter(|check| check.stage == Stage::Baseline).collect();
    let against = checks.iter().filter(|check| check.outcome != Outcome::Passed);
    let against: Vec<String> = against.map(|check| format!("`{}` {}", check.id, check.outcome.word())).collect();
    match (checks.len() as u64, against.as_slice()) {
        (0, _) => None,
        (all, []) => Some(format!("go: {} passed", prose::plural(all, "check", "checks"))),
        (_, against) => Some(format!("no-go: {}", against.join(", "))),
    }
}

/// How long its steps, checks and migrations took, together.
pub fn took(scenario: &ScenarioReport) -> String {
    let of_steps: u64 = scenario.steps.iter().map(|step| step.duration_ms).sum();
    let of_checks: u64 = scenario.checks.iter().map(|check| check.duration_ms).sum();
    let of_history = scenario.history.iter().map(|of| {
        let migrations: u64 = of.migrations.iter().map(|one| one.duration_ms).sum();
        migrations + of.chain.as_ref().map_or(0, |chain| chain.duration_ms)
    });
    prose::duration(of_steps + of_checks + of_history.sum::<u64>())
}

/// Why a rehearsal was skipped, and whether that was waived; `None` if it ran.
pub fn skipped(scenario: &ScenarioReport) -> Option<String> {
    let reason = scenario.skipped.as_deref()?;
    // The fold's reason names the waiver too.
    let told = scenario.reasons.first().and_then(|told| told.strip_prefix("skipped: "));
    Some(told.unwrap_or(reason).to_owned())
}

/// The sides that a rehearsal has, by name: a history of migrations has no source.
pub fn sides(scenario: &ScenarioReport) -> Vec<(Side, Option<&SideReport>)> {
    let is_there = |side: Side| side == Side::Target || !history::is_of_history(scenario);
    scenario.sides().iter().filter(|(side, _)| is_there(*side)).map(|(side, ready)| (side, *ready)).collect()
}

/// A side: `postgres 17.5, container: Docker answers and has postgres:17`.
pub fn side(side: Option<&SideReport>) -> String {
    side.map_or_else(
        || "was not reached".to_owned(),
        |side| {
            let encryption = side.encryption.as_ref().map(|told| format!(" ({told})")).unwrap_or_default();
            let text = format!("{} {}, {}: {}{encryption}", side.engine, side.version, side.provider, side.why);
            prose::visible(&text).into_owned()
        },
    )
}

/// What became of a file of the user's: `unchanged`.
pub fn fate(file: &FileWitness) -> &'static str {
    match (&file.sha256_before, &file.sha256_after) {
        (None, None) => "not there before, not there after",
        (None, Some(_)) => "appeared",
        (Some(_), None) => "not looked at again, or gone",
        (Some(before), Some(after)) if before == after => "unchanged",
        (Some(_), Some(_)) => "changed",
    }
}
