//! What rehearsing somebody's whole history of migrations came to, migration by migration.

use std::{fmt, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EventKind, Finding, Severity, Unchecked, Worsened, footprint::Footprint};

/// What acceptances call all migrations in a row.
pub const CHAIN: &str = "chain";

/// A history under rehearsal: which folder was read as what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryReport {
    /// The folder.
    pub folder: PathBuf,
    /// The layout that it was read as.
    pub layout: String,
    /// How many migrations it has.
    pub total: u64,
    /// How many of them were asked for.
    pub selected: u64,
    /// The tool's own tables, which are kept as the tool would and compared by a rule of their own.
    pub bookkeeping: Vec<String>,
    /// Each migration that was asked for, in the tool's order.
    #[serde(default)]
    pub migrations: Vec<MigrationReport>,
    /// All of them down in a row, and up again.
    #[serde(default)]
    pub chain: Option<ChainReport>,
    /// Acceptances that accept nothing.
    #[serde(default)]
    pub stale: Vec<StaleAcceptance>,
    /// The revision of the folder's repository with which it was compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// What databases that stand at that revision do not see, or only late.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disorder: Vec<Disorder>,
    /// What of the comparison with that revision was not made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unchecked: Vec<Unchecked>,
}

impl HistoryReport {
    /// What is told of its migrations, of all in a row, and of what was accepted.
    pub(super) fn accept(&mut self, kind: &EventKind) {
        match kind {
            EventKind::MigrationRehearsed(migration) => self.migrations.push((**migration).clone()),
            EventKind::ChainRehearsed(chain) => self.chain = Some((**chain).clone()),
            EventKind::AcceptanceStale(stale) => self.stale.push(stale.clone()),
            _ => {}
        }
    }
}

/// Something that a database that stands at an earlier revision does not see, or only late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Disorder {
    /// The migration.
    pub migration: String,
    /// The file of its way up, relative to the folder.
    pub file: PathBuf,
    /// What kind of disorder it is.
    pub kind: DisorderKind,
    /// How grave that is.
    pub severity: Severity,
    /// The same in words: `was changed after main: a database that applied it does not see the change`.
    pub told: String,
    /// Why this is known and accepted.
    pub accepted: Option<Accepted>,
}

impl Disorder {
    /// How grave it is, given that it may be accepted.
    pub const fn severity(&self) -> Severity {
        if self.accepted.is_some() { Severity::Note } else { self.severity }
    }
}

/// A kind of disorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisorderKind {
    /// It came in before a migration that was there already.
    OutOfOrder,
    /// It was changed, renamed or taken away after databases may have applied it.
    ChangedAfter,
}

impl DisorderKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::OutOfOrder, Self::ChangedAfter];

    /// Its word in reports and acceptance files: `out_of_order`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::OutOfOrder => "out_of_order",
            Self::ChangedAfter => "changed_after",
        }
    }

    /// The kind of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// What became of one migration on its own: up, down, up again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MigrationReport {
    /// The version as the tool keeps it.
    pub version: String,
    /// The name of its file or folder without endings.
    pub name: String,
    /// The file of its way up, relative to the folder.
    pub file: PathBuf,
    /// What it came to.
    pub class: MigrationClass,
    /// What it came to on a database without rows, where rows kept it from going up.
    pub without_rows: Option<MigrationClass>,
    /// What the server said, with file and line, where something failed.
    pub error: Option<String>,
    /// What differed after the way down, and after the second way up.
    pub findings: Vec<Finding>,
    /// What is wrong with the state behind the way up, and was not so before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worsened: Vec<Worsened>,
    /// What of it was not checked.
    pub unchecked: Vec<Unchecked>,
    /// Moments of creation inside definitions that were taken for equal.
    pub masked: u64,
    /// Why this is known and accepted.
    pub accepted: Option<Accepted>,
    /// Rows in the database when it went up.
    pub rows: u64,
    /// How long the way up took, in milliseconds.
    pub up_ms: Option<u64>,
    /// How long the way down took, in milliseconds.
    pub down_ms: Option<u64>,
    /// The locks that the way up held at its end, the tables that it rewrote, and the bytes before and after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footprint: Option<Footprint>,
    /// How long all of it took, the comparisons too, in milliseconds.
    pub duration_ms: u64,
}

