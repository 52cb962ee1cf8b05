//! Rows for schemas that are there: what is filled, what is named, and that it can be repeated.

use std::collections::{BTreeMap, BTreeSet};

use rehearse::{
    canon::Seed,
    dataset::live::{self, Filled},
    engine::{self, Session},
    model::{Address, Endpoint, EngineId, TableName},
    provision::{Request, scratch},
};

use crate::support::{
    Sandbox,
    server::{Announced, Started, Urls, request},
};

const POSTGRES: &str = include_str!("postgres.sql");
const MARIADB: &str = include_str!("mariadb.sql");
const SQLITE: &str = include_str!("sqlite.sql");

/// A session and what it is filled with.
struct Filling {
    session: Box<dyn Session>,
    engine: &'static dyn engine::Engine,
    seed: u64,
}

impl Filling {
    async fn new(address: &Address, schema: &str, seed: u64) -> Self {
        let engine = engine::by_id(address.engine.as_str()).unwrap();
        let mut session = engine.connect(address).await.unwrap();
        session.execute(schema).await.unwrap();
        Self { session, engine, seed }
    }

    /// Fills all tables but the one called `skipped`.
    async fn fill(&mut self, rows: u64) -> Filled {
        let catalogue = self.session.introspect().await.unwrap();
        let skip = BTreeSet::from([TableName::new("skipped")]);
        let seed = Seed::root(self.seed);
        live::fill(self.session.as_mut(), self.engine.dialect(), &catalogue, &skip, seed, rows).await.unwrap()
    }

    /// The only value of a query.
    async fn ask(&mut self, sql: &str) -> String {
        let rows = self.session.query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        rows.into_iter().flatten().next().flatten().unwrap_or_default()
    }
}

async fn database(started: &Started, name: &str) -> Address {
    let engine = engine::by_id("postgres").unwrap();
    scratch::create(&started.server, engine, name, &mut Announced::default(), None).await.unwrap()
}

/// The rows and the beginning of the reason of each table that did not get all.
fn unfilled(filled: &Filled) -> BTreeMap<String, (u64, &str)> {
    filled.unfilled.iter().map(|table| (table.table.to_string(), (table.rows, table.reason.as_str()))).collect()
}

#[track_caller]
fn assert_unfilled(filled: &Filled, expected: &[(&str, u64, &str)]) {
    let unfilled = unfilled(filled);
    let tables: Vec<&str> = unfilled.keys().map(String::as_str).collect();
    assert_eq!(tables, expected.iter().map(|(table, ..)| *table).collect::<Vec<_>>(), "{unfilled:#?}");
    for (table, rows, reason) in expected {
        let (held, told) = unfilled[*table];
        assert_eq!(held, *rows, "{table}: {told}");
        assert!(told.contains(reason), "{table}: {told}");
    }
}

/// What cannot be had of the PostgreSQL schema, with its rows and why.
const IMPOSSIBLE: &[(&str, u64, &str)] = &[
    ("behind_refused", 0, "`refused` holds no row to refer to"),
    ("flags", 2, "23505"),
    ("only_one", 1, "23514"),
    ("refused", 0, "(P0001): not on a Sunday, …, … ("),
    ("snapshots", 0, "no value can be made up for `taken`, which is txid_snapshot"),
];

/// A digest of the rows of every table.
const STATE: &str = "SELECT md5(string_agg(query_to_xml(format('SELECT * FROM %s t ORDER BY t::text', t.oid::regclass), \
    true, false, '')::text, '' ORDER BY t.relname)) FROM pg_class t WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";

