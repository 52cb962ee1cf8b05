//! What is seen of a script while it runs: how long it took, and since when it held each lock.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::{
    engine::{EngineError, Session},
    model::footprint::{Lock, Locks},
};

/// A script that ran.
#[derive(Debug, PartialEq, Eq)]
pub struct Applied {
    /// How long it took, without the questions about locks.
    pub took: Duration,
    /// The locks that its transactions held at their ends, and for how long.
    pub locks: Locks,
    /// The lines of the statements whose locks nobody could ask for, as they ran outside of any transaction.
    pub missed: Vec<usize>,
}

/// A lock is known again by its table and its mode.
type Key = (Option<String>, String);

/// A watch over a script that runs.
pub(super) struct Watch {
    started: Instant,
    /// How long was asked for locks: time that is not the script's.
    asking: Duration,
    /// The locks that were held when they were last asked for, with the moment at which the statement began that took them.
    held: BTreeMap<Key, (Lock, Duration)>,
    /// The locks of transactions that ended.
    let_go: Vec<Lock>,
    missed: Vec<usize>,
    /// Why they are not known.
    unknown: Option<String>,
}

impl Watch {
    /// Begins with a script that nobody asks for locks, and why nobody does.
    pub fn unasked(reason: &str) -> Self {
        Self { unknown: Some(reason.to_owned()), ..Self::asked() }
    }

    /// Begins with a script whose locks are asked for.
    pub fn asked() -> Self {
        let (held, let_go, missed) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { started: Instant::now(), asking: Duration::ZERO, held, let_go, missed, unknown: None }
    }

    /// The moment, by the script's own time.
    pub fn now(&self) -> Duration {
        self.started.elapsed().saturating_sub(self.asking)
    }

    /// Looks which locks are held behind a statement that began at this moment. The script's time stands still meanwhile.
    ///
    /// # Errors
    /// If the session does not answer.
    pub async fn look(&mut self, session: &mut dyn Session, begun: Duration) -> Result<(), EngineError> {
        if self.unknown.is_some() {
            return Ok(());
        }
        let asked = Instant::now();
        let locks = session.locks().await?;
        match locks {
            Locks::Held(locks) => self.saw(locks, begun),
            Locks::Unknown(reason) => self.unknown = Some(reason),
        }
        self.asking += asked.elapsed();
        Ok(())
    }

    fn saw(&mut self, locks: Vec<Lock>, begun: Duration) {
        let before = std::mem::take(&mut self.held);
        for lock in locks {
            let key = (lock.table.clone(), lock.mode.clone());
            let since = before.get(&key).map_or(begun, |(_, since)| *since);
            self.held.insert(key, (lock, since));
        }
    }

    /// A transaction ended: what it held, it holds no more.
    pub fn let_go(&mut self) {
        let now = self.now();
        let held = std::mem::take(&mut self.held).into_values();
        let millis = |held: Duration| u64::try_from(held.as_millis()).unwrap_or(u64::MAX);
        self.let_go.extend(held.map(|(lock, since)| Lock { held_ms: Some(millis(now.saturating_sub(since))), ..lock }));
    }

    /// A statement on this line took locks that nobody saw.
    pub fn missed(&mut self, line: usize) {
        self.missed.push(line);
    }

    /// Ends with the script.
    pub fn end(mut self) -> Applied {
        let took = self.now();
        self.let_go();
        match self.unknown {
            Some(reason) => Applied { took, locks: Locks::Unknown(reason), missed: Vec::new() },
            None => Applied { took, locks: Locks::Held(self.let_go), missed: self.missed },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::footprint::Blocks;

    #[test]
    fn a_lock_is_held_since_the_statement_that_took_it() {
        let lock = |table: &str, mode: &str| Lock {
            table: Some(table.to_owned()),
            mode: mode.to_owned(),
            blocks: Blocks::Writers,
            rank: 1,
            held_ms: None,
        };
        let mut watch = Watch::asked();
        watch.saw(vec![lock("1", "SHARE"), lock("2", "SHARE")], Duration::from_secs(1));
        // One is let go, another taken in a stronger mode, too.
        watch.saw(vec![lock("1", "SHARE"), lock("1", "EXCLUSIVE")], Duration::from_secs(3));
        let since: Vec<(&str, u64)> =
            watch.held.values().map(|(lock, since)| (lock.mode.as_str(), since.as_secs())).collect();
        assert_eq!(since, [("EXCLUSIVE", 3), ("SHARE", 1)]);
    }
}
