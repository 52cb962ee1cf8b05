//! The target's schema from the source's catalogue and content: a pure function.

mod later;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    super::NotCarried,
    default,
    kind::Asked,
    link::{self, Place},
    naming::Names,
};
use crate::{
    canon::comparison::{Stated, StatedColumn},
    engine::{Dialect, content::ContentProfile},
    model::{
        Catalogue, LogicalType, TableName,
        catalogue::{CheckConstraint, Column, Definition, ForeignKey, Generation, Index, Key, SequenceOwner, Table},
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
        .flat_map(|one| {
            [link::places(&one.child, &one.columns), link::places(&one.parent, &one.parent_columns)].concat()
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
        let target = Table { columns, ..Table::empty(name) };
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
        let default = column.default.as_ref().and_then(|written| default::translate(written, &kind, self.dialect));
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
