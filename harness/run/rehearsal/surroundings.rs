//! What is around the databases of a rehearsal, for its preflight.

use std::path::{Path, PathBuf};

use super::Rehearsal;
use crate::{
    check::{Surroundings, preflight::OfStep},
    engine, migrate,
    model::{Endpoint, LeaseKind, Side, Sides, chain},
};

/// Where Docker keeps what containers write, unless it was told otherwise.
const DOCKER: &str = "/var/lib/docker";

impl Rehearsal {
    pub(super) async fn look_around(&self) -> Surroundings {
        let wanted = Sides::from_fn(|side| {
            let wanted = self.wanted(side);
            // An embedded engine has the version that this program was built with, whatever is asked for.
            let has_server = engine::by_id(wanted.engine.as_str()).is_some_and(|engine| engine.server().is_some());
            wanted.version.filter(|_| has_server).map(|version| (wanted.engine.clone(), version))
        });
        let free = Sides::from_fn(|side| self.place(side).and_then(|place| free_of(&place)));
        let (programs, backups) = (self.programs().await, self.backups().await);
        let free_here = free_of(&self.work());
        let steps = self.run.scenario.steps.iter();
        let scratch = steps.filter_map(|step| migrate::by_id(&step.kind)?.scratch(&step.config)).collect();
        Surroundings {
            wanted,
            programs,
            backups,
            free,
            free_here,
            scratch,
            filled: self.run.scenario.filled().to_vec(),
        }
    }

    /// The programs that back up and restore, each asked of the server that it is for.
    async fn programs(&self) -> Vec<OfStep> {
        let mut programs = Vec::new();
        for step in &self.run.scenario.steps {
            let dumps = migrate::by_id(&step.kind).and_then(|kind| kind.dumps(&step.config));
            let Some(Ok(address)) = dumps.map(|side| self.address(side)) else { continue };
            let Some(backups) = engine::by_id(address.engine.as_str()).and_then(|engine| engine.backups()) else {
                continue;
            };
            let found = backups.tool(address).await.unwrap_or_else(|error| Err(chain(&error)));
            programs.push(OfStep { step: step.name.clone(), found });
        }
        programs
    }

    /// The backups of the user's that are restored, each looked at as before it is.
    async fn backups(&self) -> Vec<OfStep> {
        let mut backups = Vec::new();
        for step in &self.run.scenario.steps {
            let Some(kind) = migrate::by_id(&step.kind) else { continue };
            let Some(Ok(address)) = kind.dumps(&step.config).map(|side| self.address(side)) else { continue };
            if let Some(found) = kind.given_backup(&step.config, address).await {
                let found = found.map_err(|error| chain(&error));
                backups.push(OfStep { step: step.name.clone(), found });
            }
        }
        backups
    }

    /// A folder on the disk that a side's database lies on, if that is one of this machine's.
    fn place(&self, side: Side) -> Option<PathBuf> {
        let address = self.address(side).ok()?;
        if let Endpoint::File(path) = &address.endpoint {
            return path.parent().map(Path::to_owned);
        }
        let leases = self.run.recorder.leases();
        leases.iter().find_map(|lease| match &lease.kind {
            LeaseKind::Cluster { directory, engine } if *engine == address.engine => Some(directory.clone()),
            LeaseKind::Container { .. } => Some(PathBuf::from(DOCKER)),
            _ => None,
        })
    }
}

/// Bytes that are free for us on the disk of a folder.
fn free_of(folder: &Path) -> Option<u64> {
    rustix::fs::statvfs(folder).ok().map(|disk| disk.f_bavail * disk.f_frsize)
}
