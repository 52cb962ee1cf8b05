//! What is wrong with a state of one database in itself, for whoever has no other side to compare it with: declared
//! references that dangle or were never checked, sequences behind the data, what is there and out of force, a damaged file.
//!
//! A later state is asked only about what became another since an earlier one; the rest is as wrong as it was. NOT NULL and
//! unique keys are not asked: servers hold those of their catalogue, and a file tells by its own examination.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Check, CheckContext, Examined, Readers, Resources, Surroundings, Tally, foreign_key, integrity, orphan, sequence,
    structure,
};
use crate::{
    canon::comparison::Derived,
    engine::{Engine, EngineError, SelfExamination},
    model::{
        Address, Catalogue, Finding, FindingKind, Redaction, Severity, Share, Side, Sides, Snapshot, Stage, Subject,
        TableName, Unchecked,
        catalogue::{Reference, Sequence, Table},
    },
};

/// Sample rows that a finding shows at most.
const SAMPLE: u32 = 3;

/// What is wrong with a state, by kind and subject.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Defects {
    known: BTreeMap<(FindingKind, Subject), Finding>,
    /// What could not be asked.
    pub unasked: Vec<Unchecked>,
    /// How many references were asked, of those that had to be.
    pub references: Share,
}

/// A state and what is wrong with it.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The state.
    pub state: &'a Snapshot,
    /// What is wrong with it.
    pub defects: &'a Defects,
}

/// Asks what is wrong with the state in which the database at `address` is: all of it, or, where an earlier state is known,
/// what became another since. Tables that are a tool's own are passed over.
///
/// # Errors
/// If the database cannot be asked.
pub async fn look(
    (engine, address): (&dyn Engine, &Address),
    earlier: Option<Known<'_>>,
    now: &Snapshot,
    is_own: &(dyn Fn(&TableName) -> bool + Sync),
    (redaction, resources): (&Redaction, &Resources),
) -> Result<Defects, EngineError> {
    let nothing = Snapshot::default();
    let then = earlier.map_or(&nothing, |known| known.state);
    let asked = asked(then, now, is_own);
    let mut defects = Defects::default();
    if let Some(known) = earlier.filter(|known| !known.defects.known.is_empty()) {
        let (asked, all) = (subjects(&asked), subjects(&now.catalogue));
        let stays = |finding: &&Finding| all.contains(&finding.subject) && !asked.contains(&finding.subject);
        defects.take(known.defects.known.values().filter(stays).cloned());
    }
    let has_tables = asked.tables.values().any(|table| !table.foreign_keys.is_empty());
    let is_file = !engine.dialect().self_examinations().is_empty();
    if !has_tables && !is_file && asked.sequences.is_empty() && asked.objects.is_empty() {
        return Ok(defects);
    }
    // Nothing of the source is asked: it stands for the objects as they were.
    let was = then.catalogue.objects.iter().filter(|(name, _)| asked.objects.contains_key(*name));
    let was = was.map(|(name, definition)| (name.clone(), definition.clone())).collect();
    let was = Catalogue { objects: was, ..Catalogue::default() };
    let derived = Derived { same_engine: true, catalogues: Sides::new(was, asked), ..Derived::default() };
    let rows = Snapshot { tables: now.tables.clone(), ..Snapshot::default() };
    let snapshots =
        BTreeMap::from([((Stage::Migrated, Side::Source), nothing.clone()), ((Stage::Migrated, Side::Target), rows)]);
    let mut cx = CheckContext {
        stage: Stage::Migrated,
        readers: Readers::open(&Sides::new(address.clone(), address.clone())).await?,
        snapshots: &snapshots,
        derived: &derived,
        tally: Tally::new(),
        not_carried: &[],
        loss_ledger: &[],
        left_out: &[],
        redaction,
        sample: SAMPLE,
        resources,
        writes_source: false,
        changes_source: false,
        surroundings: &Surroundings::default(),
        probes: &[],
        probed: &[],
    };
    let examined = examine(&mut cx).await?;
    cx.readers.close().await?;
    defects.take(examined.findings);
    (defects.unasked, defects.references) = (examined.unchecked, examined.coverage.references);
    Ok(defects)
}

