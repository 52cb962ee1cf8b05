//! A step in a process of its own, so that its peak of memory is its own too.

use std::{
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
    time::Instant,
};

use async_trait::async_trait;
use rehearse::{
    migrate::{self, StepError, StepTask, StepVoice},
    model::{Address, Sides, chain, event::Direction},
    scenario::StepSpec,
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tokio::{io::AsyncWriteExt, process::Command};

use crate::{Error, memory::peak_mib};

/// What came of a step.
#[derive(Serialize, Deserialize)]
pub struct Copied {
    /// Rows that it moved.
    pub rows: u64,
    /// From its beginning to its end.
    pub seconds: f64,
    /// Peak resident memory of the process.
    pub peak_mib: f64,
    /// What it noted for its way back.
    pub marks: Vec<Json>,
}

/// Goes forward.
pub async fn forward(home: &Path, spec: &StepSpec, addresses: &Sides<Address>) -> Result<Copied, Error> {
    let copied = play(home, spec, addresses, Direction::Forward, Vec::new()).await?;
    fs::write(marks(home, spec), serde_json::to_vec(&copied.marks)?)?;
    Ok(copied)
}

/// Goes back.
pub async fn back(home: &Path, spec: &StepSpec, addresses: &Sides<Address>) -> Result<(), Error> {
    let marks = serde_json::from_slice(&fs::read(marks(home, spec))?)?;
    play(home, spec, addresses, Direction::Back, marks).await.map(drop)
}

fn marks(home: &Path, spec: &StepSpec) -> PathBuf {
    home.join(format!("{}.marks", spec.name))
}

async fn play(
    home: &Path,
    spec: &StepSpec,
    addresses: &Sides<Address>,
    direction: Direction,
    marks: Vec<Json>,
) -> Result<Copied, Error> {
    let folder = home.join(&spec.name);
    fs::create_dir_all(&folder)?;
    let task = StepTask {
        kind: spec.kind.clone(),
        name: spec.name.clone(),
        direction,
        config: spec.config.clone(),
        addresses: addresses.clone(),
        stated: Vec::new(),
        folder,
        log: None,
        marks,
        reconnect_ms: 10_000,
        scratch: None,
    };
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--step").stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    child.stdin.take().ok_or("no pipe to the child")?.write_all(&serde_json::to_vec(&task)?).await?;
    let output = child.wait_with_output().await?;
    if !output.status.success() {
        return Err(format!("the step `{}` ended with {}", spec.name, output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The child's end: 2 if the step did not succeed.
pub async fn ended() -> ExitCode {
    match child().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", chain(&*error));
            ExitCode::from(2)
        }
    }
}

/// The child: the step in, what came of it out.
async fn child() -> Result<(), Error> {
    let mut text = Vec::new();
    std::io::stdin().read_to_end(&mut text)?;
    let task: StepTask = serde_json::from_slice(&text)?;
    let kind = migrate::by_id(&task.kind).ok_or("no such kind of step")?;
    let mut voice = Voice(Vec::new());
    let started = Instant::now();
    let done = match task.direction {
        Direction::Back => kind.back(&task, &mut voice).await?,
        _ => kind.forward(&task, &mut voice).await?,
    };
    let seconds = started.elapsed().as_secs_f64();
    let copied = Copied { rows: done.rows, seconds, peak_mib: peak_mib("self"), marks: voice.0 };
    std::io::stdout().write_all(&serde_json::to_vec(&copied)?)?;
    Ok(())
}

/// Keeps marks.
struct Voice(Vec<Json>);

#[async_trait]
impl StepVoice for Voice {
    async fn mark(&mut self, mark: Json) -> Result<(), StepError> {
        self.0.push(mark);
        Ok(())
    }

    fn progress(&mut self, _doing: &str, _done: u64, _total: Option<u64>) {}

    fn is_stopping(&self) -> bool {
        false
    }
}
