//! Floor 4: checks, one file each: metadata and a function.
//!
//! A check looks at one stage through fresh read-only sessions and gives back findings, what it could not look at, its
//! part of the loss ledger and its part of the coverage. It never prints and never decides the verdict. A new check is
//! one file and one line in [`ALL`]; lists, `explain`, README and reports read its metadata, and a test demands that a
//! planted defect trips it.

pub mod accounted;
pub mod checksum;
pub mod defects;
pub mod difference;
pub mod foreign_key;
pub mod integrity;
pub mod mapping;
pub mod no_trace;
pub mod not_null;
pub mod orphan;
mod pace;
pub mod preflight;
pub mod probe;
pub mod readers;
pub mod reapply;
pub mod row_count;
pub mod schema;
pub mod sequence;
pub mod source;
mod structure;
pub mod unique;
mod unreadable;
pub mod uuid_type;

use std::{collections::BTreeMap, ops::ControlFlow, path::PathBuf};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    canon::{
        Cell, RowSink,
        comparison::{Comparison, Derived},
    },
    engine::{EngineError, Rowset},
    migrate::LeftOut,
    model::{
        Catalogue, Coverage, Evidence, Finding, LossEntry, Redaction, Severity, Side, Sides, Snapshot, Stage,
        TableName, Unchecked, finding::KeyPart, probe::Probed,
    },
};
pub use preflight::Surroundings;
pub use probe::Probe;
pub use readers::{Manner, Readers};

/// Every check of what a migration made, in the order in which they run.
pub const ALL: &[&dyn Check] = &[
    &schema::Schema,
    &row_count::RowCount,
    &accounted::Accounted,
    &checksum::Checksum,
    &not_null::NotNull,
    &unique::Unique,
    &foreign_key::ForeignKey,
    &orphan::Orphan,
    &uuid_type::UuidType,
    &sequence::Sequence,
    &mapping::Mapping,
    &integrity::Integrity,
    &source::Source,
    &no_trace::NoTrace,
    &reapply::Reapply,
    &probe::Probes,
];

/// Those of the preflight too, which run first.
pub fn every() -> impl Iterator<Item = &'static dyn Check> {
    preflight::ALL.iter().chain(ALL).copied()
}

/// The check of this id.
pub fn by_id(id: &str) -> Option<&'static dyn Check> {
    every().find(|check| check.meta().id == id)
}

/// What a reader should know about a check.
#[derive(Debug)]
pub struct CheckMeta {
    /// Its id.
    pub id: &'static str,
    /// What it asserts, in one line.
    pub asserts: &'static str,
    /// Why that matters.
    pub why: &'static str,
    /// What to do about a finding.
    pub remedy: &'static str,
    /// An example of what trips it.
    pub example: &'static str,
    /// The stages at which it runs.
    pub stages: &'static [Stage],
}

/// A check.
#[async_trait]
pub trait Check: Sync {
    /// What a reader should know about it.
    fn meta(&self) -> &'static CheckMeta;

    /// Looks at the stage.
    ///
    /// # Errors
    /// If a database could not be asked; the check is then broken and the verdict inconclusive.
    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError>;
}

/// What a check may look at.
pub struct CheckContext<'a> {
    /// The stage.
    pub stage: Stage,
    /// Fresh read-only sessions of both sides.
    pub readers: Readers,
    /// The states recorded so far, this stage's included.
    pub snapshots: &'a BTreeMap<(Stage, Side), Snapshot>,
    /// Which rowsets are compared and how.
    pub derived: &'a Derived,
    /// The rows of comparisons, as far as an earlier check of this stage counted them.
    pub tally: Tally,
    /// What the migration itself said it does not carry: object and reason.
    pub not_carried: &'a [(String, String)],
    /// Rules by which steps held things to be the same.
    pub loss_ledger: &'a [LossEntry],
    /// Files that steps left out, and none took since.
    pub left_out: &'a [LeftOut],
    /// How rows' values may be shown.
    pub redaction: &'a Redaction,
    /// Sample rows a finding shows at most.
    pub sample: u32,
    /// What a check may take of this machine.
    pub resources: &'a Resources,
    /// Whether the migration may write to the source; where it may not, the source's file must stay as it is.
    pub writes_source: bool,
    /// Whether the migration is meant to leave the source otherwise than it was.
    pub changes_source: bool,
    /// What is around the databases.
    pub surroundings: &'a Surroundings,
    /// What the scenario asks of the system.
    pub probes: &'a [Probe],
    /// What was answered so far.
    pub probed: &'a [Probed],
}

