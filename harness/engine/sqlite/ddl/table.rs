//! CREATE TABLE.

use super::{Cursor, Token, items, normal, tokens};

/// What a CREATE TABLE statement says beyond the pragmas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableDdl {
    /// Its columns in order.
    pub columns: Vec<ColumnDdl>,
    /// The primary key.
    pub primary_key: Option<KeyDdl>,
    /// Unique constraints in order.
    pub uniques: Vec<KeyDdl>,
    /// CHECK constraints in order.
    pub checks: Vec<CheckDdl>,
    /// Foreign keys in order.
    pub foreign_keys: Vec<ForeignKeyDdl>,
    /// Declared AUTOINCREMENT.
    pub autoincrement: bool,
}

/// A column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnDdl {
    /// Its name.
    pub name: String,
    /// The expression of a generated column.
    pub generated: Option<String>,
    /// Its collation.
    pub collation: Option<String>,
    /// What happens instead of a refusal when NULL meets NOT NULL.
    pub not_null_conflict: Option<String>,
}

/// A primary or unique key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyDdl {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Its columns in order.
    pub columns: Vec<String>,
    /// What happens instead of a refusal when a key is there already.
    pub conflict: Option<String>,
}

/// A CHECK constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckDdl {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Its expression with normal white space.
    pub expression: String,
}

/// A foreign key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForeignKeyDdl {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// The referencing columns as they are written.
    pub columns: Vec<String>,
    /// DEFERRABLE, and if so whether INITIALLY DEFERRED.
    pub deferrable: Option<bool>,
}

/// Reads a CREATE TABLE statement; `None` if it is something else (a virtual table, `CREATE TABLE … AS`).
pub fn table(sql: &str) -> Option<TableDdl> {
    let tokens = tokens(sql);
    let mut cursor = Cursor::new(&tokens);
    if !cursor.take(&["CREATE"]) {
        return None;
    }
    let _ = cursor.take(&["TEMP"]) || cursor.take(&["TEMPORARY"]);
    if !cursor.take(&["TABLE"]) {
        return None;
    }
    cursor.take(&["IF", "NOT", "EXISTS"]);
    cursor.name()?;
    if cursor.take(&["."]) {
        cursor.name()?;
    }
    let mut table = TableDdl::default();
    let mut in_columns = true;
    for item in items(cursor.group()?) {
        // Table constraints stand behind the columns, and need no comma between them.
        in_columns = in_columns && !item.first().is_some_and(starts_table_constraint);
        let mut cursor = Cursor::new(item);
        if in_columns { table.column(&mut cursor) } else { table.constraints(&mut cursor) }
    }
    Some(table)
}

fn starts_table_constraint(token: &Token<'_>) -> bool {
    ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"].iter().any(|word| token.is(word))
}

impl TableDdl {
    /// Reads a column with its constraints.
    fn column(&mut self, cursor: &mut Cursor<'_>) {
        let Some(name) = cursor.name() else { return };
        let mut column = ColumnDdl { name: name.clone(), ..ColumnDdl::default() };
        let mut constraint = None;
        while cursor.peek().is_some() {
            if cursor.take(&["CONSTRAINT"]) {
                constraint = cursor.name();
            } else if cursor.take(&["PRIMARY", "KEY"]) {
                let _ = cursor.take(&["ASC"]) || cursor.take(&["DESC"]);
                let conflict = conflict(cursor);
                self.autoincrement |= cursor.take(&["AUTOINCREMENT"]);
                self.primary_key = Some(KeyDdl { name: constraint.take(), columns: vec![name.clone()], conflict });
            } else if cursor.take(&["UNIQUE"]) {
                let conflict = conflict(cursor);
                self.uniques.push(KeyDdl { name: constraint.take(), columns: vec![name.clone()], conflict });
            } else if cursor.take(&["NOT", "NULL"]) {
                column.not_null_conflict = conflict(cursor);
                constraint = None;
            } else if cursor.take(&["CHECK"]) {
                self.check(constraint.take(), cursor);
            } else if cursor.take(&["DEFAULT"]) {
                skip_default(cursor);
                constraint = None;
            } else if cursor.take(&["COLLATE"]) {
                column.collation = cursor.name();
                constraint = None;
            } else if cursor.take(&["REFERENCES"]) {
                let deferrable = references(cursor);
                let columns = vec![name.clone()];
                self.foreign_keys.push(ForeignKeyDdl { name: constraint.take(), columns, deferrable });
            } else if cursor.take(&["GENERATED", "ALWAYS", "AS"]) || cursor.take(&["AS"]) {
                column.generated = cursor.group().map(normal);
                constraint = None;
            } else if cursor.group().is_none() {
                // A word of the type.
                cursor.next();
            }
        }
        self.columns.push(column);
    }

    /// Reads the table constraints of one item.
    fn constraints(&mut self, cursor: &mut Cursor<'_>) {
        let mut constraint = None;
        while cursor.peek().is_some() {
            if cursor.take(&["CONSTRAINT"]) {
                constraint = cursor.name();
            } else if cursor.take(&["PRIMARY", "KEY"]) {
                let columns = self.key_columns(cursor);
                self.primary_key = Some(KeyDdl { name: constraint.take(), columns, conflict: conflict(cursor) });
            } else if cursor.take(&["UNIQUE"]) {
                let columns = self.key_columns(cursor);
                self.uniques.push(KeyDdl { name: constraint.take(), columns, conflict: conflict(cursor) });
            } else if cursor.take(&["CHECK"]) {
                self.check(constraint.take(), cursor);
            } else if cursor.take(&["FOREIGN", "KEY"]) {
                let columns = names(cursor.group().unwrap_or_default());
                let deferrable = if cursor.take(&["REFERENCES"]) { references(cursor) } else { None };
                self.foreign_keys.push(ForeignKeyDdl { name: constraint.take(), columns, deferrable });
            } else {
                cursor.next();
            }
        }
    }

