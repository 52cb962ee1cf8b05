//! Dumps: a database in a file or folder, as the product's own tool wrote it.

use std::{
    fs::File,
    io::{self, BufRead, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use super::{ALL, Engine, EngineError};

/// Bytes of the beginning and of the end by which a dump is recognised.
const GLANCE: u64 = 4096;

/// A dump that was recognised.
#[derive(Clone)]
pub struct Dump {
    /// The file or folder.
    pub path: PathBuf,
    /// The engine that restores it.
    pub engine: &'static dyn Engine,
    /// What it is, for people: `a plain dump of pg_dump`.
    pub title: &'static str,
    /// The version of the server that it was taken from, as far as it says so.
    pub version: Option<String>,
}

/// What is seen of a file at first sight.
pub struct Glance<'a> {
    /// The file or folder.
    pub path: &'a Path,
    /// Its first bytes; for a folder, those of its table of contents.
    pub head: Vec<u8>,
    /// Its last bytes.
    pub tail: Vec<u8>,
}

impl Glance<'_> {
    /// Whether the beginning holds a text.
    pub fn begins_with(&self, text: &str) -> bool {
        let end = self.head.len().min(512);
        holds(&self.head[..end], text)
    }

    /// Whether the end holds a text.
    pub fn ends_with(&self, text: &str) -> bool {
        holds(&self.tail, text)
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// The dump in a file or folder; `None` if no engine knows it as one.
///
/// # Errors
/// If it cannot be read, or is a dump that is cut or of a kind that is not restored here.
pub fn recognise(path: &Path) -> Result<Option<Dump>, EngineError> {
    let contents = if path.is_dir() { path.join("toc.dat") } else { path.to_owned() };
    let glance = look(path, &contents).map_err(|error| bad(path, &format!("cannot be read: {error}")))?;
    for packed in [(&[0x1f_u8, 0x8b][..], "gzip"), (&[0x28, 0xb5, 0x2f, 0xfd], "zstd"), (b"BZh", "bzip2")] {
        if glance.head.starts_with(packed.0) {
            return Err(bad(path, &format!("is packed with {}: unpack it first", packed.1)));
        }
    }
    for engine in ALL {
        if let Some(dump) = engine.dump(&glance)? {
            return Ok(Some(dump));
        }
    }
    Ok(None)
}

fn look<'a>(path: &'a Path, contents: &Path) -> io::Result<Glance<'a>> {
    let mut file = File::open(contents)?;
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    file.by_ref().take(GLANCE).read_to_end(&mut head)?;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(GLANCE)))?;
    file.read_to_end(&mut tail)?;
    Ok(Glance { path, head, tail })
}

/// A file that cannot be used, and why.
pub(super) fn bad(path: &Path, problem: &str) -> EngineError {
    EngineError::BadFile { path: path.display().to_string(), problem: problem.to_owned() }
}

/// Bytes of a line that are looked at; the rest are rows' values.
const LINE: usize = 4096;

/// The next line without its end, as far as it is looked at.
pub(super) fn next_line(lines: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut is_empty = true;
    loop {
        let buffer = lines.fill_buf()?;
        if buffer.is_empty() {
            return Ok((!is_empty).then_some(line));
        }
        is_empty = false;
        let (used, ends) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at, true),
            None => (buffer.len(), false),
        };
        let room = LINE.saturating_sub(line.len());
        line.extend_from_slice(&buffer[..used.min(room)]);
        lines.consume(used + usize::from(ends));
        if ends {
            return Ok(Some(line));
        }
    }
}
