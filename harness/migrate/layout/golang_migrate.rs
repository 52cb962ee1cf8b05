//! golang-migrate: `VERSION_title.up.sql` and `VERSION_title.down.sql`, each sent in one message
//! (<https://github.com/golang-migrate/migrate/blob/master/MIGRATIONS.md>).

use super::{Folder, Found, Layout, Likeness, Transaction, name, numbered};
use crate::model::EngineId;

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
        numbered::read(folder, engine, Transaction::OneMessage, found);
        for migration in &mut found.migrations {
            // It keeps versions as numbers.
            migration.version = name::comparable(&migration.version);
        }
    }
}
