//! `report.html`: for a person, in one file without network, scripts or fonts. The page is `reports/assets/report.html`.

use std::{collections::BTreeMap, fmt, io};

use askama::{
    Template,
    filters::{Escaper, Html as Markup},
};

use super::{
    RenderError, ReportFormat,
    causes::causes,
    facts::{self, CheckFacts, StepFacts},
    history::{self, MigrationFacts},
    probes, prose,
};
use crate::model::{
    Finding, Fingerprint, HistoryReport, Report, Share, Side, Stage, TableName,
    report::{ScenarioReport, SideReport, TableFingerprint},
};

/// Digits of a fingerprint that are shown: enough to see at a glance whether two are the same.
const DIGITS: usize = 16;

/// A page for a browser or a printer.
pub struct Html;

impl ReportFormat for Html {
    fn id(&self) -> &'static str {
        "html"
    }

    fn file_name(&self) -> &'static str {
        "report.html"
    }

    fn summary(&self) -> &'static str {
        "everything, for a browser or on paper: one file, no network, no scripts"
    }

    fn render(&self, report: &Report, out: &mut dyn io::Write) -> Result<(), RenderError> {
        let page = Page::from(report);
        let text = page.render().map_err(|error| RenderError::Form { format: self.id(), source: error.into() })?;
        Ok(out.write_all(text.as_bytes())?)
    }
}

/// What the templates escape with: markup becomes text, and hidden characters become visible.
#[derive(Clone, Copy)]
pub struct Safe;

impl Escaper for Safe {
    fn write_escaped_str<W: fmt::Write>(&self, out: W, text: &str) -> fmt::Result {
        Markup.write_escaped_str(out, &prose::visible_lines(text))
    }
}

#[derive(Template)]
#[template(path = "report.html", config = "reports/assets/askama.toml")]
struct Page<'a> {
    report: &'a Report,
    figures: Vec<Figure>,
    verdict: String,
    sentence: &'static str,
    reasons: Vec<String>,
    time: String,
    scenarios: Vec<Chapter<'a>>,
}

/// One share of the coverage.
struct Figure {
    name: &'static str,
    checked: String,
    total: String,
    percent: u64,
    whole: bool,
}

/// One rehearsal.
struct Chapter<'a> {
    of: &'a ScenarioReport,
    verdict: String,
    skipped: Option<String>,
    expected: bool,
    /// What the checks before the first write said.
    preflight: Option<String>,
    figures: Vec<Figure>,
    sides: Vec<(Side, Option<&'a SideReport>)>,
    history: Option<Past>,
    steps: Vec<StepFacts>,
    checks: Vec<CheckFacts>,
    findings: Vec<Found<'a>>,
    probes: Vec<[String; 2]>,
    ledger: Vec<[String; 4]>,
    files: Vec<[String; 4]>,
    fingerprints: Vec<SideFingerprints>,
}

/// A history of migrations.
struct Past {
    tally: String,
    migrations: Vec<MigrationFacts>,
    chain: Option<MigrationFacts>,
    stale: Vec<String>,
    bookkeeping: String,
}

impl From<&HistoryReport> for Past {
    fn from(of: &HistoryReport) -> Self {
        Self {
            tally: history::tally(of),
            migrations: history::migrations(of, history::WHOLE),
            chain: of.chain.as_ref().map(|chain| history::chain_facts(chain, history::WHOLE)),
            stale: history::stale(of),
            bookkeeping: of.bookkeeping.join(", "),
        }
    }
}

/// One finding.
struct Found<'a> {
    check: String,
    severity: String,
    subject: String,
    sentence: &'static str,
    total: Option<String>,
    expected: Option<&'a str>,
    found: Option<&'a str>,
    causes: Vec<String>,
    shown: String,
    has_values: bool,
    sample: Vec<[String; 4]>,
}

/// The fingerprints of one side: a row per table, a column per stage.
struct SideFingerprints {
    side: Side,
    stages: Vec<Stage>,
    tables: Vec<(String, Vec<Option<Sum>>)>,
}

/// The fingerprint of one table at one stage.
#[derive(Clone)]
struct Sum {
    rows: String,
    digits: String,
}

impl From<&Fingerprint> for Sum {
    fn from(fingerprint: &Fingerprint) -> Self {
        let text = fingerprint.to_string();
        let digits = text.split(':').nth(1).unwrap_or_default().chars().take(DIGITS).collect();
        Self { rows: prose::plural(fingerprint.rows, "row", "rows"), digits }
    }
}

