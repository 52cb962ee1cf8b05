//! What the schema is at each version: kept the first time, compared from then on.

use std::{fs, io, path::PathBuf};

use crate::{
    migrate::{StepError, StepTask},
    model::{
        Catalogue, Side,
        catalogue::{Definition, ObjectName},
    },
};

/// The folder of the states, in that of a step.
const FOLDER: &str = "versions";

/// The states of one side, wherever steps of the scenario kept them.
pub(super) struct States<'t> {
    pub task: &'t StepTask,
    pub side: Side,
}

impl States<'_> {
    /// Compares a schema with the one of the first time at this version, and tells whether there was one. If there was none,
    /// this is the first time.
    pub fn compare(&self, version: &str, catalogue: &Catalogue) -> Result<bool, StepError> {
        // Where columns stand among each other is not the migrations' to say.
        let is_told = |name: &&ObjectName| name.class != "order";
        let now: Vec<(&ObjectName, &Definition)> = catalogue.objects.iter().filter(|(name, _)| is_told(name)).collect();
        let file = format!("{}-{version}.json", self.side);
        let broken = |error: io::Error| StepError::broken(format!("keep the schema of version {version}"), error);
        let Some(path) = self.found(&file).map_err(broken)? else {
            let folder = self.task.folder.join(FOLDER);
            fs::create_dir_all(&folder).map_err(broken)?;
            // Of two files the second comes whole or not at all.
            let written = folder.join(format!("{file}.part"));
            fs::write(&written, serde_json::to_vec(&now).unwrap_or_default()).map_err(broken)?;
            fs::rename(&written, folder.join(&file)).map_err(broken)?;
            return Ok(false);
        };
        let text = fs::read(&path).map_err(broken)?;
        let then: Vec<(ObjectName, Definition)> =
            serde_json::from_slice(&text).map_err(|error| broken(error.into()))?;
        let is_then = |one: &(&ObjectName, &Definition)| then.iter().any(|(name, what)| (name, what) == *one);
        let is_now = |one: &&(ObjectName, Definition)| now.contains(&(&one.0, &one.1));
        let new = now.iter().filter(|one| !is_then(one)).map(|(name, _)| name.to_string());
        let gone = then.iter().filter(|one| !is_now(one)).map(|(name, _)| name.to_string());
        let mut differing: Vec<String> = gone.chain(new).collect();
        differing.sort();
        differing.dedup();
        if differing.is_empty() {
            return Ok(true);
        }
        let what = format!(
            "the {} is at version {version} again, and its schema is not as it was: {}",
            self.side,
            differing.join(", ")
        );
        Err(StepError::Rejected { what })
    }

    /// The file of this name in the folder of any step.
    fn found(&self, file: &str) -> io::Result<Option<PathBuf>> {
        let Some(steps) = self.task.folder.parent() else { return Ok(None) };
        for step in fs::read_dir(steps)? {
            let path = step?.path().join(FOLDER).join(file);
            if path.is_file() {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }
}
