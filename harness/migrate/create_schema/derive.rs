//! The target's schema from the source's catalogue and content: a pure function.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    super::NotCarried,
    default, expression,
    kind::Asked,
    link::{self, Place},
    naming::Names,
};
use crate::{
    canon::comparison::{Stated, StatedColumn},
    engine::{Dialect, content::ContentProfile},
    model::{
        Catalogue, LogicalType, TableName,
        catalogue::{
            CheckConstraint, Column, Definition, ForeignKey, Generation, Index, IndexPart, Key, Reference,
            SequenceOwner, Table,
        },
    },
};

/// The most columns that a table of PostgreSQL can have.
const MOST_COLUMNS: usize = 1600;

/// What the source's tables hold.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// The content of each table that is carried, its columns in the catalogue's order.
    pub profiles: BTreeMap<TableName, ContentProfile>,
    /// Columns that hold a UUID in more than one spelling.
    pub respelled: BTreeSet<(TableName, String)>,
}

/// The schema to make.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Derived {
    /// Tables and their columns, without keys and indexes: before the rows.
    pub tables: Vec<Table>,
    /// Everything else, in the order in which it is made: after the rows.
    pub later: Vec<Later>,
    /// Counters of the source that stand beyond their table's largest value, and the next value that they give.
    pub positions: Vec<(SequenceOwner, i64)>,
    /// Names and rules that names and types alone would not lead to.
    pub stated: Vec<Stated>,
    /// What is not carried, or is not what was declared.
    pub not_carried: Vec<NotCarried>,
}

impl Derived {
    /// A table of this name and nothing else.
    pub(super) fn bare(name: TableName) -> Table {
        Table {
            name,
            columns: Vec::new(),
            primary_key: None,
            uniques: Vec::new(),
            foreign_keys: Vec::new(),
            indexes: Vec::new(),
            checks: Vec::new(),
            unreadable: None,
        }
    }
}

/// Something of a table that is made after the rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Later {
    /// The target's table.
    pub table: TableName,
    /// What it is.
    pub part: Part,
    /// The object's name in reports.
    pub object: String,
}

/// What can be added to a table that is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// PRIMARY KEY.
    PrimaryKey(Key),
    /// UNIQUE.
    Unique(Key),
    /// An index.
    Index(Index),
    /// CHECK.
    Check(CheckConstraint),
    /// FOREIGN KEY.
    ForeignKey(ForeignKey),
}

/// Derives the schema of a target that speaks this dialect.
pub fn derive(source: &Catalogue, content: &Content, dialect: &dyn Dialect) -> Derived {
    let asked = asked(source, content);
    let mut kinds: BTreeMap<Place, LogicalType> =
        asked.iter().map(|(place, asked)| (place.clone(), asked.choose())).collect();
    link::unify(source, &asked, &mut kinds);
    let mut deriving = Deriving {
        source,
        asked,
        kinds,
        dialect,
        relations: Names::default(),
        constraints: BTreeMap::new(),
        made: Vec::new(),
        derived: Derived::default(),
    };
    deriving.run(content);
    deriving.derived.tables = deriving.made.into_iter().map(|(_, target)| target).collect();
    deriving.derived
}

/// Every column of the tables that are carried.
fn asked<'a>(source: &'a Catalogue, content: &'a Content) -> BTreeMap<Place, Asked<'a>> {
    let referred: BTreeSet<Place> = source
        .references()
        .flat_map(|reference| {
            let of = |table: &TableName, columns: Vec<String>| {
                columns.into_iter().map(|column| (table.clone(), column)).collect::<Vec<_>>()
            };
            [of(&reference.child, reference.columns), of(&reference.parent, reference.parent_columns)].concat()
        })
        .collect();
    let mut all = BTreeMap::new();
    for (name, profile) in &content.profiles {
        let table = &source.tables[name];
        for (column, content_of) in table.columns.iter().zip(&profile.columns) {
            let place = (name.clone(), column.name.clone());
            let is_part = |index: &Index| index.parts.iter().any(|part| part.column.as_ref() == Some(&column.name));
            let in_unique_index = table.indexes.iter().any(|index| index.unique && is_part(index));
            let in_key = in_unique_index || table.unique_keys().any(|key| key.columns.contains(&column.name));
            let asked = Asked {
                column,
                content: content_of,
                in_key,
                in_reference: referred.contains(&place),
                in_index: table.indexes.iter().any(is_part),
                respelled: content.respelled.contains(&place),
            };
            all.insert(place, asked);
        }
    }
    all
}

struct Deriving<'a> {
    source: &'a Catalogue,
    asked: BTreeMap<Place, Asked<'a>>,
    kinds: BTreeMap<Place, LogicalType>,
    dialect: &'a dyn Dialect,
    /// Tables, indexes and the indexes of keys share one space of names.
    relations: Names,
    /// The constraints of each table share another one.
    constraints: BTreeMap<TableName, Names>,
    /// Tables and their counterparts.
    made: Vec<(&'a Table, Table)>,
    derived: Derived,
}

