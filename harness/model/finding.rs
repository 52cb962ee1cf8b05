//! What a check found.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::finding_kind::FindingKind;
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
