//! The keys of rows that others refer to, so that a row without its parent is rejected while rows stream.
//!
//! They are read from the target, where the parents are already: what counts is what went over, whatever the reason why some did
//! not. Keys beyond a bound are looked up in a temporary file, so that memory does not grow with the parents.

use std::{
    collections::HashSet,
    ops::ControlFlow,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::{Connection, OptionalExtension};
use tokio::sync::OnceCell;

use super::plan::{ColumnPlan, Parent, TablePlan};
use crate::{
    canon::{Cell, RowSink},
    engine::{Rowset, Session},
    migrate::StepError,
    model::{
        LogicalType, TableName, Value,
        catalogue::{Reference, Table},
    },
};

/// What cannot be: the message, and what is expected.
type Refused = (String, &'static str);

/// The parents of which a table's references make one for every row, and why others cannot be told.
pub(super) fn of_references(target: &Table, columns: &[ColumnPlan]) -> (Vec<Parent>, Vec<Refused>) {
    let (mut parents, mut refused) = (Vec::new(), Vec::new());
    for reference in &target.foreign_keys {
        let mut refuse = |why: &str| {
            let message = format!("the reference {} {why}", Reference::of(&target.name, reference));
            refused.push((message, "`source_sql` that gives NULL where there is no parent, in place of `orphans`"));
        };
        let ([column], [key]) = (reference.columns.as_slice(), reference.parent_columns.as_slice()) else {
            refuse("is of several columns");
            continue;
        };
        // What is the same in every row, or left to its default, is for the key itself to look at.
        let Some(at) = columns.iter().position(|plan| plan.target == *column) else { continue };
        let kind = target.column(column).map(|column| &column.kind);
        if reference.parent == target.name {
            refuse("is to the table itself, whose rows come in any order");
        } else if matches!(kind, Some(LogicalType::Integer { .. } | LogicalType::Uuid)) {
            parents.push(Parent { column: at, table: reference.parent.clone(), key: key.clone() });
        } else {
            // Whether two texts are one key is for the server's collation to say.
            refuse("is of values that only the server can compare");
        }
    }
    if parents.is_empty() && refused.is_empty() {
        let message = format!("`{}` has no reference by which a row could be an orphan", target.name);
        refused.push((message, "a table with foreign keys, or no `orphans`"));
    }
    (parents, refused)
}

/// Keys of one parent that are held in memory; a set of so many takes some 40 MiB at most.
const HELD: usize = 1 << 20;

/// The keys of all parents of a step, each read when the first row that may refer to it is about to come.
pub(super) struct Parents(Vec<Vec<OnceCell<Arc<Keys>>>>);

impl Parents {
    /// Those of these tables; none is read yet.
    pub fn of(tables: &[TablePlan]) -> Self {
        let cells = |table: &TablePlan| table.parents.iter().map(|_| OnceCell::new()).collect();
        Self(tables.iter().map(cells).collect())
    }

    /// By column of a table: the keys of which its values have to be one. `target` is a session that sees the parents.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn by_column(
        &self,
        at: usize,
        table: &TablePlan,
        target: &mut dyn Session,
    ) -> Result<Vec<Option<Arc<Keys>>>, StepError> {
        let mut by_column = vec![None; table.columns.len()];
        for (cell, parent) in self.0[at].iter().zip(&table.parents) {
            let keys = cell.get_or_try_init(|| Keys::read(parent, HELD, &mut *target)).await?;
            by_column[parent.column] = Some(Arc::clone(keys));
        }
        Ok(by_column)
    }
}

/// The keys of one parent.
pub(super) struct Keys {
    parent: TableName,
    held: Held,
}

enum Held {
    Here(HashSet<u128>),
    /// A database that SQLite keeps in a file without a name, and in no more memory than its cache has.
    InFile(Mutex<Connection>),
}

impl Keys {
    async fn read(parent: &Parent, held: usize, session: &mut dyn Session) -> Result<Arc<Self>, StepError> {
        let doing = || format!("read the keys of `{}`", parent.table);
        let mut reading = Reading { keys: HashSet::new(), at_most: held, file: None, failed: None };
        session.scan(&Rowset::of(parent.table.clone(), vec![parent.key.clone()]), &mut reading).await?;
        let held = reading.end().map_err(|error| StepError::broken(doing(), error))?;
        Ok(Arc::new(Self { parent: parent.table.clone(), held }))
    }

    /// What is wrong with a value that has to be one of these.
    ///
    /// # Errors
    /// The reason, without the value.
    pub fn require(&self, value: &Value) -> Result<(), String> {
        // NULL refers to nothing.
        let Some(key) = key_of(value) else { return Ok(()) };
        let is_there = match &self.held {
            Held::Here(keys) => keys.contains(&key),
            Held::InFile(file) => is_in(&file.lock().unwrap_or_else(PoisonError::into_inner), key)
                .map_err(|error| format!("cannot be looked up among the keys of `{}`: {error}", self.parent))?,
        };
        if is_there { Ok(()) } else { Err(format!("has no parent in `{}`", self.parent)) }
    }
}

/// A key in the form in which it is held.
const fn key_of(value: &Value) -> Option<u128> {
    match value {
        Value::Integer(number) => Some(number.cast_unsigned() as u128),
        Value::Uuid(bytes) => Some(u128::from_be_bytes(*bytes)),
        _ => None,
    }
}

fn is_in(file: &Connection, key: u128) -> rusqlite::Result<bool> {
    let mut statement = file.prepare_cached("SELECT 1 FROM keys WHERE key = ?1")?;
    Ok(statement.query_row([key.to_be_bytes()], |_| Ok(())).optional()?.is_some())
}

/// Takes keys while they are read.
struct Reading {
    keys: HashSet<u128>,
    at_most: usize,
    file: Option<Connection>,
    failed: Option<rusqlite::Error>,
}

impl Reading {
    /// Moves what is held into the file.
    fn spill(&mut self) -> rusqlite::Result<()> {
        if self.file.is_none() {
            let file = Connection::open("")?;
            file.execute_batch("CREATE TABLE keys (key BLOB PRIMARY KEY) WITHOUT ROWID; BEGIN")?;
            self.file = Some(file);
        }
        let Some(file) = &self.file else { return Ok(()) };
        let mut keys: Vec<u128> = self.keys.drain().collect();
        // In their order, a part of the file is written once and not for each key.
        keys.sort_unstable();
        let mut insert = file.prepare_cached("INSERT OR IGNORE INTO keys VALUES (?1)")?;
        keys.into_iter().try_for_each(|key| insert.execute([key.to_be_bytes()]).map(drop))
    }

    fn end(mut self) -> rusqlite::Result<Held> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.file.is_none() {
            return Ok(Held::Here(self.keys));
        }
        self.spill()?;
        let file = self.file.expect("just looked at");
        file.execute_batch("COMMIT")?;
        Ok(Held::InFile(Mutex::new(file)))
    }
}

