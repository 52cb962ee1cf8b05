//! `database.statistics.json`: how many rows each table has, before and after.

use std::{collections::BTreeMap, io};

use serde::Serialize;

use super::{RenderError, ReportFormat};
use crate::model::{
    Report, Side, Stage,
    report::{ScenarioReport, StageFingerprints},
};

/// Counts of rows for another program.
pub struct Statistics;

/// Version of the file's form.
const FORMAT_VERSION: u32 = 1;

#[derive(Serialize)]
struct File<'r> {
    format_version: u32,
    run: &'r str,
    rehearsals: Vec<Rehearsal<'r>>,
}

#[derive(Serialize)]
struct Rehearsal<'r> {
    name: &'r str,
    /// The source, before anything was done.
    before: Option<State>,
    /// The target, behind the migration.
    after: Option<State>,
    /// Each side at each stage.
    stages: Vec<State>,
}

/// One side at one stage.
#[derive(Clone, Serialize)]
pub(super) struct State {
    pub stage: String,
    pub side: String,
    pub database_type: String,
    pub database_version: String,
    pub table_counts: BTreeMap<String, u64>,
    pub total_records: u64,
}

impl ReportFormat for Statistics {
    fn id(&self) -> &'static str {
        "statistics"
    }

    fn file_name(&self) -> &'static str {
        "database.statistics.json"
    }

    fn summary(&self) -> &'static str {
        "how many rows each table has before and after, for another program"
    }

    fn render(&self, report: &Report, out: &mut dyn io::Write) -> Result<(), RenderError> {
        let rehearsals = report.scenarios.iter().map(|scenario| Rehearsal {
            name: &scenario.name,
            before: state(scenario, Stage::Baseline, Side::Source),
            after: state(scenario, Stage::Migrated, Side::Target),
            stages: scenario.fingerprints.iter().map(|taken| of(scenario, taken)).collect(),
        });
        let file =
            File { format_version: FORMAT_VERSION, run: report.run.id.as_str(), rehearsals: rehearsals.collect() };
        serde_json::to_writer_pretty(&mut *out, &file)
            .map_err(|source| RenderError::Form { format: self.id(), source: source.into() })?;
        Ok(out.write_all(b"\n")?)
    }
}

/// One side at one stage, where that was recorded.
pub(super) fn state(scenario: &ScenarioReport, stage: Stage, side: Side) -> Option<State> {
    let taken = scenario.fingerprints.iter().find(|taken| (taken.stage, taken.side) == (stage, side))?;
    Some(of(scenario, taken))
}

fn of(scenario: &ScenarioReport, taken: &StageFingerprints) -> State {
    let known = *scenario.sides().get(taken.side);
    let table_counts: BTreeMap<String, u64> =
        taken.tables.iter().map(|table| (table.table.to_string(), table.fingerprint.rows)).collect();
    State {
        stage: taken.stage.to_string(),
        side: taken.side.to_string(),
        database_type: known.map(|side| side.engine.clone()).unwrap_or_default(),
        database_version: known.map(|side| side.version.clone()).unwrap_or_default(),
        total_records: table_counts.values().sum(),
        table_counts,
    }
}
