//! Servers in containers, by testcontainers.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use testcontainers::{
    ContainerRequest, GenericImage, ImageExt, ReuseDirective, TestcontainersError,
    bollard::models::{HostConfig, PortBinding},
    core::IntoContainerPort,
    runners::AsyncRunner,
};
use tokio::time::Instant;

use self::docker::{DockerEngine, Image, Standing};
use super::{
    LeaseLog, ProvisionError, Provisioner, Request, Server, Unable, UrlSource, password, readiness, settle, spec,
};
use crate::{
    engine::ServerSpec,
    model::{Address, Endpoint, EngineId, Host, Lease, LeaseKind, Secret, Tls, chain},
};

mod docker;

/// What every container's name begins with, so that a damaged journal cannot name somebody else's.
const PREFIX: &str = "rehearse-";
/// The label that says which run a container belongs to.
const LABEL: &str = "rehearse.run";
/// A container's shared memory. Docker gives 64 MiB, and a parallel hash join of PostgreSQL fails in that with "No space
/// left on device"; it is a limit and not a reservation.
const SHARED_MEMORY_BYTES: i64 = 1 << 30;

/// How testcontainers calls the host of an engine on this machine.
const LOCALHOST: &str = "localhost";
const ELSEWHERE: &str = "Docker does not seem to run on this very machine, and its ports are only opened on 127.0.0.1 \
                         there; run rehearse where Docker runs, or give --provider local";

/// Servers in containers.
pub(super) struct Container;

#[async_trait]
impl Provisioner for Container {
    fn id(&self) -> &'static str {
        "container"
    }

    fn summary(&self) -> &'static str {
        "a container of the official image, or of one that keeps its environment variables"
    }

    async fn offer(&self, request: &Request) -> Result<String, Unable> {
        let image = image(request, spec(request.engine)?);
        let engine = DockerEngine::find().await?;
        let found = engine.image(&image).await?;
        Ok(why(&engine, &image, &found))
    }

    async fn acquire(&self, request: &Request, leases: &mut dyn LeaseLog) -> Result<Server, ProvisionError> {
        let spec = spec(request.engine)?;
        let image = image(request, spec);
        let engine = DockerEngine::find().await?;
        let found = engine.image(&image).await?;
        let password = password::random()?;
        let name = format!("{PREFIX}{}-{}", request.run, request.side);
        let mut container = prepare(request, spec, &image, &name, &password);
        if found == Image::InRegistry {
            let pulled = container.pull_image().await;
            container = pulled.map_err(|error| docker::no_image(&image, &chain(&error)))?;
        }
        let found = engine.image(&image).await?;
        let lease = Lease {
            id: format!("container-{}", request.side),
            kind: LeaseKind::Container { name: name.clone(), image: image.clone() },
        };
        leases.announce(&lease).await?;

        let deadline = Instant::now() + request.deadline;
        let host = settle::to_its_end(async move { Ok(start(container).await) }).await?;
        let what = format!("{} in {image}", request.engine.title());
        let server = Started { engine, name, what, is_elsewhere: host.as_ref().is_ok_and(|host| host != LOCALHOST) };
        if let Err(error) = host {
            return Err(server.did_not_start(chain(&error), request.port).await);
        }
        let (admin, version) = server.wait(request, spec, Some(password), deadline).await?;
        Ok(Server { admin, version, provider: self.id(), why: why(&server.engine, &image, &found), encryption: None })
    }

    fn owns(&self, lease: &LeaseKind) -> bool {
        matches!(lease, LeaseKind::Container { .. })
    }

    async fn release(&self, lease: &Lease, _urls: &dyn UrlSource) -> Result<(), ProvisionError> {
        let name = container_of(lease)?;
        settle::settled().await;
        DockerEngine::find().await?.remove(name).await
    }

    async fn reattach(&self, lease: &Lease, request: &Request) -> Result<Address, ProvisionError> {
        let spec = spec(request.engine)?;
        let name = container_of(lease)?;
        let engine = DockerEngine::find().await?;
        let Some(standing) = engine.inspect(name, spec.port).await? else {
            let reason = format!("container {name} is not there any more");
            return Err(Unable { reason, hint: "start a new run".to_owned() }.into());
        };
        if !standing.runs || standing.is_paused {
            engine.start(name, &standing).await?;
        }
        let password = standing.password(spec.environment);
        let what = format!("{} in container {name}", request.engine.title());
        let server = Started { engine, name: name.to_owned(), what, is_elsewhere: false };
        let deadline = Instant::now() + request.deadline;
        Ok(server.wait(request, spec, password, deadline).await?.0)
    }
}

/// A container whose server is still coming up.
struct Started {
    engine: DockerEngine,
    name: String,
    what: String,
    /// The engine seems to run on another machine, or outside the container that we run in.
    is_elsewhere: bool,
}

