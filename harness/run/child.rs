//! The run's end of a step's own process.

use std::{fs::OpenOptions, path::Path, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
};

use super::{
    recorder::Recorder,
    step_process::{Failure, FailureKind, Said},
};
use crate::{
    migrate::{StepDone, StepTask},
    model::EventKind,
};

/// How long a step that was asked to stop may take to give back what it had done, beyond its reconnect limit.
const GRACE: Duration = Duration::from_secs(30);
/// The log that a step's process writes to, in the step's folder.
const LOG: &str = "step.log";

/// Runs a step in a process of its own until it ends; when `stop` is over first, asks it to stop.
pub(super) async fn run(
    program: &Path,
    id: &str,
    task: &StepTask,
    recorder: &Recorder,
    stop: impl Future<Output = ()>,
) -> Result<StepDone, Failure> {
    let broken = |doing: &str, error: std::io::Error| Failure {
        kind: FailureKind::Unrestored,
        error: format!("failed to {doing}: {error}"),
    };
    let mut child = start(program, task).map_err(|error| broken("start the step's process", error))?;
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let stdout = child.stdout.take().expect("stdout is piped");
    let first = serde_json::to_string(task).expect("tasks are plain JSON");
    say(&mut stdin, &first).await.map_err(|error| broken("send the step's task", error))?;
    let mut lines = BufReader::new(stdout).lines();
    tokio::pin!(stop);
    let mut deadline = None;
    loop {
        let line = tokio::select! {
            line = lines.next_line() => line.map_err(|error| broken("hear from the step's process", error))?,
            () = &mut stop, if deadline.is_none() => {
                let grace = GRACE + Duration::from_millis(task.reconnect_ms);
                deadline = Some(Box::pin(tokio::time::sleep(grace)));
                // One that does not hear has just ended: its last word, or the lack of one, is still to be read.
                let _ = say(&mut stdin, "stop").await;
                continue;
            }
            () = async { deadline.as_mut().expect("only polled when set").await }, if deadline.is_some() => {
                // Dropping the child kills it.
                return Err(Failure {
                    kind: FailureKind::Unrestored,
                    error: "the step did not end when it was asked to, and was killed".to_owned(),
                });
            }
        };
        let Some(line) = line else { return Err(died(&mut child, task).await) };
        match serde_json::from_str(&line) {
            Ok(Said::Mark(mark)) => {
                let kind = EventKind::StepMark { step: id.to_owned(), mark };
                let failed = |error: &dyn std::error::Error| Failure {
                    kind: FailureKind::Unrestored,
                    error: crate::model::chain(error),
                };
                recorder.emit(kind).map_err(|error| failed(&error))?;
                // The same here.
                let _ = say(&mut stdin, "ack").await;
            }
            Ok(Said::Progress { doing, done, total }) => recorder.progress(&doing, done, total),
            Ok(Said::Done(done)) => return finished(child, stdin, Ok(done)).await,
            Ok(Said::Failed(failure)) => return finished(child, stdin, Err(failure)).await,
            Err(error) => {
                return Err(Failure {
                    kind: FailureKind::Unrestored,
                    error: format!("the step's process said something that is no message: {error}"),
                });
            }
        }
    }
}

fn start(program: &Path, task: &StepTask) -> std::io::Result<Child> {
    let log = OpenOptions::new().create(true).append(true).open(task.folder.join(LOG))?;
    Command::new(program)
        .arg("step")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log)
        // A group of its own: Ctrl-C in the terminal reaches the run alone, which then asks the step to stop.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

async fn say(stdin: &mut ChildStdin, line: &str) -> std::io::Result<()> {
    stdin.write_all(line.as_bytes()).await?;
    stdin.write_all(b"\n").await?;
    stdin.flush().await
}

async fn finished(mut child: Child, stdin: ChildStdin, result: Result<StepDone, Failure>) -> Result<StepDone, Failure> {
    // Whatever it still does, it has said its last word: closing its stdin ends it, and waiting leaves no zombie.
    drop(stdin);
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        drop(child);
    }
    result
}

/// The process ended without a last word: killed, or it panicked.
async fn died(child: &mut Child, task: &StepTask) -> Failure {
    let ended = child.wait().await.map_or_else(|error| error.to_string(), |status| status.to_string());
    let log = std::fs::read_to_string(task.folder.join(LOG)).unwrap_or_default();
    let tail: Vec<&str> = log.lines().rev().take(5).collect();
    let told: String = tail.into_iter().rev().map(|line| format!("; {line}")).collect();
    Failure { kind: FailureKind::Unrestored, error: format!("the step's process ended without a word ({ended}){told}") }
}
