//! The step `switch`: the application's configuration goes to the target, and comes back byte for byte.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use rehearse::{
    migrate::{StepError, StepKind, StepTask, StepVoice, switch::Switch},
    model::{Address, Endpoint, EngineId, Host, Secret, Sides, Tls, Verdict, chain, event::Direction},
};
use serde_json::{Value as Json, json};

use crate::support::{Sandbox, ended};

const ENV: &str = "# the application\r\nexport DATABASE_URL='sqlite:///app.db' # for now\nDEBUG=0\n";
const TOML: &str = "[db]\nhost = \"localhost\" # here\nport = 1\n";
const PYTHON: &str = "DATABASES = {\n    'ENGINE': 'sqlite3',\n}\n";

/// An application, and the step that switches it.
struct Case {
    sandbox: Sandbox,
    task: StepTask,
}

#[derive(Default)]
struct Voice {
    marks: Vec<Json>,
    /// Whether it goes away at its next mark, as a killed process does; the mark is on disk.
    goes: bool,
}

#[async_trait]
impl StepVoice for Voice {
    async fn mark(&mut self, mark: Json) -> Result<(), StepError> {
        self.marks.push(mark);
        if self.goes { Err(StepError::broken("go on", "killed")) } else { Ok(()) }
    }

    fn progress(&mut self, _doing: &str, _done: u64, _total: Option<u64>) {}

    fn is_stopping(&self) -> bool {
        false
    }
}

/// What a folder holds, with permissions.
fn held(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, u32)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            found.extend(held(&entry.path()));
        } else {
            let mode = entry.metadata().unwrap().permissions().mode();
            found.insert(entry.path(), (fs::read(entry.path()).unwrap(), mode));
        }
    }
    found
}

fn application(folder: &Path) {
    fs::create_dir_all(folder.join("config")).unwrap();
    fs::write(folder.join(".env"), ENV).unwrap();
    fs::set_permissions(folder.join(".env"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(folder.join("config/app.toml"), TOML).unwrap();
    fs::write(folder.join("settings.py"), PYTHON).unwrap();
    fs::write(folder.join("other"), [0xff, 0x00]).unwrap();
}

impl Case {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let folder = sandbox.path("app");
        application(&folder);
        let file = |path: &str, format: &str, key: &str, value: &str| json!({ "path": path, "format": format, "set": [[key, value]] });
        let endpoint = Endpoint::Server {
            host: Host::Tcp { host: "db.example".to_owned(), port: 5433 },
            user: "app".to_owned(),
            password: Some(Secret::new("s'ecret")),
            database: "new".to_owned(),
            tls: Tls::default(),
        };
        let source = Address { engine: EngineId::from("sqlite"), endpoint: Endpoint::File(sandbox.path("app.db")) };
        let target = Address { engine: EngineId::from("postgres"), endpoint };
        let task = StepTask {
            kind: "switch".to_owned(),
            name: "switch".to_owned(),
            direction: Direction::Forward,
            config: json!({ "folder": folder, "url_scheme": null, "files": [
                file(".env", "env", "DATABASE_URL", "{target_url}"),
                file("config/app.toml", "toml", "db.port", "{target_port}"),
                file("settings.py", "text", "'ENGINE': '(.*)'", "postgresql"),
            ] }),
            addresses: Sides::new(source, target),
            stated: Vec::new(),
            folder: sandbox.path("step"),
            log: None,
            marks: Vec::new(),
            reconnect_ms: 1000,
            scratch: None,
        };
        fs::create_dir(&task.folder).unwrap();
        Self { sandbox, task }
    }

    fn application(&self) -> PathBuf {
        self.task.folder.join("application")
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.application().join(path)).unwrap()
    }

    async fn go(&mut self, direction: Direction, goes: bool) -> Result<(), StepError> {
        let mut voice = Voice { marks: self.task.marks.clone(), goes };
        let done = match direction {
            Direction::Back => Switch.back(&self.task, &mut voice).await,
            _ => Switch.forward(&self.task, &mut voice).await,
        };
        self.task.marks = voice.marks;
        done.map(drop)
    }

    /// The user's own folder is never touched; the copy is as it.
    fn assert_as_it_was(&self) {
        let inside = |folder: &Path| -> BTreeMap<PathBuf, (Vec<u8>, u32)> {
            held(folder).into_iter().map(|(path, held)| (path.strip_prefix(folder).unwrap().to_owned(), held)).collect()
        };
        assert_eq!(inside(&self.application()), inside(&self.sandbox.path("app")));
        assert_eq!(fs::read_to_string(self.sandbox.path("app/.env")).unwrap(), ENV);
    }
}

