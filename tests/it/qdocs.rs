//! What can go wrong with the scenarios of Q-Docs, and how each of them then ends.

use std::fs;

use rehearse::model::{Stage, Verdict};

use crate::support::{
    Sandbox, ended, files,
    scenarios::{Scenarios, assert_nothing_left, failed, why},
};

/// The scenarios in a place where they can be changed; `None`, and said so, where there is no PostgreSQL.
fn bench(test: &str) -> Option<Scenarios> {
    let names = ["qdocs-fresh", "qdocs-users-csv", "qdocs-backup-restore", "qdocs-legacy-dms", "qdocs-legacy-files"];
    Scenarios::new(test, &names)
}

#[test]
fn a_fresh_installation_that_breaks_drifts_or_leaves_something_is_told() {
    let Some(bench) = bench("a_fresh_installation_that_breaks_drifts_or_leaves_something_is_told") else { return };
    // The migrations forgot an index that the models have, and a type is left behind.
    let index = "CREATE INDEX documents_title_idx ON documents (lower(title) text_pattern_ops);\n";
    let folder = "qdocs-fresh/migrations";
    let last = format!("{folder}/0005_more_statuses_and_one_latest_version");
    bench.change(&format!("{last}.up.sql"), index, "CREATE TYPE left_behind AS ENUM ('a');\n");
    bench.change(&format!("{last}.down.sql"), "DROP INDEX documents_title_idx;\n", "");
    // The administrator can sign in with a password that everybody knows.
    bench.change(&format!("{folder}/0007_reference_data.up.sql"), "'Administrator', '!'", "'Administrator', 'admin'");
    let (output, report) = bench.run("qdocs-fresh");
    assert_eq!((output.code, report.verdict), (1, Verdict::Fail), "{output:?}");
    assert_eq!(failed(&report, Stage::Migrated), ["schema", "checksum"], "{output:?}");
    assert_eq!(failed(&report, Stage::RolledBack), ["no_trace"], "{output:?}");
    for told in ["documents_title_idx", "left_behind", "hashed_password"] {
        assert!(output.stdout.contains(told), "{told}: {output:?}");
    }

    // One breaks: those before it are taken back, and nothing is left.
    bench.change(&format!("{last}.up.sql"), "CREATE TYPE left_behind AS ENUM ('a');", "CREATE TYPE left_behind AS;");
    let (output, report) = bench.run("qdocs-fresh");
    assert_eq!((output.code, report.verdict), (3, Verdict::Inconclusive), "{output:?}");
    assert!(output.stdout.contains("0005_more_statuses_and_one_latest_version.up.sql:5"), "{output:?}");
    assert_nothing_left(&report);
}

#[test]
fn users_that_are_there_and_files_that_are_broken_are_left_alone() {
    let Some(bench) = bench("users_that_are_there_and_files_that_are_broken_are_left_alone") else { return };
    // Somebody who is there already is changed by the import: it is seen, and so is that no way back brings that back.
    let skip = "            skipped := skipped + 1;";
    let change = "            UPDATE users SET full_name = one.full_name WHERE username = one.username;";
    bench.change("qdocs-users-csv/import/users.sql", skip, &format!("{skip}\n{change}"));
    let (output, report) = bench.run("qdocs-users-csv");
    assert_eq!((output.code, report.verdict), (1, Verdict::Fail), "{output:?}");
    assert_eq!(failed(&report, Stage::Migrated), ["checksum"], "{output:?}");
    assert_eq!(failed(&report, Stage::RolledBack), ["no_trace"], "{output:?}");

    // A quote that is never closed: nobody knows where the next user begins, and none is imported.
    bench.change("qdocs-users-csv/import/users.csv", "\"Johnson, Bob\"", "\"Johnson, Bob");
    let (output, report) = bench.run("qdocs-users-csv");
    assert_eq!((output.code, report.verdict), (1, Verdict::Fail), "{output:?}");
    let told = why(&report, "migrate/read");
    assert!(told.contains("import/users.csv:"), "{told}");
    assert_nothing_left(&report);
}