impl<'a> From<&'a Report> for Page<'a> {
    fn from(report: &'a Report) -> Self {
        Self {
            report,
            figures: figures(&prose::shares(report)),
            verdict: report.verdict.to_string(),
            sentence: prose::verdict_sentence(report),
            reasons: prose::reasons(report),
            time: prose::duration(report.run.duration_ms),
            scenarios: report.scenarios.iter().map(Chapter::from).collect(),
        }
    }
}

impl<'a> From<&'a ScenarioReport> for Chapter<'a> {
    fn from(of: &'a ScenarioReport) -> Self {
        let sum = |sum: &Option<String>| sum.clone().unwrap_or_else(|| facts::NONE.to_owned());
        Self {
            of,
            verdict: of.verdict.to_string(),
            skipped: facts::skipped(of),
            expected: prose::expects_failure(of),
            preflight: facts::preflight(of),
            figures: figures(&prose::scenario_shares(&of.coverage)),
            sides: facts::sides(of),
            history: of.history.as_ref().map(Past::from),
            steps: of.steps.iter().map(StepFacts::from).collect(),
            checks: of.checks.iter().map(CheckFacts::from).collect(),
            findings: found(of),
            probes: probes::lines(of),
            ledger: of
                .loss_ledger
                .iter()
                .map(|entry| {
                    let column = format!("{}.{}", entry.table, entry.column);
                    [entry.side.to_string(), column, entry.rule.clone(), prose::count(entry.rows)]
                })
                .collect(),
            files: of
                .files
                .iter()
                .map(|file| {
                    let path = file.path.display().to_string();
                    [path, facts::fate(file).to_owned(), sum(&file.sha256_before), sum(&file.sha256_after)]
                })
                .collect(),
            fingerprints: fingerprints(of),
        }
    }
}

fn figures(shares: &[(&'static str, Share)]) -> Vec<Figure> {
    let figure = |&(name, share): &(&'static str, Share)| Figure {
        name,
        checked: prose::count(share.checked),
        total: prose::count(share.total),
        // Rounded down, so that a bar is full only if nothing is missing.
        percent: u64::try_from(u128::from(share.checked) * 100 / u128::from(share.total.max(1)))
            .unwrap_or(100)
            .min(100),
        whole: share.is_whole(),
    };
    shares.iter().map(figure).collect()
}

fn found(scenario: &ScenarioReport) -> Vec<Found<'_>> {
    let found = facts::findings(scenario).into_iter().map(|(check, finding)| Found {
        check,
        severity: finding.severity.to_string(),
        subject: finding.subject.to_string(),
        sentence: finding.kind.sentence(),
        total: prose::is_counted(finding).then(|| prose::count(finding.total)),
        expected: finding.expected.as_deref(),
        found: finding.found.as_deref(),
        causes: causes(finding),
        shown: prose::share(Share::new(finding.sample.len() as u64, finding.total)),
        has_values: finding.sample.iter().any(|row| row.source.is_some() || row.target.is_some()),
        sample: sample(finding),
    });
    found.collect()
}

fn sample(finding: &Finding) -> Vec<[String; 4]> {
    let text = |shown: &Option<crate::model::Shown>| {
        shown.as_ref().map_or_else(|| facts::NONE.to_owned(), ToString::to_string)
    };
    finding
        .sample
        .iter()
        .map(|row| {
            let column = row.column.clone().unwrap_or_else(|| facts::NONE.to_owned());
            [prose::key(row), column, text(&row.source), text(&row.target)]
        })
        .collect()
}

fn fingerprints(scenario: &ScenarioReport) -> Vec<SideFingerprints> {
    let side = |side: Side| {
        let snapshots: Vec<_> = scenario.fingerprints.iter().filter(|taken| taken.side == side).collect();
        let mut tables: BTreeMap<&TableName, Vec<Option<Sum>>> = BTreeMap::new();
        for (at, snapshot) in snapshots.iter().enumerate() {
            for TableFingerprint { table, fingerprint } in &snapshot.tables {
                let cells = tables.entry(table).or_insert_with(|| vec![None; snapshots.len()]);
                cells[at] = Some(Sum::from(fingerprint));
            }
        }
        SideFingerprints {
            side,
            stages: snapshots.iter().map(|taken| taken.stage).collect(),
            tables: tables.into_iter().map(|(table, cells)| (table.to_string(), cells)).collect(),
        }
    };
    Side::BOTH.into_iter().map(side).filter(|fingerprints| !fingerprints.stages.is_empty()).collect()
}
