//! `report.md`: for a comment on a pull request.

use std::io;

use super::{
    RenderError, ReportFormat,
    causes::causes,
    facts::{self, CheckFacts, StepFacts},
    footprint, history, probes, prose,
};
use crate::model::{Report, report::ScenarioReport};

/// Markdown as GitHub and GitLab show it.
pub struct Markdown;

/// Bytes up to which sections are added; what would not fit is left out, and named. A comment on GitHub holds 65,536
/// characters, and the foot needs some of them.
const ROOM: usize = 40_000;
/// Bytes after which a list is cut.
const LIST_ROOM: usize = 8_000;
/// Bytes up to which the command is shown: a part of it would not run.
const COMMAND_ROOM: usize = 4_000;
/// The longest text in characters that is shown whole.
const LONGEST: usize = 300;
/// The rows of a sample that are shown.
const SAMPLE: usize = 3;
/// The lines of a list that are shown.
const LIST: usize = 25;

impl ReportFormat for Markdown {
    fn id(&self) -> &'static str {
        "markdown"
    }

    fn file_name(&self) -> &'static str {
        "report.md"
    }

    fn summary(&self) -> &'static str {
        "for a comment on a pull request; long lists are cut, and say so"
    }

    fn render(&self, report: &Report, out: &mut dyn io::Write) -> Result<(), RenderError> {
        let mut page = Page { text: head(report), left_out: Vec::new() };
        for scenario in &report.scenarios {
            page.add(scenario, "sides", &sides(report, scenario));
            page.add(scenario, "migrations", &history_of(scenario));
            page.add(scenario, "differences", &differences(scenario));
            page.add(scenario, "steps", &steps(scenario));
            page.add(scenario, "checks", &checks(scenario));
            page.add(scenario, "findings", &findings(scenario));
            page.add(scenario, "probes", &probes(scenario));
            page.add(scenario, "loss ledger", &ledger(scenario));
            page.add(scenario, "not checked", &unchecked(scenario));
            page.add(scenario, "files", &files(scenario));
        }
        page.text.push_str(&foot(report, &page.left_out));
        Ok(out.write_all(page.text.as_bytes())?)
    }
}

struct Page {
    text: String,
    left_out: Vec<String>,
}

impl Page {
    fn add(&mut self, scenario: &ScenarioReport, section: &str, text: &str) {
        if self.text.len() + text.len() <= ROOM {
            self.text.push_str(text);
        } else {
            self.left_out.push(format!("{section} of {}", escape(&scenario.name)));
        }
    }
}

/// Text (lines broken by `<br>`) in which no character means anything to Markdown or HTML, nobody is mentioned and nothing linked.
fn escape(raw: &str) -> String {
    let visible = prose::visible_lines(raw);
    let chars: Vec<char> = visible.chars().take(LONGEST + 1).collect();
    let mut text = String::new();
    let word = |at: Option<&char>| at.is_some_and(|c| c.is_alphanumeric());
    for (at, &c) in chars.iter().take(LONGEST).enumerate() {
        let next = chars.get(at + 1);
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '|' => text.push_str("&#124;"),
            '\n' => text.push_str("<br>"),
            // A space without width keeps `@name` and `#12` from becoming links; a backslash alone does not.
            '@' => text.push_str("@&#8203;"),
            '#' => text.push_str("\\#&#8203;"),
            '_' if at > 0 && word(chars.get(at - 1)) && word(next) => text.push('_'),
            ':' if next == Some(&'/') => text.push_str("\\:"),
            '.' if text.ends_with("www") => text.push_str("\\."),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '$' => text.extend(['\\', c]),
            _ => text.push(c),
        }
    }
    if chars.len() > LONGEST {
        text.push('…');
    }
    text
}

/// A code span, fenced by more backticks than it holds. Not for tables, where a bar would end the cell.
fn code(raw: &str) -> String {
    let visible = prose::visible(raw);
    let mut text: String = visible.chars().take(LONGEST).collect();
    if text.len() < visible.len() {
        text.push('…');
    }
    let fence = fence(&text, 1);
    let edge = |c| matches!(c, ' ' | '`');
    let pad = if text.is_empty() || text.starts_with(edge) || text.ends_with(edge) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// More backticks in a row than the text holds, and no fewer than `least`.
fn fence(text: &str, least: usize) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(least.max(longest + 1))
}

fn mark(word: &str) -> &'static str {
    match word {
        "passed" | "pass" => "✅",
        "failed" | "fail" => "❌",
        "accepted" => "☑️",
        "skipped" => "⏭️",
        _ => "⚠️",
    }
}

fn head(report: &Report) -> String {
    let (coverage, verdict) = (prose::coverage_line(report), report.verdict.to_string());
    let mut text = format!("**Checked:** {coverage}\n\n");
    text.push_str(&format!("# {} Verdict: {verdict}\n\n{}\n", mark(&verdict), prose::verdict_sentence(report)));
    text.push_str(&list(prose::reasons(report).iter().map(|reason| escape(reason))));
    text
}

