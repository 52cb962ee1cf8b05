//! Rows on their way from a scan to a load: at most a few chunks of them are in memory.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel},
    },
    time::Duration,
    vec,
};

use serde_json::{Map, Value as Json};
use tokio::task::block_in_place;

use super::{
    object::Assembling,
    parents::Keys,
    plan::{ColumnPlan, TablePlan},
    rejects::{AT_MOST, Reject},
};
use crate::{
    canon::{Cell, RowSink, text_of},
    engine::{BoxedError, EngineError, RowSource, Rowset, Session},
    migrate::StepVoice,
    model::Value,
};

/// Chunks between the scan and the load.
const CHUNKS: usize = 4;
/// Rows after which a chunk is handed on.
const ROWS: usize = 1000;
/// Bytes after which a chunk is handed on, as far as texts and bytes tell.
const BYTES: usize = 256 * 1024;
/// How often a load that waits for rows asks whether it is wanted any more.
const PAUSE: Duration = Duration::from_millis(100);

/// A row that cannot be carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unfit {
    /// Its place among the rows of its part, from 1.
    pub row: u64,
    /// The source's column.
    pub column: String,
    /// What is wrong with it, without its value.
    pub what: String,
}

/// What a scan gives back.
pub(super) struct Read {
    /// The session.
    pub session: Box<dyn Session>,
    /// Rows that were read, or why it ended early.
    pub outcome: Result<u64, EngineError>,
    /// The row at which it ended.
    pub unfit: Option<Unfit>,
    /// The rows that were left out and are to be kept elsewhere.
    pub rejects: Vec<Reject>,
}

/// Starts a scan in a task of its own. It ends at its next chunk when nobody takes its rows any more.
pub(super) fn read(
    mut session: Box<dyn Session>,
    table: &TablePlan,
    rowset: Rowset,
    parents: Vec<Option<Arc<Keys>>>,
) -> (impl Future<Output = Result<Read, EngineError>>, Receiver<Vec<Value>>) {
    let (sender, receiver) = sync_channel(CHUNKS);
    let doing = format!("reading {}", rowset.table);
    let mut sink = Sink {
        columns: table.columns.clone().into(),
        parents,
        assembling: Assembling::of(&table.objects),
        constants: table.constants.iter().map(|(_, value)| value.clone()).collect(),
        chunk: Vec::new(),
        rows: 0,
        bytes: 0,
        seen: 0,
        sender,
        keeps: table.keeps.clone(),
        key: vec![KeyPart::Null; table.keeps.as_ref().map_or(0, Vec::len)],
        places: table.places_of_key(),
        begins: 0,
        bad: None,
        rejects: Vec::new(),
        unfit: None,
    };
    let task = tokio::spawn(async move {
        let outcome = session.scan(&rowset, &mut sink).await;
        if outcome.is_ok() && sink.unfit.is_none() {
            // Whoever wants no more rows ended the scan.
            let _ = sink.hand_on();
        }
        Read { session, outcome, unfit: sink.unfit, rejects: sink.rejects }
    });
    let ended = async move {
        task.await.map_err(|error| EngineError::Unexpected { doing, what: format!("the scan stopped: {error}") })
    };
    (ended, receiver)
}

/// A part of a row's key, kept for the case that the row is rejected.
#[derive(Clone, Debug)]
enum KeyPart {
    Null,
    Number(i64),
    Text(String),
}

impl KeyPart {
    fn of(cell: &Cell<'_>) -> Self {
        match cell {
            Cell::Integer(number) => Self::Number(*number),
            _ => text_of(cell).map_or(Self::Null, Self::Text),
        }
    }

    fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.clone()),
        }
    }
}

/// Makes the target's values of each row.
struct Sink {
    columns: Arc<[ColumnPlan]>,
    /// By column: the keys of which its values have to be one.
    parents: Vec<Option<Arc<Keys>>>,
    /// What is put together from the cells behind those.
    assembling: Assembling,
    constants: Vec<Value>,
    chunk: Vec<Value>,
    rows: usize,
    bytes: usize,
    seen: u64,
    sender: SyncSender<Vec<Value>>,
    /// The columns that name a row, where rows that cannot be carried are kept.
    keeps: Option<Vec<String>>,
    /// The row's key, and in which places of a row its parts stand.
    key: Vec<KeyPart>,
    places: Vec<usize>,
    /// Where the row begins in the chunk.
    begins: usize,
    /// What is wrong with the row: the column, and the reason.
    bad: Option<(String, String)>,
    rejects: Vec<Reject>,
    unfit: Option<Unfit>,
}

