//! The whole catalogue, by a fixed number of queries whatever the number of tables.
//!
//! The `.sql` files beside this one come in two kinds: `typed_*.sql` give the rows of [`Table`]s, in the JSON form of the
//! model's own types, and every other file gives whole classes of objects as `class, name, attributes as JSON`. Each is
//! preceded by `scope.sql`, and runs under an empty search path, so that whatever PostgreSQL prints is fully qualified.
//! No text differs between versions; columns that came later are taken out of `to_jsonb` of the row.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, de::DeserializeOwned};

use super::{
    queries::table_name,
    scan::COLUMN_TYPES,
    session::PostgresSession,
    types::{PgType, column_types},
};
use crate::{
    engine::{Dialect, EngineError},
    model::{
        Catalogue, LogicalType, TableName,
        catalogue::{Column, Definition, Generation, ObjectName, Sequence, SequenceOwner, Table},
    },
};

const SCOPE: &str = include_str!("scope.sql");

/// Classes of objects.
const OBJECTS: &[&str] = &[
    include_str!("cluster.sql"),
    include_str!("columns.sql"),
    include_str!("constraints.sql"),
    include_str!("functions.sql"),
    include_str!("indexes.sql"),
    include_str!("operators.sql"),
    include_str!("policies.sql"),
    include_str!("publications.sql"),
    include_str!("schemas.sql"),
    include_str!("sequences.sql"),
    include_str!("servers.sql"),
    include_str!("tables.sql"),
    include_str!("triggers.sql"),
    include_str!("types.sql"),
    include_str!("views.sql"),
];

/// Sequences whose state one statement reads.
const SEQUENCES_AT_ONCE: usize = 200;

/// Types by table and column.
type ColumnTypes = HashMap<(TableName, String), PgType>;

const DOING: &str = "reading the catalogue";

/// A column as `typed_columns.sql` gives it; the kind comes from its type.
#[derive(Deserialize)]
struct TypedColumn {
    name: String,
    declared: String,
    nullable: bool,
    default: Option<String>,
    generation: Generation,
    collation: Option<String>,
}

impl PostgresSession {
    /// Reads the whole catalogue with the search path emptied for as long as it takes.
    pub(super) async fn catalogue(&mut self) -> Result<Catalogue, EngineError> {
        let types = self.all_column_types().await?;
        let path = "SELECT pg_catalog.current_setting('search_path'), pg_catalog.set_config('search_path', '', false)";
        let before = self.texts(DOING, path).await?.into_iter().flatten().next().flatten().unwrap_or_default();
        // Whoever drops this future halfway leaves a session whose scripts would find no table.
        self.midway = true;
        let catalogue = self.qualified_catalogue(types).await;
        self.midway = false;
        let restore = "SELECT pg_catalog.set_config('search_path', $1, false)";
        let restored = self.bound(DOING, restore, &[Some(&before)]).await;
        // In a transaction that an error has ended, the setting goes back with it; that error is the one to tell.
        let catalogue = catalogue?;
        restored?;
        Ok(catalogue)
    }

    async fn qualified_catalogue(&mut self, types: ColumnTypes) -> Result<Catalogue, EngineError> {
        let tables = self.tables(types).await?;
        let (mut partitioned, mut materialized) = (BTreeSet::new(), BTreeMap::new());
        for row in self.scoped(include_str!("kept.sql")).await? {
            let [name, kind, columns] = fields(row)?;
            if kind == "p" {
                partitioned.insert(spelled(&name)?);
            } else {
                materialized.insert(spelled(&name)?, parse(&columns)?);
            }
        }
        let sequences = self.sequences().await?;
        let mut objects = BTreeMap::new();
        for query in OBJECTS {
            for row in self.scoped(query).await? {
                let [class, name, attributes] = fields(row)?;
                let name = ObjectName::new(class, name);
                let definition = definition(&attributes)?;
                if objects.insert(name.clone(), definition).is_some() {
                    return Err(unexpected(format!("two objects are called {name}")));
                }
            }
        }
        Ok(Catalogue { tables, partitioned, materialized, sequences, objects, ..Catalogue::default() })
    }

    /// Runs a query that stands on `scope.sql`.
    async fn scoped(&mut self, query: &str) -> Result<Vec<Vec<Option<String>>>, EngineError> {
        self.fetch(DOING, &format!("{SCOPE}{query}")).await
    }

    async fn tables(&mut self, types: ColumnTypes) -> Result<BTreeMap<TableName, Table>, EngineError> {
        let mut tables: BTreeMap<TableName, Table> = BTreeMap::new();
        for row in self.scoped(include_str!("typed_tables.sql")).await? {
            let [name, unreadable]: [Option<String>; 2] = columns(row)?;
            let name = spelled(&name.unwrap_or_default())?;
            tables.insert(name.clone(), Table { unreadable, ..Table::empty(name) });
        }
        for row in self.scoped(include_str!("typed_columns.sql")).await? {
            let [table, column] = fields(row)?;
            let table = named(&mut tables, &table)?;
            let TypedColumn { name, declared, nullable, default, generation, collation } = parse(&column)?;
            let kind = types.get(&(table.name.clone(), name.clone())).map(PgType::logical);
            let kind = kind.unwrap_or_else(|| LogicalType::Other(declared.clone()));
            table.columns.push(Column { name, declared, kind, nullable, default, generation, collation });
        }
        for row in self.scoped(include_str!("typed_constraints.sql")).await? {
            let [table, kind, constraint] = fields(row)?;
            let table = named(&mut tables, &table)?;
            match kind.as_str() {
                "p" => table.primary_key = Some(parse(&constraint)?),
                "f" => table.foreign_keys.push(parse(&constraint)?),
                "c" => table.checks.push(parse(&constraint)?),
                _ => table.uniques.push(parse(&constraint)?),
            }
        }
        for row in self.scoped(include_str!("typed_indexes.sql")).await? {
            let [table, index] = fields(row)?;
            named(&mut tables, &table)?.indexes.push(parse(&index)?);
        }
        Ok(tables)
    }

