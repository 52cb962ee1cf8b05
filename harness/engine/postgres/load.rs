//! Loads: rows into a table by COPY, in binary as long as every value has a binary form of its column's type.

use sqlx::PgConnection;

use super::{
    PostgresDialect,
    encode::{self, NoBinaryForm, Writing},
    session::{Loaded, PostgresSession},
    spell,
};
use crate::{
    engine::{Dialect, EngineError, RowSource},
    model::{TableName, Value, catalogue::Table},
};

/// Bytes gathered before they are sent.
const BUFFER: usize = 128 * 1024;

/// The SQLSTATE of a malformed COPY stream (bad_copy_file_format).
const BAD_STREAM: &str = "22P04";

/// In which of COPY's formats rows go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Binary,
    /// Twice as slow, but the server reads every type's text.
    Text,
}

/// How a row source ended.
enum Ended {
    /// It has no more rows.
    Empty,
    /// Its last row, still unsent, has no binary form.
    NotBinary,
    /// It failed, or gave a row that cannot be sent.
    Failed(EngineError),
}

/// Rows on their way.
struct Loading<'a> {
    table: &'a TableName,
    columns: &'a [String],
    writings: Vec<Writing>,
    row: Vec<Value>,
    buffer: Vec<u8>,
    spare: Vec<u8>,
}

impl PostgresSession {
    /// How a table's columns are written. Asked once for all batches of a transaction.
    async fn writings(&mut self, table: &TableName, columns: &[String]) -> Result<Vec<Writing>, EngineError> {
        if let Some(known) = &self.loaded
            && known.table == *table
            && known.columns == columns
        {
            return Ok(known.writings.clone());
        }
        let types = self.column_types(table).await?;
        let writing = |column| types.get(column).map_or(Writing::FromText, Writing::of);
        let writings: Vec<_> = columns.iter().map(writing).collect();
        if self.in_transaction {
            self.loaded = Some(Loaded { table: table.clone(), columns: columns.to_vec(), writings: writings.clone() });
        }
        Ok(writings)
    }

    /// Loads rows by COPY.
    ///
    /// Begins in binary; at the first value without a binary form of its column's type (text for a date, anything for
    /// an array) that copy ends and a second one takes the rest as text, for the server to understand or to refuse.
    pub(super) async fn copy_in(
        &mut self,
        table: &Table,
        columns: &[String],
        rows: &mut dyn RowSource,
    ) -> Result<u64, EngineError> {
        let doing = format!("copying into {}", table.name);
        let writings = self.writings(&table.name, columns).await?;
        let needs_text = writings.contains(&Writing::FromText);
        let mut format = if needs_text { Format::Text } else { Format::Binary };
        let (row, buffer, spare) = (Vec::new(), Vec::with_capacity(BUFFER + BUFFER / 4), Vec::new());
        let mut loading = Loading { table: &table.name, columns, writings, row, buffer, spare };
        let target = format!("{} ({})", PostgresDialect.table(&table.name), PostgresDialect.columns(columns));
        let mut total = 0;
        loop {
            let options = if format == Format::Binary { "binary" } else { "text" };
            let statement = format!("COPY {target} FROM STDIN (FORMAT {options})");
            self.check(&doing, &statement)?;
            self.midway = true;
            let place = self.place.clone();
            let failed = |error| super::error::on_statement(&place, &doing, error);
            let sent = loading.send(&mut self.connection, &statement, format, rows).await;
            // The driver reads up to the end of every exchange that the server ended; anything else leaves it midway.
            self.midway = matches!(&sent, Err(error) if !matches!(error, sqlx::Error::Database(_)));
            let (loaded, ended) = sent.map_err(failed)?;
            total += loaded;
            match ended {
                Ended::Empty => return Ok(total),
                Ended::NotBinary => format = Format::Text,
                Ended::Failed(error) => return Err(error),
            }
        }
    }
}

