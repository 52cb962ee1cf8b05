//! What the matrix runs on: one server shared by all tests that run at the same time, and a pair of databases a case.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

use rehearse::{
    canon::comparison::{self, Derived, Stated},
    check::{Check, CheckContext, Examined, Manner, Readers, Resources, Surroundings, Tally},
    engine::{self, EngineError, Guard},
    model::{Address, Endpoint, EngineId, Host, Redaction, Secret, Side, Sides, Snapshot, Stage},
    provision, run,
};
use tokio::runtime::Runtime;

use crate::support::server::{Announced, Urls, request, work};

const SOURCE: &str = include_str!("../../../fixtures/checks/source.sql");
const TARGET: &str = include_str!("../../../fixtures/checks/target.sql");

/// Rows that a finding shows at most.
const SAMPLE: u32 = 3;

/// A role that owns nothing, and its password.
pub const AUDITOR: &str = "auditor";

/// A server of PostgreSQL. Whoever lets go of it last takes it away.
pub struct Bench {
    pub(super) runtime: Runtime,
    pub(super) admin: Address,
    leases: Announced,
    pub(super) work: tempfile::TempDir,
}

/// The bench that is standing, if one is.
static STANDING: Mutex<Weak<Bench>> = Mutex::new(Weak::new());

impl Bench {
    /// The bench, which is set up if no other test has it at the moment; `None` where no PostgreSQL can be had, which is
    /// said, and is a failure where `REHEARSE_REQUIRE` asks for it.
    pub fn take(test: &str) -> Option<Arc<Self>> {
        // A test that failed while it set the bench up left nothing in here.
        let mut standing = STANDING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bench) = standing.upgrade() {
            return Some(bench);
        }
        let bench = Arc::new(Self::set_up(test)?);
        *standing = Arc::downgrade(&bench);
        Some(bench)
    }

    fn set_up(test: &str) -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let work = work();
        let request = request(work.path());
        let mut leases = Announced::default();
        let server = runtime.block_on(async {
            let mut refusals = Vec::new();
            for id in ["local", "container"] {
                match provision::choose(Some(id), &request).await {
                    Ok((provisioner, _)) => return Some(provisioner.acquire(&request, &mut leases).await.unwrap()),
                    Err(refusal) => refusals.push(format!("{id}: {refusal}")),
                }
            }
            let required = std::env::var("REHEARSE_REQUIRE").unwrap_or_default();
            assert!(!required.split(',').any(|word| word.trim() == "postgres"), "postgres is required: {refusals:?}");
            println!("skipped: {test}: {}", refusals.join("; "));
            None
        })?;
        let bench = Self { runtime, admin: server.admin, leases, work };
        // Hundreds of tables are made and dropped; whether they would survive a power cut is not what is tested here.
        bench.say(&bench.admin, "ALTER SYSTEM SET fsync = off");
        bench.say(&bench.admin, "SELECT pg_reload_conf()");
        // Roles belong to the cluster, where a test that compares two states would see one come and go.
        bench.say(&bench.admin, &format!("CREATE ROLE {AUDITOR} LOGIN PASSWORD '{AUDITOR}'"));
        Some(bench)
    }

    /// A pair of databases with nothing in them.
    pub fn pair(&self) -> Pair<'_> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("case{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let file = self.work.path().join(format!("{name}.db"));
        self.say(&self.admin, &format!("CREATE DATABASE {name} TEMPLATE template0"));
        let source = Address { engine: EngineId::from("sqlite"), endpoint: Endpoint::File(file.clone()) };
        let target = self.admin.with_database(&name);
        let (addresses, surroundings) = (Sides::new(source, target), Surroundings::default());
        Pair { bench: self, name, file, addresses, snapshots: BTreeMap::new(), surroundings }
    }

    /// A pair of databases that somebody else made, and takes away.
    pub fn between(&self, source: &Address, target: &Address) -> Pair<'_> {
        let addresses = Sides::new(source.clone(), target.clone());
        let (snapshots, surroundings) = (BTreeMap::new(), Surroundings::default());
        Pair { bench: self, name: String::new(), file: PathBuf::new(), addresses, snapshots, surroundings }
    }

    /// Where futures run.
    pub const fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Runs SQL in a database.
    pub fn say(&self, address: &Address, sql: &str) {
        self.runtime.block_on(async {
            let mut session = engine::by_id(address.engine.as_str()).unwrap().connect(address).await.unwrap();
            session.execute(sql).await.unwrap_or_else(|error| panic!("{error:?} in {sql}"));
            session.close().await.unwrap();
        });
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.runtime.block_on(std::mem::take(&mut self.leases).release(&Urls::default()));
    }
}

