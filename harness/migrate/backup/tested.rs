//! A backup that is restored to see that it can be: into a scratch database, and compared with what it is of.

use std::{collections::BTreeSet, fs, io, path::Path};

use super::{Generations, Manifest, Taken, backups_of, restored};
use crate::{
    engine::{
        EngineError,
        backup::{BackupOrder, BackupPart, Extent},
    },
    migrate::{StepError, StepTask, StepVoice, engine_of},
    model::{
        Address, Catalogue, Side, TableName,
        catalogue::{Definition, ObjectName, PRINTED},
        chain,
        fate::Fate,
    },
};

/// So many objects that differ are named.
const NAMED: usize = 5;
/// The attribute of a view that says whether its rows are there.
const POPULATED: &str = "populated";

/// What came out of the comparison of two catalogues.
#[derive(Default)]
struct Compared {
    /// What differs.
    wrong: Vec<String>,
    /// What differs in nothing but SQL that the server prints.
    printed: Vec<(ObjectName, String)>,
    /// What a reader should know.
    notes: Vec<String>,
}

/// Restores a backup of a side into the step's scratch database, and tells what is proven by that. The database is the run's
/// to drop.
///
/// # Errors
/// If the backup cannot be restored, or what comes out is not what it is of.
pub(super) async fn tested(
    task: &StepTask,
    side: Side,
    (generations, taken): (&Generations, &Taken),
    extent: &Extent,
    voice: &mut dyn StepVoice,
) -> Result<Vec<String>, StepError> {
    let of = task.addresses.get(side);
    let scratch = task.scratch.as_ref();
    let scratch = scratch.ok_or_else(|| StepError::broken("find the scratch database", "the run names none"))?;
    let failed = |what: &str| StepError::Rejected { what: format!("the backup was restored to test it: {what}") };
    let folder = generations.path(&taken.name);
    // As somebody will find it who needs it one day: from the disk.
    let manifest = Manifest::read(&folder)?;
    manifest.compare(&folder)?;
    let backups = backups_of(of)?;
    backups.make_anew(scratch, &backups.anew(scratch, of).await?).await?;
    let restored = restored(generations, &taken.name, &manifest, task, scratch, voice).await;
    let mut notes = restored.map_err(|error| match error {
        StepError::Rejected { .. } | StepError::Engine(EngineError::BadFile { .. }) => failed(&chain(&error)),
        other => other,
    })?;
    let found = catalogue(scratch).await?;
    let Compared { mut wrong, printed, notes: unsure } = compared(&taken.catalogue, &found, extent);
    let read_again = printed.len();
    if !printed.is_empty() {
        let again = if backups.takes_parts() { printed_again(task, of, scratch).await? } else { Catalogue::default() };
        let is_other = |name: &ObjectName| again.objects.get(name) != found.objects.get(name);
        wrong.extend(printed.into_iter().filter(|(name, _)| is_other(name)).map(|(_, told)| told));
    }
    if !wrong.is_empty() {
        let more = wrong.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        let named = wrong.into_iter().take(NAMED).collect::<Vec<_>>().join("; ");
        return Err(failed(&format!("the restored database is not as the {side}: {named}{more}")));
    }
    let (tables, rows) = (manifest.tables.len(), manifest.rows());
    let objects = found.objects.len();
    notes.push(format!(
        "the backup {} was restored beside the {side}: {tables} tables, {rows} rows and {objects} objects of the catalogue \
         are as they were",
        taken.name
    ));
    if read_again > 0 {
        notes.push(format!(
            "the server prints {read_again} definitions otherwise once it has read its own print of them"
        ));
    }
    notes.extend(unsure);
    Ok(notes)
}

/// The catalogue as the server reads its own print of it: that of the database's definitions, dumped once more and restored.
/// A server may print another text of a view that it made of the text that it printed.
async fn printed_again(task: &StepTask, of: &Address, scratch: &Address) -> Result<Catalogue, StepError> {
    let backups = backups_of(of)?;
    let form = &backups.forms()[0];
    let extent = Extent { part: BackupPart::Schema, ..Extent::default() };
    let file = task.folder.join("definitions");
    let broken = |error: io::Error| StepError::broken("dump the definitions once more", error);
    let cleared = |file: &Path| match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    cleared(&file).map_err(broken)?;
    let order = BackupOrder { address: of, form, to: &file, snapshot: None, extent: &extent };
    let tool = backups.write(&order).await?;
    backups.make_anew(scratch, &backups.anew(scratch, of).await?).await?;
    backups.restore(&file, form, &tool, scratch, &task.folder).await?;
    cleared(&file).map_err(broken)?;
    catalogue(scratch).await
}

async fn catalogue(address: &Address) -> Result<Catalogue, StepError> {
    let mut session = engine_of(address)?.connect(address).await?;
    session.begin(true).await?;
    let found = session.introspect().await?;
    session.commit().await?;
    session.close().await?;
    Ok(found)
}

