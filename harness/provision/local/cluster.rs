//! A throw-away cluster: its private directory, and the server on it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::Pid;
use tokio::{process::Command, task::JoinHandle, time::Instant};

use super::{Tools, account::Account, process};
use crate::{
    engine::{Engine, ServerSpec},
    model::{Address, Endpoint, EngineId, Host, Secret, Tls},
    provision::{ProvisionError, Unable, directory, readiness},
};

/// `sockaddr_un` has room for 108 bytes with the closing zero.
const LONGEST_SOCKET_PATH: usize = 107;
/// The number in the socket's name where no TCP port is asked for.
const SOCKET_PORT: u16 = 5432;
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
/// A private directory that holds `data/`, `socket/`, `server.log` and `password`.
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

    fn postmaster_pid(&self) -> PathBuf {
        self.data().join("postmaster.pid")
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

    /// Whether the system can hold the path of its socket.
    pub(super) fn check_socket_path(&self, port: Option<u16>) -> Result<(), Unable> {
        let path = self.socket().join(format!(".s.PGSQL.{}", port.unwrap_or(SOCKET_PORT)));
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
    pub(super) fn lay_out(&self, account: Account, password: &Secret) -> Result<(), ProvisionError> {
        let make = || -> io::Result<()> {
            for directory in [&self.directory, &self.socket()] {
                fs::DirBuilder::new().mode(0o700).create(directory)?;
                account.own(directory)?;
            }
            let private = |path| OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            private(self.password())?.write_all(password.reveal().as_bytes())?;
            private(self.log())?;
            account.own(&self.password())?;
            account.own(&self.log())
        };
        make().map_err(|source| self.failed("make", source))
    }

    /// Fills `data/` with a new, empty cluster.
    pub(super) async fn initialise(&self, tools: &Tools) -> Result<(), ProvisionError> {
        // Not every system has this locale; without one PostgreSQL sorts in the same order, but knows letters only in
        // ASCII.
        let status = match self.initdb(tools, "--locale=C.UTF-8").await? {
            status if status.success() => status,
            _ => self.initdb(tools, "--no-locale").await?,
        };
        if !status.success() {
            return Err(self.did_not_start(tools, format!("initdb {}", ended(status))));
        }
        // What it said on its way is of no interest any more, and would stand before the server's own last words.
        let emptied = OpenOptions::new().write(true).truncate(true).open(self.log());
        emptied.map(drop).map_err(|source| self.failed("empty the log of", source))
    }

    async fn initdb(&self, tools: &Tools, locale: &str) -> Result<ExitStatus, ProvisionError> {
        let spec = tools.spec;
        let mut command = self.command(tools, tools.maker)?;
        command
            .arg("--pgdata")
            .arg(self.data())
            .arg("--pwfile")
            .arg(self.password())
            .arg(format!("--username={}", spec.superuser))
            .args(["--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums", locale])
            // Nobody needs these first files after a power cut; whatever the server writes later is synced as usual.
            .arg("--no-sync")
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(|source| self.failed("run initdb for", source))?;
        match tokio::time::timeout_at(tools.deadline, child.wait()).await {
            Ok(status) => status.map_err(|source| self.failed("wait for initdb for", source)),
            Err(_) => Err(self.did_not_start(tools, "initdb did not finish within the deadline".to_owned())),
        }
    }

    /// Starts the server, waits until it answers a query, and gives the address and the version that it tells.
    pub(super) async fn start(&self, tools: &Tools) -> Result<(Address, String), ProvisionError> {
        let mut exit = self.spawn(tools)?;
        let address = self.address(tools.engine, tools.spec, tools.port.unwrap_or(SOCKET_PORT))?;
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
        // `fsync`, `full_page_writes` and `synchronous_commit` stay on: what is rehearsed, and how long it takes, must be
        // what happens in production. The socket lies in a directory of our own: no port to race for, and no way in for
        // other users.
        let settings = [
            format!("unix_socket_directories={}", quoted(&self.socket())),
            "unix_socket_permissions=0700".to_owned(),
            format!("listen_addresses={}", if tools.port.is_some() { "127.0.0.1" } else { "" }),
            format!("port={}", tools.port.unwrap_or(SOCKET_PORT)),
            // Everything to stderr, which is the log file itself: no pipe that somebody would have to drain.
            "log_destination=stderr".to_owned(),
            "logging_collector=off".to_owned(),
        ];
        let mut command = self.command(tools, tools.spec.program)?;
        command.arg("-D").arg(self.data()).args(settings.iter().flat_map(|setting| ["-c", setting]));
        let mut child = command.spawn().map_err(|source| self.failed("start the server of", source))?;
        // This task outlives the request: it reaps the server whenever and however it ends.
        Ok(tokio::spawn(async move { child.wait().await }))
    }

    /// Whether the server that was on this cluster was killed, and could not tidy up.
    pub(super) fn was_killed(&self) -> bool {
        self.postmaster_pid().exists()
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
        // Lines: process number, data directory, time of start, port, socket directory, …
        let text = fs::read_to_string(self.postmaster_pid()).ok()?;
        let mut lines = text.lines();
        let pid = Pid::from_raw(lines.next()?.trim().parse().ok()?)?;
        let port = lines.nth(2)?.trim().parse().ok()?;
        // The file stays behind after a kill, and its number may be another process's by now.
        let lives = process::working_in(&self.data(), &[spec.program]).iter().any(|process| process.pid == pid);
        lives.then_some(port)
    }

    /// The major version of the programs that made the cluster.
    pub(super) fn version(&self) -> Option<String> {
        fs::read_to_string(self.data().join("PG_VERSION")).ok().map(|text| text.trim().to_owned())
    }

    /// Stops everything that runs on the cluster, in whatever state it is.
    pub(super) async fn stop(&self, spec: &ServerSpec) -> Result<(), ProvisionError> {
        let programs: Vec<&str> = [spec.program].into_iter().chain(spec.cluster_maker).collect();
        process::end(&self.directory, &programs, STOP_PATIENCE)
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
        command
            .current_dir(&self.directory)
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .env_remove("PGDATA")
            .env_remove("PGDATESTYLE")
            .env_remove("PGCLIENTENCODING")
            .env_remove("PGPORT")
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
            Some(port) if says("could not bind") && says("Permission denied") => (
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

/// A path in a list of paths in PostgreSQL's settings.
fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('"', "\"\""))
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
