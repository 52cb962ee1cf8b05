//! One way of a migration that a tool of the user's goes: a command, in a process of its own that looks after it.

use std::time::{Duration, Instant};

use super::{
    play::Play,
    script::{Ran, Stopped},
};
use crate::{
    migrate::{
        StepTask,
        command::{self, Turn},
        layout::Commands,
    },
    model::{
        Address, Sides, chain,
        event::Direction,
        footprint::{Footprint, Locks, Storage},
    },
    run::{child, examination::millis, step_process::FailureKind},
};

impl Play {
    /// Runs a command of a migration: forward its way up, back its way down, else what only looks.
    pub(super) async fn command(
        &self,
        commands: &Commands,
        address: &Address,
        at: usize,
        direction: Direction,
        is_looked_at: bool,
    ) -> Result<Ran, Stopped> {
        let (task, id) = self.task(commands, address, at, direction).map_err(Stopped::Run)?;
        let before = if is_looked_at { Some(self.storage(address).await?) } else { None };
        let limit = Duration::from_millis(self.subject.options.limits.act_ms);
        let stop = self.subject.stop.clone();
        let stopping = async move {
            tokio::select! { () = stop.asked() => {}, () = tokio::time::sleep(limit) => {} }
        };
        let started = Instant::now();
        let ran = child::run(&self.subject.options.program, &id, &task, &self.subject.recorder, stopping).await;
        let ms = millis(started);
        match ran {
            Ok(done) => {
                for note in done.notes {
                    self.note(format!("{id}: {note}")).map_err(Stopped::Run)?;
                }
            }
            Err(failure) => {
                return Err(match failure.kind {
                    FailureKind::Interrupted if !self.subject.stop.is_asked() => {
                        Stopped::Migration(format!("no end within {} s", limit.as_secs()))
                    }
                    FailureKind::Interrupted => Stopped::Run("interrupted".to_owned()),
                    _ if self.subject.stop.is_asked() => Stopped::Run("interrupted".to_owned()),
                    _ => Stopped::Migration(failure.error),
                });
            }
        }
        let Some(before) = before else { return Ok(Ran { ms, footprint: None }) };
        let after = self.storage(address).await?;
        let locks = Locks::Unknown("a session of another program cannot be asked for its locks".to_owned());
        Ok(Ran { ms, footprint: Some(Footprint::of(&before, &after, locks)) })
    }

    fn task(
        &self,
        commands: &Commands,
        address: &Address,
        at: usize,
        direction: Direction,
    ) -> Result<(StepTask, String), String> {
        let subject = &self.subject;
        let migration = &subject.history.migrations[at];
        let before = at.checked_sub(1).map(|before| &subject.history.migrations[before].version);
        let turn =
            Turn { version: migration.version.clone(), previous: before.unwrap_or(&commands.settings.first).clone() };
        let folder = subject.work.join("steps").join((at + 1).to_string());
        std::fs::create_dir_all(&folder).map_err(|error| format!("failed to make `{}`: {error}", folder.display()))?;
        let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
        let file: String = migration.name.chars().map(plain).take(100).collect();
        let task = StepTask {
            kind: "command".to_owned(),
            name: migration.name.clone(),
            direction,
            config: command::alone(&commands.settings, turn),
            addresses: Sides::new(address.clone(), address.clone()),
            stated: Vec::new(),
            folder,
            log: Some(subject.directory.join("commands").join(format!("{:04}-{file}.log", at + 1))),
            marks: Vec::new(),
            reconnect_ms: subject.options.limits.reconnect_ms,
            scratch: None,
        };
        Ok((task, migration.name.clone()))
    }

    /// Where the rows lie, seen from a session of our own.
    async fn storage(&self, address: &Address) -> Result<Storage, Stopped> {
        let failed = |error: crate::engine::EngineError| Stopped::Run(chain(&error));
        let mut session = self.engine.connect(address).await.map_err(failed)?;
        let storage = session.storage().await.map_err(failed)?;
        session.close().await.map_err(failed)?;
        Ok(storage)
    }
}
