//! Keys, indexes, checks and foreign keys: what is made after the rows.

use std::collections::BTreeSet;

use super::{
    super::{expression, link},
    Deriving, Part,
};
use crate::model::{
    LogicalType,
    catalogue::{CheckConstraint, ForeignKey, Index, IndexPart, Key, Reference, Table},
};

impl Deriving<'_> {
    fn constraint(&mut self, target: &Table, wanted: &str) -> String {
        self.constraints.entry(target.name.clone()).or_default().claim(wanted)
    }

    /// Primary and unique keys.
    pub(super) fn keys(&mut self, table: &Table, target: &Table) {
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

    /// Indexes.
    pub(super) fn indexes(&mut self, table: &Table, target: &Table) {
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
            // To the source, the word `t` is not equal to 1, and a real is no text.
            let means_another = match other.kind {
                LogicalType::Boolean => content.texts > 0,
                LogicalType::Text { .. } => content.reals > 0,
                _ => false,
            };
            (!means_another).then_some((own, other))
        };
        expression::translate(condition, &becomes, self.dialect)
    }

    /// CHECK constraints.
    pub(super) fn checks(&mut self, table: &Table, target: &Table) {
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

    /// Foreign keys; `made` has every table that is carried.
    pub(super) fn foreign_keys(&mut self, table: &Table, target: &Table, made: &[(&Table, Table)]) {
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
}
