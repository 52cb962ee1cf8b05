//! The summary for a terminal.

use std::io;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::{
    RenderError, ReportFormat,
    causes::causes,
    facts::{self, CheckFacts, StepFacts},
    footprint,
    history::{self, MigrationFacts},
    probes, prose,
};
use crate::model::{HistoryReport, Report, report::ScenarioReport};

/// A summary of at most `width` columns. Nothing that came from a database or a file reaches the terminal unescaped.
pub struct Terminal {
    /// Columns to fill at most; fewer than [`NARROWEST`] count as that.
    pub width: u16,
    /// Whether verdicts, outcomes and headings are coloured.
    pub colour: bool,
}

/// Tables of five columns do not get narrower than this.
pub const NARROWEST: u16 = 60;
/// The rows of a sample that are shown.
const SAMPLE: usize = 3;
/// The differences of a migration that are shown.
const LINES: usize = 6;
/// The lines of a list that are shown.
const LIST: usize = 20;

impl ReportFormat for Terminal {
    fn id(&self) -> &'static str {
        "terminal"
    }

    fn file_name(&self) -> &'static str {
        "report.txt"
    }

    fn summary(&self) -> &'static str {
        "a summary in plain text that fits the terminal"
    }

    fn render(&self, report: &Report, out: &mut dyn io::Write) -> Result<(), RenderError> {
        let mut page = Page { terminal: self, text: String::new() };
        page.head(report);
        for scenario in &report.scenarios {
            page.scenario(report, scenario);
        }
        page.foot(report);
        Ok(out.write_all(page.text.as_bytes())?)
    }
}

struct Page<'a> {
    terminal: &'a Terminal,
    text: String,
}

