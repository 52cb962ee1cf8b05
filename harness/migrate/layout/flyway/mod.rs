//! Flyway: `V1.2__title.sql`, `U1.2__title.sql` to undo it, `R__title.sql` to be run again, in the folder or below it
//! (<https://documentation.red-gate.com/fd/migrations-184127470.html>).

mod detect;

use std::path::Path;

use super::{Entry, Folder, Found, Layout, Ledger, LedgerSql, Likeness, Migration, Script, Transaction, folder::base};
use crate::{engine, model::EngineId};

/// Flyway.
pub struct Flyway;

impl Layout for Flyway {
    fn id(&self) -> &'static str {
        "flyway"
    }

    fn looks_for(&self) -> &'static str {
        "files V1__title.sql, with U1__title.sql to undo them and R__title.sql to be run again"
    }

    fn recognises(&self, folder: &Folder) -> Likeness {
        let prefixes = || folder.telling().filter_map(parse).map(|file| file.prefix);
        if prefixes().any(|prefix| prefix == 'R') || folder.names().any(|name| name.ends_with(".sql.conf")) {
            return Likeness::Sure;
        }
        if prefixes().any(|prefix| prefix == 'V') { Likeness::Possible } else { Likeness::None }
    }

    fn ledger(&self) -> Option<&'static dyn Ledger> {
        Some(&Flyway)
    }

    fn reads_below(&self) -> bool {
        true
    }

    fn read(&self, folder: &Folder, engine: &EngineId, found: &mut Found) {
        let mut files: Vec<(Parsed<'_>, &str)> = Vec::new();
        for name in folder.sql_files() {
            match parse(name) {
                Some(parsed) => files.push((parsed, name)),
                None => found
                    .notes
                    .push(format!("`{name}` is not named as Flyway's migrations are, so that it leaves it out")),
            }
        }
        files.sort_by(|(one, _), (other, _)| (one.number(), one.title).cmp(&(other.number(), other.title)));
        let detecting = engine::by_id(engine.as_str()).filter(|engine| engine.words().contains(&"postgresql"));
        let is_mixed = detecting.is_some() && detect::is_mixed(folder);
        let mut script = |name: &str| {
            let stated = stated(folder, name);
            let text = folder.text_or_tell(name, &mut found.problems)?;
            let mut script = Script::of_file(Path::new(name), text, stated.unwrap_or(Transaction::Around));
            if let (None, Some(engine)) = (stated, detecting) {
                detect::settle(&mut script, engine.dialect(), is_mixed);
            }
            Some(script)
        };
        let migration = |version: String, file: &str, up: Script, down: Option<Script>, is_repeatable: bool| {
            let name = base(file).trim_end_matches(".sql").to_owned();
            Migration { version, name, up, down, verify: None, is_repeatable }
        };
        let mut undone = 0;
        for (parsed, name) in files.iter().filter(|(parsed, _)| parsed.prefix == 'V') {
            let undo = files.iter().find(|(other, _)| other.prefix == 'U' && other.number() == parsed.number());
            undone += usize::from(undo.is_some());
            let down = undo.and_then(|(_, name)| script(name));
            if let Some(up) = script(name) {
                found.migrations.push(migration(parsed.version.replace('_', "."), name, up, down, false));
            }
        }
        for (parsed, name) in files.iter().filter(|(parsed, _)| parsed.prefix == 'R') {
            if let Some(up) = script(name) {
                found.migrations.push(migration(parsed.title.to_owned(), name, up, None, true));
            }
        }
        if files.iter().filter(|(parsed, _)| parsed.prefix == 'U').count() > undone {
            for (parsed, name) in files.iter().filter(|(parsed, _)| parsed.prefix == 'U') {
                if !files.iter().any(|(other, _)| other.prefix == 'V' && other.number() == parsed.number()) {
                    found.problems.push(format!("`{name}` undoes version {}, which no file makes", parsed.version));
                }
            }
        }
    }
}

