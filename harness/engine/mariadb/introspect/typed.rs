//! The typed view: tables with columns, keys, indexes and checks.

use std::collections::{BTreeMap, BTreeSet};

use super::created::{Checked, Created};
use crate::{
    engine::{
        Dialect, EngineError,
        mariadb::{
            MariaDbDialect,
            create::EXACT,
            rights::Rights,
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
/// What statements tell, by table.
pub(super) type Statements = BTreeMap<TableName, Created>;

const DOING: &str = "reading the catalogue";

impl MariaDbSession {
    /// The tables, and what the statements tell that would create them, as far as that had to be asked.
    pub(super) async fn tables(&mut self, rights: &Rights) -> Result<(Tables, Statements), EngineError> {
        let mut tables = Tables::new();
        for row in self.texts(DOING, TABLES).await? {
            let [Some(name), engine, comment] = fields(row) else { continue };
            let closed = engine.is_none().then(|| format!("cannot be opened: {}", comment.unwrap_or_default()));
            let unreadable = rights.lacks(&name).map(|right| format!("its role lacks {right}")).or(closed);
            let name = TableName::new(name);
            tables.insert(name.clone(), Table { unreadable, ..Table::empty(name) });
        }
        let keys = self.texts(DOING, FOREIGN_KEYS).await?;
        let statements = self.statements(&tables, &keys, rights).await?;
        self.columns(&mut tables, &statements).await?;
        self.checks(&mut tables, &statements, rights).await?;
        foreign_keys(&mut tables, keys, &statements);
        self.indexes(&mut tables).await?;
        Ok((tables, statements))
    }

    /// The statements of tables of which the catalogue keeps something from this user.
    async fn statements(
        &mut self,
        tables: &Tables,
        keys: &[TextRow],
        rights: &Rights,
    ) -> Result<Statements, EngineError> {
        let without_actions = |key: &&TextRow| key.get(6).is_some_and(Option::is_none);
        let in_keys: BTreeSet<&str> =
            keys.iter().filter(without_actions).filter_map(|key| key.first()?.as_deref()).collect();
        let mut statements = Statements::new();
        for table in tables.values().filter(|table| table.unreadable.is_none()) {
            if rights.holds("SELECT") && !in_keys.contains(table.name.name.as_str()) {
                continue;
            }
            statements.insert(table.name.clone(), self.created(&table.name).await?);
        }
        Ok(statements)
    }

    async fn checks(
        &mut self,
        tables: &mut Tables,
        statements: &Statements,
        rights: &Rights,
    ) -> Result<(), EngineError> {
        let mut checks = Vec::new();
        if rights.holds("SELECT") {
            for row in self.texts(DOING, CHECKS).await? {
                let [Some(table), Some(name), Some(level), Some(expression)] = fields(row) else { continue };
                checks.push((TableName::new(table), Checked { name, of_column: level == "Column", expression }));
            }
        } else {
            let of = |(table, created): (&TableName, &Created)| {
                created.checks.iter().map(|check| (table.clone(), check.clone())).collect::<Vec<_>>()
            };
            checks.extend(statements.iter().flat_map(of));
        }
        for (table, Checked { name, of_column, expression }) in checks {
            let Some(table) = tables.get_mut(&table) else { continue };
            let is_json = |column: &Column| matches!(column.kind, LogicalType::Json { .. });
            if of_column && table.column(&name).is_some_and(is_json) {
                continue;
            }
            // A column's check has the column's name, which a table's check may not take.
            table.checks.push(CheckConstraint { name: (!of_column).then_some(name), expression });
        }
        Ok(())
    }

    async fn columns(&mut self, tables: &mut Tables, statements: &Statements) -> Result<(), EngineError> {
        let types = self.texts(DOING, &format!("{COLUMN_TYPES} WHERE c.table_schema = DATABASE()")).await?;
        let mut types: BTreeMap<_, _> =
            types.into_iter().filter_map(column_type).map(|(table, column, kind)| ((table, column), kind)).collect();
        for row in self.texts(DOING, COLUMNS).await? {
            let [Some(table), Some(name), nullable, default, extra, expression] = fields(row) else { continue };
            let Some(mut kind) = types.remove(&(table.clone(), name.clone())) else { continue };
            let Some(table) = tables.get_mut(&TableName::new(table)) else { continue };
            kind.json |= statements.get(&table.name).is_some_and(|created| created.is_json(&name));
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

fn foreign_keys(tables: &mut Tables, keys: Vec<TextRow>, statements: &Statements) {
    for row in keys {
        let [Some(table), Some(name), Some(column), schema, Some(parent), Some(parent_column), on_update, on_delete] =
            fields(row)
        else {
            continue;
        };
        let Some(table) = tables.get_mut(&TableName::new(table)) else { continue };
        if let Some(key) = table.foreign_keys.last_mut().filter(|key| key.name.as_ref() == Some(&name)) {
            key.columns.push(column);
            key.parent_columns.push(parent_column);
            continue;
        }
        let stated = statements.get(&table.name).and_then(|created| created.actions.iter().find(|(of, _)| *of == name));
        let [stated_update, stated_delete] = [0, 1].map(|at| stated.map(|(_, actions)| actions[at].as_str()));
        table.foreign_keys.push(ForeignKey {
            name: Some(name),
            columns: vec![column],
            parent: TableName { schema: schema.filter(|schema| !schema.is_empty()), name: parent },
            parent_columns: vec![parent_column],
            on_update: action(on_update.as_deref().or(stated_update)),
            on_delete: action(on_delete.as_deref().or(stated_delete)),
            match_full: false,
            deferrable: None,
            validated: true,
        });
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
