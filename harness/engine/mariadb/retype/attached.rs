//! What hangs on a column, read from the statements that would create the tables.

use std::collections::BTreeSet;

use super::{column_is, quote};
use crate::{
    engine::{
        Dialect, EngineError, Session,
        mariadb::{
            MariaDbDialect,
            dialect::{literal, unquoted},
            introspect::{Part, parts},
        },
        retype::{Attached, AttachedClass},
        script::LexemeKind,
    },
    model::TableName,
};

/// The name of what holds a column's whole definition.
pub(super) const DEFINITION: &str = "definition";

/// What hangs on a column.
pub(super) async fn attached(
    session: &mut dyn Session,
    table: &TableName,
    column: &str,
) -> Result<Vec<Attached>, EngineError> {
    let (name, wanted) = (literal(&table.name), literal(column));
    let mut found = Vec::new();
    let said = format!(
        "SELECT is_nullable, column_default, column_comment, extra FROM information_schema.columns \
         WHERE table_schema = DATABASE() AND table_name = {name} AND column_name = {wanted}"
    );
    for row in session.query(&said).await? {
        let [nullable, default, comment, extra]: [Option<String>; 4] = row.try_into().unwrap_or_default();
        let attribute = |name: &str, comes: String| attached_as(AttachedClass::Attribute, name, None, comes);
        if nullable.as_deref() == Some("NO") {
            found.push(attribute("NOT NULL", "NOT NULL".to_owned()));
        }
        if extra.is_some_and(|extra| extra.contains("INVISIBLE")) {
            found.push(attribute("INVISIBLE", "INVISIBLE".to_owned()));
        }
        if let Some(comment) = comment.filter(|comment| !comment.is_empty()) {
            found.push(attribute("comment", format!("COMMENT {}", literal(&comment))));
        }
        if let Some(default) = default.filter(|default| default != "NULL") {
            found.push(attached_as(AttachedClass::Default, "default", None, default));
        }
    }
    let counter = format!(
        "SELECT auto_increment FROM information_schema.tables t WHERE table_schema = DATABASE() AND table_name = {name} \
         AND auto_increment IS NOT NULL AND EXISTS (SELECT 1 FROM information_schema.columns c WHERE \
         c.table_schema = t.table_schema AND c.table_name = t.table_name AND c.column_name = {wanted} \
         AND c.extra LIKE '%auto_increment%')"
    );
    for next in session.query(&counter).await?.into_iter().flatten().flatten() {
        found.push(attached_as(AttachedClass::Counter, "AUTO_INCREMENT", None, format!("AUTO_INCREMENT = {next}")));
    }
    let sql = created(session, table).await?;
    for part in parts(&sql) {
        found.extend(of_part(&sql, &part, table, column));
    }
    let children = format!(
        "SELECT DISTINCT table_name FROM information_schema.key_column_usage WHERE table_schema = DATABASE() \
         AND referenced_table_schema = DATABASE() AND referenced_table_name = {name} AND referenced_column_name = {wanted} \
         ORDER BY 1"
    );
    for child in session.query(&children).await?.into_iter().flatten().flatten() {
        let child = TableName::new(child);
        let sql = created(session, &child).await?;
        for part in parts(&sql) {
            let reference = reference(&sql, &part, &child);
            let refers = |(_, key): &(Attached, Key)| {
                key.parent == table.name && key.parent_columns.iter().any(|one| one == column)
            };
            found.extend(reference.filter(refers).map(|(attached, _)| attached));
        }
    }
    // A reference of a table to itself is met twice.
    let mut met = BTreeSet::new();
    found.retain(|one| one.class != AttachedClass::Reference || met.insert(one.comes.clone()));
    found.sort_by(|a, b| (a.class, &a.name).cmp(&(b.class, &b.name)));
    Ok(found)
}

fn attached_as(class: AttachedClass, name: &str, goes: Option<String>, comes: String) -> Attached {
    Attached { class, name: name.to_owned(), goes, comes, proves: None, early: None }
}

async fn created(session: &mut dyn Session, table: &TableName) -> Result<String, EngineError> {
    let rows = session.query(&format!("SHOW CREATE TABLE {}", MariaDbDialect.table(table))).await?;
    Ok(rows.into_iter().next().and_then(|row| row.into_iter().nth(1)).flatten().unwrap_or_default())
}

