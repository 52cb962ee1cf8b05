//! Fills the source: with a private copy of a file, or with the dataset.

use std::path::Path;

use super::recorder::Recorder;
use crate::{
    canon::Seed,
    dataset::{Dataset, Volume},
    engine::{self, BoxedError, RowSource, Session, sqlite::private_copy},
    model::{Address, Endpoint, EventKind, Value, chain},
    scenario::SqlFile,
};

/// Runs a script of SQL on a fresh session.
pub(super) async fn schema(address: &Address, file: &SqlFile) -> Result<(), String> {
    let mut session = connect(address).await?;
    session.execute(&file.text).await.map_err(|error| format!("{}: {}", file.path.display(), chain(&error)))?;
    session.close().await.map_err(|error| chain(&error))
}

/// Takes a private copy of a file of the user's, and witnesses that the file itself did not change.
pub(super) async fn copy(file: &Path, address: &Address, recorder: &Recorder) -> Result<u64, String> {
    let Endpoint::File(copy) = &address.endpoint else {
        return Err(format!("a snapshot of a file needs an engine of files, and the source is {address}"));
    };
    let witness = tokio::task::block_in_place(|| private_copy::take(file, copy)).map_err(|error| chain(&error))?;
    for file in witness.files {
        recorder.emit(EventKind::FileWitnessed(file)).map_err(|error| chain(&error))?;
    }
    if let Some(why) = witness.unverified {
        let text = format!("the integrity of the copy could not be checked: {why}");
        recorder.emit(EventKind::Note { text }).map_err(|error| chain(&error))?;
    }
    Ok(0)
}

/// Makes and loads the dataset; one derived from the catalogue, where the scenario has none. A load into a file blocks
/// its thread, so that it has to ask itself whether it `is_over`.
pub(super) async fn populate(
    address: &Address,
    dataset: Option<&Dataset>,
    volume: &Volume,
    root_seed: u64,
    recorder: &Recorder,
    is_over: &(dyn Fn() -> bool + Sync),
) -> Result<u64, String> {
    let mut session = connect(address).await?;
    let catalogue = session.introspect().await.map_err(|error| chain(&error))?;
    let derived;
    let dataset = match dataset {
        Some(dataset) => dataset,
        None => {
            derived = Dataset::derived(&catalogue);
            &derived
        }
    };
    let plans = dataset.bind(&catalogue, volume, Seed::root(root_seed)).map_err(|problems| problems.to_string())?;
    let total = crate::dataset::rows_total(&plans);
    session.begin(false).await.map_err(|error| chain(&error))?;
    let mut done = 0;
    for plan in &plans {
        let mut rows = Told { rows: plan.source(), done, total, recorder, is_over };
        let loaded = session.load(&plan.table, &plan.columns, &mut rows).await;
        done += loaded.map_err(|error| format!("failed to fill `{}`: {}", plan.table.name, chain(&error)))?;
    }
    let tables: Vec<_> = plans.iter().map(|plan| plan.table.name.clone()).collect();
    session.advance_sequences(&tables).await.map_err(|error| chain(&error))?;
    session.commit().await.map_err(|error| chain(&error))?;
    session.close().await.map_err(|error| chain(&error))?;
    Ok(done)
}

async fn connect(address: &Address) -> Result<Box<dyn Session>, String> {
    let engine =
        engine::by_id(address.engine.as_str()).ok_or_else(|| format!("no engine is called `{}`", address.engine))?;
    engine.connect(address).await.map_err(|error| chain(&error))
}

/// Rows that tell how far they are.
struct Told<'a, R> {
    rows: R,
    done: u64,
    total: u64,
    recorder: &'a Recorder,
    is_over: &'a (dyn Fn() -> bool + Sync),
}

impl<R: RowSource> RowSource for Told<'_, R> {
    fn next(&mut self, row: &mut Vec<Value>) -> Result<bool, BoxedError> {
        self.done += 1;
        if self.done.is_multiple_of(1000) {
            self.recorder.progress("populate", self.done, Some(self.total));
            if (self.is_over)() {
                return Err("the act was asked to end".into());
            }
        }
        self.rows.next(row)
    }
}
