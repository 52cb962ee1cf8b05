//! The whole of it: a server, each migration in the tool's order, all of them in a row, the verdict.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Instant,
};

use super::{
    Given, HistoryOptions, NAME,
    databases::Databases,
    ready::GivenUp,
    recorded::Recorded,
    round::{Round, Went},
    script::Stopped,
};
use crate::{
    engine::{self, Engine},
    migrate::layout::{self, Layout},
    model::{
        Address, Coverage, Disorder, EventKind, HistoryReport, MigrationClass, MigrationReport, Outcome, Redaction,
        RunId, Side, Snapshot, TableName, Unchecked, Verdict, chain,
        event::{Direction, StepStamp},
    },
    provision::External,
    run::{
        RunError, Stop, clock,
        examination::millis,
        frame::{self, Played},
        recorder::Recorder,
        rehearsal::told,
        servers::{self, Means, Ready, Unready, Wanted},
    },
    scenario::Acceptance,
};

/// What getting the server is called.
const PROVISION: &str = "provision/target";
/// What follows when the history cannot go on.
const BEHIND: &str = "a migration before it cannot be gone past";

/// What is rehearsed, and by what means.
pub(super) struct Subject {
    pub id: RunId,
    pub options: HistoryOptions,
    pub history: layout::History,
    pub selected: BTreeSet<usize>,
    pub since: Option<String>,
    pub disorder: Vec<Disorder>,
    pub unchecked: Vec<Unchecked>,
    pub given: Given,
    pub acceptances: Vec<Acceptance>,
    pub external: Option<External>,
    /// The run's own folder, which stays.
    pub directory: PathBuf,
    pub work: PathBuf,
    pub recorder: Recorder,
    pub stop: Stop,
}

/// A history that is being rehearsed.
pub(super) struct Play {
    pub subject: Subject,
    pub engine: &'static dyn Engine,
    pub layout: &'static dyn Layout,
    pub databases: Databases,
    /// The database in which the history stands behind the migrations that were gone past.
    pub here: Address,
    /// Its state, where nothing happened since it was recorded.
    pub state: Option<Recorded>,
    /// The state before the first migration that was asked for.
    pub bottom: Option<Recorded>,
    /// Whether the rows from then are still there, and went through every way up since.
    pub keeps_bottom: bool,
    /// Whether a way up left more rows in a table than it found.
    pub leaves_rows: bool,
    /// Tables that could not be filled, as they were then.
    pub given_up: BTreeMap<TableName, GivenUp>,
    /// The columns of each table, as they were when rows were last made.
    pub known: BTreeMap<TableName, BTreeSet<String>>,
    /// The days on which the run goes on.
    pub days: Vec<String>,
    /// What was covered so far.
    pub coverage: Coverage,
    /// Positions of acceptances that accept something.
    pub used: BTreeSet<usize>,
    /// Tables that were told to be a tool's own.
    pub own_tables: BTreeSet<String>,
    /// Values of rows are told as digests of this run alone.
    pub redaction: Redaction,
}

/// Plays it.
pub(super) async fn play(subject: Subject) -> Result<Played, RunError> {
    let recorder = subject.recorder.clone();
    frame::make_work(&recorder, &subject.work)?;
    let options = &subject.options;
    let title = format!(
        "{} migrations of {} ({})",
        subject.history.migrations.len(),
        options.folder.display(),
        subject.history.layout
    );
    let name = NAME.to_owned();
    let target = match servers::offer(&subject.wanted(), &subject.means()).await {
        Ok(target) => Some(target),
        Err(Unready::Unable(unable)) => {
            let reason = format!("{}; hint: {}", unable.reason, unable.hint);
            recorder.emit(EventKind::ScenarioSkipped { name, title, reason, waived: false })?;
            return Ok(Played::INCONCLUSIVE);
        }
        Err(Unready::Refused(_) | Unready::Broken(_)) => None,
    };
    recorder.emit(EventKind::ScenarioStarted { name, title, reason: None, target })?;
    let ledger = layout::by_id(subject.history.layout).and_then(Layout::ledger);
    let (disorder, used) = subject.disorder();
    recorder.emit(EventKind::HistoryStarted(Box::new(HistoryReport {
        folder: options.folder.clone(),
        layout: subject.history.layout.to_owned(),
        total: subject.history.migrations.len() as u64,
        selected: subject.selected.len() as u64,
        bookkeeping: ledger.into_iter().map(|ledger| ledger.table().to_owned()).collect(),
        migrations: Vec::new(),
        chain: None,
        stale: Vec::new(),
        since: subject.since.clone(),
        disorder,
        unchecked: subject.unchecked.clone(),
    })))?;
    for text in subject.history.notes.clone() {
        recorder.emit(EventKind::Note { text })?;
    }
    let (play, refused) = match acquire(subject).await? {
        Ok(play) => (play, false),
        Err(refused) => {
            let reasons = vec![format!("`{PROVISION}` did not succeed")];
            let (verdict, coverage) = (Verdict::Inconclusive, Coverage::default());
            recorder.emit(EventKind::ScenarioFinished { verdict, reasons, coverage })?;
            return Ok(Played { verdict, refused });
        }
    };
    let mut play = Play { used, ..play };
    let ended = play.rehearse().await;
    let verdict = play.conclude(ended.err())?;
    Ok(Played { verdict, refused })
}

