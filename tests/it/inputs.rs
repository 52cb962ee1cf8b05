//! Files of the user's that are no SQLite database, or cannot be read now: what is told, how it ends, and that neither the
//! file nor its folder changes.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use crate::support::{Ended, Sandbox};

/// A scenario from a file into a file, which needs no server.
const SHOP: &str = "fixtures/shop";

/// A folder of the user's with one database in it, and a sandbox beside it.
struct Folder {
    sandbox: Sandbox,
    file: PathBuf,
}

/// What a listing and the bytes of a folder show.
type Listing = BTreeMap<PathBuf, (u32, i64, i64, Vec<u8>)>;

impl Folder {
    /// A database that fits the scenario `shop`.
    fn with_database() -> Self {
        let sandbox = Sandbox::new();
        fs::create_dir(sandbox.path("theirs")).unwrap();
        let file = sandbox.path("theirs/shop.db");
        let connection = Connection::open(&file).unwrap();
        let rows = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
                    INSERT INTO users SELECT i, 'customer ' || i, NULL FROM n";
        let schema = fs::read_to_string(format!("{SHOP}/schema/source.sql")).unwrap();
        connection.execute_batch(&format!("{schema}; {rows};")).unwrap();
        connection.close().unwrap();
        Self { sandbox, file }
    }

    fn with_bytes(bytes: &[u8]) -> Self {
        let folder = Self::with_database();
        fs::write(&folder.file, bytes).unwrap();
        folder
    }

    fn listing(&self) -> Listing {
        let folder = self.file.parent().unwrap();
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let seen = |path: PathBuf| {
            let found = fs::metadata(&path).unwrap();
            let bytes = if path.is_dir() { Vec::new() } else { fs::read(&path).unwrap() };
            (path, (found.mode(), found.mtime(), found.mtime_nsec(), bytes))
        };
        let folder_itself = seen(folder.to_owned());
        entries.map(seen).chain([folder_itself]).collect()
    }

    fn snapshot(&self) -> Ended {
        self.sandbox.rehearse(&["run", SHOP, "--snapshot", self.file.to_str().unwrap()])
    }

    /// Both ways to hand a file over end with this code and tell this, and leave nothing anywhere.
    #[track_caller]
    fn assert_refused(&self, told: &str) {
        let before = self.listing();
        let file = self.file.to_str().unwrap();
        let any = ["--from", file, "--to", "postgres"];
        let calls = [
            &["run", SHOP, "--snapshot", file][..],
            &["plan", SHOP, "--snapshot", file],
            &["run", any[0], any[1], any[2], any[3]],
            &["plan", any[0], any[1], any[2], any[3]],
        ];
        for arguments in calls {
            let ended = self.sandbox.rehearse(arguments);
            assert_eq!(ended.code, 2, "{ended:?}");
            assert_eq!((ended.stdout.as_str(), ended.stderr), ("", format!("error: `{file}` {told}\n")));
            self.sandbox.assert_untouched();
        }
        assert_eq!(before, self.listing());
    }

    /// The file is found wrong only when it is copied: the run is inconclusive and tells this, and leaves nothing but its
    /// reports.
    #[track_caller]
    fn assert_inconclusive(&self, told: &str) {
        let before = self.listing();
        let ended = self.snapshot();
        assert_eq!(ended.code, 3, "{ended:?}");
        assert!(ended.stderr.contains("\nbroken   populate "), "{}", ended.stderr);
        assert!(ended.stderr.contains(&format!("`{}` {told}", self.file.display())), "{}", ended.stderr);
        self.sandbox.assert_released();
        assert_eq!(before, self.listing());
    }
}

#[test]
fn a_whole_file_is_rehearsed_and_not_touched() {
    let folder = Folder::with_database();
    let before = folder.listing();
    let ended = folder.snapshot();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("rows 4,000/4,000"), "{}", ended.stdout);
    assert!(ended.stdout.contains("files of yours, SHA-256\nunchanged "), "{}", ended.stdout);
    folder.sandbox.assert_released();
    assert_eq!(before, folder.listing());
}

#[test]
fn what_is_no_database_is_told_before_anything_starts() {
    let whole = fs::read(&Folder::with_database().file).unwrap();
    let promised = whole.len();
    let encrypted: Vec<u8> = (0..8192_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for (bytes, told) in [
        (&b"id,name\n1,Ann\n"[..], "is not a SQLite database (it may be encrypted)".to_owned()),
        (&encrypted, "is not a SQLite database (it may be encrypted)".to_owned()),
        (&whole[..60], "is truncated: it ends within its header, after 60 bytes".to_owned()),
        (&whole[..5000], format!("is truncated: its header promises {promised} bytes and it has 5000")),
    ] {
        Folder::with_bytes(bytes).assert_refused(&told);
    }
    let mut folder = Folder::with_database();
    folder.file = folder.sandbox.path("theirs");
    folder.assert_refused("is a directory");
    folder.file = folder.sandbox.path("theirs/missing.db");
    folder.assert_refused("does not exist");
}

#[test]
fn an_empty_file_is_an_empty_database_and_no_proof() {
    let folder = Folder::with_bytes(b"");
    let before = folder.listing();
    let ended = folder.snapshot();
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stdout.contains("there was nothing to compare"), "{}", ended.stdout);
    folder.sandbox.assert_released();
    assert_eq!(before, folder.listing());
}

#[test]
fn a_damaged_page_is_found_in_the_copy() {
    let mut bytes = fs::read(&Folder::with_database().file).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 512].fill(0xa5);
    Folder::with_bytes(&bytes).assert_inconclusive("is damaged: ");
}

#[test]
fn a_writer_that_holds_the_file_is_not_waited_for_long() {
    let folder = Folder::with_database();
    let before = fs::read(&folder.file).unwrap();
    let writer = Connection::open(&folder.file).unwrap();
    writer.execute_batch("BEGIN EXCLUSIVE; UPDATE users SET state = 'x' WHERE id = 1").unwrap();
    // Nothing of this process may open the file meanwhile: closing it again would drop the writer's lock.
    let ended = folder.snapshot();
    assert_eq!(ended.code, 3, "{ended:?}");
    let told = format!("`{}` is locked by another process", folder.file.display());
    assert!(ended.stderr.contains(&told), "{}", ended.stderr);
    folder.sandbox.assert_released();
    writer.execute_batch("ROLLBACK").unwrap();
    drop(writer);
    assert_eq!(before, fs::read(&folder.file).unwrap());
    assert_eq!(folder.snapshot().code, 0, "it is free again");
}

#[test]
fn rows_in_a_log_are_seen_and_stay_there() {
    let folder = Folder::with_database();
    let writer = Connection::open(&folder.file).unwrap();
    writer.execute_batch("PRAGMA journal_mode = WAL; INSERT INTO users VALUES (2001, 'late', NULL)").unwrap();
    let log = Path::new(&format!("{}-wal", folder.file.display())).to_owned();
    let before = (fs::read(&folder.file).unwrap(), fs::read(&log).unwrap());
    let ended = folder.snapshot();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("rows 4,002/4,002"), "{}", ended.stdout);
    assert_eq!(before, (fs::read(&folder.file).unwrap(), fs::read(&log).unwrap()));
    folder.sandbox.assert_released();
}
