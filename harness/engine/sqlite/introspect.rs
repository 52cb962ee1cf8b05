//! Reading the catalogue: pragmas for what they tell, the CREATE statements for the rest.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Result};

use crate::model::{
    Catalogue, LogicalType, TableName,
    catalogue::{
        Action, CheckConstraint, Column, ForeignKey, Generation, Index, IndexPart, Key, Sequence, SequenceOwner, Table,
    },
};

use super::{ddl, objects, types};

/// A table as the pragmas list it.
pub(super) struct Listed {
    /// Its name.
    pub name: String,
    /// `table`, `view`, `virtual` or `shadow`.
    pub kind: String,
    /// Declared WITHOUT ROWID.
    pub without_rowid: bool,
    /// Declared STRICT.
    pub strict: bool,
    /// Its CREATE statement.
    pub sql: String,
}

/// Reads the whole catalogue of the main database.
pub(super) fn introspect(connection: &Connection) -> Result<Catalogue> {
    let mut catalogue = Catalogue::default();
    let listed = listed(connection)?;
    for entry in &listed {
        objects::entry(&mut catalogue.objects, entry, &listed);
        if entry.kind == "view" {
            continue;
        }
        let parsed = ddl::table(&entry.sql).unwrap_or_default();
        let table = read_table(connection, entry, &parsed, &listed)?;
        objects::table(&mut catalogue.objects, &table, &parsed, entry);
        if parsed.autoincrement {
            catalogue.sequences.extend(sequence(connection, &table)?);
        }
        catalogue.tables.insert(table.name.clone(), table);
    }
    complete_parents(&mut catalogue.tables);
    objects::foreign_keys(&mut catalogue);
    objects::triggers(connection, &mut catalogue.objects)?;
    objects::settings(connection, &mut catalogue.objects)?;
    Ok(catalogue)
}

/// Tables and views of the main database but SQLite's own.
fn listed(connection: &Connection) -> Result<Vec<Listed>> {
    let sql = "SELECT l.name, l.type, l.wr, l.strict, coalesce(s.sql, '')
               FROM pragma_table_list AS l
               JOIN main.sqlite_schema AS s ON s.name = l.name AND s.type IN ('table', 'view')
               WHERE l.schema = 'main' AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY l.name";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        Ok(Listed {
            name: row.get(0)?,
            kind: row.get(1)?,
            without_rowid: row.get(2)?,
            strict: row.get(3)?,
            sql: row.get(4)?,
        })
    })?;
    rows.collect()
}

fn read_table(connection: &Connection, entry: &Listed, parsed: &ddl::TableDdl, listed: &[Listed]) -> Result<Table> {
    let mut table = Table {
        checks: parsed
            .checks
            .iter()
            .map(|check| CheckConstraint { name: check.name.clone(), expression: check.expression.clone() })
            .collect(),
        unreadable: objects::unreadable(entry, listed),
        ..Table::empty(TableName::new(&entry.name))
    };
    if entry.kind == "virtual" {
        // A module that this library does not have cannot tell its columns; the table is unreadable anyway.
        table.columns = read_columns(connection, entry, parsed, false).map(|(columns, _)| columns).unwrap_or_default();
        return Ok(table);
    }
    let key_has_index = indexes_of(connection, &entry.name)?.iter().any(|index| index.origin == "pk");
    let (columns, key) = read_columns(connection, entry, parsed, key_has_index)?;
    table.columns = columns;
    if !key.is_empty() {
        let name = parsed.primary_key.as_ref().and_then(|key| key.name.clone());
        table.primary_key = Some(Key { name, columns: key });
    }
    read_indexes(connection, &mut table, parsed)?;
    table.foreign_keys = read_foreign_keys(connection, &entry.name, parsed)?;
    Ok(table)
}

