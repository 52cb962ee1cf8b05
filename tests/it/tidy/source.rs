//! The files of the harness as text: comments and literals told apart from code.

use std::{collections::BTreeSet, fs, path::PathBuf};

use crate::support::{files, root};

/// One file of the harness.
pub(super) struct Source {
    /// Its path below `harness/`.
    pub name: String,
    /// Its text with comments blanked.
    pub text: String,
    /// That, with what is inside string and character literals blanked as well.
    pub code: String,
    /// It is compiled for tests alone.
    pub is_test: bool,
}

impl Source {
    pub fn folder(&self) -> &str {
        self.name.split_once('/').map_or("", |(folder, _)| folder)
    }

    /// Where its inline tests begin, in bytes.
    fn tests_at(&self) -> usize {
        if self.is_test { 0 } else { self.code.find("#[cfg(test)]\nmod tests {").unwrap_or(self.code.len()) }
    }

    /// What is compiled into the program, without strings and comments.
    pub fn product(&self) -> &str {
        &self.code[..self.tests_at()]
    }

    /// The same with strings.
    pub fn product_text(&self) -> &str {
        &self.text[..self.tests_at()]
    }
}

/// Every file of the harness.
pub(super) fn sources() -> Vec<Source> {
    let harness = root().join("harness");
    let paths = files(&harness).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(&harness).unwrap().to_str().unwrap().to_owned();
        Source { text: blanked(&text, false), code: blanked(&text, true), is_test: false, name }
    };
    let mut sources: Vec<Source> = paths.map(read).collect();
    let behind = |source: &Source| -> Vec<String> {
        let declared = source.code.split("#[cfg(test)]\n").skip(1);
        declared.filter_map(|rest| declares(source, rest.lines().next()?)).collect()
    };
    let of_tests: BTreeSet<String> = sources.iter().flat_map(behind).collect();
    for source in &mut sources {
        source.is_test = of_tests.iter().any(|module| module_of(&source.name).starts_with(module.as_str()));
    }
    sources
}

/// A text of the same length and lines in which comments, and if `strings` also what literals hold, are spaces.
pub(super) fn blanked(text: &str, strings: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let blank = |out: &mut Vec<u8>, from: usize, to: usize| {
        out[from..to].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
    };
    let find = |from: usize, what: &str| {
        let mut windows = bytes[from..].windows(what.len());
        windows.position(|window| window == what.as_bytes()).map_or(bytes.len(), |at| from + at)
    };
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let begins_word = at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
        let hashes = rest.iter().skip(1).take_while(|byte| **byte == b'#').count();
        if rest.starts_with(b"//") {
            let end = find(at, "\n");
            blank(&mut out, at, end);
            at = end;
        } else if rest.starts_with(b"/*") {
            let end = (find(at, "*/") + 2).min(bytes.len());
            blank(&mut out, at, end);
            at = end;
        } else if rest[0] == b'r' && rest.get(1 + hashes) == Some(&b'"') && (begins_word || bytes[at - 1] == b'b') {
            let start = at + 2 + hashes;
            let end = find(start, &format!("\"{}", "#".repeat(hashes)));
            if strings {
                blank(&mut out, start, end);
            }
            at = end + 1 + hashes;
        } else if rest[0] == b'"' {
            let mut end = at + 1;
            while end < bytes.len() && bytes[end] != b'"' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            if strings {
                blank(&mut out, at + 1, end.min(bytes.len()));
            }
            at = end + 1;
        } else if rest[0] == b'\'' && (rest.get(1) == Some(&b'\\') || text[at + 1..].chars().nth(1) == Some('\'')) {
            let end = find(at + 2 + usize::from(rest[1] == b'\\'), "'");
            blank(&mut out, at + 1, end);
            at = end + 1;
        } else {
            at += 1;
        }
    }
    String::from_utf8(out).unwrap()
}

/// The module that a file is: `run::journal` for `run/journal.rs`, `run` for `run/mod.rs`.
pub(super) fn module_of(name: &str) -> String {
    name.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::")
}

/// The module in a file of its own that a line declares.
pub(super) fn declares(source: &Source, line: &str) -> Option<String> {
    let line = line.trim().trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
    let module = line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';')?;
    let parent = module_of(&source.name);
    Some(if parent == "lib" { module.to_owned() } else { format!("{parent}::{module}") })
}

/// The line of a byte.
pub(super) fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The word that a text begins with.
pub(super) fn word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}
