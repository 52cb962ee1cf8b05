//! diesel: a folder a migration, with `up.sql`, `down.sql` and perhaps `metadata.toml`
//! (<https://docs.rs/diesel_migrations>). Versions are what stands before the first underscore, dashes taken out, and
//! the order is that of these texts.

use super::{Entry, Folder, Found, Layout, Ledger, LedgerSql, Likeness, Migration, Script, Transaction};
use crate::model::EngineId;

/// diesel.
pub struct Diesel;

impl Layout for Diesel {
    fn id(&self) -> &'static str {
        "diesel"
    }

    fn looks_for(&self) -> &'static str {
        "folders VERSION_title with up.sql and down.sql"
    }

    fn recognises(&self, folder: &Folder) -> Likeness {
        if folders(folder).next().is_some() { Likeness::Sure } else { Likeness::None }
    }

    fn ledger(&self) -> Option<&'static dyn Ledger> {
        Some(&Diesel)
    }

    fn reads_below(&self) -> bool {
        true
    }

    fn read(&self, folder: &Folder, _engine: &EngineId, found: &mut Found) {
        for name in folders(folder) {
            let Some((version, _)) = name.split_once('_') else {
                found.problems.push(format!("`{name}` has no underscore behind its version"));
                continue;
            };
            let transaction = match metadata(folder, name) {
                Ok(true) => Transaction::Around,
                // Its connections send the whole file in one message.
                Ok(false) => Transaction::OneMessage,
                Err(problem) => {
                    found.problems.push(problem);
                    continue;
                }
            };
            let mut script = |file: &str| {
                let file = std::path::Path::new(name).join(file);
                let is_there = folder.has(&file);
                is_there
                    .then(|| folder.text_or_tell(&file, &mut found.problems))
                    .flatten()
                    .map(|text| Script::of_file(&file, text, transaction))
            };
            let (up, down) = (script("up.sql"), script("down.sql"));
            if let Some(up) = up {
                found.migrations.push(Migration {
                    version: version.replace('-', ""),
                    name: name.to_owned(),
                    up,
                    down,
                    verify: None,
                    is_repeatable: false,
                });
            }
        }
        found.migrations.sort_by(|one, other| one.version.cmp(&other.version));
    }
}

impl Ledger for Diesel {
    fn table(&self) -> &'static str {
        "__diesel_schema_migrations"
    }

    fn begin(&self, _sql: &LedgerSql) -> Vec<String> {
        vec![
            "CREATE TABLE IF NOT EXISTS __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, \
             run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)"
                .to_owned(),
        ]
    }

    fn applied(&self, entry: &Entry<'_>, sql: &LedgerSql) -> Vec<String> {
        let version = sql.text(&entry.migration.version);
        vec![format!("INSERT INTO __diesel_schema_migrations (version) VALUES ({version})")]
    }

    fn reverted(&self, entry: &Entry<'_>, sql: &LedgerSql) -> Vec<String> {
        let version = sql.text(&entry.migration.version);
        vec![format!("DELETE FROM __diesel_schema_migrations WHERE version = {version}")]
    }

    fn versions(&self) -> Option<&'static str> {
        Some("version")
    }
}

/// The folders that hold an `up.sql`.
fn folders(folder: &Folder) -> impl Iterator<Item = &str> {
    folder.files().filter_map(|file| {
        let mut parts = file.iter();
        match (parts.next()?.to_str()?, parts.next()?.to_str()?, parts.next()) {
            (name, "up.sql", None) => Some(name),
            _ => None,
        }
    })
}

/// Whether diesel runs the migration in a transaction.
fn metadata(folder: &Folder, name: &str) -> Result<bool, String> {
    let file = std::path::Path::new(name).join("metadata.toml");
    if !folder.has(&file) {
        return Ok(true);
    }
    let text = folder.text(&file)?;
    let table: toml::Table =
        text.parse().map_err(|error: toml::de::Error| format!("{}: {}", file.display(), error.message()))?;
    match table.get("run_in_transaction") {
        None => Ok(true),
        Some(toml::Value::Boolean(value)) => Ok(*value),
        Some(_) => Err(format!("{}: run_in_transaction: expected true or false", file.display())),
    }
}
