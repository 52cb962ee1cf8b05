//! `schema`: what the target's tables lost or changed against the source's.

use async_trait::async_trait;

use super::{Check, CheckContext, CheckMeta, Examined};
use crate::{
    canon::comparison::{ColumnPair, Comparison, Derived},
    engine::EngineError,
    model::{
        Finding, FindingKind, LogicalType, Severity, Share, Side, Stage, Subject, Unchecked,
        catalogue::{Index, Table},
    },
};

/// What the target's tables lost or changed.
pub struct Schema;

static META: CheckMeta = CheckMeta {
    id: "schema",
    asserts: "every table, column, key, unique, index, default, NOT NULL and CHECK of the source is in the target",
    why: "rows can arrive whole in a schema that lost its keys: the next write does the damage",
    remedy: "add what is missing to the target's schema, or say in the scenario that it is dropped on purpose",
    example: "an index dropped from the target",
    stages: &[Stage::Migrated],
};

#[async_trait]
impl Check for Schema {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        missing_tables(cx, &mut examined);
        for comparison in &cx.derived.comparisons {
            let source = &cx.catalogue(Side::Source).tables[&comparison.source];
            let target = &cx.catalogue(Side::Target).tables[&comparison.target];
            let is_bound = cx.readers.engine(Side::Source).dialect().enforces_types();
            let named = cx.not_carried;
            Pair { comparison, source, target, is_bound, named, derived: cx.derived, examined: &mut examined }
                .compare();
        }
        not_carried(cx, &mut examined);
        Ok(examined)
    }
}

fn missing_tables(cx: &CheckContext<'_>, examined: &mut Examined) {
    for name in &cx.derived.source_only {
        let table = &cx.catalogue(Side::Source).tables[name];
        examined.coverage.objects.total += 1;
        match &table.unreadable {
            Some(reason) => examined.unchecked.push(Unchecked::new("object", format!("table {name}"), reason)),
            None => {
                examined.coverage.objects.checked += 1;
                let finding = Finding::error(FindingKind::TableMissing, Subject::table(Side::Source, name), 1);
                examined.findings.push(finding.because("a table", "none of that name"));
            }
        }
    }
}

/// Views, triggers and whatever else the migration said it leaves behind: never dropped in silence.
fn not_carried(cx: &CheckContext<'_>, examined: &mut Examined) {
    for (object, reason) in cx.not_carried {
        let finding = Finding::error(FindingKind::NotCarried, Subject::object(Side::Source, object), 1);
        examined.findings.push(finding.at(Severity::Warning).because("carried over", reason));
    }
    let target = cx.catalogue(Side::Target);
    for name in cx.catalogue(Side::Source).objects.keys() {
        let is_named = cx.not_carried.iter().any(|(object, _)| *object == name.to_string());
        if matches!(name.class.as_str(), "view" | "trigger") && !is_named && !target.objects.contains_key(name) {
            let finding = Finding::error(FindingKind::NotCarried, Subject::object(Side::Source, name.to_string()), 1);
            let finding = finding.because(name.class.clone(), "none of that name");
            examined.findings.push(finding.at(Severity::Warning));
        }
    }
}

struct Pair<'a> {
    comparison: &'a Comparison,
    source: &'a Table,
    target: &'a Table,
    /// Whether the source's types bind its values; where they do not, only the values can tell what does not fit.
    is_bound: bool,
    /// What the migration said it leaves behind: told as that, and not as a loss besides.
    named: &'a [(String, String)],
    derived: &'a Derived,
    examined: &'a mut Examined,
}

