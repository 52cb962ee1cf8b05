//! The binary COPY format, server to us: rows to cells without an allocation for each value.
//!
//! <https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS>

use std::ops::ControlFlow;

use super::types::{PgType, oid};
use crate::canon::{Cell, Decimal, RowSink, Sign};

/// The eleven bytes that open every binary COPY.
pub(super) const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// Days from 1970-01-01 to 2000-01-01, PostgreSQL's epoch.
pub(super) const EPOCH_DAYS: i32 = 10_957;

/// Microseconds from 1970-01-01 to 2000-01-01.
pub(super) const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;

/// How the wire form of a column is read; chosen once for each column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric,
    Text,
    Padded,
    Bytes,
    Uuid,
    Date,
    Time,
    TimeTz,
    Timestamp,
    TimestampTz,
    Interval,
    Json,
    Jsonb,
    Label,
    Opaque,
}

impl Reading {
    /// The reading for a type. What is read as text is either text by nature (`xml`, `aclitem`, names of objects) or
    /// opaque in another spelling (composites, arrays of a user's types).
    pub(super) fn of(kind: &PgType) -> Self {
        if kind.is_read_as_text() {
            return if kind.element.is_some() || kind.class == 'c' { Self::Opaque } else { Self::Text };
        }
        match kind.oid {
            oid::BOOL => Self::Bool,
            oid::INT2 => Self::Int2,
            oid::INT4 => Self::Int4,
            oid::INT8 => Self::Int8,
            oid::OID => Self::Oid,
            oid::FLOAT4 => Self::Float4,
            oid::FLOAT8 => Self::Float8,
            oid::NUMERIC => Self::Numeric,
            oid::TEXT | oid::VARCHAR | oid::NAME | oid::CHAR => Self::Text,
            oid::BPCHAR => Self::Padded,
            oid::BYTEA => Self::Bytes,
            oid::UUID => Self::Uuid,
            oid::DATE => Self::Date,
            oid::TIME => Self::Time,
            oid::TIMETZ => Self::TimeTz,
            oid::TIMESTAMP => Self::Timestamp,
            oid::TIMESTAMPTZ => Self::TimestampTz,
            oid::INTERVAL => Self::Interval,
            oid::JSON => Self::Json,
            oid::JSONB => Self::Jsonb,
            _ if kind.is_citext() => Self::Text,
            _ if kind.class == 'e' => Self::Label,
            _ => Self::Opaque,
        }
    }

    /// The cell in these bytes, or `None` if they are not the form that this type has.
    fn cell(self, bytes: &[u8]) -> Option<Cell<'_>> {
        Some(match self {
            Self::Bool => match bytes {
                [byte] => Cell::Boolean(*byte != 0),
                _ => return None,
            },
            Self::Int2 => Cell::Integer(i16::from_be_bytes(bytes.try_into().ok()?).into()),
            Self::Int4 => Cell::Integer(i32::from_be_bytes(bytes.try_into().ok()?).into()),
            Self::Int8 => Cell::Integer(i64::from_be_bytes(bytes.try_into().ok()?)),
            Self::Oid => Cell::Integer(u32::from_be_bytes(bytes.try_into().ok()?).into()),
            Self::Float4 => Cell::Float32(f32::from_be_bytes(bytes.try_into().ok()?)),
            Self::Float8 => Cell::Float64(f64::from_be_bytes(bytes.try_into().ok()?)),
            Self::Numeric => Cell::Decimal(decimal(bytes)?),
            Self::Text => Cell::Text(bytes),
            Self::Padded => Cell::PaddedText(bytes),
            Self::Bytes => Cell::Bytes(bytes),
            Self::Uuid => Cell::Uuid(bytes.try_into().ok()?),
            Self::Date => match i32::from_be_bytes(bytes.try_into().ok()?) {
                infinity @ (i32::MAX | i32::MIN) => Cell::Date(infinity),
                // The last day of year 5,874,897 still fits; nothing later can be stored.
                days => Cell::Date(days.checked_add(EPOCH_DAYS)?),
            },
            Self::Time => Cell::Time(i64::from_be_bytes(bytes.try_into().ok()?)),
            Self::TimeTz => {
                let (micros, west) = bytes.split_at_checked(8)?;
                let west = i32::from_be_bytes(west.try_into().ok()?);
                Cell::TimeTz(i64::from_be_bytes(micros.try_into().ok()?), west.checked_neg()?)
            }
            Self::Timestamp => instant(bytes)?.map_or(Cell::Opaque(bytes), Cell::Timestamp),
            Self::TimestampTz => instant(bytes)?.map_or(Cell::Opaque(bytes), Cell::TimestampTz),
            Self::Interval => {
                let (micros, rest) = bytes.split_at_checked(8)?;
                let (days, months) = rest.split_at_checked(4)?;
                Cell::Interval {
                    months: i32::from_be_bytes(months.try_into().ok()?),
                    days: i32::from_be_bytes(days.try_into().ok()?),
                    micros: i64::from_be_bytes(micros.try_into().ok()?),
                }
            }
            Self::Json => Cell::Json(bytes),
            Self::Jsonb => match bytes {
                [1, text @ ..] => Cell::Jsonb(text),
                _ => return None,
            },
            Self::Label => Cell::Label(bytes),
            Self::Opaque => Cell::Opaque(bytes),
        })
    }
}