fn sides(report: &Report, scenario: &ScenarioReport) -> String {
    let title = format!("\n## {} {}\n\n", escape(&scenario.title), code(&scenario.name));
    if let Some(reason) = facts::skipped(scenario) {
        return format!("{title}{} skipped: {}\n", mark("skipped"), escape(&reason));
    }
    let sides =
        facts::sides(scenario).into_iter().map(|(name, side)| format!("- {name}: {}\n", escape(&facts::side(side))));
    let sides: String = sides.collect();
    let mut own = String::new();
    if report.scenarios.len() > 1 {
        let figures = prose::figures(&prose::scenario_shares(&scenario.coverage));
        let (verdict, took) = (scenario.verdict.to_string(), facts::took(scenario));
        own = format!("{} **{verdict}** after {took}, checked: {figures}\n\n", mark(&verdict));
    }
    if prose::expects_failure(scenario) {
        own.push_str("What failed here was expected by the scenario.\n\n");
    }
    if let Some(said) = facts::preflight(scenario) {
        own.push_str(&format!("Preflight: {said}.\n\n"));
    }
    format!("{title}{own}{sides}")
}

/// Every migration in a line, and the chain.
fn history_of(scenario: &ScenarioReport) -> String {
    let Some(of) = &scenario.history else { return String::new() };
    let chain = of.chain.as_ref().map(|chain| {
        let (line, lines) = history::chain(chain, history::SHORT);
        format!("\n{}\n{}", escape(&line), list(lines.iter().map(|line| escape(line))))
    });
    let stale = section("Acceptances that accept nothing", list(history::stale(of).iter().map(|line| escape(line))));
    let migrations = history::migrations(of, history::SHORT);
    let number = migrations.len();
    let rows = migrations.into_iter().map(|one| {
        let outcome = format!("{} {}", mark(one.word), escape(&one.came_to));
        let what = escape(&one.footprint.line());
        format!("| {} | {outcome} | {} | {} | {what} |\n", escape(&one.name), one.up, one.down)
    });
    let unknown = footprint::unknown_locks(of);
    let unknown = section("Locks that are not known", list(unknown.iter().map(|line| escape(line))));
    let header = "| migration | came to | up | down | locks, rewrites and sizes |\n|---|---|--:|--:|---|\n";
    let (tally, chain) = (escape(&history::tally(of)), chain.unwrap_or_default());
    let head = format!("\n### Migrations\n\n{tally}\n{chain}{stale}{unknown}");
    format!("{head}{}", folded_table("All migrations", number, header, rows))
}

/// What differs, of each migration that is not in order.
fn differences(scenario: &ScenarioReport) -> String {
    let Some(of) = &scenario.history else { return String::new() };
    let told = history::migrations(of, history::SHORT).into_iter().filter(|one| one.is_told && !one.lines.is_empty());
    let items = told.map(|one| {
        let mut item = format!("{} **{}** {}", mark(one.word), escape(&one.name), escape(&one.came_to));
        for line in one.lines.iter().take(LIST) {
            item.push_str(&format!("\n  - {}", escape(line)));
        }
        if one.lines.len() > LIST {
            item.push_str(&format!("\n  - … and {} more, see report.html", one.lines.len() - LIST));
        }
        item
    });
    section("What differs", list(items))
}

fn steps(scenario: &ScenarioReport) -> String {
    let rows = scenario.steps.iter().map(StepFacts::from).map(|step| {
        let outcome = told(step.outcome, step.reason.as_deref());
        format!("| {} | {outcome} | {} | {} | {} |\n", escape(&step.step), step.rows, step.time, step.rate)
    });
    table("Steps", "| step | outcome | rows | time | rate |\n|---|---|--:|--:|--:|\n", rows)
}

fn checks(scenario: &ScenarioReport) -> String {
    let rows = scenario.checks.iter().map(CheckFacts::from).map(|check| {
        let outcome = told(check.outcome, check.reason.as_deref());
        format!("| {} | {} | {outcome} | {} | {} |\n", escape(&check.check), check.stage, check.findings, check.time)
    });
    table("Checks", "| check | stage | outcome | findings | time |\n|---|---|---|---|--:|\n", rows)
}

fn told(outcome: &str, reason: Option<&str>) -> String {
    let reason = reason.map(|reason| format!(": {}", escape(reason))).unwrap_or_default();
    format!("{} {outcome}{reason}", mark(outcome))
}

fn findings(scenario: &ScenarioReport) -> String {
    let items = facts::findings(scenario).into_iter().map(|(check, finding)| {
        let mut item = format!("**{}** {}: {}", finding.severity, code(&check), escape(&prose::finding(finding)));
        for cause in causes(finding) {
            item.push_str(&format!("\n  - {}", escape(&cause)));
        }
        for row in finding.sample.iter().take(SAMPLE) {
            item.push_str(&format!("\n  - {}", code(&prose::evidence(row))));
        }
        if finding.sample.len() > SAMPLE {
            item.push_str(&format!("\n  - … and {} more, see report.html", finding.sample.len() - SAMPLE));
        }
        item
    });
    section("Findings", list(items))
}