#[tokio::test]
async fn files_are_switched_in_one_act_and_come_back_byte_for_byte() {
    let mut case = Case::new();
    for _ in 0..2 {
        case.go(Direction::Forward, false).await.unwrap();
        let env = case.text(".env");
        let url = "postgresql://app:s%27ecret@db.example:5433/new";
        assert!(env.contains(&format!("export DATABASE_URL='{url}' # for now\n")), "{env}");
        assert_eq!(case.text("config/app.toml"), TOML.replace("port = 1", "port = 5433"));
        assert_eq!(case.text("settings.py"), PYTHON.replace("sqlite3", "postgresql"));
        let mode = fs::metadata(case.application().join(".env")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        case.go(Direction::Back, false).await.unwrap();
        case.assert_as_it_was();
        case.go(Direction::Back, false).await.unwrap();
    }
}

#[tokio::test]
async fn a_killed_switch_is_taken_back_or_done_again() {
    for resumed in [false, true] {
        let mut case = Case::new();
        case.go(Direction::Forward, true).await.unwrap_err();
        // As if it had got as far as the first file.
        fs::write(case.application().join("settings.py"), PYTHON.replace("sqlite3", "postgresql")).unwrap();
        if resumed {
            case.go(Direction::Forward, false).await.unwrap();
            assert_eq!(case.text("settings.py"), PYTHON.replace("sqlite3", "postgresql"));
        }
        case.go(Direction::Back, false).await.unwrap();
        case.assert_as_it_was();
    }
}

#[tokio::test]
async fn a_value_that_is_not_there_changes_nothing_and_all_such_are_told() {
    let mut case = Case::new();
    case.task.config["files"][1]["set"] = json!([["db.prt", "1"]]);
    case.task.config["files"][2]["set"] = json!([["'ENG': '(.*)'", "x"]]);
    let error = case.go(Direction::Forward, false).await.unwrap_err();
    let said = chain(&error);
    assert!(matches!(error, StepError::Rejected { .. }), "{said}");
    assert!(
        said.contains("`config/app.toml`: there is no `db.prt`") && said.contains("`settings.py`: nothing"),
        "{said}"
    );
    case.assert_as_it_was();
}

#[tokio::test]
async fn what_somebody_else_changed_is_not_written_over() {
    let mut case = Case::new();
    case.go(Direction::Forward, false).await.unwrap();
    fs::write(case.application().join("config/app.toml"), "[db]\nhost = 'elsewhere'\n").unwrap();
    let error = case.go(Direction::Back, false).await.unwrap_err();
    assert!(matches!(&error, StepError::Refused { what } if what.contains("`config/app.toml`")), "{}", chain(&error));
    assert!(case.text("config/app.toml").contains("elsewhere"));
}

#[test]
fn a_scenario_that_switches_an_application_is_rehearsed() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("switched");
    application(&folder.join("app"));
    let scenario = |path: &str| {
        format!(
            "format_version = 1\ntitle = \"Switch\"\n[source]\nengine = \"sqlite\"\nschema = \"schema.sql\"\n\
             [target]\nengine = \"sqlite\"\nin_place = true\n\
             [[step]]\nkind = \"switch\"\nfolder = \"app\"\n\
             [[step.file]]\npath = \"{path}\"\nset = {{ DATABASE_URL = \"{{target_url}}\" }}\n"
        )
    };
    fs::write(folder.join("schema.sql"), "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT);").unwrap();
    fs::write(folder.join("scenario.toml"), scenario(".env")).unwrap();
    let ended_well = ended(&mut sandbox.rehearsal(&["run", folder.to_str().unwrap()]));
    assert_eq!((ended_well.code, sandbox.report("switched").verdict), (0, Verdict::Pass), "{ended_well:?}");
    fs::write(folder.join("scenario.toml"), scenario("settings.py")).unwrap();
    let invalid = ended(&mut sandbox.rehearsal(&["run", folder.to_str().unwrap()]));
    assert_eq!(invalid.code, 2, "{invalid:?}");
    assert!(invalid.stderr.contains("nothing tells the form of `settings.py`"), "{invalid:?}");
}
