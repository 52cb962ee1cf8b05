//! A history whose migrations a tool of the user's runs: `commands.toml` says by which commands.

use std::{fs, path::Path};

use super::{Folder, Found, History, Layout, LayoutError, Likeness, Migration, Script, Transaction};
use crate::{
    document::Document,
    migrate::command::{Listed, Settings},
    model::{Bookkeeping, BookkeepingRule, EngineId},
};

/// The file that says so.
const FILE: &str = "commands.toml";

/// Tables that widely used tools keep about themselves.
const KNOWN: &[&str] = &[
    "__EFMigrationsHistory",
    "__drizzle_migrations",
    "_prisma_migrations",
    "_sqlx_migrations",
    "alembic_version",
    "ar_internal_metadata",
    "atlas_schema_revisions",
    "databasechangelog",
    "databasechangeloglock",
    "django_migrations",
    "doctrine_migration_versions",
    "flyway_schema_history",
    "goose_db_version",
    "knex_migrations",
    "knex_migrations_lock",
    "phinxlog",
    "schema_migrations",
    "SequelizeMeta",
];

/// Commands of the user's.
pub struct Command;

impl Layout for Command {
    fn id(&self) -> &'static str {
        "command"
    }

    fn looks_for(&self) -> &'static str {
        "a file commands.toml that says by which commands a tool of yours goes up and down"
    }

    fn recognises(&self, folder: &Folder) -> Likeness {
        if folder.has(FILE) { Likeness::Sure } else { Likeness::None }
    }

    fn reads_below(&self) -> bool {
        true
    }

    fn read(&self, folder: &Folder, _engine: &EngineId, found: &mut Found) {
        match of_file(&folder.path().join(FILE)) {
            Ok(commands) => found.commands = Some(commands),
            Err(LayoutError::Problems(problems)) => found.problems.extend(problems),
            Err(other) => found.problems.push(other.to_string()),
        }
    }
}

/// The commands of a history, and what their tool keeps about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commands {
    /// The commands.
    pub settings: Settings,
    /// The file that says so, by its name.
    pub file: std::path::PathBuf,
    /// Tables of the tool's own.
    pub bookkeeping: Vec<Bookkeeping>,
}

/// Reads a file of commands.
///
/// # Errors
/// If it cannot be read, or is not in order: every problem at once.
pub(super) fn of_file(path: &Path) -> Result<Commands, LayoutError> {
    let bytes =
        fs::read(path).map_err(|error| LayoutError::Unreadable { path: path.to_owned(), reason: error.to_string() })?;
    let file = path.display().to_string();
    let wrong = |problems: crate::document::Problems| LayoutError::Problems(vec![problems.to_string()]);
    let text = Document::decode(&file, bytes).map_err(wrong)?;
    let document = Document::parse(&file, &text);
    let commands = read(&document, Path::new(path.file_name().unwrap_or_default()));
    document.finish(commands).map_err(wrong)
}

fn read(document: &Document<'_>, file: &Path) -> Option<Commands> {
    let mut root = document.root();
    root.format_version(1);
    let settings = Settings::read(&mut root);
    let is_stated = !root.present(&["bookkeeping"]).is_empty();
    let stated: Vec<String> = root.str_list("bookkeeping").into_iter().map(|written| written.value).collect();
    if root.present(&["list", "versions"]).is_empty() {
        root.required("list", "a command that prints the versions in their order, one a line, or `versions`");
    }
    root.finish();
    let names = if is_stated { stated } else { KNOWN.iter().map(|name| (*name).to_owned()).collect() };
    let own = |name| Bookkeeping { name, rule: BookkeepingRule::Free, why: "the tool keeps it itself".to_owned() };
    Some(Commands { settings: settings?, file: file.to_owned(), bookkeeping: names.into_iter().map(own).collect() })
}

impl History {
    /// Gives a history of commands its migrations, as they were listed.
    pub fn list(&mut self, listed: Vec<Listed>) {
        let Some(commands) = &self.commands else { return };
        let script = || Script::of_file(&commands.file, "", Transaction::Nothing);
        let (down, verify) = (&commands.settings.down, &commands.settings.status);
        let migration = |one: Listed| Migration {
            version: one.version,
            name: one.name,
            up: script(),
            down: down.as_ref().map(|_| script()),
            verify: verify.as_ref().map(|_| script()),
            is_repeatable: false,
        };
        self.migrations = listed.into_iter().map(migration).collect();
    }
}