/// Microseconds since 1970. The inner `None` stands for the years 294,247 to 294,276, which PostgreSQL can store and
/// 64 bits since 1970 cannot: such a value is handed out in its own form rather than bent.
#[expect(clippy::option_option, reason = "bytes that are no instant, and an instant that has no cell, end differently")]
fn instant(bytes: &[u8]) -> Option<Option<i64>> {
    match i64::from_be_bytes(bytes.try_into().ok()?) {
        infinity @ (i64::MAX | i64::MIN) => Some(Some(infinity)),
        micros => Some(micros.checked_add(EPOCH_MICROS)),
    }
}

/// `numeric_send`: count of groups, weight, sign, scale, groups; each two bytes.
fn decimal(bytes: &[u8]) -> Option<Decimal<'_>> {
    let (header, groups) = bytes.split_at_checked(8)?;
    let word = |at: usize| [header[at], header[at + 1]];
    let sign = match u16::from_be_bytes(word(4)) {
        0x0000 => Sign::Positive,
        0x4000 => Sign::Negative,
        0xC000 => Sign::NaN,
        0xD000 => Sign::Infinity,
        0xF000 => Sign::NegativeInfinity,
        _ => return None,
    };
    let count = usize::from(u16::from_be_bytes(word(0)));
    (groups.len() == 2 * count).then_some(Decimal {
        sign,
        weight: i16::from_be_bytes(word(2)),
        scale: u16::from_be_bytes(word(6)),
        groups,
    })
}

/// Cuts a binary COPY, as it comes in chunks of any size, into rows and hands them to a sink.
pub(super) struct Rows {
    readings: Vec<Reading>,
    /// Bytes of a row that was not complete at the end of its chunk.
    pending: Vec<u8>,
    state: State,
    seen: u64,
}

/// Where in the stream we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Header,
    Tuples,
    Ended,
}

/// What one step over the stream came to.
enum Step {
    /// So many bytes are done.
    Took(usize),
    /// The rest is not here yet.
    Incomplete,
    /// The sink wants no more.
    Stopped(usize),
}

impl Rows {
    /// Reads rows of these columns.
    pub(super) const fn new(readings: Vec<Reading>) -> Self {
        Self { readings, pending: Vec::new(), state: State::Header, seen: 0 }
    }

    /// How many rows the sink got.
    pub(super) const fn seen(&self) -> u64 {
        self.seen
    }

    /// Takes the next chunk; `Break` once the sink wants no more.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub(super) fn feed(&mut self, chunk: &[u8], sink: &mut dyn RowSink) -> Result<ControlFlow<()>, String> {
        if self.pending.is_empty() {
            let (done, flow) = self.take(chunk, sink)?;
            self.pending.extend_from_slice(&chunk[done..]);
            return Ok(flow);
        }
        let mut pending = std::mem::take(&mut self.pending);
        pending.extend_from_slice(chunk);
        let (done, flow) = self.take(&pending, sink)?;
        pending.drain(..done);
        self.pending = pending;
        Ok(flow)
    }

    /// Makes sure that the stream ended where it should.
    ///
    /// # Errors
    /// That it did not.
    pub(super) fn finish(&self) -> Result<u64, String> {
        if self.state == State::Ended { Ok(self.seen) } else { Err("the copy ended without its trailer".to_owned()) }
    }

    fn take(&mut self, bytes: &[u8], sink: &mut dyn RowSink) -> Result<(usize, ControlFlow<()>), String> {
        let mut done = 0;
        loop {
            match self.step(&bytes[done..], sink)? {
                Step::Took(bytes) => done += bytes,
                Step::Incomplete => return Ok((done, ControlFlow::Continue(()))),
                Step::Stopped(bytes) => return Ok((done + bytes, ControlFlow::Break(()))),
            }
        }
    }

    fn step(&mut self, bytes: &[u8], sink: &mut dyn RowSink) -> Result<Step, String> {
        match self.state {
            State::Header => self.header(bytes),
            State::Tuples => self.tuple(bytes, sink),
            State::Ended if bytes.is_empty() => Ok(Step::Incomplete),
            State::Ended => Err("bytes follow the copy's trailer".to_owned()),
        }
    }

    fn header(&mut self, bytes: &[u8]) -> Result<Step, String> {
        let Some((signature, rest)) = bytes.split_at_checked(SIGNATURE.len()) else { return Ok(Step::Incomplete) };
        if signature != SIGNATURE {
            return Err("the copy does not begin with its signature".to_owned());
        }
        let (Some(flags), Some(extension)) = (int4(rest, 0), int4(rest, 4)) else { return Ok(Step::Incomplete) };
        let extension = usize::try_from(extension).map_err(|_| "the copy's header has a negative length".to_owned())?;
        if flags != 0 {
            return Err(format!("the copy has flags that we do not know ({flags:#x})"));
        }
        let length = SIGNATURE.len() + 8 + extension;
        if bytes.len() < length {
            return Ok(Step::Incomplete);
        }
        self.state = State::Tuples;
        Ok(Step::Took(length))
    }

    fn tuple(&mut self, bytes: &[u8], sink: &mut dyn RowSink) -> Result<Step, String> {
        let Some(count) = bytes.first_chunk().map(|count| i16::from_be_bytes(*count)) else {
            return Ok(Step::Incomplete);
        };
        if count == -1 {
            self.state = State::Ended;
            return Ok(Step::Took(2));
        }
        if usize::try_from(count) != Ok(self.readings.len()) {
            return Err(format!("a row has {count} values where {} columns were asked for", self.readings.len()));
        }
        // A first walk over the lengths: the sink must not see half a row.
        let mut end = 2;
        for _ in &self.readings {
            let Some(length) = int4(bytes, end) else { return Ok(Step::Incomplete) };
            end += 4 + usize::try_from(length).unwrap_or(0);
        }
        if bytes.len() < end {
            return Ok(Step::Incomplete);
        }
        let mut at = 2;
        for (column, reading) in self.readings.iter().enumerate() {
            let length = int4(bytes, at).unwrap_or(-1);
            at += 4;
            // NULL is a length of -1, and no other negative length exists.
            let Ok(length) = usize::try_from(length) else {
                sink.cell(column, Cell::Null);
                continue;
            };
            let value = &bytes[at..at + length];
            at += length;
            let cell = reading.cell(value);
            let cell = cell.ok_or_else(|| format!("column {column} has {length} bytes that are no {reading:?}"))?;
            sink.cell(column, cell);
        }
        self.seen += 1;
        Ok(if sink.end_row().is_break() { Step::Stopped(end) } else { Step::Took(end) })
    }
}

