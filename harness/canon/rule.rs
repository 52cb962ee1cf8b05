//! Common forms: the named rules under which a source column and a target column are compared.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{bring, cell::Cell};
use crate::model::LogicalType;

/// A common type to which the values of a source column and of a target column are brought before they are compared.
///
/// Every rule takes every cell, because in an engine with dynamic types any row may hold anything. Serialised as the
/// [word](Rule::word) that a scenario uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// True or false: 0 and 1, and the words that PostgreSQL takes.
    Boolean,
    /// The exact decimal value of integers, decimals, numeric text, and floats by the shortest digits that give the
    /// stored width back.
    Number,
    /// The number of [`Rule::Number`] rounded to the nearest double.
    Float,
    /// The number of [`Rule::Number`] rounded to the nearest single.
    Single,
    /// Characters; the blanks of padded types are stripped.
    Text,
    /// Characters without blanks at the end: for text against a padded type, which cannot keep them apart from padding.
    Padded,
    /// Bytes.
    Bytes,
    /// Bytes; whatever is no bytes by the UTF-8 of its text. Only ever stated: bytes are not text, even where they spell the
    /// same.
    Octets,
    /// The 16 bytes of a UUID, from text in any spelling or from 16 bytes in plain order.
    Uuid,
    /// A day; a time of midnight with it is dropped.
    Date,
    /// A time of day at microseconds.
    Time,
    /// A day and time without zone at microseconds; a day alone is midnight, an offset is brought to UTC.
    Timestamp,
    /// An instant at microseconds; what has no zone is taken as UTC.
    Instant,
    /// An instant from whole seconds since 1970, where a column is known to count them.
    EpochSeconds,
    /// An instant from whole milliseconds since 1970, where a column is known to count them.
    EpochMilliseconds,
    /// A span, its months, days and microseconds apart.
    Interval,
    /// JSON by value.
    Json,
    /// The own form: for two columns of the same type in the same engine.
    Stored,
}

/// What a rule did to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// Nothing was folded: among cells of this shape, only this one has this common form (blanks between the tokens of
    /// JSON and, for `jsonb`, the order of keys apart: they are no part of a value).
    Exact,
    /// The value is one of several spellings of its common form: a line for the loss ledger.
    Normalised,
    /// The rule cannot bring this value to the common type; it equals nothing but itself.
    Unfit,
}

/// Why two columns cannot be compared: they stay unchecked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NoRule {
    /// The reason, as a sentence without a full stop.
    pub reason: String,
}

impl Rule {
    /// Every rule.
    pub const ALL: &[Self] = &[
        Self::Boolean,
        Self::Number,
        Self::Float,
        Self::Single,
        Self::Text,
        Self::Padded,
        Self::Bytes,
        Self::Octets,
        Self::Uuid,
        Self::Date,
        Self::Time,
        Self::Timestamp,
        Self::Instant,
        Self::EpochSeconds,
        Self::EpochMilliseconds,
        Self::Interval,
        Self::Json,
        Self::Stored,
    ];

