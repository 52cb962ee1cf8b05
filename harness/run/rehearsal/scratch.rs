//! A database of a step's own while it runs: announced before, and dropped when the step's process has ended, however it did.

use std::fs;

use super::Rehearsal;
use crate::{
    engine, migrate,
    model::{Address, Endpoint, EventKind, LeaseKind, Side, chain},
    provision::scratch,
};

/// The folder of such a database of an engine of files, in the rehearsal's own.
const FOLDER: &str = "beside";

/// A database that a step may make, and that is dropped behind it.
pub(super) struct Scratch {
    /// Where it is.
    pub address: Address,
    /// The side on whose server it is.
    side: Side,
}

impl Rehearsal {
    /// Announces the database that a step needs beside a side's, if it needs one.
    pub(super) async fn announce_scratch(&self, index: usize) -> Result<Option<Scratch>, String> {
        let spec = &self.run.scenario.steps[index];
        let Some(side) = migrate::by_id(&spec.kind).and_then(|kind| kind.scratch(&spec.config)) else {
            return Ok(None);
        };
        let of = self.address(side)?;
        let address = match &of.endpoint {
            Endpoint::File(_) => {
                let folder = self.folder.join(FOLDER);
                fs::create_dir_all(&folder)
                    .map_err(|error| format!("failed to make `{}`: {error}", folder.display()))?;
                Address { endpoint: Endpoint::File(folder.join("scratch.db")), ..of.clone() }
            }
            Endpoint::Server { .. } => {
                let name = scratch::beside(&self.run.id, side);
                // An earlier process of the run, or an earlier step, may hold it.
                if self.is_users_own(side) && !self.is_announced(&name) {
                    let mut leases = self.run.recorder.clone();
                    let announced = scratch::announce(&name, &mut leases, self.run.external.as_ref()).await;
                    announced.map_err(|error| chain(&error))?;
                }
                of.with_database(&name)
            }
        };
        Ok(Some(Scratch { address, side }))
    }

    /// Drops it. Where that fails it goes with the server or with the run's leases, whose release tells what is stuck.
    pub(super) async fn drop_scratch(&self, scratch: &Scratch) {
        if let Endpoint::File(_) = &scratch.address.endpoint {
            let _ = fs::remove_dir_all(self.folder.join(FOLDER));
            return;
        }
        let name = scratch::beside(&self.run.id, scratch.side);
        let engine = engine::by_id(scratch.address.engine.as_str());
        let (Some(engine), Ok(admin)) = (engine, self.address(scratch.side)) else { return };
        if scratch::drop(admin, engine, &name).await.is_ok() && self.is_announced(&name) {
            // A journal that cannot be written ends the run with its next event.
            let _ = self.run.recorder.emit(EventKind::LeaseReleased { lease: scratch::lease_id(&name) });
        }
    }

    /// Whether a side's database is on a server of the user's.
    fn is_users_own(&self, side: Side) -> bool {
        self.is_announced(&scratch::name(&self.run.id, side))
    }

    fn is_announced(&self, database: &str) -> bool {
        let is_it = |kind: &LeaseKind| matches!(kind, LeaseKind::Database { name, .. } if name == database);
        self.run.recorder.leases().iter().any(|lease| is_it(&lease.kind))
    }
}
