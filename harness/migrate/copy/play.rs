//! The copy itself: look, cut, announce, load part by part, bring the keys back, account for the rows.

use std::{sync::Arc, time::Instant};

use super::{
    Meant, Settings, Triggers, account,
    begun::{Begun, Mark},
    cut::{self, Cuts},
    ledger::{Entry, Ledger},
    load::{self, Carrier, Loading, Parts},
    lookup,
    parents::Parents,
    plan::TablePlan,
    rejects::Rejects,
    resolve::{Given, resolve},
};
use crate::{
    engine::{Aside, AsideScript, Dialect, Session},
    migrate::{
        StepDone, StepError, StepTask, StepVoice,
        aside::{self, MANY_ROWS},
        engine_of,
        transfer::WhenNotEmpty,
    },
    model::{Catalogue, Side, Sides, TableName, catalogue::Table, chain, event::Figure},
};

/// Copies everything that is not there yet. From the moment at which `begun` holds something, an error leaves the undoing to
/// the caller.
pub(super) async fn play(
    task: &StepTask,
    settings: &Settings,
    begun: &mut Option<Begun>,
    voice: &mut dyn StepVoice,
) -> Result<StepDone, StepError> {
    let started = Instant::now();
    let dialects =
        Sides::new(engine_of(&task.addresses.source)?.dialect(), engine_of(&task.addresses.target)?.dialect());
    let ledger = Ledger::of(&task.name, dialects.target);
    let rejects = Rejects::of(&settings.copying.rejects_table, dialects.target);
    let mut target = task.connect(&task.addresses.target).await?;
    if let Some(rows) = begun.as_ref().and_then(|begun| begun.whole) {
        ledger.remove(&mut *target).await?;
        return Ok(done(rows, started));
    }
    let mut source = task.connect(&task.addresses.source).await?;
    source.begin(true).await?;
    let catalogues = Sides::new(source.introspect().await?, target.introspect().await?);
    let tables = lookup::read_all(planned(task, settings, &catalogues)?, &mut *source).await?;
    let keeping = tables.iter().find(|table| table.keeps.is_some());
    let made: Vec<TableName> = keeping.map(|_| rejects.name.clone()).into_iter().collect();
    let triggers = match &begun {
        Some(begun) => begun.triggers.clone(),
        None => triggers_off(settings, &tables, &catalogues.target, &mut *target).await?,
    };
    if begun.is_none() {
        require_free([&ledger.name].into_iter().chain(&made), &catalogues.target)?;
        account::require_reasons(&settings.copying, &tables, &mut *source).await?;
        make_empty(task, settings, &tables, &mut *target).await?;
    }
    let there = counted(task, &tables, &mut *source).await?;
    let total = there.iter().sum();
    let cuts = match &begun {
        Some(_) => cut::kept(task, &tables)?,
        None => cut_all(task, settings, &tables, &there, &mut *source).await?,
    };
    let writes = Begun { tables: distinct(&tables), triggers, made, ..Begun::default() };
    let scope = announce(begun, writes, &tables, total, &mut *target, voice).await?;
    make_own(&ledger, (!scope.made.is_empty()).then_some(&rejects), &catalogues.target, &mut *target).await?;
    if let Some(sql) = dialects.target.heeds_references(false) {
        target.execute(sql).await?;
    }
    let entered = ledger.entries(&mut *target).await?;
    let parts = Parts::of(&tables, &cuts, entered, dialects.source);
    let parents = Parents::of(&tables);
    let loading = Arc::new(Loading { tables, parents, ledger, rejects, dialect: dialects.source, total });
    let mut carrier = Carrier { source: Some(source), target };
    let entries = load_all(task, settings, &loading, parts, &mut carrier, voice).await?;
    let Carrier { source, mut target } = carrier;
    let Loading { tables, ledger, rejects, .. } = &*loading;
    aside::with(&scope.aside, &mut *target).await?;
    aside::with(&scope.triggers, &mut *target).await?;
    target.advance_sequences(&scope.tables).await?;
    account::require_parents(task, tables, &mut *target).await?;
    let mut source = source.ok_or_else(|| StepError::broken("account for the rows", "the source's session is gone"))?;
    account::settle(task, tables, &entries, &there, &mut *source, &mut *target).await?;
    let rows = entries.iter().map(|entry| entry.loaded).sum();
    let mut step = done(rows, started);
    step.notes = account::unnamed(tables, &mut *source, dialects.source).await?;
    tell_rejected(&mut step, task, &entries, rejects, cuts.iter().map(Cuts::parts).sum(), &mut *target).await?;
    gather(&mut step, &scope.tables, dialects.target, &mut *target).await?;
    voice.mark(Mark::Whole { rows }.json()).await?;
    begun.as_mut().expect("just announced").whole = Some(rows);
    ledger.remove(&mut *target).await?;
    // Everything is committed and counted: a connection that breaks only now changes nothing any more.
    let _ = source.close().await;
    let _ = target.close().await;
    Ok(step)
}

