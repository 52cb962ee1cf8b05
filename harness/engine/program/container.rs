//! Programs in the container of a server of ours.

use std::{collections::HashMap, path::Path, time::Duration};

use futures_util::StreamExt as _;
use testcontainers::{
    bollard::{
        Docker,
        container::LogOutput,
        exec::{CreateExecOptions, StartExecResults},
        query_parameters::ListContainersOptions,
    },
    core::client::docker_client_instance,
};
use tokio::{io::AsyncWriteExt as _, time::timeout};

use super::{SAID, Sink, worst};
use crate::model::{Address, Endpoint, Host};

/// What the names of our containers begin with; in others nothing is run.
const PREFIX: &str = "rehearse-";
/// How long Docker may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often Docker is asked whether a program that is fed has ended.
const LOOK: Duration = Duration::from_millis(250);
/// How long the last words of such a program may take to come.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A container in which a server runs.
#[derive(Clone)]
pub(super) struct Container {
    docker: Docker,
    name: String,
}

impl Container {
    /// The container of ours that has this server's port open on this machine.
    pub async fn of(server: &Address) -> Option<Self> {
        let Endpoint::Server { host: Host::Tcp { host, port }, .. } = &server.endpoint else { return None };
        if !matches!(host.as_str(), "127.0.0.1" | "localhost") {
            return None;
        }
        let docker = timeout(PATIENCE, docker_client_instance()).await.ok()?.ok()?;
        let filters = HashMap::from([("publish".to_owned(), vec![port.to_string()])]);
        let options = ListContainersOptions { filters: Some(filters), ..ListContainersOptions::default() };
        let listed = timeout(PATIENCE, docker.list_containers(Some(options))).await.ok()?.ok()?;
        let names = listed.into_iter().flat_map(|container| container.names.unwrap_or_default());
        let name = names.map(|name| name.trim_start_matches('/').to_owned()).find(|name| name.starts_with(PREFIX))?;
        Some(Self { docker, name })
    }

    /// Runs a program to its end. When nobody waits for it any more it is not ended: it only reads, and goes with its server.
    pub async fn run(
        &self,
        words: Vec<String>,
        variables: &[(&'static str, String)],
        from: Option<&Path>,
        sink: &mut Sink<'_>,
    ) -> Result<(), String> {
        let failed = |error: testcontainers::bollard::errors::Error| format!("container {}: {error}", self.name);
        let env = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let options = CreateExecOptions {
            cmd: Some(words),
            env: Some(env),
            attach_stdin: Some(from.is_some()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..CreateExecOptions::default()
        };
        let id = self.docker.create_exec(&self.name, options).await.map_err(failed)?.id;
        let StartExecResults::Attached { mut output, mut input } =
            self.docker.start_exec(&id, None).await.map_err(failed)?
        else {
            return Err(format!("container {}: what the program prints cannot be read", self.name));
        };
        let feeding = async {
            if let Some(from) = from {
                let mut file = match tokio::fs::File::open(from).await {
                    Ok(file) => file,
                    Err(error) => return error.to_string(),
                };
                // A program that reads no further says itself why.
                let _ = tokio::io::copy(&mut file, &mut input).await;
                let _ = input.shutdown().await;
            }
            std::future::pending().await
        };
        let mut said = Vec::new();
        let reading = async {
            while let Some(chunk) = output.next().await {
                match chunk.map_err(failed)? {
                    LogOutput::StdErr { message } if (said.len() as u64) < SAID => said.extend_from_slice(&message),
                    LogOutput::StdErr { .. } | LogOutput::StdIn { .. } => {}
                    LogOutput::StdOut { message } | LogOutput::Console { message } => {
                        let kept = sink.put(&message).await;
                        kept.map_err(|error| format!("what it printed could not be kept: {error}"))?;
                    }
                }
            }
            Ok::<_, String>(())
        };
        tokio::select! {
            read = reading => read?,
            error = feeding => return Err(error),
            () = self.ended(&id), if from.is_some() => {}
        }
        match self.docker.inspect_exec(&id).await.map_err(failed)?.exit_code {
            Some(0) => Ok(()),
            code => Err(worst(&said).unwrap_or_else(|| format!("exit code {code:?}"))),
        }
    }

    /// Waits until a program has ended, and a little longer for its last words. Docker keeps the stream open for as long as
    /// bytes wait in it that the program, having read enough, never takes.
    async fn ended(&self, id: &str) {
        loop {
            tokio::time::sleep(LOOK).await;
            let state = self.docker.inspect_exec(id).await;
            if state.is_ok_and(|state| state.running == Some(false)) {
                break tokio::time::sleep(LAST_WORDS).await;
            }
        }
    }
}
