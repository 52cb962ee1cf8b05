//! What a check found.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CauseCount, RowChange, Side, TableName};

/// One defect that a check reports. Typed; the prose is made by the renderers from [`FindingKind::sentence`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// What is wrong.
    pub kind: FindingKind,
    /// How grave it is.
    pub severity: Severity,
    /// What it is about.
    pub subject: Subject,
    /// How many rows or objects it touches, exactly.
    pub total: u64,
    /// What the source (or the earlier stage) has: a figure, a type, a definition. Never a row's value.
    pub expected: Option<String>,
    /// What the target (or the later stage) has instead.
    pub found: Option<String>,
    /// Why values differ, for a check that looked for it: what the totals add up to is the finding's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<CauseCount>,
    /// For rows that are not what they were: which, where both states' rows were there to be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<RowChange>,
    /// A capped sample of the rows.
    pub sample: Vec<Evidence>,
}

impl Finding {
    /// A finding of severity error about one thing.
    pub const fn error(kind: FindingKind, subject: Subject, total: u64) -> Self {
        Self {
            kind,
            severity: Severity::Error,
            subject,
            total,
            expected: None,
            found: None,
            causes: Vec::new(),
            rows: None,
            sample: Vec::new(),
        }
    }

    /// The same finding with another severity.
    #[must_use]
    pub const fn at(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// States what was expected and what was found.
    #[must_use]
    pub fn because(mut self, expected: impl Into<String>, found: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self.found = Some(found.into());
        self
    }

    /// Adds why values differ.
    #[must_use]
    pub fn with_causes(mut self, causes: Vec<CauseCount>) -> Self {
        self.causes = causes;
        self
    }

    /// Adds sample rows.
    #[must_use]
    pub fn with_sample(mut self, sample: Vec<Evidence>) -> Self {
        self.sample = sample;
        self
    }
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; does not change the outcome.
    Note,
    /// Worth a look; does not change the outcome.
    Warning,
    /// The check failed.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// What a finding is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// The side that shows the defect, where it is one side's.
    pub side: Option<Side>,
    /// The table.
    pub table: Option<TableName>,
    /// The column or columns.
    pub columns: Vec<String>,
    /// The catalogue object, as `class:name`.
    pub object: Option<String>,
}

impl Subject {
    /// A table of one side.
    pub fn table(side: Side, table: &TableName) -> Self {
        Self { side: Some(side), table: Some(table.clone()), ..Self::default() }
    }

    /// Columns of a table of one side.
    pub fn columns(side: Side, table: &TableName, columns: &[String]) -> Self {
        Self { side: Some(side), table: Some(table.clone()), columns: columns.to_vec(), object: None }
    }

    /// A catalogue object of one side.
    pub fn object(side: Side, object: impl Into<String>) -> Self {
        Self { side: Some(side), object: Some(object.into()), ..Self::default() }
    }
}

/// `target users.email`, `source index:users.users_email_key`.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.side.map(|side| side.to_string()));
        match (&self.table, self.columns.as_slice()) {
            (Some(table), []) => parts.push(table.to_string()),
            (Some(table), [column]) => parts.push(format!("{table}.{column}")),
            (Some(table), columns) => parts.push(format!("{table}({})", columns.join(", "))),
            (None, _) => {}
        }
        parts.extend(self.object.clone());
        f.write_str(&parts.join(" "))
    }
}

