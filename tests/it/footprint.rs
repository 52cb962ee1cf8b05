//! What a change leaves behind while it runs: its locks, who really waits for them, and what it rewrites.

use rehearse::{
    engine::{self, EngineError, Session},
    model::{
        Address, Endpoint, EngineId, Footprint,
        footprint::{Blocks, Locks},
    },
    provision::{Request, scratch},
};

use crate::support::{
    Sandbox,
    server::{Announced, Started, Urls, request},
};

const SCHEMA: &str = "CREATE TABLE parent (id integer PRIMARY KEY, name varchar(10) NOT NULL);
    CREATE TABLE child (id integer PRIMARY KEY, parent integer NOT NULL);
    INSERT INTO parent VALUES (1, 'a'), (2, 'b'); INSERT INTO child VALUES (1, 1), (2, 1)";

const ALTERED: &[(&str, &str)] = &[("parent", "ACCESS EXCLUSIVE")];

/// A change, the strongest lock on each table, the tables that it rewrites, and the indexes that it builds anew.
type Change<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str], &'a [&'a str]);

const CHANGES: &[Change<'_>] = &[
    ("SELECT * FROM parent", &[("parent", "ACCESS SHARE")], &[], &[]),
    ("SELECT * FROM parent FOR UPDATE", &[("parent", "ROW SHARE")], &[], &[]),
    ("UPDATE parent SET name = 'c' WHERE id = 2", &[("parent", "ROW EXCLUSIVE")], &[], &[]),
    ("ALTER TABLE child ALTER COLUMN parent SET STATISTICS 10", &[("child", "SHARE UPDATE EXCLUSIVE")], &[], &[]),
    ("CREATE INDEX ON parent (name)", &[("parent", "SHARE")], &[], &[]),
    (
        "ALTER TABLE child ADD FOREIGN KEY (parent) REFERENCES parent",
        &[("child", "SHARE ROW EXCLUSIVE"), ("parent", "SHARE ROW EXCLUSIVE")],
        &[],
        &[],
    ),
    ("LOCK TABLE parent IN EXCLUSIVE MODE", &[("parent", "EXCLUSIVE")], &[], &[]),
    ("ALTER TABLE parent ADD COLUMN note text DEFAULT 'x'", ALTERED, &[], &[]),
    ("ALTER TABLE parent ADD COLUMN at timestamptz DEFAULT clock_timestamp()", ALTERED, &["parent"], &["parent_pkey"]),
    ("ALTER TABLE parent ALTER COLUMN name TYPE varchar(20)", ALTERED, &[], &[]),
    ("ALTER TABLE parent ALTER COLUMN id TYPE bigint", ALTERED, &["parent"], &["parent_pkey"]),
    ("ALTER TABLE parent RENAME TO parents", ALTERED, &[], &[]),
    ("DROP TABLE parent", ALTERED, &[], &[]),
    ("TRUNCATE parent", ALTERED, &["parent"], &["parent_pkey"]),
    ("CREATE TABLE other (id integer PRIMARY KEY); CREATE INDEX ON other (id)", &[], &[], &[]),
    ("CREATE TABLE other (id integer REFERENCES parent)", &[("parent", "SHARE ROW EXCLUSIVE")], &[], &[]),
    // Of several locks on one table the strongest counts, and the strongest of all stands first.
    (
        "UPDATE parent SET name = 'd' WHERE id = 2; CREATE INDEX ON child (parent); ALTER TABLE parent ADD UNIQUE (name)",
        &[("parent", "ACCESS EXCLUSIVE"), ("child", "SHARE")],
        &[],
        &[],
    ),
];

async fn open(address: &Address, schema: &str) -> Box<dyn Session> {
    let engine = engine::by_id(address.engine.as_str()).unwrap();
    let mut session = engine.connect(address).await.unwrap();
    session.execute(schema).await.unwrap();
    session
}