fn int4(bytes: &[u8], at: usize) -> Option<i32> {
    bytes.get(at..)?.first_chunk().map(|bytes| i32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes down what it gets; stops after so many rows.
    struct Seen(Vec<String>, usize);

    impl RowSink for Seen {
        fn cell(&mut self, column: usize, cell: Cell<'_>) {
            self.0.push(format!("{column} {cell:?}"));
        }

        fn end_row(&mut self) -> ControlFlow<()> {
            self.1 -= 1;
            if self.1 == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }

    fn stream() -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([0; 8]);
        for number in [7_i32, -1] {
            bytes.extend(2_i16.to_be_bytes());
            bytes.extend(4_i32.to_be_bytes());
            bytes.extend(number.to_be_bytes());
            bytes.extend((-1_i32).to_be_bytes());
        }
        bytes.extend((-1_i16).to_be_bytes());
        bytes
    }

    #[test]
    fn rows_are_the_same_however_the_stream_is_cut() {
        let stream = stream();
        for size in 1..=stream.len() {
            let (mut rows, mut sink) = (Rows::new(vec![Reading::Int4, Reading::Text]), Seen(Vec::new(), 9));
            for chunk in stream.chunks(size) {
                assert!(rows.feed(chunk, &mut sink).unwrap().is_continue());
            }
            assert_eq!(rows.finish(), Ok(2));
            assert_eq!(sink.0, ["0 Integer(7)", "1 Null", "0 Integer(-1)", "1 Null"], "in chunks of {size}");
        }
    }

    #[test]
    fn a_stream_without_trailer_or_with_odd_bytes_is_an_error() {
        let stream = stream();
        let mut rows = Rows::new(vec![Reading::Int4, Reading::Text]);
        rows.feed(&stream[..stream.len() - 2], &mut Seen(Vec::new(), 9)).unwrap();
        assert!(rows.finish().is_err());
        let mut rows = Rows::new(vec![Reading::Int8, Reading::Text]);
        assert!(rows.feed(&stream, &mut Seen(Vec::new(), 9)).is_err());
        assert!(Rows::new(vec![Reading::Int4]).feed(&stream, &mut Seen(Vec::new(), 9)).is_err());
    }

    #[test]
    fn a_sink_can_stop() {
        let mut rows = Rows::new(vec![Reading::Int4, Reading::Text]);
        assert!(rows.feed(&stream(), &mut Seen(Vec::new(), 1)).unwrap().is_break());
        assert_eq!(rows.seen(), 1);
    }

    #[test]
    fn instants_keep_infinity_and_what_does_not_fit() {
        let read = |micros: i64| format!("{:?}", Reading::Timestamp.cell(&micros.to_be_bytes()).unwrap());
        assert_eq!(read(0), "Timestamp(946684800000000)");
        assert_eq!(read(i64::MAX), format!("Timestamp({})", i64::MAX));
        assert!(read(i64::MAX - 1).starts_with("Opaque"));
    }
}
