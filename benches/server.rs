//! A server that a benchmark measures on.

use std::{os::unix::fs::PermissionsExt, path::Path, time::Duration};

use async_trait::async_trait;
use rehearse::{
    engine::{self, Engine, Session},
    model::{Address, Endpoint, Host, Lease, Side},
    provision::{self, LeaseLog, ProvisionError, Request, Server, UrlSource},
    run::clock,
};
use tempfile::TempDir;

use crate::Error;

/// A running server, and the directory that everything of the benchmark lies in.
pub struct Started {
    server: Server,
    leases: Leases,
    home: TempDir,
}

impl Started {
    /// Starts the newest server of an engine that the provider has here.
    pub async fn new(engine: &str, provider: &str) -> Result<Self, Error> {
        // Databases belong on a disk, and as root the server's account must be able to pass through.
        let home = tempfile::Builder::new().prefix("rh-bench").tempdir_in("/var/tmp")?;
        std::fs::set_permissions(home.path(), PermissionsExt::from_mode(0o711))?;
        let request = Request {
            run: clock::run_id(),
            side: Side::Target,
            engine: engine::by_id(engine).ok_or("no such engine")?,
            version: None,
            image: None,
            memory_bytes: None,
            cpus: None,
            port: None,
            external: None,
            work: home.path().to_owned(),
            deadline: Duration::from_secs(60),
        };
        let mut leases = Leases(Vec::new());
        let (provisioner, _) = provision::choose(Some(provider), &request).await?;
        match provisioner.acquire(&request, &mut leases).await {
            Ok(server) => Ok(Self { server, leases, home }),
            Err(error) => {
                leases.release().await?;
                Err(error.into())
            }
        }
    }

    /// Its version: `15.18`.
    pub fn version(&self) -> &str {
        &self.server.version
    }

    /// Who gives it, and why.
    pub fn why(&self) -> String {
        format!("{}: {}", self.server.provider, self.server.why)
    }

    /// Where everything of the benchmark lies.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Its engine.
    pub fn engine(&self) -> &'static dyn Engine {
        engine::by_id(self.server.admin.engine.as_str()).expect("its engine started it")
    }

    /// One of its databases, or the one from which others are made.
    pub fn address(&self, database: Option<&str>) -> Address {
        match database {
            Some(name) => self.server.admin.with_database(name),
            None => self.server.admin.clone(),
        }
    }

    /// Opens a session in one of its databases.
    pub async fn session(&self, database: Option<&str>) -> Result<Box<dyn Session>, Error> {
        Ok(self.engine().connect(&self.address(database)).await?)
    }

    /// Stops it and removes everything.
    pub async fn release(self) -> Result<(), Error> {
        self.leases.release().await
    }
}

/// Measures on a PostgreSQL that is started for it, told of, and released whatever came of it.
pub async fn on_postgres<T>(
    provider: &str,
    measured: impl AsyncFnOnce(&Started) -> Result<T, Error>,
) -> Result<T, Error> {
    let server = Started::new("postgres", provider).await?;
    eprintln!("PostgreSQL {} by {}", server.version(), server.why());
    let done = measured(&server).await;
    server.release().await?;
    done
}

/// A database's URL with the password, for the environment of a program.
pub fn url(address: &Address) -> String {
    let Endpoint::Server { host, user, password, database, .. } = &address.endpoint else { unreachable!("a server") };
    let password = password.as_ref().map_or(String::new(), |password| format!(":{}", password.reveal()));
    match host {
        Host::Tcp { host, port } => format!("{}://{user}{password}@{host}:{port}/{database}", address.engine),
        Host::Socket { directory, port } => {
            let directory = directory.display();
            // The host in the query is the one that counts.
            format!("{}://{user}{password}@localhost/{database}?host={directory}&port={port}", address.engine)
        }
    }
}

struct Leases(Vec<Lease>);

#[async_trait]
impl LeaseLog for Leases {
    async fn announce(&mut self, lease: &Lease) -> Result<(), ProvisionError> {
        self.0.push(lease.clone());
        Ok(())
    }
}

impl Leases {
    async fn release(&self) -> Result<(), Error> {
        for lease in self.0.iter().rev() {
            provision::release(lease, &NoUrls).await?;
        }
        Ok(())
    }
}

struct NoUrls;

impl UrlSource for NoUrls {
    fn url(&self, _reference: &str) -> Option<Address> {
        None
    }
}
