//! sqlx: `VERSION_title.sql`, or `VERSION_title.up.sql` with `VERSION_title.down.sql`; a first line `-- no-transaction`
//! takes the transaction away (<https://docs.rs/sqlx/latest/sqlx/migrate/trait.MigrationSource.html>).

use super::{Folder, Found, Layout, Likeness, Transaction, name, numbered};
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

    fn keeps_references(&self) -> bool {
        true
    }

    fn read(&self, folder: &Folder, engine: &EngineId, found: &mut Found) {
        numbered::read(folder, engine, Transaction::Around, found);
        for migration in &mut found.migrations {
            // sqlx keeps versions as numbers.
            migration.version = name::comparable(&migration.version);
            for script in [Some(&mut migration.up), migration.down.as_mut()].into_iter().flatten() {
                if script.text.starts_with("-- no-transaction") {
                    script.transaction = Transaction::Nothing;
                }
            }
        }
    }
}