/// Whether a statement has to wait for a lock in this session.
async fn waits(other: &mut dyn Session, sql: &str) -> bool {
    match other.execute(sql).await {
        Ok(()) => false,
        Err(EngineError::Refused { code: Some(code), .. }) if code == "55P03" => true,
        Err(error) => panic!("{sql}: {error:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn locks_and_rewrites_of_each_kind_of_change_are_told() {
    let Some(started) = Started::local("locks_and_rewrites_of_each_kind_of_change_are_told").await else { return };
    let engine = engine::by_id("postgres").unwrap();
    let address = scratch::create(&started.server, engine, "footprint", &mut Announced::default(), None).await.unwrap();
    let mut session = open(&address, SCHEMA).await;
    // Who gets no lock at once would never get it: the other transaction stays open meanwhile.
    let mut other = open(&address, "SET lock_timeout = '200ms'").await;
    for (script, locks, rewritten, rebuilt) in CHANGES {
        let before = session.storage().await.unwrap();
        session.begin(false).await.unwrap();
        session.execute(script).await.unwrap();
        let held = session.locks().await.unwrap();
        let footprint = Footprint::of(&before, &session.storage().await.unwrap(), held);
        let told: Vec<(String, &str)> =
            footprint.locks.iter().map(|lock| (lock.table.as_ref().unwrap().to_string(), lock.mode.as_str())).collect();
        let told: Vec<(&str, &str)> = told.iter().map(|(table, mode)| (table.as_str(), *mode)).collect();
        assert_eq!(told, *locks, "{script}");
        let names: Vec<String> = footprint.rewritten.iter().map(ToString::to_string).collect();
        assert_eq!((names, &footprint.rebuilt), (texts(rewritten), &texts(rebuilt)), "{script}");
        // What is said about others is what really happens to them.
        for lock in &footprint.locks {
            let table = lock.table.as_ref().unwrap();
            let reads = waits(&mut *other, &format!("SELECT count(*) FROM {table}")).await;
            let writes = waits(&mut *other, &format!("DELETE FROM {table} WHERE id = 0")).await;
            let expected = match lock.blocks {
                Blocks::Nobody => (false, false),
                Blocks::Writers => (false, true),
                Blocks::ReadersAndWriters => (true, true),
            };
            assert_eq!((reads, writes), expected, "{script}: {lock:?}");
        }
        session.tx_rollback().await.unwrap();
    }
    // Without a transaction nothing is held, and dropping a table gives its bytes back.
    assert_eq!(session.locks().await.unwrap(), Locks::Held(Vec::new()));
    let before = session.storage().await.unwrap();
    session.execute("DROP TABLE child").await.unwrap();
    let footprint = Footprint::of(&before, &session.storage().await.unwrap(), Locks::Held(Vec::new()));
    assert!(footprint.bytes_before > footprint.bytes_after, "{footprint:?}");
    for session in [session, other] {
        session.close().await.unwrap();
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_are_told_one_by_one() {
    let Some(started) = Started::local("partitions_are_told_one_by_one").await else { return };
    let engine = engine::by_id("postgres").unwrap();
    let address = scratch::create(&started.server, engine, "parts", &mut Announced::default(), None).await.unwrap();
    let schema = "CREATE TABLE t (id integer, n integer) PARTITION BY LIST (id);
        CREATE SCHEMA more; CREATE TABLE more.t_1 PARTITION OF t FOR VALUES IN (1)";
    let mut session = open(&address, schema).await;
    let before = session.storage().await.unwrap();
    session.begin(false).await.unwrap();
    session.execute("ALTER TABLE t ALTER COLUMN n TYPE bigint").await.unwrap();
    let held = session.locks().await.unwrap();
    session.commit().await.unwrap();
    let footprint = Footprint::of(&before, &session.storage().await.unwrap(), held);
    let locks: Vec<String> = footprint.locks.iter().map(|lock| lock.table.as_ref().unwrap().to_string()).collect();
    assert_eq!(locks, ["t", "more.t_1"]);
    let rewritten: Vec<String> = footprint.rewritten.iter().map(ToString::to_string).collect();
    assert_eq!(rewritten, ["more.t_1"]);
    session.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_has_one_lock_and_tells_what_was_made_anew() {
    let folder = tempfile::TempDir::new().unwrap();
    let address =
        Address { engine: EngineId::from("sqlite"), endpoint: Endpoint::File(folder.path().join("footprint.db")) };
    let mut session = open(&address, SCHEMA).await;
    let before = session.storage().await.unwrap();
    session.execute("BEGIN; SELECT * FROM parent").await.unwrap();
    let Locks::Held(read) = session.locks().await.unwrap() else { panic!("a file tells its lock") };
    assert_eq!(read.iter().map(|lock| lock.blocks).collect::<Vec<_>>(), [Blocks::Nobody]);
    let script = "CREATE TABLE anew (id integer PRIMARY KEY, name text); INSERT INTO anew SELECT * FROM parent;
        DROP TABLE parent; ALTER TABLE anew RENAME TO parent; ALTER TABLE child ADD COLUMN note text";
    session.execute(script).await.unwrap();
    let held = session.locks().await.unwrap();
    session.execute("COMMIT").await.unwrap();
    let footprint = Footprint::of(&before, &session.storage().await.unwrap(), held);
    assert_eq!(footprint.locks.len(), 1, "{footprint:?}");
    assert_eq!((&footprint.locks[0].table, footprint.locks[0].blocks), (&None, Blocks::Writers));
    let rewritten: Vec<String> = footprint.rewritten.iter().map(ToString::to_string).collect();
    assert_eq!(rewritten, ["parent"]);
    assert!(footprint.bytes_before.is_some_and(|bytes| bytes > 0) && footprint.bytes_after.is_some(), "{footprint:?}");
    assert_eq!(session.locks().await.unwrap(), Locks::Held(Vec::new()));
    session.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb_tells_what_it_rebuilt_and_that_it_does_not_tell_its_locks() {
    let test = "mariadb_tells_what_it_rebuilt_and_that_it_does_not_tell_its_locks";
    for version in ["10.11", "11.8"] {
        let sandbox = Sandbox::new();
        let engine = engine::by_id("mariadb").unwrap();
        let request = Request { engine, version: Some(version.to_owned()), ..request(&sandbox.work()) };
        let Some(started) = Started::of(test, "container", request, sandbox).await else { return };
        let name = "foot-print";
        let address = scratch::create(&started.server, engine, name, &mut Announced::default(), None).await.unwrap();
        let schema = "CREATE TABLE `a-b` (id int PRIMARY KEY, n int); INSERT INTO `a-b` VALUES (1, 1);
            CREATE TABLE parts (id int PRIMARY KEY, n int) PARTITION BY HASH (id) PARTITIONS 2";
        let mut session = open(&address, schema).await;
        for (script, rewritten) in [
            ("ALTER TABLE `a-b` ADD COLUMN note text", &[][..]),
            ("ALTER TABLE `a-b` MODIFY n bigint", &["a-b"]),
            ("ALTER TABLE parts MODIFY n bigint", &["parts"]),
            ("CREATE INDEX n ON `a-b` (n)", &[]),
        ] {
            let before = session.storage().await.unwrap();
            session.execute(script).await.unwrap();
            let held = session.locks().await.unwrap();
            let footprint = Footprint::of(&before, &session.storage().await.unwrap(), held);
            let names: Vec<String> = footprint.rewritten.iter().map(ToString::to_string).collect();
            assert_eq!(names, *rewritten, "{version}: {script}");
            assert!(footprint.locks_unknown.is_some() && footprint.locks.is_empty());
            assert!(footprint.bytes_before.is_some_and(|bytes| bytes > 0), "{footprint:?}");
        }
        session.close().await.unwrap();
        started.leases.release(&Urls::default()).await;
    }
}