impl RowSink for Reading {
    fn cell(&mut self, _column: usize, cell: Cell<'_>) {
        let key = match cell {
            Cell::Integer(number) => Value::Integer(number),
            Cell::Uuid(bytes) => Value::Uuid(bytes),
            _ => return,
        };
        self.keys.extend(key_of(&key));
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        if self.keys.len() < self.at_most {
            return ControlFlow::Continue(());
        }
        match self.spill() {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(at_most: usize) -> Keys {
        let mut reading = Reading { keys: HashSet::new(), at_most, file: None, failed: None };
        for number in [5, -1, 3, 3, i64::MAX, 0] {
            reading.cell(0, Cell::Integer(number));
            assert!(reading.end_row().is_continue());
        }
        reading.cell(0, Cell::Null);
        assert!(reading.end_row().is_continue());
        Keys { parent: TableName::new("people"), held: reading.end().unwrap() }
    }

    #[test]
    fn keys_are_found_in_memory_and_in_a_file() {
        for at_most in [1, 2, 3, 100] {
            let keys = keys(at_most);
            assert_eq!(matches!(keys.held, Held::InFile(_)), at_most < 5, "{at_most}");
            for number in [5, -1, 3, i64::MAX, 0] {
                assert_eq!(keys.require(&Value::Integer(number)), Ok(()), "{at_most} {number}");
            }
            assert_eq!(keys.require(&Value::Null), Ok(()));
            for number in [1, -5, i64::MIN] {
                let said = keys.require(&Value::Integer(number));
                assert_eq!(said, Err("has no parent in `people`".to_owned()), "{at_most} {number}");
            }
        }
    }
}
