//! Throw-away clusters of MariaDB.

use super::{
    local::{acquire, assert_nothing_left, interrupted, kill, listens, started_again},
    *,
};

fn mariadb(work: &Path) -> Request {
    Request { engine: engine::by_id("mariadb").unwrap(), ..request(work) }
}

/// The number of the server's process.
fn process(work: &Path) -> String {
    let text = std::fs::read_to_string(work.join("cluster-target/data/server.pid")).unwrap();
    text.trim().to_owned()
}

#[tokio::test]
async fn a_cluster_of_mariadb_answers_and_leaves_nothing() {
    let work = work();
    let request = mariadb(work.path());
    if offered("a_cluster_of_mariadb_answers_and_leaves_nothing", "local", &request).await.is_none() {
        return;
    }
    let mut leases = Announced::default();
    let server = acquire(&request, &mut leases).await.unwrap();
    assert_eq!((server.provider, leases.0.len()), ("local", 1));
    assert!(server.why.starts_with("MariaDB 1"), "{}", server.why);

    for (setting, value) in [
        ("innodb_flush_log_at_trx_commit", "1"),
        ("innodb_doublewrite", "ON"),
        ("skip_networking", "ON"),
        ("character_set_server", "utf8mb4"),
    ] {
        assert_eq!(ask(&server.admin, &format!("SELECT CONCAT(@@global.{setting})")).await, value, "{setting}");
    }
    // Nobody comes in without the password.
    let strangers =
        "SELECT CONCAT(COUNT(*)) FROM mysql.user WHERE User <> 'mariadb.sys' AND authentication_string = ''";
    assert_eq!(ask(&server.admin, strangers).await, "0");
    let mut keyless = server.admin.clone();
    let Endpoint::Server { password, .. } = &mut keyless.endpoint else { panic!("{keyless}") };
    *password = None;
    assert!(request.engine.connect(&keyless).await.is_err());

    let directory = work.path().join("cluster-target");
    assert_eq!(std::fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
    for secret in ["password", "greeting.sql"] {
        assert_eq!(std::fs::metadata(directory.join(secret)).unwrap().permissions().mode() & 0o777, 0o600, "{secret}");
    }
    let name = scratch::name(&request.run, request.side);
    let address = scratch::create(&server, request.engine, &name, &mut leases, None).await.unwrap();
    assert_eq!(ask(&address, "SELECT DATABASE()").await, name);
    assert_eq!(leases.0.len(), 1, "a database of our own server is no lease");

    leases.release(&Urls::default()).await;
    assert_nothing_left(work.path(), "at the end");
}

#[tokio::test]
async fn an_interrupted_start_of_mariadb_leaves_nothing_at_any_moment() {
    const TEST: &str = "an_interrupted_start_of_mariadb_leaves_nothing_at_any_moment";
    interrupted(TEST, mariadb, &[0, 30, 200, 1000, 2500, 4500]).await;
}

#[tokio::test]
async fn a_killed_mariadb_is_started_again_and_cleaned_up() {
    let work = work();
    let request = mariadb(work.path());
    if offered("a_killed_mariadb_is_started_again_and_cleaned_up", "local", &request).await.is_none() {
        return;
    }
    let mut leases = Announced::default();
    let started = acquire(&request, &mut leases).await.unwrap();
    server::execute(&started.admin, "CREATE DATABASE kept").await;
    let kept = "SELECT CONCAT(COUNT(*)) FROM information_schema.schemata WHERE schema_name = 'kept'";
    started_again(&request, &started, &leases, process, kept).await;
    kill("-KILL", &process(work.path()));
    leases.release(&Urls::default()).await;
    assert_nothing_left(work.path(), "at the end");
}

#[tokio::test]
async fn mariadb_listens_on_a_port_and_names_one_in_use() {
    listens("mariadb_listens_on_a_port_and_names_one_in_use", mariadb).await;
}
