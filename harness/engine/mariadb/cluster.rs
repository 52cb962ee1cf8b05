//! Throw-away clusters: `mariadb-install-db` and `mariadbd`.
//!
//! <https://mariadb.com/kb/en/mariadb-install-db/>, <https://mariadb.com/kb/en/mariadbd-options/>

use std::{ffi::OsString, fs, path::Path};

use rustix::process::Signal;

use super::{SERVER, SOCKET, dialect::literal};
use crate::engine::cluster::{ClusterPlace, ClusterSpec, option};

/// How clusters are made and run.
pub(super) const SPEC: ClusterSpec = ClusterSpec {
    maker: "mariadb-install-db",
    account: "mysql",
    make: |place| vec![make(place)],
    greeting,
    serve,
    socket: |_| SOCKET.to_owned(),
    pid_file: "server.pid",
    port: |_| Some(SERVER.port),
    made_by,
    // An interrupt is nothing to it. A second word in order ends the wait for sessions that do not end.
    stop: [Signal::TERM, Signal::TERM],
    leaves_memory: false,
    variables: &["MYSQL_HOME", "MARIADB_HOME", "MYSQL_UNIX_PORT", "MYSQL_TCP_PORT", "TMPDIR"],
};

fn make(place: &ClusterPlace<'_>) -> Vec<OsString> {
    vec![
        // Nothing of this machine's own servers; it has to come first.
        "--no-defaults".into(),
        option("--datadir", &place.data),
        "--auth-root-authentication-method=normal".into(),
        "--skip-test-db".into(),
        "--skip-name-resolve".into(),
    ]
}

/// The maker leaves superusers without a password, for every name of this machine; the server knows one from its first
/// session on.
fn greeting(password: &str) -> String {
    let user = literal(SERVER.superuser);
    let password = literal(password);
    format!(
        "DELETE FROM mysql.global_priv WHERE User <> 'mariadb.sys' AND Host NOT IN ('localhost', '127.0.0.1');\n\
         FLUSH PRIVILEGES;\n\
         ALTER USER {user}@'localhost' IDENTIFIED BY {password};\n\
         ALTER USER IF EXISTS {user}@'127.0.0.1' IDENTIFIED BY {password};\n"
    )
}

fn serve(place: &ClusterPlace<'_>) -> Vec<OsString> {
    // Durability stays as the product has it: what is rehearsed, and how long it takes, must be what happens in production.
    let mut arguments: Vec<OsString> = vec![
        "--no-defaults".into(),
        option("--datadir", &place.data),
        option("--socket", &place.socket.join(SOCKET)),
        option("--pid-file", &place.data.join(SPEC.pid_file)),
        option("--init-file", &place.greeting),
        "--skip-name-resolve".into(),
        // As the distributions' own settings have it.
        "--character-set-server=utf8mb4".into(),
    ];
    match place.port {
        Some(port) => arguments.extend(["--bind-address=127.0.0.1".into(), format!("--port={port}").into()]),
        None => arguments.push("--skip-networking".into()),
    }
    arguments
}

/// `10.11`: releases of one series share their files.
fn made_by(data: &Path) -> Option<String> {
    let texts = ["mariadb_upgrade_info", "mysql_upgrade_info"].map(|name| fs::read_to_string(data.join(name)));
    let text = texts.into_iter().find_map(Result::ok)?;
    let mut numbers = text.trim().split('.');
    Some(format!("{}.{}", numbers.next()?, numbers.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_is_read_from_either_file() {
        let scratch = tempfile::tempdir().unwrap();
        assert_eq!(made_by(scratch.path()), None);
        fs::write(scratch.path().join("mysql_upgrade_info"), "10.11.19-MariaDB").unwrap();
        assert_eq!(made_by(scratch.path()).as_deref(), Some("10.11"));
        fs::write(scratch.path().join("mariadb_upgrade_info"), "11.8.6-MariaDB\n").unwrap();
        assert_eq!(made_by(scratch.path()).as_deref(), Some("11.8"));
    }
}
