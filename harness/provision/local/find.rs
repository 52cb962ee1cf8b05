//! Which server programs are installed here.

use std::{
    ffi::OsStr,
    fmt, fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::process::Command;

use crate::{
    engine::ServerSpec,
    provision::{
        Unable,
        version::{is_version, numbers},
    },
};

/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(5);

/// A server that is installed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Installation {
    /// The folder of its programs; `None` if the search path finds them.
    folder: Option<PathBuf>,
    /// Its version as it tells it: `15.18`.
    pub(super) version: String,
}

impl Installation {
    /// The path of one of its programs, or its bare name if the search path has to find it: distributions put servers apart
    /// from what users call.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        let beside = self.folder.as_ref().map(|folder| folder.join(name));
        beside.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from(name))
    }
}

/// "15.18 in /usr/lib/postgresql/15/bin".
impl fmt::Display for Installation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.folder {
            Some(folder) => write!(f, "{} in {}", self.version, folder.display()),
            None => write!(f, "{} on the search path", self.version),
        }
    }
}

/// Finds the newest installation of a wanted version (`17`, `15.18`), or of any.
pub(super) async fn find(spec: &ServerSpec, title: &str, wanted: Option<&str>) -> Result<Installation, Unable> {
    let mut installed = installations(spec).await;
    installed.sort_by_key(|installation| numbers(&installation.version));
    let fits = |installation: &&Installation| wanted.is_none_or(|wanted| is_version(&installation.version, wanted));
    if let Some(newest) = installed.iter().rfind(fits) {
        return Ok(newest.clone());
    }
    let wish = wanted.map_or_else(|| title.to_owned(), |version| format!("{title} {version}"));
    Err(if installed.is_empty() {
        Unable {
            reason: format!("no {title} is installed here"),
            hint: format!("install {wish}: its program `{}` is looked for in {}", spec.program, places(spec)),
        }
    } else {
        let there: Vec<_> = installed.iter().map(ToString::to_string).collect();
        Unable {
            reason: format!("{wish} is not installed here, only {}", there.join(", ")),
            hint: format!("install {wish}, or ask for a version that is installed"),
        }
    })
}

async fn installations(spec: &ServerSpec) -> Vec<Installation> {
    let mut found = Vec::new();
    for folder in spec.program_folders.iter().flat_map(|pattern| matching(pattern)) {
        if let Some(version) = version(&folder.join(spec.program)).await {
            found.push(Installation { folder: Some(folder), version });
        }
    }
    // A program without a folder is looked for by the system itself, as for every command.
    let searched = version(Path::new(spec.program)).await;
    if let Some(version) = searched.filter(|version| found.iter().all(|known| known.version != *version)) {
        found.push(Installation { folder: None, version });
    }
    found
}

/// The version that a program tells, if there is one and it is a server.
async fn version(program: &Path) -> Option<String> {
    let asked = Command::new(program).arg("--version").stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()?;
    if !output.status.success() {
        return None;
    }
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

/// `15.18` in "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)".
fn parse_version(line: &str) -> Option<String> {
    line.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit())).map(str::to_owned)
}

/// The folders that match a pattern in which `*` stands for any part of a name.
fn matching(pattern: &str) -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::new()];
    for part in Path::new(pattern) {
        folders = match part.to_str().and_then(|part| part.split_once('*')) {
            None => folders.iter().map(|folder| folder.join(part)).collect(),
            Some((before, after)) => folders
                .iter()
                .filter_map(|folder| fs::read_dir(folder).ok())
                .flatten()
                .filter_map(Result::ok)
                .filter(|entry| fits(&entry.file_name(), before, after))
                .map(|entry| entry.path())
                .collect(),
        };
    }
    folders.retain(|folder| folder.is_dir());
    folders
}

fn fits(name: &OsStr, before: &str, after: &str) -> bool {
    let name = name.to_string_lossy();
    name.strip_prefix(before).is_some_and(|rest| rest.ends_with(after))
}

fn places(spec: &ServerSpec) -> String {
    let mut places = spec.program_folders.to_vec();
    places.push("the search path");
    places.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some("15.18".to_owned()));
        assert_eq!(parse_version("mariadbd  Ver 10.11.6-MariaDB for debian"), Some("10.11.6-MariaDB".to_owned()));
        assert_eq!(parse_version("no server at all"), None);
    }

    #[test]
    fn a_star_stands_for_part_of_a_name() {
        let scratch = tempfile::tempdir().unwrap();
        for folder in ["pgsql-15/bin", "pgsql-17/bin", "pgsql-17/lib", "other/bin"] {
            fs::create_dir_all(scratch.path().join(folder)).unwrap();
        }
        let mut found = matching(&format!("{}/pgsql-*/bin", scratch.path().display()));
        found.sort();
        assert_eq!(found, ["pgsql-15/bin", "pgsql-17/bin"].map(|folder| scratch.path().join(folder)));
        assert!(matching(&format!("{}/absent", scratch.path().display())).is_empty());
    }
}
