//! What databases that stand at an earlier state of a history do not see of it: migrations that came in between, and those
//! that were changed after they ran.

use super::{History, Layout, Ledger, Migration, by_id};
use crate::model::{Disorder, DisorderKind, Severity};

impl History {
    /// What is in disorder since the history was that other one, at a revision of this name.
    pub fn disorder(&self, was: &Self, revision: &str) -> Vec<Disorder> {
        let versioned = |history: &Self| history.migrations.iter().filter(|one| !one.is_repeatable).cloned().collect();
        let (then, now): (Vec<Migration>, Vec<Migration>) = (versioned(was), versioned(self));
        let last = then.iter().filter_map(|one| self.position(&one.version)).max();
        let mut found = Vec::new();
        for one in &now {
            let (at, before) = (self.position(&one.version), was.position(&one.version));
            match (before.map(|before| &was.migrations[before]), last.filter(|last| at < Some(*last))) {
                (Some(before), _) if before.up.text != one.up.text => {
                    let told =
                        format!("was changed after {revision}: a database that applied it does not see the change");
                    found.push(disorder(one, DisorderKind::ChangedAfter, Severity::Error, told));
                }
                (None, Some(last)) => {
                    let (severity, late) = self.lateness();
                    let last = &self.migrations[last].name;
                    let told = format!("is out of order: it comes before `{last}`, which {revision} had, and {late}");
                    found.push(disorder(one, DisorderKind::OutOfOrder, severity, told));
                }
                _ => {}
            }
        }
        for one in then.iter().filter(|one| self.position(&one.version).is_none()) {
            let is_it = |other: &&Migration| was.position(&other.version).is_none() && other.up.text == one.up.text;
            let told = match now.iter().find(is_it) {
                Some(other) => {
                    format!("is called `{}` since {revision}: a database that applied it runs it once more", other.name)
                }
                None => format!("is gone since {revision}: a database that applied it keeps what it did"),
            };
            found.push(disorder(one, DisorderKind::ChangedAfter, Severity::Error, told));
        }
        found
    }

    /// What becomes of a migration that comes late, and how grave that is.
    fn lateness(&self) -> (Severity, &'static str) {
        let ledger = by_id(self.layout).and_then(Layout::ledger);
        if ledger.is_none_or(Ledger::keeps_each) {
            (Severity::Warning, "a database that is past that has to run it late, if its tool does so at all")
        } else {
            (Severity::Error, "a database that is past that never runs it: its tool keeps only where it stands")
        }
    }
}

fn disorder(of: &Migration, kind: DisorderKind, severity: Severity, told: String) -> Disorder {
    Disorder { migration: of.name.clone(), file: of.up.file.clone(), kind, severity, told, accepted: None }
}
