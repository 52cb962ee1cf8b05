//! Runs `rehearse` as a user would, and watches its memory.

use std::{fs, process::Stdio, time::Instant};

use rehearse::model::{Report, report::StepReport};
use tokio::process::Command;

use crate::{
    Error,
    server::{self, Started},
    watch,
};

/// A rehearsal that passed, left standing.
pub struct Rehearsed {
    /// From the program's start to its end.
    pub seconds: f64,
    /// Peak resident memory of the run's own process.
    pub run_mib: f64,
    /// The largest peak among the processes of its steps.
    pub step_mib: f64,
    rows: Option<u64>,
    report: Report,
}

/// Rehearses with so many rows on top of the scenario's own, and leaves the result standing.
pub async fn rehearse(server: &Started, rows: Option<u64>, seed: u64) -> Result<Rehearsed, Error> {
    let mut command = program(server);
    let major = server.version().split('.').next().unwrap_or_default();
    command.args(["run", "pfa-vanguard", "--disposable", "--keep", "--target-version", major]);
    command
        .args(["--seed", &seed.to_string(), "--scenarios-dir"])
        .arg(format!("{}/scenarios", env!("CARGO_MANIFEST_DIR")));
    command.arg("--out").arg(server.home().join("out")).arg("--work-dir").arg(server.home());
    if let Some(rows) = rows {
        command.args(["--rows", &rows.to_string()]);
    }
    let log = server.home().join("run.log");
    let started = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(fs::File::create(&log)?).spawn()?;
    let (run_mib, step_mib) = watch::peaks(&mut child).await?;
    let seconds = started.elapsed().as_secs_f64();
    let status = child.wait().await?;
    if !status.success() {
        return Err(format!("rehearse ended with {status}:\n{}", fs::read_to_string(log)?).into());
    }
    let report = fs::read_to_string(server.home().join("out/pfa-vanguard/latest/report.json"))?;
    Ok(Rehearsed { seconds, run_mib, step_mib, rows, report: serde_json::from_str(&report)? })
}

/// Gives back what a rehearsal left standing.
pub async fn clean(server: &Started, rehearsed: &Rehearsed) -> Result<(), Error> {
    let status =
        program(server).args(["clean", rehearsed.report.run.id.as_str()]).stdout(Stdio::null()).status().await?;
    if status.success() { Ok(()) } else { Err(format!("rehearse clean ended with {status}").into()) }
}

fn program(server: &Started) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rehearse"));
    command
        .env("REHEARSE_STATE_DIR", server.home().join("state"))
        .env("REHEARSE_TARGET_URL", server::url(&server.address(None)));
    command.kill_on_drop(true);
    command
}

impl Rehearsed {
    /// A figure's name with the number of rows.
    pub fn named(&self, figure: &str) -> String {
        match self.rows {
            Some(rows) => format!("{} rows, {figure}", rehearse::report::prose::count(rows)),
            None => figure.to_owned(),
        }
    }

    /// The peak of both processes together.
    pub fn memory_mib(&self) -> f64 {
        self.run_mib + self.step_mib
    }

    /// A figure of the migration's step.
    pub fn figure(&self, name: &str) -> Result<f64, Error> {
        let step = self.step("migrate/transfer");
        let figure = step.and_then(|step| step.figures.iter().find(|figure| figure.name == name));
        Ok(figure.ok_or_else(|| format!("the report has no figure `{name}`"))?.value)
    }

    /// Rows a second of each phase.
    pub fn rates(&self) -> Vec<(String, u64)> {
        let mut rates = Vec::new();
        let mut tell = |phase: &str, rows: u64, ms: f64| {
            rates.push((phase.to_owned(), (rows as f64 / ms.max(1.0) * 1000.0) as u64));
        };
        let rows = self.step("populate").map_or(0, |step| step.rows);
        for phase in ["populate", "rollback/transfer", "record/migrated"] {
            if let Some(step) = self.step(phase) {
                tell(phase, step.rows, step.duration_ms as f64);
            }
        }
        for phase in ["export", "verify", "import"] {
            tell(phase, rows, self.figure(&format!("{phase}_ms")).unwrap_or(f64::NAN));
        }
        let checks = self.report.scenarios.iter().flat_map(|scenario| &scenario.checks);
        // Both sides' rows.
        tell("all checks", 2 * rows, checks.map(|check| check.duration_ms as f64).sum());
        rates
    }

    fn step(&self, id: &str) -> Option<&StepReport> {
        self.report.scenarios.iter().flat_map(|scenario| &scenario.steps).find(|step| step.id == id)
    }
}
