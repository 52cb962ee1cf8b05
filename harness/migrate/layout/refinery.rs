//! refinery: `V1__title.sql` and `U1__title.sql` (versions that may leave gaps), in the folder or below it; it has no way
//! down (<https://docs.rs/refinery>).

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::Path,
};

use super::{
    Entry, Folder, Found, Layout, Ledger, LedgerSql, Likeness, Migration, Script, Transaction, folder::base,
    name::Named,
};
use crate::model::EngineId;

/// refinery.
pub struct Refinery;

impl Layout for Refinery {
    fn id(&self) -> &'static str {
        "refinery"
    }

    fn looks_for(&self) -> &'static str {
        "files V1__title.sql in a Rust project"
    }

    fn recognises(&self, folder: &Folder) -> Likeness {
        let is_named = folder.telling().any(|name| parse(name, ".sql").is_some());
        // The names are Flyway's, which does not live in Rust projects.
        if is_named && folder.is_below("Cargo.toml") { Likeness::Sure } else { Likeness::None }
    }

    fn ledger(&self) -> Option<&'static dyn Ledger> {
        Some(&Refinery)
    }

    fn keeps_references(&self) -> bool {
        true
    }

    fn reads_below(&self) -> bool {
        true
    }

    fn read(&self, folder: &Folder, _engine: &EngineId, found: &mut Found) {
        let in_rust = folder.files().filter_map(|file| file.to_str()).filter(|file| parse(file, ".rs").is_some());
        let told = |name| format!("`{name}` is a migration in Rust, which only its own program can run");
        found.problems.extend(in_rust.map(told));
        let mut files: Vec<(Named<'_>, &str)> = Vec::new();
        for name in folder.sql_files() {
            match parse(name, ".sql") {
                Some(named) => files.push((named, name)),
                None => found
                    .notes
                    .push(format!("`{name}` is not named as refinery's migrations are, so that it leaves it out")),
            }
        }
        files.sort_by_key(|(named, _)| named.number());
        for (named, name) in files {
            let Some(text) = folder.text_or_tell(name, &mut found.problems) else { continue };
            found.migrations.push(Migration {
                version: named.number().to_string(),
                name: base(name).trim_end_matches(".sql").to_owned(),
                up: Script::of_file(Path::new(name), text, Transaction::Around),
                down: None,
                verify: None,
                is_repeatable: false,
            });
        }
    }
}

impl Ledger for Refinery {
    fn table(&self) -> &'static str {
        "refinery_schema_history"
    }

    fn begin(&self, _sql: &LedgerSql) -> Vec<String> {
        vec![
            "CREATE TABLE IF NOT EXISTS refinery_schema_history (version INT4 PRIMARY KEY, name VARCHAR(255), \
             applied_on VARCHAR(255), checksum VARCHAR(255))"
                .to_owned(),
        ]
    }

    fn applied(&self, entry: &Entry<'_>, sql: &LedgerSql) -> Vec<String> {
        let checksum = checksum_of(entry.migration);
        let [title, now, checksum] = [title(entry.migration), entry.now, &checksum].map(|text| sql.text(text));
        vec![format!(
            "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) \
             VALUES ({}, {title}, {now}, {checksum})",
            entry.migration.version
        )]
    }

    fn reverted(&self, entry: &Entry<'_>, _sql: &LedgerSql) -> Vec<String> {
        vec![format!("DELETE FROM refinery_schema_history WHERE version = {}", entry.migration.version)]
    }

    fn versions(&self) -> Option<&'static str> {
        Some("version")
    }

    fn is_other(&self, migration: &Migration, sql: &LedgerSql) -> Option<String> {
        let (table, checksum) = (sql.table(self), sql.text(&checksum_of(migration)));
        Some(format!("SELECT '1' FROM {table} WHERE version = {} AND checksum <> {checksum}", migration.version))
    }
}

fn title(migration: &Migration) -> &str {
    migration.name.split_once("__").map_or("", |(_, title)| title)
}

fn checksum_of(migration: &Migration) -> String {
    checksum(title(migration), migration.version.parse().unwrap_or(0), &migration.up.text).to_string()
}

/// SipHash-1-3 without a key over name, version and text, as refinery-core hashes a migration. The standard library's
/// hasher is the same function; that it stays so is tested.
fn checksum(title: &str, version: i32, text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    title.hash(&mut hasher);
    version.hash(&mut hasher);
    text.hash(&mut hasher);
    hasher.finish()
}

fn parse<'a>(file: &'a str, ending: &str) -> Option<Named<'a>> {
    let (head, title) = base(file).strip_suffix(ending)?.split_once("__")?;
    let version = head.strip_prefix(['V', 'U'])?;
    let is_number = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(Named { version, title })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SipHash-1-3 from its paper (Aumasson and Bernstein, 2012), with a key of zeros.
    fn siphash13(bytes: &[u8]) -> u64 {
        let mut v = [0x736f_6d65_7073_6575_u64, 0x646f_7261_6e64_6f6d, 0x6c79_6765_6e65_7261, 0x7465_6462_7974_6573];
        let round = |v: &mut [u64; 4]| {
            v[0] = v[0].wrapping_add(v[1]);
            v[1] = v[1].rotate_left(13) ^ v[0];
            v[0] = v[0].rotate_left(32);
            v[2] = v[2].wrapping_add(v[3]);
            v[3] = v[3].rotate_left(16) ^ v[2];
            v[0] = v[0].wrapping_add(v[3]);
            v[3] = v[3].rotate_left(21) ^ v[0];
            v[2] = v[2].wrapping_add(v[1]);
            v[1] = v[1].rotate_left(17) ^ v[2];
            v[2] = v[2].rotate_left(32);
        };
        let mut padded = bytes.to_vec();
        padded.resize(bytes.len() / 8 * 8 + 7, 0);
        padded.push(bytes.len() as u8);
        for word in padded.chunks_exact(8) {
            let word = u64::from_le_bytes(word.try_into().unwrap());
            v[3] ^= word;
            round(&mut v);
            v[0] ^= word;
        }
        v[2] ^= 0xff;
        (0..3).for_each(|_| round(&mut v));
        v[0] ^ v[1] ^ v[2] ^ v[3]
    }

    #[test]
    fn the_checksum_is_that_of_refinery() {
        let bytes = [b"initial\xff".as_slice(), &7_i32.to_le_bytes(), b"select 1;\xff"].concat();
        assert_eq!(checksum("initial", 7, "select 1;"), siphash13(&bytes));
    }
}
