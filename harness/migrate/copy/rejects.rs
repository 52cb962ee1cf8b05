//! Rows that cannot be carried: kept in a table of the target's with the reason and what names them, in the transaction of
//! their part, and listed in a file.

use std::{fs, io::Write, path::PathBuf};

use serde_json::json;

use crate::{
    engine::{BoxedError, Dialect, EngineError, RowSource, Session},
    migrate::{StepError, StepTask},
    model::{
        LogicalType, TableName, Value,
        catalogue::{Column, Generation, Table},
    },
};

/// Rows of one part that may be rejected: more are a mistake of the mapping.
pub(super) const AT_MOST: usize = 100_000;

/// A row that cannot be carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reject {
    /// What names it: a JSON object of the texts of its key, or of its place.
    pub key: String,
    /// The source's column.
    pub column: String,
    /// What is wrong with it, without its value.
    pub reason: String,
}

/// The table.
pub(super) struct Rejects {
    /// Its name.
    pub name: TableName,
    dialect: &'static dyn Dialect,
}

/// Its columns.
const COLUMNS: [&str; 6] = ["part", "source_table", "target_table", "source_key", "source_column", "reason"];

impl Rejects {
    /// The table of this name.
    pub fn of(name: &str, dialect: &'static dyn Dialect) -> Self {
        Self { name: TableName::new(name), dialect }
    }

    fn table(&self) -> Table {
        let column = |name: &str| {
            let kind = match name {
                "part" => LogicalType::Integer { bits: 64 },
                _ => LogicalType::Text { limit: None },
            };
            let declared = self.dialect.declare(&kind).unwrap_or_else(|| "text".to_owned());
            Column {
                name: name.to_owned(),
                declared,
                kind,
                nullable: true,
                default: None,
                generation: Generation::None,
                collation: None,
            }
        };
        Table { columns: COLUMNS.map(column).into(), ..Table::empty(self.name.clone()) }
    }

    /// Makes the table.
    pub async fn create(&self, session: &mut dyn Session) -> Result<(), EngineError> {
        let columns = self.table().columns;
        let columns: Vec<_> =
            columns.iter().map(|column| format!("{} {}", self.dialect.quote(&column.name), column.declared)).collect();
        session.execute(&format!("CREATE TABLE {} ({})", self.dialect.table(&self.name), columns.join(", "))).await
    }

    /// Keeps rows of a part, in the transaction that is open.
    pub async fn keep(
        &self,
        session: &mut dyn Session,
        part: u64,
        tables: [&TableName; 2],
        rejects: &[Reject],
    ) -> Result<(), EngineError> {
        if rejects.is_empty() {
            return Ok(());
        }
        let part = i64::try_from(part).unwrap_or(i64::MAX);
        let row = |one: &Reject| {
            let [source, target] = tables.map(ToString::to_string);
            let texts = [source, target, one.key.clone(), one.column.clone(), one.reason.clone()];
            [Value::Integer(part)].into_iter().chain(texts.map(Value::Text)).collect()
        };
        let mut rows = Listed(rejects.iter().map(row).collect::<Vec<Vec<Value>>>().into_iter());
        session.load(&self.table(), &COLUMNS.map(str::to_owned), &mut rows).await.map(drop)
    }

    /// Lists everything that was kept in a file beside what programs print, a line a row, and tells where; part by part, so
    /// that memory does not grow.
    ///
    /// # Errors
    /// If it cannot be read or written.
    pub async fn list(&self, task: &StepTask, parts: u64, session: &mut dyn Session) -> Result<PathBuf, StepError> {
        let path = match &task.log {
            Some(log) => log.with_extension("rejects.ndjson"),
            None => task.folder.join("rejects.ndjson"),
        };
        let broken = |error: std::io::Error| StepError::broken(format!("write `{}`", path.display()), error);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(broken)?;
        }
        let mut file = std::io::BufWriter::new(fs::File::create(&path).map_err(broken)?);
        let columns = COLUMNS[1..].iter().map(|name| self.dialect.quote(name)).collect::<Vec<_>>().join(", ");
        for part in 0..parts {
            let part = format!("{} = {part}", self.dialect.quote("part"));
            let sql = format!("SELECT {columns} FROM {} WHERE {part}", self.dialect.table(&self.name));
            for row in session.query(&sql).await? {
                let [table, target, key, column, reason]: [Option<String>; 5] = row.try_into().unwrap_or_default();
                let line = json!({ "source": table, "target": target, "key": key, "column": column, "reason": reason });
                writeln!(file, "{line}").map_err(broken)?;
            }
        }
        file.flush().map_err(broken)?;
        Ok(path)
    }
}

struct Listed(std::vec::IntoIter<Vec<Value>>);

impl RowSource for Listed {
    fn next(&mut self, row: &mut Vec<Value>) -> Result<bool, BoxedError> {
        let next = self.0.next();
        let is_there = next.is_some();
        row.extend(next.into_iter().flatten());
        Ok(is_there)
    }
}
