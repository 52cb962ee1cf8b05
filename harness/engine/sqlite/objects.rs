//! The catalogue as plain definitions, for comparing two states of it.

use std::collections::BTreeMap;

use rusqlite::{Connection, Result};

use crate::{
    engine::{AsideScript, Dialect},
    model::{
        Catalogue, TableName,
        catalogue::{Column, Definition, Generation, Index, Key, ObjectName, Table},
    },
};

use super::{
    ddl,
    dialect::SqliteDialect,
    introspect::{Listed, same_names},
};

type Objects = BTreeMap<ObjectName, Definition>;

/// Adds an object. A second one of the same name (two equal constraints without names) gets a number.
fn add(objects: &mut Objects, class: &str, name: String, attributes: &[(&str, String)]) {
    let definition = attributes.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    let mut object = ObjectName::new(class, name.as_str());
    let mut number = 2;
    while objects.contains_key(&object) {
        object.name = format!("{name} #{number}");
        number += 1;
    }
    objects.insert(object, definition);
}

/// Adds a table's, view's, virtual or shadow table's own object.
pub(super) fn entry(objects: &mut Objects, entry: &Listed, listed: &[Listed]) {
    let name = entry.name.clone();
    let sql = ("definition", ddl::normal(&ddl::tokens(&entry.sql)));
    match entry.kind.as_str() {
        "view" => add(objects, "view", name, &[sql]),
        "virtual" => add(objects, "virtual table", name, &[sql]),
        "shadow" => {
            let owner = owner(entry, listed).map(|owner| owner.name.clone()).unwrap_or_default();
            add(objects, "shadow table", name, &[("of", owner), sql]);
        }
        _ => {
            let options = [("without_rowid", entry.without_rowid.to_string()), ("strict", entry.strict.to_string())];
            add(objects, "table", name, &options);
        }
    }
}

/// Why the rows of a table cannot be carried, where that is so.
pub(super) fn unreadable(entry: &Listed, listed: &[Listed]) -> Option<String> {
    match entry.kind.as_str() {
        "virtual" => {
            let module = module(&entry.sql);
            let shadows = listed
                .iter()
                .filter(|other| other.kind == "shadow" && owner(other, listed).is_some_and(|o| o.name == entry.name));
            let shadows: Vec<&str> = shadows.map(|shadow| shadow.name.as_str()).collect();
            let kept = if shadows.is_empty() { String::new() } else { format!(" kept in {}", shadows.join(", ")) };
            Some(format!("is a virtual table of the module `{module}`{kept}"))
        }
        "shadow" => {
            let owner = owner(entry, listed).map_or("a virtual table", |owner| owner.name.as_str());
            Some(format!("is a shadow table of the virtual table `{owner}`"))
        }
        _ => None,
    }
}

/// The virtual table that a shadow table belongs to: the one with the longest name that begins the shadow's.
fn owner<'a>(shadow: &Listed, listed: &'a [Listed]) -> Option<&'a Listed> {
    let begins = |table: &&Listed| {
        let rest = shadow.name.get(table.name.len()..).filter(|rest| rest.starts_with('_'));
        rest.is_some() && shadow.name[..table.name.len()].eq_ignore_ascii_case(&table.name)
    };
    listed.iter().filter(|table| table.kind == "virtual").filter(begins).max_by_key(|table| table.name.len())
}

/// The module of a CREATE VIRTUAL TABLE statement.
fn module(sql: &str) -> String {
    let tokens = ddl::tokens(sql);
    let after = tokens.iter().skip_while(|token| !token.is("USING")).nth(1);
    after.and_then(ddl::Token::name).unwrap_or_default()
}

/// Adds a table's columns, their order, its keys, checks and indexes.
pub(super) fn table(objects: &mut Objects, table: &Table, parsed: &ddl::TableDdl, entry: &Listed) {
    if entry.kind != "table" {
        return;
    }
    for column in &table.columns {
        let written = parsed.columns.iter().find(|written| written.name == column.name);
        let position = table.primary_key.as_ref().and_then(|key| key.columns.iter().position(|c| *c == column.name));
        let conflict = written.and_then(|written| written.not_null_conflict.clone());
        let mut attributes = column_attributes(column);
        attributes.push(("primary_key", position.map(|position| (position + 1).to_string()).unwrap_or_default()));
        attributes.extend(conflict.map(|conflict| ("on_null", conflict)));
        add(objects, "column", format!("{}.{}", table.name.name, column.name), &attributes);
    }
    let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    add(objects, "order", table.name.name.clone(), &[("columns", SqliteDialect.columns(&names))]);
    keys(objects, table, parsed);
    for check in &table.checks {
        let given = check.name.clone().unwrap_or_else(|| format!("CHECK ({})", check.expression));
        let attributes = [("kind", "CHECK".to_owned()), ("expression", check.expression.clone())];
        add(objects, "constraint", format!("{}.{given}", table.name.name), &attributes);
    }
    for definition in &table.indexes {
        index(objects, table, definition);
    }
}

fn column_attributes(column: &Column) -> Vec<(&'static str, String)> {
    let generated = match &column.generation {
        Generation::RowId { autoincrement: true } => "row id, never used again".to_owned(),
        Generation::RowId { autoincrement: false } => "row id".to_owned(),
        Generation::Computed { expression, stored } => {
            format!("{} ({expression})", if *stored { "stored" } else { "virtual" })
        }
        Generation::None | Generation::IdentityAlways | Generation::IdentityByDefault => String::new(),
    };
    vec![
        ("declared", column.declared.clone()),
        ("nullable", column.nullable.to_string()),
        ("default", column.default.as_deref().map(|sql| ddl::normal(&ddl::tokens(sql))).unwrap_or_default()),
        ("generated", generated),
        ("collation", column.collation.clone().unwrap_or_default()),
    ]
}

