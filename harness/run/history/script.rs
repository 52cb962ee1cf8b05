//! Runs one way of a migration in a session of its own.

use std::time::Duration;

use super::play::Play;
use crate::{
    engine::EngineError,
    migrate::layout::{self, Applied, ApplyError, Entry, Ledger, LedgerSql, Script},
    model::{Address, chain, event::Direction, footprint::Footprint},
    run::clock,
};

/// A way that was gone.
#[derive(Default)]
pub(super) struct Ran {
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// What it left on the server, where that was looked at.
    pub footprint: Option<Footprint>,
}

/// Why a script did not run to its end.
pub(super) enum Stopped {
    /// The migration's own doing.
    Migration(String),
    /// The run was asked to stop, or its server is gone.
    Run(String),
}

impl Play {
    /// One way up.
    pub(super) async fn up(&self, address: &Address, at: usize) -> Result<Ran, Stopped> {
        self.up_and(address, at, false).await
    }

    /// One way up; `is_looked_at` is whether its locks are wanted, and what it rewrites.
    pub(super) async fn up_and(&self, address: &Address, at: usize, is_looked_at: bool) -> Result<Ran, Stopped> {
        let probe = if is_looked_at { self.probe(address).await.map_err(Stopped::Run)? } else { None };
        let ran = self.go_up(address, at, is_looked_at).await;
        let waited = match probe {
            Some(probe) => probe.end().await.map_err(Stopped::Run)?,
            None => Vec::new(),
        };
        let mut ran = ran?;
        if let Some(footprint) = &mut ran.footprint {
            footprint.waited = waited;
        }
        Ok(ran)
    }

    async fn go_up(&self, address: &Address, at: usize, is_looked_at: bool) -> Result<Ran, Stopped> {
        if let Some(commands) = &self.subject.history.commands {
            return self.command(commands, address, at, Direction::Forward, is_looked_at).await;
        }
        let written = self.written(at, |ledger, entry, sql| ledger.applied(entry, sql));
        self.run_script(address, &self.subject.history.migrations[at].up, written, is_looked_at).await
    }

    /// One way down.
    pub(super) async fn down(&self, address: &Address, at: usize, script: &Script) -> Result<Ran, Stopped> {
        if let Some(commands) = &self.subject.history.commands {
            return self.command(commands, address, at, Direction::Back, false).await;
        }
        let written = self.written(at, |ledger, entry, sql| ledger.reverted(entry, sql));
        self.run_script(address, script, written, false).await
    }

    /// Makes the tool's own table in a database on which nothing ran yet.
    pub(super) async fn begin(&self, address: &Address) -> Result<(), String> {
        let Some(ledger) = self.layout.ledger() else { return Ok(()) };
        let mut session = self.engine.connect(address).await.map_err(|error| chain(&error))?;
        for statement in ledger.begin(&LedgerSql { engine: self.engine }) {
            let made = session.execute(&statement).await;
            made.map_err(|error| format!("failed to make `{}`: {}", ledger.table(), chain(&error)))?;
        }
        session.close().await.map_err(|error| chain(&error))
    }

    /// What the tool writes about a migration.
    fn written(&self, at: usize, what: impl Fn(&dyn Ledger, &Entry<'_>, &LedgerSql) -> Vec<String>) -> Vec<String> {
        let migrations = &self.subject.history.migrations;
        let previous = at.checked_sub(1).and_then(|before| migrations.get(before));
        let now = clock::now();
        let entry = Entry { migration: &migrations[at], previous, now: &now };
        self.layout.ledger().map_or_else(Vec::new, |one| what(one, &entry, &LedgerSql { engine: self.engine }))
    }

    /// Runs a script as its tool would, and what the tool writes about it.
    ///
    /// In a task of its own, since an engine that blocks its thread would keep anybody else from looking at the clock.
    pub(super) async fn run_script(
        &self,
        address: &Address,
        script: &Script,
        written: Vec<String>,
        is_looked_at: bool,
    ) -> Result<Ran, Stopped> {
        let engine = self.engine;
        let mut session = engine.connect(address).await.map_err(|error| Stopped::Run(chain(&error)))?;
        let keeps_references = self.layout.keeps_references();
        let (file, script) = (script.file.clone(), script.clone());
        let is_inside = self.layout.ledger().is_none_or(Ledger::is_inside);
        let (inside, behind) = if is_inside { (written, Vec::new()) } else { (Vec::new(), written) };
        let mut task = tokio::spawn(async move {
            let dialect = engine.dialect();
            if let Some(settings) = dialect.as_of_tool(keeps_references) {
                let set = session.execute(settings).await;
                set.map_err(|error| ApplyError { file: script.file.clone(), line: None, said: chain(&error) })?;
            }
            let failed = |error: EngineError| ApplyError { file: script.file.clone(), line: None, said: chain(&error) };
            let before = if is_looked_at { Some(session.storage().await.map_err(failed)?) } else { None };
            let applied = layout::apply(&mut *session, dialect, &script, &inside, is_looked_at).await;
            let ran: Result<Ran, ApplyError> = async {
                let Applied { took, locks, missed } = applied?;
                let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
                layout::write(&mut *session, &script, &behind).await?;
                let Some(before) = before else { return Ok(Ran { ms, footprint: None }) };
                let after = session.storage().await.map_err(failed)?;
                let missed = missed.into_iter().map(|line| line as u64).collect();
                Ok(Ran { ms, footprint: Some(Footprint { missed, ..Footprint::of(&before, &after, locks) }) })
            }
            .await;
            // A session in whose middle something failed may not end well, and ends all the same.
            let _ = session.close().await;
            ran
        });
        let limit = Duration::from_millis(self.subject.options.limits.act_ms);
        let stop = self.subject.stop.clone();
        let ended = tokio::select! {
            ended = &mut task => ended,
            () = tokio::time::sleep(limit) => {
                task.abort();
                return Err(Stopped::Migration(format!("{}: no end within {} s", file.display(), limit.as_secs())));
            }
            () = stop.asked() => {
                task.abort();
                return Err(Stopped::Run("interrupted".to_owned()));
            }
        };
        match ended {
            Ok(applied) => applied.map_err(|error| Stopped::Migration(error.to_string())),
            Err(error) => Err(Stopped::Run(format!("a migration's own task ended: {error}"))),
        }
    }
}
