//! The step `copy`: rows of any engine into any engine.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use rehearse::{
    canon::comparison,
    check::{self, CheckContext, Readers, Resources, Surroundings, Tally},
    document,
    engine::{self, RowSource},
    migrate::{self, StepDone, StepError, StepTask, StepVoice},
    model::{
        Address, Endpoint, EngineId, Redaction, Severity, Side, Sides, Snapshot, Stage, TableName, Tls, Value,
        event::Direction,
    },
    run,
};
use serde_json::{Value as Json, json};

use crate::support::{
    Sandbox,
    mariadb::{Container, has},
    server::{Started, ask, execute},
};

mod beside;
mod crosswalk;
mod cuts;
mod interrupted;
mod made;
mod merged;
mod orphans;
mod pairs;
mod refused;
mod rejected;

/// A place on each engine for databases of a test.
struct Places {
    test: &'static str,
    sandbox: Sandbox,
    postgres: Option<Started>,
    mariadb: Option<Container>,
}

/// Names of databases: no two cases share one.
static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

impl Places {
    /// With those engines among these that can be had; SQLite always can.
    async fn with(test: &'static str, engines: &[&str]) -> Self {
        let postgres = if engines.contains(&"postgres") { Started::local(test).await } else { None };
        let mut mariadb = None;
        if engines.contains(&"mariadb") && has(test, "11.8").await {
            let server = Container::start("mariadb:11.8", &[], &[]);
            server.wait().await;
            mariadb = Some(server);
        }
        Self { test, sandbox: Sandbox::new(), postgres, mariadb }
    }

    /// The engines that can be had; those that cannot were told.
    fn engines(&self) -> Vec<&'static str> {
        let there =
            [Some("sqlite"), self.postgres.as_ref().map(|_| "postgres"), self.mariadb.as_ref().map(|_| "mariadb")];
        there.into_iter().flatten().collect()
    }

    /// An empty database.
    async fn database(&self, engine: &str) -> Address {
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("copy{number}");
        let admin = match engine {
            "sqlite" => {
                let file = self.sandbox.path(&format!("{name}.db"));
                return Address { engine: EngineId::from("sqlite"), endpoint: Endpoint::File(file) };
            }
            "postgres" => self.postgres.as_ref().expect(self.test).server.admin.clone(),
            _ => self.mariadb.as_ref().expect(self.test).address("127.0.0.1", Tls::default()),
        };
        execute(&admin, &format!("CREATE DATABASE {name}")).await;
        admin.with_database(&name)
    }

    fn folder(&self) -> PathBuf {
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let folder = self.sandbox.path(&format!("step{number}"));
        fs::create_dir(&folder).unwrap();
        folder
    }
}

/// A copy of one database into another.
#[derive(Clone)]
struct Case {
    task: StepTask,
    mapping: comparison::Mapping,
    marks: Arc<Mutex<Vec<Json>>>,
}

/// Keeps marks; goes away, as a killed process does, at its so-manieth word.
struct Voice {
    marks: Arc<Mutex<Vec<Json>>>,
    words: u64,
    goes_at: Option<u64>,
}

impl Voice {
    fn word(&mut self) {
        self.words += 1;
        if Some(self.words) == self.goes_at {
            std::panic::resume_unwind(Box::new("killed"));
        }
    }
}

#[async_trait]
impl StepVoice for Voice {
    async fn mark(&mut self, mark: Json) -> Result<(), StepError> {
        self.word();
        self.marks.lock().unwrap().push(mark);
        self.word();
        Ok(())
    }

    fn progress(&mut self, _doing: &str, _done: u64, _total: Option<u64>) {
        self.word();
    }

    fn is_stopping(&self) -> bool {
        false
    }
}

impl Case {
    fn new(places: &Places, addresses: Sides<Address>, mapping: &str, config: Json) -> Self {
        let (mapping, copying) = match mapping {
            "" => Default::default(),
            text => document::mapping::read("mapping.toml", text.into()).unwrap_or_else(|error| panic!("{error}")),
        };
        let mut settings = json!({
            "copying": copying, "mapping": mapping, "batch_rows": 7, "when_not_empty": "refuse", "triggers": "refuse",
        });
        settings.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
        let task = StepTask {
            kind: "copy".to_owned(),
            name: "copy".to_owned(),
            direction: Direction::Forward,
            config: settings,
            addresses,
            stated: Vec::new(),
            folder: places.folder(),
            log: None,
            marks: Vec::new(),
            reconnect_ms: 10_000,
            scratch: None,
        };
        Self { task, mapping, marks: Arc::default() }
    }

    /// Runs the step in a task of its own; `None` if it went away.
    async fn play(&self, direction: Direction, goes_at: Option<u64>) -> Option<Result<StepDone, StepError>> {
        let mut voice = Voice { marks: Arc::clone(&self.marks), words: 0, goes_at };
        let marks = self.marks.lock().unwrap().clone();
        let task = StepTask { direction, marks, ..self.task.clone() };
        let playing = tokio::spawn(async move {
            let kind = migrate::by_id("copy").unwrap();
            match direction {
                Direction::Back => kind.back(&task, &mut voice).await,
                _ => kind.forward(&task, &mut voice).await,
            }
        });
        playing.await.ok()
    }

