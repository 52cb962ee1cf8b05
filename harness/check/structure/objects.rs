//! Two databases of one engine: every object of both catalogues by name and definition.
//!
//! Names are read through the comparison's pairs: where a mapping renames a table or column, the source's objects are
//! renamed likewise before they are compared. Columns whose counterpart or rule a mapping states may be of another type.

use std::collections::{BTreeMap, BTreeSet};

use super::{claims, expression::plain};
use crate::{
    canon::comparison::{Comparison, Derived},
    check::{CheckContext, Examined},
    engine::fence,
    model::{
        Catalogue, Finding, FindingKind, Severity, Share, Side, Subject, Unchecked,
        catalogue::{Definition, ObjectName, PRINTED, why_hidden},
    },
};

/// Classes of objects that belong to the cluster, or to the database as a place: told, but no defect of what is in it.
const OF_THE_CLUSTER: &[&str] = &["role", "tablespace", "setting", "database"];

/// Compares every object. `versions` are given where the servers' major versions differ.
pub(in crate::check) fn same_engine(cx: &CheckContext<'_>, versions: Option<&str>, examined: &mut Examined) {
    let (source, target) = (cx.catalogue(Side::Source), cx.catalogue(Side::Target));
    let renaming = Renaming::new(cx.derived);
    let missing = Missing::new(cx.derived, source);
    let expected: BTreeMap<ObjectName, (&ObjectName, Definition)> = source
        .objects
        .iter()
        .map(|(name, definition)| (renaming.name(name), (name, renaming.definition(definition))))
        .collect();
    for (name, (own, definition)) in &expected {
        examined.coverage.objects += Share::new(1, 1);
        let is_named = cx.not_carried.iter().any(|(object, _)| *object == own.to_string());
        // A fence is no part of what is carried over, and goes with the way back.
        if is_named || missing.explains(own) || fence::is_part(own) {
            continue;
        }
        match target.objects.get(name) {
            None => lost(own, examined),
            Some(now) => {
                if let Some(reason) = why_hidden(definition).or_else(|| why_hidden(now)) {
                    examined.unchecked.push(Unchecked::new("object", name.to_string(), reason));
                    examined.coverage.objects.checked -= 1;
                    continue;
                }
                let difference = Difference::of(definition, now);
                if !difference.attributes.is_empty() && !expected_to_differ(cx.derived, name, &difference) {
                    differs(name, &difference, versions, examined);
                }
            }
        }
    }
    for comparison in &cx.derived.comparisons {
        order(source, target, comparison, examined);
    }
    extra(target, &expected, examined);
}

fn lost(name: &ObjectName, examined: &mut Examined) {
    let severity = if OF_THE_CLUSTER.contains(&name.class.as_str()) { Severity::Warning } else { Severity::Error };
    let finding = Finding::error(FindingKind::ObjectMissing, Subject::object(Side::Target, name.to_string()), 1);
    examined.findings.push(finding.at(severity).because(name.class.clone(), "none of that name"));
}

/// Objects that only the target has.
fn extra(target: &Catalogue, expected: &BTreeMap<ObjectName, (&ObjectName, Definition)>, examined: &mut Examined) {
    let is_new = |class: &str, name: &str| {
        let object = ObjectName::new(class, name);
        target.objects.contains_key(&object) && !expected.contains_key(&object)
    };
    let of_new_table = |name: &ObjectName| {
        name.class == "order" || name.name.rsplit_once('.').is_some_and(|(table, _)| is_new("table", table))
    };
    let is_extra = |name: &&ObjectName| !expected.contains_key(*name) && !of_new_table(name) && !fence::is_part(name);
    for name in target.objects.keys().filter(is_extra) {
        let finding = Finding::error(FindingKind::ObjectExtra, Subject::object(Side::Target, name.to_string()), 1);
        examined.findings.push(finding.at(Severity::Warning).because("none of that name", name.class.clone()));
    }
}

/// What two definitions do not have in common.
struct Difference<'a> {
    attributes: Vec<&'a String>,
    then: &'a Definition,
    now: &'a Definition,
}

