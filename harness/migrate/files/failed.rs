//! Files that an import left out: named, so that a later step can take them, and nobody has to look for them.

use std::{fs, io, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::settings::Settings;
use crate::migrate::{StepError, StepTask};

/// The list, in the step's folder.
pub(super) const LIST: &str = "failed-files.json";

/// What an import left out, and how its files are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failures {
    pub files: Vec<Failed>,
    pub settings: Settings,
}

/// A file that could not be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failed {
    pub file: PathBuf,
    /// Why, without the values of its rows.
    pub reason: String,
}

impl Failed {
    /// The file's own name, without its folders.
    pub fn name(&self) -> String {
        self.file.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

impl Failures {
    /// Keeps the list of a step.
    pub fn keep(&self, task: &StepTask) -> Result<(), StepError> {
        let failed = |error: io::Error| StepError::broken(format!("write `{LIST}`"), error);
        let text = serde_json::to_vec_pretty(self).map_err(|error| failed(error.into()))?;
        // What stands there is whole, also if the machine goes away now.
        let (path, beside) = (task.folder.join(LIST), task.folder.join(format!("{LIST}.part")));
        fs::write(&beside, text).and_then(|()| fs::rename(&beside, &path)).map_err(failed)
    }

    /// What an earlier step of the scenario left out.
    pub fn of_step(task: &StepTask, step: &str) -> Result<Self, StepError> {
        let broken = |error: io::Error| StepError::broken(format!("read what step `{step}` left out"), error);
        let text = fs::read(task.folder.with_file_name(step).join(LIST)).map_err(broken)?;
        serde_json::from_slice(&text).map_err(|error| broken(error.into()))
    }

    /// Removes the list of a step.
    pub fn remove(task: &StepTask) -> Result<(), StepError> {
        match fs::remove_file(task.folder.join(LIST)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StepError::broken(format!("remove `{LIST}`"), error))
            }
            _ => Ok(()),
        }
    }
}
