//! What we ask of the Docker engine besides what testcontainers asks: about images and containers by name.

use std::{collections::HashMap, fmt, time::Duration};

use futures_util::StreamExt;
use testcontainers::{
    bollard::{
        Docker,
        errors::Error,
        models::{ContainerInspectResponse, PortBinding},
        query_parameters::{
            InspectContainerOptions, LogsOptions, RemoveContainerOptions, StartContainerOptions, WaitContainerOptions,
        },
    },
    core::client::docker_client_instance,
};
use tokio::time::{Instant, timeout};

use crate::{
    model::{Secret, chain},
    provision::{ProvisionError, Unable},
};

/// How long the engine may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a registry may take to say whether it has an image.
const REGISTRY_PATIENCE: Duration = Duration::from_secs(10);
/// How long the engine may take to remove a container.
const REMOVE_PATIENCE: Duration = Duration::from_secs(30);
/// How many lines of a container's log an error shows.
const TAIL_LINES: usize = 20;

/// A Docker engine that answers.
pub(super) struct DockerEngine {
    docker: Docker,
    /// Its version: `28.2.2`.
    pub(super) version: String,
}

/// Where an image is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Image {
    /// Here, with this id.
    Here(String),
    /// In a registry that answers.
    InRegistry,
}

/// How a container stands.
pub(super) struct Standing {
    /// Whether it runs.
    pub(super) runs: bool,
    /// Whether it is paused; it counts as running then.
    pub(super) is_paused: bool,
    /// Where its port is found on 127.0.0.1; only while it runs.
    pub(super) port: Option<u16>,
    /// Its environment.
    environment: Vec<String>,
    exit_code: i64,
    out_of_memory: bool,
}

impl Standing {
    /// The password that its server was given, in the variable for which `environment` is the template.
    pub(super) fn password(&self, environment: fn(&str) -> Vec<(String, String)>) -> Option<Secret> {
        const PROBE: &str = "probe";
        let (variable, _) = environment(PROBE).into_iter().find(|(_, value)| value == PROBE)?;
        let line = self.environment.iter().find(|line| line.split('=').next() == Some(variable.as_str()))?;
        line.split_once('=').map(|(_, password)| Secret::new(password))
    }
}

/// How it ended: "the container exited with status 1".
impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the container exited with status {}", self.exit_code)?;
        if self.out_of_memory { f.write_str(" (out of memory)") } else { Ok(()) }
    }
}

impl DockerEngine {
    /// Finds the engine in the same way as testcontainers does.
    pub(super) async fn find() -> Result<Self, Unable> {
        let unable = |why: String| Unable {
            reason: format!("no Docker engine answers ({why})"),
            hint: "start Docker, or give --provider local".to_owned(),
        };
        let docker = docker_client_instance().await.map_err(|error| unable(chain(&error)))?;
        match timeout(PATIENCE, docker.version()).await {
            Ok(Ok(version)) => Ok(Self { docker, version: version.version.unwrap_or_default() }),
            Ok(Err(error)) => Err(unable(chain(&error))),
            Err(_) => Err(unable(format!("it was silent for {} s", PATIENCE.as_secs()))),
        }
    }

    /// Finds an image here or in its registry, without pulling it.
    pub(super) async fn image(&self, image: &str) -> Result<Image, Unable> {
        match self.docker.inspect_image(image).await {
            Ok(found) => return Ok(Image::Here(found.id.unwrap_or_default())),
            Err(error) if !is_missing(&error) => return Err(no_image(image, &chain(&error))),
            Err(_) => {}
        }
        match timeout(REGISTRY_PATIENCE, self.docker.inspect_registry_image(image, None)).await {
            Ok(Ok(_)) => Ok(Image::InRegistry),
            Ok(Err(error)) => Err(no_image(image, &chain(&error))),
            Err(_) => Err(no_image(image, &format!("its registry was silent for {} s", REGISTRY_PATIENCE.as_secs()))),
        }
    }

