//! The step `convert_uuid` on real servers: from every point forward and back, and each failure case.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use rehearse::{
    engine,
    migrate::{
        StepDone, StepError, StepVoice,
        convert_uuid::{BACKUP, LOG, Mode, Operation, Orphans, Settings, perform},
    },
    model::{
        Address, TableName,
        catalogue::{Definition, Table},
        chain,
    },
    provision::Request,
};
use serde_json::Value as Json;

use crate::support::{
    Sandbox,
    server::{Started, ask, execute, request},
};

mod alone;
mod cut;
mod elsewhere;
mod kinds;
mod later;
mod mariadb;
mod online;
mod refused;
mod validated;
mod whole;

/// Keys in every spelling that PostgreSQL reads, and everything that can hang on a column.
const SCHEMA: &str = "
    CREATE TABLE users (id varchar(36) DEFAULT gen_random_uuid()::text, email text NOT NULL, name text,
                        CONSTRAINT users_pkey PRIMARY KEY (id));
    COMMENT ON COLUMN users.id IS 'the key';
    COMMENT ON CONSTRAINT users_pkey ON users IS 'of the key';
    CREATE TABLE journal_entries (id bigint PRIMARY KEY, user_id varchar(36) NOT NULL, note text,
        CONSTRAINT journal_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE);
    CREATE INDEX journal_by_user ON journal_entries (user_id, id DESC) INCLUDE (note) WHERE note IS NOT NULL;
    COMMENT ON INDEX journal_by_user IS 'of the list';
    ALTER TABLE journal_entries ALTER COLUMN user_id SET STATISTICS 500;
    GRANT SELECT (user_id) ON journal_entries TO PUBLIC;
    CREATE STATISTICS journal_statistics (dependencies) ON user_id, note FROM journal_entries;
    COMMENT ON STATISTICS journal_statistics IS 'of both';
    ALTER STATISTICS journal_statistics SET STATISTICS 50;
    ALTER TABLE journal_entries ADD CONSTRAINT journal_user_is_long CHECK (length(user_id) >= 32);
    CREATE TABLE tags (user_id varchar(36) REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED, name text,
        PRIMARY KEY (user_id, name));
    CREATE TABLE tag_uses (user_id varchar(36), name text, entry bigint REFERENCES journal_entries (id),
        FOREIGN KEY (user_id, name) REFERENCES tags (user_id, name) MATCH FULL);
    CREATE TABLE reminders (id bigint PRIMARY KEY, user_id varchar(36) REFERENCES users (id) ON DELETE SET NULL);
    ALTER TABLE users ADD COLUMN invited_by varchar(36);
    ALTER TABLE users ADD CONSTRAINT users_inviter FOREIGN KEY (invited_by) REFERENCES users (id);
    INSERT INTO users (id, email) SELECT
        CASE n % 4 WHEN 0 THEN md5(n::text) WHEN 1 THEN upper(md5(n::text)::uuid::text)
                   WHEN 2 THEN md5(n::text)::uuid::text ELSE regexp_replace(md5(n::text), '(....)(?!$)', '\\1-') END,
        'user' || n FROM generate_series(1, 13) n;
    UPDATE users SET invited_by = (SELECT id FROM users u WHERE u.email = 'user1') WHERE email IN ('user3', 'user7');
    INSERT INTO journal_entries SELECT n, (SELECT id FROM users WHERE email = 'user' || n % 13 + 1),
        CASE WHEN n % 3 > 0 THEN 'note ' || n END FROM generate_series(1, 29) n;
    INSERT INTO tags SELECT id, email || ' tag' FROM users;
    INSERT INTO tag_uses SELECT user_id, name, 5 FROM tags LIMIT 6;
    INSERT INTO tag_uses VALUES (NULL, NULL, 7);
    INSERT INTO reminders SELECT n, CASE WHEN n % 5 > 0 THEN (SELECT id FROM users WHERE email = 'user' || n % 13 + 1) END
        FROM generate_series(1, 17) n;";

/// A cluster for a few cases.
struct Bench(Started);

impl Bench {
    async fn new(test: &str) -> Option<Self> {
        Started::local(test).await.map(Self)
    }

    /// The same in a container, on a later server.
    async fn later(test: &str) -> Option<Self> {
        let sandbox = Sandbox::new();
        let request = Request { version: Some("17".to_owned()), ..request(&sandbox.work()) };
        Started::of(test, "container", request, sandbox).await.map(Self)
    }

    /// A database with this schema.
    async fn database(&self, name: &str, schema: &str) -> Address {
        execute(&self.0.server.admin, &format!("CREATE DATABASE {name}")).await;
        let address = self.0.server.admin.with_database(name);
        execute(&address, schema).await;
        address
    }

