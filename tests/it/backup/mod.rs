//! The steps `backup` and `restore`, and the ways back that a scenario states, on each engine.

mod files;
mod generations;
mod given;
mod parts;
mod refused;
mod rollbacks;
mod tested;

use std::{fs, path::PathBuf};

use rehearse::model::{
    Address, Endpoint, EngineId, Sides, Snapshot, Tls, Verdict,
    catalogue::{Definition, ObjectName},
    chain,
    event::Direction,
};
use rehearse::{
    engine::by_id,
    provision::{Request, scratch},
};
use serde_json::{Value as Json, json};

use crate::support::{
    Sandbox, ended,
    mariadb::{Container, has},
    server::{Started, ask, execute, request},
    steps::{Step, assert_no_trace, state},
};

const SOURCE: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, name varchar(40) NOT NULL, note varchar(80));
    CREATE TABLE posts (id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL, body varchar(200),
                        CONSTRAINT of_person FOREIGN KEY (person_id) REFERENCES people (id) ON DELETE CASCADE);
    CREATE TABLE empty_one (id INTEGER PRIMARY KEY);
    INSERT INTO people VALUES (1, 'Ann', NULL), (2, 'Bo', ''), (3, 'Çelik', 'a b');
    INSERT INTO posts VALUES (1, 1, 'one'), (2, 1, 'two'), (3, 3, NULL);
    CREATE VIEW authors AS SELECT DISTINCT name FROM people JOIN posts ON posts.person_id = people.id";

/// What only PostgreSQL has.
const OF_POSTGRES: &str = "CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('bad', 'good');
    CREATE TABLE app.\"Odd \"\"one\"\"\" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mood app.mood, many int[]);
    INSERT INTO app.\"Odd \"\"one\"\"\" (mood, many) VALUES ('good', '{1,2}'), (NULL, '{}');
    COMMENT ON TABLE people IS 'who';
    DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem TO ''5MB''', current_database());
                EXECUTE format('COMMENT ON DATABASE %I IS ''mine''', current_database()); END $$";

/// What only MariaDB has.
const OF_MARIADB: &str = "CREATE TABLE counted (id int AUTO_INCREMENT PRIMARY KEY, data json) AUTO_INCREMENT = 50;
    INSERT INTO counted (data) VALUES ('{\"a\": 1}');
    CREATE TRIGGER noted BEFORE INSERT ON people FOR EACH ROW SET NEW.note = COALESCE(NEW.note, 'new');
    CREATE PROCEDURE nothing() SELECT 1";

/// Two databases of one engine: one that is filled, and one that is empty.
struct Bench {
    addresses: Sides<Address>,
    engine: &'static str,
    forms: &'static [&'static str],
    sandbox: Sandbox,
    _server: Option<Started>,
    _container: Option<Container>,
}

impl Bench {
    async fn sqlite() -> Self {
        let sandbox = Sandbox::new();
        let address = |name: &str| Address {
            engine: EngineId::from("sqlite"),
            endpoint: Endpoint::File(sandbox.path(&format!("{name}.db"))),
        };
        let addresses = Sides::new(address("source"), address("target"));
        execute(&addresses.target, "SELECT 1").await;
        execute(&addresses.source, SOURCE).await;
        Self { addresses, engine: "sqlite", forms: &["file"], sandbox, _server: None, _container: None }
    }

    /// `None`, and said so, where there is no PostgreSQL.
    async fn postgres(test: &str) -> Option<Self> {
        Some(Self::of_postgres(Started::local(test).await?).await)
    }

    async fn of_postgres(started: Started) -> Self {
        started.execute("CREATE DATABASE one").await;
        started.execute("CREATE DATABASE other").await;
        let admin = &started.server.admin;
        scratch::unsynced(admin, by_id("postgres").unwrap()).await.unwrap();
        let addresses = Sides::new(admin.with_database("one"), admin.with_database("other"));
        execute(&addresses.source, SOURCE).await;
        execute(&addresses.source, OF_POSTGRES).await;
        let forms = &["custom", "plain", "directory"];
        Self { addresses, engine: "postgres", forms, sandbox: Sandbox::new(), _server: Some(started), _container: None }
    }

