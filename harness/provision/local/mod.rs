//! A throw-away cluster from server programs that are installed here.
//!
//! Nothing is needed but the server and what makes its files (`initdb` and `postgres`, `mariadb-install-db` and `mariadbd`):
//! no service, no configuration, no `sudo`. The cluster listens on a socket in its own directory, keeps production's
//! durability, and is gone with its directory.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use tokio::time::Instant;

use self::{account::Account, cluster::Cluster, find::Installation};
use super::{LeaseLog, ProvisionError, Provisioner, Request, Server, Unable, UrlSource, password, spec};
use crate::{
    engine::{self, Engine, ServerSpec},
    model::{Address, EngineId, Lease, LeaseKind},
};

mod account;
mod cluster;
mod find;
mod process;

/// What every cluster's directory begins with, so that a damaged journal cannot name somebody else's.
const PREFIX: &str = "cluster-";

/// How long tidying up after a killed server may take.
const TIDY_PATIENCE: Duration = Duration::from_secs(5);

/// Clusters from installed programs.
pub(super) struct Local;

/// What it takes to run programs on a cluster.
struct Tools {
    /// The engine whose server it is.
    engine: &'static dyn Engine,
    /// What it says about its server.
    spec: &'static ServerSpec,
    /// Its programs.
    installation: Installation,
    /// Who runs them.
    account: Account,
    /// A TCP port on 127.0.0.1, where one is wanted besides the socket.
    port: Option<u16>,
    /// Until when the server must answer.
    deadline: Instant,
}

impl Tools {
    /// Looks for the programs of a wanted version, or of any.
    async fn find(
        engine: &'static dyn Engine,
        version: Option<&str>,
        port: Option<u16>,
        patience: Duration,
    ) -> Result<Self, Unable> {
        let deadline = Instant::now() + patience;
        let title = engine.title();
        let spec = spec(engine)?;
        if !process::can_be_found() {
            return Err(Unable {
                reason: "a local server cannot be watched here, because this system has no /proc".to_owned(),
                hint: "give --provider container or --provider external".to_owned(),
            });
        }
        let installation = find::find(spec, title, version).await?;
        let account = Account::find(title, spec.cluster.account)?;
        Ok(Self { engine, spec, installation, account, port, deadline })
    }
}

/// "PostgreSQL 15.18 in /usr/lib/postgresql/15/bin".
impl fmt::Display for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.engine.title(), self.installation)
    }
}

/// The cluster of a request, and what it takes to make it.
async fn prepare(request: &Request) -> Result<(Cluster, Tools), Unable> {
    let tools = Tools::find(request.engine, request.version.as_deref(), request.port, request.deadline).await?;
    // The server gets this path and works elsewhere, so it has to be absolute; only an empty one cannot be made so.
    let work = std::path::absolute(&request.work).unwrap_or_else(|_| request.work.clone());
    tools.account.can_reach(&work, tools.spec.cluster.account)?;
    let cluster = Cluster::at(work.join(format!("{PREFIX}{}", request.side)));
    cluster.check_socket_path(tools.spec, request.port)?;
    Ok((cluster, tools))
}

#[async_trait]
impl Provisioner for Local {
    fn id(&self) -> &'static str {
        "local"
    }

    fn summary(&self) -> &'static str {
        "a throw-away cluster from PostgreSQL or MariaDB programs that are installed here"
    }

    async fn offer(&self, request: &Request) -> Result<String, Unable> {
        Ok(prepare(request).await?.1.to_string())
    }

    async fn acquire(&self, request: &Request, leases: &mut dyn LeaseLog) -> Result<Server, ProvisionError> {
        let (cluster, tools) = prepare(request).await?;
        let password = password::random()?;
        let engine = EngineId::from(request.engine.id());
        let kind = LeaseKind::Cluster { directory: cluster.directory().to_owned(), engine };
        leases.announce(&Lease { id: format!("cluster-{}", request.side), kind }).await?;

        cluster.lay_out(&tools, &password)?;
        cluster.initialise(&tools).await?;
        let (admin, version) = cluster.start(&tools).await?;
        Ok(Server { admin, version, provider: self.id(), why: tools.to_string(), encryption: None })
    }

    fn owns(&self, lease: &LeaseKind) -> bool {
        matches!(lease, LeaseKind::Cluster { .. })
    }

    async fn release(&self, lease: &Lease, _urls: &dyn UrlSource) -> Result<(), ProvisionError> {
        let (cluster, engine) = cluster_of(lease)?;
        let spec = spec(engine)?;
        cluster.stop(spec).await?;
        if cluster.left_memory(spec) {
            // What cannot be tidied (the programs are gone, the disk is full) is a few kilobytes of memory, and no reason
            // to leave the rest standing.
            if let Ok(tools) = Tools::find(engine, cluster.version(spec).as_deref(), None, TIDY_PATIENCE).await {
                let _ = cluster.tidy(&tools).await;
                cluster.stop(tools.spec).await?;
            }
        }
        cluster.remove().await
    }

    async fn reattach(&self, lease: &Lease, request: &Request) -> Result<Address, ProvisionError> {
        let (cluster, engine) = cluster_of(lease)?;
        let made_by = cluster.version(spec(engine)?).ok_or_else(|| Unable {
            reason: format!("there is no cluster in {}", cluster.directory().display()),
            hint: "start a new run".to_owned(),
        })?;
        let tools = Tools::find(engine, Some(&made_by), request.port, request.deadline).await?;
        cluster.resume(&tools).await
    }
}

/// The cluster and the engine of a cluster's lease.
fn cluster_of(lease: &Lease) -> Result<(Cluster, &'static dyn Engine), Unable> {
    if let LeaseKind::Cluster { directory, engine } = &lease.kind {
        let name = directory.file_name().and_then(|name| name.to_str());
        let is_ours = directory.is_absolute() && name.is_some_and(|name| name.starts_with(PREFIX));
        if let (true, Some(engine)) = (is_ours, engine::by_id(engine.as_str())) {
            return Ok((Cluster::at(directory.clone()), engine));
        }
    }
    Err(Unable {
        reason: format!("{:?} is no cluster of ours", lease.kind),
        hint: "use the version of rehearse that took it".to_owned(),
    })
}
