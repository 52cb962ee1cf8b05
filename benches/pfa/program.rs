//! Runs `rehearse` as a user would, and watches its memory.

use std::{
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use rehearse::model::{Report, report::StepReport};
use tokio::process::{Child, Command};

use crate::{
    Error,
    server::{self, Started},
};

/// How often memory is looked at. The kernel keeps the peak; only what a process gained after the last look is missed.
const WATCH: Duration = Duration::from_millis(10);

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
    let (run_mib, step_mib) = watch(&mut child).await?;
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

/// The peaks in MiB of a process and of those that it starts, until it ends.
async fn watch(child: &mut Child) -> Result<(f64, f64), Error> {
    let own = child.id().ok_or("the program ended at once")?;
    let (mut run, mut step) = (0.0_f64, 0.0_f64);
    while child.try_wait()?.is_none() {
        run = run.max(peak_mib(own));
        for started in children(own) {
            step = step.max(peak_mib(started));
        }
        tokio::time::sleep(WATCH).await;
    }
    Ok((run, step))
}

/// `VmHWM` of a process; 0 if it is gone.
fn peak_mib(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|kib| kib.parse().ok());
    kib.unwrap_or(0.0) / 1024.0
}

/// The processes whose parent this is, from the fourth field of `/proc/*/stat`.
fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers
        .filter(|process: &u32| {
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            // The second field is a name in brackets and may hold anything.
            let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
            rest.split_whitespace().nth(1) == Some(&parent.to_string())
        })
        .collect()
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
