//! A step's own process: the task comes in on stdin, marks and the end go out on stdout.
//!
//! One JSON document a line. Behind the task, stdin carries `ack` for each mark that is on disk, and `stop`. When stdin
//! ends without a `stop`, the run's process was killed: the step ends at once and leaves the rest to `resume`,
//! `rollback` or `clean`, which find its marks in the journal.

use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines, Stdin},
    sync::mpsc,
};

use super::stop::{Stop, StopSwitch};
use crate::{
    engine::BoxedError,
    migrate::{self, StepDone, StepError, StepKind, StepTask, StepVoice, rollback},
    model::{chain, event::Direction},
};

/// What a step's process says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Said {
    /// A mark to put on disk and acknowledge.
    Mark(Json),
    /// Rows so far.
    Progress {
        /// What is being done.
        doing: String,
        /// Rows so far.
        done: u64,
        /// Rows in all.
        total: Option<u64>,
    },
    /// The step is done.
    Done(StepDone),
    /// The step failed.
    Failed(Failure),
}

/// How a step failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failure {
    /// The kind of failure.
    pub kind: FailureKind,
    /// The error and its causes.
    pub error: String,
}

/// The kind of failure, as far as the run decides by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FailureKind {
    /// The data is wrong; nothing was changed.
    Rejected,
    /// The target may not be written to; nothing was.
    Refused,
    /// It failed, and both databases are as they were.
    Broken,
    /// It failed, and what it had done is still there.
    Unrestored,
    /// It was asked to stop and has taken back what it had done.
    Interrupted,
}

impl Failure {
    fn of(error: &StepError) -> Self {
        let kind = match error {
            StepError::Rejected { .. } => FailureKind::Rejected,
            StepError::Refused { .. } => FailureKind::Refused,
            StepError::Unrestored { .. } | StepError::Standing { .. } => FailureKind::Unrestored,
            StepError::Interrupted => FailureKind::Interrupted,
            StepError::Broken { .. } | StepError::Engine(_) => FailureKind::Broken,
        };
        Self { kind, error: chain(error) }
    }
}

/// Runs the step whose task comes on stdin. The hidden verb `step` of the program is this function.
///
/// # Errors
/// If stdin does not hold a task.
pub async fn serve() -> std::io::Result<()> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let first = lines.next_line().await?.unwrap_or_default();
    let task: StepTask = serde_json::from_str(&first)?;
    let kind = migrate::by_id(&task.kind)
        .ok_or_else(|| std::io::Error::other(format!("no kind of step is called `{}`", task.kind)))?;
    let (switch, stop) = Stop::new();
    let (ack, acks) = mpsc::unbounded_channel();
    tokio::spawn(listen(lines, ack, switch, kind));
    let mut voice = Pipe { kind, acks, stop: stop.clone(), marks: Arc::default() };
    let marks = Arc::clone(&voice.marks);
    let result = tokio::select! {
        result = play(kind, &task, &mut voice) => result,
        () = stop.asked() => Err(StepError::Interrupted),
    };
    if matches!(result, Err(StepError::Interrupted)) {
        kind.halt().await;
    }
    let result = match result {
        Err(StepError::Interrupted) if task.direction == Direction::Forward => {
            let mut task = task;
            task.marks.extend(marks.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned());
            take_back(kind, &task, &mut voice).await
        }
        other => other,
    };
    match result {
        Ok(done) => say(&Said::Done(done)),
        Err(error) => say(&Said::Failed(Failure::of(&error))),
    }
}

async fn play(kind: &dyn StepKind, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
    match task.direction {
        Direction::Back => rollback::back(kind, task, voice).await,
        Direction::Forward | Direction::Setup => rollback::forward(kind, task, voice).await,
    }
}

async fn take_back(kind: &dyn StepKind, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
    match rollback::back(kind, task, voice).await {
        Ok(_) => Err(StepError::Interrupted),
        Err(error) => Err(StepError::Unrestored { what: "interrupted".to_owned(), source: Box::new(error) }),
    }
}

async fn listen(
    mut lines: Lines<BufReader<Stdin>>,
    ack: mpsc::UnboundedSender<()>,
    switch: StopSwitch,
    kind: &'static dyn StepKind,
) {
    let mut is_stopping = false;
    while let Ok(Some(line)) = lines.next_line().await {
        match line.as_str() {
            "stop" => {
                is_stopping = true;
                switch.ask();
            }
            // The receiver only goes away when the step has ended.
            _ => drop(ack.send(())),
        }
    }
    if !is_stopping {
        abandoned(kind).await;
    }
}

/// The run was killed: nobody would hear us any more, and whatever we did from here on, no journal would tell.
async fn abandoned(kind: &dyn StepKind) -> ! {
    kind.halt().await;
    std::process::exit(70)
}

fn say(said: &Said) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(said)?;
    line.push(b'\n');
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(&line)?;
    stdout.flush()
}

/// The voice of a step in its own process.
struct Pipe {
    kind: &'static dyn StepKind,
    acks: mpsc::UnboundedReceiver<()>,
    stop: Stop,
    marks: Arc<Mutex<Vec<Json>>>,
}

#[async_trait]
impl StepVoice for Pipe {
    async fn mark(&mut self, mark: Json) -> Result<(), StepError> {
        let broken = |error: BoxedError| StepError::broken("write a mark", error);
        self.marks.lock().unwrap_or_else(PoisonError::into_inner).push(mark.clone());
        let heard = say(&Said::Mark(mark));
        let acknowledged = match heard {
            Ok(()) => self.acks.recv().await.ok_or_else(|| broken("the run went away".into())),
            Err(error) => Err(broken(error.into())),
        };
        if acknowledged.is_err() && !self.stop.is_asked() {
            // An error would make the step take back what it did, which is for `resume` or `rollback` to decide.
            abandoned(self.kind).await;
        }
        acknowledged
    }

    fn progress(&mut self, doing: &str, done: u64, total: Option<u64>) {
        // Progress that nobody hears is no reason to fail.
        let _ = say(&Said::Progress { doing: doing.to_owned(), done, total });
    }

    fn is_stopping(&self) -> bool {
        self.stop.is_asked()
    }
}
