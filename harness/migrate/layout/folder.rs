//! A folder's files, by name first: texts are read when somebody asks.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::LayoutError;

/// The files of a folder.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    /// Relative to the folder, sorted.
    files: Vec<PathBuf>,
}

impl Folder {
    /// Lists a folder and all below it; hidden files and folders are left out.
    ///
    /// # Errors
    /// If it cannot be listed.
    pub fn open(path: &Path) -> Result<Self, LayoutError> {
        let unreadable = |path: &Path, error: &io::Error| LayoutError::Unreadable {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let real = |path: &Path| fs::canonicalize(path).map_err(|error| unreadable(path, &error));
        let mut files = Vec::new();
        // Each folder with the real ones above it and its own: a link to one of these would go round for ever.
        let mut open = vec![(PathBuf::new(), vec![real(path)?])];
        while let Some((folder, above)) = open.pop() {
            // Joining nothing would leave a slash at the end.
            let full: PathBuf = path.join(&folder).components().collect();
            for entry in fs::read_dir(&full).map_err(|error| unreadable(&full, &error))? {
                let entry = entry.map_err(|error| unreadable(&full, &error))?;
                let name = entry.file_name();
                if name.to_string_lossy().starts_with('.') {
                    continue;
                }
                let relative = folder.join(&name);
                let kind = fs::metadata(entry.path()).map_err(|error| unreadable(&entry.path(), &error))?;
                if kind.is_file() {
                    files.push(relative);
                } else if kind.is_dir() {
                    let own = real(&entry.path())?;
                    if !above.contains(&own) {
                        open.push((relative, [above.as_slice(), &[own]].concat()));
                    }
                }
            }
        }
        files.sort();
        Ok(Self { path: path.to_owned(), files })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every file, relative to the folder.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(PathBuf::as_path)
    }

    /// The names of the files that lie in the folder itself.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().filter(|file| file.components().count() == 1).filter_map(|file| file.to_str())
    }

    /// Those of them that are SQL.
    pub fn sql_names(&self) -> impl Iterator<Item = &str> {
        self.names().filter(|name| is_sql(name))
    }

    /// All files that are SQL, relative to the folder: its own, and those of the folders below it.
    pub fn sql_files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().filter_map(|file| file.to_str()).filter(|file| is_sql(file))
    }

    /// The SQL files that tell which tool keeps the folder, where that tool reads the folders below as well: its own, or,
    /// where it has none, those below.
    pub fn telling(&self) -> impl Iterator<Item = &str> {
        let has_own = self.sql_names().next().is_some();
        self.sql_files().filter(move |file| !has_own || base(file) == *file)
    }

    /// Whether there is such a file.
    pub fn has(&self, file: impl AsRef<Path>) -> bool {
        self.files.binary_search_by(|one| one.as_path().cmp(file.as_ref())).is_ok()
    }

    /// Whether a file of this name lies in the folder or in one of the few above it: what a project is built with.
    pub fn is_below(&self, name: &str) -> bool {
        self.nearest(name).is_some()
    }

    /// The text of the nearest such file.
    pub(super) fn above(&self, name: &str) -> Option<String> {
        self.nearest(name).and_then(|path| fs::read_to_string(path).ok())
    }

    fn nearest(&self, name: &str) -> Option<PathBuf> {
        let start = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        start.ancestors().take(5).map(|folder| folder.join(name)).find(|path| path.is_file())
    }

    /// The text of a file.
    ///
    /// # Errors
    /// Which file cannot be read, or on which line it is no UTF-8.
    pub fn text(&self, file: impl AsRef<Path>) -> Result<String, String> {
        let path = self.path.join(file);
        let bytes = fs::read(&path).map_err(|error| format!("failed to read `{}`: {error}", path.display()))?;
        String::from_utf8(bytes).map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
            format!("{}:{line}: is not UTF-8; save it as UTF-8", path.display())
        })
    }

    /// The text of a file, or nothing and the problem told.
    pub(super) fn text_or_tell(&self, file: impl AsRef<Path>, problems: &mut Vec<String>) -> Option<String> {
        self.text(file).map_err(|problem| problems.push(problem)).ok()
    }

    /// Whether one of the SQL files has a line that begins so (in any case), comments' blanks apart.
    pub(super) fn has_marker(&self, is_marker: fn(&str) -> bool) -> bool {
        self.sql_names().any(|name| self.text(name).is_ok_and(|text| text.lines().any(is_marker)))
    }
}

/// The name of a file without the folders in front of it.
pub(super) fn base(file: &str) -> &str {
    Path::new(file).file_name().and_then(|name| name.to_str()).unwrap_or(file)
}

fn is_sql(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("sql"))
}
