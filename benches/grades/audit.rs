//! The program itself, as a user runs it: every check, not only the one of the rows.

use std::{process::Stdio, time::Instant};

use rehearse::model::{Address, Endpoint, Report};
use tokio::process::Command;

use crate::{Error, server::url, watch};

/// What came of an audit.
pub struct Audited {
    /// From the program's start to its end.
    pub seconds: f64,
    /// Peak resident memory.
    pub peak_mib: f64,
    /// The report.
    pub report: Report,
}

impl Audited {
    /// Seconds of one check.
    pub fn check(&self, id: &str) -> f64 {
        let checks = self.report.scenarios.iter().flat_map(|scenario| &scenario.checks);
        checks.filter(|check| check.id == id).map(|check| check.duration_ms as f64 / 1000.0).sum()
    }
}

/// Audits two databases.
pub async fn audit(source: &Address, target: &Address) -> Result<Audited, Error> {
    let home = tempfile::Builder::new().prefix("rh-bench").tempdir_in("/var/tmp")?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_rehearse"));
    command.arg("audit").arg("--out").arg(home.path()).arg("--work-dir").arg(home.path());
    command.env("REHEARSE_STATE_DIR", home.path());
    for (flag, variable, address) in [("--source", "BENCH_SOURCE", source), ("--target", "BENCH_TARGET", target)] {
        match &address.endpoint {
            Endpoint::File(path) => command.arg(flag).arg(path),
            // A list of processes shows arguments to everybody.
            Endpoint::Server { .. } => command.arg(flag).arg(format!("env:{variable}")).env(variable, url(address)),
        };
    }
    let started = Instant::now();
    let log = home.path().join("log");
    command.stdout(Stdio::null()).stderr(std::fs::File::create(&log)?);
    let mut child = command.kill_on_drop(true).spawn()?;
    let (peak, _) = watch::peaks(&mut child).await?;
    let seconds = started.elapsed().as_secs_f64();
    let Ok(report) = std::fs::read_to_string(home.path().join("audit/latest/report.json")) else {
        return Err(format!("the audit wrote no report: {}", std::fs::read_to_string(&log)?).into());
    };
    Ok(Audited { seconds, peak_mib: peak, report: serde_json::from_str(&report)? })
}