#[tokio::test(flavor = "multi_thread")]
async fn tables_with_one_of_everything_are_filled_and_the_rest_is_named() {
    let Some(started) = Started::local("tables_with_one_of_everything_are_filled_and_the_rest_is_named").await else {
        return;
    };
    let mut filling = Filling::new(&database(&started, "everything").await, POSTGRES, 1).await;
    let filled = filling.fill(3).await;
    assert_unfilled(&filled, IMPOSSIBLE);
    let tables: u64 = filling.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").await.parse().unwrap();
    // Without the partitions, the skipped table and those that cannot hold a row.
    assert_eq!(filled.loaded.len() as u64, tables - 7, "{:#?}", filled.loaded);
    let short = ["flags", "only_one"].map(TableName::new);
    let all = filled.loaded.iter().filter(|(table, _)| !short.contains(table)).all(|(_, rows)| (3..=6).contains(rows));
    assert!(all, "{:#?}", filled.loaded);
    // References between tables in a cycle are found once there are rows.
    assert_eq!(
        filling.ask("SELECT count(*) FROM teams t JOIN users u ON (u.tenant, u.id) = (t.tenant, t.lead)").await,
        "3"
    );
    assert_eq!(filling.ask("SELECT count(parent) > 0 FROM pages").await, "t");
    assert_eq!(filling.ask("SELECT count(*) FROM skipped").await, "0");
    assert_eq!(filling.ask("SELECT count(*) FROM team_notes n JOIN teams t ON t.id = n.team_id").await, "3");
    assert_eq!(filling.ask("SELECT count(*) FROM spellings WHERE sort = 'newest'").await, "3");

    // What is full stays as it is; what lost rows gets them back, and nothing else changes.
    let before = filling.ask(STATE).await;
    let again = filling.fill(3).await;
    assert_eq!(again.loaded, BTreeMap::new());
    assert_unfilled(&again, IMPOSSIBLE);
    assert_eq!(filling.ask(STATE).await, before);
    filling.session.execute("DELETE FROM profiles WHERE team = 2; DELETE FROM kinds").await.unwrap();
    let refilled = filling.fill(3).await;
    assert_eq!(refilled.loaded.keys().map(ToString::to_string).collect::<Vec<_>>(), ["kinds", "profiles"]);
    assert_eq!(filling.fill(40).await.loaded[&TableName::new("members")], 37);
    filling.session.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_fills_in_the_same_rows() {
    let Some(started) = Started::local("the_same_seed_fills_in_the_same_rows").await else { return };
    let mut states = Vec::new();
    for (name, seed) in [("one", 5), ("same", 5), ("other", 6)] {
        let mut filling = Filling::new(&database(&started, name).await, POSTGRES, seed).await;
        filling.fill(3).await;
        states.push(filling.ask(STATE).await);
        filling.session.close().await.unwrap();
    }
    assert_eq!(states[0], states[1]);
    assert_ne!(states[0], states[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_others_count_and_are_referred_to() {
    let Some(started) = Started::local("rows_of_others_count_and_are_referred_to").await else { return };
    let schema = "CREATE TABLE a (id integer PRIMARY KEY, name text UNIQUE);
        CREATE TABLE b (id integer PRIMARY KEY REFERENCES a);
        CREATE TABLE log (id serial PRIMARY KEY, of_a integer NOT NULL REFERENCES a);
        CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO log (of_a) VALUES (NEW.id); RETURN NEW; END $$;
        CREATE TRIGGER log AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION log();
        INSERT INTO a VALUES (700, 'x'), (3, 'y'); INSERT INTO b VALUES (700)";
    let mut filling = Filling::new(&database(&started, "others").await, schema, 1).await;
    let filled = filling.fill(3).await;
    // The trigger's three rows are enough for the log.
    let expected = [("a", 1), ("b", 2)].map(|(table, rows)| (TableName::new(table), rows));
    assert_eq!(filled, Filled { loaded: BTreeMap::from(expected), unfilled: Vec::new() });
    assert_eq!(filling.ask("SELECT count(*) FROM log").await, "3");
    filling.session.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_role_may_not_do_is_named_and_the_rest_is_filled() {
    let Some(started) = Started::local("what_a_role_may_not_do_is_named_and_the_rest_is_filled").await else { return };
    let schema = "CREATE TABLE open (id serial PRIMARY KEY); CREATE TABLE hidden (id serial PRIMARY KEY);
        CREATE TABLE seen (id serial PRIMARY KEY); CREATE ROLE clerk; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO clerk;
        GRANT ALL ON open TO clerk; GRANT SELECT ON seen TO clerk; SET ROLE clerk";
    let mut filling = Filling::new(&database(&started, "rights").await, schema, 1).await;
    let filled = filling.fill(3).await;
    assert_unfilled(&filled, &[("hidden", 0, "permission denied"), ("seen", 0, "permission denied")]);
    assert_eq!(filled.loaded, BTreeMap::from([(TableName::new("open"), 3)]));
    filling.session.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_come_later_get_values_and_the_rows_before_them_stay() {
    let test = "columns_that_come_later_get_values_and_the_rows_before_them_stay";
    let Some(started) = Started::local(test).await else { return };
    let schema = "CREATE TABLE a (id serial PRIMARY KEY, name text NOT NULL); CREATE TABLE b (id serial PRIMARY KEY);
        CREATE TABLE always (id serial PRIMARY KEY, nothing text CHECK (nothing IS NULL))";
    let mut filling = Filling::new(&database(&started, "later").await, schema, 1).await;
    filling.fill(3).await;
    let script = "ALTER TABLE a ADD COLUMN note text, ADD COLUMN pinned boolean NOT NULL DEFAULT false,
        ADD COLUMN b integer REFERENCES b, ADD COLUMN sort text NOT NULL DEFAULT 'newest'";
    filling.session.execute(script).await.unwrap();
    let before = filling.ask("SELECT string_agg(a::text, ';' ORDER BY id) FROM a").await;
    let filled = filling.fill(3).await;
    assert_eq!(filled.loaded.keys().map(ToString::to_string).collect::<Vec<_>>(), ["a"]);
    let said = "SELECT count(note) > 0 AND count(b) > 0 AND count(DISTINCT pinned) = 2 FROM a";
    assert_eq!(filling.ask(said).await, "t");
    assert_eq!(filling.ask("SELECT string_agg(a::text, ';' ORDER BY id) FROM a WHERE id <= 3").await, before);
    // Once is enough, and what cannot have a value is not asked for one for ever.
    assert_eq!(filling.fill(3).await, Filled::default());
    assert_eq!(filling.ask("SELECT count(*) FROM always").await, "3");
    filling.session.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_filled_too() {
    let folder = tempfile::TempDir::new().unwrap();
    let endpoint = Endpoint::File(folder.path().join("everything.db"));
    let address = Address { engine: EngineId::from("sqlite"), endpoint };
    let mut filling = Filling::new(&address, SQLITE, 1).await;
    let filled = filling.fill(3).await;
    assert_unfilled(&filled, &[("refused", 0, "not on a Sunday")]);
    assert!(filled.loaded.len() == 10 && filled.loaded.values().all(|rows| (3..=6).contains(rows)), "{filled:#?}");
    assert_eq!(filling.ask("SELECT count(team) > 0 FROM users").await, "1");
    assert_eq!(filling.ask("SELECT count(*) FROM pragma_foreign_key_check").await, "0");
    assert_eq!(filling.ask("SELECT count(*) FROM uses JOIN keys ON keys.id = uses.key").await, "3");
    assert_eq!(filling.fill(3).await.loaded, BTreeMap::new());
    filling.session.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn both_mariadbs_are_filled_too() {
    let test = "both_mariadbs_are_filled_too";
    for version in ["10.11", "11.8"] {
        let sandbox = Sandbox::new();
        let engine = engine::by_id("mariadb").unwrap();
        let request = Request { engine, version: Some(version.to_owned()), ..request(&sandbox.work()) };
        let Some(started) = Started::of(test, "container", request, sandbox).await else { return };
        let name = "everything";
        let address = scratch::create(&started.server, engine, name, &mut Announced::default(), None).await.unwrap();
        let mut filling = Filling::new(&address, MARIADB, 1).await;
        let filled = filling.fill(3).await;
        assert_unfilled(&filled, &[("refused", 0, "not on a Sunday")]);
        assert!(filled.loaded.len() == 7 && filled.loaded.values().all(|rows| (3..=6).contains(rows)), "{filled:#?}");
        assert_eq!(filling.fill(3).await.loaded, BTreeMap::new());
        assert_eq!(filling.fill(9).await.loaded[&TableName::new("members")], 6);
        filling.session.close().await.unwrap();
        started.leases.release(&Urls::default()).await;
    }
}