/// Compares what was restored with what it is of, as far as the backup goes.
fn compared(then: &Catalogue, now: &Catalogue, extent: &Extent) -> Compared {
    let Compared { mut wrong, mut printed, mut notes } = Compared::default();
    let mut unseen = 0_u64;
    for (name, fate) in then.fates(now) {
        let is_meant = then.objects.get(name).is_some_and(|definition| is_within(extent, name, definition));
        match fate {
            Fate::Unseen(_) => unseen += 1,
            Fate::Left => wrong.push(format!("{name} was not there")),
            Fate::Lost(_) if is_meant => wrong.push(format!("{name} is missing")),
            Fate::Changed(..) if is_meant && name.class == "order" => {
                notes.push(format!("the columns of {} stand in another order once they are restored", name.name));
            }
            Fate::Changed(then, now) if is_meant => {
                let keys = changed(then, now, extent);
                let told = format!("{name} is another ({})", keys.join(", "));
                match keys.as_slice() {
                    [] => {}
                    keys if keys.iter().all(|key| PRINTED.contains(key)) => printed.push((name.clone(), told)),
                    _ => wrong.push(told),
                }
            }
            Fate::Lost(_) | Fate::Changed(..) => {}
        }
    }
    if extent.part == BackupPart::Whole {
        let behind = then.moved(now).filter(|(then, now)| now.is_behind(then));
        wrong.extend(behind.map(|(then, _)| format!("sequence:{} stands behind where it stood", then.name)));
    }
    if unseen > 0 {
        notes.push(format!("{unseen} objects of the restored backup were not compared: the role may not see them"));
    }
    Compared { wrong, printed, notes }
}

/// Which attributes of an object are others. Whether a view's rows are there is nothing that definitions alone bring along.
fn changed<'d>(then: &'d Definition, now: &'d Definition, extent: &Extent) -> Vec<&'d str> {
    let is_brought = |key: &&String| extent.part == BackupPart::Whole || *key != POPULATED;
    let keys: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    keys.into_iter().filter(|key| then.get(*key) != now.get(*key)).filter(is_brought).map(String::as_str).collect()
}

/// Whether a backup goes as far as this object: of some tables alone it holds these with their parts.
fn is_within(extent: &Extent, name: &ObjectName, definition: &Definition) -> bool {
    let is_part = |table: &TableName, of: &str| {
        of.strip_prefix(&table.to_string()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let is_of = |table: &TableName| {
        is_part(table, &name.name) || definition.get("owned_by").is_some_and(|owner| is_part(table, owner))
    };
    extent.tables.is_empty() || extent.tables.iter().any(is_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(objects: &[(&str, &str, &str)]) -> Catalogue {
        let definition = |key: &str| Definition::from([(key.to_owned(), "1".to_owned())]);
        let named = objects.iter().map(|(class, name, key)| (ObjectName::new(*class, *name), definition(key)));
        Catalogue { objects: named.collect(), ..Catalogue::default() }
    }

    #[test]
    fn a_backup_is_held_to_what_it_is_of() {
        let then = of(&[("table", "a", "x"), ("index", "a.i", "x"), ("table", "ab", "x"), ("view", "v", "populated")]);
        let whole = Extent::default();
        let some = Extent { tables: vec![TableName::new("a")], ..Extent::default() };
        let told = |now: &Catalogue, extent: &Extent| compared(&then, now, extent).wrong;
        assert_eq!(told(&then, &whole), Vec::<String>::new());
        assert_eq!(told(&of(&[("table", "a", "x"), ("index", "a.i", "x")]), &some), Vec::<String>::new());
        assert_eq!(told(&of(&[("table", "a", "x")]), &some), ["index:a.i is missing"]);
        assert_eq!(told(&of(&[("table", "a", "x"), ("index", "a.i", "y")]), &some), ["index:a.i is another (x, y)"]);
        let mut now = then.clone();
        now.objects.insert(ObjectName::new("view", "v"), Definition::default());
        assert_eq!(told(&now, &whole), ["view:v is another (populated)"]);
        assert_eq!(told(&now, &Extent { part: BackupPart::Schema, ..whole.clone() }), Vec::<String>::new());
        now.objects.insert(ObjectName::new("view", "w"), Definition::default());
        assert_eq!(told(&now, &whole), ["view:v is another (populated)", "view:w was not there"]);
        // What a server prints may read otherwise, and is looked at once more.
        now.objects.remove(&ObjectName::new("view", "w"));
        now.objects.insert(ObjectName::new("view", "v"), Definition::from([("definition".to_owned(), "1".to_owned())]));
        let then = of(&[("table", "a", "x"), ("index", "a.i", "x"), ("table", "ab", "x"), ("view", "v", "using")]);
        let Compared { wrong, printed, .. } = compared(&then, &now, &whole);
        let told = "view:v is another (definition, using)".to_owned();
        assert_eq!((wrong, printed), (Vec::new(), vec![(ObjectName::new("view", "v"), told)]));
    }
}
