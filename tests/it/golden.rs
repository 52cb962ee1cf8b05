//! Golden journals, told in every format, compared byte for byte with `reports/samples/`.
//!
//! `REHEARSE_BLESS=1 cargo test --test it golden` writes what is expected anew; look at the difference before it is kept.

use std::{collections::BTreeMap, fs, path::PathBuf};

use quick_junit::{NonSuccessKind, TestCaseStatus};
use rehearse::{
    model::{Cause, CauseCount, Event, Report, Verdict},
    report::{self, ReportFormat, Terminal},
};
use unicode_width::UnicodeWidthStr;

const RUNS: [&str; 4] = ["pass", "fail", "inconclusive", "cut"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn events(run: &str) -> Vec<Event> {
    let path = root().join(format!("fixtures/runs/{run}.jsonl"));
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn told(run: &str) -> Report {
    Report::from_events(&events(run)).unwrap()
}

fn rendered(format: &dyn ReportFormat, report: &Report) -> String {
    let mut text = Vec::new();
    format.render(report, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// Compares with the file, or writes it if `REHEARSE_BLESS=1`.
fn expect(file: &str, text: &str) {
    let path = root().join(file);
    if std::env::var_os("REHEARSE_BLESS").is_some_and(|bless| bless == "1") {
        fs::write(&path, text).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let line = expected.lines().zip(text.lines()).take_while(|(expected, found)| expected == found).count() + 1;
    assert!(
        expected == text,
        "{file} is stale from line {line} on; if it should change: REHEARSE_BLESS=1 cargo test --test it golden"
    );
}

#[test]
fn journals_are_in_the_form_that_this_version_writes() {
    for run in RUNS {
        let events = events(run);
        assert!(events.iter().enumerate().all(|(at, event)| event.seq == at as u64), "{run} has holes");
        let text: String = events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect();
        expect(&format!("fixtures/runs/{run}.jsonl"), &text);
    }
}

#[test]
fn every_format_is_as_it_was_looked_at() {
    for run in RUNS {
        for format in report::ALL {
            let extension = format.file_name().split_once('.').unwrap().1;
            expect(&format!("reports/samples/{run}.{extension}"), &rendered(*format, &told(run)));
        }
    }
}

#[test]
fn the_schema_is_fresh_and_the_reports_keep_to_it() {
    let schema = report::schema::schema();
    expect("reports/report.schema.json", &(serde_json::to_string_pretty(&schema).unwrap() + "\n"));
    let validator = jsonschema::validator_for(&schema).unwrap();
    for run in RUNS {
        let mut json = serde_json::from_str(&rendered(&report::json::Json, &told(run))).unwrap();
        let problems: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(problems.is_empty(), "{run}: {problems:?}");
        let back: Report = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(back, told(run));
        json["verdict"] = "fine".into();
        assert!(!validator.is_valid(&json), "the schema lets anything through");
    }
}

#[test]
fn verdicts_are_those_of_the_runs() {
    let verdicts = RUNS.map(|run| told(run).verdict);
    // The run that was cut had already found something.
    assert_eq!(verdicts, [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive, Verdict::Fail]);
}

#[test]
fn coverage_comes_first() {
    for run in RUNS {
        let report = told(run);
        let line = report::prose::coverage_line(&report);
        for (id, next) in [("junit", "<testsuite "), ("markdown", "Verdict"), ("terminal", "verdict")] {
            // The terminal may break the line.
            let text = rendered(report::by_id(id).unwrap(), &report);
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let covered = text.find(&line).unwrap_or_else(|| panic!("{run} as {id} lacks `{line}`"));
            assert!(covered < text.find(next).unwrap(), "{run} as {id}");
        }
        let html = rendered(&report::html::Html, &report);
        let (coverage, _) = html.split_once("<h1>").unwrap();
        for (name, share) in report::prose::shares(&report) {
            let told = [format!(">{name}<"), format!(">/{}<", report::prose::count(share.total))];
            assert!(told.iter().all(|told| coverage.contains(told)), "{run}: {name}");
        }
    }
}

#[test]
fn junit_counts_every_outcome() {
    for run in RUNS {
        let report = told(run);
        let junit = quick_junit::Report::deserialize_from_str(&rendered(&report::junit::Junit, &report)).unwrap();
        let mut counts = BTreeMap::new();
        for case in junit.test_suites.iter().flat_map(|suite| &suite.test_cases) {
            let status = match case.status {
                TestCaseStatus::Success { .. } => "passed",
                TestCaseStatus::Skipped { .. } => "skipped",
                TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, .. } => "failed",
                TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, .. } => "broken",
            };
            *counts.entry(status).or_insert(0) += 1;
        }
        let expected: &[(&str, usize)] = match run {
            "pass" => &[("passed", 15)],
            "fail" => &[("failed", 6), ("passed", 9)],
            // Skipped: a check, a step, two columns, a failure that was expected, two scenarios. Broken: a check, a
            // step, and the verdict of the scenario whose skipping nobody waived.
            "inconclusive" => &[("broken", 3), ("passed", 5), ("skipped", 7)],
            // Broken: the step in whose middle the journal ends.
            _ => &[("broken", 1), ("failed", 1), ("passed", 3)],
        };
        assert_eq!(counts, expected.iter().copied().collect(), "{run}");
        assert_eq!(junit.failures, counts.get("failed").copied().unwrap_or(0), "{run}");
        assert_eq!(junit.test_suites.len(), report.scenarios.len(), "{run}");
    }
}

#[test]
fn terminal_lines_fit() {
    for run in RUNS {
        for width in [60, 80, 120] {
            let text = rendered(&Terminal { width, colour: false }, &told(run));
            for line in text.lines() {
                assert!(line.width() <= usize::from(width), "{run} at {width}: {line}");
            }
        }
    }
}

#[test]
fn colour_adds_nothing_but_colour() {
    for run in RUNS {
        let mut text = rendered(&Terminal { width: 80, colour: true }, &told(run));
        assert!(text.contains("\u{1b}["));
        for code in ["0", "1", "2", "32", "33", "1;31"] {
            text = text.replace(&format!("\u{1b}[{code}m"), "");
        }
        assert_eq!(text, rendered(&Terminal { width: 80, colour: false }, &told(run)));
    }
}

#[test]
fn hostile_values_stay_text() {
    let report = told("fail");
    for id in ["junit", "markdown", "html", "terminal"] {
        let text = rendered(report::by_id(id).unwrap(), &report);
        let hidden = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}');
        assert!(!text.contains(hidden), "{id} passes control characters on");
        assert!(text.contains(r"u{1b}"), "{id} hides that there was an escape");
        // In Markdown, sample values stand in code spans, on lines of their own.
        let mut markup = text.lines().filter(|line| line.contains("<script") && !line.starts_with("  - `"));
        assert!(id == "terminal" || markup.next().is_none(), "{id} passes markup on");
        assert!(!text.contains("]]><"), "{id}");
    }
}

#[test]
fn every_format_tells_causes() {
    let mut report = told("fail");
    let finding = report.scenarios[0].checks.iter_mut().flat_map(|check| &mut check.findings).next().unwrap();
    finding.causes = vec![
        CauseCount { cause: Cause::Shifted { micros: Some(18_000_000_000) }, total: 412_000 },
        CauseCount { cause: Cause::Swapped { with: "<script>\u{1b}".to_owned() }, total: 1 },
    ];
    for id in ["junit", "markdown", "html", "terminal"] {
        let text = rendered(report::by_id(id).unwrap(), &report);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("412,000 rows: exactly +5 h"), "{id}");
        assert!(!text.contains('\u{1b}'), "{id}");
        assert!(id == "terminal" || !text.contains("with <script"), "{id}");
    }
    let json = rendered(&report::json::Json, &report);
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    let validator = jsonschema::validator_for(&report::schema::schema()).unwrap();
    assert!(validator.is_valid(&serde_json::from_str(&json).unwrap()));
}

#[test]
fn what_was_not_checked_never_looks_passed() {
    let report = told("inconclusive");
    for id in ["junit", "markdown", "html", "terminal"] {
        let text = rendered(report::by_id(id).unwrap(), &report);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for named in ["places.outline", "prices.valid", "mariadb-11.8", "lock timeout", "UUIDs by its mapping"] {
            assert!(text.contains(named), "{id} does not name {named}");
        }
    }
}

#[test]
fn a_comment_has_room_for_any_report() {
    let mut report = told("fail");
    let check = report.scenarios[0].checks[1].clone();
    report.scenarios[0].checks = vec![check; 3_000];
    report.scenarios[0].reasons = vec!["x".repeat(70_000); 400];
    report.run.repeat = "y".repeat(70_000);
    let text = rendered(&report::markdown::Markdown, &report);
    assert!(text.chars().count() < 65_536, "{}", text.chars().count());
    assert!(text.contains("Left out for want of room") && text.contains("\n- checks of pfa-vanguard"));
}