    /// Reads the columns of a key; `AUTOINCREMENT` may stand among them.
    fn key_columns(&mut self, cursor: &mut Cursor<'_>) -> Vec<String> {
        let group = cursor.group().unwrap_or_default();
        self.autoincrement |= group.iter().skip(1).any(|token| token.is("AUTOINCREMENT"));
        names(group)
    }

    fn check(&mut self, name: Option<String>, cursor: &mut Cursor<'_>) {
        if let Some(expression) = cursor.group().map(normal) {
            self.checks.push(CheckDdl { name, expression });
        }
        conflict(cursor);
    }
}

/// The first name of each item: `(a COLLATE NOCASE, "b" DESC)` is a and b.
fn names(list: &[Token<'_>]) -> Vec<String> {
    items(list).into_iter().filter_map(|item| item.first()?.name()).collect()
}

/// Reads `ON CONFLICT x`.
fn conflict(cursor: &mut Cursor<'_>) -> Option<String> {
    if cursor.take(&["ON", "CONFLICT"]) { cursor.name().map(|word| word.to_ascii_uppercase()) } else { None }
}

/// Skips a default: a group, or a sign and one word.
fn skip_default(cursor: &mut Cursor<'_>) {
    let _ = cursor.take(&["+"]) || cursor.take(&["-"]);
    if cursor.group().is_none() {
        cursor.next();
    }
}

/// Reads what follows REFERENCES and tells the deferrability; the rest is in the pragmas.
fn references(cursor: &mut Cursor<'_>) -> Option<bool> {
    cursor.name();
    cursor.group();
    let mut deferrable = None;
    loop {
        if cursor.take(&["ON", "DELETE"]) || cursor.take(&["ON", "UPDATE"]) || cursor.take(&["ON", "INSERT"]) {
            let _ = cursor.take(&["SET", "NULL"])
                || cursor.take(&["SET", "DEFAULT"])
                || cursor.take(&["NO", "ACTION"])
                || cursor.next().is_some();
        } else if cursor.take(&["MATCH"]) {
            cursor.next();
        } else if cursor.take(&["NOT", "DEFERRABLE"]) {
            deferrable = None;
            initially(cursor);
        } else if cursor.take(&["DEFERRABLE"]) {
            deferrable = Some(initially(cursor));
        } else {
            return deferrable;
        }
    }
}

/// Reads `INITIALLY DEFERRED` (true) or `INITIALLY IMMEDIATE`.
fn initially(cursor: &mut Cursor<'_>) -> bool {
    let deferred = cursor.take(&["INITIALLY", "DEFERRED"]);
    cursor.take(&["INITIALLY", "IMMEDIATE"]);
    deferred
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_pragmas_hide_is_read() {
        let table = table(
            "CREATE TABLE main.\"odd (name\" ( -- a comment, with (
               id INTEGER CONSTRAINT pk PRIMARY KEY ASC ON CONFLICT ABORT AUTOINCREMENT,
               [group] VARCHAR(20) DEFAULT 'a,b)' NOT NULL ON CONFLICT IGNORE CONSTRAINT u UNIQUE COLLATE NOCASE,
               n INT DEFAULT -1 CHECK(n>0) CONSTRAINT small CHECK ( n < 10 ),
               g INT GENERATED ALWAYS AS (n * (2 + 1)) STORED,
               owner REFERENCES people(id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
               \"check\" TEXT DEFAULT (upper('x')),
               CONSTRAINT pair UNIQUE (n, owner COLLATE RTRIM) CHECK (n <> id)
               CONSTRAINT far FOREIGN KEY (n, g) REFERENCES other NOT DEFERRABLE
             ) STRICT",
        )
        .unwrap();
        let check = |name: Option<&str>, expression: &str| CheckDdl {
            name: name.map(str::to_owned),
            expression: expression.to_owned(),
        };
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["id", "group", "n", "g", "owner", "check"]);
        assert_eq!(table.columns[1].collation.as_deref(), Some("NOCASE"));
        assert_eq!(table.columns[1].not_null_conflict.as_deref(), Some("IGNORE"));
        assert_eq!(table.columns[3].generated.as_deref(), Some("n * (2 + 1)"));
        assert!(table.autoincrement);
        assert_eq!(table.primary_key.unwrap().name.as_deref(), Some("pk"));
        assert_eq!(table.checks, [check(None, "n > 0"), check(Some("small"), "n < 10"), check(None, "n <> id")]);
        let uniques: Vec<_> = table.uniques.iter().map(|key| (key.name.as_deref(), key.columns.join(","))).collect();
        assert_eq!(uniques, [(Some("u"), "group".to_owned()), (Some("pair"), "n,owner".to_owned())]);
        let keys: Vec<_> = table.foreign_keys.iter().map(|key| (key.name.as_deref(), key.deferrable)).collect();
        assert_eq!(keys, [(None, Some(true)), (Some("far"), None)]);
    }

    #[test]
    fn other_statements_are_none() {
        assert_eq!(table("CREATE VIRTUAL TABLE t USING fts5(a)"), None);
        assert_eq!(table("CREATE VIEW v AS SELECT (1)"), None);
    }
}
