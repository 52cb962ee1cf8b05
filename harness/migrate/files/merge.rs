//! Rows of files among those that are there: one transaction, and counts that add up.

use serde::{Deserialize, Serialize};

use super::{
    input::Input,
    lenience::Rejected,
    settings::{Conflicts, Settings},
};
use crate::{
    engine::{BoxedError, Dialect, EngineError, RowSource, Session},
    migrate::{StepError, StepTask, StepVoice, engine_of},
    model::{
        Address, TableName, Value,
        catalogue::{Index, IndexPart, Table},
    },
};

/// What the name of a table begins with in which rows are put aside that may be there already.
const ASIDE: &str = "rehearse_aside_";

/// The columns of a table that names rows which were rejected.
const REJECTS: [&str; 3] = ["file", "line", "reason"];

/// What became of the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    pub read: u64,
    pub rejected: u64,
    pub inserted: u64,
    pub skipped: u64,
    pub overwritten: u64,
    pub cleared: u64,
}

impl Counts {
    /// Adds those of another file.
    pub const fn add(&mut self, other: &Self) {
        self.read += other.read;
        self.rejected += other.rejected;
        self.inserted += other.inserted;
        self.skipped += other.skipped;
        self.overwritten += other.overwritten;
        self.cleared += other.cleared;
    }
}

/// Files in such an order that parents come before those that refer to them. What comes together is one, and has its
/// own order.
pub(super) fn parents_first<T>(files: Vec<T>, inputs: impl Fn(&T) -> &[Input]) -> Vec<T> {
    let has = |file: &T, table: &TableName| inputs(file).iter().any(|input| input.table.name == *table);
    let (mut open, mut ordered) = (files, Vec::new());
    while !open.is_empty() {
        let waits = |file: &T| {
            let keys = inputs(file).iter().flat_map(|input| &input.table.foreign_keys);
            let mut parents = keys.map(|key| &key.parent).filter(|parent| !has(file, parent));
            parents.any(|parent| open.iter().any(|one| has(one, parent)))
        };
        // In a circle somebody has to be the first; the server says what it thinks of that.
        let next = open.iter().position(|file| !waits(file)).unwrap_or(0);
        ordered.push(open.remove(next));
    }
    ordered
}

/// Brings the rows in.
pub(super) async fn merge(
    task: &StepTask,
    settings: &Settings,
    inputs: &[Input],
    voice: &mut dyn StepVoice,
) -> Result<Counts, StepError> {
    let address = task.addresses.get(settings.side);
    let dialect = engine_of(address)?.dialect();
    let mut session = task.connect(address).await?;
    let merged = merged(settings, inputs, dialect, &mut *session, voice).await;
    if merged.is_err() {
        // The session's end takes back what is open; whoever comes next is to find no lock of it. The error is the
        // first one.
        let _ = session.tx_rollback().await;
        let _ = session.close().await;
        return merged;
    }
    session.close().await?;
    merged
}

async fn merged(
    settings: &Settings,
    inputs: &[Input],
    dialect: &dyn Dialect,
    session: &mut dyn Session,
    voice: &mut dyn StepVoice,
) -> Result<Counts, StepError> {
    let is_merged = matches!(settings.conflicts, Conflicts::Skip | Conflicts::Overwrite);
    let mut asides = Vec::new();
    for (number, input) in inputs.iter().enumerate().filter(|_| is_merged) {
        asides.push(put_aside(number, input, dialect, session).await?);
    }
    session.begin(false).await?;
    let mut counts = Counts::default();
    if settings.conflicts == Conflicts::Clear {
        counts.cleared = clear_tables(inputs, dialect, session).await?;
    }
    for (number, input) in inputs.iter().enumerate() {
        let before = count(&dialect.table(&input.table.name), session).await?;
        let (inserted, there) = match asides.get(number) {
            None => (session.load(&input.table, &input.columns, &mut input.source()?).await?, 0),
            Some(aside) => {
                let merging = Merging { input, aside, dialect };
                let there = merging.there(session).await?;
                if settings.conflicts == Conflicts::Overwrite {
                    merging.overwrite(session).await?;
                }
                merging.insert(session).await?;
                (input.loadable() - there, there)
            }
        };
        let after = count(&dialect.table(&input.table.name), session).await?;
        let rejected = input.rejected.len();
        if inserted + there != input.loadable() || after != before + inserted {
            let what = format!(
                "{} rows were read, {rejected} rejected, {inserted} inserted and {there} were there; {before} rows became \
                 {after}",
                input.rows
            );
            return Err(StepError::broken(format!("import into {}", input.table.name), what));
        }
        counts.read += input.rows;
        counts.rejected += input.rejected.len() as u64;
        counts.inserted += inserted;
        match settings.conflicts {
            Conflicts::Overwrite => counts.overwritten += there,
            Conflicts::Refuse | Conflicts::Skip | Conflicts::Clear => counts.skipped += there,
        }
        voice.progress("import", counts.inserted, None);
    }
    name_rejects(settings, inputs, session).await?;
    session.commit().await?;
    for aside in &asides {
        session.execute(&format!("DROP TABLE {}", dialect.table(&aside.name))).await?;
    }
    let tables: Vec<TableName> = inputs.iter().map(|input| input.table.name.clone()).collect();
    session.advance_sequences(&tables).await?;
    Ok(counts)
}

