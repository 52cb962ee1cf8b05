//! The step `sql`: up, down, and whatever happens in between, on each engine.

use rehearse::{
    migrate::{self, StepDone, StepError, StepKind, StepTask},
    model::{Address, Endpoint, EngineId, Sides, Tls, Verdict, chain, event::Direction},
};
use serde_json::{Value as Json, json};

use crate::support::{
    Sandbox, ended,
    mariadb::{Container, has},
    server::{Started, execute},
    steps::Voice,
};

const UP: &str = "CREATE TABLE notes (id int PRIMARY KEY, body varchar(20));\nINSERT INTO notes VALUES (1, 'one');\n";
const DOWN: &str = "DROP TABLE notes;";

/// A step on one database.
struct Case {
    task: StepTask,
    _sandbox: Sandbox,
}

impl Case {
    fn new(address: &Address, config: Json) -> Self {
        let sandbox = Sandbox::new();
        let text = |file: &str, text: &str| json!({ "file": file, "text": text });
        let mut settings =
            json!({ "side": "target", "up": text("up.sql", UP), "down": text("down.sql", DOWN), "transaction": null });
        settings.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
        let task = StepTask {
            kind: "sql".to_owned(),
            name: "sql".to_owned(),
            direction: Direction::Forward,
            config: settings,
            addresses: Sides::new(address.clone(), address.clone()),
            stated: Vec::new(),
            folder: sandbox.work(),
            log: None,
            marks: Vec::new(),
            reconnect_ms: 5000,
            scratch: None,
        };
        Self { task, _sandbox: sandbox }
    }

    fn of_file() -> Self {
        let sandbox = Sandbox::new();
        let file = sandbox.path("step.db");
        let address = Address { engine: EngineId::from("sqlite"), endpoint: Endpoint::File(file) };
        Self { _sandbox: sandbox, ..Self::new(&address, json!({})) }
    }

    async fn go(&mut self, direction: Direction) -> Result<StepDone, StepError> {
        self.go_until(direction, None, false).await
    }

    async fn go_until(
        &mut self,
        direction: Direction,
        goes_at: Option<&'static str>,
        keeps: bool,
    ) -> Result<StepDone, StepError> {
        let mut marks = self.task.marks.clone();
        let mut voice = Voice { marks: &mut marks, goes_at, keeps };
        let kind = &migrate::sql::Sql;
        let answer = match direction {
            Direction::Back => kind.back(&self.task, &mut voice).await,
            _ => kind.forward(&self.task, &mut voice).await,
        };
        self.task.marks = marks;
        answer
    }

    /// Rows of the table that the step makes; `None` without the table.
    async fn rows(&self) -> Option<usize> {
        let address = &self.task.addresses.target;
        let mut session = rehearse::engine::by_id(address.engine.as_str()).unwrap().connect(address).await.unwrap();
        let rows = session.query("SELECT id FROM notes").await.ok().map(|rows| rows.len());
        session.close().await.unwrap();
        rows
    }
}

