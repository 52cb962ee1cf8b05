//! `migration.log.md`: the document of a migration, to be signed and kept.

use std::{fmt::Write as _, io};

use super::{RenderError, ReportFormat, prose, statistics, statistics::State};
use crate::model::{
    Outcome, Report, Severity, Side, Stage,
    event::Direction,
    report::{ScenarioReport, StepReport},
};

/// The log of a migration.
pub struct Log;

impl ReportFormat for Log {
    fn id(&self) -> &'static str {
        "log"
    }

    fn file_name(&self) -> &'static str {
        "migration.log.md"
    }

    fn summary(&self) -> &'static str {
        "the log of the migration with lines for signatures"
    }

    fn render(&self, report: &Report, out: &mut dyn io::Write) -> Result<(), RenderError> {
        let mut text = format!("# Migration log\n\nChecked: {}\n", prose::coverage_line(report));
        if !report.run.notes.is_empty() {
            let notes: Vec<String> = report.run.notes.iter().map(|note| format!("- {}\n", plain(note))).collect();
            text += &format!("\nNotes:\n\n{}", notes.concat());
        }
        for scenario in &report.scenarios {
            // A String takes everything.
            let _ = of(report, scenario, &mut text);
        }
        Ok(out.write_all(text.as_bytes())?)
    }
}

/// A text without what Markdown takes for more than that.
fn plain(text: &str) -> String {
    prose::visible(text).replace(['|', '`', '<', '#'], " ")
}

fn of(report: &Report, scenario: &ScenarioReport, text: &mut String) -> std::fmt::Result {
    writeln!(text, "\n## {}\n", plain(&scenario.title))?;
    writeln!(text, "- Date: {}", report.run.started_at)?;
    let engine =
        |side| (*scenario.sides().get(side)).map_or("?".to_owned(), |one| format!("{} {}", one.engine, one.version));
    writeln!(text, "- Migration: {} to {}", plain(&engine(Side::Source)), plain(&engine(Side::Target)))?;
    writeln!(text, "- Reason: {}", scenario.reason.as_deref().map_or("not stated".to_owned(), plain))?;
    writeln!(text, "- Run: {} ({}), verdict {}", report.run.id, plain(&scenario.name), scenario.verdict)?;
    if let Some(reason) = &scenario.skipped {
        return writeln!(text, "- Not done: {}", plain(reason));
    }
    let states = [
        ("State before", statistics::state(scenario, Stage::Baseline, Side::Source)),
        ("State after", statistics::state(scenario, Stage::Migrated, Side::Target)),
    ];
    for (title, state) in states {
        writeln!(text, "\n### {title}\n")?;
        match state {
            None => writeln!(text, "Not recorded.")?,
            Some(State { database_type, table_counts, total_records, .. }) => {
                writeln!(text, "| table of {database_type} | records |\n|---|---:|")?;
                for (table, rows) in table_counts {
                    writeln!(text, "| {} | {} |", plain(&table), prose::count(rows))?;
                }
                writeln!(text, "| all | {} |", prose::count(total_records))?;
            }
        }
    }
    writeln!(text, "\n### Steps\n")?;
    for (number, step) in steps(scenario, "migrate/").enumerate() {
        let took = prose::duration(step.duration_ms);
        let (name, kind) = (plain(&step.name), &step.kind);
        let rows = if step.rows > 0 { format!(", {} rows", prose::count(step.rows)) } else { String::new() };
        writeln!(text, "{}. {name} ({kind}): {}{rows}, {took}", number + 1, step.outcome.word())?;
    }
    writeln!(text, "\n### Issues\n")?;
    let mut issues: Vec<String> = scenario.reasons.clone();
    for check in &scenario.checks {
        let grave = check.findings.iter().filter(|finding| finding.severity > Severity::Note);
        issues.extend(grave.map(|finding| format!("{} ({}): {}", check.id, check.stage, prose::finding(finding))));
    }
    issues.extend(
        scenario.unchecked.iter().map(|one| format!("not checked: {} {}: {}", one.aspect, one.subject, one.reason)),
    );
    if issues.is_empty() {
        writeln!(text, "None.")?;
    }
    issues.iter().try_for_each(|issue| writeln!(text, "- {}", plain(issue)))?;
    writeln!(text, "\n### Rollback\n\n{}", rollback(scenario))?;
    let line = "_".repeat(30);
    writeln!(text, "\n### Signatures\n\nMigrated by: {line} Date: {line}\n\nVerified by: {line} Date: {line}")
}

fn steps<'r>(scenario: &'r ScenarioReport, of: &'static str) -> impl Iterator<Item = &'r StepReport> {
    scenario.steps.iter().filter(move |step| step.id.starts_with(of))
}

/// Whether there is a way back, and where it begins.
fn rollback(scenario: &ScenarioReport) -> String {
    let proof = scenario.checks.iter().rfind(|check| check.stage == Stage::RolledBack);
    let is_back = |step: &&StepReport| step.direction == Direction::Back;
    let went = scenario.steps.iter().filter(is_back).count();
    let backups: Vec<&str> = steps(scenario, "migrate/")
        .filter(|step| step.kind == "backup" && step.outcome == Outcome::Passed)
        .map(|step| step.name.as_str())
        .collect();
    let kept = match backups.as_slice() {
        [] => String::new(),
        names => format!(
            " Backups are made by: {}; the notes tell where, and they stay as long as the run does (`--keep`).",
            names.join(", ")
        ),
    };
    match proof {
        Some(check) if check.outcome == Outcome::Passed => {
            let rows = "every row and object of both sides was as before";
            format!(
                "Available: yes. It was rehearsed in {} and proven: {rows}.{kept}",
                prose::plural(went as u64, "step", "steps")
            )
        }
        Some(check) => format!("Available: no. It was rehearsed, and its proof {}.{kept}", check.outcome.word()),
        None => format!("Available: not known. It was not rehearsed.{kept}"),
    }
}