/// Names the rows that were rejected, in the table for that.
async fn name_rejects(settings: &Settings, inputs: &[Input], session: &mut dyn Session) -> Result<(), StepError> {
    let Some(name) = &settings.lenience.rejects else { return Ok(()) };
    let tables = session.introspect().await?.tables;
    let rejected = |what: String| StepError::Rejected { what };
    let table = tables.get(name).ok_or_else(|| rejected(format!("the {} has no table {name}", settings.side)))?;
    if let Some(missing) = REJECTS.iter().find(|column| table.column(column).is_none()) {
        return Err(rejected(format!("{name} has no column `{missing}`, and rows that are rejected need one")));
    }
    let row = |input: &Input, one: &Rejected| {
        let line = i64::try_from(one.line).unwrap_or(i64::MAX);
        vec![Value::Text(input.file_name()), Value::Integer(line), Value::Text(one.reason.clone())]
    };
    let rows: Vec<_> = inputs.iter().flat_map(|input| input.rejected.iter().map(move |one| row(input, one))).collect();
    session.load(table, &REJECTS.map(str::to_owned), &mut Named(rows.into_iter())).await?;
    Ok(())
}

/// Rows of the table of rejects.
struct Named(std::vec::IntoIter<Vec<Value>>);

impl RowSource for Named {
    fn next(&mut self, row: &mut Vec<Value>) -> Result<bool, BoxedError> {
        let next = self.0.next();
        let is_there = next.is_some();
        row.extend(next.into_iter().flatten());
        Ok(is_there)
    }
}

/// Empties the tables of all files, and tells how many rows they had. Rows of other tables that refer to them end it.
async fn clear_tables(inputs: &[Input], dialect: &dyn Dialect, session: &mut dyn Session) -> Result<u64, StepError> {
    let mut cleared = 0;
    for input in inputs {
        cleared += count(&dialect.table(&input.table.name), session).await?;
    }
    let tables: Vec<TableName> = inputs.iter().map(|input| input.table.name.clone()).collect();
    session.truncate(&tables).await?;
    Ok(cleared)
}

/// Removes what an import left that did not come to its end.
pub(super) async fn clear(task: &StepTask, address: &Address) -> Result<(), StepError> {
    let dialect = engine_of(address)?.dialect();
    let mut session = task.connect(address).await?;
    for name in session.introspect().await?.tables.into_keys().filter(|name| name.name.starts_with(ASIDE)) {
        session.execute(&format!("DROP TABLE {}", dialect.table(&name))).await?;
    }
    Ok(session.close().await?)
}

/// Loads a file into a table of its own, where no two rows may have one key.
async fn put_aside(
    number: usize,
    input: &Input,
    dialect: &dyn Dialect,
    session: &mut dyn Session,
) -> Result<Table, StepError> {
    let key = key(input)?;
    let name = TableName { name: format!("{ASIDE}{number}"), ..input.table.name.clone() };
    let (aside, columns) = (dialect.table(&name), dialect.columns(&input.columns));
    let table = dialect.table(&input.table.name);
    session.execute(&format!("CREATE TABLE {aside} AS SELECT {columns} FROM {table} WHERE 1 = 0")).await?;
    let table = Table { columns: input.table.columns.clone(), ..Table::empty(name) };
    session.begin(false).await?;
    session.load(&table, &input.columns, &mut input.source()?).await?;
    session.commit().await?;
    by_key(&table, key, dialect, session).await?;
    let twice = session.duplicates(&table.name, key, 0).await?.total;
    if twice > 0 {
        let what = format!("{twice} rows for {} have a key that another row of the file has", input.table.name);
        return Err(StepError::Rejected { what });
    }
    Ok(table)
}

