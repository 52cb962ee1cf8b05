//! Bringing a backup back: looked at before anything is touched, and proven once it is there.

use std::fmt;

use super::{backups_of, difference, generations::Generations, manifest::Manifest, no_form, read};
use crate::{
    engine::{
        EngineError,
        backup::{BackupPart, form},
    },
    migrate::{StepError, StepTask, StepVoice},
    model::{Address, chain},
};

/// Looks at a generation before anything is touched: its files by their digests, what the product's own tool finds in it, and
/// whether the server understands it.
///
/// # Errors
/// Why it is not restored.
pub(in crate::migrate) async fn examined(
    generations: &Generations,
    name: &str,
    address: &Address,
    server_version: &str,
) -> Result<Manifest, StepError> {
    let folder = generations.path(name);
    let rejected = |why: &dyn fmt::Display| StepError::Rejected { what: format!("the backup {name}: {why}") };
    let manifest = Manifest::read(&folder).map_err(|error| rejected(&chain(&error)))?;
    manifest.compare(&folder).map_err(|error| rejected(&chain(&error)))?;
    if manifest.engine != address.engine {
        return Err(rejected(&format!("it is of {}, and this is a database of {}", manifest.engine, address.engine)));
    }
    let backups = backups_of(address)?;
    let form = form(backups, &manifest.form).ok_or_else(|| no_form(address, &manifest.form))?;
    let file = folder.join(form.file);
    backups.look_through(&file, form, &manifest.tool, &manifest.extent(), address).await.map_err(
        |error| match error {
            EngineError::BadFile { .. } => rejected(&error),
            other => other.into(),
        },
    )?;
    let tool = manifest.tool.split_once(' ').map_or("", |(_, version)| version);
    if backups.is_newer(&manifest.server_version, server_version) {
        let of = &manifest.server_version;
        return Err(rejected(&format!("it is of version {of}, which is newer than this server's {server_version}")));
    }
    if backups.is_newer(tool, server_version) {
        let by = &manifest.tool;
        return Err(rejected(&format!("{by} wrote it, which is newer than this server's {server_version}")));
    }
    Ok(manifest)
}

/// Restores a generation that was looked at into an empty database (rows alone: into empty tables), and proves that it holds what the manifest says.
///
/// # Errors
/// If the server refuses a part of it, or holds other rows then: what was restored stays.
pub(in crate::migrate) async fn restored(
    generations: &Generations,
    name: &str,
    manifest: &Manifest,
    task: &StepTask,
    address: &Address,
    voice: &mut dyn StepVoice,
) -> Result<Vec<String>, StepError> {
    let backups = backups_of(address)?;
    let form = form(backups, &manifest.form).ok_or_else(|| no_form(address, &manifest.form))?;
    voice.progress("restore", 0, Some(manifest.rows()));
    let file = generations.path(name).join(form.file);
    let notes = backups.restore(&file, form, &manifest.tool, address, &task.folder).await?;
    let mut found = read(address, voice).await?.close().await?;
    if manifest.part == BackupPart::Rows {
        // Other tables may be beside those that it fills.
        found.retain(|table, _| manifest.tables.contains_key(table));
    }
    match difference(&manifest.tables, &found) {
        None => Ok(notes),
        Some(what) => {
            Err(StepError::Rejected { what: format!("the restored database is not as the manifest: {what}") })
        }
    }
}