    /// `None`, and said so, where there is no container of MariaDB.
    async fn mariadb(test: &str) -> Option<Self> {
        if !has(test, "11.8").await {
            return None;
        }
        let container = Container::start("mariadb:11.8", &[], &[]);
        container.wait().await;
        let admin = container.address("127.0.0.1", Tls::default());
        scratch::unsynced(&admin, by_id("mariadb").unwrap()).await.unwrap();
        execute(&admin, "CREATE DATABASE one CHARACTER SET utf8mb4 COLLATE utf8mb4_bin").await;
        execute(&admin, "CREATE DATABASE other COMMENT 'kept'").await;
        let addresses = Sides::new(admin.with_database("one"), admin.with_database("other"));
        execute(&addresses.source, SOURCE).await;
        for statement in OF_MARIADB.split(";\n") {
            execute(&addresses.source, statement).await;
        }
        Some(Self {
            addresses,
            engine: "mariadb",
            forms: &["plain"],
            sandbox: Sandbox::new(),
            _server: None,
            _container: Some(container),
        })
    }

    fn step(&self, kind: &str, name: &str, config: Json) -> Step {
        Step::new(&self.sandbox, kind, name, &self.addresses, config)
    }

    /// A backup of the source.
    fn backup(&self, more: Json) -> Step {
        self.step("backup", "kept", with(json!({ "side": "source" }), more))
    }

    /// A restore of that into the target.
    fn restore(&self, more: Json) -> Step {
        let settings = json!({ "side": "target", "from": "kept", "generation": "newest", "when_not_empty": "refuse" });
        self.step("restore", "restored", with(settings, more))
    }

    /// The folders of the backups, the oldest first.
    fn generations(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.sandbox.path("steps/kept/generations")).into_iter().flatten();
        let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        found.sort();
        found
    }

    fn manifest(&self) -> Json {
        serde_json::from_slice(&fs::read(self.generations().last().unwrap().join("manifest.json")).unwrap()).unwrap()
    }
}

fn with(mut settings: Json, more: Json) -> Json {
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    settings
}

