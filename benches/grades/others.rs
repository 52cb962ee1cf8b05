//! Other comparers on the two tables of which ten rows differ, where `ci/comparers.sh` has installed them.

use std::{path::Path, process::Stdio, time::Instant};

use rehearse::model::Address;
use tokio::process::Command;

use crate::{
    Error,
    board::Board,
    median,
    server::url,
    table::{COLUMNS, FEW},
};

/// Where `ci/comparers.sh` puts them.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/comparers");

/// Measures each of them that is installed.
pub async fn measure(
    board: &mut Board,
    source: &Address,
    target: &Address,
    bound: f64,
    times: u64,
) -> Result<(), Error> {
    for program in ["reladiff", "data-diff"] {
        let path = Path::new(FOLDER).join(program).join("bin").join(program);
        if !path.exists() {
            board.plain(program, "not measured: ci/comparers.sh installs it");
            continue;
        }
        let mut seconds = Vec::new();
        for _ in 0..times {
            let started = Instant::now();
            let mut command = Command::new(&path);
            command.args([&url(source), "grades", &url(target), "grades", "--key-columns", "id", "--threads", "2"]);
            // All columns that it can compare: it has no word for jsonb.
            for column in COLUMNS.iter().filter(|column| !["id", "details"].contains(column)) {
                command.args(["--columns", column]);
            }
            let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
            if !output.status.success() {
                let why = String::from_utf8_lossy(&output.stderr);
                let why = why.trim().lines().last().unwrap_or_default();
                board.plain(program, &format!("ended with {}: {why}", output.status));
                return Ok(());
            }
            let lines = output
                .stdout
                .split(|byte| *byte == b'\n')
                .filter(|line| line.starts_with(b"+") || line.starts_with(b"-"));
            if lines.count() < FEW as usize {
                board.plain(program, "not measured: it ended well and named fewer rows than differ");
                return Ok(());
            }
            seconds.push(started.elapsed().as_secs_f64());
        }
        let seconds = median(seconds);
        board.plain(&format!("{program} without `details`"), &format!("{seconds:.2} s, {:.2} L", seconds / bound));
    }
    Ok(())
}
