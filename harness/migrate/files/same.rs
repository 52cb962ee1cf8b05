//! Whether two exports hold the same rows: as they are written, or with their JSON by its value.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    Field,
    export::{Listed, Manifest},
    settings::Settings,
};
use crate::{
    canon::json,
    migrate::{StepError, StepTask},
    model::{Fingerprint, LogicalType, LossEntry, TableName},
};

/// The rows of a table as an export wrote them, in whatever order they stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sums {
    /// As they are written.
    pub written: Fingerprint,
    /// The same with JSON by its value, in columns that are declared as such.
    by_value: Fingerprint,
    /// Rows by column whose JSON is spelled otherwise than its value asks for.
    respelled: BTreeMap<String, u64>,
}

impl Sums {
    /// Adds a row.
    pub fn row(&mut self, columns: &[String], kinds: &[LogicalType], row: &[Field]) {
        let mut written = blake3::Hasher::new();
        row.iter().for_each(|field| add(&mut written, field));
        let written = written.finalize();
        self.written.add_digest(written.as_bytes());
        if !kinds.iter().any(is_json) {
            return self.by_value.add_digest(written.as_bytes());
        }
        let (mut by_value, mut bytes) = (blake3::Hasher::new(), Vec::new());
        for ((field, kind), column) in row.iter().zip(kinds).zip(columns) {
            bytes.clear();
            let value = match field {
                Field::Text(text) if is_json(kind) => json::write_value(text.as_bytes(), &mut bytes),
                _ => None,
            };
            match value {
                Some(is_plain) => {
                    tagged(&mut by_value, JSON, &bytes);
                    if !is_plain {
                        *self.respelled.entry(column.clone()).or_default() += 1;
                    }
                }
                // No JSON, also where the column says so, is equal to nothing but itself.
                None => add(&mut by_value, field),
            }
        }
        self.by_value.add_digest(by_value.finalize().as_bytes());
    }

    /// Adds the rows of another file.
    fn add(&mut self, other: &Self) {
        self.written.add(&other.written);
        self.by_value.add(&other.by_value);
        for (column, rows) in &other.respelled {
            *self.respelled.entry(column.clone()).or_default() += rows;
        }
    }
}

const fn is_json(kind: &LogicalType) -> bool {
    matches!(kind, LogicalType::Json { .. })
}

/// Holds if the tables have the rows that an earlier export of this step found, whatever their order and files. The
/// answer are the rules by which they are the same, where they are spelled otherwise.
///
/// # Errors
/// The tables that hold other rows.
pub(super) fn are_the_same(
    task: &StepTask,
    settings: &Settings,
    other: &str,
    listed: &[Listed],
) -> Result<Vec<LossEntry>, StepError> {
    let sums = |listed: &[Listed]| {
        let mut sums: BTreeMap<TableName, Sums> = BTreeMap::new();
        listed.iter().for_each(|one| sums.entry(one.table.clone()).or_default().add(&one.sums));
        sums
    };
    let earlier = Manifest::of_step(task, other)?;
    let (now, then) = (sums(listed), sums(&earlier.tables));
    let (mut differing, mut ledger) = (Vec::new(), Vec::new());
    for table in now.keys().chain(then.keys()).collect::<BTreeSet<_>>() {
        match (now.get(table), then.get(table)) {
            (Some(now), Some(then)) if now.written == then.written => {}
            (Some(now), Some(then)) if now.by_value == then.by_value => {
                for (spelled, side, by) in [(now, settings.side, task.name.as_str()), (then, earlier.side, other)] {
                    ledger.extend(spelled.respelled.iter().map(|(column, rows)| LossEntry {
                        side,
                        table: table.clone(),
                        column: column.clone(),
                        rule: format!("json by value (exported by step `{by}`)"),
                        rows: *rows,
                    }));
                }
            }
            _ => differing.push(table.to_string()),
        }
    }
    if differing.is_empty() {
        return Ok(ledger);
    }
    let what = format!("other rows than those of step `{other}` are in {}", differing.join(", "));
    Err(StepError::Rejected { what })
}

/// The tag of a value of JSON, which no written value has.
const JSON: u8 = 7;

/// Adds a value to a digest, so that no two lists of values have the same.
pub(super) fn add(digest: &mut blake3::Hasher, field: &Field) {
    let mut one = |tag: u8, bytes: &[u8]| tagged(digest, tag, bytes);
    match field {
        Field::Null => one(0, b""),
        Field::Boolean(value) => one(1, &[u8::from(*value)]),
        Field::Integer(value) => one(2, &value.to_le_bytes()),
        Field::Real(value) => one(3, &value.to_bits().to_le_bytes()),
        Field::Text(text) => one(4, text.as_bytes()),
        Field::RawText(bytes) => one(5, bytes),
        Field::Bytes(bytes) => one(6, bytes),
    }
}

fn tagged(digest: &mut blake3::Hasher, tag: u8, bytes: &[u8]) {
    digest.update(&[tag]);
    digest.update(&(bytes.len() as u64).to_le_bytes());
    digest.update(bytes);
}
