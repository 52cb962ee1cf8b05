//! A product's own programs, called with arguments and never by a shell: those of this machine, or those beside a server
//! that runs in a container of ours.

mod container;

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, Command},
};

use crate::model::Address;
use container::Container;

/// Bytes of what a program says on its standard error that are kept.
const SAID: u64 = 1 << 16;

/// One call of a program.
pub(super) struct Program {
    place: Place,
    name: &'static str,
    /// Its version, where it was asked for: `15.18`.
    pub version: String,
    arguments: Vec<OsString>,
    variables: Vec<(&'static str, String)>,
}

/// Where a program is.
enum Place {
    Machine(PathBuf),
    Container(Container),
}

/// Which programs are looked for.
pub(super) struct Wanted {
    /// The program.
    pub name: &'static str,
    /// Where distributions put it, `*` standing for a version.
    pub folders: &'static [&'static str],
    /// Reads its version out of what it prints.
    pub version: fn(&str) -> Option<String>,
    /// How well a version suits: not at all, or the less the better.
    pub suits: fn(version: &str, server: &str) -> Option<u32>,
}

impl Program {
    /// The newest one of this name on this machine; `None` if there is none.
    pub fn find(name: &'static str, folders: &[&str]) -> Option<Self> {
        candidates(name, folders).into_iter().next().map(|path| Self::at(Place::Machine(path), name))
    }

    /// The one that suits a version best: on this machine one that suits exactly (0), or else that in the container of the
    /// server, or else another of this machine that suits.
    ///
    /// # Errors
    /// What there is instead.
    pub async fn suiting(wanted: &Wanted, version: &str, server: &Address) -> Result<Self, String> {
        let mut found = Vec::new();
        let mut best: Option<(u32, Self)> = None;
        for path in candidates(wanted.name, wanted.folders) {
            let program = Self::at(Place::Machine(path), wanted.name);
            let Some(own) = program.version(wanted).await else { continue };
            if let Some(rank) = (wanted.suits)(&own, version)
                && best.as_ref().is_none_or(|(known, _)| rank < *known)
            {
                let program = Self { version: own.clone(), ..program };
                if rank == 0 {
                    return Ok(program);
                }
                best = Some((rank, program));
            }
            found.push(own);
        }
        if let Some(container) = Container::of(server).await {
            let program = Self::at(Place::Container(container), wanted.name);
            if let Some(own) = program.version(wanted).await {
                if (wanted.suits)(&own, version).is_some() {
                    return Ok(Self { version: own, ..program });
                }
                found.push(own);
            }
        }
        best.map(|(_, program)| program).ok_or_else(|| match found.as_slice() {
            [] => format!("it takes `{}` for version {version}, which is not installed here", wanted.name),
            some => format!("it takes `{}` for version {version}, and here is {}", wanted.name, some.join(", ")),
        })
    }

    fn at(place: Place, name: &'static str) -> Self {
        Self { place, name, version: String::new(), arguments: Vec::new(), variables: Vec::new() }
    }

    async fn version(&self, wanted: &Wanted) -> Option<String> {
        let mut asking = Self { arguments: vec!["--version".into()], ..Self::at(self.place.again(), self.name) };
        let mut said = Vec::new();
        asking.run_to(None, &mut Sink::Memory(&mut said)).await.ok()?;
        (wanted.version)(&String::from_utf8_lossy(&said))
    }

    /// What it is: `pg_dump 15.18`.
    pub fn told(&self) -> String {
        format!("{} {}", self.name, self.version)
    }

    /// Whether it runs beside the server, and sees neither this machine's files nor its network.
    pub const fn is_contained(&self) -> bool {
        matches!(self.place, Place::Container(_))
    }

    /// Adds an argument.
    pub fn argument(&mut self, argument: impl Into<OsString>) -> &mut Self {
        self.arguments.push(argument.into());
        self
    }

