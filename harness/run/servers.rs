//! Gets a database for each side: a file for an embedded engine, a scratch database on a provisioned server otherwise.

use std::{path::PathBuf, time::Duration};

use super::{Options, recorder::Recorder};
use crate::{
    engine::{self, Engine},
    model::{Address, Endpoint, EngineId, EventKind, Lease, LeaseKind, RunId, Side, chain},
    provision::{self, External, ProvisionError, Request, Unable, choose, scratch},
};

/// What is asked for one side.
pub(super) struct Wanted<'a> {
    /// The run.
    pub run: &'a RunId,
    /// The side.
    pub side: Side,
    /// Its engine.
    pub engine: &'a EngineId,
    /// The version of its server.
    pub version: Option<String>,
    /// The image of its container.
    pub image: Option<String>,
    /// The provisioner that the scenario insists on.
    pub provider: Option<String>,
    /// The user's own database.
    pub external: Option<External>,
    /// The rehearsal's own folder.
    pub work: PathBuf,
}

/// A database that is ready.
pub(super) struct Ready {
    /// Where it is.
    pub address: Address,
    /// What the report says about it.
    pub event: EventKind,
}

/// Why a side has no database.
pub(super) enum Unready {
    /// Nothing here can give one: the scenario is skipped.
    Unable(Unable),
    /// The user's database may not be used: nothing was written, and the run ends as a wrong call.
    Refused(String),
    /// It should have come up and did not.
    Broken(String),
}

impl From<ProvisionError> for Unready {
    fn from(error: ProvisionError) -> Self {
        let hint = error.hint().map(|hint| format!("; hint: {hint}")).unwrap_or_default();
        match error {
            ProvisionError::Unable(unable) => Self::Unable(unable),
            ProvisionError::NotDisposable { .. } => Self::Refused(format!("{}{hint}", chain(&error))),
            ProvisionError::DidNotStart { ref log_tail, .. } if !log_tail.is_empty() => {
                Self::Broken(format!("{}{hint}; the last lines of its log: {}", chain(&error), log_tail.join(" | ")))
            }
            other => Self::Broken(format!("{}{hint}", chain(&other))),
        }
    }
}

/// What a side would be here, who would give it and why, without starting anything.
pub(super) async fn offer(wanted: &Wanted<'_>, options: &Options) -> Result<String, Unready> {
    let engine = engine_of(wanted.engine)?;
    if engine.server().is_none() {
        return Ok(format!("{} in a file", wanted.engine));
    }
    let request = request(wanted, engine, options);
    let (provisioner, why) = choose(provider(wanted, options), &request).await?;
    let version = wanted.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    Ok(format!("{}{version} by {}: {why}", wanted.engine, provisioner.id()))
}

/// Gets a database for one side.
pub(super) async fn acquire(wanted: &Wanted<'_>, options: &Options, recorder: &Recorder) -> Result<Ready, Unready> {
    let engine = engine_of(wanted.engine)?;
    let mut leases = recorder.clone();
    let (address, version, provider, why, encryption) = if engine.server().is_none() {
        let address = embedded(wanted);
        let why = "an embedded engine needs no server".to_owned();
        (address, version_of_library(engine).await?, "file".to_owned(), why, None)
    } else {
        let request = request(wanted, engine, options);
        let (provisioner, why) = choose(provider(wanted, options), &request).await?;
        let server = provisioner.acquire(&request, &mut leases).await.map_err(|error| match error {
            // What was asked of the user's own server it cannot give: the call is wrong, and nothing was written.
            ProvisionError::Unable(unable) if request.external.is_some() => {
                Unready::Refused(format!("{}; hint: {}", unable.reason, unable.hint))
            }
            other => other.into(),
        })?;
        let name = scratch::name(wanted.run, wanted.side);
        let external = (provisioner.id() == "external").then_some(request.external.as_ref()).flatten();
        let address = scratch::create(&server, engine, &name, &mut leases, external).await?;
        (address, server.version, server.provider.to_owned(), why, server.encryption)
    };
    let event = EventKind::SideReady {
        side: wanted.side,
        engine: wanted.engine.clone(),
        version,
        provider,
        why,
        place: address.to_string(),
        encryption,
    };
    Ok(Ready { address, event })
}

/// Reaches the database again that an earlier process of the run had got.
pub(super) async fn reattach(wanted: &Wanted<'_>, options: &Options, leases: &[Lease]) -> Result<Address, Unready> {
    let engine = engine_of(wanted.engine)?;
    if engine.server().is_none() {
        return Ok(embedded(wanted));
    }
    let request = request(wanted, engine, options);
    let name = scratch::name(wanted.run, wanted.side);
    for lease in leases.iter().filter(|lease| belongs_to(lease, wanted)) {
        if let Some(provisioner) = provision::ALL.iter().find(|provisioner| provisioner.owns(&lease.kind)) {
            let admin = provisioner.reattach(lease, &request).await?;
            return Ok(admin.with_database(&name));
        }
    }
    Err(Unready::Broken(format!("the run's {} server is not among its leases", wanted.side)))
}

fn belongs_to(lease: &Lease, wanted: &Wanted<'_>) -> bool {
    let side = wanted.side.to_string();
    match &lease.kind {
        LeaseKind::Container { name, .. } | LeaseKind::Database { name, .. } => name.ends_with(&side),
        LeaseKind::Cluster { directory, .. } => directory.to_string_lossy().ends_with(&side),
        LeaseKind::Directory { .. } => false,
    }
}

fn embedded(wanted: &Wanted<'_>) -> Address {
    Address { engine: wanted.engine.clone(), endpoint: Endpoint::File(wanted.work.join(format!("{}.db", wanted.side))) }
}

async fn version_of_library(engine: &'static dyn Engine) -> Result<String, Unready> {
    // Asked in memory, so that the side's own file is not there before it is filled.
    let version = async {
        let Some(mut session) = engine.in_memory()? else { return Ok(String::new()) };
        let version = session.version().await?;
        session.close().await?;
        Ok(version)
    };
    version.await.map_err(|error: engine::EngineError| Unready::Broken(chain(&error)))
}

fn engine_of(id: &EngineId) -> Result<&'static dyn Engine, Unready> {
    engine::by_id(id.as_str()).ok_or_else(|| Unready::Broken(format!("no engine is called `{id}`")))
}

fn provider<'a>(wanted: &'a Wanted<'_>, options: &'a Options) -> Option<&'a str> {
    options.provider.as_deref().or(wanted.provider.as_deref())
}

fn request(wanted: &Wanted<'_>, engine: &'static dyn Engine, options: &Options) -> Request {
    let limits = &options.limits;
    Request {
        run: wanted.run.clone(),
        side: wanted.side,
        engine,
        version: wanted.version.clone(),
        image: wanted.image.clone(),
        memory_bytes: limits.memory_bytes,
        cpus: limits.cpus,
        port: limits.port.filter(|_| wanted.side == Side::Target),
        external: wanted.external.clone(),
        work: wanted.work.clone(),
        deadline: Duration::from_millis(limits.server_ms),
    }
}