    /// A copy of a database that nobody is connected to.
    async fn copy(&self, of: &str, name: &str) -> Address {
        execute(&self.0.server.admin, &format!("CREATE DATABASE {name} TEMPLATE {of}")).await;
        self.0.server.admin.with_database(name)
    }
}

/// Few rows a batch, and no patience.
fn settings() -> Settings {
    Settings { batch_rows: 9, lock_ms: 200, lock_tries: 2, ..Settings::of_key("users.id".parse().unwrap()) }
}

fn online() -> Settings {
    Settings { mode: Mode::ExpandAndContract, ..settings() }
}

/// Performs an operation in which nobody interferes.
async fn perform_whole(address: &Address, settings: &Settings, operation: Operation) -> Result<StepDone, StepError> {
    perform(address, settings, operation, &mut Voice::patient()).await
}

/// Wants to stop when it has been asked for the so-manyth time.
struct Voice {
    asked: AtomicU64,
    stops_at: u64,
}

impl Voice {
    fn patient() -> Self {
        Self::until(u64::MAX)
    }

    fn until(stops_at: u64) -> Self {
        Self { asked: AtomicU64::new(0), stops_at }
    }
}

#[async_trait]
impl StepVoice for Voice {
    async fn mark(&mut self, _: Json) -> Result<(), StepError> {
        Ok(())
    }

    fn progress(&mut self, _: &str, _: u64, _: Option<u64>) {}

    fn is_stopping(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) + 1 >= self.stops_at
    }
}

/// Everything that a conversion may not lose: every object but for bookkeeping and the order of columns, and all rows.
struct State {
    objects: BTreeMap<String, Definition>,
    rows: BTreeMap<String, Vec<Option<String>>>,
}

async fn state(address: &Address) -> State {
    let mut session = engine::by_id(address.engine.as_str()).unwrap().connect(address).await.unwrap();
    let catalogue = session.introspect().await.unwrap();
    session.close().await.unwrap();
    let is_ours = |name: &str| name.contains(BACKUP) || name.contains(LOG);
    let objects = catalogue.objects.into_iter().filter(|(name, _)| name.class != "order" && !is_ours(&name.name));
    let objects = objects.map(|(name, definition)| (name.to_string(), definition)).collect();
    let mut rows = BTreeMap::new();
    for name in catalogue.tables.keys().map(ToString::to_string).filter(|name| !is_ours(name)) {
        let all = ask(address, &rows_of(address, &catalogue.tables[&TableName::new(name.clone())])).await;
        rows.insert(name, all.into_iter().flatten().collect());
    }
    State { objects, rows }
}

/// The query that gives a table's rows, each as one text, whatever the order of columns.
fn rows_of(address: &Address, table: &Table) -> String {
    if address.engine.as_str() == "postgres" {
        return format!("SELECT to_jsonb(t)::text FROM {} t ORDER BY 1", table.name);
    }
    let mut columns: Vec<&String> = table.columns.iter().map(|column| &column.name).collect();
    columns.sort();
    let quote = |name: &str| format!("`{}`", name.replace('`', "``"));
    let parts =
        columns.iter().map(|name| format!("'{}', IFNULL(HEX({}), 'NULL')", name.replace('\'', "''"), quote(name)));
    format!(
        "SELECT CONCAT_WS(' ', {}) FROM {} ORDER BY 1",
        parts.collect::<Vec<_>>().join(", "),
        quote(&table.name.name)
    )
}

/// Two states are the same; told are only the parts that are not.
fn same(expected: &State, found: &State, when: &str) {
    let mut unlike = Vec::new();
    let names: BTreeSet<&String> = expected.objects.keys().chain(found.objects.keys()).collect();
    for name in names.into_iter().filter(|name| expected.objects.get(*name) != found.objects.get(*name)) {
        unlike.push(format!("{name}: {:?}, not {:?}", found.objects.get(name), expected.objects.get(name)));
    }
    for (name, rows) in expected.rows.iter().filter(|(name, rows)| found.rows.get(*name) != Some(rows)) {
        let now = found.rows.get(name).map_or(&[][..], Vec::as_slice);
        let first = rows.iter().zip(now).find(|(then, now)| then != now);
        unlike.push(format!("{name}: {} rows, not {}; first {first:?}", now.len(), rows.len()));
    }
    assert!(unlike.is_empty(), "{when}:\n{}", unlike.join("\n"));
}

/// What the log says: operation and status, in order.
async fn log(address: &Address) -> Vec<String> {
    let rows = ask(address, &format!("SELECT CONCAT(operation, ' ', status) FROM {LOG} ORDER BY id")).await;
    rows.into_iter().flatten().flatten().collect()
}

/// The message of an operation that is refused or rejected.
async fn message(address: &Address, settings: &Settings, operation: Operation) -> String {
    chain(&perform_whole(address, settings, operation).await.unwrap_err())
}
