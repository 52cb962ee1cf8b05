//! Other comparers on the two tables of which ten rows differ, where `ci/comparers.sh` has installed them.

use std::{path::Path, process::Stdio, time::Instant};

use rehearse::model::Address;
use tokio::process::Command;

use crate::{
    Error,
    board::Board,
    median,
    server::url,
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
    // They know PostgreSQL by this name alone.
    let [source, target] = [source, target].map(|side| url(side).replacen("postgres:", "postgresql:", 1));
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