    /// How a container stands; `None` if there is no such container. `port` is the port inside it.
    pub(super) async fn inspect(&self, name: &str, port: u16) -> Result<Option<Standing>, ProvisionError> {
        match self.docker.inspect_container(name, None::<InspectContainerOptions>).await {
            Ok(container) => Ok(Some(standing(container, port))),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(failed("inspect", name, error)),
        }
    }

    /// Starts a container that stands still.
    pub(super) async fn start(&self, name: &str, standing: &Standing) -> Result<(), ProvisionError> {
        let started = if standing.is_paused {
            self.docker.unpause_container(name).await
        } else {
            self.docker.start_container(name, None::<StartContainerOptions>).await
        };
        started.map_err(|error| failed("start", name, error))
    }

    /// Returns when the container runs no more, or when the engine gives no answer about it any more.
    pub(super) async fn ended(&self, name: &str) {
        loop {
            // Requests have a time limit of their own; if that is what ended this one, ask again.
            let answer = self.docker.wait_container(name, None::<WaitContainerOptions>).next().await;
            if !matches!(answer, Some(Err(Error::RequestTimeoutError))) {
                return;
            }
        }
    }

    /// The last lines that a container wrote.
    pub(super) async fn log_tail(&self, name: &str) -> Vec<String> {
        let options =
            LogsOptions { stdout: true, stderr: true, tail: TAIL_LINES.to_string(), ..LogsOptions::default() };
        let mut chunks = self.docker.logs(name, Some(options));
        let mut bytes = Vec::new();
        // This is for an error that is reported already, so a log that cannot be read is left out.
        while let Some(Ok(chunk)) = chunks.next().await {
            bytes.extend_from_slice(&chunk.into_bytes());
        }
        String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
    }

    /// Removes a container with its volumes, whatever it does, and waits until it is gone. One that is not there is no
    /// error.
    pub(super) async fn remove(&self, name: &str) -> Result<(), ProvisionError> {
        let deadline = Instant::now() + REMOVE_PATIENCE;
        loop {
            let options = RemoveContainerOptions { force: true, v: true, link: false };
            match self.docker.remove_container(name, Some(options)).await {
                Err(error) if is_missing(&error) => return Ok(()),
                // After a success it is asked for once more, until the engine does not know it any more. "Conflict" means
                // that somebody's removal of it is under way.
                Ok(()) | Err(Error::DockerResponseServerError { status_code: 409, .. })
                    if Instant::now() < deadline => {}
                Ok(()) => return Ok(()),
                Err(error) => return Err(failed("remove", name, error)),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// The image cannot be had, and what to do about it.
pub(super) fn no_image(image: &str, why: &str) -> Unable {
    // A name without a slash is one of Docker's official images, and for these there is a way without any registry.
    let how = match image.contains('/') {
        false => format!("build it with ci/images/build.sh {image}"),
        true => format!("pull or load it into Docker under the name {image}"),
    };
    Unable {
        reason: format!("image {image} is not here and cannot be pulled ({why})"),
        hint: format!("{how}, or give --provider local"),
    }
}

fn standing(container: ContainerInspectResponse, port: u16) -> Standing {
    let state = container.state.unwrap_or_default();
    let ports: HashMap<_, _> = container.network_settings.and_then(|network| network.ports).unwrap_or_default();
    let first = |bindings: &Option<Vec<PortBinding>>| bindings.as_ref()?.first()?.host_port.as_ref()?.parse().ok();
    Standing {
        runs: state.running.unwrap_or_default(),
        is_paused: state.paused.unwrap_or_default(),
        port: ports.get(&format!("{port}/tcp")).and_then(first),
        environment: container.config.and_then(|config| config.env).unwrap_or_default(),
        exit_code: state.exit_code.unwrap_or_default(),
        out_of_memory: state.oom_killed.unwrap_or_default(),
    }
}

fn is_missing(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 404, .. })
}

fn failed(doing: &str, name: &str, error: Error) -> ProvisionError {
    ProvisionError::Failed { doing: format!("{doing} container {name}"), source: error.into() }
}
