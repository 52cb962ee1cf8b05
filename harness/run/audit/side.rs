//! One side of an audit: a database on a server as it stands, or a file that is read in a copy.

use std::{fmt, path::PathBuf};

use super::Audit;
use crate::{
    engine,
    model::{Address, Endpoint, Side},
    run::source,
};

/// What stands for one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// A database on a server.
    Server(Address),
    /// A file of the embedded engine.
    File(PathBuf),
}

/// The address without password, or the path.
impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(address) => address.fmt(f),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl Given {
    /// How the checks see it, for the report.
    pub(super) const fn provider(&self) -> (&'static str, &'static str) {
        match self {
            Self::Server(_) => ("live", "it is there already; one read-only transaction for all checks"),
            Self::File(_) => ("copy", "a private copy of the file as it was when the audit began"),
        }
    }
}

impl Audit {
    /// Where a side can be read.
    pub(super) async fn reach(&self, side: Side) -> Result<Address, String> {
        match self.sides.get(side) {
            Given::Server(address) => Ok(address.clone()),
            Given::File(file) => {
                let embedded = engine::ALL.iter().find(|engine| engine.server().is_none());
                let engine = engine::engine_id(*embedded.ok_or("no engine reads files")?);
                let address = Address { engine, endpoint: Endpoint::File(self.work.join(format!("{side}.db"))) };
                source::copy(file, &address, &self.recorder).await?;
                Ok(address)
            }
        }
    }
}
