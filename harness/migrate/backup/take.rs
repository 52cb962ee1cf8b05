//! Taking a backup: written under another name, looked through, and moved to its place.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value as Json;

use super::{backups_of, broken, difference, generations::Generations, manifest, manifest::Manifest, no_form, read};
use crate::{
    engine::backup::{BackupForm, BackupOrder, BackupPart, Backups, Extent, form},
    migrate::{StepError, StepVoice},
    model::{Address, Catalogue, Fingerprint, TableName},
};

/// A backup that was taken.
pub(in crate::migrate) struct Taken {
    /// Its generation.
    pub name: String,
    /// What lies beside it.
    pub manifest: Manifest,
    /// The catalogue of the database that it is of.
    pub catalogue: Catalogue,
}

/// How a generation gets its name.
pub(in crate::migrate) enum Name<'a> {
    /// This one, in place of another.
    Given(&'a str),
    /// One of its moment, which is marked before anything is written.
    Marked(&'a (dyn Fn(String) -> Json + Sync)),
}

/// Takes a backup. A failed one leaves nothing.
///
/// # Errors
/// If it cannot be taken, or somebody wrote meanwhile where the engine shows no two sessions one state.
pub(in crate::migrate) async fn take(
    address: &Address,
    (format, extent): (Option<&str>, &Extent),
    generations: &Generations,
    name: Name<'_>,
    voice: &mut dyn StepVoice,
) -> Result<Taken, StepError> {
    let backups = backups_of(address)?;
    let form = match format {
        Some(id) => form(backups, id).ok_or_else(|| no_form(address, id))?,
        None => &backups.forms()[0],
    };
    let (partial, moment) = generations.begin().map_err(|error| broken("make a folder for the backup", error))?;
    let name = match name {
        Name::Given(name) => {
            generations.remove(name).map_err(|error| broken("remove an unfinished backup", error))?;
            generations.begin().map_err(|error| broken("make a folder for the backup", error))?;
            name.to_owned()
        }
        Name::Marked(mark) => {
            let name = generations.name(moment);
            voice.mark(mark(name.clone())).await?;
            name
        }
    };
    let written = async {
        let Written { server_version, tool, tables, catalogue } =
            write(address, backups, (form, extent), &partial, voice).await?;
        let files = manifest::listed(&partial).map_err(|error| broken("read the backup", error))?;
        let manifest = Manifest {
            format_version: Manifest::version(),
            moment,
            engine: address.engine.clone(),
            server_version,
            form: form.id.to_owned(),
            tool,
            part: extent.part,
            files,
            tables,
        };
        backups.look_through(&partial.join(form.file), form, &manifest.tool, &manifest.extent(), address).await?;
        manifest.write(&partial).map_err(|error| broken("write the manifest", error))?;
        generations.finish(&name).map_err(|error| broken("move the backup to its place", error))?;
        Ok((manifest, catalogue))
    }
    .await;
    match written {
        Ok((manifest, catalogue)) => Ok(Taken { name, manifest, catalogue }),
        Err(error) => {
            // What cannot be removed now is removed by the next attempt, or by the way back; the first error is the one to tell.
            let _ = generations.remove(&name);
            Err(error)
        }
    }
}

/// What was written, and what it has to hold.
struct Written {
    server_version: String,
    tool: String,
    tables: BTreeMap<TableName, Fingerprint>,
    catalogue: Catalogue,
}

/// Writes one, and reads the rows that it has to hold: in the very state that it is of, or before it and after it.
async fn write(
    address: &Address,
    backups: &dyn Backups,
    (form, extent): (&BackupForm, &Extent),
    folder: &Path,
    voice: &mut dyn StepVoice,
) -> Result<Written, StepError> {
    let mut reading = read(address, voice).await?;
    if let Some(unknown) = extent.tables.iter().find(|table| !reading.tables.contains_key(*table)) {
        return Err(StepError::Rejected { what: format!("there is no table {unknown} to back up") });
    }
    let (server_version, snapshot) = (std::mem::take(&mut reading.version), reading.snapshot.take());
    let catalogue = std::mem::take(&mut reading.catalogue);
    voice.progress("back up", 0, None);
    let to = folder.join(form.file);
    let order = BackupOrder { address, form, to: &to, snapshot: snapshot.as_deref(), extent };
    if snapshot.is_some() {
        let tool = backups.write(&order).await?;
        let tables = within(extent, reading.close().await?);
        return Ok(Written { server_version, tool, tables, catalogue });
    }
    let before = reading.close().await?;
    let tool = backups.write(&order).await?;
    let after = read(address, voice).await?.close().await?;
    match difference(&before, &after) {
        None => Ok(Written { server_version, tool, tables: within(extent, before), catalogue }),
        Some(what) => Err(StepError::Rejected {
            what: format!("somebody wrote while the backup was taken ({what}), and nobody can tell what it holds"),
        }),
    }
}

/// What of the rows of a database a backup has to hold.
fn within(extent: &Extent, mut tables: BTreeMap<TableName, Fingerprint>) -> BTreeMap<TableName, Fingerprint> {
    tables.retain(|table, _| extent.tables.is_empty() || extent.tables.contains(table));
    if extent.part == BackupPart::Schema {
        tables.values_mut().for_each(|rows| *rows = Fingerprint::default());
    }
    tables
}