async fn examine(cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
    let mut examined = foreign_key::ForeignKey.run(cx).await?;
    for finding in &mut examined.findings {
        // Its rows are asked here and now. Such a key is the first half of one that is added without a long lock.
        finding.severity = finding.severity.min(Severity::Warning);
    }
    let references: Vec<Reference> = cx.catalogue(Side::Target).references().collect();
    for reference in &references {
        orphan::ask(cx, reference, None, &mut examined).await?;
    }
    examined.add(sequence::Sequence.run(cx).await?);
    structure::claims(cx, &mut examined);
    // References are asked above, by name.
    let of_file = |look: &SelfExamination| !look.is_of_references;
    integrity::look(cx, Side::Target, of_file, &mut examined).await?;
    Ok(examined)
}

impl Defects {
    fn take(&mut self, findings: impl IntoIterator<Item = Finding>) {
        let keyed = findings.into_iter().map(|finding| ((finding.kind, finding.subject.clone()), finding));
        self.known.extend(keyed);
    }

    /// What is wrong with this state that was not so in an earlier one, or less. What is only called otherwise by now is the
    /// same as it was.
    pub fn since(&self, now: &Snapshot, then: Known<'_>) -> Vec<Finding> {
        let before = &then.defects.known;
        let mut worse = Vec::new();
        for (key, finding) in &self.known {
            let was = before.get(key).map_or(0, |was| was.total);
            if was < finding.total {
                let mut finding = finding.clone();
                if was > 0 {
                    let found = finding.found.unwrap_or_default();
                    finding.found = Some(format!("{found} ({was} before)"));
                }
                worse.push(finding);
            }
        }
        if worse.is_empty() || before.is_empty() {
            return worse;
        }
        let (had, has) = (subjects(&then.state.catalogue), subjects(&now.catalogue));
        let mut gone: Vec<&Finding> = before.values().filter(|was| !has.contains(&was.subject)).collect();
        worse.retain(|finding| {
            let is_it = |was: &&Finding| was.kind == finding.kind && was.total >= finding.total;
            match gone.iter().position(is_it) {
                Some(at) if !had.contains(&finding.subject) => {
                    gone.remove(at);
                    false
                }
                _ => true,
            }
        });
        worse
    }
}

/// What of a state has to be asked since an earlier one: references with a table whose rows or columns became others at one
/// of their ends, sequences that moved or feed such a table, objects with another definition.
fn asked(then: &Snapshot, now: &Snapshot, is_own: &dyn Fn(&TableName) -> bool) -> Catalogue {
    let (was, is) = (&then.catalogue, &now.catalogue);
    let is_other = |name: &TableName| {
        let rows = |state: &Snapshot| state.tables.get(name).map(|table| table.rows);
        was.tables.get(name) != is.tables.get(name) || rows(then) != rows(now)
    };
    let all = was.tables.keys().chain(is.tables.keys());
    let mut other: BTreeSet<&TableName> = all.filter(|name| is_other(name) && !is_own(name)).collect();
    let has_moved = |one: &&Sequence| !was.sequences.contains(one);
    let fed = is.sequences.iter().filter(has_moved).flat_map(|one| one.fed().map(|fed| &fed.table));
    other.extend(fed.filter(|name| !is_own(name)));
    let concerned = |table: &Table| {
        let mut table = table.clone();
        let is_whole = other.contains(&table.name);
        table.foreign_keys.retain(|key| is_whole || other.contains(&key.parent));
        (is_whole || !table.foreign_keys.is_empty()).then(|| (table.name.clone(), table))
    };
    let tables: BTreeMap<TableName, Table> = is.tables.values().filter_map(concerned).collect();
    let feeds = |one: &&Sequence| one.fed().any(|fed| tables.contains_key(&fed.table));
    let sequences = is.sequences.iter().filter(feeds).cloned().collect();
    let objects = is.objects.iter().filter(|(name, definition)| was.objects.get(name) != Some(*definition));
    let objects = objects.map(|(name, definition)| (name.clone(), definition.clone())).collect();
    Catalogue { tables, sequences, objects, ..Catalogue::default() }
}

/// Everything of a catalogue that a defect can be about.
fn subjects(catalogue: &Catalogue) -> BTreeSet<Subject> {
    let references = catalogue.references().map(|one| Subject::columns(Side::Target, &one.child, &one.columns));
    let fed = catalogue.sequences.iter().flat_map(|sequence| sequence.fed());
    let fed = fed.map(|fed| Subject::columns(Side::Target, &fed.table, std::slice::from_ref(&fed.column)));
    let objects = catalogue.objects.keys().map(|name| Subject::object(Side::Target, name.to_string()));
    references.chain(fed).chain(objects).collect()
}
