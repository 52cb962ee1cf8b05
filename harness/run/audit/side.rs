//! One side of an audit: a database on a server as it stands, a file that is read in a copy, or a dump that is restored.

use std::{fmt, path::PathBuf};

use super::Audit;
use crate::{
    engine::{self, dump::Dump},
    model::{Address, Endpoint, EventKind, Side, chain},
    run::{
        Limits,
        rehearsal::told,
        servers::{self, Means, Ready, Unready, Wanted},
        source,
    },
};

/// What stands for one side.
#[derive(Clone)]
pub enum Given {
    /// A database on a server.
    Server(Address),
    /// A file of the embedded engine.
    File(PathBuf),
    /// A dump.
    Dump(Dump),
}

/// The address without password, or the path.
impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(address) => address.fmt(f),
            Self::File(path) => path.display().fmt(f),
            Self::Dump(dump) => dump.path.display().fmt(f),
        }
    }
}

/// A side that can be read.
pub(super) struct Reached {
    /// Where.
    pub address: Address,
    /// Who gave it.
    pub provider: String,
    /// How the checks see it.
    pub why: String,
}

impl Audit {
    /// Where a side can be read.
    pub(super) async fn reach(&self, side: Side) -> Result<Reached, String> {
        let reached =
            |address: Address, provider: &str, why: String| Reached { address, provider: provider.to_owned(), why };
        match self.sides.get(side) {
            Given::Server(address) => {
                let why = "it is there already; one read-only transaction for all checks";
                Ok(reached(address.clone(), "live", why.to_owned()))
            }
            Given::File(file) => {
                let embedded = engine::ALL.iter().find(|engine| engine.server().is_none());
                let engine = engine::engine_id(*embedded.ok_or("no engine reads files")?);
                let address = Address { engine, endpoint: Endpoint::File(self.work.join(format!("{side}.db"))) };
                source::copy(file, &address, &self.recorder).await?;
                Ok(reached(address, "copy", "a private copy of the file as it was when the audit began".to_owned()))
            }
            Given::Dump(dump) => {
                let (address, provider) = self.restored(side, dump).await?;
                Ok(reached(address, &provider, format!("{}, restored for the audit", dump.title)))
            }
        }
    }

    /// Restores a dump on a server of the run's own: of the version that the dump was taken from, or else of any.
    async fn restored(&self, side: Side, dump: &Dump) -> Result<(Address, String), String> {
        let work = self.work.join(side.to_string());
        std::fs::create_dir_all(&work).map_err(|error| format!("failed to make `{}`: {error}", work.display()))?;
        let engine = engine::engine_id(dump.engine);
        let limits = Limits::default();
        let means = Means { provider: None, limits: &limits };
        let wanted = |version: Option<String>| Wanted {
            run: &self.id,
            side,
            engine: &engine,
            version,
            image: None,
            provider: None,
            external: None,
            work: work.clone(),
        };
        let ready = match servers::acquire(&wanted(dump.version.clone()), &means, &self.recorder).await {
            Err(Unready::Unable(_)) if dump.version.is_some() => {
                servers::acquire(&wanted(None), &means, &self.recorder).await
            }
            other => other,
        };
        let Ready { address, event } = ready.map_err(|unready| told(&unready))?;
        let provider = match event {
            EventKind::SideReady { provider, .. } => provider,
            _ => String::new(),
        };
        for note in dump.engine.restore(dump, &address, &work).await.map_err(|error| chain(&error))? {
            self.note(note)?;
        }
        Ok((address, provider))
    }
}
