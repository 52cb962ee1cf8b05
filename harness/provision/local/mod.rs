//! A throw-away cluster from server programs that are installed here.
//!
//! Nothing is needed but `initdb` and `postgres`: no service, no configuration, no `sudo`. The cluster listens on a socket in its
//! own directory, keeps production's durability, and is gone with its directory.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio::time::Instant;

use self::{account::Account, cluster::Cluster, cluster::Tools, find::Installation};
use super::{LeaseLog, ProvisionError, Provisioner, Request, Server, Unable, UrlSource, password};
use crate::{
    engine::{self, Engine, ServerSpec},
    model::{Address, EngineId, Lease, LeaseKind},
};

mod account;
mod cluster;
mod find;
mod process;

/// The program that makes a cluster; it lies beside the server.
const INITDB: &str = "initdb";
/// The server whose clusters are made here.
const POSTGRES: &str = "postgres";

/// Clusters from installed programs.
pub(super) struct Local;

/// What was found out for one request.
struct Ready {
    installation: Installation,
    account: Account,
    directory: PathBuf,
}

impl Ready {
    async fn find(request: &Request) -> Result<Self, Unable> {
        let title = request.engine.title();
        let spec = request.engine.server().filter(|spec| spec.program == POSTGRES).ok_or_else(|| Unable {
            reason: format!("no {title} server can be started from installed programs"),
            hint: "give --provider container or --provider external".to_owned(),
        })?;
        let installation = find::find(spec, title, request.version.as_deref()).await?;
        let account = Account::find()?;
        let directory = directory(request);
        account.can_reach(&request.work)?;
        Cluster::at(directory.clone()).check_socket_path(request.port)?;
        Ok(Self { installation, account, directory })
    }

    /// Why it is taken: "PostgreSQL 15.18 in /usr/lib/postgresql/15/bin".
    fn why(&self, engine: &dyn Engine) -> String {
        format!("{} {}", engine.title(), self.installation)
    }
}

#[async_trait]
impl Provisioner for Local {
    fn id(&self) -> &'static str {
        "local"
    }

    fn summary(&self) -> &'static str {
        "a throw-away cluster from PostgreSQL programs that are installed here"
    }

    async fn offer(&self, request: &Request) -> Result<String, Unable> {
        Ok(Ready::find(request).await?.why(request.engine))
    }

    async fn acquire(&self, request: &Request, leases: &mut dyn LeaseLog) -> Result<Server, ProvisionError> {
        let deadline = Instant::now() + request.deadline;
        let ready = Ready::find(request).await.map_err(ProvisionError::Unable)?;
        let why = ready.why(request.engine);
        let password = password::random()?;
        let lease = Lease {
            id: format!("cluster-{}", request.side),
            kind: LeaseKind::Cluster {
                directory: ready.directory.clone(),
                engine: EngineId::from(request.engine.id()),
            },
        };
        leases.announce(&lease).await?;

        let cluster = Cluster::at(ready.directory);
        let tools = Tools {
            engine: request.engine,
            installation: ready.installation,
            account: ready.account,
            port: request.port,
            deadline,
        };
        cluster.lay_out(tools.account, &password)?;
        cluster.initialise(&tools).await?;
        let (admin, version) = cluster.start(&tools).await?;
        Ok(Server { admin, version, provider: self.id(), why })
    }

    fn owns(&self, lease: &LeaseKind) -> bool {
        matches!(lease, LeaseKind::Cluster { .. })
    }

    async fn release(&self, lease: &Lease, _urls: &dyn UrlSource) -> Result<(), ProvisionError> {
        let (directory, engine) = cluster_of(lease)?;
        let cluster = Cluster::at(directory.to_path_buf());
        cluster.stop(spec(engine)?).await?;
        cluster.remove().await
    }

    async fn reattach(&self, lease: &Lease, request: &Request) -> Result<Address, ProvisionError> {
        let deadline = Instant::now() + request.deadline;
        let (directory, engine) = cluster_of(lease)?;
        let cluster = Cluster::at(directory.to_path_buf());
        let made_by = cluster.version().ok_or_else(|| {
            ProvisionError::Unable(Unable {
                reason: format!("there is no cluster in {}", directory.display()),
                hint: "start a new run".to_owned(),
            })
        })?;
        let installation =
            find::find(spec(engine)?, engine.title(), Some(&made_by)).await.map_err(ProvisionError::Unable)?;
        let account = Account::find().map_err(ProvisionError::Unable)?;
        cluster.resume(&Tools { engine, installation, account, port: request.port, deadline }).await
    }
}

/// Where a request's cluster goes.
fn directory(request: &Request) -> PathBuf {
    // The server gets the path and works elsewhere, so it has to be absolute; only an empty path cannot be made so.
    let work = std::path::absolute(&request.work).unwrap_or_else(|_| request.work.clone());
    work.join(format!("{}{}", cluster::PREFIX, request.side))
}

/// What the engine says about its server.
fn spec(engine: &dyn Engine) -> Result<&'static ServerSpec, ProvisionError> {
    engine.server().ok_or_else(|| {
        ProvisionError::Unable(Unable {
            reason: format!("{} has no server", engine.title()),
            hint: "use its file".to_owned(),
        })
    })
}

/// The directory and the engine of a cluster's lease.
fn cluster_of(lease: &Lease) -> Result<(&Path, &'static dyn Engine), ProvisionError> {
    if let LeaseKind::Cluster { directory, engine } = &lease.kind {
        let is_ours = directory.is_absolute()
            && directory
                .file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.starts_with(cluster::PREFIX));
        if let (true, Some(engine)) = (is_ours, engine::by_id(engine.as_str())) {
            return Ok((directory, engine));
        }
    }
    Err(ProvisionError::Unable(Unable {
        reason: format!("{:?} is no cluster of ours", lease.kind),
        hint: "use the version of rehearse that took it".to_owned(),
    }))
}
