//! The binary COPY format, server to us: rows to cells without an allocation for each value.
//!
//! <https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS>

use std::ops::ControlFlow;

use super::reading::Reading;
use crate::canon::{Cell, RowSink};

/// The eleven bytes that open every binary COPY.
pub(super) const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// Days from 1970-01-01 to 2000-01-01, PostgreSQL's epoch.
pub(super) const EPOCH_DAYS: i32 = 10_957;

/// Microseconds from 1970-01-01 to 2000-01-01.
pub(super) const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;

/// Cuts a binary COPY, as it comes in chunks of any size, into rows and hands them to a sink.
pub(super) struct Rows {
    readings: Vec<Reading>,
    /// Of which columns the sink gets cells, up to the last of them.
    wanted: Vec<bool>,
    /// The sink gets the rows' own bytes too.
    as_sent: bool,
    /// What has no bytes of its own on the wire; used again for every value.
    spare: Vec<u8>,
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
    pub(super) fn new(readings: Vec<Reading>) -> Self {
        let wanted = vec![true; readings.len()];
        let (spare, pending) = (Vec::new(), Vec::new());
        Self { readings, wanted, as_sent: false, spare, pending, state: State::Header, seen: 0 }
    }

    /// The same with each row's own bytes, and the cells of these columns alone.
    pub(super) fn with_sent(mut self, cells: &[usize]) -> Self {
        let end = cells.iter().max().map_or(0, |last| last + 1);
        self.wanted = (0..end).map(|column| cells.contains(&column)).collect();
        self.as_sent = true;
        self
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
        for ((column, reading), is_wanted) in self.readings.iter().enumerate().zip(&self.wanted) {
            let length = int4(bytes, at).unwrap_or(-1);
            at += 4;
            // NULL is a length of -1, and no other negative length exists.
            let Ok(length) = usize::try_from(length) else {
                if *is_wanted {
                    sink.cell(column, Cell::Null);
                }
                continue;
            };
            let value = &bytes[at..at + length];
            at += length;
            if !is_wanted {
                continue;
            }
            let cell = reading.cell(value, &mut self.spare);
            let cell = cell.ok_or_else(|| format!("column {column} has {length} bytes that are no {reading:?}"))?;
            sink.cell(column, cell);
        }
        if self.as_sent {
            sink.sent(&bytes[..end]);
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
        assert!(rows.feed(&stream[..stream.len() - 2], &mut Seen(Vec::new(), 9)).is_ok());
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
}
