//! Common forms: the named rules under which a source column and a target column are compared.

mod pair;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use pair::{rule_for, rule_within};

use super::{bring, cell::Cell};

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $rule:ident = $id:literal, $word:literal, $name:literal;)+) => {
        /// A common type to which the values of a source column and of a target column are brought before they are
        /// compared.
        ///
        /// Every rule takes every cell, because in an engine with dynamic types any row may hold anything. Serialised as
        /// the [word](Rule::word) that a scenario uses.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Rule {
            $($(#[doc = $doc])+ $rule,)+
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &[Self] = &[$(Self::$rule),+];

            /// The rule as a reader would say it.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$rule => $name,)+
                }
            }

            /// The word for it in scenario files.
            pub const fn word(&self) -> &'static str {
                match self {
                    $(Self::$rule => $word,)+
                }
            }

            /// The rule's byte in the row digest: never given to another rule, whatever comes or goes.
            pub(super) const fn id(self) -> u8 {
                match self {
                    $(Self::$rule => $id,)+
                }
            }
        }
    };
}

rules! {
    /// True or false: 0 and 1, and the words that PostgreSQL takes.
    Boolean = 1, "boolean", "boolean from number or text";
    /// The exact decimal value of integers, decimals, numeric text, and floats by the shortest digits that give the
    /// stored width back.
    Number = 2, "number", "number at value";
    /// The number of [`Rule::Number`] rounded to the nearest double.
    Float = 3, "float", "number at double precision";
    /// The number of [`Rule::Number`] rounded to the nearest single.
    Single = 4, "single", "number at single precision";
    /// Characters; the blanks of padded types are stripped. What is no text is taken as its engine prints it.
    Text = 5, "text", "text without padding";
    /// Characters without blanks at the end: for text against a padded type, which cannot keep them apart from padding.
    Padded = 18, "padded", "text without blanks at the end";
    /// Bytes.
    Bytes = 6, "bytes", "bytes";
    /// Bytes; whatever is no bytes by the UTF-8 of its text. Only ever stated: bytes are not text, even where they spell the
    /// same.
    Octets = 17, "octets", "bytes, or text as its UTF-8";
    /// Bytes without zeros at the end. Only ever stated: a `binary(n)` cannot keep them apart from its padding.
    ZeroPadded = 27, "zero_padded", "bytes without zeros at the end";
    /// The 16 bytes of a UUID, from text in any spelling or from 16 bytes in plain order.
    Uuid = 7, "uuid", "uuid from text or bytes";
    /// The same, but bytes have the fields of the time in the order high, middle, low (`UUID_TO_BIN(x, 1)`). Only ever
    /// stated: nothing in the bytes tells.
    UuidSwapped = 25, "uuid_swapped", "uuid from text, or from bytes with its time swapped";
    /// The same, but bytes have the fields of the time in little-endian order (GUIDs). Only ever stated.
    UuidMixedEndian = 26, "uuid_mixed_endian", "uuid from text, or from bytes in mixed order";
    /// A day; a time of midnight with it is dropped.
    Date = 8, "date", "date";
    /// A time at microseconds, of day or, from engines that take it for a span, beyond.
    Time = 9, "time", "time at microseconds";
    /// A time of day in UTC at microseconds; what has no zone is taken as UTC.
    ZonedTime = 20, "zoned_time", "time of day at microseconds in UTC";
    /// A day and time without zone at microseconds; a day alone is midnight, an offset is brought to UTC.
    Timestamp = 10, "timestamp", "timestamp at microseconds";
    /// An instant at microseconds; what has no zone is taken as UTC.
    Instant = 11, "instant", "instant at microseconds in UTC";
    /// An instant from whole seconds since 1970, where a column is known to count them.
    EpochSeconds = 15, "epoch_seconds", "instant from epoch seconds";
    /// An instant from whole milliseconds since 1970, where a column is known to count them.
    EpochMilliseconds = 16, "epoch_milliseconds", "instant from epoch milliseconds";
    /// A span, its months, days and microseconds apart.
    Interval = 12, "interval", "interval by months, days and microseconds";
    /// JSON by value.
    Json = 13, "json", "json by value";
    /// The number that bits are: from bits, an integer, bytes, or text of 0 and 1.
    Bits = 19, "bits", "bits as a number";
    /// An address of a host or a network: from its text, its bytes, or an IPv4 address as a number.
    Network = 21, "network", "network address";
    /// The address of a network card in eight bytes, as PostgreSQL makes them of six.
    MacAddress = 22, "mac_address", "card address in eight bytes";
    /// Keys with a text or NULL each, in any order: from `hstore` and its text, or from a JSON object.
    Map = 23, "map", "map of texts";
    /// Texts of which each counts once, in any order.
    Set = 24, "set", "set of texts in any order";
    /// Texts in order: from an array and its text, a JSON array, or words with commas between them. So are the other lists,
    /// whose elements are brought to a type of their own.
    TextList = 28, "text_list", "list of texts";
    /// Texts without blanks at their ends, in order.
    PaddedList = 36, "padded_list", "list of texts without blanks at the end";
    /// Numbers in order.
    NumberList = 29, "number_list", "list of numbers";
    /// Booleans in order.
    BooleanList = 30, "boolean_list", "list of booleans";
    /// UUIDs in order.
    UuidList = 31, "uuid_list", "list of uuids";
    /// Days in order.
    DateList = 32, "date_list", "list of dates";
    /// Times in order.
    TimeList = 33, "time_list", "list of times";
    /// Timestamps in order.
    TimestampList = 34, "timestamp_list", "list of timestamps";
    /// Instants in order.
    InstantList = 35, "instant_list", "list of instants";
    /// The own form: for two columns of the same type in the same engine.
    Stored = 14, "stored", "as stored";
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

    /// Whether it brings values to UUIDs.
    pub const fn is_uuid(&self) -> bool {
        matches!(self, Self::Uuid | Self::UuidSwapped | Self::UuidMixedEndian)
    }

    /// The rule for the elements of a list.
    pub const fn of_elements(&self) -> Option<Self> {
        Some(match self {
            Self::TextList => Self::Text,
            Self::PaddedList => Self::Padded,
            Self::NumberList => Self::Number,
            Self::BooleanList => Self::Boolean,
            Self::UuidList => Self::Uuid,
            Self::DateList => Self::Date,
            Self::TimeList => Self::Time,
            Self::TimestampList => Self::Timestamp,
            Self::InstantList => Self::Instant,
            _ => return None,
        })
    }

    /// The rule for lists whose elements go by this one.
    fn list(self) -> Option<Self> {
        let elements = match self {
            Self::Single | Self::Float => Self::Number,
            other => other,
        };
        Self::ALL.iter().copied().find(|rule| rule.of_elements() == Some(elements))
    }

    /// Appends the common form of a cell and tells what that took. Of an unfit value it is a tag of its own and the own
    /// form.
    pub fn encode(&self, cell: &Cell<'_>, out: &mut Vec<u8>) -> Fit {
        bring::bring(*self, cell, out)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
