//! golang-migrate: `VERSION_title.up.sql` and `VERSION_title.down.sql`, each sent in one message
//! (<https://github.com/golang-migrate/migrate/blob/master/MIGRATIONS.md>).

use super::{Folder, Found, Layout, Likeness, Transaction, name, numbered};
use crate::{engine, model::EngineId};

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

    fn read(&self, folder: &Folder, engine: &EngineId, found: &mut Found) {
        // Its driver of an embedded engine puts a transaction around what it sends.
        let is_embedded = engine::by_id(engine.as_str()).is_some_and(|engine| engine.server().is_none());
        let transaction = if is_embedded { Transaction::Around } else { Transaction::OneMessage };
        numbered::read(folder, engine, transaction, found);
        for migration in &mut found.migrations {
            // It keeps versions as numbers.
            migration.version = name::comparable(&migration.version);
        }
    }
}
