//! sqlx: `VERSION_title.sql`, or `VERSION_title.up.sql` with `VERSION_title.down.sql`; a first line `-- no-transaction`
//! takes the transaction away, and the file goes to the server in one message
//! (<https://docs.rs/sqlx/latest/sqlx/migrate/trait.MigrationSource.html>).

use sha2::{Digest as _, Sha384};

use super::{Entry, Folder, Found, Layout, Ledger, LedgerSql, Likeness, Migration, Transaction, name, numbered};
use crate::model::EngineId;

/// sqlx.
pub struct Sqlx;

impl Layout for Sqlx {
    fn id(&self) -> &'static str {
        "sqlx"
    }

    fn looks_for(&self) -> &'static str {
        "files VERSION_title.sql, or VERSION_title.up.sql and VERSION_title.down.sql, in a Rust project"
    }

    fn recognises(&self, folder: &Folder) -> Likeness {
        let is_named = numbered::pairs(folder).next().is_some() || numbered::singles(folder).next().is_some();
        if is_named && folder.is_below("Cargo.toml") { Likeness::Possible } else { Likeness::None }
    }

    fn ledger(&self) -> Option<&'static dyn Ledger> {
        Some(&Sqlx)
    }

    fn keeps_references(&self) -> bool {
        true
    }

    fn read(&self, folder: &Folder, engine: &EngineId, found: &mut Found) {
        numbered::read(folder, folder.sql_names(), engine, Transaction::Around, found);
        for migration in &mut found.migrations {
            // sqlx keeps versions as numbers.
            migration.version = name::comparable(&migration.version);
            for script in [Some(&mut migration.up), migration.down.as_mut()].into_iter().flatten() {
                if script.text.starts_with("-- no-transaction") {
                    script.transaction = Transaction::OneMessage;
                }
            }
        }
    }
}

impl Ledger for Sqlx {
    fn table(&self) -> &'static str {
        "_sqlx_migrations"
    }

    fn begin(&self, sql: &LedgerSql) -> Vec<String> {
        let columns = sql.by_word(&[
            ("postgresql", "installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success BOOLEAN NOT NULL, checksum BYTEA NOT NULL"),
            ("", "installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL"),
        ]);
        vec![format!(
            "CREATE TABLE IF NOT EXISTS _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, {columns}, \
             execution_time BIGINT NOT NULL)"
        )]
    }

    fn applied(&self, entry: &Entry<'_>, sql: &LedgerSql) -> Vec<String> {
        let Migration { version, name, up, .. } = entry.migration;
        let title = name.split_once('_').map_or("", |(_, title)| title).replace('_', " ");
        let (title, checksum) = (sql.text(&title), sql.bytes(&Sha384::digest(&up.text)));
        // sqlx fills the time in behind the migration; here nobody asks for it.
        vec![format!(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES ({version}, {title}, TRUE, {checksum}, 0)"
        )]
    }

    fn reverted(&self, entry: &Entry<'_>, _sql: &LedgerSql) -> Vec<String> {
        vec![format!("DELETE FROM _sqlx_migrations WHERE version = {}", entry.migration.version)]
    }

    fn versions(&self) -> Option<&'static str> {
        Some("version")
    }

    fn is_other(&self, Migration { version, up, .. }: &Migration, sql: &LedgerSql) -> Option<String> {
        let checksum = sql.bytes(&Sha384::digest(&up.text));
        Some(format!("SELECT '1' FROM {} WHERE version = {version} AND checksum <> {checksum}", sql.table(self)))
    }
}
