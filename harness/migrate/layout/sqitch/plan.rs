//! A plan: its changes and tags in order, and the ids that sqitch knows them by.
//!
//! An id is the SHA-1 of a text in the manner of Git's objects (`App::Sqitch::Plan::Change`, `App::Sqitch::Plan::Tag`):
//! what it is, a blank, the text's length in bytes, a zero byte, the text.

use sha1::{Digest as _, Sha1};

use crate::canon::hex;

/// The file.
pub const FILE: &str = "sqitch.plan";

/// A plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The project's name.
    pub project: String,
    /// The project's URI, where it has one.
    pub uri: Option<String>,
    /// In the order in which they are deployed.
    pub changes: Vec<Change>,
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Forty hexadecimal digits.
    pub id: String,
    /// Its name; several have one name, where a change was reworked.
    pub name: String,
    /// The line on which it stands, from 1.
    pub line: usize,
    /// What has to be there before it.
    pub requires: Vec<Dependency>,
    /// What may not be there before it.
    pub conflicts: Vec<String>,
    /// Who planned it.
    pub planned: Planned,
    /// What is said about it.
    pub note: String,
    /// The tags that were put on it.
    pub tags: Vec<Tag>,
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Forty hexadecimal digits.
    pub id: String,
    /// Its name without the `@`.
    pub name: String,
    /// Who planned it.
    pub planned: Planned,
    /// What is said about it.
    pub note: String,
}

/// When something was planned, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// As it is written: `2024-01-31T12:00:00Z`.
    pub at: String,
    /// The planner's name.
    pub name: String,
    /// The planner's address.
    pub email: String,
}

/// What a change requires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// As sqitch writes it: without the project, where it is the plan's own.
    pub text: String,
    /// The id of the change that it means; `None` for one of another project.
    pub id: Option<String>,
}

/// A line of a plan that says something, and no pragma.
struct Line<'a> {
    number: usize,
    is_tag: bool,
    is_revert: bool,
    name: &'a str,
    dependencies: Vec<&'a str>,
    planned: Planned,
    note: String,
}

impl Plan {
    /// Reads a plan; whatever sqitch would refuse becomes a problem.
    pub fn read(text: &str, problems: &mut Vec<String>) -> Option<Self> {
        let mut plan = Self::default();
        let mut lines = Vec::new();
        let before = problems.len();
        for (at, text) in text.lines().enumerate() {
            match line(at + 1, text.trim()) {
                Ok(Read::Pragma("project", value)) => value.clone_into(&mut plan.project),
                Ok(Read::Pragma("uri", value)) => plan.uri = Some(canonical(value)),
                Ok(Read::Pragma(..) | Read::Nothing) => {}
                Ok(Read::Line(line)) => lines.push(line),
                Err(problem) => problems.push(format!("{FILE}:{}: {problem}", at + 1)),
            }
        }
        if plan.project.is_empty() {
            problems.push(format!("{FILE}: has no line `%project=NAME`"));
        }
        for line in lines {
            if let Err(problem) = plan.add(&line) {
                problems.push(format!("{FILE}:{}: {problem}", line.number));
            }
        }
        (problems.len() == before).then_some(plan)
    }

    fn add(&mut self, line: &Line<'_>) -> Result<(), String> {
        let (name, planned, note) = (line.name.to_owned(), line.planned.clone(), line.note.clone());
        if line.is_revert {
            return Err(format!("`{name}` takes a change back, which is not done here"));
        }
        if line.is_tag {
            if self.tagged(&name).is_some() {
                return Err(format!("the tag `@{name}` is there twice"));
            }
            let Some(change) = self.changes.last() else {
                return Err(format!("the tag `@{name}` has no change before it"));
            };
            let what = [format!("tag @{name}"), format!("change {}", change.id)];
            let id = id("tag", &self.info(what, &planned, Vec::new(), &note));
            self.changes.last_mut().into_iter().for_each(|change| {
                change.tags.push(Tag {
                    id: id.clone(),
                    name: name.clone(),
                    planned: planned.clone(),
                    note: note.clone(),
                });
            });
            return Ok(());
        }
        let (mut requires, mut conflicts) = (Vec::new(), Vec::new());
        for dependency in &line.dependencies {
            let (text, is_conflict) = match dependency.strip_prefix('!') {
                Some(text) => (text, true),
                None => (*dependency, false),
            };
            let own = text.split_once(':').filter(|(project, _)| *project == self.project).map(|(_, text)| text);
            let text = own.unwrap_or(text).to_owned();
            if is_conflict {
                conflicts.push(text);
                continue;
            }
            let id = self.meant(&text);
            if id.is_none() && !text.contains(':') {
                return Err(format!("`{name}` requires `{text}`, which no line before it makes"));
            }
            requires.push(Dependency { text, id });
        }
        let parent = self.changes.last().map(|parent| format!("parent {}", parent.id));
        let what = [format!("change {name}")].into_iter().chain(parent);
        let requires_text = requires.iter().map(|one| one.text.as_str()).collect::<Vec<_>>().join("\n  + ");
        let conflicts_text = conflicts.join("\n  - ");
        let mut with = Vec::new();
        if !requires.is_empty() {
            with.push(format!("requires\n  + {requires_text}"));
        }
        if !conflicts.is_empty() {
            with.push(format!("conflicts\n  - {conflicts_text}"));
        }
        let id = id("change", &self.info(what, &planned, with, &note));
        let number = line.number;
        self.changes.push(Change { id, name, line: number, requires, conflicts, planned, note, tags: Vec::new() });
        Ok(())
    }

