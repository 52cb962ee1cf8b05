//! How MariaDB is read: within bounds, again after a pause, by a mapping, and under its collations.

use std::{process::Stdio, thread, time::Duration};

use rehearse::{engine, model::Tls};

use super::{super::errors, Audit, Place};
use crate::support::mariadb::{PASSWORD, docker};

/// Two tables that refer to each other.
const SCHEMA: &str = "CREATE TABLE users (id int PRIMARY KEY, name varchar(30) NOT NULL, state char(1));
    CREATE TABLE orders (id int PRIMARY KEY, user_id int NOT NULL, cents int, FOREIGN KEY (user_id) REFERENCES users (id));
    INSERT INTO users VALUES (1, 'Ada', 'A'), (2, 'Bo', 'I'), (3, 'Cy', NULL);
    INSERT INTO orders VALUES (10, 1, 250), (11, 2, 999), (12, 2, NULL), (13, 3, 5);";

/// Audits `a` against `b` with these flags: the exit code, what is an error, and what was not checked and why.
fn look(place: &Place, audit: &Audit, flags: &[&str]) -> (i32, Vec<String>, Vec<String>) {
    let urls = [("SOURCE", &*place.root("a")), ("TARGET", &*place.root("b"))];
    let ended = audit.call_with(&[&["--source", "env:SOURCE", "--target", "env:TARGET"], flags].concat(), &urls);
    let report = audit.report();
    let unchecked = report.scenarios[0].unchecked.iter();
    let unchecked = unchecked.map(|one| format!("{} {}: {}", one.aspect, one.subject, one.reason)).collect();
    (ended.code, errors(&report), unchecked)
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb_is_read_within_bounds_again_and_by_a_mapping() {
    let Some(place) = Place::start("mariadb_is_read_within_bounds_again_and_by_a_mapping", "11.8").await else {
        return;
    };
    let audit = Audit::new();
    place.make(&["a", "b"], SCHEMA).await;
    assert_eq!(look(&place, &audit, &["--throttle", "500"]), (0, Vec::new(), Vec::new()));
    let notes = audit.report().run.notes;
    let told = |side: &str| format!("the {side} was read in one snapshot, by one connection, taken at ");
    assert!(
        ["source", "target"].iter().all(|side| notes.iter().any(|note| note.starts_with(&told(side)))),
        "{notes:?}"
    );

    // A table that somebody holds is named, and the rest compared.
    let address = place.server.address("127.0.0.1", Tls::default()).with_database("b");
    place.say("b", "UPDATE users SET name = 'Al' WHERE id = 1");
    let mut holder = engine::by_id("mariadb").unwrap().connect(&address).await.unwrap();
    holder.execute("LOCK TABLES orders WRITE").await.unwrap();
    let (code, found, unchecked) = look(&place, &audit, &["--lock-timeout", "1", "--settle", "0"]);
    holder.close().await.unwrap();
    assert_eq!(code, 1, "{unchecked:?}");
    assert_eq!(found, ["checksum changed_row target users 1", "checksum changed_value target users.name 1"]);
    assert!(unchecked.iter().any(|one| one.starts_with("row target orders: ")), "{unchecked:?}");

    // So is a question that takes too long.
    let slow = "format_version = 1\n[[compare]]\nsource = \"orders\"\ntarget_query = \"SELECT id, user_id, cents FROM orders WHERE SLEEP(5) = 0\"\nkey = [\"id\"]\n";
    let slow = audit.sandbox.write("slow.toml", slow);
    let flags = ["--statement-timeout", "1", "--mapping", slow.to_str().unwrap(), "--settle", "0"];
    let (code, _, unchecked) = look(&place, &audit, &flags);
    assert_eq!(code, 1, "{unchecked:?}");
    assert!(unchecked.iter().any(|one| one.contains("max_statement_time")), "{unchecked:?}");

    settles(&place, &audit);
    maps(&place, &audit).await;
    collides(&place, &audit).await;
    dumps(&place, &audit).await;
}

/// What `mariadb-dump` wrote, with the line by which it begins that asks the client for its sandbox, equals where it came from.
async fn dumps(place: &Place, audit: &Audit) {
    place.make(&["a"], SCHEMA).await;
    let password = format!("-p{PASSWORD}");
    let dump = docker(&["exec", &place.server.name, "mariadb-dump", "-uroot", &password, "--single-transaction", "a"]);
    assert!(dump.starts_with("/*M!999999"), "{}", dump.lines().next().unwrap_or_default());
    let dump = audit.sandbox.write("a.sql", &dump);
    let call = || {
        audit.call_with(
            &["--source", dump.to_str().unwrap(), "--target", "env:A", "--settle", "0"],
            &[("A", &*place.root("a"))],
        )
    };
    let ended = call();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(audit.report().coverage.rows.checked, 14);
    place.say("a", "DELETE FROM orders WHERE id = 13");
    assert_eq!(call().code, 1);
    assert!(errors(&audit.report()).contains(&"checksum missing_row target orders 1".to_owned()));
    audit.sandbox.assert_released();
}

/// Rows that differ at first and no longer at a second look have settled.
fn settles(place: &Place, audit: &Audit) {
    let arguments = ["audit", "--source", "env:SOURCE", "--target", "env:TARGET", "--settle", "4"];
    let mut command = audit.sandbox.rehearsal(&arguments);
    command.env("SOURCE", place.root("a")).env("TARGET", place.root("b")).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    // Its session has been idle for a while: it waits for rows to settle.
    let waits =
        "SELECT 'idle' FROM information_schema.processlist WHERE db = 'b' AND command = 'Sleep' AND time_ms > 900";
    while !place.say("mysql", waits).contains("idle") {
        assert!(child.try_wait().unwrap().is_none(), "it ended before anybody mended a row");
        thread::sleep(Duration::from_millis(50));
    }
    place.say("b", "UPDATE users SET name = 'Ada' WHERE id = 1");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let report = audit.report();
    let told: Vec<String> = report.findings().map(|(_, one)| format!("{} {}", one.kind, one.total)).collect();
    assert!(told.contains(&"rows_settled 1".to_owned()), "{told:?}");
}

/// What is stated about both sides is applied, in MariaDB's own SQL.
async fn maps(place: &Place, audit: &Audit) {
    let changes = "ALTER TABLE users RENAME TO people, CHANGE name label varchar(30) NOT NULL, MODIFY state varchar(9);
        UPDATE people SET state = IF(state = 'A', 'active', 'inactive') WHERE state IS NOT NULL; DELETE FROM orders WHERE cents < 10;";
    place.make(&["b"], &format!("{SCHEMA}{changes}")).await;
    let mapping = "format_version = 1
[[compare]]
source = \"users\"
target = \"people\"
columns.name = { target = \"label\" }
columns.state = { values = { A = \"active\", I = \"inactive\" } }
[[compare]]
source = \"orders\"
target = \"orders\"
source_where = \"COALESCE(`cents`, 10) >= 10\"
columns.cents = { source_sql = \"cents + 0\", target_sql = \"cents\" }
";
    let mapping = audit.sandbox.write("mapping.toml", mapping);
    let flags = ["--mapping", mapping.to_str().unwrap(), "--settle", "0"];
    let (_, found, _) = look(place, audit, &flags);
    let of_rows =
        |found: &[String]| found.iter().filter(|one| one.starts_with("checksum")).cloned().collect::<Vec<_>>();
    assert_eq!(of_rows(&found), Vec::<String>::new());
    place.say("b", "UPDATE people SET state = 'active' WHERE id = 2; UPDATE orders SET cents = 251 WHERE id = 10");
    let (code, found, _) = look(place, audit, &flags);
    let expected = [
        "checksum changed_row target orders 1",
        "checksum changed_value target orders.cents 1",
        "checksum changed_row target people 1",
        "checksum changed_value target people.state 1",
    ];
    let mut found = of_rows(&found);
    found.sort_by_key(|one| !one.contains("orders"));
    assert_eq!((code, &found[..]), (1, &expected.map(str::to_owned)[..]));
}

/// Keys that are two under the source's collation and one under the target's are found before they are loaded.
async fn collides(place: &Place, audit: &Audit) {
    let table = |collation: &str| format!("CREATE TABLE words (word varchar(20) COLLATE {collation} PRIMARY KEY);");
    let rows = "INSERT INTO words VALUES ('Ada'), ('Bo')";
    place.make(&["a"], &format!("{}{rows}, ('ada')", table("utf8mb4_bin"))).await;
    place.make(&["b"], &format!("{}{rows}", table("utf8mb4_general_ci"))).await;
    let (code, found, _) = look(place, audit, &["--settle", "0"]);
    assert_eq!(code, 1);
    assert!(found.contains(&"unique key_collision source words.word 1".to_owned()), "{found:?}");
    assert!(found.contains(&"checksum missing_row target words 1".to_owned()), "{found:?}");
}
