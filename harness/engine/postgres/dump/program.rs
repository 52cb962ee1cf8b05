//! PostgreSQL's own programs, called with arguments and never by a shell.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::Command;

/// Where distributions put the programs, `*` standing for a version.
const FOLDERS: &[&str] =
    &["/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"];

/// One call of a program.
pub(super) struct Program {
    command: Command,
}

impl Program {
    /// The newest one of this name; `None` if there is none.
    pub(super) fn find(name: &str) -> Option<Self> {
        let path = FOLDERS.iter().flat_map(|pattern| matching(pattern)).map(|folder| folder.join(name));
        let path = path.into_iter().find(|path| path.is_file())?;
        let mut command = Command::new(path);
        // Nothing of this process's environment: PGHOST and its kin would say where to write.
        command.env_clear().env("LC_ALL", "C").stdin(Stdio::null()).kill_on_drop(true);
        Some(Self { command })
    }

    /// Adds an argument.
    pub(super) fn argument(&mut self, argument: impl AsRef<OsStr>) -> &mut Self {
        self.command.arg(argument);
        self
    }

    /// Sets a variable of its environment.
    pub(super) fn variable(&mut self, name: &str, value: &str) {
        self.command.env(name, value);
    }

    /// Runs it to its end; what it said last, if it failed.
    pub(super) async fn run(mut self) -> Result<(), String> {
        let output = self.command.stdout(Stdio::null()).stderr(Stdio::piped()).output().await;
        let output = output.map_err(|error| format!("the program could not be started: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let told = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = told.lines().filter(|line| !line.trim().is_empty()).collect();
        let first_error = lines.iter().find(|line| line.contains("ERROR") || line.contains("error:"));
        Err(first_error.or(lines.last()).map_or_else(|| output.status.to_string(), |line| (*line).to_owned()))
    }
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
