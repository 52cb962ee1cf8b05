//! Runs that are killed, interrupted, kept, taken up again, rolled back and cleaned away, as a user does it.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value as Json;

use crate::support::{Ended, Sandbox, skipped};

mod by_file;
mod commanding;
mod converting;
mod copying;
mod killed;
mod restoring;
mod stopped;
mod taken_up;
mod whole;

/// How long a run may take to get anywhere; never waited for in full unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(120);

/// The scenario of these tests: the import of `children` takes about two seconds, whatever the machine.
const FILES: &[(&str, &str)] = &[
    (
        "scenario.toml",
        "format_version = 1\ntitle = \"A slow import\"\n[source]\nengine = \"sqlite\"\nschema = \"source.sql\"\n\
         dataset = \"dataset.toml\"\n[target]\nengine = \"postgres\"\nschema = \"target.sql\"\n\
         [[step]]\nname = \"transfer\"\nkind = \"transfer\"\nbatch_rows = 20\n",
    ),
    ("dataset.toml", "format_version = 1\n[table.parents]\nrows = 20\n[table.children]\nrows = 200\n"),
    (
        "source.sql",
        "CREATE TABLE parents (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
         CREATE TABLE children (id INTEGER PRIMARY KEY, parent_id INTEGER NOT NULL REFERENCES parents (id), note TEXT);",
    ),
    (
        "target.sql",
        "CREATE TABLE parents (id bigint PRIMARY KEY, name text NOT NULL);
         CREATE TABLE children (id bigint PRIMARY KEY, parent_id bigint NOT NULL REFERENCES parents (id), note text);
         CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_sleep(0.01); RETURN NEW; END $$;
         CREATE TRIGGER slowly BEFORE INSERT ON children FOR EACH ROW EXECUTE FUNCTION slowly();",
    ),
];

/// A sandbox with the slow scenario in it.
struct Place {
    sandbox: Sandbox,
    provider: &'static str,
}

impl Place {
    /// `None`, and said so, where the provider has no server here.
    fn new(test: &str, provider: &'static str) -> Option<Self> {
        Self::with(FILES, test, provider)
    }

    /// The same with another scenario.
    fn with(files: &[(&str, &str)], test: &str, provider: &'static str) -> Option<Self> {
        let sandbox = Sandbox::new();
        for (name, text) in files {
            sandbox.write(&format!("slow/{name}"), text);
        }
        let place = Self { sandbox, provider };
        // Docker is asked as the program asks it; programs are where this distribution has them.
        let there = match provider {
            "container" => Command::new("docker").args(["image", "inspect", "postgres:15"]).output(),
            _ => Command::new("sh").args(["-c", "ls /usr/lib/postgresql/*/bin/initdb"]).output(),
        };
        if there.is_ok_and(|output| output.status.success()) {
            return Some(place);
        }
        skipped(test, provider, "no server of that provider was found");
        None
    }

    /// `rehearse run` of the slow scenario.
    fn start(&self, more: &[&str]) -> Playing<'_> {
        let scenario = self.sandbox.path("slow").display().to_string();
        let mut arguments = vec!["run", &scenario, "--provider", self.provider, "--seed", "7"];
        if !more.contains(&"--target-version") {
            arguments.extend(["--target-version", "15"]);
        }
        arguments.extend(more);
        let mut command = self.sandbox.rehearsal(&arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Playing { place: self, child }
    }

    /// A verb that takes a run up by its id.
    fn verb(&self, verb: &str, id: &str) -> Ended {
        self.sandbox.call(&[verb, id])
    }

    /// The directory of the run, as soon as it has one.
    fn run_directory(&self) -> Option<PathBuf> {
        let runs = fs::read_dir(self.sandbox.out().join("slow")).ok()?;
        let is_run = |path: &PathBuf| !path.is_symlink() && path.join("events.jsonl").exists();
        runs.map(|entry| entry.unwrap().path()).find(is_run)
    }

    fn id(&self) -> String {
        self.run_directory().unwrap().file_name().unwrap().to_str().unwrap().to_owned()
    }

