//! The versions that a command prints, or that are written.

use serde::{Deserialize, Serialize};

/// A version, and the one before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The version.
    pub version: String,
    /// The version before it; before the first one, what the settings call that.
    pub previous: String,
}

/// A version as it was listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The version: the first word of its line.
    pub version: String,
    /// What reports call it: the whole line, with `_` in place of blanks.
    pub name: String,
}

/// Whether a word can be a version: it must not look like an option to the program that gets it.
pub(super) fn is_version(word: &str) -> bool {
    !word.is_empty() && !word.starts_with('-') && !word.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// Reads what was listed, a version a line; blank lines say nothing.
///
/// # Errors
/// The line that is none, or comes twice, or that there is none at all.
pub(super) fn read(text: &str) -> Result<Vec<Listed>, String> {
    let mut listed: Vec<Listed> = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let version = line.split_whitespace().next().unwrap_or_default().to_owned();
        if !is_version(&version) {
            return Err(format!("line {}: `{version}` is no version", at + 1));
        }
        if listed.iter().any(|other| other.version == version) {
            return Err(format!("line {}: version `{version}` comes twice", at + 1));
        }
        let name = line.split_whitespace().collect::<Vec<_>>().join("_").chars().filter(|c| !c.is_control()).collect();
        listed.push(Listed { version, name });
    }
    if listed.is_empty() { Err("no version was printed".to_owned()) } else { Ok(listed) }
}

/// The turns of versions in their order.
pub(super) fn turns(listed: &[Listed], first: &str) -> Vec<Turn> {
    let previous = std::iter::once(first).chain(listed.iter().map(|one| one.version.as_str()));
    let turns = listed.iter().zip(previous);
    turns.map(|(one, previous)| Turn { version: one.version.clone(), previous: previous.to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_turns() {
        let listed = read("a1 first one\n\nb2\n").unwrap();
        assert_eq!(listed[0].name, "a1_first_one");
        let turns: Vec<String> =
            turns(&listed, "base").iter().map(|turn| format!("{}<{}", turn.previous, turn.version)).collect();
        assert_eq!(turns, ["base<a1", "a1<b2"]);
        for (text, problem) in [
            ("\n", "no version was printed"),
            ("a\nb\na\n", "line 3: version `a` comes twice"),
            ("a\n--force\n", "line 2: `--force` is no version"),
        ] {
            assert_eq!(read(text).unwrap_err(), problem);
        }
    }
}
