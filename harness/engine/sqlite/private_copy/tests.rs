//! Private copies of real files, made by this library and by the `sqlite3` command, if there is one.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::PermissionsExt as _,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use super::*;

/// A folder with a database in it, and a folder for copies.
struct Room {
    source: TempDir,
    work: TempDir,
}

impl Room {
    fn new() -> Self {
        Self { source: TempDir::new().unwrap(), work: TempDir::new().unwrap() }
    }

    fn file(&self) -> PathBuf {
        self.source.path().join("it's 100% a?file#1 é.db")
    }

    fn copy(&self) -> PathBuf {
        self.work.path().join("copy.db")
    }

    /// A database with some rows, in that journal mode, closed.
    fn with_rows(mode: &str) -> Self {
        let room = Self::new();
        let connection = Connection::open(room.file()).unwrap();
        connection.query_row(&format!("PRAGMA journal_mode = {mode}"), [], |_| Ok(())).unwrap();
        connection.execute_batch(&fill(1, 500)).unwrap();
        room
    }

    /// Every file beside the database with its bytes.
    fn bytes(&self) -> BTreeMap<OsString, Vec<u8>> {
        let files = fs::read_dir(self.source.path()).unwrap().map(|entry| entry.unwrap());
        files.map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap())).collect()
    }

    /// Takes a copy, requires that no byte beside the source changed, and counts the copy's rows.
    fn rows_of_copy(&self) -> i64 {
        let before = self.bytes();
        let mut witness = take(&self.file(), &self.copy()).unwrap();
        assert!(witness.confirm().unwrap());
        assert_eq!(self.bytes(), before);
        assert_eq!(witness.unverified, None);
        let connection = Connection::open(self.copy()).unwrap();
        connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
    }

    /// The message with which no copy is taken; nothing is left of it, and nothing changed beside the source.
    fn refusal(&self) -> String {
        let before = self.bytes();
        let error = take(&self.file(), &self.copy()).unwrap_err();
        assert_eq!(self.bytes(), before);
        assert_eq!(fs::read_dir(self.work.path()).unwrap().count(), 0);
        error.to_string().replace(&self.file().display().to_string(), "FILE")
    }
}

fn fill(first: u32, last: u32) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS t (k INTEGER PRIMARY KEY, v TEXT);
         WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})
         INSERT INTO t SELECT i, hex(zeroblob(100)) FROM n;"
    )
}

/// Another process that has the database open, and is killed at the end.
struct Writer(Child);

impl Writer {
    /// Starts `sqlite3`, runs a script and waits until it is done; `None` (and said so) if there is no such command.
    fn start(test: &str, file: &Path, script: &str) -> Option<Self> {
        let command =
            Command::new("sqlite3").arg("-batch").arg(file).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let Ok(mut child) = command else {
            println!("skipped: {test}: the command sqlite3 is not installed");
            assert!(!std::env::var("REHEARSE_REQUIRE").unwrap_or_default().contains("local"), "sqlite3 is required");
            return None;
        };
        let mut input = child.stdin.as_ref().unwrap();
        writeln!(input, "{script}\n.print done").unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        while output.next().unwrap().unwrap() != "done" {}
        Some(Self(child))
    }

    /// Ends it as `kill -9` does: nothing is cleaned up.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn closed_files_are_copied_without_a_trace() {
    for mode in ["DELETE", "WAL", "PERSIST", "TRUNCATE"] {
        assert_eq!(Room::with_rows(mode).rows_of_copy(), 500, "{mode}");
    }
}

