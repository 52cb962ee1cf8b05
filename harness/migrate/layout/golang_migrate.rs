//! golang-migrate: `VERSION_title.up.sql` and `VERSION_title.down.sql`, each sent in one message
//! (<https://github.com/golang-migrate/migrate/blob/master/MIGRATIONS.md>).

use super::{Entry, Folder, Found, Layout, Ledger, LedgerSql, Likeness, Migration, Transaction, name, numbered};
use crate::{
    engine::{self, Dialect},
    model::EngineId,
};

/// golang-migrate.
pub struct GolangMigrate;

impl Layout for GolangMigrate {
    fn id(&self) -> &'static str {
        "golang-migrate"
    }

    fn looks_for(&self) -> &'static str {
        "files VERSION_title.up.sql and VERSION_title.down.sql"
    }

    fn recognises(&self, folder: &Folder) -> Likeness {
        let is_named = numbered::pairs(folder).next().is_some();
        if is_named { Likeness::Possible } else { Likeness::None }
    }

    fn ledger(&self) -> Option<&'static dyn Ledger> {
        Some(&GolangMigrate)
    }

    fn read(&self, folder: &Folder, engine: &EngineId, found: &mut Found) {
        numbered::read(folder, folder.sql_names(), engine, Transaction::OneMessage, found);
        if let Some(embedded) = engine::by_id(engine.as_str()).filter(|engine| engine.server().is_none()) {
            embedded_transactions(embedded.dialect(), found);
        }
        for migration in &mut found.migrations {
            // It keeps versions as numbers.
            migration.version = name::comparable(&migration.version);
        }
    }
}

impl Ledger for GolangMigrate {
    fn table(&self) -> &'static str {
        "schema_migrations"
    }

    fn begin(&self, sql: &LedgerSql) -> Vec<String> {
        let statements = sql.by_word(&[
            (
                "sqlite3",
                "CREATE TABLE IF NOT EXISTS schema_migrations (version uint64, dirty bool);\
                 CREATE UNIQUE INDEX IF NOT EXISTS version_unique ON schema_migrations (version)",
            ),
            ("", "CREATE TABLE IF NOT EXISTS schema_migrations (version bigint not null primary key, dirty boolean not null)"),
        ]);
        statements.split(';').map(str::to_owned).collect()
    }

    fn applied(&self, entry: &Entry<'_>, sql: &LedgerSql) -> Vec<String> {
        stands_at(Some(entry.migration), sql)
    }

    fn reverted(&self, entry: &Entry<'_>, sql: &LedgerSql) -> Vec<String> {
        stands_at(entry.previous, sql)
    }

    fn is_inside(&self) -> bool {
        false
    }

    fn versions(&self) -> Option<&'static str> {
        Some("version")
    }

    fn keeps_each(&self) -> bool {
        false
    }
}

/// Its driver of an embedded engine puts a transaction around what it sends, unless it is told not to; a history whose
/// scripts begin their own could not run otherwise.
fn embedded_transactions(dialect: &dyn Dialect, found: &mut Found) {
    let scripts = || found.migrations.iter().flat_map(|one| [Some(&one.up), one.down.as_ref()]).flatten();
    let is_own = scripts().any(|script| script.has_own_transaction(dialect));
    if is_own {
        found.notes.push("its scripts begin transactions themselves, so that none is put around them".to_owned());
    }
    let transaction = if is_own { Transaction::Nothing } else { Transaction::Around };
    for migration in &mut found.migrations {
        for script in [Some(&mut migration.up), migration.down.as_mut()].into_iter().flatten() {
            script.transaction = transaction;
        }
    }
}

/// The one row that it keeps: where the database stands.
fn stands_at(migration: Option<&Migration>, sql: &LedgerSql) -> Vec<String> {
    let table = sql.table(&GolangMigrate);
    let insert = migration.map(|one| format!("INSERT INTO {table} (version, dirty) VALUES ({}, FALSE)", one.version));
    std::iter::once(format!("DELETE FROM {table}")).chain(insert).collect()
}