impl Pair<'_> {
    fn compare(&mut self) {
        for column in &self.source.columns {
            let pair = self.comparison.columns.iter().find(|pair| pair.source.name == column.name);
            self.counted();
            match pair {
                Some(pair) => self.column(pair),
                // Ignored for a reason, or compared in another part of the table.
                None if self.derived.is_accounted_for(&self.source.name, &column.name) => {}
                None => {
                    let names = std::slice::from_ref(&column.name);
                    let subject = Subject::columns(Side::Source, &self.source.name, names);
                    let finding = Finding::error(FindingKind::ColumnMissing, subject, 1);
                    self.examined.findings.push(finding.because(column.declared.clone(), "no such column"));
                }
            }
        }
        self.keys();
        for index in &self.source.indexes {
            self.counted();
            self.index(index);
        }
        self.counted();
        let stated = self.source.checks.iter().filter(|check| !self.is_implied(&check.expression));
        let (of_source, of_target) = (stated.count(), self.target.checks.len());
        let object = format!("constraint:{} (CHECK)", self.target.name);
        if of_source > of_target && !self.is_named(&object) {
            let missing = (of_source - of_target) as u64;
            let finding = Finding::error(FindingKind::ObjectMissing, Subject::object(Side::Target, object), missing);
            let finding = finding.because(format!("{of_source} CHECK constraints"), of_target.to_string());
            self.examined.findings.push(finding.at(Severity::Warning));
        }
    }

    /// Whether a CHECK of the source only says what the target's types say: booleans that are 0 or 1, text that is JSON.
    fn is_implied(&self, expression: &str) -> bool {
        let plain: String = expression.chars().filter(|c| !c.is_whitespace() && !"\"`[]()".contains(*c)).collect();
        self.comparison.columns.iter().any(|pair| {
            let name = &pair.source.name;
            match pair.target.kind {
                LogicalType::Boolean => plain.eq_ignore_ascii_case(&format!("{name}IN0,1")),
                LogicalType::Json { .. } => {
                    let says = format!("json_valid{name}");
                    plain.eq_ignore_ascii_case(&says) || plain.eq_ignore_ascii_case(&format!("{name}ISNULLOR{says}"))
                }
                _ => false,
            }
        })
    }

    fn counted(&mut self) {
        self.examined.coverage.objects += Share::new(1, 1);
    }

    fn is_named(&self, object: &str) -> bool {
        self.named.iter().any(|(named, _)| named == object)
    }

    fn lost(&mut self, object: String, expected: &str, found: &str) {
        if self.is_named(&object) {
            return;
        }
        let finding = Finding::error(FindingKind::ObjectMissing, Subject::object(Side::Target, object), 1);
        self.examined.findings.push(finding.because(expected, found));
    }

    fn column(&mut self, pair: &ColumnPair) {
        let of = format!("{}.{}", self.source.name, pair.source.name);
        let loss = narrower(&pair.source.kind, &pair.target.kind).filter(|_| self.is_bound);
        if let Some(loss) = loss {
            let names = std::slice::from_ref(&pair.target.name);
            let subject = Subject::columns(Side::Target, &self.target.name, names);
            let finding = Finding::error(FindingKind::TypeLossy, subject, 1).at(Severity::Warning);
            self.examined
                .findings
                .push(finding.because(pair.source.declared.clone(), format!("{}: {loss}", pair.target.declared)));
        }
        if !pair.source.nullable && pair.target.nullable {
            self.lost(format!("constraint:{of} (NOT NULL)"), "NOT NULL", "nullable");
        }
        let is_fed = pair.target.generation.is_counter() || pair.target.generation.is_computed();
        // No default at all and NULL are the same.
        let default = pair.source.default.as_ref().filter(|default| !default.eq_ignore_ascii_case("null"));
        if let (Some(default), None, false) = (default, &pair.target.default, is_fed) {
            self.lost(format!("default:{of}"), &format!("DEFAULT {default}"), "no default");
        }
        if pair.source.generation.is_computed() && !pair.target.generation.is_computed() {
            self.lost(format!("generated:{of}"), "a generated column", "a plain column");
        }
    }

    /// A source's columns in the names of the target; `None` if one has no counterpart.
    fn renamed(&self, columns: &[String]) -> Option<Vec<String>> {
        columns
            .iter()
            .map(|column| {
                let pair = self.comparison.columns.iter().find(|pair| pair.source.name == *column);
                pair.map(|pair| pair.target.name.clone())
            })
            .collect()
    }

    fn keys(&mut self) {
        if let Some(key) = &self.source.primary_key {
            self.counted();
            let has = self.target.primary_key.as_ref().map(|other| other.columns.clone());
            if has.is_none() || self.renamed(&key.columns) != has {
                let found = has.map_or("none".to_owned(), |columns| columns.join(", "));
                let expected = format!("PRIMARY KEY ({})", key.columns.join(", "));
                self.lost(format!("constraint:{} (PRIMARY KEY)", self.target.name), &expected, &found);
            }
        }
        for key in &self.source.uniques {
            self.counted();
            let wanted = self.renamed(&key.columns).map(sorted);
            let has = self.target.unique_keys().any(|other| wanted == Some(sorted(other.columns.clone())));
            if !has {
                let expected = format!("UNIQUE ({})", key.columns.join(", "));
                self.lost(format!("constraint:{} (UNIQUE)", self.target.name), &expected, "not unique");
            }
        }
    }

    fn index(&mut self, index: &Index) {
        let object = format!("index:{}.{}", self.source.name, index.name);
        let alike = self.alike(index);
        if alike.is_empty() && !self.is_key(index) {
            return self.lost(object, "an index", "none over the same columns");
        }
        // Each engine prints expressions in its own way, so that another text is a reason to look and no more.
        let wanted = said(index);
        if let Some(other) = alike.first()
            && !alike.iter().any(|other| plain(&said(other)) == plain(&wanted))
            && !self.is_named(&object)
        {
            let finding = Finding::error(FindingKind::ObjectChanged, Subject::object(Side::Target, object), 1);
            let finding = finding.because(wanted, said(other));
            self.examined.findings.push(finding.at(Severity::Warning));
        }
    }

    /// The target's indexes over the same parts, as unique and as partial as the source's.
    fn alike(&self, index: &Index) -> Vec<&Index> {
        let parts = |index: &Index, rename: &dyn Fn(&str) -> Option<String>| -> Vec<(Option<String>, bool)> {
            let part = |part: &crate::model::catalogue::IndexPart| {
                (part.column.as_deref().map(|column| rename(column).unwrap_or_default()), part.descending)
            };
            index.parts.iter().map(part).collect()
        };
        let to_target = |column: &str| self.renamed(&[column.to_owned()]).map(|names| names.concat());
        let wanted = parts(index, &to_target);
        let same = |other: &Index| {
            parts(other, &|column| Some(column.to_owned())) == wanted
                && other.unique == index.unique
                && other.predicate.is_some() == index.predicate.is_some()
                && other.valid
        };
        self.target.indexes.iter().filter(|other| same(other)).collect()
    }

    /// Whether a unique or primary key of the target, which is an index as well, begins with the columns of this one.
    fn is_key(&self, index: &Index) -> bool {
        let columns: Option<Vec<String>> = index.parts.iter().map(|part| part.column.clone()).collect();
        let columns = columns.and_then(|columns| self.renamed(&columns));
        index.predicate.is_none()
            && index.parts.iter().all(|part| !part.descending)
            && columns.is_some_and(|columns| self.target.unique_keys().any(|key| key.columns.starts_with(&columns)))
    }
}

