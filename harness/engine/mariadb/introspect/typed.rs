//! The typed view: tables with columns, keys, indexes and checks.

use std::collections::BTreeMap;

use crate::{
    engine::{
        Dialect, EngineError,
        mariadb::{
            MariaDbDialect,
            create::EXACT,
            scan::{COLUMN_TYPES, column_type},
            session::{MariaDbSession, TextRow},
        },
    },
    model::{
        LogicalType, TableName,
        catalogue::{Action, CheckConstraint, Column, ForeignKey, Generation, Index, IndexPart, Key, Table},
    },
};

/// Tables: name, engine (NULL if it cannot be opened), comment (why, then).
const TABLES: &str = "SELECT table_name, engine, table_comment FROM information_schema.tables \
                      WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')";
/// What else is said about a column, in the order of the table: table, column, nullable, default, extra, expression.
const COLUMNS: &str = "SELECT table_name, column_name, is_nullable, column_default, extra, generation_expression \
                       FROM information_schema.columns WHERE table_schema = DATABASE() \
                       ORDER BY table_name, ordinal_position";
/// Parts of indexes: table, index, whether it allows duplicates, method, column, length taken, direction.
const INDEXES: &str = "SELECT table_name, index_name, non_unique, index_type, column_name, sub_part, collation \
                       FROM information_schema.statistics WHERE table_schema = DATABASE() \
                       ORDER BY table_name, index_name, seq_in_index";
/// Parts of foreign keys: table, key, column, parent's schema (empty for this one), parent, parent's column, actions.
const FOREIGN_KEYS: &str = include_str!("foreign_keys.sql");
/// Checks, without those by which a text is JSON: table, name, level, expression.
const CHECKS: &str = "SELECT table_name, constraint_name, level, check_clause FROM information_schema.check_constraints \
                      WHERE constraint_schema = DATABASE() ORDER BY table_name, constraint_name";

type Tables = BTreeMap<TableName, Table>;

const DOING: &str = "reading the catalogue";

impl MariaDbSession {
    pub(super) async fn tables(&mut self) -> Result<Tables, EngineError> {
        let mut tables = Tables::new();
        for row in self.texts(DOING, TABLES).await? {
            let [Some(name), engine, comment] = fields(row) else { continue };
            let unreadable = engine.is_none().then(|| format!("cannot be opened: {}", comment.unwrap_or_default()));
            let name = TableName::new(name);
            tables.insert(name.clone(), Table { unreadable, ..Table::empty(name) });
        }
        self.columns(&mut tables).await?;
        for row in self.texts(DOING, CHECKS).await? {
            let [Some(table), Some(name), Some(level), Some(expression)] = fields(row) else { continue };
            let Some(table) = tables.get_mut(&TableName::new(table)) else { continue };
            let of_column = level == "Column";
            let is_json = |column: &Column| matches!(column.kind, LogicalType::Json { .. });
            if of_column && table.column(&name).is_some_and(is_json) {
                continue;
            }
            // A column's check has the column's name, which a table's check may not take.
            table.checks.push(CheckConstraint { name: (!of_column).then_some(name), expression });
        }
        self.foreign_keys(&mut tables).await?;
        self.indexes(&mut tables).await?;
        Ok(tables)
    }

    async fn columns(&mut self, tables: &mut Tables) -> Result<(), EngineError> {
        let types = self.texts(DOING, &format!("{COLUMN_TYPES} WHERE c.table_schema = DATABASE()")).await?;
        let mut types: BTreeMap<_, _> =
            types.into_iter().filter_map(column_type).map(|(table, column, kind)| ((table, column), kind)).collect();
        for row in self.texts(DOING, COLUMNS).await? {
            let [Some(table), Some(name), nullable, default, extra, expression] = fields(row) else { continue };
            let Some(kind) = types.remove(&(table.clone(), name.clone())) else { continue };
            let Some(table) = tables.get_mut(&TableName::new(table)) else { continue };
            let extra = extra.unwrap_or_default();
            let generation = match expression {
                Some(expression) => Generation::Computed { expression, stored: extra.contains("STORED") },
                None if extra.contains("auto_increment") => Generation::IdentityByDefault,
                None => Generation::None,
            };
            table.columns.push(Column {
                name,
                declared: kind.declared(),
                kind: kind.logical(),
                nullable: nullable.as_deref() == Some("YES"),
                // A column without a default that may be NULL is said to have that one.
                default: default.filter(|default| default != "NULL"),
                generation,
                collation: kind.collation.filter(|collation| collation != EXACT && !kind.json),
            });
        }
        Ok(())
    }

