//! The program as a user runs it, in a sandbox that leaves nothing behind.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rehearse::model::{Report, RunId};
use tempfile::TempDir;

pub mod mariadb;
pub mod scenarios;
pub mod server;
pub mod steps;

/// The top of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Directories of one test: state, reports and work, all gone at its end.
pub struct Sandbox {
    directory: TempDir,
}

/// How a call of the program ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Sandbox {
    /// On a disk, with a short name, and open for the server's account to pass through.
    pub fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("rh").rand_bytes(5).tempdir_in("/var/tmp").unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o711)).unwrap();
        fs::create_dir(directory.path().join("w")).unwrap();
        fs::set_permissions(directory.path().join("w"), fs::Permissions::from_mode(0o711)).unwrap();
        Self { directory }
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Where reports go.
    pub fn out(&self) -> PathBuf {
        self.path("out")
    }

    /// Where runs have their own files while they last.
    pub fn work(&self) -> PathBuf {
        self.path("w")
    }

    /// Writes a file in it, with its folders.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// The program, called from the repository's top with nothing of this environment that changes what it does.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rehearse"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("REHEARSE_")) {
            command.env_remove(name);
        }
        command.args(arguments).current_dir(root()).stdin(Stdio::null());
        command.env("REHEARSE_STATE_DIR", self.path("state")).env_remove("NO_COLOR");
        command
    }

    /// `rehearse run` or `plan` with this sandbox's places.
    pub fn rehearsal(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(arguments);
        command.arg("--out").arg(self.out()).arg("--work-dir").arg(self.work());
        command
    }

    /// Calls the program and waits for it.
    pub fn call(&self, arguments: &[&str]) -> Ended {
        ended(&mut self.command(arguments))
    }

    /// Calls `run` or `plan` with this sandbox's places and waits for it.
    pub fn rehearse(&self, arguments: &[&str]) -> Ended {
        ended(&mut self.rehearsal(arguments))
    }

    /// Panics unless nothing was started: no reports, no registry, no files of a run.
    #[track_caller]
    pub fn assert_untouched(&self) {
        assert!(!self.out().exists(), "{:?}", files(&self.out()));
        assert!(!self.path("state").exists(), "{:?}", files(&self.path("state")));
        self.assert_released();
    }

    /// Panics if a run left files or is still registered.
    #[track_caller]
    pub fn assert_released(&self) {
        assert_eq!(files(&self.work()), Vec::<PathBuf>::new());
        assert_eq!(files(&self.path("state")), Vec::<PathBuf>::new());
    }

    /// The directory of the only run.
    pub fn run_directory(&self) -> PathBuf {
        let link = files(&self.out()).into_iter().find(|path| path.ends_with("latest/events.jsonl"));
        link.expect("a run left its journal").parent().unwrap().to_owned()
    }

    /// The report of the newest run of a scenario.
    #[track_caller]
    pub fn report(&self, scenario: &str) -> Report {
        let path = self.out().join(scenario).join("latest/report.json");
        let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_slice(&text).unwrap()
    }

    /// Panics if a process still works in the sandbox, or folders of a run are left.
    #[track_caller]
    pub fn assert_quiet(&self) {
        let folders: Vec<_> = fs::read_dir(self.work()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(folders, Vec::<PathBuf>::new());
        for entry in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
            let place = fs::read_link(entry.path().join("cwd"));
            if place.is_ok_and(|place| place.starts_with(self.directory.path())) {
                let line = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
                panic!("{} is left: {}", entry.path().display(), line.replace('\0', " "));
            }
        }
    }

    /// Everything that the program wrote to disk, path and text.
    pub fn artefacts(&self) -> Vec<(PathBuf, String)> {
        let all = files(&self.out()).into_iter().chain(files(&self.path("state")));
        all.map(|path| (path.clone(), String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned())).collect()
    }
}

/// The containers, running or not, whose name tells this run.
pub fn containers_of(run: &RunId) -> Vec<String> {
    let listed = Command::new("docker").args(["ps", "-a", "--format", "{{.Names}}"]).output().unwrap();
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    names.lines().filter(|name| name.contains(run.as_str())).map(str::to_owned).collect()
}

/// Runs a command to its end.
pub fn ended(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Every file below a folder, sorted; links to folders are followed.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// Whether a test must be skipped since something is not there, which is said, and is a failure where
/// `REHEARSE_REQUIRE` has the word.
pub fn skipped(test: &str, word: &str, why: &str) {
    let required = std::env::var("REHEARSE_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|one| one == word), "{test} requires {word}: {why}");
    println!("skipped: {test}: {why}");
}
