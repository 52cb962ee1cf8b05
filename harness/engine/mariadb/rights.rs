//! The rights of the session's user, as the server lists them: its own, those of its role and of roles in that one, and
//! those that everybody has.

use std::collections::{BTreeMap, BTreeSet};

use super::{dialect::unquoted, script::LEXICON, session::MariaDbSession};
use crate::{
    engine::{EngineError, script::LexemeKind},
    model::{TableName, catalogue::Hidden},
};

/// Rights by which a user could write.
const WRITES: [&str; 6] = ["ALTER", "CREATE", "DELETE", "DROP", "INSERT", "UPDATE"];

/// What the catalogue shows only to whoever holds a right on the whole database.
const HIDES: [(&str, &str); 7] = [
    ("table", "SELECT"),
    ("sequence", "SELECT"),
    ("view", "SELECT"),
    ("partition", "SELECT"),
    ("trigger", "TRIGGER"),
    ("event", "EVENT"),
    ("routine", "EXECUTE"),
];

/// Parts of a table that are hidden with its columns.
const PARTS: [&str; 5] = ["column", "order", "index", "constraint", "default"];

/// Rights that matter in one database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rights {
    /// On the whole database.
    database: BTreeSet<String>,
    /// On tables.
    tables: BTreeMap<String, BTreeSet<String>>,
    /// On columns of tables.
    columns: BTreeMap<String, BTreeSet<String>>,
    /// Whether every user's rights may be read.
    sees_grants: bool,
}

impl MariaDbSession {
    /// The rights of the session's user in its database; they are asked for once.
    pub(super) async fn rights(&mut self) -> Result<Rights, EngineError> {
        if let Some(rights) = &self.rights {
            return Ok(rights.clone());
        }
        let doing = "asking for the user's rights";
        let database = self.one(doing, "SELECT DATABASE()").await?.unwrap_or_default();
        let mut rights = Rights::default();
        for grant in self.texts(doing, "SHOW GRANTS").await?.into_iter().flatten().flatten() {
            rights.add(&grant, &database);
        }
        self.rights = Some(rights.clone());
        Ok(rights)
    }
}

impl Rights {
    /// Whether a right is held on the whole database.
    pub fn holds(&self, right: &str) -> bool {
        has(&self.database, right)
    }

    /// The right that is lacking to read all rows and columns of a table.
    pub fn lacks(&self, table: &str) -> Option<&'static str> {
        let may = |on: &BTreeMap<String, BTreeSet<String>>| on.get(table).is_some_and(|held| has(held, "SELECT"));
        match self.holds("SELECT") || may(&self.tables) {
            true => None,
            false if may(&self.columns) => Some("SELECT on the whole table, and has it on some columns"),
            false => Some("SELECT on the table"),
        }
    }

    /// By what the user could write: rights, and on how many tables where it is not the whole database.
    pub fn could_write(&self) -> Vec<String> {
        let told = |right: &&str| {
            let tables = self.tables.iter().chain(&self.columns).filter(|(_, held)| has(held, right));
            match tables.map(|(table, _)| table).collect::<BTreeSet<_>>().len() {
                _ if self.holds(right) => Some((*right).to_owned()),
                0 => None,
                tables => Some(format!("{right} on {tables} tables")),
            }
        };
        WRITES.iter().filter_map(told).collect()
    }

    /// What may be hidden of a catalogue with these tables.
    pub fn hides<'a>(&self, tables: impl Iterator<Item = &'a TableName>) -> Vec<Hidden> {
        let lacking = HIDES.iter().filter(|(_, right)| !self.holds(right));
        let mut hidden: Vec<Hidden> =
            lacking.map(|(class, right)| Hidden::class(class, &format!("{right} on the whole database"))).collect();
        if !self.sees_grants {
            hidden.push(Hidden::class("grant", "SELECT on the database mysql"));
        }
        for table in tables.filter(|table| self.lacks(&table.name).is_some()) {
            let part = |class: &&str| Hidden { of: Some(table.clone()), ..Hidden::class(class, "SELECT on the table") };
            hidden.extend(PARTS.iter().map(part));
        }
        hidden
    }

    /// Takes a line of SHOW GRANTS, as far as it is about this database.
    fn add(&mut self, grant: &str, database: &str) {
        let mut pieces = LEXICON.pieces(grant).into_iter().map(|(_, piece)| piece);
        if !pieces.next().is_some_and(|first| first.is("GRANT")) {
            return;
        }
        let (mut whole, mut partly) = (BTreeSet::new(), BTreeSet::new());
        let (mut right, mut depth) = (Vec::new(), 0_usize);
        let mut has_columns = false;
        for piece in pieces.by_ref() {
            match piece.text {
                "(" => (depth, has_columns) = (depth + 1, true),
                ")" => depth = depth.saturating_sub(1),
                _ if depth > 0 => {}
                text if text == "," || piece.is("ON") => {
                    let into = if has_columns { &mut partly } else { &mut whole };
                    into.insert(std::mem::take(&mut right).join(" "));
                    has_columns = false;
                    if text != "," {
                        break;
                    }
                }
                text => right.push(text.to_uppercase()),
            }
        }
        let place: Vec<_> = pieces.take_while(|piece| !piece.is("TO")).collect();
        // A routine has the word of its kind in front; a role that is granted has no place at all.
        let [schema, dot, thing] = place.as_slice() else { return };
        if dot.text != "." {
            return;
        }
        let covers = |database: &str| schema.text == "*" || is_like(database, &unquoted(schema.text));
        if thing.text == "*" {
            self.sees_grants |= covers("mysql") && has(&whole, "SELECT");
            if covers(database) {
                self.database.append(&mut whole);
            }
        } else if thing.kind == LexemeKind::Quoted && unquoted(schema.text) == database {
            self.tables.entry(unquoted(thing.text)).or_default().append(&mut whole);
            self.columns.entry(unquoted(thing.text)).or_default().append(&mut partly);
        }
    }
}

