//! What a column holds, in words that all engines share.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kind of values that a column is declared for.
///
/// A property of the declaration, not of the stored values: a SQLite column declared `BOOLEAN` is `Boolean` although it
/// may hold the text `'t'`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogicalType {
    /// True or false.
    Boolean,
    /// A signed integer of so many bits (16, 32 or 64).
    Integer {
        /// Width in bits.
        bits: u8,
    },
    /// An exact decimal; without precision it has no limit.
    Decimal {
        /// Digits in all.
        precision: Option<u32>,
        /// Digits after the point.
        scale: Option<i32>,
    },
    /// IEEE 754 single precision.
    Float32,
    /// IEEE 754 double precision.
    Float64,
    /// Text, at most so many characters.
    Text {
        /// Declared limit in characters.
        limit: Option<u32>,
    },
    /// Text padded with blanks to so many characters (`char(n)`), where the engine pads.
    PaddedText {
        /// Declared length in characters.
        length: u32,
    },
    /// Bytes.
    Bytes,
    /// A native UUID.
    Uuid,
    /// A day.
    Date,
    /// A time of day without zone.
    Time,
    /// A time of day with the zone's offset.
    TimeTz,
    /// A day and time without zone.
    Timestamp,
    /// An instant.
    TimestampTz,
    /// A span of months, days and microseconds.
    Interval,
    /// JSON; `binary` where the engine stores the value and not the text (`jsonb`).
    Json {
        /// Whether the engine keeps the value rather than the text.
        binary: bool,
    },
    /// Bits.
    Bits,
    /// An enumeration with its labels in order.
    Enum {
        /// Labels in the engine's order.
        labels: Vec<String>,
    },
    /// Some of a few words (MariaDB's `set`).
    Set {
        /// The words in the engine's order.
        labels: Vec<String>,
    },
    /// The address of a host or a network (`inet`, `cidr`, `inet4`, `inet6`).
    Network,
    /// The address of a network card (`macaddr`, `macaddr8`).
    MacAddress,
    /// An array of elements of one type.
    Array(Box<LogicalType>),
    /// All values between two bounds.
    Range(Box<LogicalType>),
    /// Several ranges.
    Multirange(Box<LogicalType>),
    /// Keys with a text or NULL each (`hstore`).
    Map,
    /// Named fields of a type each.
    Composite(Vec<(String, LogicalType)>),
    /// A type without a word of its own here whose printed text is one with its value (`xml`, `tsvector`), by the engine's
    /// name for it.
    Printed(String),
    /// Whatever the row holds: SQLite columns without a declared type.
    Any,
    /// A type without a word of its own here that only its own engine can compare, by the engine's name for it.
    Other(String),
}

impl fmt::Display for LogicalType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("boolean"),
            Self::Integer { bits } => write!(f, "integer of {bits} bits"),
            Self::Decimal { precision: Some(p), scale: Some(s) } => write!(f, "decimal({p},{s})"),
            Self::Decimal { .. } => f.write_str("decimal"),
            Self::Float32 => f.write_str("float4"),
            Self::Float64 => f.write_str("float8"),
            Self::Text { limit: Some(n) } => write!(f, "text of at most {n}"),
            Self::Text { limit: None } => f.write_str("text"),
            Self::PaddedText { length } => write!(f, "char({length})"),
            Self::Bytes => f.write_str("bytes"),
            Self::Uuid => f.write_str("uuid"),
            Self::Date => f.write_str("date"),
            Self::Time => f.write_str("time"),
            Self::TimeTz => f.write_str("time with zone"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::TimestampTz => f.write_str("timestamp with zone"),
            Self::Interval => f.write_str("interval"),
            Self::Json { binary: false } => f.write_str("json"),
            Self::Json { binary: true } => f.write_str("jsonb"),
            Self::Bits => f.write_str("bits"),
            Self::Enum { labels } => write!(f, "enum of {} labels", labels.len()),
            Self::Array(element) => write!(f, "array of {element}"),
            Self::Set { labels } => write!(f, "set of {} labels", labels.len()),
            Self::Network => f.write_str("network address"),
            Self::MacAddress => f.write_str("card address"),
            Self::Range(element) => write!(f, "range of {element}"),
            Self::Multirange(element) => write!(f, "multirange of {element}"),
            Self::Map => f.write_str("map of texts"),
            Self::Composite(fields) => write!(f, "composite of {} fields", fields.len()),
            Self::Any => f.write_str("any"),
            Self::Printed(name) | Self::Other(name) => f.write_str(name),
        }
    }
}
