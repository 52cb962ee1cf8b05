//! Part `tables`: profile, derive, create tables and columns.

use std::{fs, time::Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{
    super::{StepDone, StepError, StepTask, StepVoice, engine_of},
    Content, Derived, after, check_engines, derive, insist, path,
};
use crate::{
    engine::{Rowset, Session, content},
    model::{Catalogue, TableName, catalogue::Table, event::Figure},
};

/// What the journal holds of this part. Each mark is on disk before the act that it announces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "create_tables", rename_all = "snake_case")]
enum Mark {
    /// The target had none of these tables, and they are about to be made.
    Begun {
        /// The target's tables.
        tables: Vec<TableName>,
    },
    /// They are dropped again.
    TakenBack,
}

/// Creates the tables.
pub(super) async fn forward(task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
    check_engines(task)?;
    back(task, voice).await?;
    let started = Instant::now();
    let dialect = engine_of(&task.addresses.target)?.dialect();
    let mut source = task.connect(&task.addresses.source).await?;
    let catalogue = source.introspect().await?;
    let content = survey(&mut *source, &catalogue, voice).await?;
    source.close().await?;
    let derived = derive(&catalogue, &content, dialect);
    refuse_what_is_there(task, &derived).await?;
    write(task, &derived)?;
    let tables: Vec<TableName> = derived.tables.iter().map(|table| table.name.clone()).collect();
    voice.mark(mark(&Mark::Begun { tables: tables.clone() })).await?;
    let created = async {
        let mut session = task.connect(&task.addresses.target).await?;
        session.begin(false).await?;
        for statement in dialect.create_tables(&derived.tables).create {
            session.execute(&statement).await?;
        }
        session.commit().await?;
        Ok(session.close().await?)
    };
    if let Err(error) = created.await {
        return Err(after(error, take_back(task, &tables, voice)).await);
    }
    let figures = vec![
        Figure { name: "tables".to_owned(), value: tables.len() as f64 },
        Figure { name: "derive_ms".to_owned(), value: (started.elapsed().as_secs_f64() * 1000.0).round() },
    ];
    let (not_carried, stated) = (derived.not_carried, derived.stated);
    Ok(StepDone { figures, not_carried, stated, ..StepDone::default() })
}

/// Drops the tables that this step made. Nothing, if it never began.
pub(super) async fn back(task: &StepTask, voice: &mut dyn StepVoice) -> Result<(), StepError> {
    match begun(&task.marks) {
        Some(tables) => take_back(task, &tables, voice).await,
        None => Ok(()),
    }
}

fn begun(marks: &[Json]) -> Option<Vec<TableName>> {
    marks.iter().filter_map(|json| serde_json::from_value(json.clone()).ok()).fold(None, |_, mark| match mark {
        Mark::Begun { tables } => Some(tables),
        Mark::TakenBack => None,
    })
}

async fn take_back(task: &StepTask, tables: &[TableName], voice: &mut dyn StepVoice) -> Result<(), StepError> {
    let dialect = engine_of(&task.addresses.target)?.dialect();
    let bare: Vec<_> = tables.iter().map(|name| Table::empty(name.clone())).collect();
    insist(task, &dialect.create_tables(&bare).drop).await?;
    voice.mark(mark(&Mark::TakenBack)).await?;
    match fs::remove_file(path(task)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StepError::broken(format!("remove `{}`", path(task).display()), error))
        }
        _ => Ok(()),
    }
}

/// Reads every row of every table once.
async fn survey(
    source: &mut dyn Session,
    catalogue: &Catalogue,
    voice: &mut dyn StepVoice,
) -> Result<Content, StepError> {
    let mut content = Content::default();
    let tables: Vec<_> = catalogue.tables.values().filter(|table| table.unreadable.is_none()).collect();
    source.begin(true).await?;
    for (done, table) in tables.iter().enumerate() {
        if voice.is_stopping() {
            return Err(StepError::Interrupted);
        }
        voice.progress("profile tables", done as u64, Some(tables.len() as u64));
        let columns = table.columns.iter().map(|column| column.name.clone()).collect();
        let rowset = Rowset::of(table.name.clone(), columns);
        let profile = content::profile(source, &rowset).await?;
        for (column, held) in table.columns.iter().zip(&profile.columns) {
            let may_be_uuids = held.values() > 0 && held.forms.uuids + held.blobs_of_16 == held.values();
            if may_be_uuids && source.uuid_spellings(&table.name, &column.name, 0).await?.total > 0 {
                content.respelled.insert((table.name.clone(), column.name.clone()));
            }
        }
        content.profiles.insert(table.name.clone(), profile);
    }
    source.commit().await?;
    Ok(content)
}

async fn refuse_what_is_there(task: &StepTask, derived: &Derived) -> Result<(), StepError> {
    let mut session = task.connect(&task.addresses.target).await?;
    let there = session.introspect().await?;
    session.close().await?;
    match derived.tables.iter().find(|table| there.tables.contains_key(&table.name)) {
        None => Ok(()),
        Some(table) => {
            let what = format!("the target has a table `{}` already; nothing was made or changed", table.name);
            Err(StepError::Refused { what })
        }
    }
}

fn write(task: &StepTask, derived: &Derived) -> Result<(), StepError> {
    let path = path(task);
    let text = serde_json::to_vec_pretty(derived).map_err(|error| StepError::broken("write the schema", error))?;
    fs::write(&path, text).map_err(|error| StepError::broken(format!("write `{}`", path.display()), error))
}

fn mark(mark: &Mark) -> Json {
    serde_json::to_value(mark).expect("marks are plain JSON")
}