/// Gets the server and a first database on it. The inner error is whether the user's own may not be used.
async fn acquire(subject: Subject) -> Result<Result<Play, bool>, RunError> {
    let recorder = subject.recorder.clone();
    let stamp = StepStamp {
        step: PROVISION.to_owned(),
        name: Side::Target.to_string(),
        kind: "provision".to_owned(),
        direction: Direction::Setup,
    };
    recorder.emit(EventKind::StepStarted(stamp))?;
    let started = Instant::now();
    let ready = servers::acquire(&subject.wanted(), &subject.means(), &recorder).await;
    let refused = matches!(ready, Err(Unready::Refused(_)));
    let known = engine::by_id(subject.options.engine.as_str()).zip(layout::by_id(subject.history.layout));
    let outcome = match (&ready, &known) {
        (Err(unready), _) => Outcome::Broken { error: told(unready) },
        (_, None) => Outcome::Broken { error: "the engine or the layout is not known".to_owned() },
        (Ok(_), Some(_)) => Outcome::Passed,
    };
    let (step, duration_ms) = (PROVISION.to_owned(), millis(started));
    recorder.emit(EventKind::StepFinished { step, outcome, rows: 0, duration_ms, figures: Vec::new() })?;
    let (Ok(Ready { address, event }), Some((engine, layout))) = (ready, known) else { return Ok(Err(refused)) };
    recorder.emit(event)?;
    let databases = Databases::new(engine, &subject.id, address.clone(), subject.external.clone(), &recorder);
    Ok(Ok(Play {
        subject,
        engine,
        layout,
        databases,
        here: address,
        state: None,
        bottom: None,
        keeps_bottom: true,
        leaves_rows: false,
        given_up: BTreeMap::new(),
        known: BTreeMap::new(),
        days: vec![clock::today()],
        coverage: Coverage::default(),
        used: BTreeSet::new(),
        own_tables: BTreeSet::new(),
        redaction: frame::redaction(false),
    }))
}

impl Subject {
    fn means(&self) -> Means<'_> {
        Means { provider: self.options.provider.as_deref(), limits: &self.options.limits }
    }

    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            run: &self.id,
            side: Side::Target,
            engine: &self.options.engine,
            version: self.options.version.clone(),
            image: self.options.image.clone(),
            provider: None,
            external: self.external.clone(),
            work: self.work.clone(),
        }
    }
}

impl Play {
    /// Each migration up to the last one that was asked for, then all of those in a row.
    async fn rehearse(&mut self) -> Result<(), String> {
        let Some(last) = self.subject.selected.last().copied() else { return Ok(()) };
        self.databases.hasten().await?;
        let here = self.here.clone();
        self.begin(&here).await?;
        for at in 0..=last {
            let total = self.subject.history.migrations.len() as u64;
            self.subject.recorder.progress("migrations", at as u64, Some(total));
            let goes_on = if self.subject.selected.contains(&at) { self.one(at).await? } else { self.past(at).await? };
            if !goes_on {
                let behind: Vec<usize> = self.subject.selected.iter().copied().filter(|other| *other > at).collect();
                return behind.into_iter().try_for_each(|at| self.unrehearsed(at, BEHIND));
            }
        }
        self.ready().await?;
        self.in_a_row(last).await?;
        if self.subject.options.keep {
            self.keep(last + 1).await?;
        }
        Ok(())
    }

