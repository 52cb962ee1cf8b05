//! Throw-away clusters of MariaDB.

use super::{
    local::{acquire, kill, processes_in},
    *,
};

fn mariadb(work: &Path) -> Request {
    Request { engine: engine::by_id("mariadb").unwrap(), ..request(work) }
}

/// The number of the server's process.
fn server(work: &Path) -> String {
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
        ("skip_networking", "1"),
        ("character_set_server", "utf8mb4"),
    ] {
        assert_eq!(ask(&server.admin, &format!("SELECT CONCAT(@@global.{setting})")).await, value, "{setting}");
    }
    // Nobody comes in without the password.
    let strangers =
        "SELECT CONCAT(COUNT(*)) FROM mysql.user WHERE User <> 'mariadb.sys' AND authentication_string = ''";
    assert_eq!(ask(&server.admin, strangers).await, "0");
    let mut keyless = server.admin.clone();
    let model::Endpoint::Server { password, .. } = &mut keyless.endpoint else { panic!("{keyless}") };
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
    assert_eq!(std::fs::read_dir(work.path()).unwrap().count(), 0);
    assert_eq!(processes_in(work.path()), Vec::<String>::new());
}

#[tokio::test]
async fn an_interrupted_start_of_mariadb_leaves_nothing_at_any_moment() {
    let probe = work();
    let test = "an_interrupted_start_of_mariadb_leaves_nothing_at_any_moment";
    if offered(test, "local", &mariadb(probe.path())).await.is_none() {
        return;
    }
    for milliseconds in [0, 30, 200, 1000, 2500, 4500] {
        let work = work();
        let request = mariadb(work.path());
        let mut leases = Announced::default();
        let limit = Duration::from_millis(milliseconds);
        let _ = tokio::time::timeout(limit, acquire(&request, &mut leases)).await;
        leases.release(&Urls::default()).await;
        assert_eq!(std::fs::read_dir(work.path()).unwrap().count(), 0, "after {milliseconds} ms");
        assert_eq!(processes_in(work.path()), Vec::<String>::new(), "after {milliseconds} ms");
    }
}

#[tokio::test]
async fn a_killed_mariadb_is_started_again_and_cleaned_up() {
    let work = work();
    let request = mariadb(work.path());
    if offered("a_killed_mariadb_is_started_again_and_cleaned_up", "local", &request).await.is_none() {
        return;
    }
    let local = provision::by_id("local").unwrap();
    let mut leases = Announced::default();
    let started = acquire(&request, &mut leases).await.unwrap();
    server::execute(&started.admin, "CREATE DATABASE kept").await;

    // It runs: the same server is reached.
    let first = server(work.path());
    assert_eq!(local.reattach(&leases.0[0], &request).await.unwrap(), started.admin);
    assert_eq!(server(work.path()), first);

    // It was killed: another server on the same rows.
    kill("-KILL", &first);
    let address = local.reattach(&leases.0[0], &request).await.unwrap();
    assert_ne!(server(work.path()), first);
    let kept = "SELECT CONCAT(COUNT(*)) FROM information_schema.schemata WHERE schema_name = 'kept'";
    assert_eq!(ask(&address, kept).await, "1");

    kill("-KILL", &server(work.path()));
    leases.release(&Urls::default()).await;
    assert_eq!(std::fs::read_dir(work.path()).unwrap().count(), 0);
    assert_eq!(processes_in(work.path()), Vec::<String>::new());
}

#[tokio::test]
async fn mariadb_listens_on_a_port_and_names_one_in_use() {
    let work = work();
    let mut request = mariadb(work.path());
    if offered("mariadb_listens_on_a_port_and_names_one_in_use", "local", &request).await.is_none() {
        return;
    }
    let (listener, port) = taken_port();
    request.port = Some(port);

    let mut leases = Announced::default();
    let error = acquire(&request, &mut leases).await.unwrap_err();
    assert!(error.to_string().contains(&format!("port {port} on 127.0.0.1 is in use")), "{error}");
    leases.release(&Urls::default()).await;

    drop(listener);
    let mut leases = Announced::default();
    let started = acquire(&request, &mut leases).await.unwrap();
    // As an application would come in.
    let mut by_port = started.admin.clone();
    let model::Endpoint::Server { host, .. } = &mut by_port.endpoint else { panic!("{by_port}") };
    *host = model::Host::Tcp { host: "127.0.0.1".to_owned(), port };
    assert_eq!(ask(&by_port, "SELECT CONCAT(1)").await, "1");
    leases.release(&Urls::default()).await;
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}
