//! SQLite's SQL.

use super::script::{LEXICON, Trigger};
use crate::{
    engine::{
        Dialect, PlanSql, Questions, SchemaScript, SelfExamination,
        script::{self, ScriptError, Statement},
        select::Objects,
    },
    model::{
        Catalogue, LogicalType, TableName,
        catalogue::{Column, ForeignKey, Generation, Index, IndexPart, Key, Table},
    },
};

use super::{ddl, types};

/// How SQLite's SQL differs from others'.
pub(super) struct SqliteDialect;

impl Objects for SqliteDialect {
    /// Goes by what is stored and not by what the column is declared for. A real has as many digits as it takes to tell it
    /// from all others, of which SQLite's own JSON writes fewer.
    fn json(&self, value: &str, kind: &LogicalType) -> String {
        let digits = |count: u8| format!("printf('%!.{count}g', {value})");
        let real = [15, 16].map(|count| format!("WHEN CAST({0} AS REAL) = {value} THEN {0} ", digits(count)));
        let real = format!("WHEN typeof({value}) = 'real' THEN CASE {}ELSE {} END", real.concat(), digits(17));
        let truth = match kind {
            LogicalType::Boolean => {
                let is = |bit: u8| format!("typeof({value}) = 'integer' AND {value} = {bit}");
                format!("WHEN {} THEN 'true' WHEN {} THEN 'false' ", is(1), is(0))
            }
            _ => String::new(),
        };
        format!("CASE {truth}{real} ELSE json_quote({value}) END")
    }
}

impl script::Settings for SqliteDialect {
    fn is_setting(&self, statement: &str) -> bool {
        const SETTINGS: &[&str] = &["foreign_keys", "defer_foreign_keys", "legacy_alter_table", "recursive_triggers"];
        let mut words =
            statement.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        let is_pragma = words.next().is_some_and(|word| word.eq_ignore_ascii_case("pragma"));
        is_pragma && words.next().is_some_and(|word| SETTINGS.iter().any(|known| word.eq_ignore_ascii_case(known)))
    }
}

impl Questions for SqliteDialect {
    fn readiness(&self) -> &'static str {
        "SELECT encoding, 'BINARY', CAST(page_count * page_size AS TEXT), NULL \
         FROM pragma_encoding, pragma_page_count, pragma_page_size"
    }

    fn plan_of(&self) -> PlanSql {
        // https://www.sqlite.org/eqp.html: id, parent, not used, detail
        PlanSql { explain: "EXPLAIN QUERY PLAN ", estimates: &[0, 1, 2] }
    }

    fn self_examinations(&self) -> &'static [SelfExamination] {
        const ALL: &[SelfExamination] = &[
            SelfExamination {
                name: "integrity_check",
                sql: "PRAGMA integrity_check",
                whole: Some("ok"),
                is_of_references: false,
            },
            SelfExamination {
                name: "foreign_key_check",
                sql: "PRAGMA foreign_key_check",
                whole: None,
                is_of_references: true,
            },
        ];
        ALL
    }
}

impl Dialect for SqliteDialect {
    fn as_of_tool(&self, keeps_references: bool) -> Option<&'static str> {
        Some(if keeps_references {
            "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = ON"
        } else {
            "PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = ON"
        })
    }

    fn heeds_references(&self, heeds: bool) -> Option<&'static str> {
        Some(if heeds { "PRAGMA foreign_keys = ON" } else { "PRAGMA foreign_keys = OFF" })
    }

    fn enforces_types(&self) -> bool {
        false
    }

    fn quote(&self, identifier: &str) -> String {
        format!("\"{}\"", identifier.replace('"', "\"\""))
    }

    fn table(&self, name: &TableName) -> String {
        let schema = name.schema.as_deref().unwrap_or("main");
        format!("{}.{}", self.quote(schema), self.quote(&name.name))
    }

    fn is_text(&self, text: &str, literal: &str) -> String {
        format!("{text} COLLATE BINARY = {literal}")
    }

    fn declare(&self, kind: &LogicalType) -> Option<String> {
        types::declare(kind)
    }

    fn split<'a>(&self, script: &'a str) -> Result<Vec<Statement<'a>>, ScriptError> {
        script::split(script, &LEXICON, &mut Trigger::default())
    }

    /// Foreign keys are part of `create`, because SQLite cannot add one to a table that is there; a load therefore leaves
    /// them to be checked at the end of its transaction.
    fn create_tables(&self, tables: &[Table]) -> SchemaScript {
        let mut script = SchemaScript::default();
        for table in tables {
            script.create.push(self.create_table(table));
            script.finish.extend(table.indexes.iter().map(|index| self.create_index(&table.name, index)));
        }
        let catalogue = Catalogue {
            tables: tables.iter().map(|table| (table.name.clone(), table.clone())).collect(),
            ..Catalogue::default()
        };
        let (order, cyclic) = catalogue.dependency_order();
        let drops = order.iter().rev().map(|name| format!("DROP TABLE {}", self.table(name)));
        if cyclic.is_empty() {
            script.drop.extend(drops);
        } else {
            // Dropping a table deletes its rows first. In a cycle some of them are still referred to; the first setting
            // allows it outside a transaction and the second one inside.
            script.drop.push("PRAGMA foreign_keys = OFF".to_owned());
            script.drop.push("PRAGMA defer_foreign_keys = ON".to_owned());
            script.drop.extend(drops);
            script.drop.push("PRAGMA foreign_keys = ON".to_owned());
        }
        script
    }
}

