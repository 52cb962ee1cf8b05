//! One owned value of a row.

/// An owned value, for rows that we make or carry: datasets, exports, imports. Scans never build one; they hand out
/// borrowed cells instead.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// True or false.
    Boolean(bool),
    /// An integer of up to 64 bits.
    Integer(i64),
    /// A double.
    Float(f64),
    /// An exact decimal in plain or scientific notation (`-12.50`, `1e30`, `NaN`).
    Decimal(String),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A UUID in its 16 bytes.
    Uuid([u8; 16]),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 1970-01-01 00:00, without zone. `i64::MAX` and `i64::MIN` are infinity and -infinity.
    Timestamp(i64),
    /// Microseconds since 1970-01-01 00:00 UTC. `i64::MAX` and `i64::MIN` are infinity and -infinity.
    TimestampTz(i64),
    /// JSON text.
    Json(String),
}

impl Value {
    /// Whether this is SQL NULL.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}