impl Started {
    /// Waits until the server answers a query; gives its address and version.
    ///
    /// While the official images prepare their files, they run a server that listens on its socket only. What answers on
    /// the TCP port is therefore always the final one.
    async fn wait(
        &self,
        request: &Request,
        spec: &ServerSpec,
        password: Option<Secret>,
        deadline: Instant,
    ) -> Result<(Address, String), ProvisionError> {
        let standing = self.engine.inspect(&self.name, spec.port).await?;
        let Some(Standing { port: Some(port), .. }) = standing else {
            return Err(self.did_not_start(self.ending(spec).await, None).await);
        };
        let address = Address {
            engine: EngineId::from(request.engine.id()),
            endpoint: Endpoint::Server {
                host: Host::Tcp { host: "127.0.0.1".to_owned(), port },
                user: spec.superuser.to_owned(),
                password,
                database: spec.maintenance_database.to_owned(),
                tls: Tls::off(),
            },
        };
        tokio::select! {
            () = self.engine.ended(&self.name) => Err(self.did_not_start(self.ending(spec).await, None).await),
            answer = readiness::wait(request.engine, &address, deadline) => match answer {
                Ok(version) => Ok((address, version)),
                Err(problem) => Err(self.did_not_start(problem, None).await),
            },
        }
    }

    async fn ending(&self, spec: &ServerSpec) -> String {
        match self.engine.inspect(&self.name, spec.port).await {
            Ok(Some(standing)) if standing.runs => "its port is not open on 127.0.0.1".to_owned(),
            Ok(Some(standing)) => standing.to_string(),
            _ => "the container is gone".to_owned(),
        }
    }

    async fn did_not_start(&self, problem: String, port: Option<u16>) -> ProvisionError {
        let log_tail = self.engine.log_tail(&self.name).await;
        let is_taken = problem.contains("port is already allocated") || problem.contains("address already in use");
        let (problem, hint) = match port {
            Some(port) if is_taken => (
                format!("port {port} on 127.0.0.1 is in use"),
                Some("free the port, or ask for none: Docker then finds a free one".to_owned()),
            ),
            _ if self.is_elsewhere => (problem, Some(ELSEWHERE.to_owned())),
            _ => (problem, None),
        };
        ProvisionError::DidNotStart { what: self.what.clone(), problem, hint, log_tail }
    }
}

/// Creates and starts a container; tells on which host its ports are opened.
async fn start(container: ContainerRequest<GenericImage>) -> Result<String, TestcontainersError> {
    Ok(container.start().await?.get_host().await?.to_string())
}

/// What testcontainers is asked for.
fn prepare(
    request: &Request,
    spec: &ServerSpec,
    image: &str,
    name: &str,
    password: &Secret,
) -> ContainerRequest<GenericImage> {
    let (image, tag) = split(image);
    let host = host_config(request, spec.port);
    let container = GenericImage::new(image, tag)
        .with_exposed_port(spec.port.tcp())
        .with_container_name(name)
        .with_label(LABEL, request.run.as_str())
        .with_startup_timeout(request.deadline.max(Duration::from_secs(1)))
        .with_host_config_modifier(move |config| config.clone_from(&host))
        // A handle of testcontainers removes its container in the background when it is dropped: too early if the run is
        // to leave it standing or a new process is to find it again, and too late to be sure of it at the end. "Reuse"
        // is its way to say that somebody else looks after the container: here, its lease. The name is unique, so
        // there is never another one to be reused.
        .with_reuse(ReuseDirective::Always);
    (spec.environment)(password.reveal())
        .into_iter()
        .fold(container, |container, (variable, value)| container.with_env_var(variable, value))
}

/// Limits, and a port that only this machine can reach; 0 lets Docker find a free one.
fn host_config(request: &Request, port: u16) -> HostConfig {
    let bytes = request.memory_bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
    let binding =
        PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: Some(request.port.unwrap_or(0).to_string()) };
    HostConfig {
        port_bindings: Some(HashMap::from([(format!("{port}/tcp"), Some(vec![binding]))])),
        memory: bytes,
        // As much with swap as without: none.
        memory_swap: bytes,
        nano_cpus: request.cpus.map(|cores| (cores * 1e9) as i64),
        shm_size: Some(SHARED_MEMORY_BYTES),
        ..HostConfig::default()
    }
}

/// The image with its tag.
fn image(request: &Request, spec: &ServerSpec) -> String {
    request
        .image
        .clone()
        .unwrap_or_else(|| format!("{}:{}", spec.image, request.version.as_deref().unwrap_or(spec.default_tag)))
}

/// Name and tag of an image; the port of a registry (`localhost:5000/postgres`) is no tag.
fn split(image: &str) -> (&str, &str) {
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    }
}

/// Why it is taken: "Docker 28.2.2 answers and has postgres:17 (sha256:57c0fefe7632)".
fn why(engine: &DockerEngine, image: &str, found: &Image) -> String {
    match found {
        Image::Here(id) => format!("Docker {} answers and has {image} ({:.19})", engine.version, id),
        Image::InRegistry => format!("Docker {} answers and can pull {image}", engine.version),
    }
}

/// The name in a container's lease.
fn container_of(lease: &Lease) -> Result<&str, ProvisionError> {
    match &lease.kind {
        LeaseKind::Container { name, .. } if name.starts_with(PREFIX) => Ok(name),
        kind => Err(ProvisionError::Unable(Unable {
            reason: format!("{kind:?} is no container of ours"),
            hint: "use the version of rehearse that took it".to_owned(),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_split_into_name_and_tag() {
        assert_eq!(split("postgres:17"), ("postgres", "17"));
        assert_eq!(split("postgres"), ("postgres", "latest"));
        assert_eq!(split("localhost:5000/postgres"), ("localhost:5000/postgres", "latest"));
        assert_eq!(split("localhost:5000/postgres:17"), ("localhost:5000/postgres", "17"));
    }
}