/// A database of each engine that can be had; one that cannot is told.
async fn databases(test: &str) -> (Vec<Case>, Option<Started>, Option<Container>) {
    let mut cases = vec![Case::of_file()];
    let started = Started::local(test).await;
    if let Some(started) = &started {
        started.execute("CREATE DATABASE step").await;
        cases.push(Case::new(&started.server.admin.with_database("step"), json!({})));
    }
    let mut container = None;
    if has(test, "11.8").await {
        let server = Container::start("mariadb:11.8", &[], &[]);
        server.wait().await;
        let admin = server.address("127.0.0.1", Tls::default());
        execute(&admin, "CREATE DATABASE step").await;
        cases.push(Case::new(&admin.with_database("step"), json!({})));
        container = Some(server);
    }
    (cases, started, container)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_goes_up_and_down_and_up_again() {
    let (cases, _started, _container) = databases("a_script_goes_up_and_down_and_up_again").await;
    for mut case in cases {
        let engine = case.task.addresses.target.engine.clone();
        for _ in 0..2 {
            let done = case.go(Direction::Forward).await.unwrap();
            assert_eq!(done.figures[0].value, 2.0, "{engine}");
            assert_eq!(case.rows().await, Some(1), "{engine}");
            // Taken up again it does nothing twice.
            case.go(Direction::Forward).await.unwrap();
            assert_eq!(case.rows().await, Some(1), "{engine}");
            case.go(Direction::Back).await.unwrap();
            assert_eq!(case.rows().await, None, "{engine}");
            case.go(Direction::Back).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_fails_is_named_and_takes_back_what_its_transaction_did() {
    let test = "a_statement_that_fails_is_named_and_takes_back_what_its_transaction_did";
    let (cases, _started, _container) = databases(test).await;
    for mut case in cases {
        let engine = case.task.addresses.target.engine.to_string();
        case.task.config["up"]["text"] = format!("{UP}\n\nINSERT INTO nothing VALUES (1);").into();
        let error = case.go(Direction::Forward).await.unwrap_err();
        assert!(chain(&error).contains("run up.sql:5: "), "{engine}: {}", chain(&error));
        // Where each statement stands on its own, those before it are there, and that is told; the way down is taken.
        let stands = engine == "mariadb";
        assert_eq!(matches!(error, StepError::Unrestored { .. }), stands, "{engine}: {error}");
        assert_eq!(case.rows().await, stands.then_some(1), "{engine}");
        case.go(Direction::Back).await.unwrap();
        assert_eq!(case.rows().await, None, "{engine}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_a_killed_script_is_asked_of_the_server() {
    let test = "what_became_of_a_killed_script_is_asked_of_the_server";
    let (cases, _started, _container) = databases(test).await;
    for mut case in cases.into_iter().filter(|case| case.task.addresses.target.engine.as_str() != "mariadb") {
        let engine = case.task.addresses.target.engine.to_string();
        // Before the commit: nothing is there, and the script is run anew.
        case.go_until(Direction::Forward, Some("committing"), true).await.unwrap_err();
        assert_eq!(case.rows().await, None, "{engine}");
        case.go(Direction::Back).await.unwrap();
        // Behind the commit: it is there, and not run twice.
        case.go_until(Direction::Forward, Some("\"ran\""), false).await.unwrap_err();
        assert_eq!(case.rows().await, Some(1), "{engine}");
        case.go(Direction::Forward).await.unwrap();
        // The same on the way down.
        case.go_until(Direction::Back, Some("committing"), true).await.unwrap_err();
        assert_eq!(case.rows().await, Some(1), "{engine}");
        case.go_until(Direction::Back, Some("\"ran\""), false).await.unwrap_err();
        assert_eq!(case.rows().await, None, "{engine}");
        case.go(Direction::Back).await.unwrap();
        case.go(Direction::Forward).await.unwrap();
        assert_eq!(case.rows().await, Some(1), "{engine}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_can_tell_nothing_is_guessed() {
    let mut case = Case::of_file();
    case.task.config["transaction"] = false.into();
    case.go_until(Direction::Forward, Some("\"line\":2"), true).await.unwrap_err();
    assert_eq!(case.rows().await, Some(0));
    let error = case.go(Direction::Forward).await.unwrap_err();
    assert!(matches!(&error, StepError::Refused { what } if what.contains("up.sql:2")), "{error}");
    case.go(Direction::Back).await.unwrap();
    assert_eq!(case.rows().await, None);
    // One that ends transactions itself is not put into one.
    case.task.config["transaction"] = true.into();
    case.task.config["up"]["text"] = "CREATE TABLE notes (id int); COMMIT".into();
    let error = case.go(Direction::Forward).await.unwrap_err();
    assert!(matches!(&error, StepError::Rejected { what } if what.contains("transaction = false")), "{error}");
    assert_eq!(case.rows().await, None);
}

#[test]
fn a_scenario_of_scripts_is_rehearsed() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("scripts");
    std::fs::create_dir(&folder).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("schema.sql", "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT);");
    write("up.sql", "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT); INSERT INTO notes VALUES (1, 'one');");
    write("down.sql", DOWN);
    write("left.sql", "DELETE FROM notes;");
    let scenario = |down: &str| {
        format!(
            "format_version = 1\ntitle = \"Scripts\"\n[source]\nengine = \"sqlite\"\nschema = \"schema.sql\"\n\
             [target]\nengine = \"sqlite\"\nin_place = true\n\
             [[step]]\nkind = \"sql\"\nname = \"notes\"\nup = \"up.sql\"\ndown = \"{down}\"\n"
        )
    };
    write("scenario.toml", &scenario("down.sql"));
    let mut command = sandbox.rehearsal(&["run", folder.to_str().unwrap()]);
    let whole = ended(&mut command);
    assert_eq!((whole.code, sandbox.report("scripts").verdict), (0, Verdict::Pass), "{whole:?}");
    // A way down that leaves the table is found.
    write("scenario.toml", &scenario("left.sql"));
    let traces = ended(&mut sandbox.rehearsal(&["run", folder.to_str().unwrap()]));
    assert_eq!((traces.code, sandbox.report("scripts").verdict), (1, Verdict::Fail), "{traces:?}");
    assert!(traces.stdout.contains("no_trace"), "{traces:?}");
    // A file that is not there is named with its line.
    write("scenario.toml", &scenario("gone.sql"));
    let invalid = ended(&mut sandbox.rehearsal(&["run", folder.to_str().unwrap()]));
    assert_eq!(invalid.code, 2, "{invalid:?}");
    assert!(invalid.stderr.contains("scenario.toml:13") && invalid.stderr.contains("gone.sql"), "{invalid:?}");
}