    /// What happened so far; a line that is being written is left out.
    fn events(&self) -> Vec<Json> {
        let Some(directory) = self.run_directory() else { return Vec::new() };
        let text = fs::read_to_string(directory.join("events.jsonl")).unwrap_or_default();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str::<Json>(line).unwrap()["kind"].clone()).collect()
    }

    fn report(&self) -> Json {
        serde_json::from_slice(&fs::read(self.run_directory().unwrap().join("report.json")).unwrap()).unwrap()
    }

    /// How often something happened.
    fn count(&self, happened: impl Fn(&Json) -> bool) -> usize {
        self.events().iter().filter(|event| happened(event)).count()
    }

    /// Panics unless the journal and the reports are whole and nothing of the run is left.
    #[track_caller]
    fn assert_ended(&self) {
        let events = self.events();
        assert_eq!(events.last().unwrap()["event"], "run_finished", "{events:#?}");
        for name in ["report.json", "report.md", "report.html", "junit.xml"] {
            assert!(self.run_directory().unwrap().join(name).exists(), "{name}");
        }
        self.assert_nothing_left();
    }

    /// Panics if a container, a process, a folder or an entry of the registry is left.
    #[track_caller]
    fn assert_nothing_left(&self) {
        self.sandbox.assert_released();
        assert_eq!(fs::read_dir(self.sandbox.work()).unwrap().count(), 0, "the work directory");
        assert_eq!(processes(&self.sandbox.work().display().to_string()), Vec::new());
        let label = format!("label=rehearse.run={}", self.id());
        if let Ok(output) = Command::new("docker").args(["ps", "-aq", "--filter", &label]).output() {
            assert_eq!(String::from_utf8_lossy(&output.stdout), "");
        }
    }
}

/// A test that fails leaves nothing standing either.
impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() && self.run_directory().is_some() {
            let _ = self.sandbox.command(&["clean", &self.id()]).output();
        }
    }
}

/// A run under way.
struct Playing<'a> {
    place: &'a Place,
    child: Child,
}

impl Playing<'_> {
    /// Waits until something is in the journal.
    #[track_caller]
    fn until(&mut self, what: &str, happened: impl Fn(&Json) -> bool) {
        let since = Instant::now();
        while !self.place.events().iter().any(&happened) {
            assert!(self.child.try_wait().unwrap().is_none(), "the run ended before {what}: {}", self.said());
            assert!(since.elapsed() < PATIENCE, "no {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until the import is in the middle of its second, slow table.
    #[track_caller]
    fn until_import(&mut self, act: &str) {
        self.until(act, |event| event["step"] == act && event["mark"]["import"] == "committing");
        std::thread::sleep(Duration::from_millis(300));
    }

    fn said(&mut self) -> String {
        let mut text = String::new();
        let _ = std::io::Read::read_to_string(self.child.stderr.as_mut().unwrap(), &mut text);
        text
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// `SIGKILL`, which nobody can prepare for. Gives the run's id.
    fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.place.id()
    }

    fn output(self) -> Output {
        let Self { child, .. } = self;
        child.wait_with_output().unwrap()
    }

    fn exit_code(self) -> i32 {
        self.output().status.code().unwrap()
    }
}

/// Living processes with this in their command lines, by number.
pub fn processes(containing: &str) -> Vec<(u32, String)> {
    let all = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    all.filter_map(|pid: u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        // A zombie has no command line.
        line.contains(containing).then_some((pid, line))
    })
    .collect()
}

/// Children of a process.
fn children(parent: u32) -> Vec<u32> {
    let output = Command::new("ps").args(["-o", "pid=", "--ppid", &parent.to_string()]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

fn step_started(act: &str) -> impl Fn(&Json) -> bool + '_ {
    move |event| event["event"] == "step_started" && event["step"] == act
}

fn step_finished(act: &str) -> impl Fn(&Json) -> bool + '_ {
    move |event| event["event"] == "step_finished" && event["step"] == act
}

fn no_trace(report: &Json) -> &Json {
    let checks = report["scenarios"][0]["checks"].as_array().unwrap();
    &checks.iter().find(|check| check["id"] == "no_trace").unwrap()["outcome"]
}
