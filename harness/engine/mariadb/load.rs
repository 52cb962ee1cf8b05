//! Bulk loading by multi-row INSERTs with bound values.
//!
//! Strict mode refuses what does not fit a column; what strict mode would bend in silence (a fraction into an integer, bytes
//! into text) or what no value of MariaDB is (NaN, infinity, years before 1 and after 9999) is refused before it is sent.

use sqlx::{Arguments, AssertSqlSafe, mysql::MySqlArguments, query_with};

use super::{
    MariaDbDialect, error,
    session::{MariaDbSession, whole},
};
use crate::{
    canon::{temporal, uuid},
    engine::{Dialect, EngineError, RowSource},
    model::{
        LogicalType, Value,
        catalogue::{Reference, Table},
    },
};

/// Rows of one full statement, unless they have so many columns or bytes that it must be fewer.
const ROWS: usize = 500;
/// The protocol counts parameters in 16 bits.
const PARAMETERS: usize = 65_000;
/// Bytes after which a statement is sent; a server takes 16 MiB unless it is told otherwise.
const BYTES: usize = 1 << 20;

/// 0001-01-01 and 10000-01-01 in days since 1970-01-01.
const FIRST_DAY: i64 = -719_162;
const END_OF_DAYS: i64 = 2_932_897;
const DAY: i64 = 86_400_000_000;

/// What a column takes, as far as it matters for a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writing {
    Integer,
    Bytes,
    Other,
}

/// A load under way.
struct Loading<'a> {
    table: &'a Table,
    columns: &'a [String],
    writings: Vec<Writing>,
    /// The statement up to VALUES.
    head: String,
    arguments: MySqlArguments,
    pending: usize,
    bytes: usize,
    loaded: u64,
}

impl MariaDbSession {
    /// Loads rows in a transaction of its own, or under a savepoint in the one that is open; nothing stays of a load that
    /// fails.
    ///
    /// Rows of a table that refers to itself may come in any order: its keys are not looked at row by row, but asked
    /// about at the end.
    pub(super) async fn insert(
        &mut self,
        table: &Table,
        columns: &[String],
        rows: &mut dyn RowSource,
    ) -> Result<u64, EngineError> {
        let doing = format!("loading into {}", table.name);
        let (begin, end, undo) = if self.in_transaction().await? {
            ("SAVEPOINT rehearse_load", "RELEASE SAVEPOINT rehearse_load", "ROLLBACK TO SAVEPOINT rehearse_load")
        } else {
            ("START TRANSACTION", "COMMIT", "ROLLBACK")
        };
        self.run(&doing, begin).await?;
        let mut outcome = self.insert_all(table, columns, rows).await;
        if outcome.is_ok() && refers_to_itself(table) {
            outcome = self.require_parents(table).await.and(outcome);
        }
        match outcome {
            Ok(loaded) => self.run(&doing, end).await.map(|()| loaded),
            Err(error) => {
                // After a deadlock or a lost connection there is nothing left to take back, and the first error is the
                // one that matters.
                let _ = self.run(&doing, undo).await;
                Err(error)
            }
        }
    }

    async fn insert_all(
        &mut self,
        table: &Table,
        columns: &[String],
        rows: &mut dyn RowSource,
    ) -> Result<u64, EngineError> {
        let mut loading = Loading::new(table, columns);
        whole(&loading.doing(), &loading.head)?;
        if columns.is_empty() {
            return Err(loading.refused("no column is named".to_owned()));
        }
        let most = ROWS.min(PARAMETERS / columns.len()).max(1);
        let mut row = Vec::with_capacity(columns.len());
        loop {
            row.clear();
            match rows.next(&mut row) {
                Ok(true) if row.len() == columns.len() => loading.take(&row)?,
                Ok(false) => {
                    loading.send(self, most).await?;
                    // Nothing may have been sent at all; a name that is not there is an error all the same.
                    let nothing = format!("{} SELECT {} LIMIT 0", loading.head, vec!["NULL"; columns.len()].join(", "));
                    if loading.loaded == 0 {
                        self.run(&loading.doing(), &nothing).await?;
                    }
                    return Ok(loading.loaded);
                }
                failed => {
                    // A row that the server refuses comes before what the source has to say.
                    loading.send(self, most).await?;
                    let problem = format!("a row has {} values for {} columns", row.len(), columns.len());
                    let source = failed.err().unwrap_or_else(|| problem.into());
                    return Err(EngineError::RowSource { table: table.name.clone(), source });
                }
            }
            if loading.pending == most || loading.bytes >= BYTES {
                loading.send(self, most).await?;
            }
        }
    }

    /// Refuses a load after which a reference of the table dangles.
    async fn require_parents(&mut self, table: &Table) -> Result<(), EngineError> {
        for key in &table.foreign_keys {
            let reference = Reference::of(&table.name, key);
            if self.count_dangling(&reference, 0).await?.total > 0 {
                let source = format!("a row of the foreign key {reference} has no parent").into();
                let doing = format!("loading into {}", table.name);
                // The number with which the server itself says so.
                return Err(EngineError::Refused { doing, code: Some("1452".to_owned()), source });
            }
        }
        Ok(())
    }
}

