//! One value as an engine hands it out, borrowed from its wire or page buffer.

use std::ops::ControlFlow;

/// A value of one row, lossless and engine-neutral, borrowed for as long as the engine's buffer lives.
///
/// Engines translate their wire form into this, nothing more: no rounding, no trimming, no re-encoding. Bringing two
/// cells of different shape to one form is the business of the rules in this module's siblings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// SQL NULL.
    Null,
    /// A native boolean.
    Boolean(bool),
    /// An integer of any width.
    Integer(i64),
    /// A stored single.
    Float32(f32),
    /// A stored double.
    Float64(f64),
    /// An exact decimal.
    Decimal(Decimal<'a>),
    /// Text as stored. UTF-8 in a healthy database; SQLite may hold anything.
    Text(&'a [u8]),
    /// Text of a blank-padded type, padding included.
    PaddedText(&'a [u8]),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A native UUID.
    Uuid([u8; 16]),
    /// Days since 1970-01-01; `i32::MAX` and `i32::MIN` are infinity and -infinity.
    Date(i32),
    /// Microseconds since midnight (24:00:00 included).
    Time(i64),
    /// Microseconds since midnight and the zone's offset in seconds east of UTC.
    TimeTz(i64, i32),
    /// Microseconds since 1970-01-01 00:00 without zone; `i64::MAX` and `i64::MIN` are infinity and -infinity.
    Timestamp(i64),
    /// Microseconds since 1970-01-01 00:00 UTC; `i64::MAX` and `i64::MIN` are infinity and -infinity.
    TimestampTz(i64),
    /// A span; months, days and microseconds are kept apart because none is a fixed number of another.
    Interval {
        /// Months.
        months: i32,
        /// Days.
        days: i32,
        /// Microseconds.
        micros: i64,
    },
    /// JSON kept as written.
    Json(&'a [u8]),
    /// JSON kept by value, in the engine's own normal text (`jsonb`).
    Jsonb(&'a [u8]),
    /// A label of an enumeration.
    Label(&'a [u8]),
    /// A string of bits, the first bit the highest of the first byte; what is over in the last byte is zero.
    Bits {
        /// Number of bits.
        length: u32,
        /// As many bytes as it takes.
        bytes: &'a [u8],
    },
    /// The address of a host or a network.
    Network {
        /// Four bytes or sixteen.
        address: &'a [u8],
        /// Bits of the network's part; all of them for a host.
        prefix: u8,
        /// Whether its type is for networks (`cidr`) and not for hosts too (`inet`).
        network: bool,
    },
    /// The address of a network card: six bytes or eight.
    MacAddress(&'a [u8]),
    /// A value made of values, in the bytes that [`super::nested`] writes and reads.
    Nested(Nest, &'a [u8]),
    /// A value of a type that has no word of its own here, in the engine's binary form: comparable only with a value of
    /// the same type of the same engine.
    Opaque(&'a [u8]),
}

/// How a value is made of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nest {
    /// An array, with its bounds.
    Array,
    /// The fields of a composite.
    Composite,
    /// A range.
    Range,
    /// Several ranges.
    Multirange,
    /// Keys with a text or NULL each.
    Map,
}

/// An exact decimal in groups of four digits, the form of PostgreSQL's wire
/// (`src/backend/utils/adt/numeric.c`, `numeric_send`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal<'a> {
    /// Sign or special value.
    pub sign: Sign,
    /// Power of 10,000 of the first group: the value is the sum of `group[i] * 10000^(weight - i)`.
    pub weight: i16,
    /// Digits after the point that the stored value shows, trailing zeros included.
    pub scale: u16,
    /// Groups 0 to 9999, each as two big-endian bytes.
    pub groups: &'a [u8],
}

/// Sign of a decimal, or what it is instead of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Zero or more.
    Positive,
    /// Less than zero.
    Negative,
    /// Not a number.
    NaN,
    /// Infinity.
    Infinity,
    /// Minus infinity.
    NegativeInfinity,
}

/// Where a scan puts the rows. A row is a `cell` for every column, in order, and then `end_row`. Of a rowset that asks for
/// rows as they are sent, it is a `cell` for some columns, in order, then `sent`, and then `end_row`.
pub trait RowSink: Send {
    /// Takes the cell of the column at this position of the rowset.
    fn cell(&mut self, column: usize, cell: Cell<'_>);

    /// Takes all of the row in the bytes in which its engine sends it: as many values as there are columns, each of which
    /// says how long it is.
    fn sent(&mut self, _row: &[u8]) {}

    /// Ends the row; `Break` ends the scan early.
    fn end_row(&mut self) -> ControlFlow<()>;
}