impl MigrationReport {
    /// How grave what it came to is, its class and what it made worse; `None` for a clean one, and for one that was not
    /// rehearsed.
    pub fn severity(&self) -> Option<Severity> {
        self.worsened.iter().map(Worsened::severity).max().max(self.class_severity())
    }

    /// Names things as not checked, each once.
    pub fn leave_unchecked(&mut self, things: &[Unchecked]) {
        for thing in things {
            if !self.unchecked.contains(thing) {
                self.unchecked.push(thing.clone());
            }
        }
    }

    /// How grave its class alone is.
    pub const fn class_severity(&self) -> Option<Severity> {
        match (self.class.severity(), &self.accepted) {
            (Some(_), Some(_)) => Some(Severity::Note),
            (severity, _) => severity,
        }
    }
}

/// What a migration came to. The gravest thing gives it its class; findings tell the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MigrationClass {
    /// The way down brings everything back, and the second way up gives the same.
    Restores,
    /// The same, but for the order of columns.
    ColumnOrder,
    /// The same, but for an extension that stays.
    LeftExtension,
    /// There is no way down.
    NoDown,
    /// It was not rehearsed.
    Unrehearsed,
    /// The second way up fails or gives something else than the first.
    ReapplyDiffers,
    /// An object is lost, left over or changed after the way down, or rows are left over.
    Differs,
    /// Rows or values are lost.
    LosesRows,
    /// The way down has no statement, and something to undo.
    BlankDown,
    /// The way down raises an error.
    DownFails,
    /// What the tool runs to verify the way up raises an error.
    VerifyFails,
    /// The way up raises an error where there are rows, and none without.
    FailsOnlyWithRows,
    /// The way up raises an error.
    UpFails,
}

impl MigrationClass {
    /// Every class, the gravest last.
    pub const ALL: [Self; 13] = [
        Self::Restores,
        Self::ColumnOrder,
        Self::LeftExtension,
        Self::NoDown,
        Self::Unrehearsed,
        Self::ReapplyDiffers,
        Self::Differs,
        Self::LosesRows,
        Self::BlankDown,
        Self::DownFails,
        Self::VerifyFails,
        Self::FailsOnlyWithRows,
        Self::UpFails,
    ];

    /// Its word in reports and acceptance files: `loses_rows`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Restores => "restores",
            Self::ColumnOrder => "column_order",
            Self::LeftExtension => "left_extension",
            Self::NoDown => "no_down",
            Self::Unrehearsed => "unrehearsed",
            Self::ReapplyDiffers => "reapply_differs",
            Self::Differs => "differs",
            Self::LosesRows => "loses_rows",
            Self::BlankDown => "blank_down",
            Self::DownFails => "down_fails",
            Self::VerifyFails => "verify_fails",
            Self::FailsOnlyWithRows => "fails_only_with_rows",
            Self::UpFails => "up_fails",
        }
    }

    /// What it says of a migration, as a verb phrase.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Restores => "restores",
            Self::ColumnOrder => "restores but for column order",
            Self::LeftExtension => "restores but leaves an extension",
            Self::NoDown => "has no way down",
            Self::Unrehearsed => "was not rehearsed",
            Self::ReapplyDiffers => "gives something else the second time",
            Self::Differs => "differs after the way down",
            Self::LosesRows => "loses rows or values",
            Self::BlankDown => "has a blank way down and something to undo",
            Self::DownFails => "fails on the way down",
            Self::VerifyFails => "fails its own verification",
            Self::FailsOnlyWithRows => "fails where there are rows",
            Self::UpFails => "fails on the way up",
        }
    }

    /// How grave it is.
    pub const fn severity(self) -> Option<Severity> {
        match self {
            Self::Restores | Self::Unrehearsed => None,
            Self::ColumnOrder | Self::LeftExtension | Self::NoDown => Some(Severity::Warning),
            Self::ReapplyDiffers
            | Self::Differs
            | Self::LosesRows
            | Self::BlankDown
            | Self::DownFails
            | Self::VerifyFails
            | Self::FailsOnlyWithRows
            | Self::UpFails => Some(Severity::Error),
        }
    }
}