impl SqliteDialect {
    fn create_table(&self, table: &Table) -> String {
        let row_id = table.columns.iter().find(|column| matches!(column.generation, Generation::RowId { .. }));
        let mut parts: Vec<String> = table.columns.iter().map(|column| self.column(column)).collect();
        if let (Some(key), None) = (&table.primary_key, row_id) {
            parts.push(format!("{}PRIMARY KEY ({})", self.constraint(&key.name), self.columns(&key.columns)));
        }
        // A unique key that an index of the same name keeps comes with that index.
        let is_index = |key: &&Key| table.indexes.iter().any(|index| Some(&index.name) == key.name.as_ref());
        for key in table.uniques.iter().filter(|key| !is_index(key)) {
            parts.push(format!("{}UNIQUE ({})", self.constraint(&key.name), self.columns(&key.columns)));
        }
        for check in &table.checks {
            parts.push(format!("{}CHECK ({})", self.constraint(&check.name), check.expression));
        }
        parts.extend(table.foreign_keys.iter().map(|key| self.foreign_key(key)));
        format!("CREATE TABLE {} (\n  {}\n)", self.table(&table.name), parts.join(",\n  "))
    }

    fn column(&self, column: &Column) -> String {
        let mut sql = self.quote(&column.name);
        if !column.declared.is_empty() {
            sql.push(' ');
            sql.push_str(&self.declared(&column.declared));
        }
        match &column.generation {
            Generation::RowId { autoincrement } => {
                sql.push_str(" PRIMARY KEY");
                sql.push_str(if *autoincrement { " AUTOINCREMENT" } else { "" });
            }
            Generation::Computed { expression, stored } => {
                let storage = if *stored { "STORED" } else { "VIRTUAL" };
                sql.push_str(&format!(" GENERATED ALWAYS AS ({expression}) {storage}"));
            }
            Generation::None | Generation::IdentityAlways | Generation::IdentityByDefault => {}
        }
        if !column.nullable && !matches!(column.generation, Generation::RowId { .. }) {
            sql.push_str(" NOT NULL");
        }
        if let Some(default) = &column.default {
            // A default that is one word is written bare: in parentheses, SQLite would take a text in double quotes for
            // a column's name.
            let bare = ddl::tokens(default).len() == 1;
            sql.push_str(&if bare { format!(" DEFAULT {default}") } else { format!(" DEFAULT ({default})") });
        }
        if let Some(collation) = &column.collation {
            sql.push_str(&format!(" COLLATE {}", self.quote(collation)));
        }
        sql
    }

    /// A declared type in SQL: as it stands, or in quotes where it is not the words and numbers that types are made of.
    fn declared(&self, declared: &str) -> String {
        let is_usual = |token: &ddl::Token<'_>| {
            matches!(token.kind, ddl::TokenKind::Word | ddl::TokenKind::Number)
                || ["(", ")", ",", "+", "-"].iter().any(|mark| token.is(mark))
        };
        let usual = ddl::tokens(declared).iter().all(is_usual) && !declared.contains("--");
        if usual { declared.to_owned() } else { self.quote(declared) }
    }

    fn foreign_key(&self, key: &ForeignKey) -> String {
        let mut sql = format!(
            "{}FOREIGN KEY ({}) REFERENCES {}",
            self.constraint(&key.name),
            self.columns(&key.columns),
            self.quote(&key.parent.name)
        );
        if !key.parent_columns.is_empty() {
            sql.push_str(&format!(" ({})", self.columns(&key.parent_columns)));
        }
        sql.push_str(&format!(" ON UPDATE {} ON DELETE {}", key.on_update, key.on_delete));
        match key.deferrable {
            Some(true) => sql.push_str(" DEFERRABLE INITIALLY DEFERRED"),
            Some(false) => sql.push_str(" DEFERRABLE INITIALLY IMMEDIATE"),
            None => {}
        }
        sql
    }

    fn create_index(&self, table: &TableName, index: &Index) -> String {
        let parts = index.parts.iter().map(|part| self.index_part(part)).collect::<Vec<_>>().join(", ");
        let unique = if index.unique { "UNIQUE " } else { "" };
        // The index lies in its table's schema, and the table is therefore named without one.
        let name = self.table(&TableName { schema: table.schema.clone(), name: index.name.clone() });
        let mut sql = format!("CREATE {unique}INDEX {name} ON {} ({parts})", self.quote(&table.name));
        if let Some(predicate) = &index.predicate {
            sql.push_str(&format!(" WHERE {predicate}"));
        }
        sql
    }

    pub(super) fn index_part(&self, part: &IndexPart) -> String {
        let mut sql = match (&part.column, &part.expression) {
            (Some(column), _) => self.quote(column),
            (None, Some(expression)) => expression.clone(),
            (None, None) => "rowid".to_owned(),
        };
        if let Some(collation) = &part.collation {
            sql.push_str(&format!(" COLLATE {}", self.quote(collation)));
        }
        if part.descending {
            sql.push_str(" DESC");
        }
        sql
    }

    fn constraint(&self, name: &Option<String>) -> String {
        name.as_ref().map(|name| format!("CONSTRAINT {} ", self.quote(name))).unwrap_or_default()
    }
}
