//! Generations: a folder for each backup, beside one another, and what becomes of the old ones.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};

use super::manifest::Manifest;
use crate::{
    migrate::{StepError, StepTask},
    model::chain,
};

/// Where a step's generations lie, in its own folder.
const FOLDER: &str = "generations";
/// Where generations go that are not kept, until the step's next backup.
const ASIDE: &str = "set-aside";
/// Where a generation is written.
const PARTIAL: &str = "partial";

/// The generations of one step.
pub(in crate::migrate) struct Generations {
    /// The step's folder.
    home: PathBuf,
    /// Where they lie.
    folder: PathBuf,
}

/// Which generations are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Keep {
    /// So many of the newest, whatever their age.
    pub at_least: u64,
    /// Older ones than so many days are not kept beyond that; none is, without it.
    pub days: Option<u64>,
}

impl Generations {
    /// Those of a step of this scenario.
    pub fn of_step(task: &StepTask, step: &str) -> Self {
        let home = task.folder.with_file_name(step);
        Self { folder: home.join(FOLDER), home }
    }

    /// Those in a step's folder of another name than the usual one.
    pub fn beside(task: &StepTask, name: &str) -> Self {
        Self { home: task.folder.join(name), folder: task.folder.join(name).join(FOLDER) }
    }

    /// Those in a folder of the user's, which is only read.
    pub fn in_folder(folder: &Path) -> Self {
        Self { home: folder.to_owned(), folder: folder.to_owned() }
    }

    /// Whether somebody has made them.
    pub fn is_there(&self) -> bool {
        self.folder.is_dir()
    }

    /// Their folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of one.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The names of all, the oldest first: whatever has a manifest. One whose manifest is damaged is as old as its folder.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub fn all(&self) -> Result<Vec<(Timestamp, String)>, StepError> {
        let broken = |error| StepError::broken(format!("list `{}`", self.folder.display()), error);
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(broken)? {
            let path = entry.map_err(broken)?.path();
            if let Some(name) = path.file_name().and_then(|name| name.to_str())
                && path.join(super::manifest::FILE).is_file()
            {
                let moment = match Manifest::read(&path) {
                    Ok(manifest) => manifest.moment,
                    Err(_) => made(&path).map_err(broken)?,
                };
                found.push((moment, name.to_owned()));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Begins a generation: an empty folder to write it into, and the moment.
    pub(super) fn begin(&self) -> io::Result<(PathBuf, Timestamp)> {
        fs::create_dir_all(&self.folder)?;
        let partial = self.home.join(PARTIAL);
        clear(&partial)?;
        fs::create_dir(&partial)?;
        // The moment as the file system keeps it, by which generations of other hands are dated as well.
        let moment = made(&partial)?;
        Ok((partial, moment))
    }

    /// The name of a generation of this moment, which no other has.
    pub(super) fn name(&self, moment: Timestamp) -> String {
        let mut moment = moment;
        loop {
            let name = moment.strftime("%Y%m%dT%H%M%S.%3fZ").to_string();
            if !self.path(&name).exists() && !self.home.join(ASIDE).join(&name).exists() {
                return name;
            }
            moment += SignedDuration::from_millis(1);
        }
    }

    /// Moves what was written to its place, in one act.
    pub(super) fn finish(&self, name: &str) -> io::Result<()> {
        fs::rename(self.home.join(PARTIAL), self.path(name))?;
        File::open(&self.folder)?.sync_all()
    }

    /// Removes what of a generation is there, whole or not.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        clear(&self.home.join(PARTIAL))?;
        clear(&self.path(name))
    }

    /// The generations that are not kept any more, now that this one is there, and notes on those that are damaged: these
    /// count for nothing, and stay.
    pub(super) fn beyond(&self, keep: Keep, newest: &str) -> Result<(Vec<String>, Vec<String>), StepError> {
        let mut all = self.all()?;
        let now = all.iter().find(|(_, name)| name == newest).map(|(moment, _)| *moment).unwrap_or_default();
        all.retain(|(_, name)| name != newest);
        let (mut notes, mut good) = (Vec::new(), Vec::new());
        for (moment, name) in all.into_iter().rev() {
            let path = self.path(&name);
            match Manifest::read(&path).and_then(|manifest| manifest.compare(&path)) {
                Ok(()) => good.push((moment, name)),
                Err(error) => notes.push(format!("the backup {name} is of no use: {}", chain(&error))),
            }
        }
        Ok((beyond(&good, now, keep), notes))
    }

    /// Sets generations aside until the next backup.
    pub(super) fn set_aside(&self, names: &[String]) -> io::Result<()> {
        fs::create_dir_all(self.home.join(ASIDE))?;
        self.moved(names, &self.folder, &self.home.join(ASIDE))
    }

    /// Brings back what was set aside.
    pub(super) fn bring_back(&self, names: &[String]) -> io::Result<()> {
        self.moved(names, &self.home.join(ASIDE), &self.folder)
    }

    /// Lets go of what was set aside.
    pub(super) fn forget(&self) -> io::Result<()> {
        clear(&self.home.join(ASIDE))
    }

    fn moved(&self, names: &[String], from: &Path, to: &Path) -> io::Result<()> {
        for name in names {
            // An earlier process may have moved it already.
            if from.join(name).exists() {
                fs::rename(from.join(name), to.join(name))?;
            }
        }
        File::open(&self.folder)?.sync_all()
    }
}

/// Of good generations, the newest first: which are not kept beside one that is newer than all of them.
fn beyond(good: &[(Timestamp, String)], now: Timestamp, keep: Keep) -> Vec<String> {
    let days = keep.days.and_then(|days| i64::try_from(days).ok());
    let age = days.map(|days| SignedDuration::from_hours(days.saturating_mul(24).min(i64::from(i32::MAX))));
    let is_kept = |at: usize, moment: Timestamp| {
        // The new one is the first of those that are kept whatever their age.
        at as u64 + 1 < keep.at_least || age.is_some_and(|age| now.duration_since(moment) <= age)
    };
    let beyond = good.iter().enumerate().filter(|(at, (moment, _))| !is_kept(*at, *moment));
    beyond.map(|(_, (_, name))| name.clone()).collect()
}

/// When a folder was made or last changed.
fn made(folder: &Path) -> io::Result<Timestamp> {
    Timestamp::try_from(fs::metadata(folder)?.modified()?).map_err(io::Error::other)
}

/// Removes a folder with all that is in it, if it is there.
fn clear(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(ages: &[i64], at_least: u64, days: Option<u64>) -> Vec<String> {
        let now = Timestamp::from_second(4_000_000_000).unwrap();
        let of = |age: &i64| (now - SignedDuration::from_hours(24 * age), format!("{age}"));
        let good: Vec<_> = ages.iter().map(of).collect();
        beyond(&good, now, Keep { at_least, days })
    }

    #[test]
    fn age_and_number_say_together_what_is_kept() {
        assert_eq!(left(&[1, 29, 31, 90], 1, Some(30)), ["31", "90"]);
        assert_eq!(left(&[1, 29, 31, 90], 4, Some(30)), ["90"]);
        assert_eq!(left(&[40, 50, 60], 3, Some(30)), ["60"]);
        assert_eq!(left(&[1, 2, 3], 3, None), ["3"]);
        assert_eq!(left(&[1, 2], 1, None), ["1", "2"]);
        assert_eq!(left(&[], 1, Some(1)), Vec::<String>::new());
    }
}