#[test]
fn documents_that_are_cut_or_left_behind_are_told() {
    let Some(bench) = bench("documents_that_are_cut_or_left_behind_are_told") else { return };
    let scenario = "qdocs-legacy-files/scenario.toml";
    // Rows that a key takes along have to be named: without them nothing is removed, and that is found.
    let attachments = "    { table = \"attachments\", where = \"document_id IN (SELECT id FROM documents WHERE \
                       document_number LIKE 'LEGACY-%' AND created_at >= '2020-01-01')\" },\n";
    bench.change(scenario, attachments, "");
    let (output, report) = bench.run("qdocs-legacy-files");
    assert_eq!((output.code, report.verdict), (1, Verdict::Fail), "{output:?}");
    assert_eq!(failed(&report, Stage::Migrated), Vec::<&str>::new(), "{output:?}");
    let told = why(&report, "rollback/import");
    assert!(told.contains("1 rows of attachments would go as well, which are not named"), "{told}");
    assert_eq!(failed(&report, Stage::RolledBack), ["no_trace"], "{output:?}");

    // An export that was cut in the middle: its place is told, and nothing is written.
    let export = "qdocs-legacy-files/import/legacy.json";
    let text = fs::read_to_string(bench.sandbox.path(export)).unwrap();
    bench.sandbox.write(export, &text[..text.find("LEGACY-0005").unwrap()]);
    let (output, report) = bench.run("qdocs-legacy-files");
    assert_eq!((output.code, report.verdict), (1, Verdict::Fail), "{output:?}");
    let told = why(&report, "migrate/read-json");
    assert!(told.contains("legacy.json:6:1: the file ends in the middle of the row that begins here"), "{told}");
    assert_nothing_left(&report);
}

/// The way back of an import may be the backup from before it, which is as exact as the rows named one by one.
#[test]
fn an_import_is_taken_back_by_the_backup_from_before_it() {
    let Some(bench) = bench("an_import_is_taken_back_by_the_backup_from_before_it") else { return };
    let scenario = "qdocs-legacy-files/scenario.toml";
    let text = fs::read_to_string(bench.sandbox.path(scenario)).unwrap();
    let begins = text.find("[[step]]\nname = \"import\"").unwrap();
    let named = text[begins..].find("[step.rollback]").unwrap() + begins;
    let behind = text[named..].find("\n]\n").unwrap() + named + "\n]\n".len();
    let (step, rows) = (&text[begins..named], &text[named..behind]);
    let kept = "[[step]]\nname = \"kept\"\nkind = \"backup\"\nside = \"target\"\n\n";
    let restored = "[step.rollback]\nkind = \"restore\"\nfrom = \"kept\"\n";
    bench.change(scenario, &format!("{step}{rows}"), &format!("{kept}{step}{restored}"));
    let (output, report) = bench.run("qdocs-legacy-files");
    assert_eq!((output.code, report.verdict), (0, Verdict::Pass), "{output:?}");
    assert_nothing_left(&report);
}

#[test]
fn a_backup_that_lacks_what_is_restored_from_it_is_told() {
    let Some(bench) = bench("a_backup_that_lacks_what_is_restored_from_it_is_told") else { return };
    // A table that others refer to is not among those that are backed up: the restore fails, and is taken back whole.
    let scenario = "qdocs-backup-restore/scenario.toml";
    bench.change(scenario, "[\"roles\", \"users\", \"documents\", \"document_versions\"]", "[\"documents\"]");
    let (output, report) = bench.run("qdocs-backup-restore");
    assert_eq!((output.code, report.verdict), (3, Verdict::Inconclusive), "{output:?}");
    let told = why(&report, "migrate/restore-documents");
    assert!(told.contains("cannot be restored") && told.contains("users"), "{told}");
    assert_nothing_left(&report);
}

#[test]
fn legacy_text_that_is_misread_guessed_or_kept_quiet_is_told() {
    let Some(bench) = bench("legacy_text_that_is_misread_guessed_or_kept_quiet_is_told") else { return };
    // Nobody is told of the status that was guessed; and text that was encoded twice is carried as it looks.
    let documents = "qdocs-legacy-dms/import/documents.sql";
    bench.change(documents, "FROM taken WHERE status IS NULL", "FROM taken WHERE false");
    bench.change(documents, "        WHEN concat_ws(", "        WHEN false AND concat_ws(");
    let (output, report) = bench.run("qdocs-legacy-files");
    assert_eq!((output.code, report.verdict), (1, Verdict::Fail), "{output:?}");
    let failed = failed(&report, Stage::Migrated);
    assert!(failed.contains(&"row_count") && failed.contains(&"checksum"), "{output:?}");
    let of = |table: &str| {
        let checks =
            report.scenarios[0].checks.iter().filter(|check| check.stage == Stage::Migrated && check.id == "row_count");
        let found =
            checks.flat_map(|check| &check.findings).find(|finding| finding.subject.to_string().contains(table));
        found.is_some()
    };
    for table in ["documents", "document_versions", "legacy_import_rejects", "legacy_import_notes"] {
        assert!(of(table), "{table}: {output:?}");
    }
    assert!(!of("comments") && !of("users"), "{output:?}");
    assert_nothing_left(&report);

    // The CSV file in an encoding that it is not of: told with its line, and nothing is imported.
    bench.change("qdocs-legacy-files/scenario.toml", "encoding = \"windows-1252\"", "encoding = \"utf-8\"");
    let (output, report) = bench.run("qdocs-legacy-files");
    assert_eq!((output.code, report.verdict), (1, Verdict::Fail), "{output:?}");
    let told = why(&report, "migrate/read-csv");
    assert!(told.contains("legacy.csv:8:15: "), "{told}");
    assert_nothing_left(&report);
}