impl fmt::Display for MigrationClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why something is known and accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    /// The reason.
    pub why: String,
    /// The last day on which that holds, as in `2027-01-31`.
    pub until: Option<String>,
}

/// An acceptance that accepts nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StaleAcceptance {
    /// The migration that it names.
    pub migration: String,
    /// The class that it accepts.
    pub class: String,
    /// What is wrong with it: that it expired, or what the migration came to instead.
    pub problem: String,
    /// Where it stands: `accept.toml:7`.
    pub place: String,
}

/// All migrations down in a row, and up again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChainReport {
    /// How many migrations the chain has.
    pub migrations: u64,
    /// How many went down.
    pub downs: u64,
    /// Where the way down ended before its end, and why.
    pub stopped: Option<ChainStop>,
    /// How the bottom differs from what was there before the first of them.
    pub bottom: Vec<Finding>,
    /// Rows and values from before the first of them that are not there at the bottom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bottom_rows: Vec<Finding>,
    /// How many went up again.
    pub ups: u64,
    /// Where the second way up ended before its end, and why.
    pub stopped_again: Option<ChainStop>,
    /// How the top differs from what it was.
    pub top: Vec<Finding>,
    /// Rows and values that the ways up alone leave, and that are not there at the top.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub top_rows: Vec<Finding>,
    /// Why this is known and accepted.
    pub accepted: Option<Accepted>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// Where a chain ended before its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChainStop {
    /// The migration.
    pub migration: String,
    /// Why: what the server said, or that there is no way down.
    pub why: String,
    /// Whether something failed; a migration without a way down ends a chain, too.
    pub failed: bool,
}

impl ChainReport {
    /// How grave what it came to is; `None` for a clean one.
    pub fn severity(&self) -> Option<Severity> {
        let failed = [&self.stopped, &self.stopped_again].into_iter().flatten().any(|stop| stop.failed);
        let found = self.bottom.iter().chain(&self.top).chain(self.rows()).map(|finding| finding.severity);
        let gravest = found.filter(|severity| *severity > Severity::Note).max();
        let gravest = if failed { Some(Severity::Error) } else { gravest };
        if self.accepted.is_some() { gravest.map(|_| Severity::Note) } else { gravest }
    }

    /// What became of rows, at the bottom and at the top.
    pub fn rows(&self) -> impl Iterator<Item = &Finding> {
        self.bottom_rows.iter().chain(&self.top_rows)
    }

    /// What it came to, as a verb phrase: its schema, and apart from that its rows.
    pub fn sentence(&self) -> String {
        let loses = self.rows().any(|finding| finding.severity == Severity::Error);
        format!("{}{}", self.of_schema(), if loses { "; loses rows or values" } else { "" })
    }

    fn of_schema(&self) -> String {
        let worst = |findings: &[Finding]| findings.iter().map(|finding| finding.severity).max();
        match (&self.stopped, worst(&self.bottom), &self.stopped_again, worst(&self.top)) {
            (Some(stop), ..) => {
                format!("stops at {} after {} of {} downs", stop.migration, self.downs, self.migrations)
            }
            (None, Some(Severity::Error), ..) => "differs at the bottom".to_owned(),
            (None, _, Some(stop), _) => format!("stops at {} on the way up again", stop.migration),
            (None, _, None, Some(Severity::Error)) => "differs at the top after going up again".to_owned(),
            (None, Some(Severity::Warning), ..) | (None, _, _, Some(Severity::Warning)) => {
                "restores but for column order or an extension".to_owned()
            }
            _ => "restores, and gives the same again".to_owned(),
        }
    }
}