/// The columns, and the names of the primary key's in the key's order.
fn read_columns(
    connection: &Connection,
    entry: &Listed,
    parsed: &ddl::TableDdl,
    key_has_index: bool,
) -> Result<(Vec<Column>, Vec<String>)> {
    let sql = "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?1, 'main')";
    let mut statement = connection.prepare(sql)?;
    let (mut columns, mut key) = (Vec::new(), Vec::new());
    let mut rows = statement.query([&entry.name])?;
    while let Some(row) = rows.next()? {
        let (name, declared): (String, String) = (row.get(0)?, row.get(1)?);
        let (not_null, position, hidden): (bool, i64, i64) = (row.get(2)?, row.get(4)?, row.get(5)?);
        let written = parsed.columns.iter().find(|column| column.name == name);
        let expression = || written.and_then(|column| column.generated.clone()).unwrap_or_default();
        let generation = match hidden {
            2 => Generation::Computed { expression: expression(), stored: false },
            3 => Generation::Computed { expression: expression(), stored: true },
            _ => Generation::None,
        };
        if position > 0 {
            key.push((position, name.clone()));
        }
        columns.push(Column {
            kind: types::logical(&declared),
            declared,
            // Only a key of a rowid table that is not STRICT may hold NULL, for the sake of old mistakes.
            nullable: !(not_null || position > 0 && (entry.without_rowid || entry.strict)),
            default: row.get(3)?,
            generation,
            collation: written.and_then(|column| column.collation.clone()).filter(|name| !is_binary(name)),
            name,
        });
    }
    key.sort();
    let key: Vec<String> = key.into_iter().map(|(_, name)| name).collect();
    // INTEGER PRIMARY KEY is the row id itself and needs no index; INTEGER PRIMARY KEY DESC has one and is not.
    if let ([name], false, false) = (key.as_slice(), entry.without_rowid, key_has_index)
        && let Some(column) = columns.iter_mut().find(|column| column.name == *name)
        && column.declared.eq_ignore_ascii_case("INTEGER")
    {
        column.generation = Generation::RowId { autoincrement: parsed.autoincrement };
        column.nullable = false;
        column.kind = LogicalType::Integer { bits: 64 };
    }
    Ok((columns, key))
}

/// An index as the pragmas list it.
struct ListedIndex {
    name: String,
    unique: bool,
    /// `c` for CREATE INDEX, `u` for a unique constraint, `pk` for a primary key.
    origin: String,
    partial: bool,
}

fn indexes_of(connection: &Connection, table: &str) -> Result<Vec<ListedIndex>> {
    let sql = "SELECT name, \"unique\", origin, partial FROM pragma_index_list(?1, 'main') ORDER BY seq DESC";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([table], |row| {
        Ok(ListedIndex { name: row.get(0)?, unique: row.get(1)?, origin: row.get(2)?, partial: row.get(3)? })
    })?;
    rows.collect()
}

fn read_indexes(connection: &Connection, table: &mut Table, parsed: &ddl::TableDdl) -> Result<()> {
    for listed in indexes_of(connection, &table.name.name)? {
        if listed.origin == "pk" {
            continue;
        }
        let (index, plain) = read_index(connection, table, &listed)?;
        if plain && listed.unique && !listed.partial {
            let columns: Vec<String> = index.parts.iter().filter_map(|part| part.column.clone()).collect();
            let name = if listed.origin == "u" {
                parsed.uniques.iter().find(|key| same_names(&key.columns, &columns)).and_then(|key| key.name.clone())
            } else {
                Some(listed.name)
            };
            table.uniques.push(Key { name, columns });
        }
        if listed.origin == "c" {
            table.indexes.push(index);
        }
    }
    Ok(())
}

/// An index, and whether it is over nothing but ascending columns under their own collations (or comes from a constraint).
fn read_index(connection: &Connection, table: &Table, listed: &ListedIndex) -> Result<(Index, bool)> {
    let sql = "SELECT sql FROM main.sqlite_schema WHERE type = 'index' AND name = ?1";
    let created: Option<String> = connection.query_row(sql, [&listed.name], |row| row.get(0)).optional()?.flatten();
    let written = created.as_deref().and_then(ddl::index).unwrap_or_default();
    let sql = "SELECT cid, name, \"desc\", coll FROM pragma_index_xinfo(?1, 'main') WHERE key ORDER BY seqno";
    let mut statement = connection.prepare(sql)?;
    let (mut parts, mut plain) = (Vec::new(), true);
    let mut rows = statement.query([&listed.name])?;
    while let Some(row) = rows.next()? {
        let column: Option<String> = row.get(1)?;
        let own = column.as_deref().and_then(|name| table.column(name)?.collation.clone());
        let own = own.unwrap_or_else(|| "BINARY".to_owned());
        let collation: Option<String> =
            row.get::<_, Option<String>>(3)?.filter(|name| !name.eq_ignore_ascii_case(&own));
        let descending: bool = row.get(2)?;
        plain &= column.is_some() && (listed.origin == "u" || collation.is_none() && !descending);
        let expression = match row.get(0)? {
            -2_i64 => written.parts.get(parts.len()).cloned(),
            -1 => Some("rowid".to_owned()),
            _ => None,
        };
        parts.push(IndexPart { column, expression, descending, collation, prefix: None });
    }
    let index = Index {
        name: listed.name.clone(),
        unique: listed.unique,
        parts,
        predicate: written.predicate,
        method: None,
        valid: true,
    };
    Ok((index, plain))
}