/// What is wrong. One word each; `sentence` says it in prose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The two sides hold different numbers of rows.
    CountDiffers,
    /// Rows that are only in the source.
    MissingRow,
    /// Rows that are only in the target.
    ExtraneousRow,
    /// Rows with the same key and other values.
    ChangedRow,
    /// Values of one column that differ in rows with the same key.
    ChangedValue,
    /// The rows differ, and there is no key to name which.
    RowsDiffer,
    /// Rows whose parent is not there.
    Orphan,
    /// Rows whose parent is not there, by a reference that nothing declares.
    OrphanInferred,
    /// A foreign key of the source that the target does not have.
    ForeignKeyMissing,
    /// A foreign key that the source does not have.
    ForeignKeyExtra,
    /// A foreign key whose rows were never checked.
    ForeignKeyNotValidated,
    /// A foreign key with other actions, match type or deferrability.
    ForeignKeyChanged,
    /// A column that holds UUIDs in something else than the engine's UUID type.
    UuidNotNative,
    /// Values that should be UUIDs and are none.
    UuidInvalid,
    /// One UUID in several spellings.
    UuidSpelling,
    /// The next value of a sequence is one that the data already has.
    SequenceBehind,
    /// A sequence or counter stands elsewhere than before.
    SequenceMoved,
    /// A column that counts up in the source and has nothing to feed it in the target.
    SequenceMissing,
    /// A sequence that has no value left to give.
    SequenceExhausted,
    /// A sequence that has few values left to give.
    SequenceNearEnd,
    /// A sequence that would give values that the source has given already.
    SequenceGivesAgain,
    /// Rows with the same unique key.
    DuplicateKey,
    /// Rows of the source whose keys are one key under the target's collation.
    KeyCollision,
    /// NULL where it must not be.
    NullValue,
    /// A table of the source that the target does not have.
    TableMissing,
    /// A column of the source that the target does not have.
    ColumnMissing,
    /// A type that cannot hold all values of the source's.
    TypeLossy,
    /// A type that holds more than the source's.
    TypeWider,
    /// A column that the source does not have.
    ColumnExtra,
    /// An object that the source does not have.
    ObjectExtra,
    /// An index that the server does not use, or does not keep.
    IndexInvalid,
    /// A trigger, or the triggers by which a key is kept, that are switched off.
    LeftDisabled,
    /// A table that a crash would empty.
    NotDurable,
    /// A key, unique constraint, index, default, NOT NULL or check that was lost.
    ObjectMissing,
    /// An object that the migration does not carry over.
    NotCarried,
    /// An object with another definition.
    ObjectChanged,
    /// Columns of a table stand in another order.
    ColumnOrder,
    /// Something left behind by a rollback.
    TraceLeft,
    /// Something that a rollback did not bring back.
    TraceLost,
    /// Rows that differ from the baseline after a rollback.
    RowsNotRestored,
    /// The second migration gave something else than the first.
    ReapplyDiffers,
    /// Bookkeeping that does not keep the rule that was declared for it.
    BookkeepingBroken,
    /// Rows or objects that differ from a stored baseline.
    BaselineDiffers,
    /// A rule that is stated and never applied.
    RuleUnused,
    /// Rows that differed in the same way in both reads.
    RowsDifferent,
    /// Rows that differed, changed between two reads, and still differ.
    RowsMoving,
    /// Rows that differed, and were equal when they were read again.
    RowsSettled,
}