    async fn foreign_keys(&mut self, tables: &mut Tables) -> Result<(), EngineError> {
        for row in self.texts(DOING, FOREIGN_KEYS).await? {
            let [Some(table), name, Some(column), schema, Some(parent), Some(parent_column), on_update, on_delete] =
                fields(row)
            else {
                continue;
            };
            let Some(table) = tables.get_mut(&TableName::new(table)) else { continue };
            if let Some(key) = table.foreign_keys.last_mut().filter(|key| key.name == name) {
                key.columns.push(column);
                key.parent_columns.push(parent_column);
                continue;
            }
            table.foreign_keys.push(ForeignKey {
                name,
                columns: vec![column],
                parent: TableName { schema: schema.filter(|schema| !schema.is_empty()), name: parent },
                parent_columns: vec![parent_column],
                on_update: action(on_update.as_deref()),
                on_delete: action(on_delete.as_deref()),
                match_full: false,
                deferrable: None,
                validated: true,
            });
        }
        Ok(())
    }

    async fn indexes(&mut self, tables: &mut Tables) -> Result<(), EngineError> {
        let mut indexes: Vec<(TableName, Index)> = Vec::new();
        for row in self.texts(DOING, INDEXES).await? {
            let [Some(table), Some(name), non_unique, method, Some(column), length, direction] = fields(row) else {
                continue;
            };
            let whole = length.is_none();
            let part = IndexPart {
                // The beginning of a column is no column, and has no spelling that other engines know.
                prefix: length.as_ref().and_then(|length| Some((column.clone(), length.parse().ok()?))),
                expression: length.map(|length| format!("{}({length})", MariaDbDialect.quote(&column))),
                column: whole.then_some(column),
                descending: direction.as_deref() == Some("D"),
                collation: None,
            };
            let (table, unique) = (TableName::new(table), non_unique.as_deref() == Some("0"));
            match indexes.last_mut() {
                Some((last, index)) if *last == table && index.name == name => index.parts.push(part),
                _ => {
                    let method = method.map(|method| method.to_lowercase());
                    let index = Index { name, unique, parts: vec![part], predicate: None, method, valid: true };
                    indexes.push((table, index));
                }
            }
        }
        for (table, index) in indexes {
            if let Some(table) = tables.get_mut(&table) {
                place(table, index);
            }
        }
        Ok(())
    }
}

/// Puts an index where it belongs: a key, an index of its own, or nowhere if the server made it for a foreign key and
/// would make it again.
fn place(table: &mut Table, index: Index) {
    let columns: Option<Vec<String>> = index.parts.iter().map(|part| part.column.clone()).collect();
    match columns {
        Some(columns) if index.name == "PRIMARY" => table.primary_key = Some(Key { name: None, columns }),
        Some(columns) if index.unique => table.uniques.push(Key { name: Some(index.name), columns }),
        Some(columns)
            if table
                .foreign_keys
                .iter()
                .any(|key| key.columns == columns && key.name.as_ref() == Some(&index.name)) => {}
        _ => table.indexes.push(index),
    }
}

fn action(rule: Option<&str>) -> Action {
    match rule {
        Some("CASCADE") => Action::Cascade,
        Some("SET NULL") => Action::SetNull,
        Some("SET DEFAULT") => Action::SetDefault,
        Some("RESTRICT") => Action::Restrict,
        _ => Action::NoAction,
    }
}

/// The fields of a row; all NULL if there are more or fewer of them than the query is known to give.
fn fields<const N: usize>(row: TextRow) -> [Option<String>; N] {
    row.try_into().unwrap_or_else(|_| std::array::from_fn(|_| None))
}