    /// What an id is made of.
    fn info(&self, what: impl IntoIterator<Item = String>, planned: &Planned, with: Vec<String>, note: &str) -> String {
        let mut parts = vec![format!("project {}", self.project)];
        parts.extend(self.uri.as_ref().map(|uri| format!("uri {uri}")));
        parts.extend(what);
        parts.push(format!("planner {} <{}>", planned.name, planned.email));
        parts.push(format!("date {}", planned.at));
        parts.extend(with);
        if !note.is_empty() {
            parts.extend([String::new(), note.to_owned()]);
        }
        parts.join("\n")
    }

    /// The position of the change that has a tag.
    fn tagged(&self, tag: &str) -> Option<usize> {
        self.changes.iter().position(|change| change.tags.iter().any(|one| one.name == tag))
    }

    /// The id of the change that a dependency means: the last of that name, or the last up to a tag.
    fn meant(&self, text: &str) -> Option<String> {
        let is_id = text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if is_id {
            return Some(text.to_owned());
        }
        let (name, upto) = match text.split_once('@') {
            Some((name, tag)) => (name, self.tagged(tag)? + 1),
            None => (text, self.changes.len()),
        };
        let mut before = self.changes[..upto].iter().rev();
        let meant = if name.is_empty() { before.next() } else { before.find(|change| change.name == name) };
        meant.map(|change| change.id.clone())
    }
}

fn id(kind: &str, info: &str) -> String {
    hex(&Sha1::digest(format!("{kind} {}\0{info}", info.len())))
}

enum Read<'a> {
    Nothing,
    Pragma(&'a str, &'a str),
    Line(Line<'a>),
}

/// Reads one line.
fn line(number: usize, text: &str) -> Result<Read<'_>, String> {
    let (text, note) = text.split_once('#').unwrap_or((text, ""));
    let text = text.trim_end();
    if text.is_empty() {
        return Ok(Read::Nothing);
    }
    if let Some(pragma) = text.strip_prefix('%') {
        let (name, value) = pragma.split_once('=').unwrap_or((pragma, ""));
        return Ok(Read::Pragma(name.trim(), value.trim()));
    }
    let (is_tag, is_revert) = (text.starts_with('@'), text.starts_with('-'));
    let rest = text.strip_prefix(['@', '+', '-']).unwrap_or(text).trim_start();
    let end = rest.find([' ', '\t', '[']).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let rest = rest.trim_start();
    let (dependencies, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((dependencies, rest)) if !is_tag => (dependencies.split_whitespace().collect(), rest.trim_start()),
        _ => (Vec::new(), rest),
    };
    let what = if is_tag { "@TAG" } else { "CHANGE [DEPENDENCIES]" };
    let planned = planned(rest).filter(|_| !name.is_empty());
    let planned = planned.ok_or_else(|| format!("expected `{what} YYYY-MM-DDTHH:MM:SSZ PLANNER <EMAIL>`"))?;
    Ok(Read::Line(Line { number, is_tag, is_revert, name, dependencies, planned, note: unescaped(note.trim()) }))
}

/// `2024-01-31T12:00:00Z Name <address>`.
fn planned(text: &str) -> Option<Planned> {
    const FORM: &[u8] = b"0000-00-00T00:00:00Z";
    let (at, rest) = text.split_at_checked(FORM.len())?;
    let is_form = |(byte, form): (u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == *form };
    let (name, email) = rest.trim_start().split_once('<')?;
    let (name, email) = (name.strip_suffix([' ', '\t'])?, email.strip_suffix('>')?);
    let is_whole = at.bytes().zip(FORM).all(is_form) && !name.is_empty() && !email.is_empty();
    is_whole.then(|| Planned { at: at.to_owned(), name: name.to_owned(), email: email.to_owned() })
}