impl Loading<'_> {
    /// Sends rows in one COPY until the source ends or a row does not fit the format.
    async fn send(
        &mut self,
        connection: &mut PgConnection,
        statement: &str,
        format: Format,
        rows: &mut dyn RowSource,
    ) -> Result<(u64, Ended), sqlx::Error> {
        let mut copy = connection.copy_in_raw(statement).await?;
        self.buffer.clear();
        if format == Format::Binary {
            encode::begin(&mut self.buffer);
        } else if !self.row.is_empty() {
            // The row that ended the binary copy.
            self.text_row();
        }
        let ended = loop {
            if self.buffer.len() >= BUFFER {
                copy.send(self.buffer.as_slice()).await?;
                self.buffer.clear();
            }
            match self.next(rows, format) {
                Ok(true) => {}
                Ok(false) => break Ended::Empty,
                Err(Ended::Failed(error)) => return self.abandon(copy, format, error).await,
                Err(ended) => break ended,
            }
        };
        if format == Format::Binary {
            encode::end(&mut self.buffer);
        }
        copy.send(self.buffer.as_slice()).await?;
        Ok((copy.finish().await?, ended))
    }

    /// Takes the next row into the buffer.
    fn next(&mut self, rows: &mut dyn RowSource, format: Format) -> Result<bool, Ended> {
        self.row.clear();
        let failed = |source| EngineError::RowSource { table: self.table.clone(), source };
        if !rows.next(&mut self.row).map_err(|source| Ended::Failed(failed(source)))? {
            return Ok(false);
        }
        if self.row.len() != self.columns.len() {
            let problem = format!("a row has {} values for {} columns", self.row.len(), self.columns.len());
            return Err(Ended::Failed(failed(problem.into())));
        }
        self.check_values().map_err(Ended::Failed)?;
        match format {
            Format::Binary => {
                let start = self.buffer.len();
                encode::row(self.row.len(), &mut self.buffer);
                for (writing, value) in self.writings.iter().zip(&self.row) {
                    if encode::value(*writing, value, &mut self.buffer) == Err(NoBinaryForm) {
                        self.buffer.truncate(start);
                        return Err(Ended::NotBinary);
                    }
                }
            }
            Format::Text => self.text_row(),
        }
        Ok(true)
    }

    fn text_row(&mut self) {
        for (column, (writing, value)) in self.writings.iter().zip(&self.row).enumerate() {
            if column > 0 {
                self.buffer.push(b'\t');
            }
            spell::field(*writing, value, &mut self.spare, &mut self.buffer);
        }
        self.buffer.push(b'\n');
    }

    /// Refuses what would be stored as something else, or end the stream: NUL in text, and bytes for a column of
    /// another type (whose hexadecimal digits the server would take for text).
    fn check_values(&self) -> Result<(), EngineError> {
        for ((column, writing), value) in self.columns.iter().zip(&self.writings).zip(&self.row) {
            let problem = match value {
                Value::Text(text) | Value::Json(text) | Value::Decimal(text)
                    if *writing != Writing::Bytes && text.contains('\0') =>
                {
                    "has a NUL character, which PostgreSQL cannot store in text"
                }
                Value::Bytes(_) if *writing != Writing::Bytes => "has bytes, and the column's type is not bytea",
                _ => continue,
            };
            return Err(EngineError::Refused {
                doing: format!("copying into {}", self.table),
                code: None,
                source: format!("a value for column `{column}` {problem}").into(),
            });
        }
        Ok(())
    }

    /// Makes the server refuse the copy.
    ///
    /// By a row that is malformed in either format rather than by the driver's `abort`, which loses step with the server
    /// if that has refused an earlier row already; and then that earlier refusal is the true reason.
    async fn abandon(
        &mut self,
        mut copy: sqlx::postgres::PgCopyIn<&mut PgConnection>,
        format: Format,
        reason: EngineError,
    ) -> Result<(u64, Ended), sqlx::Error> {
        self.buffer.clear();
        match format {
            Format::Binary => self.buffer.extend_from_slice(&(-2_i16).to_be_bytes()),
            Format::Text => {
                self.buffer.resize(self.columns.len(), b'\t');
                self.buffer.push(b'\n');
            }
        }
        copy.send(self.buffer.as_slice()).await?;
        match copy.finish().await {
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(BAD_STREAM) => {
                Ok((0, Ended::Failed(reason)))
            }
            Err(error) => Err(error),
            Ok(_) => Err(sqlx::Error::Protocol("the server took a malformed row".to_owned())),
        }
    }
}