impl Ledger for Flyway {
    fn table(&self) -> &'static str {
        "flyway_schema_history"
    }

    fn begin(&self, sql: &LedgerSql) -> Vec<String> {
        let moment = sql.by_word(&[
            ("postgresql", "TIMESTAMP NOT NULL DEFAULT now()"),
            ("sqlite3", "TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now'))"),
            ("", "TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP"),
        ]);
        vec![
            format!(
                "CREATE TABLE flyway_schema_history (installed_rank INT NOT NULL, version VARCHAR(50), \
                 description VARCHAR(200) NOT NULL, type VARCHAR(20) NOT NULL, script VARCHAR(1000) NOT NULL, \
                 checksum INTEGER, installed_by VARCHAR(100) NOT NULL, installed_on {moment}, \
                 execution_time INTEGER NOT NULL, success BOOLEAN NOT NULL, \
                 CONSTRAINT flyway_schema_history_pk PRIMARY KEY (installed_rank))"
            ),
            "CREATE INDEX flyway_schema_history_s_idx ON flyway_schema_history (success)".to_owned(),
        ]
    }

    fn applied(&self, entry: &Entry<'_>, sql: &LedgerSql) -> Vec<String> {
        vec![row(entry.migration, &entry.migration.up, "SQL", sql)]
    }

    fn reverted(&self, entry: &Entry<'_>, sql: &LedgerSql) -> Vec<String> {
        let undo = entry.migration.down.as_ref().map(|down| row(entry.migration, down, "UNDO_SQL", sql));
        undo.into_iter().collect()
    }

    /// It adds a row for what it took back.
    fn versions(&self) -> Option<&'static str> {
        None
    }

    fn standing(&self, sql: &LedgerSql) -> Option<String> {
        // What is run again whenever it changed has no version; its title is one here.
        Some(format!("SELECT COALESCE(version, REPLACE(description, ' ', '_')) FROM {}", last(sql)))
    }

    fn is_other(&self, migration: &Migration, sql: &LedgerSql) -> Option<String> {
        // One that is run again whenever it changed may be changed.
        let version = (!migration.is_repeatable).then(|| sql.text(&migration.version))?;
        let checksum = checksum(&migration.up.text);
        Some(format!("SELECT '1' FROM {} AND version = {version} AND checksum <> {checksum}", last(sql)))
    }
}

/// The rows that are the last of their versions, where these were not undone.
fn last(sql: &LedgerSql) -> String {
    let table = sql.table(&Flyway);
    let of_one = "later.version = row_of.version AND later.installed_rank > row_of.installed_rank";
    format!("{table} row_of WHERE type = 'SQL' AND NOT EXISTS (SELECT 1 FROM {table} later WHERE {of_one})")
}

fn row(migration: &Migration, script: &Script, kind: &str, sql: &LedgerSql) -> String {
    let title = migration.name.split_once("__").map_or("", |(_, title)| title).replace('_', " ");
    let version = if migration.is_repeatable { "NULL".to_owned() } else { sql.text(&migration.version) };
    let file = script.file.to_string_lossy();
    let [title, kind, file] = [title.as_str(), kind, &file].map(|text| sql.text(text));
    let table = sql.table(&Flyway);
    let by = sql.by_word(&[
        ("sqlite3", "''"),
        ("postgresql", "current_user"),
        // The account is more than the name that the session gave.
        ("", "SUBSTRING_INDEX(USER(), '@', 1)"),
    ]);
    format!(
        "INSERT INTO {table} (installed_rank, version, description, type, script, checksum, installed_by, \
         execution_time, success) SELECT COALESCE(MAX(installed_rank), 0) + 1, {version}, {title}, {kind}, {file}, {}, \
         {by}, 0, TRUE FROM {table}",
        checksum(&script.text)
    )
}

/// CRC-32 (ISO-HDLC) over the bytes of the lines, without what ends them and without a byte order mark, as a signed number.
fn checksum(text: &str) -> i32 {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut crc = u32::MAX;
    // Java's lines end in any of the three ways, and a single carriage return is one of them.
    for byte in text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')) {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    i32::from_ne_bytes((!crc).to_ne_bytes())
}

/// A file's name in its parts.
struct Parsed<'a> {
    prefix: char,
    version: &'a str,
    title: &'a str,
}

impl Parsed<'_> {
    /// The version's numbers, zeros at its end left out: 1.0 is 1.
    fn number(&self) -> Vec<u128> {
        let mut parts: Vec<u128> =
            self.version.split(['.', '_']).map(|part| part.parse().unwrap_or(u128::MAX)).collect();
        while parts.last() == Some(&0) {
            parts.pop();
        }
        parts
    }
}

fn parse(file: &str) -> Option<Parsed<'_>> {
    let (head, title) = base(file).strip_suffix(".sql")?.split_once("__")?;
    let prefix = head.chars().next()?;
    let version = &head[prefix.len_utf8()..];
    let is_version = !version.is_empty()
        && version.split(['.', '_']).all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    let is_ours = match prefix {
        'V' | 'U' => is_version,
        'R' => version.is_empty(),
        _ => false,
    };
    is_ours.then_some(Parsed { prefix, version, title })
}

/// A file beside the script may say whether a transaction is around it.
fn stated(folder: &Folder, name: &str) -> Option<Transaction> {
    let settings = folder.text(format!("{name}.conf")).unwrap_or_default();
    settings.lines().find_map(|line| {
        let line: String = line.chars().filter(|c| !c.is_whitespace()).collect();
        match line.to_ascii_lowercase().as_str() {
            "executeintransaction=false" => Some(Transaction::Nothing),
            "executeintransaction=true" => Some(Transaction::Around),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_crc_32_by_line() {
        // The check value of CRC-32/ISO-HDLC.
        assert_eq!(checksum("1234\r\n56789\n"), i32::from_ne_bytes(0xcbf4_3926_u32.to_ne_bytes()));
    }
}
