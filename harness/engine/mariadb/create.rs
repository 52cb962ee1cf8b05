//! Statements that create tables.
//!
//! What MariaDB does not have becomes what is nearest and never lets more through than it should: a partial index that
//! is not unique becomes a whole one, a unique one is left out (whole, it would refuse rows that are right), and a key is
//! never deferrable. A key cannot hold text or bytes without a limit: such a column of a primary, unique or foreign key
//! gets one of 255, and a longer value is refused; an index takes its beginning.

use super::MariaDbDialect;
use crate::{
    engine::{Dialect, SchemaScript},
    model::{
        Catalogue,
        catalogue::{Column, ForeignKey, Generation, Index, IndexPart, Key, Table},
    },
};

/// The collation under which texts are equal if and only if their bytes are: no case, no accents, no padding.
pub(super) const EXACT: &str = "utf8mb4_nopad_bin";

/// The limit of a text or byte string in a key.
const KEY_LIMIT: u32 = 255;
/// How much of an unlimited text or byte string an index takes.
const INDEX_PREFIX: u32 = 191;

/// The statements that create these tables, and those that drop them.
pub(super) fn tables(tables: &[Table]) -> SchemaScript {
    let mut script = SchemaScript::default();
    for table in tables {
        script.create.push(create_table(table, tables));
        let partly_unique = |index: &&Index| index.unique && index.predicate.is_some();
        let indexes = table.indexes.iter().filter(|index| index.valid && !partly_unique(index));
        script.finish.extend(indexes.map(|index| create_index(table, index)));
    }
    for table in tables {
        script.finish.extend(table.foreign_keys.iter().map(|key| add_foreign_key(table, key, tables)));
    }
    let catalogue = Catalogue {
        tables: tables.iter().map(|table| (table.name.clone(), table.clone())).collect(),
        ..Catalogue::default()
    };
    let (order, cyclic) = catalogue.dependency_order();
    // In a cycle no table can go first while its keys are looked at.
    let unchecked = if cyclic.is_empty() { "" } else { "SET STATEMENT foreign_key_checks = 0 FOR " };
    let names = order.iter().rev().map(|name| MariaDbDialect.table(name));
    script.drop.extend(names.map(|name| format!("{unchecked}DROP TABLE IF EXISTS {name}")));
    script
}

fn create_table(table: &Table, tables: &[Table]) -> String {
    let mut parts: Vec<String> = table.columns.iter().map(|column| column_sql(table, column, tables)).collect();
    if let Some(key) = &table.primary_key {
        parts.push(format!("PRIMARY KEY ({})", MariaDbDialect.columns(&key.columns)));
    }
    // A unique key that an index of the same name keeps comes with that index.
    let is_index = |key: &&Key| table.indexes.iter().any(|index| Some(&index.name) == key.name.as_ref());
    for key in table.uniques.iter().filter(|key| !is_index(key)) {
        parts.push(format!("{}UNIQUE ({})", constraint(&key.name), MariaDbDialect.columns(&key.columns)));
    }
    // A counter has to be the first column of some key.
    let begins_key = |column: &Column| table.unique_keys().any(|key| key.columns.first() == Some(&column.name));
    let counters = table.columns.iter().filter(|column| column.generation.is_counter() && !begins_key(column));
    parts.extend(counters.map(|column| format!("KEY ({})", MariaDbDialect.quote(&column.name))));
    let checks = table.checks.iter();
    parts.extend(checks.map(|check| format!("{}CHECK ({})", constraint(&check.name), check.expression)));
    format!(
        "CREATE TABLE {} (\n  {}\n) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {EXACT}",
        MariaDbDialect.table(&table.name),
        parts.join(",\n  ")
    )
}

