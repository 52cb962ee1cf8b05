//! sqitch: `sqitch.plan` names the changes in order, with a script each in `deploy/`, `revert/` and `verify/`
//! (<https://sqitch.org/docs/manual/sqitchtutorial/>, the plan's form in `App::Sqitch::Plan`).

mod plan;
mod registry;

use std::path::{Path, PathBuf};

use super::{Folder, Found, Layout, Likeness, Migration, Script, Transaction};
use crate::model::EngineId;

pub use plan::Plan;
pub use registry::Place;

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
        if folder.has(plan::FILE) { Likeness::Sure } else { Likeness::None }
    }

    fn reads_below(&self) -> bool {
        true
    }

    fn read(&self, folder: &Folder, _engine: &EngineId, found: &mut Found) {
        let Some(text) = folder.text_or_tell(plan::FILE, &mut found.problems) else { return };
        let Some(plan) = Plan::read(&text, &mut found.problems) else { return };
        for (at, change) in plan.changes.iter().enumerate() {
            let (name, line) = (&change.name, change.line);
            let Some(script_name) = script_name(&plan, at, folder) else {
                let file = plan::FILE;
                let problem = format!("{file}:{line}: `{name}` comes again, and no `deploy/{name}@TAG.sql` is there");
                found.problems.push(problem);
                continue;
            };
            let mut script = |folder_name: &str| {
                let file: PathBuf = Path::new(folder_name).join(format!("{script_name}.sql"));
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
                    .push(format!("{}:{line}: `{name}` has no script `deploy/{script_name}.sql`", plan::FILE)),
            }
        }
        for change in &plan.changes {
            found.notes.extend(change.requires.iter().filter(|one| one.id.is_none()).map(|one| {
                format!("`{}` requires `{}` of another project, which is not looked for", change.name, one.text)
            }));
        }
        found.plan = Some(plan);
    }
}

/// The name of a change's scripts: one that is made anew later keeps its old scripts under one of the tags that came between.
fn script_name(plan: &Plan, at: usize, folder: &Folder) -> Option<String> {
    let name = &plan.changes[at].name;
    let Some(again) = plan.changes[at + 1..].iter().position(|later| later.name == *name) else {
        return Some(name.clone());
    };
    let tags = plan.changes[at..=at + again].iter().flat_map(|change| &change.tags);
    let mut names = tags.map(|tag| format!("{name}@{}", tag.name));
    names.find(|name| folder.has(Path::new("deploy").join(format!("{name}.sql"))))
}
