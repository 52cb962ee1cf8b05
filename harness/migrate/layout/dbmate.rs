//! dbmate: one file a migration, ways marked by `-- migrate:up` and `-- migrate:down`
//! (<https://github.com/amacneil/dbmate#creating-migrations>).

use std::path::Path;

use super::{
    Entry, Folder, Found, Layout, Ledger, LedgerSql, Likeness, Migration, Transaction,
    name::Named,
    sections::{Marker, comment_words, cut},
};
use crate::model::EngineId;

/// dbmate.
pub struct Dbmate;

impl Layout for Dbmate {
    fn id(&self) -> &'static str {
        "dbmate"
    }

    fn looks_for(&self) -> &'static str {
        "files NUMBER_title.sql with lines `-- migrate:up` and `-- migrate:down`"
    }

    fn recognises(&self, folder: &Folder) -> Likeness {
        if folder.has_marker(|line| marker(line).is_some()) { Likeness::Sure } else { Likeness::None }
    }

    fn ledger(&self) -> Option<&'static dyn Ledger> {
        Some(&Dbmate)
    }

    fn read(&self, folder: &Folder, _engine: &EngineId, found: &mut Found) {
        // dbmate orders by the names of the files.
        for name in folder.sql_names() {
            let stem = &name[..name.len() - ".sql".len()];
            let Some(named) = Named::of(stem) else {
                found.notes.push(format!("`{name}` has no number in front, so that dbmate leaves it out"));
                continue;
            };
            let Some(text) = folder.text_or_tell(name, &mut found.problems) else { continue };
            match cut(Path::new(name), &text, marker) {
                Ok(sections) => match sections.up {
                    Some(up) => found.migrations.push(Migration {
                        version: named.version.to_owned(),
                        name: stem.to_owned(),
                        up,
                        down: sections.down,
                        verify: None,
                        is_repeatable: false,
                    }),
                    None => found.problems.push(format!("`{name}` has no line `-- migrate:up`")),
                },
                Err(problem) => found.problems.push(problem),
            }
        }
    }
}

impl Ledger for Dbmate {
    fn table(&self) -> &'static str {
        "schema_migrations"
    }

    fn begin(&self, sql: &LedgerSql) -> Vec<String> {
        let text = sql.by_word(&[("postgresql", "varchar"), ("", "varchar(128)")]);
        vec![format!("CREATE TABLE IF NOT EXISTS schema_migrations (version {text} primary key)")]
    }

    fn applied(&self, entry: &Entry<'_>, sql: &LedgerSql) -> Vec<String> {
        let (table, version) = (sql.table(self), sql.text(&entry.migration.version));
        vec![format!("INSERT INTO {table} (version) VALUES ({version})")]
    }

    fn reverted(&self, entry: &Entry<'_>, sql: &LedgerSql) -> Vec<String> {
        let (table, version) = (sql.table(self), sql.text(&entry.migration.version));
        vec![format!("DELETE FROM {table} WHERE version = {version}")]
    }

    fn versions(&self) -> Option<&'static str> {
        Some("version")
    }
}

fn marker(line: &str) -> Option<(Marker, Transaction)> {
    let words = comment_words(line);
    let marker = match *words.first()? {
        "migrate:up" => Marker::Up,
        "migrate:down" => Marker::Down,
        _ => return None,
    };
    let is_alone = words[1..].contains(&"transaction:false");
    // Its drivers send what is no transaction in one message.
    Some((marker, if is_alone { Transaction::OneMessage } else { Transaction::Around }))
}
