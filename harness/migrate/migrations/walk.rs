//! Going from one version to another.

use std::collections::BTreeSet;

use super::{Settings, states::States};
use crate::{
    engine::{Dialect, Engine, Session},
    migrate::{
        StepError, StepTask, StepVoice, engine_of,
        layout::{self, Entry, History, Layout, Ledger, LedgerSql, Migration, Script, apply},
    },
    model::{Address, TableName},
};

/// What a schema is called at which no migration ran.
const BOTTOM: &str = "0";

/// A database, and the migrations that it goes along.
pub(super) struct Walk<'t> {
    pub address: &'t Address,
    pub history: History,
    task: &'t StepTask,
    settings: &'t Settings,
    engine: &'static dyn Engine,
    layout: &'static dyn Layout,
    ledger: &'static dyn Ledger,
}

impl<'t> Walk<'t> {
    pub fn of(task: &'t StepTask, settings: &'t Settings) -> Result<Self, StepError> {
        let address = task.addresses.get(settings.side);
        let engine = engine_of(address)?;
        let history = settings.history(&address.engine).map_err(|what| StepError::Rejected { what })?;
        let layout = layout::by_id(history.layout);
        let Some((layout, ledger)) = layout.and_then(|layout| Some((layout, layout.ledger()?))) else {
            return Err(StepError::Rejected { what: format!("the layout {} keeps no versions", history.layout) });
        };
        Ok(Self { address, history, task, settings, engine, layout, ledger })
    }

    /// How many migrations the tool's own table says there are, and whether that table is there.
    ///
    /// # Errors
    /// If it names a version that the folder does not have, or lacks one that comes before another.
    pub async fn standing(&self) -> Result<(usize, bool), StepError> {
        let mut session = self.task.connect(self.address).await?;
        let name = TableName::new(self.ledger.table());
        let is_there = session.introspect().await?.tables.contains_key(&name);
        let mut ran = BTreeSet::new();
        if is_there {
            let rows = match self.ledger.standing(&LedgerSql { engine: self.engine }) {
                Some(standing) => session.query(&standing).await?,
                None => Vec::new(),
            };
            for version in rows.into_iter().flatten().flatten() {
                match self.history.position(&version) {
                    Some(at) => _ = ran.insert(at),
                    None if self.ledger.beginning() == Some(version.as_str()) => {}
                    None => {
                        let side = self.settings.side;
                        let what = format!("the {side} is at version `{version}`, of which the folder knows nothing");
                        return Err(StepError::Rejected { what });
                    }
                }
            }
            self.in_order(&ran)?;
        }
        session.close().await?;
        Ok((ran.last().map_or(0, |last| last + 1), is_there))
    }

