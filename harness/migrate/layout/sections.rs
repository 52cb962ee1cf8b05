//! Files that hold both ways, with a comment in front of each.

use std::path::Path;

use super::{Script, Transaction, Whole};

/// What a line of such a file means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    /// The way up begins.
    Up,
    /// The way down begins.
    Down,
    /// One statement begins, whatever it holds.
    Begin,
    /// It ends.
    End,
}

/// The two ways of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sections {
    pub up: Option<Script>,
    pub down: Option<Script>,
}

/// Cuts a file at its markers. What stands in front of the first one belongs to neither way.
///
/// # Errors
/// The line and what is wrong there.
pub(super) fn cut(
    file: &Path,
    text: &str,
    marker: impl Fn(&str) -> Option<(Marker, Transaction)>,
) -> Result<Sections, String> {
    let mut sections = Sections::default();
    let (mut way, mut open): (Option<Marker>, Option<usize>) = (None, None);
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let problem = |what: &str| Err(format!("{}:{}: {what}", file.display(), at + 1));
        let script = match way {
            Some(Marker::Up) => sections.up.as_mut(),
            Some(Marker::Down) => sections.down.as_mut(),
            _ => None,
        };
        match (marker(line), script) {
            (Some((direction @ (Marker::Up | Marker::Down), transaction)), _) => {
                if open.is_some() {
                    return problem("a statement that was begun has no end before this");
                }
                let slot = if direction == Marker::Up { &mut sections.up } else { &mut sections.down };
                if slot.is_some() {
                    return problem("this way was begun before");
                }
                let mut script = Script::of_file(file, "", transaction);
                script.first_line = at + 2;
                *slot = Some(script);
                way = Some(direction);
            }
            (Some((Marker::Begin, _)), Some(script)) if open.is_none() => {
                open = Some(at + 3 - script.first_line);
                script.text.push('\n');
            }
            (Some((Marker::End, _)), Some(script)) => match open.take() {
                Some(first) => {
                    script.whole.push(Whole { first, last: at + 1 - script.first_line });
                    script.text.push('\n');
                }
                None => return problem("ends a statement that was not begun"),
            },
            (Some(_), _) => return problem("stands in neither way, or in a statement that was begun"),
            (None, Some(script)) => script.text.push_str(line),
            (None, None) => {}
        }
    }
    if open.is_some() {
        return Err(format!("{}: a statement that was begun has no end", file.display()));
    }
    Ok(sections)
}

/// The words of a comment line: `-- migrate:up transaction:false` gives `migrate:up`, `transaction:false`.
pub(super) fn comment_words(line: &str) -> Vec<&str> {
    line.trim_start().strip_prefix("--").map_or_else(Vec::new, |rest| rest.split_whitespace().collect())
}
