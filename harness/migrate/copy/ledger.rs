//! The step's own table in the target: which parts are there, written in the transaction of each part.

use std::collections::BTreeMap;

use crate::{
    engine::{Dialect, EngineError, Session},
    model::{LogicalType, TableName},
};

/// The table.
pub(super) struct Ledger {
    /// Its name.
    pub name: TableName,
    dialect: &'static dyn Dialect,
}

/// What was done with a part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// Rows that were read.
    pub read: u64,
    /// Rows that were loaded.
    pub loaded: u64,
    /// Rows that were rejected and kept.
    pub rejected: u64,
}

impl Entry {
    /// Adds what was done with another part.
    pub const fn add(&mut self, other: Self) {
        self.read += other.read;
        self.loaded += other.loaded;
        self.rejected += other.rejected;
    }
}

/// Its columns.
const COLUMNS: [&str; 4] = ["part", "rows_read", "rows_loaded", "rows_rejected"];

impl Ledger {
    /// The table of a step.
    pub fn of(step: &str, dialect: &'static dyn Dialect) -> Self {
        let plain: String =
            step.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
        // Engines cut names, and two steps may fold into one.
        let name = if plain == step && plain.len() <= 40 {
            format!("rehearse_copy_{plain}")
        } else {
            format!("rehearse_copy_{}", &blake3::hash(step.as_bytes()).to_hex()[..16])
        };
        Self { name: TableName::new(name), dialect }
    }

    /// Makes the table.
    pub async fn create(&self, session: &mut dyn Session) -> Result<(), EngineError> {
        let number = self.dialect.declare(&LogicalType::Integer { bits: 64 }).unwrap_or_else(|| "bigint".to_owned());
        let column = |name: &str| format!("{} {number} NOT NULL", self.dialect.quote(name));
        let columns = COLUMNS.map(column).join(", ");
        let key = self.dialect.quote("part");
        session
            .execute(&format!("CREATE TABLE {} ({columns}, PRIMARY KEY ({key}))", self.dialect.table(&self.name)))
            .await
    }

    /// Takes the table away, if it is there.
    pub async fn remove(&self, session: &mut dyn Session) -> Result<(), EngineError> {
        session.execute(&format!("DROP TABLE IF EXISTS {}", self.dialect.table(&self.name))).await
    }

    /// The parts that are there.
    pub async fn entries(&self, session: &mut dyn Session) -> Result<BTreeMap<u64, Entry>, EngineError> {
        let columns = COLUMNS.map(|name| self.dialect.quote(name)).join(", ");
        let rows = session.query(&format!("SELECT {columns} FROM {}", self.dialect.table(&self.name))).await?;
        let mut entries = BTreeMap::new();
        for row in rows {
            let numbers: Option<Vec<u64>> = row.into_iter().map(|number| number?.parse().ok()).collect();
            let Some([part, read, loaded, rejected]) = numbers.as_deref() else {
                let what = format!("a line of `{}` that is no part", self.name);
                return Err(EngineError::Unexpected { doing: "reading which parts are there".to_owned(), what });
            };
            entries.insert(*part, Entry { read: *read, loaded: *loaded, rejected: *rejected });
        }
        Ok(entries)
    }

    /// Says that a part is there, in the transaction that is open.
    pub async fn enter(&self, session: &mut dyn Session, part: u64, entry: Entry) -> Result<(), EngineError> {
        let Entry { read, loaded, rejected } = entry;
        session
            .execute(&format!(
                "INSERT INTO {} VALUES ({part}, {read}, {loaded}, {rejected})",
                self.dialect.table(&self.name)
            ))
            .await
    }
}