/// The URL of a database, with its password.
pub fn url(address: &Address) -> String {
    let Endpoint::Server { host, user, password, database, .. } = &address.endpoint else { panic!("a server") };
    let password = password.as_ref().map(|password| format!(":{}", password.reveal())).unwrap_or_default();
    match host {
        Host::Tcp { host, port } => format!("postgres://{user}{password}@{host}:{port}/{database}"),
        Host::Socket { directory, port } => {
            format!("postgres://{user}{password}@/{database}?host={}&port={port}", directory.display())
        }
    }
}

/// A source and a target, and the states of them that were recorded.
pub struct Pair<'a> {
    bench: &'a Bench,
    name: String,
    file: PathBuf,
    addresses: Sides<Address>,
    snapshots: BTreeMap<(Stage, Side), Snapshot>,
    /// What is around both sides.
    pub surroundings: Surroundings,
}

impl Pair<'_> {
    /// Makes both sides anew, as no check finds anything in them, and forgets what was recorded.
    pub fn make_clean(&mut self) {
        self.snapshots.clear();
        // The first time there is no file yet.
        let _ = std::fs::remove_file(&self.file);
        self.source(SOURCE);
        self.target(&format!("DROP SCHEMA public CASCADE; CREATE SCHEMA public; {TARGET}"));
    }

    /// Where both sides are.
    pub fn addresses(&self) -> &Sides<Address> {
        &self.addresses
    }

    /// Where a side is.
    pub fn address(&self, side: Side) -> &Address {
        self.addresses.get(side)
    }

    /// The source's file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The URL of the target, with its password.
    pub fn target_url(&self) -> String {
        url(&self.addresses.target)
    }

    /// The same for another role.
    pub fn url_as(&self, user: &str, password: &str) -> String {
        let Endpoint::Server { host, database, .. } = &self.addresses.target.endpoint else { panic!("a server") };
        match host {
            Host::Tcp { host, port } => format!("postgres://{user}:{password}@{host}:{port}/{database}"),
            Host::Socket { directory, port } => {
                format!("postgres://{user}:{password}@/{database}?host={}&port={port}", directory.display())
            }
        }
    }

    /// The first value of a query of the target.
    pub fn ask(&self, sql: &str) -> Option<String> {
        self.bench.runtime.block_on(async {
            let mut session = engine::by_id("postgres").unwrap().connect(&self.addresses.target).await.unwrap();
            let rows = session.query(sql).await.unwrap_or_else(|error| panic!("{error:?} in {sql}"));
            session.close().await.unwrap();
            rows.into_iter().next().and_then(|row| row.into_iter().next()).flatten()
        })
    }

    /// The state of the target, whole.
    pub fn state(&self) -> Snapshot {
        self.bench.runtime.block_on(run::record(&self.addresses.target, &|_| {})).unwrap()
    }

    /// What a session of an audit says when it is told to write, in its transaction and behind it.
    pub fn refusals(&self, sql: &str) -> [Option<String>; 2] {
        self.bench.runtime.block_on(async {
            let manner = Manner { guard: Guard { statement: None, lock: None }, rows_per_second: Some(1_000_000) };
            let mut readers = Readers::open_with(&self.addresses, &manner).await.unwrap();
            let code = |error: EngineError| match error {
                EngineError::Refused { code, .. } => code,
                other => panic!("{other:?}"),
            };
            let session = readers.side(Side::Target).unwrap();
            let inside = session.execute(sql).await.map_err(code).unwrap_err();
            session.tx_rollback().await.unwrap();
            let behind = session.execute(sql).await.map_err(code).unwrap_err();
            [inside, behind]
        })
    }

    /// Runs SQL in the source.
    pub fn source(&self, sql: &str) {
        let connection = rusqlite::Connection::open(&self.file).unwrap();
        connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        connection.execute_batch(sql).unwrap_or_else(|error| panic!("{error} in {sql}"));
    }

    /// Runs SQL in the target.
    pub fn target(&self, sql: &str) {
        self.bench.say(&self.addresses.target, sql);
    }

    /// A session of the target in which SQL was run, and which stays as it is for as long as it is held.
    pub fn hold(&self, sql: &str) -> Box<dyn engine::Session> {
        self.bench.runtime.block_on(async {
            let mut session = engine::by_id("postgres").unwrap().connect(&self.addresses.target).await.unwrap();
            session.execute(sql).await.unwrap();
            session
        })
    }

    /// From now on the target is looked at by a role that owns nothing in it.
    pub fn look_as_auditor(&mut self) {
        let Endpoint::Server { user, password, .. } = &mut self.addresses.target.endpoint else { unreachable!() };
        *user = AUDITOR.to_owned();
        *password = Some(Secret::new(AUDITOR.to_owned()));
    }

    /// From now on the target is looked at by its owner again.
    pub fn look_as_owner(&mut self) {
        self.addresses.target = self.bench.admin.with_database(&self.name);
    }

    /// Records both sides.
    pub fn record(&mut self, stage: Stage) {
        for (side, address) in self.addresses.iter() {
            let state = self.bench.runtime.block_on(run::record(address, &|_| {})).unwrap();
            self.snapshots.insert((stage, side), state);
        }
    }

    /// The comparisons of both sides as they were recorded.
    pub fn derive(&self, stage: Stage, stated: &[Stated]) -> Derived {
        let catalogue = |side| &self.snapshots[&(stage, side)].catalogue;
        let same_engine = self.addresses.source.engine == self.addresses.target.engine;
        let derived = comparison::derive(catalogue(Side::Source), catalogue(Side::Target), stated, same_engine);
        assert_eq!(derived.problems, Vec::new());
        derived
    }

    /// Runs checks on the states that were recorded, one after the other in the same sessions.
    pub fn examine(
        &self,
        checks: &[&'static dyn Check],
        stage: Stage,
        derived: &Derived,
        left: &[(String, String)],
    ) -> Vec<Examined> {
        self.examine_as(&Redaction::Show, checks, stage, derived, left)
    }

    /// The same with values shown or not.
    pub fn examine_as(
        &self,
        redaction: &Redaction,
        checks: &[&'static dyn Check],
        stage: Stage,
        derived: &Derived,
        left: &[(String, String)],
    ) -> Vec<Examined> {
        self.bench.runtime.block_on(async {
            let resources = Resources::usual(std::env::temp_dir());
            let mut cx = CheckContext {
                stage,
                readers: Readers::open(&self.addresses).await.unwrap(),
                snapshots: &self.snapshots,
                derived,
                tally: Tally::default(),
                not_carried: left,
                loss_ledger: &[],
                left_out: &[],
                redaction,
                sample: SAMPLE,
                resources: &resources,
                writes_source: false,
                changes_source: false,
                surroundings: &self.surroundings,
                probes: &[],
                probed: &[],
            };
            let mut examined = Vec::new();
            for check in checks {
                examined.push(check.run(&mut cx).await.unwrap());
            }
            cx.readers.close().await.unwrap();
            examined
        })
    }
}

impl Drop for Pair<'_> {
    fn drop(&mut self) {
        // Whatever a failed test left in it goes with the server.
        if !std::thread::panicking() && !self.name.is_empty() {
            self.bench.say(&self.bench.admin, &format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}