    /// Whether no migration is missing before another that ran.
    fn in_order(&self, ran: &BTreeSet<usize>) -> Result<(), StepError> {
        let Some(last) = ran.last().filter(|_| self.ledger.keeps_each()) else { return Ok(()) };
        let missing: Vec<&str> =
            (0..*last).filter(|at| !ran.contains(at)).map(|at| self.history.migrations[at].name.as_str()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let (side, last) = (self.settings.side, &self.history.migrations[*last].name);
        let what = format!(
            "out of order: the {side} has `{last}`, and not `{}`, which comes before it by the folder",
            missing.join("`, `")
        );
        Err(StepError::Rejected { what })
    }

    /// Looks whether the first so many migrations ran with the text that the folder holds, where the tool keeps checksums.
    ///
    /// # Errors
    /// If one of them was changed since.
    pub async fn unchanged(&self, ran: usize) -> Result<(), StepError> {
        let mut session = self.task.connect(self.address).await?;
        let sql = LedgerSql { engine: self.engine };
        for migration in &self.history.migrations[..ran] {
            let Some(query) = self.ledger.is_other(migration, &sql) else { break };
            if !session.query(&query).await?.is_empty() {
                let (side, table, name) = (self.settings.side, self.ledger.table(), &migration.name);
                let file = self.settings.folder.join(&migration.up.file);
                let what = format!(
                    "`{name}` was changed after the {side} got it: the checksum in `{table}` is not that of `{}`",
                    file.display()
                );
                return Err(StepError::Rejected { what });
            }
        }
        Ok(session.close().await?)
    }

    /// The scripts from one place to the other.
    ///
    /// # Errors
    /// If a migration on the way has none, or a script is none that the server takes.
    pub fn ways(&self, from: usize, to: usize) -> Result<Vec<(usize, &Script)>, StepError> {
        let migrations = &self.history.migrations;
        let mut ways = Vec::new();
        if from <= to {
            ways.extend((from..to).map(|at| (at, &migrations[at].up)));
        }
        for at in (to..from).rev() {
            let Migration { name, down, .. } = &migrations[at];
            let refused = || StepError::Refused { what: format!("`{name}` has no way down") };
            ways.push((at, down.as_ref().ok_or_else(refused)?));
        }
        for (_, script) in &ways {
            script.statements(self.engine.dialect()).map_err(|error| StepError::Rejected {
                what: format!(
                    "{}:{}: {}",
                    self.settings.folder.join(&script.file).display(),
                    error.line,
                    error.problem
                ),
            })?;
        }
        Ok(ways)
    }

    /// Whether each script is one transaction, so that none can end in its middle.
    pub fn are_whole(&self, from: usize, to: usize) -> bool {
        let dialect = self.engine.dialect();
        self.ways(from, to).is_ok_and(|ways| ways.iter().all(|(_, way)| way.is_whole(dialect)))
    }

    /// Goes there, and tells how many schemas were compared with those of the first time.
    pub async fn go(&self, from: usize, to: usize, voice: &mut dyn StepVoice) -> Result<usize, StepError> {
        let ways = self.ways(from, to)?;
        let mut session = self.task.connect(self.address).await?;
        let sql = LedgerSql { engine: self.engine };
        let dialect = self.engine.dialect();
        if !session.introspect().await?.tables.contains_key(&TableName::new(self.ledger.table())) {
            for statement in self.ledger.begin(&sql) {
                session.execute(&statement).await?;
            }
        }
        if let Some(settings) = dialect.as_of_tool(self.layout.keeps_references()) {
            session.execute(settings).await?;
        }
        let mut compared = usize::from(self.compare(from, &mut *session).await?);
        let now = jiff::Timestamp::now().to_string();
        for (done, (at, script)) in ways.iter().enumerate() {
            if voice.is_stopping() {
                return Err(StepError::Interrupted);
            }
            let previous = at.checked_sub(1).map(|before| &self.history.migrations[before]);
            let entry = Entry { migration: &self.history.migrations[*at], previous, now: &now };
            let is_up = from < to;
            let written = if is_up { self.ledger.applied(&entry, &sql) } else { self.ledger.reverted(&entry, &sql) };
            self.run(&mut *session, dialect, script, &written).await?;
            compared += usize::from(self.compare(if is_up { at + 1 } else { *at }, &mut *session).await?);
            voice.progress("migrations", done as u64 + 1, Some(ways.len() as u64));
        }
        session.close().await?;
        Ok(compared)
    }

    async fn run(
        &self,
        session: &mut dyn Session,
        dialect: &dyn Dialect,
        script: &Script,
        written: &[String],
    ) -> Result<(), StepError> {
        let ran = apply(session, dialect, script, written, false).await;
        ran.map(drop).map_err(|error| StepError::broken(format!("run `{}`", script.file.display()), error))
    }

    async fn compare(&self, position: usize, session: &mut dyn Session) -> Result<bool, StepError> {
        let version = position.checked_sub(1).map_or(BOTTOM, |at| self.history.migrations[at].version.as_str());
        let states = States { task: self.task, side: self.settings.side };
        states.compare(version, &session.introspect().await?)
    }

    /// Takes the tool's own table away, which was not there before.
    pub async fn forget(&self) -> Result<(), StepError> {
        let mut session = self.task.connect(self.address).await?;
        let name = TableName::new(self.ledger.table());
        if session.introspect().await?.tables.contains_key(&name) {
            session.execute(&format!("DROP TABLE {}", self.engine.dialect().table(&name))).await?;
        }
        Ok(session.close().await?)
    }
}
