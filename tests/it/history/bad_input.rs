//! Folders and flags that are not in order, told before anything is started.

use super::Past;
use crate::support::Sandbox;

/// The whole of what is told, the folder's own path taken out.
fn told(past: &Past, flags: &[&str]) -> String {
    let ended = past.run(flags);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
    past.sandbox.assert_untouched();
    ended.stderr.replace(&past.folder(), "DIR")
}

#[test]
fn what_is_wrong_with_a_folder_is_told_at_once() {
    let past = Past::sqlite();
    past.file("1_a.up.sql", "CREATE TABLE a (id);");
    past.file("01_b.up.sql", "CREATE TABLE b (id);");
    past.file("2_c.down.sql", "DROP TABLE c;");
    assert_eq!(
        told(&past, &["--layout", "golang-migrate"]),
        "error: `2_c.down.sql` has no file for the way up beside it\n`01_b.up.sql` and `1_a.up.sql` have one version, 1\n"
    );
}

#[test]
fn a_statement_that_is_cut_off_is_told_with_file_and_line() {
    let past = Past::sqlite();
    past.file("1_a.up.sql", "CREATE TABLE a (id);\n\nINSERT INTO a VALUES ('x);\n");
    past.file("1_a.down.sql", "DROP TABLE \"a;");
    let told = told(&past, &[]);
    assert!(told.contains("DIR/1_a.up.sql:3: ") && told.contains("DIR/1_a.down.sql:1: "), "{told}");
}

/// What only psql understands is refused before anybody looks for a server, in whichever script it stands.
#[test]
fn what_only_psql_understands_is_told_with_file_and_line() {
    let past = Past { sandbox: Sandbox::new(), engine: "postgres", provider: "local", version: None };
    let connect = "is a command of the client psql and no SQL";
    let copy = "`COPY … FROM stdin` has its rows in the script, where only the client psql reads them";
    past.file("1_a.up.sql", "CREATE TABLE a (id int, t text);\n\n\\connect other\nCREATE TABLE b (id int);\n");
    past.file("1_a.down.sql", "\\echo 'going'\nDROP TABLE a;\n");
    past.file("2_b.up.sql", "-- rows\nCOPY a (id, t) FROM stdin;\n1\tit's\n2\t\\N\n\\.\nSELECT 1;\n");
    past.file("2_b.down.sql", "DELETE FROM a;\n\nCOPY public.a FROM STDIN WITH (FORMAT csv);\n1,x\n\\.\n");
    past.file("3_c.up.sql", "COPY a FROM '/nowhere';\nCOPY a TO stdout;\n");
    past.file("3_c.down.sql", "SELECT 1;\n");
    assert_eq!(
        told(&past, &["--layout", "golang-migrate"]),
        format!(
            "error: DIR/1_a.up.sql:3: `\\connect` {connect}\nDIR/1_a.down.sql:1: `\\echo` {connect}\n\
             DIR/2_b.up.sql:2: {copy}\nDIR/2_b.down.sql:3: {copy}\n"
        )
    );
    // The line is that of the file, where a way is a part of it.
    let past = Past { sandbox: Sandbox::new(), ..past };
    past.file("1_a.sql", "-- +goose Up\nCREATE TABLE a (id int);\n-- +goose Down\nDROP TABLE a;\n\n\\i other.sql\n");
    assert_eq!(told(&past, &[]), format!("error: DIR/1_a.sql:6: `\\i` {connect}\n"));
}

#[test]
fn bytes_that_are_no_text_are_told_with_file_and_line() {
    let past = Past::sqlite();
    past.sandbox.write("m/1_a.up.sql", b"select 1;\nselect '\xe9';\n");
    assert!(told(&past, &[]).contains("DIR/1_a.up.sql:2: is not UTF-8"));
}

#[test]
fn an_unknown_folder_says_what_was_looked_for() {
    let past = Past::sqlite();
    past.file("notes.txt", "");
    let told = told(&past, &[]);
    assert!(told.contains("`DIR` has no layout of migrations that is known here; looked for"), "{told}");
    assert!(told.contains("hint: --layout says which tool keeps them"), "{told}");
}

#[test]
fn flags_that_do_not_fit_are_wrong_calls() {
    let past = Past::sqlite();
    past.pairs(&[("1_a", "CREATE TABLE a (id);", "DROP TABLE a;"), ("2_b", "SELECT 1;", "SELECT 1;")]);
    for (flags, expected) in [
        (&["--layout", "goos"][..], "unknown layout `goos`"),
        (&["--only", "3_c"], "no migration is called `3_c`"),
        (&["--from", "2_b", "--to", "1_a"], "`2_b` comes behind `1_a`"),
        (&["--target-version", "15", "--target-version", "17"], "on one version of the server"),
        (&["--only", "1_a", "--from", "1_a"], "cannot be used with"),
        (&["--scale", "2"], "cannot be used with"),
    ] {
        let told = told(&past, flags);
        assert!(told.contains(expected), "{flags:?}: {told}");
    }
    let folder = past.folder();
    let ended = past.sandbox.rehearse(&["run", "--migrations", &folder]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("which engine the migrations are for cannot be told"), "{}", ended.stderr);
    assert!(ended.stderr.contains("hint: give --engine, one of postgres, sqlite, mariadb"), "{}", ended.stderr);
    let ended = past.sandbox.rehearse(&["run", "--migrations", &folder, "--engine", "postgre"]);
    assert!(ended.code == 2 && ended.stderr.contains("did you mean `postgres`?"), "{ended:?}");
}

#[test]
fn acceptance_files_are_read_strictly() {
    let past = Past::sqlite();
    past.pairs(&[("1_a", "CREATE TABLE a (id);", "DROP TABLE a;")]);
    let file = past.sandbox.write(
        "accept.toml",
        "[[accept]]\nmigration = '1_a'\nclass = 'lose_rows'\nwhy = ' '\n\n[[accept]]\nmigration = '1_a'\nclass = 'differs'\n\
         because = 'x'\nuntil = '2027-02-30'\n",
    );
    let file = file.display().to_string();
    let told = told(&past, &["--accept", &file]).replace(&file, "FILE");
    for line in [
        "FILE:3: accept[0].class: unknown class `lose_rows`",
        "did you mean `loses_rows`?",
        "FILE:4: accept[0].why: empty; expected the reason, in words",
        "FILE:9: accept[1].because: unknown key `because`",
        "FILE:6: accept[1].why: missing",
        "FILE:10: accept[1].until: expected a day such as 2027-01-01",
    ] {
        assert!(told.contains(line), "{line} is not in {told}");
    }
}