/// Loads all parts, as many at the same time as is wished and as the engines can.
async fn load_all(
    task: &StepTask,
    settings: &Settings,
    loading: &Arc<Loading>,
    parts: Parts,
    carrier: &mut Carrier,
    voice: &mut dyn StepVoice,
) -> Result<Vec<Entry>, StepError> {
    // A file has one writer.
    let has_server = engine_of(&task.addresses.target)?.server().is_some();
    let snapshot = match carrier.source.as_mut().filter(|_| settings.jobs > 1 && has_server) {
        Some(source) => source.share_snapshot().await?,
        None => None,
    };
    match snapshot {
        Some(snapshot) => {
            load::beside_each_other(task, Arc::clone(loading), parts, &snapshot, settings.jobs, voice).await
        }
        None => carrier.all(loading, parts, voice).await,
    }
}

/// Makes the step's own tables, as far as an earlier process did not.
async fn make_own(
    ledger: &Ledger,
    rejects: Option<&Rejects>,
    catalogue: &Catalogue,
    target: &mut dyn Session,
) -> Result<(), StepError> {
    if !catalogue.tables.contains_key(&ledger.name) {
        ledger.create(target).await?;
    }
    if let Some(rejects) = rejects.filter(|rejects| !catalogue.tables.contains_key(&rejects.name)) {
        rejects.create(target).await?;
    }
    Ok(())
}

/// Gathers statistics; that the role may not is no reason to take everything back.
async fn gather(
    step: &mut StepDone,
    tables: &[TableName],
    dialect: &dyn Dialect,
    target: &mut dyn Session,
) -> Result<(), StepError> {
    for table in tables {
        let Some(sql) = dialect.analyze(table) else { continue };
        match target.execute(&sql).await {
            Err(error) if error.is_about_the_question() => {
                step.notes.push(format!("no statistics of `{table}` were gathered: {}", chain(&error)));
            }
            done => done?,
        }
    }
    Ok(())
}

/// Lists rejected rows, and tells how many there are and where they are listed.
async fn tell_rejected(
    step: &mut StepDone,
    task: &StepTask,
    entries: &[Entry],
    rejects: &Rejects,
    parts: u64,
    target: &mut dyn Session,
) -> Result<(), StepError> {
    let rejected: u64 = entries.iter().map(|entry| entry.rejected).sum();
    if rejected > 0 {
        let file = rejects.list(task, parts, target).await?;
        step.figures.push(Figure { name: "rejected".to_owned(), value: rejected as f64 });
        let place = format!("table `{}` and `{}` tell which and why", rejects.name, file.display());
        step.notes.push(format!("{rejected} rows were rejected: {place}"));
    }
    Ok(())
}

fn done(rows: u64, started: Instant) -> StepDone {
    let seconds = started.elapsed().as_secs_f64();
    let mut figures = vec![Figure { name: "copy_ms".to_owned(), value: (seconds * 1000.0).round() }];
    if rows > 0 && seconds > 0.0 {
        figures.push(Figure { name: "copy_rows_per_s".to_owned(), value: (rows as f64 / seconds).round() });
    }
    StepDone { rows, figures, ..StepDone::default() }
}

fn planned(task: &StepTask, settings: &Settings, catalogues: &Sides<Catalogue>) -> Result<Vec<TablePlan>, StepError> {
    let given = Given {
        catalogues: Sides::new(&catalogues.source, &catalogues.target),
        same_engine: task.addresses.source.engine == task.addresses.target.engine,
        is_bound: engine_of(&task.addresses.target)?.dialect().enforces_types(),
        leaves_rest: settings.tables == Meant::Stated,
    };
    resolve(&settings.copying, &given).map_err(|problems| StepError::Refused { what: problems.to_string() })
}

/// Refuses a target that has tables of the names that the step needs.
fn require_free<'n>(names: impl IntoIterator<Item = &'n TableName>, target: &Catalogue) -> Result<(), StepError> {
    match names.into_iter().find(|name| target.tables.contains_key(*name)) {
        Some(name) => Err(StepError::Refused {
            what: format!("the target has a table `{name}` already, and this step needs one of that name"),
        }),
        None => Ok(()),
    }
}

