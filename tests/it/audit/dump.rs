//! A dump in the place of a side: restored on a server of the run's own, and gone with it.

use std::{fs, path::PathBuf, process::Command};

use super::{Audit, TINY, errors, pair};
use crate::{
    checks::bench::{AUDITOR, Bench, Pair},
    support::skipped,
};

/// pg_dump, where it is installed.
fn pg_dump(test: &str) -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut found: Vec<PathBuf> = folders.map(|entry| entry.unwrap().path().join("bin/pg_dump")).collect();
    found.retain(|path| path.is_file());
    found.sort();
    if found.is_empty() {
        skipped(test, "local", "pg_dump is not installed");
    }
    found.pop()
}

impl Audit {
    /// Dumps the target of a pair.
    fn dumped(&self, pair: &Pair<'_>, program: &PathBuf, format: &str) -> String {
        let path = self.sandbox.path(&format!("app-{format}"));
        let mut command = Command::new(program);
        command.arg(format!("--format={format}")).arg("--file").arg(&path).arg(pair.target_url());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        path.to_str().unwrap().to_owned()
    }
}

#[test]
fn a_database_equals_its_own_dump_in_every_format() {
    let test = "a_database_equals_its_own_dump_in_every_format";
    let (Some(bench), Some(program)) = (Bench::take(test), pg_dump(test)) else { return };
    let pair = pair(&bench);
    pair.target(&format!("ALTER TABLE posts OWNER TO {AUDITOR}; GRANT SELECT ON users TO {AUDITOR}"));
    let audit = Audit::new();
    let url = pair.target_url();
    for format in ["plain", "custom", "directory"] {
        let dump = audit.dumped(&pair, &program, format);
        let ended = audit.call_with(&["--source", &dump, "--target", "env:AUDITED"], &[("AUDITED", &url)]);
        assert_eq!(ended.code, 0, "{format}: {ended:?}");
        let report = audit.report();
        assert!(report.coverage.rows.checked > 0 && report.coverage.rows.is_whole());
        assert!(report.run.notes.iter().any(|note| note.contains(AUDITOR)), "{:?}", report.run.notes);
        audit.sandbox.assert_released();
    }
    let dump = audit.dumped(&pair, &program, "custom");
    pair.target("DELETE FROM posts WHERE id = 3");
    let ended = audit.call_with(&["--source", &dump, "--target", "env:AUDITED", "--settle", "0"], &[("AUDITED", &url)]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(errors(&audit.report()).contains(&"checksum missing_row target posts 1".to_owned()));

    // An archive of which the end is missing is found out when it is restored.
    let whole = fs::read(&dump).unwrap();
    let cut = audit.sandbox.write("cut.dump", &whole[..whole.len() - 200]);
    let ended = audit.call_with(&["--source", cut.to_str().unwrap(), "--target", "env:AUDITED"], &[("AUDITED", &url)]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.contains("cut.dump` cannot be restored: "), "{}", ended.stderr);
    audit.sandbox.assert_released();

    // A script that would have psql run a program is not run at all.
    let plain = fs::read_to_string(audit.sandbox.path("app-plain")).unwrap();
    let touched = audit.sandbox.path("touched");
    let command = format!("\n\\! touch {}\n-- PostgreSQL database dump complete\n", touched.display());
    let evil = audit.sandbox.write("evil.sql", plain.replace("\n-- PostgreSQL database dump complete\n", &command));
    let ended = audit.call_with(&["--source", evil.to_str().unwrap(), "--target", "env:AUDITED"], &[("AUDITED", &url)]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.contains("tells psql to `\\!` in line "), "{}", ended.stderr);
    assert!(!touched.exists());
}

#[test]
fn dumps_that_are_cut_packed_or_of_another_kind_are_refused_at_sight() {
    let audit = Audit::new();
    let target = audit.file("new.db", TINY);
    let whole = "-- PostgreSQL database dump\n\nSELECT 1;\n";
    for (name, content, told) in [
        ("cut.sql", whole.as_bytes(), "is cut off: its last lines are without `-- PostgreSQL database dump complete`"),
        ("all.sql", b"--\n-- PostgreSQL database cluster dump\n", "is a dump of a whole cluster (pg_dumpall)"),
        ("packed.sql.gz", &[0x1f, 0x8b, 8, 0, 0], "is packed with gzip: unpack it first"),
        (
            "maria.sql",
            b"-- MariaDB dump 10.19\nCREATE TABLE a (x int);\n",
            "is cut off: its last line is not `-- Dump completed`",
        ),
        ("mysql.sql", b"-- MySQL dump 8.0\n", "is a dump of MySQL, which is not restored here"),
    ] {
        let path = audit.sandbox.write(name, content);
        let ended = audit.call(&["--source", path.to_str().unwrap(), "--target", &target]);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
        assert!(ended.stderr.contains(&format!("`--source`: `{}` {told}", path.display())), "{}", ended.stderr);
    }
    let folder = audit.sandbox.path("folder");
    fs::create_dir(&folder).unwrap();
    let ended = audit.call(&["--source", folder.to_str().unwrap(), "--target", &target]);
    assert!(ended.code == 2 && ended.stderr.contains("/folder` "), "{ended:?}");
    audit.sandbox.assert_untouched();
}
