//! Steps by themselves, on databases of a test's own, as their processes run them.

use async_trait::async_trait;
use rehearse::{
    check::{Examined, difference, no_trace},
    migrate::{self, StepDone, StepError, StepTask, StepVoice, rollback},
    model::{Address, Endpoint, EngineId, Severity, Side, Sides, Snapshot, event::Direction},
    run,
};
use serde_json::Value as Json;

use super::{Sandbox, server::execute};

/// Keeps marks; goes away, as a killed process does, when it is told a mark that holds a word.
pub struct Voice<'c> {
    pub marks: &'c mut Vec<Json>,
    pub goes_at: Option<&'static str>,
    /// Whether the mark is on disk when it goes.
    pub keeps: bool,
}

#[async_trait]
impl StepVoice for Voice<'_> {
    async fn mark(&mut self, mark: Json) -> Result<(), StepError> {
        let goes = self.goes_at.is_some_and(|word| mark.to_string().contains(word));
        if !goes || self.keeps {
            self.marks.push(mark);
        }
        if goes { Err(StepError::broken("go on", "killed")) } else { Ok(()) }
    }

    fn progress(&mut self, _doing: &str, _done: u64, _total: Option<u64>) {}

    fn is_stopping(&self) -> bool {
        false
    }
}

/// A step on two databases. Steps of one sandbox find one another's folders.
pub struct Step {
    pub task: StepTask,
}

impl Step {
    pub fn new(sandbox: &Sandbox, kind: &str, name: &str, addresses: &Sides<Address>, config: Json) -> Self {
        let folder = sandbox.path("steps").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let task = StepTask {
            kind: kind.to_owned(),
            name: name.to_owned(),
            direction: Direction::Forward,
            config,
            addresses: addresses.clone(),
            stated: Vec::new(),
            folder,
            log: None,
            marks: Vec::new(),
            reconnect_ms: 5000,
            scratch: None,
        };
        Self { task }
    }

    pub async fn forward(&mut self) -> Result<StepDone, StepError> {
        self.go(Direction::Forward, None, false).await
    }

    pub async fn back(&mut self) -> Result<StepDone, StepError> {
        self.go(Direction::Back, None, false).await
    }

    /// Goes one way until a mark that holds a word, which is on disk or not.
    pub async fn go(
        &mut self,
        direction: Direction,
        goes_at: Option<&'static str>,
        keeps: bool,
    ) -> Result<StepDone, StepError> {
        let kind = migrate::by_id(&self.task.kind).unwrap();
        let mut marks = self.task.marks.clone();
        let mut voice = Voice { marks: &mut marks, goes_at, keeps };
        let answer = match direction {
            Direction::Back => rollback::back(kind, &self.task, &mut voice).await,
            _ => rollback::forward(kind, &self.task, &mut voice).await,
        };
        self.task.marks = marks;
        answer
    }
}

/// Two files of SQLite, and SQL that was run in each.
pub async fn files(sandbox: &Sandbox, source: &str, target: &str) -> Sides<Address> {
    let address = |name: &str| Address {
        engine: EngineId::from("sqlite"),
        endpoint: Endpoint::File(sandbox.path(&format!("{name}.db"))),
    };
    let addresses = Sides::new(address("source"), address("target"));
    execute(&addresses.source, source).await;
    execute(&addresses.target, target).await;
    addresses
}

/// Everything in a database.
pub async fn state(address: &Address) -> Snapshot {
    run::record(address, &|_| ()).await.unwrap()
}

/// Panics unless a rollback that went from the one state to the other would be proven by `no_trace`.
#[track_caller]
pub fn assert_no_trace(before: &Snapshot, after: &Snapshot, what: &str) {
    let mut examined = Examined::default();
    difference::compare(Side::Target, before, after, &no_trace::KINDS, &mut examined);
    examined.findings.retain(|finding| finding.severity == Severity::Error);
    assert!(examined.findings.is_empty() && examined.unchecked.is_empty(), "{what}: {examined:#?}");
}
