//! `junit.xml`: for CI systems. A suite per rehearsal; a case per step, per check and stage, and per thing that was not
//! checked.

use std::{io, time::Duration};

use quick_junit::{NonSuccessKind, Property, Report as Junits, TestCase, TestCaseStatus, TestSuite};

use super::{
    RenderError, ReportFormat,
    causes::causes,
    facts::{self, CheckFacts, StepFacts},
    history::{self, MigrationFacts},
    prose,
};
use crate::model::{
    Outcome, Report, Verdict,
    report::{CheckReport, ScenarioReport},
};

/// JUnit's XML.
pub struct Junit;

impl ReportFormat for Junit {
    fn id(&self) -> &'static str {
        "junit"
    }

    fn file_name(&self) -> &'static str {
        "junit.xml"
    }

    fn summary(&self) -> &'static str {
        "test cases for CI systems: a suite per rehearsal, a case per step, check and unchecked thing"
    }

    fn render(&self, report: &Report, out: &mut dyn io::Write) -> Result<(), RenderError> {
        let mut junit = Junits::new(text(&format!("checked: {}", prose::coverage_line(report))));
        junit.set_time(Duration::from_millis(report.run.duration_ms));
        let mut worst = Verdict::Pass;
        for scenario in &report.scenarios {
            worst = worst.merge(scenario.verdict);
            junit.add_test_suite(suite(report, scenario));
        }
        if worst < report.verdict {
            // Nothing above is red for it: the run ended before a rehearsal began, or after the last one.
            let mut run = TestSuite::new("run");
            run.add_test_case(verdict_case("run", report.verdict, &prose::reasons(report)));
            junit.add_test_suite(run);
        }
        // Rendered in memory first: the library's error does not tell a failing writer from a failing form.
        let xml = junit.to_string().map_err(|error| RenderError::Form { format: self.id(), source: error.into() })?;
        Ok(out.write_all(xml.as_bytes())?)
    }
}

/// XML 1.0 has no way to write most control characters, and a viewer may print the others.
fn text(raw: &str) -> String {
    prose::visible_lines(raw).into_owned()
}

fn suite(report: &Report, scenario: &ScenarioReport) -> TestSuite {
    let mut suite = TestSuite::new(text(&scenario.name));
    for (name, value) in properties(report, scenario) {
        suite.add_property(Property::new(name, text(&value)));
    }
    let expected = prose::expects_failure(scenario);
    let mut ms = 0;
    for (facts, ms_of) in migrations(scenario) {
        ms += ms_of;
        suite.add_test_case(migration_case(scenario, facts, ms_of));
    }
    for step in &scenario.steps {
        let facts = StepFacts::from(step);
        ms += step.duration_ms;
        let status = status(&step.outcome, expected, || {
            let because = step.outcome.reason().unwrap_or("the step failed");
            ("step", because.to_owned(), String::new())
        });
        let mut case = case(scenario, "steps", &facts.step, status);
        case.set_time(Duration::from_millis(step.duration_ms));
        suite.add_test_case(case);
    }
    for check in &scenario.checks {
        ms += check.duration_ms;
        let status = status(&check.outcome, expected, || described(check));
        let mut case = case(scenario, "checks", &CheckFacts::from(check).name, status);
        case.set_time(Duration::from_millis(check.duration_ms));
        if check.outcome == Outcome::Passed && !check.findings.is_empty() {
            // Warnings and notes of a check that passed.
            case.set_system_out(text(&described(check).2));
        }
        suite.add_test_case(case);
    }
    for thing in &scenario.unchecked {
        let mut status = TestCaseStatus::skipped();
        status.set_type("unchecked").set_message(text(&format!("not checked: {}", thing.reason)));
        let name = format!("{} {}", thing.aspect, thing.subject);
        suite.add_test_case(case(scenario, "unchecked", &name, status));
    }
    if scenario.verdict != Verdict::Pass && suite.errors + suite.failures == 0 {
        // Skipped cases alone leave a CI job green, and this rehearsal proved nothing.
        suite.add_test_case(verdict_case(&scenario.name, scenario.verdict, &scenario.reasons));
    }
    suite.set_time(Duration::from_millis(ms));
    suite
}