/// What a part of a statement says about a column of its table.
fn of_part(sql: &str, part: &Part<'_>, table: &TableName, column: &str) -> Vec<Attached> {
    let Some((_, first)) = part.first() else { return Vec::new() };
    let text = text(sql, part);
    if first.kind == LexemeKind::Quoted {
        if unquoted(first.text) != column {
            return Vec::new();
        }
        let definition = text[first.text.len()..].trim().to_owned();
        let mut found = Vec::new();
        let check = part.iter().position(|(_, piece)| piece.is("CHECK"));
        if let Some((begin, end)) = check.and_then(|at| group(part, at)) {
            let comes = format!("CHECK {}", &sql[begin..end]);
            found.push(attached_as(AttachedClass::Attribute, "CHECK", None, comes));
        }
        found.push(attached_as(AttachedClass::Attribute, DEFINITION, None, definition));
        return found;
    }
    if let Some((attached, key)) = reference(sql, part, table) {
        return if key.columns.iter().any(|one| one == column) { vec![attached] } else { Vec::new() };
    }
    if !part.iter().any(|(_, piece)| column_is(piece, column)) {
        return Vec::new();
    }
    let comes = format!("ADD {text}");
    let (class, name, goes) = match part.as_slice() {
        [(_, first), ..] if first.is("PRIMARY") => {
            (AttachedClass::Constraint, "PRIMARY".to_owned(), "DROP PRIMARY KEY".to_owned())
        }
        [(_, first), (_, name), ..] if first.is("CONSTRAINT") => {
            let name = unquoted(name.text);
            (AttachedClass::Constraint, name.clone(), format!("DROP CONSTRAINT IF EXISTS {}", quote(&name)))
        }
        [(_, first), ..] => {
            // The name of an index stands before its columns, and may be that of the column.
            let Some((_, name)) = part.iter().find(|(_, piece)| piece.kind == LexemeKind::Quoted) else {
                return Vec::new();
            };
            let behind = part.iter().skip_while(|(_, piece)| piece.text != "(");
            if !behind.into_iter().any(|(_, piece)| column_is(piece, column)) {
                return Vec::new();
            }
            let name = unquoted(name.text);
            let class = if first.is("UNIQUE") { AttachedClass::Constraint } else { AttachedClass::Index };
            (class, name.clone(), format!("DROP INDEX IF EXISTS {}", quote(&name)))
        }
        [] => return Vec::new(),
    };
    vec![attached_as(class, &name, Some(goes), comes)]
}

/// A part of a statement as written.
fn text<'a>(sql: &'a str, part: &Part<'_>) -> &'a str {
    match (part.first(), part.last()) {
        (Some((begin, _)), Some((at, last))) => &sql[*begin..at + last.text.len()],
        _ => "",
    }
}

/// Where the first group in parentheses behind a piece begins and ends.
fn group(part: &Part<'_>, from: usize) -> Option<(usize, usize)> {
    let (mut depth, mut begin) = (0_usize, None);
    for (at, piece) in &part[from..] {
        match piece.text {
            "(" => {
                begin = begin.or(Some(*at));
                depth += 1;
            }
            ")" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return begin.map(|begin| (begin, at + 1));
                }
            }
            _ => {}
        }
    }
    None
}

/// The columns of a foreign key.
struct Key {
    columns: Vec<String>,
    parent: String,
    parent_columns: Vec<String>,
}

