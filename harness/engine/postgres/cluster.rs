//! Throw-away clusters: `initdb` and `postgres`.
//!
//! <https://www.postgresql.org/docs/current/app-initdb.html>,
//! <https://www.postgresql.org/docs/current/server-shutdown.html>

use std::{ffi::OsString, fs, path::Path};

use rustix::process::Signal;

use crate::engine::cluster::{ClusterPlace, ClusterSpec, option};

/// The number in the socket's name where no TCP port is asked for.
const SOCKET_PORT: u16 = 5432;

/// How clusters are made and run.
pub(super) const SPEC: ClusterSpec = ClusterSpec {
    maker: "initdb",
    account: "postgres",
    // Not every system has the first locale; without one PostgreSQL sorts in the same order, but knows letters only in
    // ASCII.
    make: |place| ["--locale=C.UTF-8", "--no-locale"].map(|locale| make(place, locale)).into(),
    greeting: |_| String::new(),
    serve,
    socket: |port| format!(".s.PGSQL.{port}"),
    pid_file: "postmaster.pid",
    // Lines: process number, data directory, time of start, port, socket directory, …
    port: |pid_file| pid_file.lines().nth(3)?.trim().parse().ok(),
    made_by: |data| fs::read_to_string(data.join("PG_VERSION")).ok().map(|text| text.trim().to_owned()),
    stop: [Signal::INT, Signal::QUIT],
    leaves_memory: true,
    variables: &["PGDATA", "PGDATESTYLE", "PGCLIENTENCODING", "PGPORT"],
};

fn make(place: &ClusterPlace<'_>, locale: &str) -> Vec<OsString> {
    vec![
        option("--pgdata", &place.data),
        option("--pwfile", &place.password),
        format!("--username={}", place.superuser).into(),
        "--auth=scram-sha-256".into(),
        "--encoding=UTF8".into(),
        "--data-checksums".into(),
        locale.into(),
        // Nobody needs these first files after a power cut; whatever the server writes later is synced as usual.
        "--no-sync".into(),
    ]
}

fn serve(place: &ClusterPlace<'_>) -> Vec<OsString> {
    // `fsync`, `full_page_writes` and `synchronous_commit` stay on: what is rehearsed, and how long it takes, must be what
    // happens in production. The socket lies in a directory of our own: no port to race for, and no way in for other users.
    let settings = [
        format!("unix_socket_directories={}", quoted(&place.socket)),
        "unix_socket_permissions=0700".to_owned(),
        format!("listen_addresses={}", if place.port.is_some() { "127.0.0.1" } else { "" }),
        format!("port={}", place.port.unwrap_or(SOCKET_PORT)),
        // Everything to stderr, which is the log file itself: no pipe that somebody would have to drain.
        "log_destination=stderr".to_owned(),
        "logging_collector=off".to_owned(),
    ];
    let settings = settings.into_iter().flat_map(|setting| ["-c".into(), setting.into()]);
    [OsString::from("-D"), place.data.clone().into()].into_iter().chain(settings).collect()
}

/// A path in a list of paths in PostgreSQL's settings.
fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('"', "\"\""))
}