fn refers_to_itself(table: &Table) -> bool {
    table.foreign_keys.iter().any(|key| key.parent == table.name)
}

impl<'a> Loading<'a> {
    fn new(table: &'a Table, columns: &'a [String]) -> Self {
        let writing = |name: &String| match table.column(name).map(|column| &column.kind) {
            Some(LogicalType::Integer { .. } | LogicalType::Boolean) => Writing::Integer,
            Some(LogicalType::Bytes | LogicalType::Other(_)) => Writing::Bytes,
            _ => Writing::Other,
        };
        let unchecked = if refers_to_itself(table) { "SET STATEMENT foreign_key_checks = 0 FOR " } else { "" };
        let (name, list) = (MariaDbDialect.table(&table.name), MariaDbDialect.columns(columns));
        Self {
            table,
            columns,
            writings: columns.iter().map(writing).collect(),
            head: format!("{unchecked}INSERT INTO {name} ({list})"),
            arguments: MySqlArguments::default(),
            pending: 0,
            bytes: 0,
            loaded: 0,
        }
    }

    fn doing(&self) -> String {
        format!("loading into {}", self.table.name)
    }

    fn refused(&self, problem: String) -> EngineError {
        EngineError::Refused { doing: self.doing(), code: None, source: problem.into() }
    }

    /// Sends the rows that were taken, if there are any. Only a full statement is worth keeping prepared.
    async fn send(&mut self, session: &mut MariaDbSession, most: usize) -> Result<(), EngineError> {
        if self.pending == 0 {
            return Ok(());
        }
        let marks = format!("({})", vec!["?"; self.columns.len()].join(", "));
        let sql = format!("{} VALUES {}", self.head, vec![marks.as_str(); self.pending].join(", "));
        let arguments = std::mem::take(&mut self.arguments);
        let statement = query_with(AssertSqlSafe(sql), arguments).persistent(self.pending == most);
        let sent = statement.execute(&mut session.connection).await;
        sent.map_err(|error| error::on_statement(&session.place, &self.doing(), error))?;
        self.loaded += self.pending as u64;
        (self.pending, self.bytes) = (0, 0);
        Ok(())
    }

    /// Binds a row.
    fn take(&mut self, row: &[Value]) -> Result<(), EngineError> {
        for (position, value) in row.iter().enumerate() {
            match bind(&mut self.arguments, self.writings[position], value) {
                Ok(bytes) => self.bytes += bytes,
                Err(problem) => {
                    return Err(self.refused(format!("a value for column `{}` {problem}", self.columns[position])));
                }
            }
        }
        self.pending += 1;
        Ok(())
    }
}

/// Binds a value and tells about how many bytes that are, or what is wrong with the value.
fn bind(arguments: &mut MySqlArguments, writing: Writing, value: &Value) -> Result<usize, &'static str> {
    let mut text = |text: &str| (arguments.add(text), text.len());
    let (added, bytes) = match value {
        // NULL as a number would not do for a column of UUIDs.
        Value::Null => (arguments.add(None::<&str>), 1),
        Value::Boolean(truth) => (arguments.add(i64::from(*truth)), 8),
        Value::Integer(number) => (arguments.add(*number), 8),
        Value::Float(number) if !number.is_finite() => return Err("is no finite number, and MariaDB has no other"),
        Value::Float(number) if writing == Writing::Integer && number.fract() != 0.0 => {
            return Err("has a fraction, and the column's type has none");
        }
        Value::Float(number) => (arguments.add(*number), 8),
        Value::Text(string) if writing == Writing::Bytes => (arguments.add(string.as_bytes()), string.len()),
        Value::Decimal(string) | Value::Text(string) | Value::Json(string) => text(string),
        Value::Bytes(bytes) if writing == Writing::Bytes => (arguments.add(bytes.as_slice()), bytes.len()),
        Value::Bytes(_) => return Err("has bytes, and the column's type is not one of bytes"),
        Value::Uuid(bytes) if writing == Writing::Bytes => (arguments.add(bytes.as_slice()), 16),
        Value::Uuid(bytes) => text(&uuid::format(bytes)),
        Value::Date(days) if (FIRST_DAY..END_OF_DAYS).contains(&i64::from(*days)) => {
            text(&temporal::format_date(*days))
        }
        Value::Time(micros) => text(&temporal::format_time(*micros)),
        Value::Timestamp(micros) | Value::TimestampTz(micros)
            if (FIRST_DAY * DAY..END_OF_DAYS * DAY).contains(micros) =>
        {
            text(&temporal::format_timestamp(*micros))
        }
        Value::Date(_) | Value::Timestamp(_) | Value::TimestampTz(_) => {
            return Err("is outside the years 1 to 9999, and MariaDB has no others");
        }
    };
    added.map_err(|_| "cannot be bound")?;
    Ok(bytes)
}