impl Page<'_> {
    fn head(&mut self, report: &Report) {
        let mut rows = vec![
            ["checked".to_owned(), prose::coverage_line(report)],
            ["verdict".to_owned(), format!("{}  {}", report.verdict, prose::verdict_sentence(report))],
        ];
        let reasons = prose::reasons(report);
        rows.extend(reasons.iter().take(LIST).enumerate().map(|(at, reason)| [label("because", at), reason.clone()]));
        rows.extend(more(reasons.len()).map(|more| [String::new(), more]));
        self.table(&[], rows, &[]);
    }

    fn scenario(&mut self, report: &Report, scenario: &ScenarioReport) {
        self.heading(&format!("{} ({})", scenario.title, scenario.name));
        if let Some(reason) = facts::skipped(scenario) {
            return self.table(&[], vec![["skipped".to_owned(), reason]], &[]);
        }
        let mut rows = Vec::new();
        if report.scenarios.len() > 1 {
            rows.push(["checked".to_owned(), prose::figures(&prose::scenario_shares(&scenario.coverage))]);
            rows.push(["verdict".to_owned(), format!("{}, after {}", scenario.verdict, facts::took(scenario))]);
        }
        if prose::expects_failure(scenario) {
            rows.push(["expected".to_owned(), "what failed here was expected by the scenario".to_owned()]);
        }
        rows.extend(facts::preflight(scenario).map(|said| ["preflight".to_owned(), said]));
        rows.extend(facts::sides(scenario).iter().map(|(name, side)| [name.to_string(), facts::side(*side)]));
        self.table(&[], rows, &[]);
        self.history(scenario);
        self.steps(scenario);
        self.checks(scenario);
        self.findings(scenario);
        self.lists(scenario);
    }

    /// The migrations that are not in order, and how many are; report.html has them all.
    fn history(&mut self, scenario: &ScenarioReport) {
        let Some(of) = &scenario.history else { return };
        let migrations = history::migrations(of, history::SHORT);
        let told: Vec<_> = migrations.iter().filter(|one| one.is_told).collect();
        let mut rows: Vec<_> = told
            .iter()
            .take(LIST)
            .map(|one| {
                let mut lines = vec![format!("{}: {}", one.name, one.came_to)];
                lines.extend(one.lines.iter().take(LINES).map(|line| format!("· {line}")));
                lines.extend(
                    (one.lines.len() > LINES)
                        .then(|| format!("· … and {} more, see report.html", one.lines.len() - LINES)),
                );
                [one.word.to_owned(), lines.join("\n")]
            })
            .collect();
        rows.extend(more(told.len()).map(|more| [String::new(), more]));
        self.section(
            &format!("migrations: {}", history::tally(of)),
            &[],
            vec_or(rows, "all of them are in order"),
            &[],
        );
        self.footprints(of, &migrations);
        if let Some(chain) = &of.chain {
            let (line, lines) = history::chain(chain, history::SHORT);
            let all = std::iter::once(line).chain(lines.iter().take(LIST).map(|line| format!("· {line}")));
            self.section("", &[], vec![["chain".to_owned(), all.collect::<Vec<_>>().join("\n")]], &[]);
        }
        self.list("acceptances", history::stale(of).into_iter().map(|line| ["failed".to_owned(), line]));
    }

    /// Whom ways up kept waiting, of whose that is not known, and which of the others made tables larger or smaller.
    fn footprints(&mut self, of: &HistoryReport, migrations: &[MigrationFacts]) {
        let (keeping, others): (Vec<_>, Vec<_>) = migrations.iter().partition(|one| !one.footprint.keeps.is_empty());
        let keeping = keeping.iter().map(|one| [one.name.clone(), one.footprint.known()]);
        self.list("who waits for which", keeping);
        let unknown = footprint::unknown_locks(of).into_iter();
        self.list("locks that are not known", unknown.map(|line| ["-".to_owned(), line]));
        let others = others.iter().filter(|one| !one.footprint.size.is_empty());
        self.list("sizes", others.map(|one| [one.name.clone(), one.footprint.size.clone()]));
    }

    fn steps(&mut self, scenario: &ScenarioReport) {
        let steps = scenario.steps.iter().map(StepFacts::from);
        let rows = steps.map(|step| [step.outcome.to_owned(), step.step, step.rows, step.time, step.rate]).collect();
        self.section("", &["outcome", "step", "rows", "time", "rate"], rows, &[2, 3, 4]);
        let named = scenario.steps.iter().map(|step| (step.id.clone(), &step.outcome));
        self.reasons(named.filter_map(|(name, outcome)| Some((name, outcome.word(), outcome.reason()?))));
    }

    fn checks(&mut self, scenario: &ScenarioReport) {
        let checks = scenario.checks.iter().map(CheckFacts::from);
        let rows = checks
            .map(|check| [check.outcome.to_owned(), check.check, check.stage, check.findings, check.time])
            .collect();
        self.section("", &["outcome", "check", "stage", "findings", "time"], rows, &[4]);
        let named = scenario.checks.iter().map(|check| (CheckFacts::from(check).name, &check.outcome));
        self.reasons(named.filter_map(|(name, outcome)| Some((name, outcome.word(), outcome.reason()?))));
    }

    /// Why steps or checks were skipped or broke, below their table.
    fn reasons<'r>(&mut self, named: impl Iterator<Item = (String, &'static str, &'r str)>) {
        let rows: Vec<_> = named.map(|(name, word, reason)| [word.to_owned(), format!("{name}: {reason}")]).collect();
        self.section("", &[], rows, &[]);
    }

    fn findings(&mut self, scenario: &ScenarioReport) {
        let findings = facts::findings(scenario);
        let mut rows = Vec::new();
        for (check, finding) in findings.iter().take(LIST) {
            let mut lines = vec![format!("{check}: {}", prose::finding(finding))];
            lines.extend(causes(finding).iter().map(|cause| format!("· {cause}")));
            lines.extend(finding.sample.iter().take(SAMPLE).map(|row| format!("· {}", prose::evidence(row))));
            if finding.sample.len() > SAMPLE {
                lines.push(format!("· … and {} more, see report.html", finding.sample.len() - SAMPLE));
            }
            rows.push([finding.severity.to_string(), lines.join("\n")]);
        }
        rows.extend(more(findings.len()).map(|more| [String::new(), more]));
        self.section("findings", &[], rows, &[]);
    }

    fn lists(&mut self, scenario: &ScenarioReport) {
        let ledger = scenario.loss_ledger.iter().map(|entry| {
            let column = format!("{} {}.{}", entry.side, entry.table, entry.column);
            [prose::plural(entry.rows, "row", "rows"), format!("{column}: {}", entry.rule)]
        });
        self.list("probes", probes::lines(scenario).into_iter());
        self.list("loss ledger: rules that made unlike values equal", ledger);
        let unchecked = scenario.unchecked.iter();
        let unchecked = unchecked.map(|thing| [thing.aspect.clone(), format!("{}: {}", thing.subject, thing.reason)]);
        self.list("not checked", unchecked);
        let files = scenario.files.iter().map(|file| {
            let sum = |sum: &Option<String>| sum.clone().unwrap_or_else(|| facts::NONE.to_owned());
            let sums = format!("before {}\nafter  {}", sum(&file.sha256_before), sum(&file.sha256_after));
            [facts::fate(file).to_owned(), format!("{}\n{sums}", prose::visible(&file.path.to_string_lossy()))]
        });
        self.list("files of yours, SHA-256", files);
    }

    fn foot(&mut self, report: &Report) {
        let run = &report.run;
        self.list("notes", run.notes.iter().map(|note| ["-".to_owned(), note.clone()]));
        let end = if run.finished { "" } else { ", cut short" };
        let ran = format!("{}, {}, {}{end}", run.id, run.started_at, prose::duration(run.duration_ms));
        self.text.push('\n');
        let rows = vec![
            ["run".to_owned(), ran],
            ["seed".to_owned(), run.root_seed.to_string()],
            ["repeat".to_owned(), run.repeat.clone()],
        ];
        self.table(&[], rows, &[]);
    }

    fn heading(&mut self, title: &str) {
        self.text.push('\n');
        let start = self.text.len();
        self.table(&[], vec![[title.to_owned()]], &[]);
        self.paint(start, "1");
    }

    fn list(&mut self, title: &str, rows: impl Iterator<Item = [String; 2]>) {
        let rows: Vec<_> = rows.collect();
        let total = rows.len();
        let mut rows: Vec<_> = rows.into_iter().take(LIST).collect();
        rows.extend(more(total).map(|more| [String::new(), more]));
        self.section(title, &[], rows, &[]);
    }

    /// A table under a title (unless that is empty), if it has rows.
    fn section<const N: usize>(&mut self, title: &str, header: &[&str], rows: Vec<[String; N]>, figures: &[usize]) {
        if rows.is_empty() {
            return;
        }
        if title.is_empty() {
            self.text.push('\n')
        } else {
            self.heading(title)
        }
        self.table(header, rows, figures);
    }

    /// A table without rules, its texts made visible; the columns in `figures` are aligned to the right.
    fn table<const N: usize>(&mut self, header: &[&str], rows: Vec<[String; N]>, figures: &[usize]) {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(self.terminal.width.max(NARROWEST));
        if !header.is_empty() {
            table.set_header(header);
        }
        for row in &rows {
            table.add_row(row.iter().map(|text| prose::visible_lines(text).into_owned()));
        }
        for (at, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if figures.contains(&at) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for (at, line) in table.lines().enumerate() {
            let start = self.text.len();
            self.text.push_str(line.trim_end());
            if at == 0 && !header.is_empty() {
                self.paint(start, "2");
            } else {
                self.paint_words(start);
            }
            self.text.push('\n');
        }
    }

    /// Colours a line's first word, or its second after `verdict`, if it is an outcome, a verdict or a severity.
    fn paint_words(&mut self, line: usize) {
        let label = "verdict  ";
        let start = if self.text[line..].starts_with(label) { line + label.len() } else { line };
        let word = self.text[start..].split(' ').next().unwrap_or_default();
        let colour = match word {
            "passed" | "pass" | "unchanged" => "32",
            "failed" | "fail" | "error" | "changed" => "1;31",
            "skipped" | "broken" | "inconclusive" | "warning" | "accepted" => "33",
            "note" | "checked" | "verdict" | "because" | "source" | "target" | "run" | "seed" | "repeat" => "2",
            _ => return,
        };
        let rest = self.text.split_off(start + word.len());
        self.paint(start, colour);
        self.text.push_str(&rest);
    }

    /// Colours everything from a place to the end (a line break at the end left out).
    fn paint(&mut self, start: usize, colour: &str) {
        if self.terminal.colour {
            let end = self.text[start..].trim_end().len() + start;
            self.text.insert_str(end, "\u{1b}[0m");
            self.text.insert_str(start, &format!("\u{1b}[{colour}m"));
        }
    }
}

fn label(word: &str, at: usize) -> String {
    if at == 0 { word.to_owned() } else { String::new() }
}

fn vec_or(rows: Vec<[String; 2]>, otherwise: &str) -> Vec<[String; 2]> {
    if rows.is_empty() { vec![["passed".to_owned(), otherwise.to_owned()]] } else { rows }
}

fn more(total: usize) -> Option<String> {
    (total > LIST).then(|| format!("… and {} more, see report.html", prose::count((total - LIST) as u64)))
}