#[test]
fn read_only_files_in_read_only_folders_are_copied() {
    if rustix::process::geteuid().is_root() {
        println!("skipped: read_only_files_in_read_only_folders_are_copied: root may write everywhere");
        return;
    }
    let test = "read_only_files_in_read_only_folders_are_copied";
    let killed = |room: Room| {
        let writer = Writer::start(test, &room.file(), &format!("PRAGMA journal_mode = WAL;\n{}", fill(1, 500)))?;
        writer.kill();
        Some(room)
    };
    let rooms = [Some(Room::with_rows("DELETE")), Some(Room::with_rows("WAL")), killed(Room::new())];
    for room in rooms.into_iter().flatten() {
        for name in room.bytes().keys() {
            fs::set_permissions(room.source.path().join(name), fs::Permissions::from_mode(0o444)).unwrap();
        }
        fs::set_permissions(room.source.path(), fs::Permissions::from_mode(0o555)).unwrap();
        let rows = room.rows_of_copy();
        fs::set_permissions(room.source.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(rows, 500);
    }
}

#[test]
fn the_log_of_a_living_writer_is_seen() {
    let room = Room::new();
    let script = format!("PRAGMA journal_mode = WAL;\n{}\n{}", fill(1, 500), fill(501, 700));
    let Some(writer) = Writer::start("the_log_of_a_living_writer_is_seen", &room.file(), &script) else { return };
    assert!(beside(&room.file(), "-shm").exists());
    let before = room.bytes();
    take(&room.file(), &room.copy()).unwrap();
    let log = |name: &str| name.ends_with(".db") || name.ends_with("-wal");
    let kept = |bytes: BTreeMap<OsString, Vec<u8>>| -> BTreeMap<OsString, Vec<u8>> {
        bytes.into_iter().filter(|(name, _)| log(&name.to_string_lossy())).collect()
    };
    // The shared memory is not part of the database: it holds the readers' marks.
    assert_eq!(kept(room.bytes()), kept(before));
    let connection = Connection::open(room.copy()).unwrap();
    let rows: i64 = connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 700);
    drop(writer);
}

#[test]
fn the_log_of_a_killed_writer_is_seen_and_kept() {
    for with_shared_memory in [true, false] {
        let room = Room::new();
        let script = format!("PRAGMA journal_mode = WAL;\n{}", fill(1, 500));
        let Some(writer) = Writer::start("the_log_of_a_killed_writer_is_seen_and_kept", &room.file(), &script) else {
            return;
        };
        writer.kill();
        if !with_shared_memory {
            fs::remove_file(beside(&room.file(), "-shm")).unwrap();
        }
        assert!(fs::metadata(beside(&room.file(), "-wal")).unwrap().len() > 0);
        assert_eq!(room.rows_of_copy(), 500, "-shm left: {with_shared_memory}");
    }
}