/// The expressions of an index and its predicate: what columns do not tell.
fn said(index: &Index) -> String {
    let parts = index.parts.iter().filter_map(|part| part.expression.clone());
    parts.chain(index.predicate.as_ref().map(|predicate| format!("WHERE {predicate}"))).collect::<Vec<_>>().join(", ")
}

/// An expression without what engines write in different ways: blanks, parentheses, quotes, casts and case.
fn plain(expression: &str) -> String {
    let mut plain = String::new();
    let mut rest = expression;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            ':' if rest.starts_with(':') => {
                let is_name = |c: char| c.is_alphanumeric() || "_.\"".contains(c);
                rest = rest[1..].trim_start_matches(is_name);
            }
            _ if c.is_whitespace() || "\"`[]()".contains(c) => {}
            _ => plain.extend(c.to_lowercase()),
        }
    }
    plain
}

fn sorted(mut columns: Vec<String>) -> Vec<String> {
    columns.sort();
    columns
}

/// What the target's type cannot hold of the source's, if there is such a thing.
fn narrower(source: &LogicalType, target: &LogicalType) -> Option<String> {
    use LogicalType as T;
    match (source, target) {
        (T::Integer { bits: from }, T::Integer { bits: to }) if to < from => Some(format!("{from} bits into {to}")),
        (T::Float64, T::Float32) => Some("half of the precision".to_owned()),
        (T::Decimal { .. }, T::Float32 | T::Float64) => Some("decimals into binary fractions".to_owned()),
        (
            T::Decimal { precision: Some(from), scale: Some(from_scale) },
            T::Decimal { precision: Some(to), scale: Some(to_scale) },
        ) if to_scale < from_scale
            || i64::from(*to) - i64::from(*to_scale) < i64::from(*from) - i64::from(*from_scale) =>
        {
            Some(format!("({from},{from_scale}) into ({to},{to_scale})"))
        }
        (T::Timestamp | T::TimestampTz, T::Date) => Some("the time of day is lost".to_owned()),
        (T::Text { limit: None }, T::Text { limit: Some(to) }) => Some(format!("at most {to} characters")),
        (T::Text { limit: Some(from) }, T::Text { limit: Some(to) }) if to < from => {
            Some(format!("{from} characters into {to}"))
        }
        _ => None,
    }
}
