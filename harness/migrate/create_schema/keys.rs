//! Part `keys`: primary keys, uniques, indexes, checks and foreign keys, one by one, when the rows are there.
//!
//! What the rows do not satisfy is not made, and named; the run goes on, and its checks tell the rest.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{
    super::{NotCarried, StepDone, StepError, StepTask, StepVoice, engine_of},
    Derived, Later, Part, after, check_engines, insist, read,
};
use crate::{
    engine::{Dialect, EngineError, Session},
    model::{
        TableName,
        catalogue::{Reference, Table},
        chain,
        event::Figure,
    },
};

/// What the journal holds of this part. Each mark is on disk before the act that it announces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "create_keys", rename_all = "snake_case")]
enum Mark {
    /// These are about to be made, and were not there before.
    Begun {
        /// In the order in which they are made.
        parts: Vec<Made>,
    },
    /// They are dropped again.
    TakenBack,
}

/// An object that is made, as far as it takes to drop it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Made {
    table: TableName,
    name: String,
    is_index: bool,
}

/// Creates everything that comes after the rows.
pub(super) async fn forward(task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
    check_engines(task)?;
    let Some(derived) = read(task)? else {
        let what = "no schema was derived: a step with `part = \"tables\"` has to go before this one".to_owned();
        return Err(StepError::Refused { what });
    };
    back(task, voice).await?;
    let parts: Vec<Made> = derived.later.iter().map(made).collect();
    let mut session = task.connect(&task.addresses.target).await?;
    refuse_what_is_there(&parts, &mut *session).await?;
    voice.mark(mark(&Mark::Begun { parts: parts.clone() })).await?;
    let dialect = engine_of(&task.addresses.target)?.dialect();
    match create(&derived, dialect, &mut *session, voice).await {
        Ok(done) => {
            session.close().await?;
            Ok(done)
        }
        Err(error) => {
            drop(session);
            Err(after(error, take_back(task, &parts, voice)).await)
        }
    }
}

/// Drops what this step made. Nothing, if it never began.
pub(super) async fn back(task: &StepTask, voice: &mut dyn StepVoice) -> Result<(), StepError> {
    let marks = task.marks.iter().filter_map(|json| serde_json::from_value(json.clone()).ok());
    let begun = marks.fold(None, |_, mark| match mark {
        Mark::Begun { parts } => Some(parts),
        Mark::TakenBack => None,
    });
    match begun {
        Some(parts) => take_back(task, &parts, voice).await,
        None => Ok(()),
    }
}

async fn take_back(task: &StepTask, parts: &[Made], voice: &mut dyn StepVoice) -> Result<(), StepError> {
    let dialect = engine_of(&task.addresses.target)?.dialect();
    // Backwards: foreign keys go before the keys that they need.
    let statements: Vec<String> = parts.iter().rev().map(|part| drop_statement(part, dialect)).collect();
    insist(task, &statements).await?;
    voice.mark(mark(&Mark::TakenBack)).await
}

fn made(later: &Later) -> Made {
    let name = match &later.part {
        Part::PrimaryKey(key) | Part::Unique(key) => key.name.clone(),
        Part::Index(index) => Some(index.name.clone()),
        Part::Check(check) => check.name.clone(),
        Part::ForeignKey(key) => key.name.clone(),
    };
    let is_index = matches!(later.part, Part::Index(_));
    Made { table: later.table.clone(), name: name.unwrap_or_default(), is_index }
}

fn drop_statement(made: &Made, dialect: &dyn Dialect) -> String {
    if made.is_index {
        return dialect.drop_index(&made.table, &made.name);
    }
    let (table, name) = (dialect.table(&made.table), dialect.quote(&made.name));
    format!("ALTER TABLE IF EXISTS {table} DROP CONSTRAINT IF EXISTS {name}")
}