fn column_sql(table: &Table, column: &Column, tables: &[Table]) -> String {
    let mut sql = format!("{} {}", MariaDbDialect.quote(&column.name), declared(table, column, tables));
    if let Some(collation) = &column.collation {
        sql += &format!(" COLLATE {}", MariaDbDialect.quote(collation));
    }
    match &column.generation {
        Generation::Computed { expression, stored } => {
            // A computed column takes no word on NULL.
            return format!("{sql} GENERATED ALWAYS AS ({expression}) {}", if *stored { "STORED" } else { "VIRTUAL" });
        }
        Generation::IdentityAlways | Generation::IdentityByDefault | Generation::RowId { .. } => {
            sql += " AUTO_INCREMENT"
        }
        Generation::None => {
            if let Some(default) = &column.default {
                sql += &format!(" DEFAULT ({default})");
            }
        }
    }
    // Said in either case, because a timestamp's own default differs between settings.
    sql + if column.nullable && !column.generation.is_counter() { " NULL" } else { " NOT NULL" }
}

/// The type to declare, with a limit where a key needs one.
fn declared(table: &Table, column: &Column, tables: &[Table]) -> String {
    if let (Some(limited), true) = (limited(&column.declared), is_keyed(table, &column.name, tables)) {
        return format!("{limited}({KEY_LIMIT})");
    }
    column.declared.clone()
}

/// The type with a limit that stands for one without.
fn limited(declared: &str) -> Option<&'static str> {
    match declared {
        "tinytext" | "text" | "mediumtext" | "longtext" => Some("varchar"),
        "tinyblob" | "blob" | "mediumblob" | "longblob" => Some("varbinary"),
        _ => None,
    }
}

/// Whether a key of the table or a reference to it holds the column.
fn is_keyed(table: &Table, column: &String, tables: &[Table]) -> bool {
    let referred = tables.iter().flat_map(|other| &other.foreign_keys).filter(|key| key.parent == table.name);
    table.unique_keys().any(|key| key.columns.contains(column))
        || table.foreign_keys.iter().any(|key| key.columns.contains(column))
        || referred.into_iter().any(|key| key.parent_columns.contains(column))
}

fn create_index(table: &Table, index: &Index) -> String {
    let part = |part: &IndexPart| {
        let mut sql = match (&part.column, &part.expression) {
            (Some(column), _) => MariaDbDialect.quote(column),
            // Not an expression of SQL but a column's beginning: `name`(20).
            (None, expression) => expression.clone().unwrap_or_default(),
        };
        let unlimited = part.column.as_ref().and_then(|name| table.column(name)).filter(|column| {
            limited(&column.declared).is_some() && !is_keyed(table, &column.name, std::slice::from_ref(table))
        });
        if unlimited.is_some() && !index.unique && !is_of(index, "fulltext") {
            sql += &format!("({INDEX_PREFIX})");
        }
        if part.descending {
            sql += " DESC";
        }
        sql
    };
    let parts: Vec<_> = index.parts.iter().map(part).collect();
    let kind = match index {
        index if index.unique => "UNIQUE ",
        index if is_of(index, "fulltext") => "FULLTEXT ",
        index if is_of(index, "spatial") => "SPATIAL ",
        _ => "",
    };
    let (name, table) = (MariaDbDialect.quote(&index.name), MariaDbDialect.table(&table.name));
    format!("CREATE {kind}INDEX {name} ON {table} ({})", parts.join(", "))
}

fn is_of(index: &Index, method: &str) -> bool {
    index.method.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(method))
}

fn add_foreign_key(table: &Table, key: &ForeignKey, tables: &[Table]) -> String {
    // A key that names no columns of the parent refers to its primary key, and has to say so here.
    let parent = tables.iter().find(|table| table.name == key.parent);
    let parent_columns = match (key.parent_columns.as_slice(), parent.and_then(|parent| parent.primary_key.as_ref())) {
        ([], Some(primary)) => &primary.columns,
        _ => &key.parent_columns,
    };
    format!(
        "ALTER TABLE {} ADD {}FOREIGN KEY ({}) REFERENCES {} ({}) ON UPDATE {} ON DELETE {}",
        MariaDbDialect.table(&table.name),
        constraint(&key.name),
        MariaDbDialect.columns(&key.columns),
        MariaDbDialect.table(&key.parent),
        MariaDbDialect.columns(parent_columns),
        key.on_update,
        key.on_delete,
    )
}

fn constraint(name: &Option<String>) -> String {
    name.as_ref().map_or_else(String::new, |name| format!("CONSTRAINT {} ", MariaDbDialect.quote(name)))
}