/// Adds the primary key and unique constraints.
fn keys(objects: &mut Objects, table: &Table, parsed: &ddl::TableDdl) {
    let named = |name: &Option<String>, kind: &str, columns: &[String]| {
        let given = name.clone().unwrap_or_else(|| format!("{kind} ({})", columns.join(", ")));
        format!("{}.{given}", table.name.name)
    };
    let attributes = |kind: &str, columns: &[String], conflict: Option<&String>| {
        let mut attributes = vec![("kind", kind.to_owned()), ("columns", SqliteDialect.columns(columns))];
        attributes.extend(conflict.map(|conflict| ("on_conflict", conflict.clone())));
        attributes
    };
    if let Some(key) = &table.primary_key {
        let conflict = parsed.primary_key.as_ref().and_then(|key| key.conflict.as_ref());
        let name = named(&key.name, "PRIMARY KEY", &key.columns);
        add(objects, "constraint", name, &attributes("PRIMARY KEY", &key.columns, conflict));
    }
    let is_index = |key: &&Key| table.indexes.iter().any(|index| Some(&index.name) == key.name.as_ref());
    for key in table.uniques.iter().filter(|key| !is_index(key)) {
        let written = parsed.uniques.iter().find(|written| same_names(&written.columns, &key.columns));
        let conflict = written.and_then(|written| written.conflict.as_ref());
        let name = named(&key.name, "UNIQUE", &key.columns);
        add(objects, "constraint", name, &attributes("UNIQUE", &key.columns, conflict));
    }
}

fn index(objects: &mut Objects, table: &Table, index: &Index) {
    let parts: Vec<String> = index.parts.iter().map(|part| SqliteDialect.index_part(part)).collect();
    let mut attributes =
        vec![("table", table.name.name.clone()), ("unique", index.unique.to_string()), ("parts", parts.join(", "))];
    attributes.extend(index.predicate.clone().map(|predicate| ("predicate", predicate)));
    add(objects, "index", index.name.clone(), &attributes);
}

/// Adds foreign keys; called when their parents are known.
pub(super) fn foreign_keys(catalogue: &mut Catalogue) {
    for table in catalogue.tables.values() {
        for key in &table.foreign_keys {
            let given = key.name.clone().unwrap_or_else(|| format!("FOREIGN KEY ({})", key.columns.join(", ")));
            let deferrable = match key.deferrable {
                None => "no",
                Some(false) => "initially immediate",
                Some(true) => "initially deferred",
            };
            let attributes = [
                ("kind", "FOREIGN KEY".to_owned()),
                ("columns", SqliteDialect.columns(&key.columns)),
                ("parent", key.parent.name.clone()),
                ("parent_columns", SqliteDialect.columns(&key.parent_columns)),
                ("on_update", key.on_update.to_string()),
                ("on_delete", key.on_delete.to_string()),
                ("deferrable", deferrable.to_owned()),
            ];
            add(&mut catalogue.objects, "constraint", format!("{}.{given}", table.name.name), &attributes);
        }
    }
}

/// Adds triggers.
pub(super) fn triggers(connection: &Connection, objects: &mut Objects) -> Result<()> {
    let sql = "SELECT name, tbl_name, sql FROM main.sqlite_schema WHERE type = 'trigger' ORDER BY name";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let sql: String = row.get(2)?;
        let attributes = [("table", row.get(1)?), ("definition", ddl::normal(&ddl::tokens(&sql)))];
        add(objects, "trigger", row.get(0)?, &attributes);
    }
    Ok(())
}

/// How the triggers of these tables are taken away and brought back.
pub(super) fn trigger_scripts(connection: &Connection, tables: &[TableName]) -> Result<Vec<AsideScript>> {
    let mut statement = connection
        .prepare("SELECT name, tbl_name, sql FROM main.sqlite_schema WHERE type = 'trigger' ORDER BY rowid")?;
    let mut rows = statement.query([])?;
    let mut scripts = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, table, add): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if tables.iter().any(|one| one.name.eq_ignore_ascii_case(&table)) {
            scripts.push(AsideScript { drop: format!("DROP TRIGGER IF EXISTS {}", SqliteDialect.quote(&name)), add });
        }
    }
    Ok(scripts)
}

/// Adds what the file's header says about the database.
pub(super) fn settings(connection: &Connection, objects: &mut Objects) -> Result<()> {
    for name in ["user_version", "application_id", "encoding", "auto_vacuum"] {
        let value = connection.query_row(&format!("PRAGMA main.{name}"), [], |row| row.get_ref(0).map(written))?;
        add(objects, "setting", name.to_owned(), &[("value", value)]);
    }
    // Of the journal modes, only the write-ahead log is a property of the file; the others are the connection's.
    let mode: String = connection.query_row("PRAGMA main.journal_mode", [], |row| row.get(0))?;
    let lasting = if mode == "wal" { "write-ahead log" } else { "rollback journal" };
    add(objects, "setting", "journal".to_owned(), &[("value", lasting.to_owned())]);
    Ok(())
}

fn written(value: rusqlite::types::ValueRef<'_>) -> String {
    match value.as_i64() {
        Ok(integer) => integer.to_string(),
        Err(_) => value.as_str().unwrap_or_default().to_owned(),
    }
}