/// A second import that does not look who is there would make everybody twice; the target's keys end it.
#[test]
fn a_second_import_that_looks_at_nothing_is_ended() {
    let Some(bench) = bench("a_second_import_that_looks_at_nothing_is_ended") else { return };
    let looks = "        IF EXISTS (SELECT FROM users WHERE username = one.username) THEN";
    let first_only = "        IF EXISTS (SELECT FROM users WHERE username = one.username) AND NOT EXISTS (SELECT FROM users_import_runs) THEN";
    bench.change("qdocs-users-csv/import/users.sql", looks, first_only);
    let (output, report) = bench.run("qdocs-users-csv");
    assert_ne!(output.code, 0, "{output:?}");
    let told = why(&report, "migrate/again");
    assert!(told.contains("users_username_key"), "{told}");
    assert_nothing_left(&report);
}

/// What was made of initial passwords is in the database, and nowhere else.
#[test]
fn initial_passwords_are_in_no_file_of_a_run() {
    let Some(bench) = bench("initial_passwords_are_in_no_file_of_a_run") else { return };
    let folder = bench.sandbox.path("qdocs-users-csv").display().to_string();
    let arguments = ["run", &folder, "--provider", "local", "--seed", "1", "--keep", "--show-values"];
    let output = ended(&mut bench.sandbox.rehearsal(&arguments));
    assert_eq!(output.code, 0, "{output:?}");
    let hashes = kept_hashes(&bench.sandbox);
    assert_eq!(hashes.len(), 9);
    let own = files(&bench.sandbox.out());
    assert!(own.iter().any(|file| file.ends_with("events.jsonl")), "{own:?}");
    // What the server itself keeps is in its own folder.
    let of_run = files(&bench.sandbox.work())
        .into_iter()
        .filter(|file| !file.components().any(|one| one.as_os_str().to_string_lossy().starts_with("cluster-")));
    for file in own.into_iter().chain(of_run).chain(files(&bench.sandbox.path("state"))) {
        let bytes = fs::read(&file).unwrap_or_default();
        for form in hashes.iter().flat_map(|hash| forms(hash)) {
            assert!(!bytes.windows(form.len()).any(|window| window == form), "{}", file.display());
        }
    }
    let report = bench.sandbox.report("qdocs-users-csv");
    assert_eq!(bench.sandbox.call(&["clean", report.run.id.as_str()]).code, 0);
}

/// The hashes in the target of a kept run.
fn kept_hashes(sandbox: &Sandbox) -> Vec<Vec<u8>> {
    let id = sandbox.report("qdocs-users-csv").run.id.to_string();
    let cluster = sandbox.work().join(format!("rehearse-{id}/r0/cluster-target"));
    let database = format!("rehearse_{}_target", id.replace('-', "_"));
    let sql = "SELECT encode(sha256, 'hex') FROM users_import_passwords";
    let output = std::process::Command::new("psql")
        .args(["-XAt", "-U", "postgres", "-d", &database, "-c", sql, "-h"])
        .arg(cluster.join("socket"))
        .env("PGPASSWORD", fs::read_to_string(cluster.join("password")).unwrap())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let byte = |line: &str, at: usize| u8::from_str_radix(&line[at..at + 2], 16).unwrap();
    text.lines().map(|line| (0..line.len()).step_by(2).map(|at| byte(line, at)).collect()).collect()
}

/// A hash as it is, in hexadecimal of either case, and in base64.
fn forms(hash: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let base64 = base64(hash);
    vec![hash.to_owned(), hex.to_uppercase().into_bytes(), hex.into_bytes(), base64.trim_end_matches('=').into()]
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |chunk: &[u8]| {
        let joined = (0..3).fold(0_usize, |joined, at| joined << 8 | usize::from(*chunk.get(at).unwrap_or(&0)));
        let letter =
            |at: usize| if at <= chunk.len() { char::from(LETTERS[joined >> (18 - 6 * at) & 63]) } else { '=' };
        (0..4).map(letter).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}
