//! Floor 2: who gives us a server.
//!
//! A provisioner takes a [`Request`], says beforehand whether it could serve it here ([`Provisioner::offer`]), and gives
//! a [`Server`]. Every container, cluster, directory and scratch database is announced to the [`LeaseLog`] before it is
//! taken and after it is given back, so that nothing of a killed run is lost from sight. A new provisioner is one file
//! (or folder) and one line in [`ALL`].

use std::{path::PathBuf, time::Duration};

use async_trait::async_trait;

use crate::{
    engine::{Engine, EngineError, ServerSpec},
    model::{Address, Lease, LeaseKind, RunId, Side},
};

mod choose;
mod container;
pub mod directory;
mod external;
mod local;
mod password;
mod readiness;
pub mod scratch;
mod settle;
mod version;

pub use choose::choose;

/// Every provisioner, in the order in which `auto` prefers them.
pub const ALL: &[&dyn Provisioner] = &[&container::Container, &local::Local, &external::UsersOwn];

/// The provisioner of this id.
pub fn by_id(id: &str) -> Option<&'static dyn Provisioner> {
    ALL.iter().copied().find(|provisioner| provisioner.id() == id)
}

/// Gives servers.
#[async_trait]
pub trait Provisioner: Sync {
    /// Its id: `container`, `local`, `external`.
    fn id(&self) -> &'static str;

    /// One line on what it does.
    fn summary(&self) -> &'static str;

    /// Whether `auto` may choose it.
    fn is_automatic(&self) -> bool {
        true
    }

    /// Whether it can serve this request here, found out without starting anything: the reason to take it ("Docker 28.2
    /// answers and has postgres:17"), or why not and what to do about it.
    async fn offer(&self, request: &Request) -> Result<String, Unable>;

    /// Starts (or finds) the server and waits until a real query succeeds.
    async fn acquire(&self, request: &Request, leases: &mut dyn LeaseLog) -> Result<Server, ProvisionError>;

    /// Whether this provisioner took leases of that kind, and therefore releases them.
    fn owns(&self, lease: &LeaseKind) -> bool;

    /// Gives a lease back: removes the container, stops the cluster and deletes its directory, drops the database. Also
    /// called by `clean` from another process long after; a lease whose thing is not there (any more) is no error.
    async fn release(&self, lease: &Lease, urls: &dyn UrlSource) -> Result<(), ProvisionError>;

    /// Reaches a server again that an earlier process of the same run acquired and left standing.
    async fn reattach(&self, lease: &Lease, request: &Request) -> Result<Address, ProvisionError>;
}

/// Gives any lease back, whoever took it.
///
/// # Errors
/// What kept it from being given back; the lease stands then, and can be released again later.
pub async fn release(lease: &Lease, urls: &dyn UrlSource) -> Result<(), ProvisionError> {
    match (&lease.kind, ALL.iter().find(|provisioner| provisioner.owns(&lease.kind))) {
        (LeaseKind::Directory { path }, _) => directory::release(path).await,
        (_, Some(provisioner)) => provisioner.release(lease, urls).await,
        (kind, None) => Err(ProvisionError::Unable(Unable {
            reason: format!("nothing here knows how to give back {kind:?}"),
            hint: "use the version of rehearse that took it".to_owned(),
        })),
    }
}

/// What an engine says about its server.
fn spec(engine: &dyn Engine) -> Result<&'static ServerSpec, Unable> {
    engine.server().ok_or_else(|| Unable {
        reason: format!("{} has no server that could be started or asked", engine.title()),
        hint: "give the path of its file".to_owned(),
    })
}

/// Finds the URL of a user's database again. The journal keeps only where it came from, and only `cli/` may look there.
pub trait UrlSource: Sync {
    /// The address behind `env:NAME`, `file:PATH` or `flag`, if there still is one.
    fn url(&self, reference: &str) -> Option<Address>;
}

/// What is asked of a provisioner.
#[derive(Clone)]
pub struct Request {
    /// The run.
    pub run: RunId,
    /// Which side it is for.
    pub side: Side,
    /// The engine.
    pub engine: &'static dyn Engine,
    /// The version wanted (`17`), where one is.
    pub version: Option<String>,
    /// An image that replaces the engine's own, with its tag.
    pub image: Option<String>,
    /// Memory limit for a container, in bytes.
    pub memory_bytes: Option<u64>,
    /// CPU limit for a container, in cores.
    pub cpus: Option<f64>,
    /// A fixed TCP port on 127.0.0.1 to listen on, besides whatever the provisioner uses itself.
    pub port: Option<u16>,
    /// The user's own database, for `external`.
    pub external: Option<External>,
    /// Where the run's own files go; exists, and other users may pass through it.
    pub work: PathBuf,
    /// How long the server may take to answer its first query, and to stop.
    pub deadline: Duration,
}

/// A database of the user's.
#[derive(Clone, Debug)]
pub struct External {
    /// Where it is.
    pub address: Address,
    /// Where the URL came from: `env:NAME`, `file:PATH` or `flag`; the journal keeps this and not the URL.
    pub reference: String,
    /// The user said `--disposable`.
    pub disposable: bool,
}

/// A server that answers queries.
#[derive(Clone, Debug)]
pub struct Server {
    /// A database on it from which others can be created.
    pub admin: Address,
    /// The version that it says it has.
    pub version: String,
    /// The provisioner's id.
    pub provider: &'static str,
    /// Why this provisioner was taken.
    pub why: String,
    /// How sessions to a server of the user's are encrypted; `None` for a socket, and for servers of our own.
    pub encryption: Option<String>,
}

/// Announces leases to the run's durable journal.
#[async_trait]
pub trait LeaseLog: Send {
    /// Before something is taken. Returns only when the journal is on disk.
    async fn announce(&mut self, lease: &Lease) -> Result<(), ProvisionError>;
}

/// Why a provisioner cannot serve here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unable {
    /// Why not: "no Docker engine answers".
    pub reason: String,
    /// What to install or which flag to give.
    pub hint: String,
}

/// Why a server could not be had or given back.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// Nothing can serve the request here.
    #[error("{}", .0.reason)]
    Unable(Unable),
    /// A database that was not declared disposable, or is not empty; nothing was written.
    #[error("refused to use {place}: {reason}")]
    NotDisposable {
        /// The address without password.
        place: String,
        /// Why it was refused.
        reason: String,
    },
    /// The server did not come up, or stopped at once.
    #[error("{what} did not come up: {problem}")]
    DidNotStart {
        /// The server.
        what: String,
        /// What went wrong: "no answer within 60 s", "exited with status 1".
        problem: String,
        /// What to do about it, where that is known.
        hint: Option<String>,
        /// The last lines of its log.
        log_tail: Vec<String>,
    },
    /// The server or its tools failed.
    #[error("failed to {doing}")]
    Failed {
        /// What was being done, as in "remove container x".
        doing: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server answers, but says no.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The journal could not be written, so nothing was taken.
    #[error("failed to write the journal")]
    Journal(#[source] std::io::Error),
}

impl From<Unable> for ProvisionError {
    fn from(unable: Unable) -> Self {
        Self::Unable(unable)
    }
}

impl ProvisionError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unable(unable) => Some(unable.hint.clone()),
            Self::NotDisposable { .. } => Some(format!(
                "if nothing in it may be lost, leave it alone; if it is disposable, give --disposable or create a table \
                 `{}` in it",
                external::MARKER
            )),
            Self::DidNotStart { hint, .. } => hint.clone(),
            Self::Failed { .. } | Self::Engine(_) | Self::Journal(_) => None,
        }
    }
}