/// What a check may take of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// Bytes of memory for rows that may differ; what is more goes to disk.
    pub memory_bytes: u64,
    /// Where it goes, into files without names.
    pub folder: PathBuf,
    /// Sessions by which each side is read at the same time, where its engine can share a snapshot among them.
    pub jobs: usize,
}

impl Resources {
    /// What is enough where nothing else is said: 512 MiB, and as many sessions as have a core for themselves when both
    /// sides and their servers are on this machine.
    pub fn usual(folder: PathBuf) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { memory_bytes: 512 << 20, folder, jobs: (cores / 4).max(1) }
    }
}

/// Rows on both sides of a comparison, by its position.
pub type Tally = BTreeMap<usize, Sides<u64>>;

/// A sink that counts rows and nothing else.
struct Rows;

impl RowSink for Rows {
    fn cell(&mut self, _: usize, _: Cell<'_>) {}

    fn end_row(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl CheckContext<'_> {
    /// How many rows a comparison has on one side: as recorded at this stage, or counted now.
    ///
    /// # Errors
    /// If they have to be counted and cannot be.
    pub async fn rows_compared(&mut self, side: Side, comparison: &Comparison) -> Result<u64, EngineError> {
        if comparison.terms.get(side).is_plain() {
            return self.rows(side, comparison.table(side)).await;
        }
        self.readers.side(side)?.scan(&Rowset::compared(comparison, side, Vec::new()), &mut Rows).await
    }

    /// Whether a rowset has at least one row.
    ///
    /// # Errors
    /// If the side cannot be asked.
    pub async fn has_row(&mut self, side: Side, mut rowset: Rowset) -> Result<bool, EngineError> {
        rowset.terms.first_only = true;
        Ok(self.readers.side(side)?.scan(&rowset, &mut Rows).await? > 0)
    }

    /// How many rows a table of one side has: as recorded at this stage, or counted now.
    ///
    /// # Errors
    /// If they have to be counted and cannot be.
    pub async fn rows(&mut self, side: Side, table: &TableName) -> Result<u64, EngineError> {
        match self.snapshot(self.stage, side).tables.get(table) {
            Some(recorded) if recorded.unreadable.is_none() => Ok(recorded.rows.rows),
            _ => {
                let rowset = Rowset::of(table.clone(), Vec::new());
                self.readers.side(side)?.scan(&rowset, &mut Rows).await
            }
        }
    }

    /// The catalogue of one side at this stage, without what was left out on purpose.
    pub fn catalogue(&self, side: Side) -> &Catalogue {
        match self.stage {
            Stage::Migrated => self.derived.catalogues.get(side),
            _ => &self.snapshot(self.stage, side).catalogue,
        }
    }

    /// Both catalogues at this stage.
    pub fn catalogues(&self) -> Sides<&Catalogue> {
        Sides::from_fn(|side| self.catalogue(side))
    }

    /// A recorded state.
    ///
    /// # Panics
    /// If the runner did not record that stage before it ran a check that needs it, which the plan rules out.
    pub fn snapshot(&self, stage: Stage, side: Side) -> &Snapshot {
        self.snapshots.get(&(stage, side)).expect("the plan records a stage before the checks that look at it")
    }

    /// Sample rows from the values of named columns.
    pub fn evidence(&self, columns: &[String], rows: &[Vec<Option<String>>]) -> Vec<Evidence> {
        rows.iter()
            .map(|row| Evidence {
                key: columns
                    .iter()
                    .zip(row)
                    .map(|(column, value)| KeyPart {
                        column: column.clone(),
                        value: self.redaction.show(value.as_deref()),
                    })
                    .collect(),
                column: None,
                source: None,
                target: None,
            })
            .collect()
    }
}

/// What a check saw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Examined {
    /// Defects.
    pub findings: Vec<Finding>,
    /// What it could not look at.
    pub unchecked: Vec<Unchecked>,
    /// Rules that made unlike values equal.
    pub loss_ledger: Vec<LossEntry>,
    /// Its part of the coverage.
    pub coverage: Coverage,
    /// What probes saw.
    pub probed: Vec<Probed>,
    /// Why it had nothing to look at, where that is so.
    pub skipped: Option<String>,
}

impl Examined {
    /// Adds what was seen of another part.
    pub fn add(&mut self, other: Self) {
        let Self { findings, unchecked, loss_ledger, coverage, probed, skipped } = other;
        self.findings.extend(findings);
        self.unchecked.extend(unchecked);
        self.loss_ledger.extend(loss_ledger);
        self.coverage.add(&coverage);
        self.probed.extend(probed);
        self.skipped = self.skipped.take().or(skipped);
    }

    /// Whether a finding makes the check fail.
    pub fn has_failed(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}
