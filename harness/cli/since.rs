//! What the Git repository of a folder knows about a revision: which files it did not have, and what the folder was there.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{
    migrate::layout::{self, Folder, History},
    model::{Disorder, EngineId, Unchecked},
};

use super::tell::Failure;

/// A folder of a Git repository since a revision: since the commit that this and what is checked out have in common, so that
/// what others brought to the revision meanwhile is not taken for something that is gone here.
pub struct Since {
    folder: PathBuf,
    /// The revision as it was named.
    revision: String,
    /// The last commit that it and what is checked out have in common.
    base: String,
    /// Files that were added since then, relative to the folder.
    pub added: BTreeSet<PathBuf>,
    /// Files that were taken away since then.
    gone: BTreeSet<PathBuf>,
}

impl Since {
    /// Asks the folder's repository.
    ///
    /// # Errors
    /// If git does not know the revision, or there is no commit in common.
    pub fn of(folder: &Path, revision: &str) -> Result<Self, Failure> {
        let unknown = |why: &str| Failure::usage(format!("git cannot tell what was added since `{revision}`: {why}"));
        let (common, said) = asked(git(folder).args(["merge-base", "--end-of-options", revision, "HEAD"]));
        let Some(base) = common else {
            // It says nothing where it looked and found none.
            let nothing = || format!("it knows no commit that `{revision}` and what is checked out have in common");
            let failure = unknown(&said.unwrap_or_else(nothing));
            return Err(match answered(git(folder).args(["rev-parse", "--is-shallow-repository"])).as_deref() {
                Ok(b"true\n") => failure.hint(
                    "the clone is shallow: `git fetch --unshallow`, or fetch more of it (`fetch-depth: 0` of actions/checkout)",
                ),
                _ => failure,
            });
        };
        let base = line(&base);
        let others = ["ls-files", "--others", "--exclude-standard", "-z", "--", "."];
        let differing = |filter: &str| {
            let what = ["diff", "--name-only", "--no-renames", filter, "-z", "--relative", &base, "--", "."];
            answered(git(folder).args(what)).map_err(|said| unknown(&said))
        };
        let mut added = files(&differing("--diff-filter=A")?);
        added.extend(files(&answered(git(folder).args(others)).map_err(|said| unknown(&said))?));
        let gone = files(&differing("--diff-filter=D")?);
        Ok(Self { folder: folder.to_owned(), revision: revision.to_owned(), base, added, gone })
    }

    /// What is in disorder since then, and what of that nobody can tell.
    pub fn disorder(&self, now: &History, engine: &EngineId, work: &Path) -> (Vec<Disorder>, Vec<Unchecked>) {
        let reader = Reader { since: self, layout: now.layout, engine, work };
        let (mut found, mut unchecked) = (Vec::new(), Vec::new());
        for looked in [reader.since_base(now), reader.beside_tip()] {
            match looked {
                Ok(disorder) => {
                    let is_told = |one: &Disorder, found: &[Disorder]| {
                        found.iter().any(|other| (&other.migration, other.kind) == (&one.migration, one.kind))
                    };
                    let new: Vec<Disorder> = disorder.into_iter().filter(|one| !is_told(one, &found)).collect();
                    found.extend(new);
                }
                Err(error) => {
                    unchecked.push(Unchecked::new("check", format!("of order since {}", self.revision), error))
                }
            }
        }
        (found, unchecked)
    }
}

/// Reads what the folder was in commits of its repository.
struct Reader<'a> {
    since: &'a Since,
    layout: &'static str,
    engine: &'a EngineId,
    work: &'a Path,
}

