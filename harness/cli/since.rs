//! What the Git repository of a folder knows about a revision: which files it did not have, and what the folder was there.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    migrate::layout::{self, History},
    model::EngineId,
};

use super::tell::Failure;

/// The files below a folder that its Git repository did not have at a revision, relative to the folder.
pub fn added(folder: &Path, revision: &str) -> Result<BTreeSet<PathBuf>, Failure> {
    let mut added = BTreeSet::new();
    let questions: [&[&str]; 2] = [
        &[
            "diff",
            "--name-only",
            "--no-renames",
            "--diff-filter=A",
            "-z",
            "--relative",
            "--end-of-options",
            revision,
            "--",
            ".",
        ],
        &["ls-files", "--others", "--exclude-standard", "-z", "--", "."],
    ];
    for question in questions {
        let answer = git(folder, question)
            .map_err(|said| Failure::usage(format!("git cannot tell what was added since `{revision}`: {said}")))?;
        let names = answer.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        added.extend(names.map(|name| PathBuf::from(String::from_utf8_lossy(name).into_owned())));
    }
    Ok(added)
}

/// The history that a folder held at a revision; `None` where the folder was not there.
///
/// # Errors
/// Why nobody can tell.
pub fn history_at(
    folder: &Path,
    revision: &str,
    layout: &str,
    engine: &EngineId,
    work: &Path,
) -> Result<Option<History>, String> {
    let named = format!("{revision}:./");
    let Ok(tree) = git(folder, ["rev-parse", "--verify", "--quiet", &named]) else { return Ok(None) };
    let tree = String::from_utf8_lossy(&tree).trim().to_owned();
    let repository = git(folder, ["rev-parse", "--absolute-git-dir"])?;
    let repository = String::from_utf8_lossy(&repository).trim().to_owned();
    let unmade = |error: io::Error| format!("failed to make a folder in `{}`: {error}", work.display());
    fs::create_dir_all(work).map_err(unmade)?;
    let place = tempfile::Builder::new().prefix("rehearse-since-").tempdir_in(work).map_err(unmade)?;
    let files = place.path().join("files");
    fs::create_dir(&files).map_err(unmade)?;
    // With an index of its own, so that the user's stays as it is.
    let aside = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(&files).env("GIT_INDEX_FILE", place.path().join("index"));
        git.env("GIT_DIR", &repository).env("GIT_WORK_TREE", &files).args(arguments);
        answered(git)
    };
    aside(&["read-tree", &tree])?;
    aside(&["checkout-index", "--all", "--quiet"])?;
    match layout::read(&files, Some(layout), engine) {
        Ok(history) => Ok(Some(history)),
        Err(error) => Err(error.to_string().replace(&files.display().to_string(), &folder.display().to_string())),
    }
}

fn git<A: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = A>) -> Result<Vec<u8>, String> {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(arguments);
    answered(git)
}

/// What git prints, or the first line of what it says is wrong.
fn answered(mut git: Command) -> Result<Vec<u8>, String> {
    let answer = git.output().map_err(|error| format!("failed to run git: {error}"))?;
    if answer.status.success() {
        return Ok(answer.stdout);
    }
    Err(String::from_utf8_lossy(&answer.stderr).lines().next().unwrap_or("no word why").to_owned())
}
