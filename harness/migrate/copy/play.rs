//! The copy itself: look, cut, announce, load part by part, bring the keys back, account for the rows.

use std::time::Instant;

use super::{
    Settings, Triggers, account,
    begun::{Begun, Mark, count},
    cut::{self, Cuts},
    ledger::{Entry, Ledger},
    plan::TablePlan,
    rejects::Rejects,
    resolve::{Given, resolve},
    stream::{self, Incoming},
};
use crate::{
    engine::{Dialect, Rowset, Session},
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
    let tables = planned(task, settings, &catalogues)?;
    let keeping = tables.iter().find(|table| table.keeps.is_some());
    let made: Vec<TableName> = keeping.map(|_| rejects.name.clone()).into_iter().collect();
    let cuts = match &begun {
        Some(_) => cut::kept(task, &tables)?,
        None => {
            require_free([&ledger.name].into_iter().chain(&made), &catalogues.target)?;
            require_no_triggers(settings, &tables, &catalogues.target)?;
            account::require_reasons(&settings.copying, &tables, &mut *source).await?;
            make_empty(task, settings, &tables, &mut *target).await?;
            let cuts = cut_all(&tables, settings.batch_rows, &mut *source, dialects.source).await?;
            cut::keep(task, &cuts)?;
            cuts
        }
    };
    let total = cuts.iter().map(|cut| cut.rows).sum();
    let scope = announce(begun, &tables, made, total, &mut *target, voice).await?;
    let (ledger, rejects) = (&ledger, &rejects);
    make_own(ledger, (!scope.made.is_empty()).then_some(rejects), &catalogues.target, &mut *target).await?;
    if let Some(sql) = dialects.target.heeds_references(false) {
        target.execute(sql).await?;
    }
    let mut loading =
        Loading { source: Some(source), target, voice, ledger, rejects, dialect: dialects.source, done: 0, total };
    let entries = loading.tables(&tables, &cuts).await?;
    let Loading { source, mut target, .. } = loading;
    if !scope.aside.is_empty() {
        aside::with(&scope.aside, &mut *target).await?;
    }
    target.advance_sequences(&scope.tables).await?;
    account::require_parents(task, &tables, &mut *target).await?;
    let mut source = source.ok_or_else(|| StepError::broken("account for the rows", "the source's session is gone"))?;
    account::settle(task, &tables, &entries, &mut *source, &mut *target).await?;
    let rows = entries.iter().map(|entry| entry.loaded).sum();
    let mut step = done(rows, started);
    let parts = cuts.iter().map(Cuts::parts).sum();
    step.notes = account::unnamed(&tables, &mut *source, dialects.source).await?;
    tell_rejected(&mut step, task, &entries, rejects, parts, &mut *target).await?;
    gather(&mut step, &scope.tables, dialects.target, &mut *target).await?;
    voice.mark(Mark::Whole { rows }.json()).await?;
    begun.as_mut().expect("just announced").whole = Some(rows);
    ledger.remove(&mut *target).await?;
    // Everything is committed and counted: a connection that breaks only now changes nothing any more.
    let _ = source.close().await;
    let _ = target.close().await;
    Ok(step)
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

fn require_no_triggers(settings: &Settings, tables: &[TablePlan], target: &Catalogue) -> Result<(), StepError> {
    if settings.triggers == Triggers::Fire {
        return Ok(());
    }
    let has = |table: &TableName| {
        target.objects.iter().any(|(object, definition)| {
            object.class == "trigger"
                && (definition.get("table") == Some(&table.name) || object.name.starts_with(&format!("{table}.")))
        })
    };
    match tables.iter().map(|table| table.name(Side::Target)).find(|name| has(name)) {
        Some(name) => Err(StepError::Refused {
            what: format!(
                "`{name}` has a trigger, which would fire for each row; nothing was written. `triggers = \"fire\"` lets it"
            ),
        }),
        None => Ok(()),
    }
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
        let rows = count(task, name, session).await?;
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

async fn cut_all(
    tables: &[TablePlan],
    batch_rows: u64,
    source: &mut dyn Session,
    dialect: &dyn Dialect,
) -> Result<Vec<Cuts>, StepError> {
    let mut cuts = Vec::new();
    for table in tables {
        let rows = account::rows(source, &Rowset::of(table.source.name.clone(), Vec::new())).await?;
        cuts.push(cut::cut(table, rows, batch_rows, source, dialect).await?);
    }
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

/// Announces what will be written to, and sets keys aside where that is worth it or where rows would come before their parents.
async fn announce(
    begun: &mut Option<Begun>,
    tables: &[TablePlan],
    made: Vec<TableName>,
    rows: u64,
    target: &mut dyn Session,
    voice: &mut dyn StepVoice,
) -> Result<Begun, StepError> {
    let names = distinct(tables);
    let is_cyclic = |table: &Table, at: usize| {
        table.foreign_keys.iter().any(|key| names.iter().skip(at).any(|name| *name == key.parent))
    };
    let order = |table: &TablePlan| names.iter().position(|name| name == table.name(Side::Target)).unwrap_or_default();
    let has_cycle = tables.iter().any(|table| is_cyclic(&table.target, order(table)));
    let aside = match begun.take() {
        // An interrupted process of this step has set them aside already.
        Some(earlier) => earlier.aside,
        None if rows >= MANY_ROWS || has_cycle => target.key_scripts(&names).await?,
        None => Vec::new(),
    };
    let scope = begun.insert(Begun { tables: names, aside, made, whole: None });
    voice.mark(Mark::Begun(scope.clone()).json()).await?;
    if !scope.aside.is_empty() && aside::without(&scope.aside, target).await.is_err() {
        // Something else in the database leans on a key: then all stay where they are.
        target.tx_rollback().await?;
        scope.aside.clear();
        voice.mark(Mark::Begun(scope.clone()).json()).await?;
    }
    Ok(scope.clone())
}

/// A copy under way.
struct Loading<'a> {
    /// Away while it is read from.
    source: Option<Box<dyn Session>>,
    target: Box<dyn Session>,
    voice: &'a mut dyn StepVoice,
    ledger: &'a Ledger,
    rejects: &'a Rejects,
    /// The source's.
    dialect: &'static dyn Dialect,
    /// Rows that are there.
    done: u64,
    total: u64,
}

impl Loading<'_> {
    /// Loads the parts that are not there yet, and tells what became of each table.
    async fn tables(&mut self, tables: &[TablePlan], cuts: &[Cuts]) -> Result<Vec<Entry>, StepError> {
        let mut entered = self.ledger.entries(&mut *self.target).await?;
        self.done = entered.values().map(|entry| entry.loaded).sum();
        let (mut number, mut entries) = (0, Vec::new());
        for (table, cut) in tables.iter().zip(cuts) {
            let mut of_table = Entry::default();
            for condition in cut.conditions(self.dialect) {
                let entry = match entered.remove(&number) {
                    Some(entry) => entry,
                    None => self.part(table, number, condition).await?,
                };
                of_table.read += entry.read;
                of_table.loaded += entry.loaded;
                of_table.rejected += entry.rejected;
                number += 1;
            }
            entries.push(of_table);
        }
        Ok(entries)
    }

    /// Loads one part in a transaction that also says so.
    async fn part(&mut self, table: &TablePlan, number: u64, condition: Option<String>) -> Result<Entry, StepError> {
        let gone = || StepError::broken("read the source", "its session is gone");
        let session = self.source.take().ok_or_else(gone)?;
        self.target.begin(false).await?;
        let columns = table.filled();
        // References are looked at behind the last row, or by the keys when they come back.
        let bare = Table { foreign_keys: Vec::new(), ..table.target.clone() };
        let (ended, receiver) = stream::read(session, table, table.rowset(condition, self.dialect));
        let mut rows = Incoming::new(receiver, columns.len(), &mut *self.voice, table, self.done, self.total);
        let loaded = self.target.load(&bare, &columns, &mut rows).await;
        let is_stopped = rows.is_stopped;
        // Whoever still reads has nobody to read for.
        drop(rows);
        let read = ended.await?;
        if is_stopped {
            return Err(StepError::Interrupted);
        }
        if let Some(unfit) = read.unfit {
            let (name, row) = (table.name(Side::Source), unfit.row);
            let what = format!("row {row} of part {} of `{name}`: `{}` {}", number + 1, unfit.column, unfit.what);
            return Err(StepError::Rejected { what });
        }
        let loaded = loaded?;
        let rejected = read.rejects.len() as u64;
        let entry = Entry { read: read.outcome?, loaded, rejected };
        if entry.read != loaded + rejected {
            let what = format!("{} rows were read, {loaded} loaded and {rejected} rejected", entry.read);
            return Err(StepError::broken(format!("copy `{}`", table.name(Side::Source)), what));
        }
        let tables = Side::BOTH.map(|side| table.name(side));
        self.rejects.keep(&mut *self.target, number, tables, &read.rejects).await?;
        self.ledger.enter(&mut *self.target, number, entry).await?;
        self.target.commit().await?;
        self.source = Some(read.session);
        self.done += loaded;
        Ok(entry)
    }
}