async fn refuse_what_is_there(parts: &[Made], session: &mut dyn Session) -> Result<(), StepError> {
    let there = session.introspect().await?;
    let names_of = |table: &Table| -> Vec<String> {
        let keys = table.unique_keys().filter_map(|key| key.name.clone());
        let checks = table.checks.iter().filter_map(|check| check.name.clone());
        let foreign = table.foreign_keys.iter().filter_map(|key| key.name.clone());
        keys.chain(checks).chain(foreign).collect()
    };
    for part in parts {
        let of_table = there.tables.get(&part.table);
        let is_index = there.tables.values().any(|table| table.indexes.iter().any(|index| index.name == part.name));
        let is_there =
            if part.is_index { is_index } else { of_table.is_some_and(|t| names_of(t).contains(&part.name)) };
        if of_table.is_none() || is_there {
            let what = match of_table {
                None => format!("the target has no table `{}`; nothing was made", part.table),
                Some(_) => format!("`{}` of `{}` is there already; nothing was made", part.name, part.table),
            };
            return Err(StepError::Refused { what });
        }
    }
    Ok(())
}

async fn create(
    derived: &Derived,
    dialect: &dyn Dialect,
    session: &mut dyn Session,
    voice: &mut dyn StepVoice,
) -> Result<StepDone, StepError> {
    let mut not_carried = Vec::new();
    let total = derived.later.len() as u64;
    for (done, later) in derived.later.iter().enumerate() {
        if voice.is_stopping() {
            return Err(StepError::Interrupted);
        }
        voice.progress("create keys and indexes", done as u64, Some(total));
        let mut part = later.part.clone();
        if let Part::ForeignKey(key) = &mut part {
            let orphans = session.dangling(&Reference::of(&later.table, key), 0).await?.total;
            if orphans > 0 {
                key.validated = false;
                let reason = format!("{orphans} rows have no parent; made NOT VALID");
                not_carried.push(NotCarried { object: later.object.clone(), reason });
            }
        }
        match session.execute(&statement(&later.table, &part, dialect)).await {
            Err(error @ EngineError::Refused { .. }) => {
                let reason = format!("the target refused it: {}", chain(&error));
                not_carried.retain(|one| one.object != later.object);
                not_carried.push(NotCarried { object: later.object.clone(), reason });
            }
            other => other?,
        }
    }
    for (owner, next) in &derived.positions {
        let (table, column) = (dialect.table(&owner.table), dialect.quote(&owner.column));
        session.execute(&format!("ALTER TABLE {table} ALTER COLUMN {column} RESTART WITH {next}")).await?;
    }
    let figures = vec![Figure { name: "keys_and_indexes".to_owned(), value: total as f64 }];
    Ok(StepDone { figures, not_carried, ..StepDone::default() })
}

/// The statement that adds a part to a table that is there.
fn statement(table: &TableName, part: &Part, dialect: &dyn Dialect) -> String {
    let named = |name: &Option<String>| {
        name.as_ref().map_or_else(String::new, |name| format!("CONSTRAINT {} ", dialect.quote(name)))
    };
    let alter =
        |name: &Option<String>, what: String| format!("ALTER TABLE {} ADD {}{what}", dialect.table(table), named(name));
    let mut bare = Table::empty(table.clone());
    match part {
        Part::PrimaryKey(key) => return alter(&key.name, format!("PRIMARY KEY ({})", dialect.columns(&key.columns))),
        Part::Unique(key) => return alter(&key.name, format!("UNIQUE ({})", dialect.columns(&key.columns))),
        Part::Check(check) => return alter(&check.name, format!("CHECK ({})", check.expression)),
        Part::Index(index) => bare.indexes.push(index.clone()),
        Part::ForeignKey(key) => bare.foreign_keys.push(key.clone()),
    }
    dialect.create_tables(&[bare]).finish.concat()
}

fn mark(mark: &Mark) -> Json {
    serde_json::to_value(mark).expect("marks are plain JSON")
}