impl FindingKind {
    /// The kind in prose, for a reader who sees it for the first time.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::CountDiffers => "source and target hold different numbers of rows",
            Self::MissingRow => "rows are in the source only",
            Self::ExtraneousRow => "rows are in the target only",
            Self::ChangedRow => "rows have the same key but other values",
            Self::ChangedValue => "values of this column differ in rows with the same key",
            Self::RowsDiffer => "rows differ, and there is no key to tell which",
            Self::Orphan => "rows refer to a parent that is not there",
            Self::OrphanInferred => {
                "rows refer to a parent that is not there, by a reference inferred from names and values"
            }
            Self::ForeignKeyMissing => "the target lacks a foreign key of the source",
            Self::ForeignKeyExtra => "the target has a foreign key that the source does not have",
            Self::ForeignKeyNotValidated => "a foreign key was never checked against the rows",
            Self::ForeignKeyChanged => "a foreign key has other actions or options",
            Self::UuidNotNative => "UUIDs are stored in something else than the UUID type",
            Self::UuidInvalid => "values that should be UUIDs are none",
            Self::UuidSpelling => "one UUID appears in several spellings",
            Self::SequenceBehind => "a sequence would give a value that the data already has",
            Self::SequenceMoved => "a sequence stands elsewhere than before",
            Self::SequenceMissing => "nothing feeds a column that counts up in the source",
            Self::SequenceExhausted => "a sequence has no value left to give",
            Self::SequenceNearEnd => "a sequence has few values left to give",
            Self::SequenceGivesAgain => "a sequence would give values that the source has given already",
            Self::DuplicateKey => "rows share a key that should be unique",
            Self::KeyCollision => "keys of the source are one key under the target's collation",
            Self::NullValue => "rows hold NULL where it should not be",
            Self::TableMissing => "the target lacks a table of the source",
            Self::ColumnMissing => "the target lacks a column of the source",
            Self::TypeLossy => "the target's type cannot hold every value of the source's",
            Self::TypeWider => "the target's type holds more than the source's",
            Self::ColumnExtra => "the target has a column that the source does not have",
            Self::ObjectExtra => "the target has an object that the source does not have",
            Self::IndexInvalid => "an index is not valid, so that the server does without it",
            Self::LeftDisabled => "something that should act on writes is switched off",
            Self::NotDurable => "a crash of the server would empty this table",
            Self::ObjectMissing => "the target lacks an object of the source",
            Self::NotCarried => "the migration does not carry this over",
            Self::ObjectChanged => "an object has another definition",
            Self::ColumnOrder => "columns stand in another order",
            Self::TraceLeft => "the rollback left something behind",
            Self::TraceLost => "the rollback did not bring something back",
            Self::RowsNotRestored => "the rollback did not restore the rows",
            Self::BaselineDiffers => "the database differs from the baseline",
            Self::RowsDifferent => "rows differ in the same way whenever they are read",
            Self::RowsMoving => "rows changed while they were being compared, and still differ",
            Self::RowsSettled => "rows differed at first and are equal now",
            Self::RuleUnused => "a rule is stated and never applied",
            Self::BookkeepingBroken => "bookkeeping lost rows that it should have kept",
            Self::ReapplyDiffers => "the second migration gave something else than the first",
        }
    }
}

/// The kind's word, as in the report's JSON.
impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// One row of a sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// The row's key: column and value.
    pub key: Vec<KeyPart>,
    /// The column whose values are shown, where one is.
    pub column: Option<String>,
    /// The value in the source (or before).
    pub source: Option<Shown>,
    /// The value in the target (or after).
    pub target: Option<Shown>,
}

/// One column of a row's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyPart {
    /// The column.
    pub column: String,
    /// Its value.
    pub value: Shown,
}

/// A row's value as reports may show it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// SQL NULL.
    Null,
    /// The value, shortened if it is long: only with `--show-values`.
    Value(String),
    /// A short salted digest and the length in bytes: equal values of one run have equal digests.
    Redacted {
        /// Eight hexadecimal digits, salted with the run's own salt.
        digest: String,
        /// Length of the value's text form in bytes.
        bytes: u64,
    },
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Value(text) => write!(f, "{text:?}"),
            Self::Redacted { digest, bytes } => write!(f, "#{digest} ({bytes} B)"),
        }
    }
}

/// Decides how a row's value may be shown.
#[derive(Clone, Debug)]
pub enum Redaction {
    /// Digests only, under this salt.
    Redact {
        /// The run's own salt, never written anywhere.
        salt: [u8; 32],
    },
    /// Values as they are.
    Show,
}

impl Redaction {
    /// The longest value shown in full, in characters.
    const LONGEST: usize = 200;

    /// Shows a value in its text form (`None` is NULL).
    pub fn show(&self, text: Option<&str>) -> Shown {
        match (self, text) {
            (_, None) => Shown::Null,
            (Self::Show, Some(text)) => {
                let mut shown: String = text.chars().take(Self::LONGEST).collect();
                if shown.len() < text.len() {
                    shown.push('…');
                }
                Shown::Value(shown)
            }
            (Self::Redact { salt }, Some(text)) => {
                let digest = blake3::keyed_hash(salt, text.as_bytes()).to_hex();
                Shown::Redacted { digest: digest[..8].to_owned(), bytes: text.len() as u64 }
            }
        }
    }
}