impl<'a> Deriving<'a> {
    fn run(&mut self, content: &Content) {
        let source = self.source;
        for table in source.tables.values() {
            match &table.unreadable {
                Some(reason) => self.lost(format!("table:{}", table.name), reason.clone()),
                None if table.columns.len() > MOST_COLUMNS => {
                    let reason =
                        format!("has {} columns, and the target's tables at most {MOST_COLUMNS}", table.columns.len());
                    self.lost(format!("table:{}", table.name), reason);
                }
                None if content.profiles.contains_key(&table.name) => self.table(table),
                None => {}
            }
        }
        // All tables have their names before anything else takes one.
        let made = self.made.clone();
        for step in [Self::keys, Self::indexes, Self::checks] {
            for (table, target) in &made {
                step(self, table, target);
            }
        }
        for (table, target) in &made {
            self.foreign_keys(table, target, &made);
        }
        self.positions(content);
        self.objects();
    }

    fn lost(&mut self, object: String, reason: impl Into<String>) {
        self.derived.not_carried.push(NotCarried { object, reason: reason.into() });
    }

    fn later(&mut self, table: &TableName, object: String, part: Part) {
        self.derived.later.push(Later { table: table.clone(), part, object });
    }

    fn stated(&mut self, source: &TableName, target: &TableName) -> &mut Stated {
        let (source, target) = (source.to_string(), target.to_string());
        let all = &mut self.derived.stated;
        let at = all.iter().position(|one| one.source == source).unwrap_or_else(|| {
            all.push(Stated { source, target, ..Stated::default() });
            all.len() - 1
        });
        &mut all[at]
    }

    fn table(&mut self, table: &'a Table) {
        let name = TableName::new(self.relations.claim(&table.name.name));
        if name != table.name {
            self.stated(&table.name, &name);
            self.lost(format!("name:{}", table.name), format!("the target takes no such name; became {name}"));
        }
        let mut names = Names::of_columns();
        let columns = table.columns.iter().map(|column| self.column(table, &name, column, &mut names)).collect();
        let target = Table { columns, ..Derived::bare(name) };
        self.made.push((table, target));
    }

    fn column(&mut self, table: &Table, target: &TableName, column: &Column, names: &mut Names) -> Column {
        let place = (table.name.clone(), column.name.clone());
        let (asked, kind) = (self.asked[&place], self.kinds[&place].clone());
        let of = format!("{}.{}", table.name, column.name);
        let name = names.claim(&column.name);
        // Every type that is chosen has a name in the dialect; text is the one that none lacks.
        let declared = self.dialect.declare(&kind).unwrap_or_else(|| "text".to_owned());
        self.remark(&asked, &kind, &of, &declared);
        let rule = asked.stated_rule(&kind).map(|rule| rule.word().to_owned());
        if name != column.name {
            self.lost(format!("name:{of}"), format!("the target takes no such name; became {name}"));
        }
        if name != column.name || rule.is_some() {
            let renamed = (name != column.name).then(|| name.clone());
            let stated = StatedColumn { target: renamed, rule };
            self.stated(&table.name, target).columns.insert(column.name.clone(), stated);
        }
        let holds_null = asked.content.nulls > 0;
        // SQLite's primary keys may be NULL for the sake of old mistakes; nobody means it.
        let in_primary_key = table.primary_key.iter().any(|key| key.columns.contains(&column.name));
        let nullable = holds_null || (column.nullable && !in_primary_key);
        if holds_null && !column.nullable {
            self.lost(
                format!("constraint:{of} (NOT NULL)"),
                format!("{} rows hold NULL all the same", asked.content.nulls),
            );
        }
        if let Some(collation) = &column.collation {
            self.lost(
                format!("collation:{of}"),
                format!("{collation} is not carried: texts are told apart to the byte"),
            );
        }
        let default = column.default.as_ref().and_then(|written| default::translate(written, &kind));
        if let (Some(written), None) = (&column.default, &default) {
            self.lost(format!("default:{of}"), format!("{written} is not translated"));
        }
        let is_counter = column.generation.is_counter();
        if let Generation::Computed { expression, .. } = &column.generation {
            self.lost(format!("generated:{of}"), format!("became a plain column with the values of ({expression})"));
        }
        let generation = if is_counter { Generation::IdentityByDefault } else { Generation::None };
        Column { name, declared, kind, nullable, default, generation, collation: None }
    }

