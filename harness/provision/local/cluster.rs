//! A throw-away cluster: its private directory, and the server on it.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::Pid;
use tokio::{process::Command, task::JoinHandle, time::Instant};

use super::{Tools, process};
use crate::{
    engine::{
        Engine, ServerSpec,
        cluster::{ClusterPlace, ClusterSpec},
    },
    model::{Address, Endpoint, EngineId, Host, Secret, Tls},
    provision::{ProvisionError, Unable, directory, readiness},
};

/// `sockaddr_un` has room for 108 bytes with the closing zero.
const LONGEST_SOCKET_PATH: usize = 107;
/// How many lines of the log an error shows.
const TAIL_LINES: usize = 20;
/// Enough of the log's end to hold them.
const TAIL_BYTES: u64 = 16 * 1024;
/// How long the server may take to stop in order before it is made to.
const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// How long deleting is tried again, and how often.
const REMOVE_PATIENCE: Duration = Duration::from_secs(2);
const REMOVE_PAUSE: Duration = Duration::from_millis(100);
/// How often it is looked whether a server has taken its cluster.
const TIDY_PAUSE: Duration = Duration::from_millis(10);

/// A private directory that holds `data/`, `socket/`, `server.log`, `password` and `greeting.sql`.
pub(super) struct Cluster {
    directory: PathBuf,
}

