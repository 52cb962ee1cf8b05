//! Servers that are not there, do not come up, or may not be used: what is told, how it ends, and that nothing is left.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

use rehearse::{
    check,
    model::{Endpoint, Host},
};

use crate::support::{
    Ended, Sandbox, ended, root,
    server::{self, Started, offered, request, wait},
    skipped,
};

/// A scenario from a file into PostgreSQL.
const SHOP: &str = "fixtures/shop-postgres";
/// A scenario from a file into a file.
const FILES: &str = "fixtures/shop";
/// Where no Docker engine listens.
const NO_DOCKER: (&str, &str) = ("DOCKER_HOST", "unix:///nonexistent/docker.sock");

/// Whether installed programs can make a cluster here; says so if not.
fn has_local(test: &'static str) -> bool {
    let sandbox = Sandbox::new();
    wait(async move { offered(test, "local", &request(&sandbox.work())).await.is_some() })
}

#[track_caller]
fn assert_ends(sandbox: &Sandbox, ended: &Ended, code: i32, told: &[&str]) {
    assert_eq!(ended.code, code, "{ended:?}");
    for part in told {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    sandbox.assert_released();
}

/// A folder with an `initdb` that makes a directory and a `postgres` of version 99 that does this.
fn fake_postgres(sandbox: &Sandbox, script: &str) -> String {
    let version = r#"[ "$1" = --version ] && echo "postgres (PostgreSQL) 99.1" && exit"#;
    for (name, script) in [("initdb", "mkdir data; echo made a cluster"), ("postgres", script)] {
        let path = sandbox.write(&format!("bin/{name}"), format!("#!/bin/sh\n{version}\n{script}\n"));
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    format!("{}:/usr/bin:/bin", sandbox.path("bin").display())
}

#[test]
fn a_server_that_does_not_come_up_is_told_with_its_last_words() {
    let test = "a_server_that_does_not_come_up_is_told_with_its_last_words";
    if !has_local(test) {
        return;
    }
    for (script, problem) in [
        ("echo cannot find my keys; exec sleep 60", "did not come up: no answer within the deadline"),
        ("echo cannot find my keys; exit 7", "did not come up: the server exited with status 7"),
    ] {
        let sandbox = Sandbox::new();
        let arguments = ["run", SHOP, "--provider", "local", "--target-version", "99", "--server-deadline", "2"];
        let mut command = sandbox.rehearsal(&arguments);
        let ended = ended(command.env("PATH", fake_postgres(&sandbox, script)));
        assert_ends(&sandbox, &ended, 3, &[problem, "; the last lines of its log: cannot find my keys\n"]);
        // The scenario asks nothing by a probe.
        let checks = check::every().filter(|check| check.meta().id != check::probe::ID).count();
        let skipped = format!("{checks} checks skipped: `provision/target` did not succeed");
        assert!(ended.stdout.contains(&skipped), "{}", ended.stdout);
        assert_eq!(ended.stderr.matches("`provision/target` did not succeed").count(), 1, "{}", ended.stderr);
    }
}

#[test]
fn a_version_that_nobody_has_is_skipped_with_what_to_do() {
    let sandbox = Sandbox::new();
    let ended = ended(sandbox.rehearsal(&["run", SHOP, "--target-version", "99"]).env(NO_DOCKER.0, NO_DOCKER.1));
    let told = [" skipped: no PostgreSQL 99 can be had here: ", "; hint: ", "; or install PostgreSQL 99"];
    assert_ends(&sandbox, &ended, 3, &told);
    assert!(ended.stdout.starts_with("checked  scenarios 0/1"), "{}", ended.stdout);
}

#[test]
fn without_docker_and_without_programs_a_person_is_told_what_to_install() {
    let test = "without_docker_and_without_programs_a_person_is_told_what_to_install";
    let sandbox = Sandbox::new();
    // In a mount namespace of its own the folders in which distributions put PostgreSQL are empty.
    let hide = "for folder in /usr/lib/postgresql /usr/local/pgsql /opt/homebrew; do
                    [ ! -d $folder ] || mount -t tmpfs none $folder || exit 99
                done; exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", hide, "sh", env!("CARGO_BIN_EXE_rehearse"), "run", SHOP]);
    command.arg("--out").arg(sandbox.out()).arg("--work-dir").arg(sandbox.work()).current_dir(root());
    command.env("REHEARSE_STATE_DIR", sandbox.path("state")).env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin");
    command.env(NO_DOCKER.0, NO_DOCKER.1).stdin(Stdio::null());
    let ended = match command.output() {
        Ok(_) => ended(&mut command),
        Err(error) => return skipped(test, "namespace", &error.to_string()),
    };
    if ended.code == 99 || ended.stderr.contains("unshare: ") {
        return skipped(test, "namespace", ended.stderr.trim());
    }
    let told = [
        " skipped: no PostgreSQL can be had here: ",
        "no PostgreSQL is installed here",
        "; hint: ",
        "install PostgreSQL: its program `postgres` is looked for in /usr/lib/postgresql/*/bin, ",
    ];
    assert_ends(&sandbox, &ended, 3, &told);
}

#[test]
fn a_waived_skip_is_no_pass_by_itself() {
    let call = |arguments: &[&str]| {
        let sandbox = Sandbox::new();
        let all = [&["run", "--provider", "local", "--target-version", "99"], arguments].concat();
        let ended = ended(sandbox.rehearsal(&all).env(NO_DOCKER.0, NO_DOCKER.1));
        sandbox.assert_released();
        ended
    };
    assert_eq!(call(&[FILES, SHOP]).code, 3, "one was skipped");
    assert_eq!(call(&[FILES, SHOP, "--only-runnable"]).code, 0, "one ran, and the other is waived");
    assert_eq!(call(&[SHOP, FILES, "--only-runnable"]).code, 0, "in any order");
    let nothing = call(&[SHOP, "--only-runnable"]);
    assert_eq!(nothing.code, 3, "{nothing:?}");
    assert!(nothing.stdout.contains("verdict  inconclusive"), "{}", nothing.stdout);
    assert!(nothing.stdout.contains("nothing ran, so nothing was proven"), "{}", nothing.stdout);
}

#[test]
fn a_port_in_use_is_named() {
    if !has_local("a_port_in_use_is_named") {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let sandbox = Sandbox::new();
    let ended = sandbox.rehearse(&["run", SHOP, "--provider", "local", "--port", &port.to_string()]);
    let problem =
        format!("did not come up: port {port} on 127.0.0.1 is in use; hint: free the port or ask for another");
    assert_ends(&sandbox, &ended, 3, &[&problem]);
}

#[test]
fn an_error_in_the_targets_sql_is_told_with_file_and_line() {
    if !has_local("an_error_in_the_targets_sql_is_told_with_file_and_line") {
        return;
    }
    let sandbox = Sandbox::new();
    for file in ["scenario.toml", "dataset.toml", "schema/source.sql"] {
        sandbox.write(&format!("s/{file}"), fs::read(root().join(SHOP).join(file)).unwrap());
    }
    let sql = sandbox.write("s/schema/target.sql", "-- Käse\nCREATE TABLE users (\n  id BIGINT PRIMARY KEI\n);\n");
    let scenario = sandbox.path("s");
    let ended = sandbox.rehearse(&["run", scenario.to_str().unwrap(), "--provider", "local"]);
    let problem =
        format!("{}: running line 3 of a script was refused (42601): syntax error at or near \"KEI\"\n", sql.display());
    assert_ends(&sandbox, &ended, 3, &["\nbroken   schema/target ", &problem]);
}

/// A throw-away cluster that plays the user's own server.
struct UsersServer(Started);

impl UsersServer {
    async fn start(test: &str) -> Option<Self> {
        Started::local(test).await.map(Self)
    }

    /// The URL with which somebody reaches it, and the password in it.
    fn url(&self, role: Option<(&str, &str)>) -> (String, String) {
        let Endpoint::Server { host: Host::Socket { directory, port }, user, password, database, .. } =
            &self.0.server.admin.endpoint
        else {
            panic!("a cluster listens on a socket")
        };
        let secret = password.as_ref().unwrap().reveal();
        let (user, secret) = role.unwrap_or((user, secret));
        let url = format!("postgres://{user}:{secret}@/{database}?host={}&port={port}", directory.display());
        (url, secret.to_owned())
    }

    async fn ask(&self, sql: &str) -> Vec<String> {
        let rows = server::ask(&self.0.server.admin, sql).await;
        rows.into_iter().map(|row| row[0].clone().unwrap_or_default()).collect()
    }

    /// Everything on it that a run might leave.
    async fn traces(&self) -> Vec<String> {
        self.ask(
            "SELECT datname::text FROM pg_database UNION ALL SELECT rolname::text FROM pg_roles
             UNION ALL SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
        )
        .await
    }

    /// Runs the scenario on it and gives how that ended; the run left nothing, there or here.
    async fn rehearse(&self, secret: &str, set: impl FnOnce(&mut Command) -> &mut Command) -> Ended {
        let sandbox = Sandbox::new();
        let before = self.traces().await;
        let mut command = sandbox.rehearsal(&["run", SHOP]);
        set(&mut command);
        let ended = ended(&mut command);
        assert_eq!(self.traces().await, before);
        sandbox.assert_released();
        assert!(!ended.stdout.contains(secret) && !ended.stderr.contains(secret), "{ended:?}");
        for (path, text) in sandbox.artefacts() {
            assert!(!text.contains(secret), "{}", path.display());
        }
        ended
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_the_users_is_used_only_if_it_is_declared_disposable() {
    let test = "a_database_of_the_users_is_used_only_if_it_is_declared_disposable";
    let Some(users) = UsersServer::start(test).await else { return };
    let (url, secret) = users.url(None);
    let file = users.0.sandbox.write("url", format!("{url}\n"));

    let refused = users.rehearse(&secret, |run| run.args(["--target-url", &url])).await;
    assert_eq!(refused.code, 2, "{refused:?}");
    for part in ["refused to use postgres://", ": nobody declared it disposable; hint: ", "give --disposable or create"]
    {
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }

    let declared = users.rehearse(&secret, |run| run.args(["--target-url", &url, "--disposable"])).await;
    assert_eq!(declared.code, 0, "{declared:?}");
    // The first line warns of the password on the command line.
    assert!(declared.stderr.lines().nth(1).unwrap().contains(" · postgres by external: "), "{}", declared.stderr);

    users.0.execute("CREATE TABLE rehearse_disposable ()").await;
    let read = format!("@{}", file.display());
    let marked = users.rehearse(&secret, |run| run.args(["--target-url", &read])).await;
    assert_eq!(marked.code, 0, "{marked:?}");
    let named = users.rehearse(&secret, |run| run.args(["--target-url", "env:SHOP_URL"]).env("SHOP_URL", &url)).await;
    assert_eq!(named.code, 0, "{named:?}");
    let variable = users.rehearse(&secret, |run| run.env("REHEARSE_TARGET_URL", &url)).await;
    assert_eq!(variable.code, 0, "{variable:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_the_users_that_cannot_serve_says_why() {
    let Some(users) = UsersServer::start("a_server_of_the_users_that_cannot_serve_says_why").await else { return };
    users.0.execute("CREATE ROLE modest LOGIN PASSWORD 'modestpassword'").await;
    let (url, secret) = users.url(Some(("modest", "modestpassword")));
    let modest = users.rehearse(&secret, |run| run.args(["--target-url", &url, "--disposable"])).await;
    assert_eq!(modest.code, 2, "{modest:?}");
    assert!(modest.stderr.contains(" may not create databases; hint: give it that right, "), "{}", modest.stderr);

    let (url, secret) = users.url(Some(("modest", "wrongpassword")));
    let wrong = users.rehearse(&secret, |run| run.args(["--target-url", &url, "--disposable"])).await;
    assert_eq!(wrong.code, 3, "{wrong:?}");
    let told = "password authentication failed for user \"modest\"";
    assert!(wrong.stderr.contains("(28P01)") && wrong.stderr.contains(told), "{}", wrong.stderr);

    let (url, secret) = users.url(None);
    let other =
        users.rehearse(&secret, |run| run.args(["--target-url", &url, "--disposable", "--target-version", "99"])).await;
    assert_eq!(other.code, 2, "{other:?}");
    assert!(other.stderr.contains(", and 99 was asked for; hint: "), "{}", other.stderr);

    let gone = url.replace("port=", "port=1");
    let gone = users.rehearse(&secret, |run| run.args(["--target-url", &gone, "--disposable"])).await;
    assert_eq!(gone.code, 3, "{gone:?}");
    assert!(gone.stderr.contains("failed to reach postgres://"), "{}", gone.stderr);
}

#[test]
fn any_file_is_carried_and_a_damaged_one_is_not() {
    if !has_local("any_file_is_carried_and_a_damaged_one_is_not") {
        return;
    }
    let sandbox = Sandbox::new();
    let file = sandbox.path("any.db");
    let connection = rusqlite::Connection::open(&file).unwrap();
    let rows = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
                INSERT INTO notes SELECT i, 'note ' || i FROM n";
    connection.execute_batch(&format!("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT); {rows}")).unwrap();
    connection.close().unwrap();
    let arguments = ["run", "--from", file.to_str().unwrap(), "--to", "postgres", "--provider", "local"];

    let mut bytes = fs::read(&file).unwrap();
    let carried = sandbox.rehearse(&arguments);
    assert_ends(&sandbox, &carried, 0, &[]);
    assert!(carried.stdout.contains("rows 6,000/6,000"), "{}", carried.stdout);
    assert_eq!(fs::read(&file).unwrap(), bytes);

    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 512].fill(0xa5);
    fs::write(&file, &bytes).unwrap();
    let damaged = sandbox.rehearse(&arguments);
    assert_ends(&sandbox, &damaged, 3, &["\nbroken   populate ", "any.db` is damaged: "]);
    assert_eq!(fs::read(&file).unwrap(), bytes);
}
