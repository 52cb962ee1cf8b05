//! What a run holds and has to give back.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Something that a run started or made, written to the journal before it is taken, so that it can be found after a kill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Unique within the run.
    pub id: String,
    /// What it is.
    pub kind: LeaseKind,
}

/// The kinds of things that a run can hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LeaseKind {
    /// A container, by its unique name.
    Container {
        /// The container's name.
        name: String,
        /// The image it was started from.
        image: String,
    },
    /// A throw-away cluster of a server started from local binaries.
    Cluster {
        /// Its private directory, which holds data, socket, log and password.
        directory: PathBuf,
        /// The engine whose server it is.
        engine: super::EngineId,
    },
    /// A scratch database on a server that the user declared disposable. The server's address is kept by reference.
    Database {
        /// Where the URL came from: `env:NAME`, `file:PATH`, or `flag` if it was typed and has to be given again.
        reference: String,
        /// The scratch database's name.
        name: String,
    },
    /// A directory of the run's own files.
    Directory {
        /// Its path.
        path: PathBuf,
    },
}