/// The foreign key in a part of a table's statement.
fn reference(sql: &str, part: &Part<'_>, table: &TableName) -> Option<(Attached, Key)> {
    let [(_, constraint), (_, name), (_, kind), ..] = part.as_slice() else { return None };
    if !constraint.is("CONSTRAINT") || !kind.is("FOREIGN") {
        return None;
    }
    let refers = part.iter().position(|(_, piece)| piece.is("REFERENCES"))?;
    let names = |pieces: &[(usize, crate::engine::script::Lexeme<'_>)]| -> Vec<String> {
        let inside =
            pieces.iter().skip_while(|(_, piece)| piece.text != "(").take_while(|(_, piece)| piece.text != ")");
        inside.filter(|(_, piece)| piece.kind == LexemeKind::Quoted).map(|(_, piece)| unquoted(piece.text)).collect()
    };
    let behind = part[refers + 1..].iter().take_while(|(_, piece)| piece.text != "(");
    let parent = behind.filter(|(_, piece)| piece.kind == LexemeKind::Quoted).last();
    let key = Key {
        columns: names(&part[2..refers]),
        parent: unquoted(parent?.1.text),
        parent_columns: names(&part[refers + 1..]),
    };
    let (place, name) = (MariaDbDialect.table(table), unquoted(name.text));
    let goes = format!("ALTER TABLE {place} DROP FOREIGN KEY IF EXISTS {}", quote(&name));
    // Rows are not looked at while everybody waits; they are asked afterwards.
    let (at, word) = part.get(3)?;
    let (head, rest) = (&sql[part[0].0..at + word.text.len()], &text(sql, part)[at + word.text.len() - part[0].0..]);
    let mut comes =
        format!("SET STATEMENT foreign_key_checks = 0 FOR ALTER TABLE {place} ADD {head} IF NOT EXISTS{rest}");
    let all = parts(sql);
    let indexes: Vec<(String, Vec<String>)> = all.iter().filter_map(index).collect();
    let covers = |(_, columns): &&(String, Vec<String>)| columns.starts_with(&key.columns);
    if let Some((index, _)) = indexes.iter().find(covers).filter(|_| !indexes.iter().any(|(other, _)| *other == name)) {
        // The server puts one by the key's name in the place of one that it had made for the key before.
        let (from, to) = (quote(&name), quote(index));
        comes.push_str(&format!("; ALTER TABLE {place} RENAME INDEX IF EXISTS {from} TO {to}"));
    }
    let given: Vec<String> = key.columns.iter().map(|column| format!("c.{} IS NOT NULL", quote(column))).collect();
    let pairs = key.columns.iter().zip(&key.parent_columns);
    let equal: Vec<String> = pairs.map(|(own, theirs)| format!("p.{} = c.{}", quote(theirs), quote(own))).collect();
    let told = literal(&format!("rows of {table} have no parent by the foreign key {name}"));
    let proves = format!(
        "BEGIN NOT ATOMIC IF EXISTS (SELECT 1 FROM {place} c WHERE {} AND NOT EXISTS (SELECT 1 FROM {} p WHERE {})) \
         THEN SIGNAL SQLSTATE '23000' SET MESSAGE_TEXT = {told}; END IF; END",
        given.join(" AND "),
        quote(&key.parent),
        equal.join(" AND ")
    );
    let attached = Attached { proves: Some(proves), ..attached_as(AttachedClass::Reference, &name, Some(goes), comes) };
    Some((attached, key))
}

/// The name and the columns of the index in a part of a table's statement, unless it is the primary key.
fn index(part: &Part<'_>) -> Option<(String, Vec<String>)> {
    part.first().filter(|(_, first)| first.is("KEY") || first.is("UNIQUE"))?;
    let quoted: Vec<String> =
        part.iter().filter(|(_, piece)| piece.text.starts_with('`')).map(|(_, piece)| unquoted(piece.text)).collect();
    let (name, columns) = quoted.split_first()?;
    Some((name.clone(), columns.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATEMENT: &str = "CREATE TABLE `tags` (
  `user_id` varchar(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT uuid() COMMENT 'it''s, (a) `name`' CHECK (`user_id` <> ''),
  `name` varchar(60) NOT NULL,
  PRIMARY KEY (`user_id`,`name`),
  UNIQUE KEY `user_id` (`name`) USING HASH,
  KEY `by_user` (`name`,`user_id` DESC) COMMENT 'x',
  CONSTRAINT `of` FOREIGN KEY (`user_id`, `name`) REFERENCES `users` (`id`, `name`) ON DELETE CASCADE,
  CONSTRAINT `long` CHECK (octet_length(`user_id`) > 3)
) ENGINE=InnoDB";

    fn said(column: &str) -> Vec<(String, Option<String>, String)> {
        let table = TableName::new("tags");
        let all = parts(STATEMENT);
        let all = all.iter().flat_map(|part| of_part(STATEMENT, part, &table, column));
        all.map(|one| (one.name, one.goes, one.comes)).collect()
    }

    #[test]
    fn a_statement_tells_what_hangs_on_a_column() {
        let told = said("user_id");
        let names: Vec<&str> = told.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["CHECK", DEFINITION, "PRIMARY", "by_user", "of", "long"]);
        assert_eq!(told[0].2, "CHECK (`user_id` <> '')");
        assert!(
            told[1].2.starts_with("varchar(36) CHARACTER SET ascii") && told[1].2.ends_with("CHECK (`user_id` <> '')")
        );
        assert_eq!(told[2].2, "ADD PRIMARY KEY (`user_id`,`name`)");
        assert_eq!(told[3].1.as_deref(), Some("DROP INDEX IF EXISTS `by_user`"));
        assert_eq!(told[3].2, "ADD KEY `by_user` (`name`,`user_id` DESC) COMMENT 'x'");
        let comes = "SET STATEMENT foreign_key_checks = 0 FOR ALTER TABLE `tags` ADD CONSTRAINT `of` FOREIGN KEY IF NOT EXISTS \
                     (`user_id`, `name`) REFERENCES `users` (`id`, `name`) ON DELETE CASCADE";
        assert_eq!(told[4].2, comes);
    }

    #[test]
    fn an_index_that_is_called_like_a_column_does_not_hold_it_for_that() {
        let names: Vec<String> = said("name").into_iter().map(|(name, ..)| name).collect();
        assert_eq!(names, [DEFINITION, "PRIMARY", "user_id", "by_user", "of"]);
    }
}
