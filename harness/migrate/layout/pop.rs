//! pop, and Ory's popx: `VERSION_title.up.sql` and `VERSION_title.down.sql` in the folder or below it, each in a transaction; a
//! name may say its engine, and that it commits by itself (<https://gobuffalo.io/documentation/database/migrations/>,
//! <https://pkg.go.dev/github.com/ory/x/popx>).

use std::path::Path;

use super::{
    Entry, Folder, Found, Layout, Ledger, LedgerSql, Likeness, Transaction,
    numbered::{self, COMMITS_ITSELF},
};
use crate::model::EngineId;

/// pop.
pub struct Pop;

impl Layout for Pop {
    fn id(&self) -> &'static str {
        "pop"
    }

    fn looks_for(&self) -> &'static str {
        "files VERSION_title.ENGINE.up.sql and VERSION_title.ENGINE.down.sql, the engine where there is one of its own"
    }

    fn recognises(&self, folder: &Folder) -> Likeness {
        let is_fizz = folder.names().any(|name| name.ends_with(".up.fizz"));
        let mut pairs = folder.telling().filter_map(numbered::parse).filter(|file| file.says_way());
        let says_engine = pairs.any(|file| file.says_engine());
        if is_fizz || says_engine { Likeness::Sure } else { Likeness::None }
    }

    fn ledger(&self) -> Option<&'static dyn Ledger> {
        Some(&Pop)
    }

    fn reads_below(&self) -> bool {
        true
    }

    fn read(&self, folder: &Folder, engine: &EngineId, found: &mut Found) {
        let fizz = folder.files().filter(|file| file.extension().is_some_and(|ending| ending == "fizz"));
        let told = |file: &Path| format!("`{}` is in fizz, which only pop itself can run", file.display());
        found.problems.extend(fizz.map(told));
        numbered::read(folder, folder.sql_files(), engine, Transaction::Around, found);
        for migration in &mut found.migrations {
            for script in [Some(&mut migration.up), migration.down.as_mut()].into_iter().flatten() {
                if script.file.to_string_lossy().contains(COMMITS_ITSELF) {
                    script.transaction = Transaction::Nothing;
                }
            }
        }
    }
}

impl Ledger for Pop {
    fn table(&self) -> &'static str {
        "schema_migration"
    }

    /// As popx makes it, whose versions are longer than pop's; pop finds in it what it looks for, too.
    fn begin(&self, _sql: &LedgerSql) -> Vec<String> {
        let statements = [
            "CREATE TABLE schema_migration (version VARCHAR(48) NOT NULL, version_self INT NOT NULL DEFAULT 0)",
            "CREATE UNIQUE INDEX schema_migration_version_idx ON schema_migration (version)",
            "CREATE INDEX schema_migration_version_self_idx ON schema_migration (version_self)",
        ];
        statements.map(str::to_owned).to_vec()
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