fn read_foreign_keys(connection: &Connection, table: &str, parsed: &ddl::TableDdl) -> Result<Vec<ForeignKey>> {
    // The pragma numbers foreign keys from the last one written to the first one.
    let sql = "SELECT id, \"table\", \"from\", \"to\", on_update, on_delete
               FROM pragma_foreign_key_list(?1, 'main') ORDER BY id DESC, seq";
    let mut statement = connection.prepare(sql)?;
    let mut keys: Vec<(i64, ForeignKey)> = Vec::new();
    let mut rows = statement.query([table])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        if keys.last().is_none_or(|(last, _)| *last != id) {
            let key = ForeignKey {
                name: None,
                columns: Vec::new(),
                parent: TableName::new(row.get::<_, String>(1)?),
                parent_columns: Vec::new(),
                on_update: action(&row.get::<_, String>(4)?),
                on_delete: action(&row.get::<_, String>(5)?),
                // SQLite reads MATCH and forgets it: every foreign key is MATCH SIMPLE.
                match_full: false,
                deferrable: None,
                // There is no such thing as an unvalidated foreign key here; whether the rows obey is for a check to ask.
                validated: true,
            };
            keys.push((id, key));
        }
        let (_, key) = keys.last_mut().expect("one was pushed if there was none");
        key.columns.push(row.get(2)?);
        key.parent_columns.extend(row.get::<_, Option<String>>(3)?);
    }
    let mut keys: Vec<ForeignKey> = keys.into_iter().map(|(_, key)| key).collect();
    if keys.len() == parsed.foreign_keys.len() {
        for (key, written) in keys.iter_mut().zip(&parsed.foreign_keys) {
            if same_names(&key.columns, &written.columns) {
                key.name.clone_from(&written.name);
                key.deferrable = written.deferrable;
            }
        }
    }
    Ok(keys)
}

/// Gives each foreign key its parent as the parent's own catalogue spells it, and the parent's primary key where the
/// statement names no columns. A parent that is not there stays as it was written.
fn complete_parents(tables: &mut BTreeMap<TableName, Table>) {
    let parents: Vec<(TableName, Vec<String>, Vec<String>)> = tables
        .values()
        .map(|table| {
            let key = table.primary_key.as_ref().map(|key| key.columns.clone()).unwrap_or_default();
            (table.name.clone(), table.columns.iter().map(|column| column.name.clone()).collect(), key)
        })
        .collect();
    for key in tables.values_mut().flat_map(|table| &mut table.foreign_keys) {
        let is_parent = |(name, _, _): &&(TableName, _, _)| name.name.eq_ignore_ascii_case(&key.parent.name);
        let Some((name, columns, primary)) = parents.iter().find(is_parent) else { continue };
        key.parent = name.clone();
        if key.parent_columns.is_empty() {
            key.parent_columns.clone_from(primary);
        }
        for written in &mut key.parent_columns {
            if let Some(column) = columns.iter().find(|column| column.eq_ignore_ascii_case(written)) {
                written.clone_from(column);
            }
        }
    }
}

/// Where the counter of a table that is declared AUTOINCREMENT stands.
fn sequence(connection: &Connection, table: &Table) -> Result<Option<Sequence>> {
    let Some(column) = table.columns.iter().find(|column| column.generation.is_counter()) else { return Ok(None) };
    let sql = "SELECT max(CAST(seq AS INTEGER)) FROM main.sqlite_sequence WHERE name = ?1 COLLATE NOCASE";
    let last: Option<i64> = connection.query_row(sql, [&table.name.name], |row| row.get(0))?;
    Ok(Some(Sequence {
        name: table.name.clone(),
        feeds: Some(SequenceOwner { table: table.name.clone(), column: column.name.clone() }),
        next: i128::from(last.unwrap_or(0)) + 1,
        hidden: false,
        increment: 1,
        max: i128::from(i64::MAX),
        min: 1,
        also_feeds: Vec::new(),
    }))
}

fn action(word: &str) -> Action {
    match word {
        "RESTRICT" => Action::Restrict,
        "CASCADE" => Action::Cascade,
        "SET NULL" => Action::SetNull,
        "SET DEFAULT" => Action::SetDefault,
        _ => Action::NoAction,
    }
}

/// SQLite's collation for columns that name none.
fn is_binary(collation: &str) -> bool {
    collation.eq_ignore_ascii_case("BINARY")
}

pub(super) fn same_names(some: &[String], others: &[String]) -> bool {
    some.len() == others.len() && some.iter().zip(others).all(|(one, other)| one.eq_ignore_ascii_case(other))
}
