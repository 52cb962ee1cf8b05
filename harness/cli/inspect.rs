//! `status`, `clean`, `report`, `list` and `explain`.

use std::{fs, io::Write, path::Path};

use crate::{
    check, engine,
    migrate::{self, layout},
    provision,
    report::{self, prose},
    run::{self, Cleaned, journal, registry::Entry, resume},
};

use super::{
    args::{CleanArgs, ExplainArgs, ListArgs, Listed, ReportArgs, StatusArgs},
    exit, find, settings,
    tell::{Failure, data},
    urls::{self, Urls},
};

/// `rehearse status`.
pub fn status(args: &StatusArgs) -> Result<u8, Failure> {
    let registry = settings::registry();
    let entries: Vec<Entry> = match &args.run {
        Some(run) => vec![find::run(run, &registry, &args.out)?],
        None => registry.entries()?,
    };
    if entries.is_empty() {
        data!("no run holds anything");
    }
    for entry in entries {
        one_status(&entry)?;
    }
    Ok(exit::PASS)
}

fn one_status(entry: &Entry) -> Result<(), Failure> {
    if !entry.directory.join(journal::FILE).exists() {
        data!("{}: killed before its journal began; `rehearse clean` forgets it", entry.id);
        return Ok(());
    }
    let standing = resume::status(&entry.directory)?;
    let state = match (&standing.alive, standing.finished, standing.kept) {
        (Some(process), _, _) => format!("running as process {}", process.pid),
        (None, true, true) => "finished, and kept".to_owned(),
        (None, true, false) => "finished".to_owned(),
        (None, false, _) => "interrupted".to_owned(),
    };
    data!("{}: {state}", standing.id);
    data!("  journal: {}", entry.directory.join(journal::FILE).display());
    if let Some(rehearsal) = &standing.rehearsal {
        data!("  rehearsal: {rehearsal}");
    }
    for (side, place) in &standing.places {
        data!("  {side}: {place}");
    }
    data!("  done: {}", if standing.done.is_empty() { "nothing".to_owned() } else { standing.done.join(", ") });
    if let Some(act) = &standing.interrupted {
        data!("  in the middle of: {act}");
    }
    let leases: Vec<&str> = standing.leases.iter().map(|lease| lease.id.as_str()).collect();
    data!("  holds: {}", if leases.is_empty() { "nothing".to_owned() } else { leases.join(", ") });
    if standing.alive.is_none() && !leases.is_empty() {
        let id = &standing.id;
        let mut next = Vec::new();
        if standing.can_go_on && !standing.finished {
            next.push(format!("`rehearse resume {id}`"));
        }
        if standing.can_go_on {
            next.push(format!("`rehearse rollback {id}`"));
        }
        next.push(format!("`rehearse clean {id}`"));
        data!("  next: {}", next.join(", "));
    }
    Ok(())
}

/// `rehearse clean`.
pub async fn clean(args: CleanArgs) -> Result<u8, Failure> {
    let registry = settings::registry();
    let typed = args.target_url.as_deref().map(urls::given).transpose().map_err(Failure::usage)?;
    let urls = Urls { typed: typed.map(|given| given.address) };
    let named = match &args.run {
        Some(run) => Some(find::run(run, &registry, &args.out)?.id),
        None => None,
    };
    let all = run::clean(&registry, named.as_ref(), &urls, Vec::new).await?;
    if all.is_empty() {
        data!("nothing to clean");
    }
    let mut is_stuck = false;
    for cleaned in all {
        match cleaned {
            Cleaned::Alive { id, pid } => data!("{id}: left alone, process {pid} is at work"),
            Cleaned::Kept { id } => data!("{id}: left alone, it was kept; `rehearse clean {id}` ends it"),
            Cleaned::Released { id, leases } if leases.is_empty() => data!("{id}: held nothing any more"),
            Cleaned::Released { id, leases } => data!("{id}: gave back {}", leases.join(", ")),
            Cleaned::Stuck { id, problems } => {
                is_stuck = true;
                problems.iter().for_each(|problem| eprintln!("{id}: {problem}"));
            }
        }
    }
    Ok(if is_stuck { exit::INCONCLUSIVE } else { exit::PASS })
}

/// `rehearse report`.
pub fn report(args: &ReportArgs) -> Result<u8, Failure> {
    let format = report::by_id(&args.format)
        .ok_or_else(|| Failure::unknown("report format", &args.format, report::ALL.iter().map(|format| format.id())))?;
    let entry = find::run(&args.run, &settings::registry(), &args.out)?;
    let events = journal::read(&entry.directory)?;
    let told = crate::model::Report::from_events(&events)
        .ok_or_else(|| Failure::usage(format!("the journal of `{}` names no run", args.run)))?;
    let mut text = Vec::new();
    format.render(&told, &mut text).map_err(|error| Failure::new(error, exit::INTERNAL))?;
    match &args.to {
        Some(path) => fs::write(path, text).map_err(|error| {
            Failure::new(format!("failed to write `{}`: {error}", path.display()), exit::INCONCLUSIVE)
        })?,
        None => std::io::stdout().lock().write_all(&text).map_err(|error| Failure::new(error, exit::INCONCLUSIVE))?,
    }
    Ok(exit::PASS)
}

/// `rehearse list`.
pub fn list(args: &ListArgs) -> Result<u8, Failure> {
    let rows: Vec<(String, String)> = match args.what {
        Listed::Checks => {
            check::every().map(|check| (check.meta().id.to_owned(), check.meta().asserts.to_owned())).collect()
        }
        Listed::Scenarios => scenarios(&args.scenarios_dir)?,
        Listed::Engines => {
            engine::ALL.iter().map(|engine| (engine.id().to_owned(), engine.title().to_owned())).collect()
        }
        Listed::Providers => provision::ALL.iter().map(|one| (one.id().to_owned(), one.summary().to_owned())).collect(),
        Listed::Formats => report::ALL.iter().map(|one| (one.id().to_owned(), one.summary().to_owned())).collect(),
        Listed::Steps => migrate::ALL.iter().map(|one| (one.id().to_owned(), one.summary().to_owned())).collect(),
        Listed::Layouts => layout::ALL.iter().map(|one| (one.id().to_owned(), one.looks_for().to_owned())).collect(),
    };
    let width = rows.iter().map(|(id, _)| id.len()).max().unwrap_or(0);
    for (id, text) in rows {
        data!("{id:width$}  {text}");
    }
    Ok(exit::PASS)
}

fn scenarios(root: &Path) -> Result<Vec<(String, String)>, Failure> {
    let read = find::read(find::scenarios(&[], root)?)?;
    Ok(read.into_iter().map(|(_, scenario)| (scenario.name, scenario.title)).collect())
}

/// `rehearse explain`.
pub fn explain(args: &ExplainArgs) -> Result<u8, Failure> {
    let Some(check) = check::by_id(&args.id) else {
        return Err(Failure::unknown("check", &args.id, check::every().map(|check| check.meta().id)));
    };
    let meta = check.meta();
    let stages: Vec<String> = meta.stages.iter().map(ToString::to_string).collect();
    data!("{}", meta.id);
    let lines = [("asserts", meta.asserts), ("why", meta.why), ("trips on", meta.example), ("what to do", meta.remedy)];
    for (name, text) in lines {
        data!("  {name:<11} {text}");
    }
    data!("  {:<11} {}", "stages", prose::visible_lines(&stages.join(", ")));
    Ok(exit::PASS)
}