fn has(held: &BTreeSet<String>, right: &str) -> bool {
    held.contains(right) || held.contains("ALL PRIVILEGES")
}

/// Whether a database is called as in a grant on whole databases, where `_` and `%` stand for anything unless they are
/// escaped.
fn is_like(name: &str, pattern: &str) -> bool {
    fn rest(name: &[char], pattern: &[char]) -> bool {
        match pattern {
            [] => name.is_empty(),
            ['\\', letter, more @ ..] => name.first() == Some(letter) && rest(&name[1..], more),
            ['%', more @ ..] => (0..=name.len()).any(|skip| rest(&name[skip..], more)),
            ['_', more @ ..] => !name.is_empty() && rest(&name[1..], more),
            [letter, more @ ..] => name.first() == Some(letter) && rest(&name[1..], more),
        }
    }
    rest(&name.chars().collect::<Vec<_>>(), &pattern.chars().collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(grants: &[&str], database: &str) -> Rights {
        let mut rights = Rights::default();
        grants.iter().for_each(|grant| rights.add(grant, database));
        rights
    }

    #[test]
    fn rights_are_read_as_the_server_writes_them() {
        let rights = of(&["GRANT SELECT, SHOW VIEW ON `app\\_x`.* TO `u`@`%`"], "app_x");
        assert!(rights.holds("SELECT") && rights.holds("SHOW VIEW") && !rights.holds("TRIGGER"));
        assert!(!of(&["GRANT SELECT ON `app\\_x`.* TO `u`@`%`"], "appix").holds("SELECT"));
        assert!(of(&["GRANT SELECT ON `app%`.* TO PUBLIC"], "appix").holds("SELECT"));
        let root = of(&["GRANT ALL PRIVILEGES ON *.* TO `root`@`%` WITH GRANT OPTION"], "app");
        assert!(root.holds("EVENT") && root.sees_grants && root.hides(std::iter::empty()).is_empty());
        assert_eq!(root.could_write(), WRITES);
        for other in
            ["SELECT ON `other`.*", "`role`", "EXECUTE ON PROCEDURE `app`.`p`", "PROXY ON ''@'%'", "USAGE ON *.*"]
        {
            let rights = of(&[&format!("GRANT {other} TO `u`@`%`")], "app");
            assert!(!rights.holds("SELECT") && !rights.holds("EXECUTE") && rights.tables.is_empty(), "{other}");
        }
    }

    #[test]
    fn rights_on_tables_and_columns_are_told_apart() {
        let grants = [
            "GRANT SELECT, INSERT ON `app`.`t``1` TO `u`@`%`",
            "GRANT SELECT (`a`, `ON b)`), UPDATE (`a`) ON `app`.`c` TO `u`@`%`",
        ];
        let rights = of(&grants, "app");
        assert_eq!((rights.lacks("t`1"), rights.lacks("x")), (None, Some("SELECT on the table")));
        assert!(rights.lacks("c").unwrap().ends_with("on some columns"));
        assert_eq!(rights.could_write(), ["INSERT on 1 tables", "UPDATE on 1 tables"]);
        let hidden = rights.hides([TableName::new("c"), TableName::new("t`1")].iter());
        assert!(hidden.iter().any(|one| one.class == "table" && one.right == "SELECT on the whole database"));
        assert!(hidden.iter().filter_map(|one| one.of.as_ref()).all(|table| table.name == "c"));
    }
}