    /// Types of all columns of all user tables.
    async fn all_column_types(&mut self) -> Result<ColumnTypes, EngineError> {
        let rows = self.bound(DOING, COLUMN_TYPES, &[None, None]).await?;
        let columns = column_types(rows).ok_or_else(|| unexpected("a type that cannot be read".to_owned()))?;
        let named =
            columns.into_iter().map(|(schema, table, column, kind)| ((table_name(schema, table), column), kind));
        Ok(named.collect())
    }

    async fn sequences(&mut self) -> Result<Vec<Sequence>, EngineError> {
        let mut feeds: HashMap<TableName, Vec<(bool, SequenceOwner)>> = HashMap::new();
        for row in self.fetch(DOING, include_str!("feeds.sql")).await? {
            let [schema, name, owned, _, table_schema, table, column, _] = fields(row)?;
            let owner = SequenceOwner { table: table_name(table_schema, table), column };
            feeds.entry(table_name(schema, name)).or_default().push((owned == "t", owner));
        }
        let mut sequences = Vec::new();
        let mut readable = Vec::new();
        for row in self.scoped(include_str!("typed_sequences.sql")).await? {
            let [name, increment, max, min, start, last, can_read]: [Option<String>; 7] = columns(row)?;
            let [name, increment, max, min, start, can_read] =
                fields(vec![name, increment, max, min, start, can_read])?;
            let name = spelled(&name)?;
            let increment: i64 = number(&increment)?;
            // Without the right to read it, a sequence that setval put back before its first value looks untouched.
            let is_known = last.is_some();
            let next = match last {
                Some(last) => number::<i128>(&last)? + i128::from(increment),
                None => number(&start)?,
            };
            // The column that owns it, or the first whose default mentions it.
            let owners = feeds.remove(&name).unwrap_or_default();
            let feeds = owners.iter().find(|(owned, _)| *owned).or(owners.first()).map(|(_, owner)| owner.clone());
            let others = owners.into_iter().map(|(_, owner)| owner);
            let also_feeds = others.filter(|owner| Some(owner) != feeds.as_ref()).collect();
            let hidden = !is_known && can_read != "t";
            if can_read == "t" {
                readable.push(sequences.len());
            }
            let (max, min) = (number(&max)?, number(&min)?);
            sequences.push(Sequence { name, feeds, next, hidden, increment, max, min, also_feeds });
        }
        for chunk in readable.chunks(SEQUENCES_AT_ONCE) {
            self.positions(&mut sequences, chunk).await?;
        }
        Ok(sequences)
    }

    /// Asks these sequences themselves where they stand.
    async fn positions(&mut self, sequences: &mut [Sequence], chunk: &[usize]) -> Result<(), EngineError> {
        let select = |index: &usize| {
            let relation = super::PostgresDialect.table(&sequences[*index].name);
            format!("SELECT {index}, last_value, is_called FROM {relation}")
        };
        let sql = chunk.iter().map(select).collect::<Vec<_>>().join(" UNION ALL ");
        for row in self.fetch(DOING, &sql).await? {
            let [index, last, called] = fields(row)?;
            let sequence = &mut sequences[number::<usize>(&index)?];
            let step = if called == "t" { i128::from(sequence.increment) } else { 0 };
            sequence.next = number::<i128>(&last)? + step;
        }
        Ok(())
    }
}

/// An object's attributes; those that are null are not there.
fn definition(attributes: &str) -> Result<Definition, EngineError> {
    let attributes: BTreeMap<String, serde_json::Value> = parse(attributes)?;
    let text = |(name, value)| match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some((name, text)),
        other => Some((name, other.to_string())),
    };
    Ok(attributes.into_iter().filter_map(text).collect())
}

fn unexpected(what: impl Into<String>) -> EngineError {
    EngineError::Unexpected { doing: DOING.to_owned(), what: what.into() }
}

/// A name as `scope.sql` spells it, which is how the model writes it too.
fn spelled(name: &str) -> Result<TableName, EngineError> {
    name.parse().map_err(|problem: String| unexpected(problem))
}

fn named<'a>(tables: &'a mut BTreeMap<TableName, Table>, name: &str) -> Result<&'a mut Table, EngineError> {
    let found = tables.get_mut(&spelled(name)?);
    found.ok_or_else(|| unexpected("a table was created while the catalogue was being read"))
}

/// The row's columns, as many as there must be.
fn columns<const N: usize>(row: Vec<Option<String>>) -> Result<[Option<String>; N], EngineError> {
    row.try_into().map_err(|row: Vec<_>| unexpected(format!("{} columns instead of {N}", row.len())))
}

/// The row's columns, none of which may be NULL.
fn fields<const N: usize>(row: Vec<Option<String>>) -> Result<[String; N], EngineError> {
    let row: Option<Vec<String>> = row.into_iter().collect();
    let row = row.ok_or_else(|| unexpected("NULL where there must be a value"))?;
    row.try_into().map_err(|row: Vec<_>| unexpected(format!("{} columns instead of {N}", row.len())))
}

fn parse<T: DeserializeOwned>(json: &str) -> Result<T, EngineError> {
    serde_json::from_str(json).map_err(|error| unexpected(format!("{error} in {json}")))
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, EngineError> {
    text.parse().map_err(|_| unexpected(format!("`{text}` is not a number")))
}