/// A note as it was before it was put on one line.
fn unescaped(note: &str) -> String {
    let mut told = String::with_capacity(note.len());
    let mut rest = note.chars();
    while let Some(one) = rest.next() {
        let mut ahead = rest.clone();
        let meant = match (one, ahead.next()) {
            ('\\', Some('n')) => Some('\n'),
            ('\\', Some('r')) => Some('\r'),
            ('\\', Some('\\')) => Some('\\'),
            _ => None,
        };
        if meant.is_some() {
            rest = ahead;
        }
        told.push(meant.unwrap_or(one));
    }
    told
}

/// A URI as sqitch takes it into ids: `HTTPS://GitHub.com:443` is `https://github.com/`.
fn canonical(uri: &str) -> String {
    url::Url::parse(uri).map_or_else(|_| uri.to_owned(), String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "%syntax-version=1.0.0\n%project=flipr\n%uri=HTTPS://GitHub.com:443\n\n\
        roles 2024-01-01T10:00:00Z Ann Berg <ann@example.org> # Who may do what.\\nAnd who not.\n\
        users [roles !flipr:guests] 2024-01-02T10:00:00Z Zoë <z@example.org>\n\
        @v1.0 2024-01-03T10:00:00Z Ann Berg <ann@example.org> # first\n\
        + users [users@v1.0 other:thing] 2024-01-04T10:00:00Z Ann Berg <ann@example.org>\n";

    /// Each was computed by `printf` and `sha1sum`: the first by
    /// `printf 'change 142\0project flipr\nuri https://github.com/\nchange roles\nplanner Ann Berg <ann@example.org>\ndate
    /// 2024-01-01T10:00:00Z\n\nWho may do what.\nAnd who not.' | sha1sum`.
    #[test]
    fn ids_are_those_of_sqitch() {
        let mut problems = Vec::new();
        let plan = Plan::read(PLAN, &mut problems).unwrap_or_else(|| panic!("{problems:?}"));
        let ids: Vec<&str> = plan.changes.iter().map(|change| change.id.as_str()).collect();
        let expected = [
            "b298dbcb8c580b6496fde98e9b296d34bb635303",
            "88079057345d28d60c837a1de3320a1a9e7dbf99",
            "d93f0ee285e3f32ba0b429c90e9ab028d6dd4d24",
        ];
        assert_eq!(ids, expected);
        assert_eq!(plan.changes[1].tags[0].id, "b306cb9297d1813495907695f583dbbc21d35664");
        let meant = |at: usize| plan.changes[at].requires.iter().map(|one| one.id.as_deref()).collect::<Vec<_>>();
        assert_eq!((meant(1), meant(2)), (vec![Some(ids[0])], vec![Some(ids[1]), None]));
        assert_eq!(plan.changes[1].conflicts, ["guests"]);
    }

    /// As `sqitch status` prints them in sqitch's own tutorial.
    #[test]
    fn ids_are_those_that_sqitch_printed() {
        let plan = "%project=flipr\n%uri=https://github.com/theory/sqitch-intro/\n\n\
            appschema 2013-12-30T23:19:45Z Marge N. O’Vera <marge@example.com> # Add schema for all flipr objects.\n\
            users [appschema] 2013-12-30T23:49:00Z Marge N. O’Vera <marge@example.com> # Creates table to track our users.\n";
        let plan = Plan::read(plan, &mut Vec::new()).unwrap();
        let ids: Vec<&str> = plan.changes.iter().map(|change| change.id.as_str()).collect();
        assert_eq!(ids, ["c7981df861183412b01be706889e508a63d445ca", "77398e1dbc5fbce58b05eb67d201f15774718727"]);
    }

    #[test]
    fn what_sqitch_refuses_is_told_by_its_line() {
        let stamp = "2024-01-01T10:00:00Z A <a@b>";
        let plan = format!(
            "@v0 {stamp}\na {stamp}\nb 2024-01-01 A <a@b>\n@v0 {stamp}\n@v0 {stamp}\nc [d] {stamp}\n-a {stamp}\n"
        );
        let mut problems = Vec::new();
        assert!(Plan::read(&plan, &mut problems).is_none());
        assert_eq!(
            problems,
            [
                "sqitch.plan:3: expected `CHANGE [DEPENDENCIES] YYYY-MM-DDTHH:MM:SSZ PLANNER <EMAIL>`",
                "sqitch.plan: has no line `%project=NAME`",
                "sqitch.plan:1: the tag `@v0` has no change before it",
                "sqitch.plan:5: the tag `@v0` is there twice",
                "sqitch.plan:6: `c` requires `d`, which no line before it makes",
                "sqitch.plan:7: `a` takes a change back, which is not done here",
            ]
        );
    }
}
