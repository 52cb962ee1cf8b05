//! What a run was asked to do, in a form that the journal keeps, so that another process can go on with it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::servers::Means;
use crate::{check::Resources, model::EngineId};

/// What a run was asked to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// What is rehearsed.
    pub subject: Subject,
    /// A SQLite file in place of the dataset.
    pub snapshot: Option<PathBuf>,
    /// Target versions in place of the scenario's.
    pub versions: Vec<String>,
    /// The provisioner, or `auto`.
    pub provider: Option<String>,
    /// An image for the target's container.
    pub image: Option<String>,
    /// Volume of the dataset.
    pub scale: f64,
    /// Rows in all, spread over the tables by their weights, in place of the scenario's own numbers.
    pub rows: Option<u64>,
    /// The last step of the scenario that is rehearsed, where not all are.
    #[serde(default)]
    pub until: Option<String>,
    /// The only step of the scenario that is rehearsed, on what those before it left.
    #[serde(default)]
    pub phase: Option<String>,
    /// The root seed.
    pub root_seed: u64,
    /// Leave the databases standing at the end.
    pub keep: bool,
    /// Show rows' values in reports.
    pub show_values: bool,
    /// Scenarios that cannot run here do not make the run inconclusive.
    pub only_runnable: bool,
    /// The least coverage, in per cent, that a pass needs.
    pub require_coverage: f64,
    /// Checks of the preflight in spite of which the migration is begun.
    #[serde(default)]
    pub despite: Vec<String>,
    /// Limits.
    pub limits: Limits,
    /// Where the user's own databases come from, by reference: `env:NAME`, `file:PATH`, `flag`.
    pub target_reference: Option<String>,
    /// The user declared them disposable.
    pub disposable: bool,
    /// Where the run's own files go while it lasts.
    pub work_root: PathBuf,
    /// What a check may take of this machine.
    pub resources: Resources,
    /// The program that step processes are started from.
    pub program: PathBuf,
}

impl Options {
    /// By what means servers are got.
    pub(super) fn means(&self) -> Means<'_> {
        Means { provider: self.provider.as_deref(), limits: &self.limits }
    }
}

/// What is rehearsed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The scenario in a folder.
    Scenario {
        /// The folder.
        folder: PathBuf,
    },
    /// Any SQLite file, into an engine.
    File {
        /// The file.
        file: PathBuf,
        /// The target's engine.
        to: EngineId,
    },
}

/// Limits on time and on what a container may use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// The longest that one act of the plan may take, in milliseconds.
    pub act_ms: u64,
    /// The longest that a server may take to answer its first query, and to stop, in milliseconds.
    pub server_ms: u64,
    /// How long to go on trying to reach a lost server, in milliseconds.
    pub reconnect_ms: u64,
    /// Memory of a container, in bytes.
    pub memory_bytes: Option<u64>,
    /// Cores of a container.
    pub cpus: Option<f64>,
    /// A fixed TCP port on 127.0.0.1 for the target's server.
    pub port: Option<u16>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { act_ms: 3_600_000, server_ms: 60_000, reconnect_ms: 60_000, memory_bytes: None, cpus: None, port: None }
    }
}
