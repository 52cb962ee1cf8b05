//! Runs one way of a migration in a session of its own.

use std::time::{Duration, Instant};

use super::play::Play;
use crate::{
    migrate::layout::{self, ApplyError, Script},
    model::{Address, chain},
    run::examination::millis,
};

/// Why a script did not run to its end.
pub(super) enum Stopped {
    /// The migration's own doing.
    Migration(String),
    /// The run was asked to stop, or its server is gone.
    Run(String),
}

impl Play {
    /// Runs a script as its tool would, and what the tool writes about it; the answer is how long it took in milliseconds.
    ///
    /// In a task of its own, since an engine that blocks its thread would keep anybody else from looking at the clock.
    pub(super) async fn run_script(
        &self,
        address: &Address,
        script: &Script,
        closing: Vec<String>,
    ) -> Result<u64, Stopped> {
        let engine = self.engine;
        let mut session = engine.connect(address).await.map_err(|error| Stopped::Run(chain(&error)))?;
        let keeps_references = self.layout.keeps_references();
        let (file, script) = (script.file.clone(), script.clone());
        let mut task = tokio::spawn(async move {
            let dialect = engine.dialect();
            if let Some(settings) = dialect.as_of_tool(keeps_references) {
                let set = session.execute(settings).await;
                set.map_err(|error| ApplyError { file: script.file.clone(), line: None, said: chain(&error) })?;
            }
            let started = Instant::now();
            let applied = layout::apply(&mut *session, dialect, &script, &closing).await;
            let took = millis(started);
            // A session in whose middle something failed may not end well, and ends all the same.
            let _ = session.close().await;
            applied.map(|()| took)
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