impl Reader<'_> {
    /// What is in disorder since the commit in common.
    fn since_base(&self, now: &History) -> Result<Vec<Disorder>, String> {
        let Some(files) = self.checked_out(&self.since.base)? else { return Ok(Vec::new()) };
        let was = self.read(&files)?;
        Ok(was.map_or_else(Vec::new, |was| now.disorder(&was, &self.since.revision)))
    }

    /// What would be in disorder beside what the revision holds by now, where it went on: that comes before this.
    fn beside_tip(&self) -> Result<Vec<Disorder>, String> {
        let Since { folder, revision, base, added, gone } = self.since;
        let tip = line(&answered(git(folder).args(["rev-parse", "--verify", &format!("{revision}^{{commit}}")]))?);
        if tip == *base {
            return Ok(Vec::new());
        }
        let Some(files) = self.checked_out(&tip)? else { return Ok(Vec::new()) };
        let Some(was) = self.read(&files)? else { return Ok(Vec::new()) };
        for file in gone.iter().filter(|file| files.path().join(file).exists()) {
            fs::remove_file(files.path().join(file)).map_err(|error| unmade(self.work, &error))?;
        }
        for file in added.iter().filter(|file| folder.join(file).is_file()) {
            let place = files.path().join(file);
            let copied =
                place.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::copy(folder.join(file), &place));
            copied.map_err(|error| unmade(self.work, &error))?;
        }
        let both = self.read(&files).map_err(|error| format!("together with what {revision} has by now: {error}"))?;
        Ok(both.map_or_else(Vec::new, |both| both.disorder(&was, revision)))
    }

    /// The folder's files as they are in a commit; `None` where the folder is not there.
    fn checked_out(&self, commit: &str) -> Result<Option<TempDir>, String> {
        let folder = &self.since.folder;
        let named = format!("{commit}:./");
        let Ok(tree) = answered(git(folder).args(["rev-parse", "--verify", "--quiet", &named])) else {
            return Ok(None);
        };
        let repository = line(&answered(git(folder).args(["rev-parse", "--absolute-git-dir"]))?);
        let made = fs::create_dir_all(self.work).and_then(|()| {
            let new = |prefix: &str| tempfile::Builder::new().prefix(prefix).tempdir_in(self.work);
            Ok((new("rehearse-since-")?, new("rehearse-index-")?))
        });
        let (files, index) = made.map_err(|error| unmade(self.work, &error))?;
        // With an index of its own, so that the user's stays as it is.
        let aside = |arguments: &[&str]| {
            let mut git = Command::new("git");
            git.current_dir(files.path()).env("GIT_INDEX_FILE", index.path().join("index"));
            git.env("GIT_DIR", &repository).env("GIT_WORK_TREE", files.path()).args(arguments);
            answered(&mut git)
        };
        aside(&["read-tree", &line(&tree)])?;
        aside(&["checkout-index", "--all", "--quiet"])?;
        Ok(Some(files))
    }

    /// The history of such files; `None` where there was no SQL yet.
    fn read(&self, files: &TempDir) -> Result<Option<History>, String> {
        let is_empty = |folder: &Folder| folder.sql_files().next().is_none();
        if Folder::open(files.path()).as_ref().is_ok_and(is_empty) {
            return Ok(None);
        }
        let (then, now) = (files.path().display().to_string(), self.since.folder.display().to_string());
        layout::read(files.path(), Some(self.layout), self.engine)
            .map(Some)
            .map_err(|error| error.to_string().replace(&then, &now))
    }
}

fn unmade(work: &Path, error: &io::Error) -> String {
    format!("failed to write below `{}`: {error}", work.display())
}

/// Names as git lists them with `-z`.
fn files(listed: &[u8]) -> BTreeSet<PathBuf> {
    let names = listed.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    names.map(|name| PathBuf::from(String::from_utf8_lossy(name).into_owned())).collect()
}

fn line(answer: &[u8]) -> String {
    String::from_utf8_lossy(answer).trim().to_owned()
}

fn git(folder: &Path) -> Command {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder);
    git
}

/// What git prints, or the first line of what it says is wrong.
fn answered(git: &mut Command) -> Result<Vec<u8>, String> {
    let (printed, said) = asked(git);
    printed.ok_or_else(|| said.unwrap_or_else(|| "no word why".to_owned()))
}

/// What git prints, where it succeeds, and else what it says.
fn asked(git: &mut Command) -> (Option<Vec<u8>>, Option<String>) {
    match git.output() {
        Ok(answer) if answer.status.success() => (Some(answer.stdout), None),
        Ok(answer) => (None, String::from_utf8_lossy(&answer.stderr).lines().next().map(str::to_owned)),
        Err(error) => (None, Some(format!("failed to run git: {error}"))),
    }
}