    async fn forward(&self) -> Result<StepDone, StepError> {
        self.play(Direction::Forward, None).await.unwrap()
    }

    async fn back(&self) -> Result<StepDone, StepError> {
        self.play(Direction::Back, None).await.unwrap()
    }

    async fn state(&self, side: Side) -> Snapshot {
        let mut state = run::record(self.task.addresses.get(side), &|_| {}).await.unwrap();
        // Counters may be ahead, and a file that was written to is another one.
        state.catalogue.sequences.clear();
        state.file_sha256 = state.file_sha256.filter(|_| side == Side::Source);
        state
    }

    /// What the checks say of the rows, by the comparison that follows from the mapping.
    async fn said(&self) -> Vec<String> {
        let Sides { source, target } = &self.task.addresses;
        let snapshots = Sides::new(self.state(Side::Source).await, self.state(Side::Target).await);
        let same = source.engine == target.engine;
        let catalogues = snapshots.as_ref().map(|state| &state.catalogue);
        let derived = comparison::derive_by(catalogues.source, catalogues.target, &self.mapping, same);
        assert_eq!(derived.problems, [], "{source} into {target}");
        let snapshots = BTreeMap::from([
            ((Stage::Migrated, Side::Source), snapshots.source),
            ((Stage::Migrated, Side::Target), snapshots.target),
        ]);
        let resources = Resources::usual(std::env::temp_dir());
        let mut cx = CheckContext {
            stage: Stage::Migrated,
            readers: Readers::open(&self.task.addresses).await.unwrap(),
            snapshots: &snapshots,
            derived: &derived,
            tally: Tally::default(),
            not_carried: &[],
            loss_ledger: &[],
            left_out: &[],
            redaction: &Redaction::Show,
            sample: 3,
            resources: &resources,
            writes_source: false,
            changes_source: false,
            surroundings: &Surroundings::default(),
            probes: &[],
            probed: &[],
        };
        let mut said = Vec::new();
        for id in ["row_count", "accounted", "checksum", "orphan", "sequence", "mapping"] {
            let examined = check::by_id(id).unwrap().run(&mut cx).await.unwrap();
            let errors = examined.findings.iter().filter(|finding| finding.severity == Severity::Error);
            said.extend(errors.map(|finding| format!("{id} {} {} {finding:?}", finding.kind, finding.subject)));
            let left = examined.unchecked.iter().filter(|one| !derived.waivers.contains_key(&one.subject));
            said.extend(left.map(|one| format!("{id} unchecked {} {}: {}", one.aspect, one.subject, one.reason)));
        }
        cx.readers.close().await.unwrap();
        said
    }

    async fn count(&self, table: &str) -> u64 {
        let rows = ask(&self.task.addresses.target, &format!("SELECT count(*) FROM {table}")).await;
        rows[0][0].as_ref().unwrap().parse().unwrap()
    }
}

/// One server of each kind serves all of this.
#[tokio::test(flavor = "multi_thread")]
async fn copies_go_between_all_engines() {
    let places = Places::with("copies_go_between_all_engines", &["postgres", "mariadb"]).await;
    pairs::every_engine_copies_into_every_engine_and_back(&places).await;
    pairs::the_mapping_of_the_readme_does_what_it_says(&places).await;
    pairs::uuids_follow_from_keys_and_references_with_them(&places).await;
    interrupted::wherever_a_copy_ends_it_goes_on_or_goes_back(&places).await;
    rejected::rejected_rows_are_kept_with_their_reason_and_go_with_the_rollback(&places).await;
    orphans::rows_without_a_parent_are_rejected_where_that_is_wished(&places).await;
    orphans::orphans_that_cannot_be_told_are_refused(&places).await;
    cuts::no_part_has_more_rows_than_it_should(&places).await;
    crosswalk::a_table_of_both_keys_is_a_copy_of_its_own(&places).await;
    merged::several_tables_become_one_and_every_row_is_accounted_for(&places).await;
    refused::rows_without_a_parent_are_refused_on_every_engine(&places).await;
    beside::parts_are_loaded_beside_each_other(&places).await;
    beside::a_part_that_fails_ends_the_others(&places).await;
    beside::triggers_are_off_while_rows_come_and_go(&places).await;
}

/// Rows that are made one by one.
struct Rows<I>(I);

impl<I: Iterator<Item = Vec<Value>> + Send> RowSource for Rows<I> {
    fn next(&mut self, row: &mut Vec<Value>) -> Result<bool, engine::BoxedError> {
        match self.0.next() {
            Some(values) => {
                row.extend(values);
                Ok(true)
            }
            None => Ok(false),
        }
    }
}

/// Loads rows into a table.
async fn fill(address: &Address, table: &str, rows: impl Iterator<Item = Vec<Value>> + Send) {
    let mut session = engine::by_id(address.engine.as_str()).unwrap().connect(address).await.unwrap();
    let catalogue = session.introspect().await.unwrap();
    let table = &catalogue.tables[&TableName::new(table)];
    let columns: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    session.load(table, &columns, &mut Rows(rows)).await.unwrap_or_else(|error| panic!("{error:?}"));
    session.close().await.unwrap();
}