    /// Goes past a migration that was not asked for.
    async fn past(&mut self, at: usize) -> Result<bool, String> {
        self.state = None;
        let here = self.here.clone();
        match self.up(&here, at).await {
            Ok(_) => self.give(&here, at).await.map(|_| true),
            Err(Stopped::Run(error)) => Err(error),
            Err(Stopped::Migration(error)) => {
                let name = &self.subject.history.migrations[at].name;
                self.note(format!("`{name}` does not go up, and was not asked for: {error}"))?;
                Ok(false)
            }
        }
    }

    /// Rehearses one migration, and goes past it.
    async fn one(&mut self, at: usize) -> Result<bool, String> {
        self.ready().await?;
        let started = Instant::now();
        let before = self.state.take().ok_or("the state before a migration was not recorded")?;
        if self.bottom.is_none() {
            self.bottom = Some(before.clone());
        }
        let mut report = self.blank(at, &before.state);
        let here = self.here.clone();
        let goes_on = match self.round(&here, at, &before, &mut report).await? {
            Round::Up(went) => self.go_past(at, *went, &report).await?,
            Round::Failed(error) => {
                report.error = Some(error);
                report.class = MigrationClass::UpFails;
                // Without a row there is no difference to look for.
                report.rows > 0 && self.without_rows(at, &mut report).await?
            }
        };
        report.duration_ms = millis(started);
        self.tell(report)?;
        Ok(goes_on)
    }

    /// Tries a migration that failed on the same database without rows.
    async fn without_rows(&mut self, at: usize, report: &mut MigrationReport) -> Result<bool, String> {
        if !self.anew(at, false).await? {
            return Ok(false);
        }
        let empty = self.here.clone();
        let before = self.record_rows(&empty, None).await?;
        let mut alone = self.blank(at, &before.state);
        match self.round(&empty, at, &before, &mut alone).await? {
            Round::Failed(error) => {
                report.error = Some(error);
                Ok(false)
            }
            Round::Up(went) => {
                report.class = MigrationClass::FailsOnlyWithRows;
                report.without_rows = Some(alone.class);
                report.findings.append(&mut alone.findings);
                report.worsened.append(&mut alone.worsened);
                report.unchecked.append(&mut alone.unchecked);
                (report.up_ms, report.down_ms, report.masked) = (alone.up_ms, alone.down_ms, alone.masked);
                report.footprint = alone.footprint.take();
                self.go_past(at, *went, &alone).await
            }
        }
    }

    /// Goes on behind a migration whose round is over.
    async fn go_past(&mut self, at: usize, went: Went, report: &MigrationReport) -> Result<bool, String> {
        let Went { after, copy, again } = went;
        match (copy, again) {
            (Some(copy), _) => {
                let done = std::mem::replace(&mut self.here, copy);
                self.databases.drop(&done).await?;
                self.state = Some(after);
            }
            // It stands where it went up, and nothing happened since.
            (None, None) if report.down_ms.is_none() && report.class == MigrationClass::NoDown => {
                self.state = Some(after);
            }
            (None, Some(again)) if report.class == MigrationClass::Restores => self.state = Some(again),
            (None, _) => {
                if !self.anew(at + 1, true).await? {
                    self.note("the history cannot be made anew from its ways up alone".to_owned())?;
                    return Ok(false);
                }
                return Ok(true);
            }
        }
        let here = self.here.clone();
        if self.give(&here, at).await? {
            self.state = None;
        }
        Ok(true)
    }

    pub(super) fn note(&self, text: String) -> Result<(), String> {
        self.subject.recorder.emit(EventKind::Note { text }).map_err(|error| chain(&error))
    }

    /// A report about a migration that goes up over these rows.
    fn blank(&self, at: usize, before: &Snapshot) -> MigrationReport {
        let migration = &self.subject.history.migrations[at];
        MigrationReport {
            version: migration.version.clone(),
            name: migration.name.clone(),
            file: migration.up.file.clone(),
            class: MigrationClass::Restores,
            without_rows: None,
            error: None,
            findings: Vec::new(),
            worsened: Vec::new(),
            unchecked: self.empty_tables(before),
            masked: 0,
            accepted: None,
            rows: before.tables.values().map(|table| table.rows.rows).sum(),
            up_ms: None,
            down_ms: None,
            footprint: None,
            duration_ms: 0,
        }
    }

    /// Tells that a migration was not rehearsed.
    pub(super) fn unrehearsed(&mut self, at: usize, why: &str) -> Result<(), String> {
        let mut report = self.blank(at, &Snapshot::default());
        report.class = MigrationClass::Unrehearsed;
        report.unchecked = vec![Unchecked::new("down", report.name.clone(), why)];
        self.tell(report)
    }
}