impl Sink {
    /// Leaves the row out: it is kept elsewhere, or ends the scan.
    fn reject(&mut self, column: String, what: String) -> ControlFlow<()> {
        match &self.keeps {
            Some(names) if self.rejects.len() < AT_MOST => {
                let parts = names.iter().zip(&self.key);
                let mut key: Map<String, Json> =
                    parts.map(|(name, part)| (name.clone(), Json::from(part.text()))).collect();
                if key.is_empty() {
                    key.insert("row".to_owned(), self.seen.into());
                }
                self.rejects.push(Reject { key: Json::from(key).to_string(), column, reason: what });
                self.chunk.truncate(self.begins);
                ControlFlow::Continue(())
            }
            Some(_) => {
                let what = format!("{what}; {AT_MOST} rows of the part before it cannot be carried either");
                self.unfit = Some(Unfit { row: self.seen, column, what });
                ControlFlow::Break(())
            }
            None => {
                self.unfit = Some(Unfit { row: self.seen, column, what });
                ControlFlow::Break(())
            }
        }
    }

    /// Hands a chunk on; waits while the load has enough of them.
    fn hand_on(&mut self) -> ControlFlow<()> {
        let chunk = std::mem::take(&mut self.chunk);
        (self.rows, self.bytes, self.begins) = (0, 0, 0);
        let sent = match self.sender.try_send(chunk) {
            Err(TrySendError::Full(chunk)) => block_in_place(|| self.sender.send(chunk)).is_ok(),
            sent => sent.is_ok(),
        };
        if sent { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

impl RowSink for Sink {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        if let Some(at) = self.places.iter().position(|place| *place == column) {
            self.key[at] = KeyPart::of(&cell);
        }
        let Some(plan) = self.columns.get(column) else {
            if let Err(bad) = self.assembling.cell(column - self.columns.len(), &cell) {
                self.bad.get_or_insert(bad);
            }
            return;
        };
        let value = plan.value(&cell);
        let value = match (&self.parents[column], value) {
            (Some(keys), Ok(value)) => keys.require(&value).map(|()| value),
            (_, value) => value,
        };
        match value {
            Ok(value) => {
                self.bytes += bytes(&value);
                self.chunk.push(value);
            }
            Err(what) => {
                self.bad.get_or_insert_with(|| (plan.source.clone(), what));
            }
        }
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        self.seen += 1;
        let objects = self.assembling.values();
        let bad = self.bad.take();
        let objects = match bad.map_or(objects, Err) {
            Ok(objects) => objects,
            Err((column, what)) => return self.reject(column, what),
        };
        self.rows += 1;
        self.bytes += objects.iter().map(bytes).sum::<usize>();
        self.chunk.extend(objects);
        self.chunk.extend(self.constants.iter().cloned());
        self.begins = self.chunk.len();
        if self.rows >= ROWS || self.bytes >= BYTES { self.hand_on() } else { ControlFlow::Continue(()) }
    }
}

/// Bytes of a value, as far as texts and bytes tell.
fn bytes(value: &Value) -> usize {
    match value {
        Value::Text(text) | Value::Json(text) | Value::Decimal(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        _ => 0,
    }
}

/// The rows of a part as a load takes them.
pub(super) struct Incoming<'a> {
    receiver: Receiver<Vec<Value>>,
    chunk: vec::IntoIter<Value>,
    width: usize,
    voice: &'a mut dyn StepVoice,
    doing: String,
    done: u64,
    total: u64,
    /// Whether the run wants the step to stop.
    pub is_stopped: bool,
}

impl<'a> Incoming<'a> {
    /// Rows with so many values; `done` of `total` rows of the step came before.
    pub fn new(
        receiver: Receiver<Vec<Value>>,
        width: usize,
        voice: &'a mut dyn StepVoice,
        table: &TablePlan,
        done: u64,
        total: u64,
    ) -> Self {
        let doing = format!("copy {}", table.target.name);
        Self { receiver, chunk: Vec::new().into_iter(), width, voice, doing, done, total, is_stopped: false }
    }

    /// The next chunk; `None` behind the last.
    fn next_chunk(&mut self) -> Option<Vec<Value>> {
        match self.receiver.try_recv() {
            Ok(chunk) => return Some(chunk),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => {}
        }
        block_in_place(|| {
            loop {
                match self.receiver.recv_timeout(PAUSE) {
                    Ok(chunk) => return Some(chunk),
                    Err(RecvTimeoutError::Disconnected) => return None,
                    Err(RecvTimeoutError::Timeout) if self.voice.is_stopping() => return None,
                    Err(RecvTimeoutError::Timeout) => {}
                }
            }
        })
    }
}

impl RowSource for Incoming<'_> {
    fn next(&mut self, row: &mut Vec<Value>) -> Result<bool, BoxedError> {
        while self.chunk.len() == 0 {
            self.is_stopped = self.voice.is_stopping();
            if self.is_stopped {
                return Err("interrupted".into());
            }
            self.voice.progress(&self.doing, self.done, Some(self.total));
            match self.next_chunk() {
                Some(chunk) => self.chunk = chunk.into_iter(),
                None => return Ok(false),
            }
        }
        row.extend(self.chunk.by_ref().take(self.width));
        self.done += 1;
        Ok(true)
    }
}