    fn remark(&mut self, asked: &Asked<'_>, kind: &LogicalType, of: &str, declared: &str) {
        let object = format!("column:{of}");
        if let Some(remark) = asked.remark(kind) {
            let tied = if *kind == asked.choose() { "" } else { ", like the columns that foreign keys tie it to" };
            self.lost(object, format!("{remark}; became {declared}{tied}"));
        } else if *kind != asked.choose() && !link::comparable(kind, &asked.choose()) {
            self.lost(object, format!("became {declared}, like the columns that foreign keys tie it to"));
        }
    }

    /// A source's column, its counterpart.
    fn counterpart<'t>(&self, table: &Table, target: &'t Table, column: &str) -> Option<&'t Column> {
        let at = table.columns.iter().position(|own| own.name.eq_ignore_ascii_case(column))?;
        target.columns.get(at)
    }

    fn renamed(&self, table: &Table, target: &Table, columns: &[String]) -> Option<Vec<String>> {
        columns.iter().map(|name| self.counterpart(table, target, name).map(|column| column.name.clone())).collect()
    }

    fn constraint(&mut self, target: &Table, wanted: &str) -> String {
        self.constraints.entry(target.name.clone()).or_default().claim(wanted)
    }

    fn keys(&mut self, table: &Table, target: &Table) {
        let name = |deriving: &mut Self, given: &Option<String>, columns: &[String], suffix: &str| {
            let made = || {
                format!("{}{}_{suffix}", target.name.name, columns.iter().map(|c| format!("_{c}")).collect::<String>())
            };
            let name = deriving.relations.claim(&given.clone().unwrap_or_else(made));
            Some(deriving.constraint(target, &name))
        };
        if let Some(key) = &table.primary_key
            && let Some(columns) = self.renamed(table, target, &key.columns)
        {
            let holds_null =
                key.columns.iter().any(|column| self.asked[&(table.name.clone(), column.clone())].content.nulls > 0);
            let object = format!("constraint:{} (PRIMARY KEY)", target.name);
            if holds_null {
                self.lost(object.clone(), "some rows have NULL in it; became UNIQUE");
                let key = Key { name: name(self, &key.name, &columns, "key"), columns };
                self.later(&target.name, object, Part::Unique(key));
            } else {
                let key = Key { name: name(self, &key.name, &[], "pkey"), columns };
                self.later(&target.name, object, Part::PrimaryKey(key));
            }
        }
        // A unique key that an index of the same name keeps comes with that index.
        let is_index = |key: &&Key| table.indexes.iter().any(|index| Some(&index.name) == key.name.as_ref());
        for key in table.uniques.iter().filter(|key| !is_index(key)) {
            if let Some(columns) = self.renamed(table, target, &key.columns) {
                let key = Key { name: name(self, &key.name, &columns, "key"), columns };
                self.later(&target.name, format!("constraint:{} (UNIQUE)", target.name), Part::Unique(key));
            }
        }
    }

    fn indexes(&mut self, table: &Table, target: &Table) {
        for index in &table.indexes {
            let object = format!("index:{}.{}", table.name, index.name);
            let part = |part: &IndexPart| {
                let column = self.counterpart(table, target, part.column.as_deref()?)?;
                Some(IndexPart { column: Some(column.name.clone()), expression: None, collation: None, ..part.clone() })
            };
            let Some(parts) = index.parts.iter().map(part).collect::<Option<Vec<_>>>() else {
                self.lost(object, "indexes an expression, which is not translated");
                continue;
            };
            let predicate = match &index.predicate {
                Some(written) => match self.translated(table, target, written) {
                    Some(sql) => Some(sql),
                    None => {
                        self.lost(object, format!("is partial, and WHERE {written} is not translated"));
                        continue;
                    }
                },
                None => None,
            };
            for part in &index.parts {
                if let Some(collation) = &part.collation {
                    let reason = format!("{collation} is not carried: texts are told apart to the byte");
                    self.lost(format!("collation:{}.{}", table.name, index.name), reason);
                }
            }
            let name = self.relations.claim(&index.name);
            let index = Index { name, unique: index.unique, parts, predicate, method: None, valid: true };
            self.later(&target.name, object, Part::Index(index));
        }
    }

    fn translated(&self, table: &Table, target: &Table, condition: &str) -> Option<String> {
        let becomes = |name: &str| {
            let own = table.columns.iter().find(|own| own.name.eq_ignore_ascii_case(name))?;
            let content = self.asked[&(table.name.clone(), own.name.clone())].content;
            let other = self.counterpart(table, target, name)?;
            // To the source, the word `t` is not equal to 1.
            let means_another = other.kind == LogicalType::Boolean && content.texts > 0;
            (!means_another).then_some((own, other))
        };
        expression::translate(condition, &becomes, self.dialect)
    }

    fn checks(&mut self, table: &Table, target: &Table) {
        for check in &table.checks {
            let object = format!("constraint:{} (CHECK)", target.name);
            match self.translated(table, target, &check.expression) {
                Some(expression) => {
                    let wanted = check.name.clone().unwrap_or_else(|| format!("{}_check", target.name.name));
                    let name = Some(self.constraint(target, &wanted));
                    self.later(&target.name, object, Part::Check(CheckConstraint { name, expression }));
                }
                None => self.lost(object, format!("CHECK ({}) is not translated", check.expression)),
            }
        }
    }

    fn foreign_keys(&mut self, table: &Table, target: &Table, made: &[(&Table, Table)]) {
        for key in &table.foreign_keys {
            let reference = Reference::of(&table.name, key);
            let object = format!("foreign key:{reference}");
            let parent = made.iter().find(|(parent, _)| parent.name == key.parent);
            match parent
                .ok_or_else(|| "its parent is not carried".to_owned())
                .and_then(|(parent, other)| self.foreign_key(key, (table, target), (parent, other)))
            {
                Ok(mut made) => {
                    let wanted = key
                        .name
                        .clone()
                        .unwrap_or_else(|| format!("{}_{}_fkey", target.name.name, made.columns.join("_")));
                    made.name = Some(self.constraint(target, &wanted));
                    self.later(&target.name, object, Part::ForeignKey(made));
                }
                Err(reason) => self.lost(object, reason),
            }
        }
    }

    fn foreign_key(
        &self,
        key: &ForeignKey,
        (table, target): (&Table, &Table),
        (parent, other): (&Table, &Table),
    ) -> Result<ForeignKey, String> {
        if key.parent_columns.len() != key.columns.len() {
            return Err("its parent has no key of as many columns".to_owned());
        }
        let missing = || "it names a column that is not there".to_owned();
        let columns = self.renamed(table, target, &key.columns).ok_or_else(missing)?;
        let parent_columns = self.renamed(parent, other, &key.parent_columns).ok_or_else(missing)?;
        let sorted = |columns: &[String]| columns.iter().cloned().collect::<BTreeSet<_>>();
        let wanted = sorted(&key.parent_columns);
        let is_unique = parent.unique_keys().any(|unique| sorted(&unique.columns) == wanted)
            || parent.indexes.iter().any(|index| {
                let columns: Option<BTreeSet<_>> = index.parts.iter().map(|part| part.column.clone()).collect();
                index.unique && index.predicate.is_none() && columns.as_ref() == Some(&wanted)
            });
        if !is_unique {
            return Err("its parent's columns are no unique key".to_owned());
        }
        for (column, parent_column) in columns.iter().zip(&parent_columns) {
            let declared = |table: &Table, name: &str| {
                table.column(name).map(|column| (column.kind.clone(), column.declared.clone()))
            };
            let (own, theirs) = (declared(target, column), declared(other, parent_column));
            if let (Some((kind, declared)), Some((parent_kind, parent_declared))) = (own, theirs)
                && !link::comparable(&kind, &parent_kind)
            {
                return Err(format!(
                    "`{column}` became {declared}, and its parent's `{parent_column}` {parent_declared}"
                ));
            }
        }
        Ok(ForeignKey {
            name: None,
            columns,
            parent: other.name.clone(),
            parent_columns,
            validated: true,
            ..key.clone()
        })
    }

    fn positions(&mut self, content: &Content) {
        for sequence in &self.source.sequences {
            let Some(owner) = &sequence.feeds else { continue };
            let place = (owner.table.clone(), owner.column.clone());
            let Some(asked) = self.asked.get(&place) else { continue };
            let largest = asked.content.integer_range.map_or(0, |(_, most)| i128::from(most));
            if !content.profiles.contains_key(&owner.table) || sequence.next <= largest.max(0) + 1 {
                continue;
            }
            let made = self.made.iter().find(|(table, _)| table.name == owner.table);
            let column =
                made.and_then(|(table, target)| Some((target, self.counterpart(table, target, &owner.column)?)));
            match (i64::try_from(sequence.next), column) {
                (Ok(next), Some((target, column))) => {
                    let owner = SequenceOwner { table: target.name.clone(), column: column.name.clone() };
                    self.derived.positions.push((owner, next));
                }
                _ => self.lost(format!("sequence:{}", owner.table), "is used up"),
            }
        }
    }

    /// Views, triggers, and what constraints do on a conflict.
    fn objects(&mut self) {
        for (name, definition) in &self.source.objects {
            match name.class.as_str() {
                "view" | "trigger" => self.lost(name.to_string(), "its SQL is not translated"),
                _ => {
                    let conflict = ["on_conflict", "on_null"].iter().find_map(|key| Definition::get(definition, *key));
                    if let Some(conflict) = conflict.filter(|word| *word != "ABORT") {
                        let reason = format!("ON CONFLICT {conflict} is not carried: a conflict is an error");
                        self.lost(format!("conflict:{}", name.name), reason);
                    }
                }
            }
        }
    }
}