impl<'a> Difference<'a> {
    fn of(then: &'a Definition, now: &'a Definition) -> Self {
        let all: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
        Self { attributes: all.into_iter().filter(|one| then.get(*one) != now.get(*one)).collect(), then, now }
    }

    fn told(&self, from: &Definition) -> String {
        let part = |one: &&String| format!("{one}: {}", from.get(*one).map_or("(none)", String::as_str));
        self.attributes.iter().map(part).collect::<Vec<_>>().join("; ")
    }

    /// Whether only SQL differs, and that only in how it is printed or in ways that cannot be judged.
    fn is_printed(&self) -> bool {
        self.attributes.iter().all(|one| PRINTED.contains(&one.as_str()))
    }

    fn reads_the_same(&self) -> bool {
        let said = |from: &Definition, one: &str| from.get(one).map(|text| plain(&unqualified(text)));
        self.is_printed() && self.attributes.iter().all(|one| said(self.then, one) == said(self.now, one))
    }
}

fn differs(name: &ObjectName, difference: &Difference<'_>, versions: Option<&str>, examined: &mut Examined) {
    if claims::tells(name, &difference.attributes, difference.now) || name.class == "order" {
        return;
    }
    if let Some(versions) = versions
        && difference.is_printed()
    {
        if !difference.reads_the_same() {
            let reason = format!("its definition reads otherwise, which may be due to the versions ({versions})");
            examined.unchecked.push(Unchecked::new("object", name.to_string(), reason));
            examined.coverage.objects.checked -= 1;
        }
        return;
    }
    // Libraries of collations and extensions have versions of their own.
    let of_cluster = OF_THE_CLUSTER.contains(&name.class.as_str())
        || name.class == "extension"
        || difference.attributes.iter().all(|one| *one == "version");
    let severity = if of_cluster { Severity::Warning } else { Severity::Error };
    let finding = Finding::error(FindingKind::ObjectChanged, Subject::object(Side::Target, name.to_string()), 1);
    let finding = finding.because(difference.told(difference.then), difference.told(difference.now));
    examined.findings.push(finding.at(severity));
}

/// SQL without the tables in front of columns, which later versions leave out.
fn unqualified(sql: &str) -> String {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '"';
    let mut plain = String::new();
    for (at, part) in sql.split('.').enumerate() {
        if at > 0 && plain.ends_with(is_name) && part.starts_with(is_name) {
            plain.truncate(plain.trim_end_matches(is_name).len());
        } else if at > 0 {
            plain.push('.');
        }
        plain.push_str(part);
    }
    plain
}

/// Whether a mapping states something about the column that an object is about: then it may be of another type.
fn expected_to_differ(derived: &Derived, name: &ObjectName, difference: &Difference<'_>) -> bool {
    let types = ["type", "declared", "default", "collation", "storage", "compression", "character_set"];
    let about_type = difference.attributes.iter().all(|one| types.contains(&one.as_str()));
    name.class == "column"
        && about_type
        && derived.comparisons.iter().any(|comparison| {
            comparison
                .columns
                .iter()
                .any(|pair| pair.stated && format!("{}.{}", comparison.target, escaped(&pair.target.name)) == name.name)
        })
}

/// Columns that both sides have, in another order.
fn order(source: &Catalogue, target: &Catalogue, comparison: &Comparison, examined: &mut Examined) {
    let (Some(source), Some(target)) = (source.tables.get(&comparison.source), target.tables.get(&comparison.target))
    else {
        return;
    };
    let paired = comparison.columns.iter().map(|pair| (pair.source.name.as_str(), pair.target.name.as_str()));
    let paired: BTreeMap<&str, &str> = paired.collect();
    let expected: Vec<&str> = source.columns.iter().filter_map(|one| paired.get(one.name.as_str()).copied()).collect();
    let known: BTreeSet<&str> = expected.iter().copied().collect();
    let found: Vec<&str> =
        target.columns.iter().map(|one| one.name.as_str()).filter(|name| known.contains(name)).collect();
    if expected != found {
        let subject = Subject::object(Side::Target, format!("order:{}", comparison.target));
        let finding = Finding::error(FindingKind::ColumnOrder, subject, 1).at(Severity::Warning);
        examined.findings.push(finding.because(expected.join(", "), found.join(", ")));
    }
}

