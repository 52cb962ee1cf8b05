//! What a migration's way up made worse.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Accepted, Finding, FindingKind, Severity};

/// Something that is wrong with the state behind a way up, and was not before it, or less.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Worsened {
    /// What is wrong.
    pub finding: Finding,
    /// Why this is known and accepted.
    pub accepted: Option<Accepted>,
}

impl From<Finding> for Worsened {
    fn from(finding: Finding) -> Self {
        Self { finding, accepted: None }
    }
}

impl Worsened {
    /// The kinds that there are, with their words in acceptance files, which are those of reports.
    pub const KINDS: [(FindingKind, &str); 9] = [
        (FindingKind::Orphan, "orphan"),
        (FindingKind::ForeignKeyNotValidated, "foreign_key_not_validated"),
        (FindingKind::SequenceBehind, "sequence_behind"),
        (FindingKind::SequenceExhausted, "sequence_exhausted"),
        (FindingKind::SequenceNearEnd, "sequence_near_end"),
        (FindingKind::IndexInvalid, "index_invalid"),
        (FindingKind::LeftDisabled, "left_disabled"),
        (FindingKind::NotDurable, "not_durable"),
        (FindingKind::Damaged, "damaged"),
    ];

    /// How grave it is, given that it may be accepted.
    pub const fn severity(&self) -> Severity {
        if self.accepted.is_some() { Severity::Note } else { self.finding.severity }
    }

    /// Its word in acceptance files.
    pub fn word(&self) -> &'static str {
        let known = Self::KINDS.into_iter().find(|(kind, _)| *kind == self.finding.kind);
        known.map_or("", |(_, word)| word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_reports() {
        for (kind, word) in Worsened::KINDS {
            assert_eq!(serde_json::to_value(kind).unwrap(), word);
        }
    }
}