fn migration_case(scenario: &ScenarioReport, facts: MigrationFacts, ms: u64) -> TestCase {
    let status = match facts.word {
        "failed" => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let description = text(&facts.lines.join("\n"));
            status.set_type("migration").set_message(text(&facts.came_to)).set_description(description);
            status
        }
        "skipped" => {
            let mut status = TestCaseStatus::skipped();
            status.set_type("unrehearsed").set_message(text(&facts.came_to));
            status
        }
        _ => TestCaseStatus::success(),
    };
    let mut case = case(scenario, "migrations", &facts.name, status);
    case.set_time(Duration::from_millis(ms));
    let footprint = Some(facts.footprint.whole_line()).filter(|line| !line.is_empty());
    let mut out = Vec::new();
    if facts.word != "failed" && facts.is_told {
        out = [vec![facts.came_to], facts.lines].concat();
    }
    out.extend(footprint);
    if !out.is_empty() {
        case.set_system_out(text(&out.join("\n")));
    }
    case
}

/// The migrations of a history, and its chain as one more, with the milliseconds that each took.
fn migrations(scenario: &ScenarioReport) -> Vec<(MigrationFacts, u64)> {
    let Some(of) = &scenario.history else { return Vec::new() };
    let durations = of.disorder.iter().map(|_| 0).chain(of.migrations.iter().map(|one| one.duration_ms));
    let mut all: Vec<_> = history::migrations(of, history::WHOLE).into_iter().zip(durations).collect();
    all.extend(of.chain.iter().map(|chain| (history::chain_facts(chain, history::WHOLE), chain.duration_ms)));
    all
}

fn properties(report: &Report, scenario: &ScenarioReport) -> Vec<(&'static str, String)> {
    let mut properties = vec![
        ("coverage", prose::figures(&prose::scenario_shares(&scenario.coverage))),
        ("verdict", scenario.verdict.to_string()),
    ];
    properties.extend(scenario.reasons.iter().map(|reason| ("reason", reason.clone())));
    properties.extend([
        ("title", scenario.title.clone()),
        ("source", facts::side(scenario.source.as_ref())),
        ("target", facts::side(scenario.target.as_ref())),
        ("run", report.run.id.to_string()),
        ("started_at", report.run.started_at.clone()),
        ("root_seed", report.run.root_seed.to_string()),
        ("repeat", report.run.repeat.clone()),
        ("tool_version", report.run.tool_version.clone()),
    ]);
    properties
}

fn case(scenario: &ScenarioReport, group: &str, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(text(name), status);
    case.set_classname(text(&format!("{}.{group}", scenario.name)));
    case
}

/// An outcome as a case's status; `failure` gives a failure's type, message and description.
fn status(
    outcome: &Outcome,
    expected: bool,
    failure: impl FnOnce() -> (&'static str, String, String),
) -> TestCaseStatus {
    if expected && matches!(outcome, Outcome::Failed { .. } | Outcome::Broken { .. }) {
        let mut status = TestCaseStatus::skipped();
        let message = format!("{}, as the scenario expects", prose::outcome(outcome));
        status.set_type("expected").set_message(text(&message));
        return status;
    }
    match outcome {
        Outcome::Passed => TestCaseStatus::success(),
        Outcome::Failed { .. } => {
            let (kind, message, description) = failure();
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type(kind).set_message(text(&message)).set_description(text(&description));
            status
        }
        Outcome::Skipped { reason } => {
            let mut status = TestCaseStatus::skipped();
            status.set_type("skipped").set_message(text(reason));
            status
        }
        Outcome::Broken { error } => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("broken").set_message(text(error.lines().next().unwrap_or_default()));
            status.set_description(text(error));
            status
        }
    }
}

fn described(check: &CheckReport) -> (&'static str, String, String) {
    let mut lines = Vec::new();
    for finding in &check.findings {
        lines.push(format!("{}: {}", finding.severity, prose::finding(finding)));
        lines.extend(causes(finding).iter().map(|cause| format!("    {cause}")));
        lines.extend(finding.sample.iter().map(|row| format!("    {}", prose::evidence(row))));
    }
    let first = check.findings.iter().max_by_key(|finding| finding.severity);
    ("findings", first.map_or_else(|| "the check failed".to_owned(), prose::finding), lines.join("\n"))
}

fn verdict_case(scenario: &str, verdict: Verdict, reasons: &[String]) -> TestCase {
    let kind = if verdict == Verdict::Fail { NonSuccessKind::Failure } else { NonSuccessKind::Error };
    let mut status = TestCaseStatus::non_success(kind);
    let message = reasons.first().map_or("no reason was recorded", String::as_str);
    status.set_type(verdict.to_string()).set_message(text(message)).set_description(text(&reasons.join("\n")));
    let mut case = TestCase::new("verdict", status);
    case.set_classname(text(scenario));
    case
}