    /// The rule as a reader would say it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Boolean => "boolean from number or text",
            Self::Number => "number at value",
            Self::Float => "number at double precision",
            Self::Single => "number at single precision",
            Self::Text => "text without padding",
            Self::Padded => "text without blanks at the end",
            Self::Bytes => "bytes",
            Self::Octets => "bytes, or text as its UTF-8",
            Self::Uuid => "uuid from text or bytes",
            Self::Date => "date",
            Self::Time => "time at microseconds",
            Self::Timestamp => "timestamp at microseconds",
            Self::Instant => "instant at microseconds in UTC",
            Self::EpochSeconds => "instant from epoch seconds",
            Self::EpochMilliseconds => "instant from epoch milliseconds",
            Self::Interval => "interval by months, days and microseconds",
            Self::Json => "json by value",
            Self::Stored => "as stored",
        }
    }

    /// The word for it in scenario files.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::Float => "float",
            Self::Single => "single",
            Self::Text => "text",
            Self::Padded => "padded",
            Self::Bytes => "bytes",
            Self::Octets => "octets",
            Self::Uuid => "uuid",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::Instant => "instant",
            Self::EpochSeconds => "epoch_seconds",
            Self::EpochMilliseconds => "epoch_milliseconds",
            Self::Interval => "interval",
            Self::Json => "json",
            Self::Stored => "stored",
        }
    }

    /// The rule that a scenario file calls by this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.word() == word)
    }

    /// Every word that a scenario file may use.
    pub fn words() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(Self::word)
    }

    /// Microseconds of one count, for the rules of columns that count since 1970.
    pub const fn epoch_unit(&self) -> Option<i64> {
        match self {
            Self::EpochSeconds => Some(1_000_000),
            Self::EpochMilliseconds => Some(1_000),
            _ => None,
        }
    }

    /// Appends the common form of a cell and tells what that took. Of an unfit value it is a tag of its own and the own
    /// form.
    pub fn encode(&self, cell: &Cell<'_>, out: &mut Vec<u8>) -> Fit {
        bring::bring(*self, cell, out)
    }

    /// The rule's byte in the row digest: never given to another rule, whatever comes or goes.
    pub(super) const fn id(self) -> u8 {
        match self {
            Self::Boolean => 1,
            Self::Number => 2,
            Self::Float => 3,
            Self::Single => 4,
            Self::Text => 5,
            Self::Bytes => 6,
            Self::Uuid => 7,
            Self::Date => 8,
            Self::Time => 9,
            Self::Timestamp => 10,
            Self::Instant => 11,
            Self::Interval => 12,
            Self::Json => 13,
            Self::Stored => 14,
            Self::EpochSeconds => 15,
            Self::EpochMilliseconds => 16,
            Self::Octets => 17,
            Self::Padded => 18,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The rule for a source column and a target column of these types; the same whichever is the source.
///
/// Two columns of one engine's own type (an array, bits, anything else without a word of its own) are compared as
/// stored, which means something only if both sides are that engine.
///
/// # Errors
/// [`NoRule`] if nothing in these types says under what common type they could be equal.
pub fn rule_for(source: &LogicalType, target: &LogicalType) -> Result<Rule, NoRule> {
    match (native(source), native(target)) {
        (None, None) => Ok(Rule::Stored),
        (Some(Rule::Stored), _) | (_, Some(Rule::Stored)) if source != target => Err(refused(source, target)),
        (Some(rule), None) | (None, Some(rule)) => Ok(rule),
        (Some(source_rule), Some(target_rule)) => meet(source_rule, target_rule)
            .or_else(|| meet(target_rule, source_rule))
            .ok_or_else(|| refused(source, target)),
    }
}

fn refused(source: &LogicalType, target: &LogicalType) -> NoRule {
    NoRule { reason: format!("no rule brings {source} and {target} to one type") }
}

/// The rule for two columns of this type; `None` where a row may hold anything.
fn native(kind: &LogicalType) -> Option<Rule> {
    Some(match kind {
        LogicalType::Boolean => Rule::Boolean,
        LogicalType::Integer { .. } | LogicalType::Decimal { .. } | LogicalType::Float32 | LogicalType::Float64 => {
            Rule::Number
        }
        LogicalType::Text { .. } | LogicalType::Enum { .. } => Rule::Text,
        LogicalType::PaddedText { .. } => Rule::Padded,
        LogicalType::Bytes => Rule::Bytes,
        LogicalType::Uuid => Rule::Uuid,
        LogicalType::Date => Rule::Date,
        LogicalType::Time => Rule::Time,
        LogicalType::Timestamp => Rule::Timestamp,
        LogicalType::TimestampTz => Rule::Instant,
        LogicalType::Interval => Rule::Interval,
        LogicalType::Json { .. } => Rule::Json,
        LogicalType::Bits | LogicalType::Array(_) | LogicalType::Other(_) => Rule::Stored,
        LogicalType::Any => return None,
    })
}

/// The richer of two rules, where the values of the poorer can be read as its spellings.
fn meet(rich: Rule, poor: Rule) -> Option<Rule> {
    use Rule::{Boolean, Bytes, Date, Instant, Interval, Json, Number, Padded, Text, Time, Timestamp, Uuid};
    let meets = match rich {
        Boolean => matches!(poor, Number | Text | Padded),
        Number | Time | Interval | Json => matches!(poor, Text | Padded),
        Padded => poor == Text,
        Uuid => matches!(poor, Text | Padded | Bytes),
        Date => matches!(poor, Text | Padded | Number),
        Timestamp => matches!(poor, Text | Padded | Number | Date),
        Instant => matches!(poor, Text | Padded | Number | Date | Timestamp),
        _ => false,
    };
    (meets || rich == poor).then_some(rich)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: LogicalType = LogicalType::Text { limit: None };
    const INTEGER: LogicalType = LogicalType::Integer { bits: 64 };

    #[test]
    fn pairs_meet_at_the_richer_type() {
        use LogicalType as T;
        let json = T::Json { binary: true };
        for (source, target, rule) in [
            (T::Boolean, INTEGER, Rule::Boolean),
            (TEXT, INTEGER, Rule::Number),
            (T::Decimal { precision: None, scale: None }, T::Float64, Rule::Number),
            (T::Uuid, TEXT, Rule::Uuid),
            (T::Uuid, T::Bytes, Rule::Uuid),
            (T::Date, T::Timestamp, Rule::Timestamp),
            (T::TimestampTz, T::Timestamp, Rule::Instant),
            (INTEGER, T::TimestampTz, Rule::Instant),
            (json.clone(), TEXT, Rule::Json),
            (T::PaddedText { length: 3 }, T::Enum { labels: Vec::new() }, Rule::Padded),
            (T::PaddedText { length: 3 }, TEXT, Rule::Padded),
            (T::PaddedText { length: 36 }, T::Uuid, Rule::Uuid),
            (T::Any, T::Boolean, Rule::Boolean),
            (T::Any, T::Any, Rule::Stored),
            (T::Array(Box::new(TEXT)), T::Array(Box::new(TEXT)), Rule::Stored),
        ] {
            assert_eq!(rule_for(&source, &target), Ok(rule), "{source} {target}");
            assert_eq!(rule_for(&target, &source), Ok(rule), "{target} {source}");
        }
    }

    #[test]
    fn what_does_not_meet_says_why() {
        use LogicalType as T;
        for (source, target) in [
            (TEXT, T::Bytes),
            (T::Boolean, T::Date),
            (T::Array(Box::new(TEXT)), TEXT),
            (T::Array(Box::new(TEXT)), T::Array(Box::new(INTEGER))),
            (T::Other("inet".to_owned()), T::Any),
            (T::Time, T::Timestamp),
        ] {
            assert!(rule_for(&source, &target).is_err(), "{source} {target}");
        }
        let why = rule_for(&TEXT, &T::Bytes).unwrap_err();
        assert_eq!(why.to_string(), "no rule brings text and bytes to one type");
    }

    #[test]
    fn words_and_serde_agree() {
        for rule in Rule::ALL {
            assert_eq!(Rule::named(rule.word()), Some(*rule));
            assert_eq!(serde_json::to_string(rule).unwrap(), format!("\"{}\"", rule.word()));
        }
        assert_eq!(Rule::named("Boolean"), None);
        let ids: std::collections::BTreeSet<u8> = Rule::ALL.iter().map(|rule| rule.id()).collect();
        assert_eq!(ids.len(), Rule::ALL.len());
    }
}
