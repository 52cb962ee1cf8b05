//! Reads `[[copy]]`: what becomes of the rows of each table.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{Entry, Fields, Place, Problem},
    compare::{Of, Reader, alone, sql},
};
use crate::canon::comparison::{Condition, Constant, Copied, Copying, DroppedTable, REJECTS};

/// Reads all of it from the fields of a file.
pub(super) fn read(root: &mut Fields<'_>, file: &str) -> Copying {
    let system = root.optional_str("system").map(|written| written.value);
    let reader = Reader { file, system: system.as_deref() };
    let rejects_table = sql(root, "rejects_table", "a name for a table");
    let rejects_table = rejects_table.map_or_else(|| REJECTS.to_owned(), |written| written.value);
    let mut copying = Copying { file: file.to_owned(), rejects_table, ..Copying::default() };
    let mut taken = BTreeSet::new();
    for mut fields in root.array_of_tables("copy") {
        if fields.present(&["dropped"]).is_empty() {
            copying.tables.extend(reader.copied(fields, &mut taken));
            continue;
        }
        let at = reader.at(fields.place());
        let source = fields.required_str("source");
        let why = sql(&mut fields, "dropped", "the reason, in words");
        fields.optional("target");
        alone(&fields, &["dropped", "target"]);
        fields.finish();
        if let Some((source, why)) = source.zip(why) {
            copying.dropped.push(DroppedTable { source: source.value, why: why.value, at });
        }
    }
    copying
}

impl Reader<'_> {
    fn copied(&self, mut fields: Fields<'_>, taken: &mut BTreeSet<(String, String)>) -> Option<Copied> {
        let at = self.at(fields.place());
        let source = fields.required_str("source");
        let target = fields.required("target", "a table, or `dropped` with the reason").and_then(|entry| entry.str());
        let mut condition = |key: &str| {
            let written = sql(&mut fields, key, "a condition in SQL")?;
            Some(Condition { at: self.at(&written.place), sql: written.value })
        };
        let (filter, target_filter) = (condition("source_where"), condition("target_where"));
        let skipped = sql(&mut fields, "skipped", "the reason, in words");
        if let (Some(skipped), None) = (&skipped, &filter) {
            let problem = Problem::new(&skipped.place, "is said of no rows that are left out");
            fields.problem(problem.expected("`source_where` beside it"));
        }
        let rejects = fields.optional_one_of("rejects", "treatment of rows that cannot be carried", &["stop", "keep"]);
        let keeps_rejects = rejects.is_some_and(|word| word.value == "keep");
        let orphans = fields.optional_one_of("orphans", "treatment of rows without a parent", &["stop", "reject"]);
        let orphans = orphans.filter(|word| word.value == "reject");
        if let Some(word) = orphans.as_ref().filter(|_| !keeps_rejects) {
            let problem = Problem::new(&word.place, "rejects rows that nobody keeps");
            fields.problem(problem.expected("`rejects = \"keep\"` beside it"));
        }
        let mut filled = BTreeSet::new();
        let mut columns = BTreeMap::new();
        for (name, entry) in fields.table("columns").iter_mut().flat_map(Fields::named) {
            let Some(column) = self.column(&entry, Of::Copy) else { continue };
            if let Some(target) = &column.target {
                fills(target, &name.place, &entry, &mut filled);
            }
            columns.insert(name.value, column);
        }
        let mut of_target = |key: &str, is_text: bool| {
            let mut texts = BTreeMap::new();
            for (name, entry) in fields.table(key).iter_mut().flat_map(Fields::named) {
                fills(&name.value, &name.place, &entry, &mut filled);
                let text = if is_text { words(&entry) } else { scalar(&entry) };
                let Some(text) = text else { continue };
                texts.insert(name.value, Constant { text, at: self.at(&name.place) });
            }
            texts
        };
        let constants = of_target("constants", false);
        let defaults = of_target("defaults", true);
        let names = source.zip(target);
        if let Some((source, target)) = &names
            && !taken.insert((source.value.clone(), target.value.clone()))
            && filter.is_none()
        {
            let message = format!("`{}` is copied into `{}` twice", source.value, target.value);
            let problem = Problem::new(fields.place(), message);
            fields.problem(problem.expected("one [[copy]] for a pair of tables, or a filter for each part"));
        }
        fields.finish();
        let (source, target) = names?;
        let skipped = skipped.map(|why| why.value);
        Some(Copied {
            source: source.value,
            target: target.value,
            filter,
            target_filter,
            skipped,
            keeps_rejects,
            rejects_orphans: orphans.is_some(),
            columns,
            constants,
            defaults,
            at,
        })
    }
}

/// Notes that a column of the target gets its value, and tells a second one that would give it another.
fn fills(target: &str, place: &Place, entry: &Entry<'_>, filled: &mut BTreeSet<String>) {
    if !filled.insert(target.to_owned()) {
        let problem = Problem::new(place, format!("`{target}` gets its value from here and from somewhere else"));
        entry.problem(problem.expected("one column, constant or default for a column of the target"));
    }
}

/// The reason, in words.
fn words(entry: &Entry<'_>) -> Option<String> {
    let written = entry.str()?;
    if written.value.trim().is_empty() {
        entry.problem(Problem::new(entry.place(), "is empty").expected("the reason, in words"));
        return None;
    }
    Some(written.value)
}

/// A text, number, or true or false, as its text.
fn scalar(entry: &Entry<'_>) -> Option<String> {
    match entry.kind() {
        "integer" => entry.i64().map(|number| number.value.to_string()),
        "float" => entry.f64().map(|number| format!("{:?}", number.value)),
        "boolean" => entry.bool().map(|truth| truth.value.to_string()),
        _ => entry.str().map(|text| text.value),
    }
}
