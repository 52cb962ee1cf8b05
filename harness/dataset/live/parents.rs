//! The keys that parents hold.

use std::ops::ControlFlow;

use crate::{
    canon::{Cell, RowSink, decimal, text_of},
    engine::{EngineError, Rowset, Session},
    model::{TableName, Value},
};

/// Keys that are taken of one parent.
const KEYS: usize = 256;

/// Keys of a table's first rows, sorted; those with a NULL refer to nothing and are left out.
pub(super) async fn keys(
    session: &mut dyn Session,
    parent: &TableName,
    columns: &[String],
) -> Result<Vec<Vec<Value>>, EngineError> {
    let mut sink = Keys { row: Some(Vec::new()), keys: Vec::new() };
    session.scan(&Rowset::of(parent.clone(), columns.to_vec()), &mut sink).await?;
    let mut keys = sink.keys;
    // Rows come in no order that the same history would give again.
    keys.sort_by_cached_key(|key| format!("{key:?}"));
    keys.dedup();
    Ok(keys)
}

struct Keys {
    /// The row under way; `None` if it is none to refer to.
    row: Option<Vec<Value>>,
    keys: Vec<Vec<Value>>,
}

impl RowSink for Keys {
    fn cell(&mut self, _: usize, cell: Cell<'_>) {
        match (value(&cell), &mut self.row) {
            (Some(value), Some(row)) => row.push(value),
            _ => self.row = None,
        }
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        self.keys.extend(self.row.replace(Vec::new()));
        if self.keys.len() < KEYS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// The value to load for a cell, such that the engine stores the same again; `None` for NULL and for text that is none.
fn value(cell: &Cell<'_>) -> Option<Value> {
    let text = |bytes: &[u8]| str::from_utf8(bytes).ok().map(str::to_owned);
    Some(match *cell {
        Cell::Null => return None,
        Cell::Boolean(truth) => Value::Boolean(truth),
        Cell::Integer(number) => Value::Integer(number),
        Cell::Float32(number) => Value::Float(number.into()),
        Cell::Float64(number) => Value::Float(number),
        Cell::Decimal(number) => Value::Decimal(decimal::text(&number)),
        Cell::Text(bytes) | Cell::PaddedText(bytes) | Cell::Label(bytes) => Value::Text(text(bytes)?),
        Cell::Json(bytes) | Cell::Jsonb(bytes) => Value::Json(text(bytes)?),
        Cell::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
        Cell::Uuid(bytes) => Value::Uuid(bytes),
        Cell::Date(days) => Value::Date(days),
        Cell::Time(micros) => Value::Time(micros),
        Cell::Timestamp(micros) => Value::Timestamp(micros),
        Cell::TimestampTz(micros) => Value::TimestampTz(micros),
        Cell::Opaque(_) => return None,
        Cell::TimeTz(..)
        | Cell::Interval { .. }
        | Cell::Bits { .. }
        | Cell::Network { .. }
        | Cell::MacAddress(_)
        | Cell::Nested(..) => Value::Text(text_of(cell)?),
    })
}