    /// Sets a variable of its environment, which other users do not see.
    pub fn variable(&mut self, name: &'static str, value: impl Into<String>) -> &mut Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Runs it to its end; what it said last, if it failed.
    pub async fn run(mut self) -> Result<(), String> {
        self.run_to(None, &mut Sink::Nothing).await
    }

    /// The same; what it prints becomes a new file, on disk when this returns. `from` is what it reads.
    pub async fn run_into(mut self, from: Option<&Path>, to: &Path) -> Result<(), String> {
        let failed = |error: io::Error| format!("`{}` cannot be written: {error}", to.display());
        // All of a database may be in it.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(failed)?;
        let mut file = tokio::fs::File::from_std(file);
        self.run_to(from, &mut Sink::File(&mut file)).await?;
        file.flush().await.map_err(failed)?;
        file.sync_all().await.map_err(failed)
    }

    /// The same; the lines that it prints.
    pub async fn run_lines(mut self, from: Option<&Path>) -> Result<String, String> {
        let mut said = Vec::new();
        self.run_to(from, &mut Sink::Memory(&mut said)).await?;
        Ok(String::from_utf8_lossy(&said).into_owned())
    }

    async fn run_to(&mut self, from: Option<&Path>, sink: &mut Sink<'_>) -> Result<(), String> {
        match &self.place {
            Place::Machine(path) => {
                let mut command = Command::new(path);
                // Nothing of this process's environment: PGHOST and its kin would say where to write.
                command.env_clear().env("LC_ALL", "C").envs(self.variables.drain(..)).args(&self.arguments);
                command.stdin(match from {
                    None => Stdio::null(),
                    Some(from) => File::open(from).map_err(|error| error.to_string())?.into(),
                });
                let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn();
                on_machine(child.map_err(|error| format!("the program could not be started: {error}"))?, sink).await
            }
            Place::Container(container) => {
                let words = std::iter::once(self.name.into()).chain(self.arguments.iter().cloned());
                let words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
                container.run(words, &self.variables, from, sink).await
            }
        }
    }
}

impl Place {
    fn again(&self) -> Self {
        match self {
            Self::Machine(path) => Self::Machine(path.clone()),
            Self::Container(container) => Self::Container(container.clone()),
        }
    }
}

/// Where goes what a program prints.
enum Sink<'a> {
    Nothing,
    Memory(&'a mut Vec<u8>),
    File(&'a mut tokio::fs::File),
}

impl Sink<'_> {
    async fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Memory(all) => {
                all.extend_from_slice(bytes);
                Ok(())
            }
            Self::File(file) => file.write_all(bytes).await,
        }
    }
}

/// What it prints comes through this process, so that a program whose caller was killed finds nobody to write for.
async fn on_machine(mut child: Child, sink: &mut Sink<'_>) -> Result<(), String> {
    let (mut printed, said) = (child.stdout.take().expect("stdout is piped"), child.stderr.take());
    let printing = async {
        let mut chunk = vec![0; 1 << 16];
        loop {
            match printed.read(&mut chunk).await? {
                0 => return Ok::<_, io::Error>(()),
                read => sink.put(&chunk[..read]).await?,
            }
        }
    };
    let saying = async {
        let mut kept = Vec::new();
        if let Some(mut said) = said {
            // What cannot be read is not told.
            let _ = (&mut said).take(SAID).read_to_end(&mut kept).await;
            let _ = tokio::io::copy(&mut said, &mut tokio::io::sink()).await;
        }
        kept
    };
    let (printed, said) = tokio::join!(printing, saying);
    printed.map_err(|error| format!("what it printed could not be kept: {error}"))?;
    let status = child.wait().await.map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(worst(&said).unwrap_or_else(|| status.to_string())) }
}

/// The line that tells most of what went wrong.
fn worst(said: &[u8]) -> Option<String> {
    let told = String::from_utf8_lossy(said);
    let lines: Vec<&str> = told.lines().filter(|line| !line.trim().is_empty()).collect();
    let first_error = lines.iter().find(|line| line.to_ascii_lowercase().contains("error"));
    first_error.or(lines.last()).map(|line| (*line).to_owned())
}

/// The programs of this name, the newest version first.
fn candidates(name: &str, folders: &[&str]) -> Vec<PathBuf> {
    let all = folders.iter().flat_map(|pattern| matching(pattern)).map(|folder| folder.join(name));
    all.filter(|path| path.is_file()).collect()
}

/// The folders of a pattern, the newest version first.
fn matching(pattern: &str) -> Vec<PathBuf> {
    let Some((before, behind)) = pattern.split_once('*') else { return vec![PathBuf::from(pattern)] };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            let version = name.strip_prefix(prefix)?.parse().ok()?;
            Some((version, Path::new(parent).join(&name).join(behind.trim_start_matches('/'))))
        })
        .collect();
    versions.sort_by(|one, other| other.cmp(one));
    versions.into_iter().map(|(_, folder)| folder).collect()
}
