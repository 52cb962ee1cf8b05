//! sqitch: `sqitch.plan` names the changes in order, with a script each in `deploy/`, `revert/` and `verify/`
//! (<https://sqitch.org/docs/manual/sqitchtutorial/>, the plan's form in `App::Sqitch::Plan`).

use std::path::Path;

use super::{Folder, Found, Layout, Likeness, Migration, Script, Transaction};
use crate::model::EngineId;

/// sqitch.
pub struct Sqitch;

impl Layout for Sqitch {
    fn id(&self) -> &'static str {
        "sqitch"
    }

    fn looks_for(&self) -> &'static str {
        "sqitch.plan with deploy/, revert/ and verify/"
    }

    fn recognises(&self, folder: &Folder) -> Likeness {
        if folder.has("sqitch.plan") { Likeness::Sure } else { Likeness::None }
    }

    fn read(&self, folder: &Folder, _engine: &EngineId, found: &mut Found) {
        let Some(plan) = folder.text_or_tell("sqitch.plan", &mut found.problems) else { return };
        found.notes.push(
            "what sqitch itself keeps (the schema `sqitch`) is not written; `sqitch deploy --log-only` writes it to a database \
             that was kept"
                .to_owned(),
        );
        let entries: Vec<Entry<'_>> = plan.lines().enumerate().filter_map(|(at, line)| entry(at + 1, line)).collect();
        for (at, one) in entries.iter().enumerate() {
            let Entry::Change { name, line } = *one else { continue };
            if one.is_revert() {
                found
                    .problems
                    .push(format!("sqitch.plan:{line}: `{name}` takes a change back, which is not done here"));
                continue;
            }
            let script_name = match entries[at + 1..].iter().position(|later| later.name() == Some(name)) {
                None => name.to_owned(),
                Some(later) => {
                    let mut tags = entries[at + 1..at + 1 + later].iter().filter_map(Entry::tag);
                    // A change that is made anew later keeps its old script under one of the tags that came between.
                    let Some(tag) = tags.find(|tag| folder.has(Path::new("deploy").join(format!("{name}@{tag}.sql"))))
                    else {
                        let problem = format!(
                            "sqitch.plan:{line}: `{name}` comes again, and no `deploy/{name}@TAG.sql` is there"
                        );
                        found.problems.push(problem);
                        continue;
                    };
                    format!("{name}@{tag}")
                }
            };
            let mut script = |folder_name: &str| {
                let file = Path::new(folder_name).join(format!("{script_name}.sql"));
                let is_there = folder.has(&file);
                let text = is_there.then(|| folder.text_or_tell(&file, &mut found.problems)).flatten()?;
                Some(Script::of_file(&file, text, Transaction::Nothing))
            };
            let (up, down, verify) = (script("deploy"), script("revert"), script("verify"));
            match up {
                Some(up) => found.migrations.push(Migration {
                    version: script_name.clone(),
                    name: script_name,
                    up,
                    down,
                    verify,
                    is_repeatable: false,
                }),
                None => found
                    .problems
                    .push(format!("sqitch.plan:{line}: `{name}` has no script `deploy/{script_name}.sql`")),
            }
        }
    }
}

/// A line of a plan that says something.
#[derive(Clone, Copy, Debug)]
enum Entry<'a> {
    Change { name: &'a str, line: usize },
    Tag(&'a str),
}

impl<'a> Entry<'a> {
    fn name(&self) -> Option<&'a str> {
        match self {
            Self::Change { name, .. } => Some(name),
            Self::Tag(_) => None,
        }
    }

    fn tag(&self) -> Option<&'a str> {
        match self {
            Self::Tag(tag) => Some(tag),
            Self::Change { .. } => None,
        }
    }

    fn is_revert(&self) -> bool {
        self.name().is_some_and(|name| name.starts_with('-'))
    }
}

/// Reads a line: pragmas (`%`), comments and blank lines say nothing.
fn entry(line: usize, text: &str) -> Option<Entry<'_>> {
    let text = text.split('#').next().unwrap_or_default().trim();
    let word = text.split_whitespace().next()?;
    match word.chars().next()? {
        '%' => None,
        '@' => Some(Entry::Tag(&word[1..])),
        _ => Some(Entry::Change { name: word.trim_start_matches('+'), line }),
    }
}