/// Everything on one server, which takes longer to start than all of this together.
async fn backups_and_ways_back_hold(bench: &Bench) {
    every_form_is_taken_and_restored_and_both_ways_lead_back(bench).await;
    tested::a_backup_is_restored_to_see_that_it_can_be(bench).await;
    refused::a_damaged_cut_foreign_or_newer_backup_is_refused_before_anything_is_touched(bench).await;
    a_killed_backup_or_restore_is_gone_on_with_and_taken_back(bench).await;
    files::tables_go_out_and_in_and_back_again(bench).await;
    what_is_replaced_comes_back_exactly(bench).await;
    rollbacks::each_way_back_leaves_no_trace_and_refuses_what_it_could_not_bring_back(bench).await;
    rollbacks::a_database_that_was_empty_is_made_anew_with_its_properties(bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_and_ways_back_hold_on_sqlite() {
    backups_and_ways_back_hold(&Bench::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_and_ways_back_hold_on_postgres() {
    let Some(bench) = Bench::postgres("backups_and_ways_back_hold_on_postgres").await else { return };
    parts::definitions_rows_and_some_tables_are_backed_up_by_themselves(&bench).await;
    tested::a_whole_dump_that_does_not_come_back_is_found(&bench).await;
    backups_and_ways_back_hold(&bench).await;
    roles_that_a_backup_brings_go_with_it(&bench).await;
    refused::a_server_that_refuses_leaves_no_backup(&bench).await;
}

/// A role that the backup names is made for it where the server has none, and is a trace as much as a row.
async fn roles_that_a_backup_brings_go_with_it(bench: &Bench) {
    let Sides { source, target } = &bench.addresses;
    execute(source, "CREATE ROLE boss; ALTER TABLE empty_one OWNER TO boss").await;
    bench.backup(json!({})).forward().await.unwrap();
    execute(source, "ALTER TABLE empty_one OWNER TO CURRENT_USER; DROP ROLE boss").await;
    let before = state(target).await;
    let mut restore = bench.restore(json!({ "when_not_empty": "replace" }));
    let done = restore.forward().await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert!(done.notes.iter().any(|note| note.contains("boss")), "{:?}", done.notes);
    let roles = "SELECT count(*) FROM pg_catalog.pg_roles WHERE rolname = 'boss'";
    assert_eq!(ask(target, roles).await, [[Some("1".to_owned())]]);
    restore.back().await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!(ask(target, roles).await, [[Some("0".to_owned())]]);
    assert_no_trace(&before, &state(target).await, "roles");
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_and_ways_back_hold_on_mariadb() {
    let Some(bench) = Bench::mariadb("backups_and_ways_back_hold_on_mariadb").await else { return };
    backups_and_ways_back_hold(&bench).await;
}

/// This machine's programs may be too old for a server in a container, which has its own: folders take one of this machine.
#[tokio::test(flavor = "multi_thread")]
async fn the_programs_of_a_container_are_taken_where_none_here_suits() {
    let test = "the_programs_of_a_container_are_taken_where_none_here_suits";
    let sandbox = Sandbox::new();
    let request = Request { version: Some("17".to_owned()), ..request(&sandbox.work()) };
    let Some(started) = Started::of(test, "container", request, sandbox).await else { return };
    let bench = Bench::of_postgres(started).await;
    let before = state(&bench.addresses.target).await;
    for form in ["custom", "plain", "directory"] {
        let taken = bench.backup(json!({ "format": form })).forward().await;
        if form == "directory"
            && let Err(error) = &taken
        {
            assert!(chain(error).contains("takes a program of this machine"), "{}", chain(error));
            continue;
        }
        taken.unwrap_or_else(|error| panic!("{form}: {}", chain(&error)));
        let mut restore = bench.restore(json!({}));
        restore.forward().await.unwrap_or_else(|error| panic!("{form}: {}", chain(&error)));
        let source = state(&bench.addresses.source).await;
        assert_eq!(state(&bench.addresses.target).await.tables, source.tables, "{form}");
        restore.back().await.unwrap_or_else(|error| panic!("{form}: {}", chain(&error)));
        assert_no_trace(&before, &state(&bench.addresses.target).await, form);
    }
}

async fn every_form_is_taken_and_restored_and_both_ways_lead_back(bench: &Bench) {
    let before = state(&bench.addresses.target).await;
    let wanted = state(&bench.addresses.source).await;
    for form in bench.forms {
        let what = format!("{} {form}", bench.engine);
        let mut backup = bench.backup(json!({ "format": form }));
        let done = backup.forward().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
        let rows: u64 = wanted.tables.values().map(|table| table.rows.rows).sum();
        assert_eq!(done.rows, rows, "{what}");
        let manifest = bench.manifest();
        assert_eq!(manifest["tables"]["people"].as_str().unwrap().split(':').next(), Some("3"), "{what}");
        assert_eq!(manifest["tables"].as_object().unwrap().len(), wanted.tables.len(), "{what}");

        let mut restore = bench.restore(json!({}));
        let restored = restore.forward().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
        assert_eq!(restored.rows, rows, "{what}");
        let there = state(&bench.addresses.target).await;
        assert_eq!(there.tables, wanted.tables, "{what}");
        assert_eq!(objects(&there), objects(&wanted), "{what}");
        restore.back().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
        assert_no_trace(&before, &state(&bench.addresses.target).await, &what);
        restore.back().await.unwrap();
        backup.back().await.unwrap();
        assert_eq!(bench.generations(), Vec::<PathBuf>::new(), "{what}");
    }
    assert_no_trace(&wanted, &state(&bench.addresses.source).await, bench.engine);
}

/// The objects that a backup of a database brings along: not its own properties, which belong to the server.
fn objects(state: &Snapshot) -> Vec<(&ObjectName, Definition)> {
    let is_own = |name: &ObjectName| match name.class.as_str() {
        "database" | "setting" => true,
        "comment" => name.name == "database",
        _ => false,
    };
    let of_database = |key: &String| key == "database_collation";
    let brought = state.catalogue.objects.iter().filter(|(name, _)| !is_own(name));
    brought.map(|(name, of)| (name, of.clone().into_iter().filter(|(key, _)| !of_database(key)).collect())).collect()
}

/// What is there gives way only if that is said.
async fn what_is_replaced_comes_back_exactly(bench: &Bench) {
    let what = bench.engine;
    bench.backup(json!({})).forward().await.unwrap();
    // The source is changed behind its backup, and gets the backup again.
    execute(&bench.addresses.source, "DELETE FROM posts WHERE id = 2").await;
    execute(&bench.addresses.source, "CREATE TABLE later (id INTEGER PRIMARY KEY)").await;
    let before = state(&bench.addresses.source).await;
    let mut refused = bench.restore(json!({ "side": "source" }));
    let error = refused.forward().await.unwrap_err();
    assert!(chain(&error).contains("the source has tables"), "{what}: {}", chain(&error));
    assert_no_trace(&before, &state(&bench.addresses.source).await, what);

    let mut restore = bench.restore(json!({ "side": "source", "when_not_empty": "replace" }));
    restore.forward().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
    let there = state(&bench.addresses.source).await;
    assert_eq!(there.tables.len() + 1, before.tables.len(), "{what}");
    restore.back().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
    assert_no_trace(&before, &state(&bench.addresses.source).await, what);
}

/// Wherever a process of these steps is killed, both ways lead on from there.
async fn a_killed_backup_or_restore_is_gone_on_with_and_taken_back(bench: &Bench) {
    let before = state(&bench.addresses.target).await;
    // What the marks lead to is the same everywhere; a server takes its time.
    let few = if bench.engine == "sqlite" { 3 } else { 1 };
    for (word, keeps) in [("backed_up", false), ("backing_up", true), ("backed_up", true)].into_iter().take(few) {
        let what = format!("{} {word} {keeps}", bench.engine);
        let mut backup = bench.backup(json!({}));
        backup.go(Direction::Forward, Some(word), keeps).await.unwrap_err();
        backup.forward().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
        assert_eq!(bench.generations().len(), 1, "{what}");
        backup.go(Direction::Back, Some("removed"), false).await.unwrap_err();
        backup.back().await.unwrap();
        assert_eq!(bench.generations(), Vec::<PathBuf>::new(), "{what}");
        backup.task.marks.clear();
        backup.go(Direction::Forward, Some(word), keeps).await.unwrap_err();
        backup.back().await.unwrap();
        assert_eq!(bench.generations(), Vec::<PathBuf>::new(), "{what}");
    }
    bench.backup(json!({})).forward().await.unwrap();
    for (word, keeps) in [("restoring", true), ("\"restored", false), ("\"restored", true)].into_iter().take(few) {
        let what = format!("{} {word} {keeps}", bench.engine);
        let mut restore = bench.restore(json!({}));
        restore.go(Direction::Forward, Some(word), keeps).await.unwrap_err();
        restore.forward().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
        assert_eq!(
            state(&bench.addresses.target).await.tables.len(),
            bench.manifest()["tables"].as_object().unwrap().len()
        );
        restore.go(Direction::Back, Some("taken_back"), false).await.unwrap_err();
        restore.back().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
        assert_no_trace(&before, &state(&bench.addresses.target).await, &what);
    }
}

#[test]
fn a_backup_and_its_restore_are_rehearsed() {
    let sandbox = Sandbox::new();
    sandbox.write("kept/schema.sql", SOURCE.split("INSERT").next().unwrap());
    sandbox.write(
        "kept/scenario.toml",
        "format_version = 1\ntitle = \"Kept\"\n[source]\nengine = \"sqlite\"\nschema = \"schema.sql\"\n\
         [target]\nengine = \"sqlite\"\n[[step]]\nkind = \"backup\"\nkeep = 3\nkeep_days = 30\n\
         test_restore = true\n\
         [[step]]\nkind = \"restore\"\nfrom = \"backup\"\n",
    );
    let folder = sandbox.path("kept");
    let whole = ended(&mut sandbox.rehearsal(&["run", folder.to_str().unwrap()]));
    assert_eq!((whole.code, sandbox.report("kept").verdict), (0, Verdict::Pass), "{whole:?}");
    let notes = sandbox.report("kept").run.notes;
    assert!(notes.iter().any(|note| note.contains("tables, ") && note.contains("by SQLite ")), "{notes:?}");
    assert!(notes.iter().any(|note| note.contains("was restored beside the source: 3 tables, ")), "{notes:?}");
    // Whoever signs the log of the migration is told where the backup lies.
    let log = fs::read_to_string(sandbox.run_directory().join("migration.log.md")).unwrap();
    let place = format!("- backup of the source in {}/", sandbox.work().display());
    assert!(log.contains(&place) && log.contains("Backups are made by: backup; the notes tell where"), "{log}");
}
