//! What the statement that would create a table says of it, for a user from whom `information_schema` keeps that.
//!
//! The right to SELECT from a table is enough to be shown the statement. The actions of foreign keys are in
//! `information_schema` for whoever has another right on the table besides, and CHECK constraints for whoever has one on the
//! whole database.

use crate::{
    engine::{
        Dialect, EngineError,
        mariadb::{MariaDbDialect, dialect::unquoted, script::LEXICON, session::MariaDbSession},
        script::{Lexeme, LexemeKind},
    },
    model::TableName,
};

/// What a statement says of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Created {
    /// CHECK constraints.
    pub checks: Vec<Checked>,
    /// Foreign keys: name, and what happens on an update and a deletion.
    pub actions: Vec<(String, [String; 2])>,
}

/// A CHECK constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Its name, or that of its column.
    pub name: String,
    /// Whether it is a column's.
    pub of_column: bool,
    /// What it demands.
    pub expression: String,
}

impl Created {
    /// Whether a column is text of which its own constraint says that it is JSON.
    pub fn is_json(&self, column: &str) -> bool {
        let says = format!("json_valid({})", MariaDbDialect.quote(column));
        self.checks.iter().any(|one| one.of_column && one.name == column && one.expression == says)
    }

    fn read(sql: &str) -> Self {
        let mut created = Self::default();
        for part in parts(sql) {
            match part.as_slice() {
                [(_, constraint), (_, name), (_, kind), ..] if constraint.is("CONSTRAINT") => {
                    if kind.is("FOREIGN") {
                        created
                            .actions
                            .push((unquoted(name.text), ["UPDATE", "DELETE"].map(|event| action(&part, event))));
                    } else {
                        created.check(sql, &part, name, false);
                    }
                }
                [(_, name), ..] if name.kind == LexemeKind::Quoted => created.check(sql, &part, name, true),
                _ => {}
            }
        }
        created
    }

    /// Adds the CHECK in a part of the statement, if there is one.
    fn check(&mut self, sql: &str, part: &Part<'_>, name: &Lexeme<'_>, of_column: bool) {
        let mut depth = 0_usize;
        let mut start = None;
        for (position, (at, piece)) in part.iter().enumerate() {
            match piece.text {
                "(" => {
                    if depth == 0 && position > 0 && part[position - 1].1.is("CHECK") {
                        start = Some(at + 1);
                    }
                    depth += 1;
                }
                ")" => {
                    depth = depth.saturating_sub(1);
                    if let Some(start) = start.filter(|_| depth == 0) {
                        let expression = sql[start..*at].to_owned();
                        self.checks.push(Checked { name: unquoted(name.text), of_column, expression });
                        return;
                    }
                }
                _ => {}
            }
        }
    }
}

/// A part of the statement's list, piece by piece.
pub(in crate::engine::mariadb) type Part<'a> = Vec<(usize, Lexeme<'a>)>;

/// The columns, keys and constraints of the statement.
pub(in crate::engine::mariadb) fn parts(sql: &str) -> Vec<Part<'_>> {
    let (mut parts, mut depth) = (vec![Part::new()], 0_usize);
    for (at, piece) in LEXICON.pieces(sql) {
        match piece.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        match (depth, piece.text) {
            (1, ",") => parts.push(Part::new()),
            // Behind the list stand the table's options, and its partitions in parentheses of their own.
            (0, ")") => break,
            (0, _) => {}
            (1, "(") if parts.len() == 1 && parts[0].is_empty() => {}
            _ => parts.last_mut().into_iter().for_each(|part| part.push((at, piece))),
        }
    }
    parts
}

/// What happens to a foreign key on an event; what is not said is RESTRICT, which is what the server does.
fn action(part: &Part<'_>, event: &str) -> String {
    let words: Vec<&str> = part.iter().map(|(_, piece)| piece.text).collect();
    let behind = words.windows(2).position(|pair| pair == ["ON", event]).map(|at| &words[at + 2..]);
    match behind {
        Some([first @ ("SET" | "NO"), second, ..]) => format!("{first} {second}"),
        Some([action, ..]) => (*action).to_owned(),
        _ => "RESTRICT".to_owned(),
    }
}

impl MariaDbSession {
    /// What the statement that would create a table says of it.
    pub(in crate::engine::mariadb) async fn created(&mut self, table: &TableName) -> Result<Created, EngineError> {
        let sql = format!("SHOW CREATE TABLE {}", MariaDbDialect.table(table));
        let rows = self.texts("reading how a table was created", &sql).await?;
        let statement = rows.into_iter().next().and_then(|row| row.into_iter().nth(1)).flatten();
        Ok(Created::read(&statement.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATEMENT: &str = "CREATE TABLE `us``ers` (
  `id` int(11) NOT NULL AUTO_INCREMENT COMMENT 'CHECK (`x`), CONSTRAINT',
  `parent` int(11) DEFAULT NULL,
  `j` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`j`)),
  `n` int(11) DEFAULT NULL CHECK (`n` > 0 and (`n` < 9)),
  `g` int(11) GENERATED ALWAYS AS (`n` + (1)) STORED,
  `e` enum('a,b','CHECK (c)') DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `mail` (`mail`),
  KEY `self` (`parent`,`n`),
  CONSTRAINT `se``lf` FOREIGN KEY (`parent`) REFERENCES `us``ers` (`id`) ON DELETE SET NULL,
  CONSTRAINT `all` FOREIGN KEY (`parent`) REFERENCES `us``ers` (`id`) ON DELETE CASCADE ON UPDATE NO ACTION,
  CONSTRAINT `none` FOREIGN KEY (`parent`) REFERENCES `us``ers` (`id`),
  CONSTRAINT `chk` CHECK (`n` < 100 and `e` <> 'it\\'s)')
) ENGINE=InnoDB COMMENT='CHECK (1)'
 PARTITION BY LIST (`id`)
(PARTITION `p0` VALUES IN (1) ENGINE = InnoDB)";

    #[test]
    fn a_statement_tells_checks_and_actions() {
        let created = Created::read(STATEMENT);
        let checks: Vec<_> =
            created.checks.iter().map(|one| (one.name.as_str(), one.of_column, one.expression.as_str())).collect();
        let expected = [
            ("j", true, "json_valid(`j`)"),
            ("n", true, "`n` > 0 and (`n` < 9)"),
            ("chk", false, "`n` < 100 and `e` <> 'it\\'s)'"),
        ];
        assert_eq!(checks, expected);
        assert!(created.is_json("j") && !created.is_json("n"));
        let actions: Vec<String> =
            created.actions.iter().map(|(name, [update, delete])| format!("{name}: {update}, {delete}")).collect();
        assert_eq!(actions, ["se`lf: RESTRICT, SET NULL", "all: NO ACTION, CASCADE", "none: RESTRICT, RESTRICT"]);
    }
}
