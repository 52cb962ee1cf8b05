//! What can be found out about a run's inputs before anything is started or written.
//!
//! A scenario's files were read already; here the schema of an embedded source is tried in memory, the dataset is bound to
//! it, and a file of the user's is looked at from outside. What only a server can tell is told when it is asked.

use super::{Options, options::Subject};
use crate::{
    canon::Seed,
    dataset::Volume,
    document::{Place, Problem, Problems},
    engine::{self, EngineError, sqlite::private_copy},
    model::chain,
    scenario::Scenario,
};

/// Why a run is not begun.
#[derive(Debug, thiserror::Error)]
pub enum BadInput {
    /// The scenario's own files have problems.
    #[error("{0}")]
    Invalid(Problems),
    /// A file of the user's is no database that could be rehearsed.
    #[error(transparent)]
    File(#[from] EngineError),
}

/// Looks at the inputs of a run.
///
/// # Errors
/// The first file that is wrong, with everything that is wrong with it.
pub async fn preflight(scenario: &Scenario, options: &Options) -> Result<(), BadInput> {
    let file = match &options.subject {
        Subject::File { file, .. } => Some(file),
        Subject::Scenario { .. } => options.snapshot.as_ref(),
    };
    match file {
        Some(file) => Ok(private_copy::inspect(file)?),
        None => source(scenario, options).await,
    }
}

/// Tries the source's schema and binds the dataset to it, where the source's engine can do that in memory.
async fn source(scenario: &Scenario, options: &Options) -> Result<(), BadInput> {
    let Some(engine) = engine::by_id(scenario.source.engine.as_str()) else { return Ok(()) };
    let Some(mut session) = engine.in_memory()? else { return Ok(()) };
    for schema in &scenario.source.schema {
        session.execute(&schema.text).await.map_err(|error| {
            let mut problems = Problems::new(schema.path.display().to_string());
            problems.add(Problem::new(&Place::default(), chain(&error)));
            BadInput::Invalid(problems)
        })?;
    }
    let catalogue = session.introspect().await?;
    session.close().await?;
    let volume = Volume { scale: options.scale, rows: options.rows };
    match &scenario.source.dataset {
        Some(dataset) => {
            dataset.bind(&catalogue, &volume, Seed::root(options.root_seed)).map(|_| ()).map_err(BadInput::Invalid)
        }
        None => Ok(()),
    }
}