/// Tables and columns that the target lacks: their parts are told with them.
struct Missing {
    /// `table.` and `table.column` as object names begin or are.
    tables: BTreeSet<String>,
    columns: BTreeSet<String>,
}

impl Missing {
    fn new(derived: &Derived, source: &Catalogue) -> Self {
        let gone = derived.source_only.iter().filter(|name| source.tables.contains_key(*name));
        let columns = derived.source_columns_only.iter().map(|(table, column)| (table, column));
        // What is ignored for a reason is named as that.
        let ignored = derived.ignored.keys().filter(|(side, ..)| *side == Side::Source);
        let columns = columns.chain(ignored.map(|(_, table, column)| (table, column)));
        Self {
            tables: gone.map(ToString::to_string).collect(),
            columns: columns.map(|(table, column)| format!("{table}.{}", escaped(column))).collect(),
        }
    }

    fn explains(&self, name: &ObjectName) -> bool {
        let is_part = |table: &String| {
            name.name.strip_prefix(table.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let is_of_table = ["table", "column", "order", "index", "constraint", "trigger", "policy", "rule"];
        (is_of_table.contains(&name.class.as_str()) && self.tables.iter().any(is_part))
            || (name.class == "column" && self.columns.contains(&name.name))
    }
}

fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace('.', "\\.")
}

/// The names that a mapping changes, from the source's to the target's.
struct Renaming {
    /// Whole names of tables, as objects are called.
    tables: Vec<(String, String)>,
    /// Columns by the source's table.
    columns: Vec<(String, String, String)>,
    /// Words in definitions.
    words: BTreeMap<String, String>,
}

impl Renaming {
    fn new(derived: &Derived) -> Self {
        let (mut tables, mut columns, mut words) = (Vec::new(), Vec::new(), BTreeMap::new());
        for comparison in &derived.comparisons {
            if comparison.source != comparison.target {
                tables.push((comparison.source.to_string(), comparison.target.to_string()));
                words.insert(comparison.source.name.clone(), comparison.target.name.clone());
            }
            for pair in comparison.columns.iter().filter(|pair| pair.source.name != pair.target.name) {
                let (from, to) = (escaped(&pair.source.name), escaped(&pair.target.name));
                columns.push((comparison.source.to_string(), from, to));
                words.insert(pair.source.name.clone(), pair.target.name.clone());
            }
        }
        Self { tables, columns, words }
    }

    fn name(&self, name: &ObjectName) -> ObjectName {
        let mut renamed = name.clone();
        if name.class == "column" {
            let found = self.columns.iter().find(|(table, from, _)| name.name == format!("{table}.{from}"));
            if let Some((table, _, to)) = found {
                renamed.name = format!("{table}.{to}");
            }
        }
        let begins = |(from, to): &(String, String)| {
            let rest =
                renamed.name.strip_prefix(from.as_str()).filter(|rest| rest.is_empty() || rest.starts_with('.'))?;
            Some(format!("{to}{rest}"))
        };
        if let Some(name) = self.tables.iter().find_map(begins) {
            renamed.name = name;
        } else if name.class == "comment" {
            renamed.name = self.text(&renamed.name);
        }
        renamed
    }

    fn definition(&self, definition: &Definition) -> Definition {
        if self.words.is_empty() {
            return definition.clone();
        }
        definition.iter().map(|(attribute, text)| (attribute.clone(), self.text(text))).collect()
    }

    /// A text with its words renamed.
    fn text(&self, text: &str) -> String {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let (mut out, mut rest) = (String::new(), text);
        while let Some(start) = rest.find(is_name) {
            let end = rest[start..].find(|c| !is_name(c)).map_or(rest.len(), |end| start + end);
            out.push_str(&rest[..start]);
            out.push_str(self.words.get(&rest[start..end]).map_or(&rest[start..end], String::as_str));
            rest = &rest[end..];
        }
        out + rest
    }
}
