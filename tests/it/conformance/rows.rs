//! Rows in and out, and tables to hold them.

use std::ops::ControlFlow;

use rehearse::{
    canon::{Cell, RowSink, text_of},
    engine::{BoxedError, Dialect, EngineError, RowSource, Rowset, Session},
    model::{
        LogicalType, TableName, Value,
        catalogue::{Column, Generation, Key, Table},
    },
};

/// Writes down what a scan gives, and ends it after so many rows.
#[derive(Default)]
pub(super) struct Seen {
    pub rows: Vec<Vec<String>>,
    pub row: Vec<String>,
    pub most: Option<usize>,
}

impl RowSink for Seen {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        assert_eq!(column, self.row.len(), "cells come in order");
        self.row.push(spelled(cell));
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        self.rows.push(std::mem::take(&mut self.row));
        if self.most == Some(self.rows.len()) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// A cell's kind and text: `Text a`, `Null`. Floats by their shortest digits, so that -0.0 and NaN show.
pub(super) fn spelled(cell: Cell<'_>) -> String {
    let debug = format!("{cell:?}");
    let kind = debug.split(['(', ' ']).next().unwrap_or_default();
    text_of(&cell).map_or_else(|| kind.to_owned(), |text| format!("{kind} {text}"))
}

/// Gives rows that were made before, and then the error if there is one.
pub(super) struct Given {
    rows: std::vec::IntoIter<Vec<Value>>,
    error: Option<&'static str>,
}

impl Given {
    pub fn rows(rows: Vec<Vec<Value>>) -> Self {
        Self { rows: rows.into_iter(), error: None }
    }

    pub fn then(rows: Vec<Vec<Value>>, error: &'static str) -> Self {
        Self { rows: rows.into_iter(), error: Some(error) }
    }
}

impl RowSource for Given {
    fn next(&mut self, row: &mut Vec<Value>) -> Result<bool, BoxedError> {
        match (self.rows.next(), self.error) {
            (Some(next), _) => {
                row.extend(next);
                Ok(true)
            }
            (None, Some(error)) => Err(error.into()),
            (None, None) => Ok(false),
        }
    }
}

/// A column of a kind, declared as the engine would declare it.
pub(super) fn column(dialect: &dyn Dialect, name: &str, kind: LogicalType) -> Column {
    Column {
        name: name.to_owned(),
        declared: dialect.declare(&kind).unwrap_or_else(|| panic!("no type for {kind}")),
        kind,
        nullable: true,
        default: None,
        generation: Generation::None,
        collation: None,
    }
}

/// A table without keys.
pub(super) fn table(name: &str, columns: Vec<Column>) -> Table {
    Table { columns, ..Table::empty(TableName::new(name)) }
}

pub(super) fn key(columns: &[&str]) -> Key {
    Key { name: None, columns: strings(columns) }
}

/// Creates tables, foreign keys and all.
pub(super) async fn create(session: &mut dyn Session, dialect: &dyn Dialect, tables: &[Table]) {
    let script = dialect.create_tables(tables);
    run(session, script.create.iter().chain(&script.finish)).await;
}

pub(super) async fn run(session: &mut dyn Session, statements: impl IntoIterator<Item = &String>) {
    for statement in statements {
        session.execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    }
}

pub(super) async fn load(session: &mut dyn Session, table: &Table, rows: Vec<Vec<Value>>) -> Result<u64, EngineError> {
    let columns: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    session.load(table, &columns, &mut Given::rows(rows)).await
}

/// All rows of a table, cell by cell.
pub(super) async fn scan(session: &mut dyn Session, table: &Table) -> Vec<Vec<String>> {
    let columns = table.columns.iter().map(|column| column.name.clone()).collect();
    let mut seen = Seen::default();
    let rowset = Rowset::of(table.name.clone(), columns);
    let rows = session.scan(&rowset, &mut seen).await.unwrap_or_else(|error| panic!("{rowset:?}: {error:?}"));
    assert_eq!(rows, seen.rows.len() as u64, "the scan tells how many rows it saw");
    seen.rows
}

/// The one value of a query.
pub(super) async fn one(session: &mut dyn Session, sql: &str) -> String {
    let rows = session.query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    rows[0][0].clone().unwrap_or_else(|| "NULL".to_owned())
}

/// How many rows a table has.
pub(super) async fn count(session: &mut dyn Session, dialect: &dyn Dialect, table: &Table) -> u64 {
    let sql = format!("SELECT count(*) FROM {}", dialect.table(&table.name));
    one(session, &sql).await.parse().unwrap()
}

pub(super) fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(super) const fn integer() -> LogicalType {
    LogicalType::Integer { bits: 64 }
}

pub(super) const fn any_text() -> LogicalType {
    LogicalType::Text { limit: None }
}

/// Text that every engine can have in a key.
pub(super) const fn key_text() -> LogicalType {
    LogicalType::Text { limit: Some(63) }
}
