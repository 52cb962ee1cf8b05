//! What tests of the whole program share.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use rehearse::model::{Report, RunId};

/// Folders of one test, gone at its end: work directory, reports, state.
pub(crate) struct Sandbox(tempfile::TempDir);

impl Sandbox {
    /// Under `/var/tmp`, by a short name (a socket's path must fit into 107 bytes), and such that a server's own account
    /// may pass through it.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("rh").tempdir_in("/var/tmp").unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
        let sandbox = Self(folder);
        for folder in [sandbox.work(), sandbox.out(), sandbox.state()] {
            std::fs::create_dir(&folder).unwrap();
            std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o711)).unwrap();
        }
        sandbox
    }

    /// The sandbox itself.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where runs keep their own files.
    pub fn work(&self) -> PathBuf {
        self.path().join("w")
    }

    /// Where reports go.
    pub fn out(&self) -> PathBuf {
        self.path().join("out")
    }

    /// Where runs are registered.
    pub fn state(&self) -> PathBuf {
        self.path().join("state")
    }

    /// The program, with these arguments, in the project's own folder.
    pub fn rehearse(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).env("REHEARSE_STATE_DIR", self.state());
        if matches!(arguments.first(), Some(&("run" | "plan"))) {
            command.arg("--out").arg(self.out()).arg("--work-dir").arg(self.work());
        }
        command
    }

    /// The report of the newest run of a scenario.
    pub fn report(&self, scenario: &str) -> Report {
        let path = self.out().join(scenario).join("latest/report.json");
        let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_slice(&text).unwrap()
    }

    /// What is left after a run that should have left nothing: files of its own, registrations, and processes at work.
    pub fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        for folder in [self.work(), self.state()] {
            left.extend(std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().display().to_string()));
        }
        for entry in std::fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
            let place = std::fs::read_link(entry.path().join("cwd"));
            if place.is_ok_and(|place| place.starts_with(self.path())) {
                let line = std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
                left.push(format!("process {:?}: {}", entry.file_name(), line.replace('\0', " ")));
            }
        }
        left
    }
}

/// The containers, running or not, whose name tells this run.
pub(crate) fn containers_of(run: &RunId) -> Vec<String> {
    let listed = Command::new("docker").args(["ps", "-a", "--format", "{{.Names}}"]).output().unwrap();
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    names.lines().filter(|name| name.contains(run.as_str())).map(str::to_owned).collect()
}

/// The program under test.
pub(crate) fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_rehearse"))
}

/// What a program said, for the message of a failed test.
pub(crate) fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// Says that a test is skipped; a failure where `REHEARSE_REQUIRE` has the word.
pub(crate) fn skipped(test: &str, word: &str, why: &str) {
    let required = std::env::var("REHEARSE_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|one| one.trim() == word), "{test} requires {word}: {why}");
    println!("skipped: {test}: {why}");
}