impl Cluster {
    /// The cluster in this directory, whether or not it is there.
    pub(super) fn at(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Its private directory.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn pid_file(&self, spec: &ClusterSpec) -> PathBuf {
        self.data().join(spec.pid_file)
    }

    fn socket(&self) -> PathBuf {
        self.directory.join("socket")
    }

    fn log(&self) -> PathBuf {
        self.directory.join("server.log")
    }

    fn password(&self) -> PathBuf {
        self.directory.join("password")
    }

    fn greeting(&self) -> PathBuf {
        self.directory.join("greeting.sql")
    }

    fn place<'a>(&self, tools: &'a Tools) -> ClusterPlace<'a> {
        ClusterPlace {
            data: self.data(),
            socket: self.socket(),
            password: self.password(),
            greeting: self.greeting(),
            superuser: tools.spec.superuser,
            port: tools.port,
        }
    }

    /// Whether the system can hold the path of its socket.
    pub(super) fn check_socket_path(&self, spec: &ServerSpec, port: Option<u16>) -> Result<(), Unable> {
        let path = self.socket().join((spec.cluster.socket)(port.unwrap_or(spec.port)));
        let length = path.as_os_str().len();
        if length <= LONGEST_SOCKET_PATH {
            return Ok(());
        }
        Err(Unable {
            reason: format!(
                "the server's socket {} would have a path of {length} bytes, and the system allows {LONGEST_SOCKET_PATH}",
                path.display()
            ),
            hint: "put the run's files into a directory with a shorter path".to_owned(),
        })
    }

    /// Makes the directory and what lies in it, all open to its owner alone.
    ///
    /// There is no point in here at which the run's future could be dropped: it is all there afterwards, or an error says
    /// why not.
    pub(super) fn lay_out(&self, tools: &Tools, password: &Secret) -> Result<(), ProvisionError> {
        let account = tools.account;
        let make = || -> io::Result<()> {
            for directory in [&self.directory, &self.socket()] {
                fs::DirBuilder::new().mode(0o700).create(directory)?;
                account.own(directory)?;
            }
            let private = |path: &Path, text: &str| -> io::Result<()> {
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())?;
                account.own(path)
            };
            private(&self.password(), password.reveal())?;
            private(&self.greeting(), &(tools.spec.cluster.greeting)(password.reveal()))?;
            private(&self.log(), "")
        };
        make().map_err(|source| self.failed("make", source))
    }

    /// Fills `data/` with a new, empty cluster.
    pub(super) async fn initialise(&self, tools: &Tools) -> Result<(), ProvisionError> {
        let mut outcome = None;
        for arguments in (tools.spec.cluster.make)(&self.place(tools)) {
            let status = self.make(tools, &arguments).await?;
            outcome = Some(status);
            if status.success() {
                break;
            }
        }
        if let Some(status) = outcome.filter(|status| !status.success()) {
            let maker = tools.spec.cluster.maker;
            return Err(self.did_not_start(tools, format!("{maker} {}", ended(status))));
        }
        // What it said on its way is of no interest any more, and would stand before the server's own last words.
        let emptied = OpenOptions::new().write(true).truncate(true).open(self.log());
        emptied.map(drop).map_err(|source| self.failed("empty the log of", source))
    }

    /// Runs the maker to its end.
    async fn make(&self, tools: &Tools, arguments: &[OsString]) -> Result<ExitStatus, ProvisionError> {
        let maker = tools.spec.cluster.maker;
        let mut child = self
            .command(tools, maker)?
            .args(arguments)
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| self.failed(&format!("run {maker} for"), source))?;
        match tokio::time::timeout_at(tools.deadline, child.wait()).await {
            Ok(status) => status.map_err(|source| self.failed(&format!("wait for {maker} for"), source)),
            Err(_) => Err(self.did_not_start(tools, format!("{maker} did not finish within the deadline"))),
        }
    }

    /// Starts the server, waits until it answers a query, and gives the address and the version that it tells.
    pub(super) async fn start(&self, tools: &Tools) -> Result<(Address, String), ProvisionError> {
        let mut exit = self.spawn(tools)?;
        let address = self.address(tools.engine, tools.spec, tools.port.unwrap_or(tools.spec.port))?;
        tokio::select! {
            status = &mut exit => {
                let problem = match status {
                    Ok(Ok(status)) => format!("the server {}", ended(status)),
                    _ => "the server ended".to_owned(),
                };
                Err(self.did_not_start(tools, problem))
            }
            answer = readiness::wait(tools.engine, &address, tools.deadline) => match answer {
                Ok(version) => Ok((address, version)),
                Err(problem) => Err(self.did_not_start(tools, problem)),
            },
        }
    }

    fn spawn(&self, tools: &Tools) -> Result<JoinHandle<io::Result<ExitStatus>>, ProvisionError> {
        let mut command = self.command(tools, tools.spec.program)?;
        command.args((tools.spec.cluster.serve)(&self.place(tools)));
        let mut child = command.spawn().map_err(|source| self.failed("start the server of", source))?;
        // This task outlives the request: it reaps the server whenever and however it ends.
        Ok(tokio::spawn(async move { child.wait().await }))
    }

    /// Whether the server that was on this cluster was killed, and left memory in the system's keeping.
    pub(super) fn left_memory(&self, spec: &ServerSpec) -> bool {
        spec.cluster.leaves_memory && self.pid_file(&spec.cluster).exists()
    }

    /// Takes away the shared memory that a killed server left in the system's keeping: only a server that starts on the
    /// same cluster knows which it was. It need not recover the rows for that, so it is stopped again at once.
    pub(super) async fn tidy(&self, tools: &Tools) -> Result<(), ProvisionError> {
        let exit = self.spawn(tools)?;
        while self.running_on(tools.spec).is_none() && !exit.is_finished() && Instant::now() < tools.deadline {
            tokio::time::sleep(TIDY_PAUSE).await;
        }
        self.stop(tools.spec).await
    }

    /// Reaches the server that runs on this cluster, or starts it again if none does.
    pub(super) async fn resume(&self, tools: &Tools) -> Result<Address, ProvisionError> {
        let spec = tools.spec;
        if let Some(port) = self.running_on(spec) {
            let address = self.address(tools.engine, spec, port)?;
            return match readiness::wait(tools.engine, &address, tools.deadline).await {
                Ok(_) => Ok(address),
                Err(problem) => Err(self.did_not_start(tools, problem)),
            };
        }
        // Children that outlive a killed server keep the next one from starting.
        self.stop(spec).await?;
        Ok(self.start(tools).await?.0)
    }

    /// The port in the name of the socket of the server that runs here, if one does.
    fn running_on(&self, spec: &ServerSpec) -> Option<u16> {
        let text = fs::read_to_string(self.pid_file(&spec.cluster)).ok()?;
        let pid = Pid::from_raw(text.lines().next()?.trim().parse().ok()?)?;
        let port = (spec.cluster.port)(&text)?;
        // The file stays behind after a kill, and its number may be another process's by now.
        let lives = process::working_in(&self.data(), &[spec.program]).iter().any(|process| process.pid == pid);
        lives.then_some(port)
    }

    /// The version of the programs that made the cluster, as far as others may run on it.
    pub(super) fn version(&self, spec: &ServerSpec) -> Option<String> {
        (spec.cluster.made_by)(&self.data())
    }

    /// Stops everything that runs on the cluster, in whatever state it is.
    pub(super) async fn stop(&self, spec: &ServerSpec) -> Result<(), ProvisionError> {
        process::end(&self.directory, &[spec.program, spec.cluster.maker], spec.cluster.stop, STOP_PATIENCE)
            .await
            .map_err(|source| self.failed("stop the server of", source))
    }

    /// Deletes the directory.
    pub(super) async fn remove(&self) -> Result<(), ProvisionError> {
        let deadline = Instant::now() + REMOVE_PATIENCE;
        loop {
            match directory::remove(&self.directory).await {
                // A child that outlived its killed server for a moment may still have been writing.
                Err(_) if Instant::now() < deadline => tokio::time::sleep(REMOVE_PAUSE).await,
                outcome => return outcome,
            }
        }
    }

    fn address(&self, engine: &dyn Engine, spec: &ServerSpec, port: u16) -> Result<Address, ProvisionError> {
        let password =
            fs::read_to_string(self.password()).map_err(|source| self.failed("read the password of", source))?;
        Ok(Address {
            engine: EngineId::from(engine.id()),
            endpoint: Endpoint::Server {
                host: Host::Socket { directory: self.socket(), port },
                user: spec.superuser.to_owned(),
                password: Some(Secret::new(password)),
                database: spec.maintenance_database.to_owned(),
                tls: Tls::off(),
            },
        })
    }

    /// A program of the installation under the server's account, in a process group of its own (a Ctrl-C in the terminal
    /// reaches us alone, and we decide when the server stops), talking English into the log. What the server would take
    /// from the environment of whoever started it is kept from it.
    fn command(&self, tools: &Tools, program: &str) -> Result<Command, ProvisionError> {
        let log = || {
            OpenOptions::new().append(true).open(self.log()).map_err(|source| self.failed("open the log of", source))
        };
        let mut command = Command::new(tools.installation.program(program));
        for variable in tools.spec.cluster.variables {
            command.env_remove(variable);
        }
        command
            .current_dir(&self.directory)
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log()?)
            .stderr(log()?);
        tools.account.run(&mut command);
        Ok(command)
    }

    fn did_not_start(&self, tools: &Tools, problem: String) -> ProvisionError {
        let log_tail = tail(&self.log()).unwrap_or_default();
        let says = |text: &str| log_tail.iter().any(|line| line.contains(text));
        let (problem, hint) = match tools.port {
            Some(port) if says("Address already in use") => (
                format!("port {port} on 127.0.0.1 is in use"),
                Some(
                    "free the port or ask for another one; without one the server is reached by its socket".to_owned(),
                ),
            ),
            Some(port) if (says("could not bind") || says("Bind on TCP/IP")) && says("Permission denied") => (
                format!("the server's account may not listen on port {port}"),
                Some("ask for a port of 1024 or more".to_owned()),
            ),
            _ if says("No space left on device") => (
                format!("{problem}: no space is left on the device of {}", self.directory.display()),
                Some("free some space, or put the run's files onto another device".to_owned()),
            ),
            _ => (problem, None),
        };
        ProvisionError::DidNotStart { what: tools.to_string(), problem, hint, log_tail }
    }

    fn failed(&self, doing: &str, source: io::Error) -> ProvisionError {
        ProvisionError::Failed { doing: format!("{doing} cluster {}", self.directory.display()), source: source.into() }
    }
}

fn ended(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with status {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

/// The last lines of a log, without reading all of it.
fn tail(log: &Path) -> io::Result<Vec<String>> {
    let mut file = File::open(log)?;
    let start = file.metadata()?.len().saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
    Ok(lines[lines.len().saturating_sub(TAIL_LINES)..].to_vec())
}