/// Has rows found by their key. What an engine cannot index is no less right without, and takes longer.
async fn by_key(
    table: &Table,
    key: &[String],
    dialect: &dyn Dialect,
    session: &mut dyn Session,
) -> Result<(), StepError> {
    let part = |column: &String| IndexPart {
        column: Some(column.clone()),
        expression: None,
        descending: false,
        collation: None,
        prefix: None,
    };
    let parts = key.iter().map(part).collect();
    let name = format!("{}_key", table.name.name);
    let index = Index { name, unique: false, parts, predicate: None, method: None, valid: true };
    let indexed = Table { indexes: vec![index], ..table.clone() };
    for statement in dialect.create_tables(&[indexed]).finish {
        match session.execute(&statement).await {
            Ok(()) | Err(EngineError::Refused { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(statement) = dialect.analyze(&table.name) {
        session.execute(&statement).await?;
    }
    Ok(())
}

/// The columns by which a row is known that may be there already.
fn key(input: &Input) -> Result<&[String], StepError> {
    let rejected = |why: &str| StepError::Rejected { what: format!("{} {why}", input.table.name) };
    let key = input.table.row_key().ok_or_else(|| rejected("has no key by which a row would be there already"))?;
    match key.iter().find(|column| !input.columns.contains(column)) {
        None => Ok(key),
        Some(column) => Err(rejected(&format!("is known by its column `{column}`, which the file does not have"))),
    }
}

/// Rows that are put aside, and the table that they go into.
struct Merging<'a> {
    input: &'a Input,
    aside: &'a Table,
    dialect: &'a dyn Dialect,
}

impl Merging<'_> {
    /// The condition that a row is there under the same key.
    fn same(&self) -> Result<String, StepError> {
        let same = |column: &String| {
            let column = self.dialect.quote(column);
            format!("t.{column} = s.{column}")
        };
        Ok(key(self.input)?.iter().map(same).collect::<Vec<_>>().join(" AND "))
    }

    fn names(&self) -> (String, String) {
        (self.dialect.table(&self.input.table.name), self.dialect.table(&self.aside.name))
    }

    /// How many of the rows are there already.
    async fn there(&self, session: &mut dyn Session) -> Result<u64, StepError> {
        let ((table, aside), same) = (self.names(), self.same()?);
        count(&format!("{aside} AS s WHERE EXISTS (SELECT 1 FROM {table} AS t WHERE {same})"), session).await
    }

    async fn overwrite(&self, session: &mut dyn Session) -> Result<(), StepError> {
        let ((table, aside), same, key) = (self.names(), self.same()?, key(self.input)?);
        let set = |column: &String| {
            let column = self.dialect.quote(column);
            format!("{column} = (SELECT s.{column} FROM {aside} AS s WHERE {same})")
        };
        let sets: Vec<String> = self.input.columns.iter().filter(|column| !key.contains(column)).map(set).collect();
        if sets.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "UPDATE {table} AS t SET {} WHERE EXISTS (SELECT 1 FROM {aside} AS s WHERE {same})",
            sets.join(", ")
        );
        Ok(session.execute(&sql).await?)
    }

    async fn insert(&self, session: &mut dyn Session) -> Result<(), StepError> {
        let ((table, aside), same) = (self.names(), self.same()?);
        let columns = self.dialect.columns(&self.input.columns);
        let sql = format!(
            "INSERT INTO {table} ({columns}) SELECT {columns} FROM {aside} AS s \
             WHERE NOT EXISTS (SELECT 1 FROM {table} AS t WHERE {same})"
        );
        Ok(session.execute(&sql).await?)
    }
}

pub(super) async fn count(of: &str, session: &mut dyn Session) -> Result<u64, StepError> {
    let answer = session.query(&format!("SELECT count(*) FROM {of}")).await?;
    let text = answer.into_iter().flatten().next().flatten().unwrap_or_default();
    text.parse().map_err(|error| StepError::broken("count rows", error))
}