fn probes(scenario: &ScenarioReport) -> String {
    let items = probes::lines(scenario).into_iter().map(|[name, seen]| format!("{}: {}", escape(&name), escape(&seen)));
    section("Probes", list(items))
}

fn ledger(scenario: &ScenarioReport) -> String {
    let items = scenario.loss_ledger.iter().map(|entry| {
        let column = escape(&format!("{} {}.{}", entry.side, entry.table, entry.column));
        format!("{column}: {}, {}", escape(&entry.rule), prose::plural(entry.rows, "row", "rows"))
    });
    folded("Loss ledger: rules that made unlike values equal", scenario.loss_ledger.len(), list(items))
}

fn unchecked(scenario: &ScenarioReport) -> String {
    let items = scenario.unchecked.iter();
    let items =
        items.map(|thing| format!("{} {}: {}", escape(&thing.aspect), escape(&thing.subject), escape(&thing.reason)));
    section("Not checked", list(items))
}

fn files(scenario: &ScenarioReport) -> String {
    let items = scenario.files.iter().map(|file| {
        let sum = |sum: &Option<String>| sum.as_ref().map_or_else(|| facts::NONE.to_owned(), |sum| code(sum));
        let (before, after) = (sum(&file.sha256_before), sum(&file.sha256_after));
        let path = code(&file.path.display().to_string());
        format!("{path} {}; SHA-256 before {before}, after {after}", facts::fate(file))
    });
    folded("Files of yours", scenario.files.len(), list(items))
}

fn foot(report: &Report, left_out: &[String]) -> String {
    let mut text = String::new();
    text.push_str(&section("Notes", list(report.run.notes.iter().map(|note| escape(note)))));
    text.push_str(&section("Left out for want of room, see report.html", list(left_out.iter().cloned())));
    let mut repeat = prose::visible(&report.run.repeat);
    if repeat.len() > COMMAND_ROOM {
        repeat = "# too long for a comment, see report.html".into();
    }
    let fence = fence(&repeat, 3);
    let run = &report.run;
    text.push_str(&format!("\nRepeat this run (seed {}):\n\n{fence}sh\n{repeat}\n{fence}\n\n", run.root_seed));
    let cut = if run.finished { "" } else { ", cut short" };
    let time = prose::duration(run.duration_ms);
    let [id, at, version] = [run.id.as_str(), &run.started_at, &run.tool_version].map(escape);
    text.push_str(&format!("<sub>Rehearse {version}, run {id}, {at}, {time}{cut}</sub>\n"));
    text
}

/// A list, cut where it gets long, with the number of lines that are not shown.
fn list(items: impl Iterator<Item = String>) -> String {
    let (mut text, mut shown, mut more) = (String::new(), 0, 0);
    for item in items {
        if shown < LIST && text.len() < LIST_ROOM {
            // `1.` or `-` would begin a list inside the list's item.
            let lists = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '=');
            text.push_str(if item.starts_with(lists) { "\n- &#8203;" } else { "\n- " });
            text.push_str(&item);
            shown += 1;
        } else {
            more += 1;
        }
    }
    if more > 0 {
        text.push_str(&format!("\n- … and {} more, see report.html", prose::count(more)));
    }
    if text.is_empty() { text } else { format!("{text}\n") }
}

fn section(title: &str, body: String) -> String {
    if body.is_empty() { body } else { format!("\n### {title}\n{body}") }
}

fn folded(title: &str, count: usize, body: String) -> String {
    if body.is_empty() {
        return body;
    }
    format!("\n<details><summary>{title} ({})</summary>\n{body}\n</details>\n", prose::count(count as u64))
}

fn folded_table(title: &str, count: usize, header: &str, rows: impl Iterator<Item = String>) -> String {
    let rows: String = rows.collect();
    folded(title, count, if rows.is_empty() { rows } else { format!("\n{header}{rows}") })
}

fn table(title: &str, header: &str, rows: impl Iterator<Item = String>) -> String {
    let rows: String = rows.collect();
    if rows.is_empty() { rows } else { section(title, format!("\n{header}{rows}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_means_nothing() {
        assert_eq!(escape("<b>|`x`\n@you #1"), "&lt;b&gt;&#124;\\`x\\`<br>@&#8203;you \\#&#8203;1");
        assert_eq!(escape("row_count _em_ *b*"), "row_count \\_em\\_ \\*b\\*");
        assert_eq!(escape("https://x www.y"), "https\\://x www\\.y");
    }

    #[test]
    fn code_spans_hold_any_backticks() {
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("\u{1b}[31m"), "`\\u{1b}[31m`");
    }
}
