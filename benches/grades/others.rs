//! Other comparers on the two tables of which ten rows differ, where `ci/comparers.sh` has installed them.

use std::{path::Path, process::Stdio, time::Instant};

use rehearse::model::{Address, Endpoint, Host};
use tokio::process::Command;

use crate::{
    Error,
    board::Board,
    median,
    table::{CHANGED, COLUMNS, FEW},
};

/// Where `ci/comparers.sh` puts them.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/comparers");

/// Measures each of them that is installed.
pub async fn measure(board: &mut Board, source: &Address, target: &Address, bound: f64, times: u64) {
    for program in ["reladiff", "data-diff"] {
        let path = Path::new(FOLDER).join(program).join("bin").join(program);
        if !path.exists() {
            board.plain(program, "not measured: ci/comparers.sh installs it");
            continue;
        }
        let mut seconds = Vec::new();
        for _ in 0..times {
            seconds.push(once(&path, source, target).await);
        }
        match seconds.into_iter().collect::<Result<Vec<f64>, Error>>() {
            Ok(seconds) => {
                let seconds = median(seconds);
                let told = format!("{seconds:.2} s, {:.2} L", seconds / bound);
                board.plain(&format!("{program} without `details`"), &told);
            }
            Err(why) => board.plain(program, &format!("not measured: {why}")),
        }
    }
}

/// Seconds of one comparison, or why it is none.
async fn once(program: &Path, source: &Address, target: &Address) -> Result<f64, Error> {
    let [source, target] = [dsn(source), dsn(target)];
    let mut command = Command::new(program);
    command.args([&source, "grades", &target, "grades", "--key-columns", "id", "--threads", "2"]);
    // All columns that it can compare: it has no word for jsonb.
    for column in COLUMNS.iter().filter(|column| !["id", "details"].contains(column)) {
        command.args(["--columns", column]);
    }
    let started = Instant::now();
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
    let seconds = started.elapsed().as_secs_f64();
    let rows =
        output.stdout.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"+") || line.starts_with(b"-"));
    let rows = rows.count() as u64;
    // It may end well although it compared nothing.
    if !output.status.success() || rows != FEW + CHANGED {
        let why = String::from_utf8_lossy(&output.stderr);
        let why = why.trim().lines().last().unwrap_or_default();
        return Err(format!("{rows} rows in place of {}, {}: {why}", FEW + CHANGED, output.status).into());
    }
    Ok(seconds)
}

/// A URL that they understand: of PostgreSQL by this name alone, with a socket's directory for a host, and never without a
/// password.
fn dsn(address: &Address) -> String {
    let Endpoint::Server { host, user, password, database, .. } = &address.endpoint else { unreachable!("a server") };
    let password = password.as_ref().map_or("none", |password| password.reveal());
    let (host, port) = match host {
        Host::Tcp { host, port } => (host.clone(), port),
        Host::Socket { directory, port } => (directory.display().to_string().replace('/', "%2F"), port),
    };
    format!("postgresql://{user}:{password}@{host}:{port}/{database}")
}