#[test]
fn a_hot_journal_is_rolled_back_in_the_copy_alone() {
    let room = Room::with_rows("DELETE");
    // A cache of ten pages makes the writer spill unfinished changes into the file.
    let script = "PRAGMA cache_size = 10;\nBEGIN;\nUPDATE t SET v = 'unfinished';\nDELETE FROM t WHERE k > 100;";
    let Some(writer) = Writer::start("a_hot_journal_is_rolled_back_in_the_copy_alone", &room.file(), script) else {
        return;
    };
    assert!(matches!(take(&room.file(), &room.copy()), Err(EngineError::Locked { .. })), "a spilling writer locks");
    writer.kill();
    assert!(beside(&room.file(), "-journal").exists());
    assert_eq!(room.rows_of_copy(), 500);
    let connection = Connection::open(room.copy()).unwrap();
    let unfinished = "SELECT count(*) FROM t WHERE v = 'unfinished'";
    assert_eq!(connection.query_row(unfinished, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

#[test]
fn a_writer_that_has_only_begun_does_not_disturb() {
    let room = Room::with_rows("DELETE");
    let script = "BEGIN IMMEDIATE;\nDELETE FROM t;";
    let Some(writer) = Writer::start("a_writer_that_has_only_begun_does_not_disturb", &room.file(), script) else {
        return;
    };
    assert_eq!(room.rows_of_copy(), 500);
    drop(writer);
}

#[test]
fn exclusive_locks_are_respected() {
    let cases = [("DELETE", "BEGIN EXCLUSIVE;"), ("WAL", "PRAGMA locking_mode = EXCLUSIVE;\nDELETE FROM t;")];
    for (mode, script) in cases {
        let room = Room::with_rows(mode);
        let Some(writer) = Writer::start("exclusive_locks_are_respected", &room.file(), script) else { return };
        assert_eq!(room.refusal(), "`FILE` is locked by another process", "{mode}");
        drop(writer);
    }
}

#[test]
fn what_is_no_database_is_refused() {
    let room = Room::new();
    assert_eq!(room.refusal(), "`FILE` does not exist");
    fs::create_dir(room.file()).unwrap();
    let error = take(&room.file(), &room.copy()).unwrap_err().to_string();
    assert!(error.ends_with("is a directory"), "{error}");
    fs::remove_dir(room.file()).unwrap();
    for content in [&b"PK"[..], &[0x5a; 8192], b"SQLite format 2\0 and so on"] {
        fs::write(room.file(), content).unwrap();
        assert_eq!(room.refusal(), "`FILE` is not a SQLite database (it may be encrypted)");
    }
    fs::write(room.file(), b"SQLite format 3\0short").unwrap();
    assert_eq!(room.refusal(), "`FILE` is truncated: it ends within its header, after 21 bytes");
}

#[test]
fn an_empty_file_is_an_empty_database() {
    let room = Room::new();
    fs::write(room.file(), b"").unwrap();
    take(&room.file(), &room.copy()).unwrap();
    let connection = Connection::open(room.copy()).unwrap();
    let objects = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(objects, 0);
    assert!(fs::read(room.file()).unwrap().is_empty());
}

#[test]
fn truncated_and_damaged_files_are_refused() {
    let room = Room::with_rows("DELETE");
    let whole = fs::read(room.file()).unwrap();
    fs::write(room.file(), &whole[..whole.len() - 4096]).unwrap();
    let (promised, size) = (whole.len(), whole.len() - 4096);
    let expected = format!("`FILE` is truncated: its header promises {promised} bytes and it has {size}");
    assert_eq!(room.refusal(), expected);
    let mut damaged = whole;
    damaged[3 * 4096..4 * 4096].fill(0xa5);
    fs::write(room.file(), damaged).unwrap();
    assert!(room.refusal().starts_with("`FILE` is damaged: "), "{}", room.refusal());
}

#[test]
fn rows_that_break_a_rule_are_no_damage() {
    let room = Room::with_rows("DELETE");
    let connection = Connection::open(room.file()).unwrap();
    let planted = "CREATE TABLE c (n CHECK (n > 0)); PRAGMA ignore_check_constraints = ON; INSERT INTO c VALUES (-1)";
    connection.execute_batch(planted).unwrap();
    connection.close().unwrap();
    assert_eq!(room.rows_of_copy(), 500);
}

#[test]
fn a_collation_that_is_not_there_leaves_the_copy_unverified() {
    let room = Room::with_rows("DELETE");
    let connection = Connection::open(room.file()).unwrap();
    let planted = "CREATE TABLE c (n COLLATE NOCASE UNIQUE); INSERT INTO c VALUES ('a'), ('b');
                   PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'NOCASE', 'own')";
    connection.execute_batch(planted).unwrap();
    connection.close().unwrap();
    let witness = take(&room.file(), &room.copy()).unwrap();
    assert!(witness.unverified.unwrap().contains("no such collation sequence: own"));
}

#[test]
fn links_lead_to_the_log() {
    let room = Room::new();
    let script = format!("PRAGMA journal_mode = WAL;\n{}", fill(1, 500));
    let Some(writer) = Writer::start("links_lead_to_the_log", &room.file(), &script) else { return };
    writer.kill();
    let link = room.work.path().join("link.db");
    std::os::unix::fs::symlink(room.file(), &link).unwrap();
    take(&link, &room.copy()).unwrap();
    let connection = Connection::open(room.copy()).unwrap();
    assert_eq!(connection.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).unwrap(), 500);
}

#[test]
fn a_copy_never_overwrites() {
    let room = Room::with_rows("DELETE");
    fs::write(room.copy(), "mine").unwrap();
    let error = take(&room.file(), &room.copy()).unwrap_err().to_string();
    assert!(error.ends_with("is there already"), "{error}");
    assert_eq!(fs::read(room.copy()).unwrap(), b"mine");
}