/// How triggers of the target's tables are set aside, where that is wished.
///
/// # Errors
/// If there is one that would fire for each row and nobody lets it, or that the engine cannot set aside.
async fn triggers_off(
    settings: &Settings,
    tables: &[TablePlan],
    catalogue: &Catalogue,
    target: &mut dyn Session,
) -> Result<Vec<AsideScript>, StepError> {
    let has = |table: &TableName| {
        catalogue.objects.iter().any(|(object, definition)| {
            object.class == "trigger"
                && (definition.get("table") == Some(&table.name) || object.name.starts_with(&format!("{table}.")))
        })
    };
    let Some(name) = tables.iter().map(|table| table.name(Side::Target)).find(|name| has(name)) else {
        return Ok(Vec::new());
    };
    let why = match settings.triggers {
        Triggers::Fire => return Ok(Vec::new()),
        Triggers::Refuse => "`triggers = \"fire\"` lets it, and `triggers = \"off\"` sets it aside meanwhile",
        Triggers::Off => {
            let scripts = target.aside(Aside::Triggers, &distinct(tables)).await?;
            if !scripts.is_empty() {
                return Ok(scripts);
            }
            "this engine cannot set it aside"
        }
    };
    let what = format!("`{name}` has a trigger, which would fire for each row; nothing was written. {why}");
    Err(StepError::Refused { what })
}

async fn make_empty(
    task: &StepTask,
    settings: &Settings,
    tables: &[TablePlan],
    session: &mut dyn Session,
) -> Result<(), StepError> {
    let mut full = None;
    let targets = distinct(tables);
    for name in &targets {
        let rows = task.rows(Side::Target, name, session).await?;
        if rows > 0 && full.is_none() {
            full = Some((name, rows));
        }
    }
    match (settings.when_not_empty, full) {
        (_, None) => Ok(()),
        (WhenNotEmpty::Clear, Some(_)) => Ok(session.truncate(&targets).await?),
        (WhenNotEmpty::Refuse, Some((name, rows))) => Err(StepError::Refused {
            what: format!(
                "the target is not empty: `{name}` holds {rows} rows; nothing was written. \
                 `when_not_empty = \"clear\"` empties its tables first"
            ),
        }),
    }
}

/// Rows of each source table, as the session's state of the source has them.
async fn counted(task: &StepTask, tables: &[TablePlan], source: &mut dyn Session) -> Result<Vec<u64>, StepError> {
    let mut rows = Vec::new();
    for table in tables {
        rows.push(task.rows(Side::Source, &table.source.name, source).await?);
    }
    Ok(rows)
}

/// Cuts all tables, and writes down how.
async fn cut_all(
    task: &StepTask,
    settings: &Settings,
    tables: &[TablePlan],
    there: &[u64],
    source: &mut dyn Session,
) -> Result<Vec<Cuts>, StepError> {
    let dialect = engine_of(&task.addresses.source)?.dialect();
    let mut cuts = Vec::new();
    for (table, rows) in tables.iter().zip(there) {
        cuts.push(cut::cut(table, *rows, settings.batch_rows, source, dialect).await?);
    }
    cut::keep(task, &cuts)?;
    Ok(cuts)
}

/// The target's tables, each once.
fn distinct(tables: &[TablePlan]) -> Vec<TableName> {
    let mut names: Vec<TableName> = Vec::new();
    for table in tables {
        if !names.contains(table.name(Side::Target)) {
            names.push(table.name(Side::Target).clone());
        }
    }
    names
}

/// Announces what will be written to, and sets triggers aside, and keys where that is worth it or where rows would come before
/// their parents.
async fn announce(
    begun: &mut Option<Begun>,
    writes: Begun,
    tables: &[TablePlan],
    rows: u64,
    target: &mut dyn Session,
    voice: &mut dyn StepVoice,
) -> Result<Begun, StepError> {
    let names = &writes.tables;
    let is_cyclic = |table: &Table, at: usize| {
        table.foreign_keys.iter().any(|key| names.iter().skip(at).any(|name| *name == key.parent))
    };
    let order = |table: &TablePlan| names.iter().position(|name| name == table.name(Side::Target)).unwrap_or_default();
    let has_cycle = tables.iter().any(|table| is_cyclic(&table.target, order(table)));
    let aside = match begun.take() {
        // An interrupted process of this step has set them aside already.
        Some(earlier) => earlier.aside,
        None if rows >= MANY_ROWS || has_cycle => target.aside(Aside::Keys, names).await?,
        None => Vec::new(),
    };
    let scope = begun.insert(Begun { aside, ..writes });
    voice.mark(Mark::Begun(scope.clone()).json()).await?;
    aside::without(&scope.triggers, target).await?;
    if !scope.aside.is_empty() && aside::without(&scope.aside, target).await.is_err() {
        // Something else in the database leans on a key: then all stay where they are.
        target.tx_rollback().await?;
        scope.aside.clear();
        voice.mark(Mark::Begun(scope.clone()).json()).await?;
    }
    Ok(scope.clone())
}
