//! One row of a recipe, in one of many ways.

use super::recipe::{How, Member, Recipe, Reference, Slot};
use crate::{
    dataset::{draw::below, fakes::Gives, fit::Fit, generator::Generator},
    model::Value,
};

/// In which way a row is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As a dataset would have it: every value made up, a few NULL.
    Plain,
    /// No NULL at all.
    Full,
    /// NULL and defaults wherever there can be.
    Bare,
    /// Any mixture of made-up values, NULL, defaults and what constraints mention.
    Mixed,
}

/// One value of a row; none where the database makes it.
pub(super) type Given = Option<Value>;

impl Recipe<'_> {
    /// The values of a row, slot by slot. Rows of different numbers differ wherever they can.
    ///
    /// # Errors
    /// Why there is no such row: a parent without rows.
    pub fn row(&self, number: u64, way: Way) -> Result<Vec<Given>, String> {
        let mut row: Vec<Option<Given>> = vec![None; self.slots.len()];
        let mut own = Vec::new();
        for (at, reference) in self.references.iter().enumerate() {
            if !self.refer(at, reference, number, way, &mut row)? {
                own.push(reference);
            }
        }
        for (at, slot) in self.slots.iter().enumerate() {
            if row[at].is_none() {
                row[at] = Some(self.value(at, slot, number, way));
            }
        }
        let mut row: Vec<Given> = row.into_iter().map(Option::flatten).collect();
        for reference in own {
            self.refer_to_itself(reference, number, &mut row)?;
        }
        Ok(row)
    }

    /// Gives a reference's columns the key of a parent, or NULL. False if only the row itself can be its parent.
    fn refer(
        &self,
        at: usize,
        reference: &Reference,
        number: u64,
        way: Way,
        row: &mut [Option<Given>],
    ) -> Result<bool, String> {
        let is_given = |slot: &usize| row[*slot].is_some();
        let is_null = |slot: &usize| matches!(row[*slot], Some(Some(Value::Null)));
        if reference.slots.iter().any(is_null) && !reference.match_full {
            return Ok(true);
        }
        let free: Vec<usize> = reference.slots.iter().copied().filter(|slot| !is_given(slot)).collect();
        let nullable: Vec<usize> = free.iter().copied().filter(|slot| self.slots[*slot].nullable).collect();
        let can_be_null =
            if reference.match_full { nullable.len() == reference.slots.len() } else { !nullable.is_empty() };
        // What is only likely is kept as long as the server does not mind.
        if reference.likely && way == Way::Mixed {
            return Ok(true);
        }
        let fits = |key: &&Vec<Value>| {
            let mut pairs = reference.slots.iter().zip(key.iter());
            pairs.all(|(slot, value)| row[*slot].as_ref().is_none_or(|given| given.as_ref() == Some(value)))
        };
        let wants_null = can_be_null
            && match way {
                Way::Plain => reference.nulls.holds(number),
                Way::Full => false,
                Way::Bare => true,
                Way::Mixed => below(reference.seed.child("mixed").number(number), 2) == 0,
            };
        let keys: Vec<&Vec<Value>> = if wants_null { Vec::new() } else { reference.keys.iter().filter(fits).collect() };
        if keys.is_empty() {
            if can_be_null && (wants_null || !reference.likely) {
                nullable.iter().for_each(|slot| row[*slot] = Some(Some(Value::Null)));
                return Ok(true);
            }
            if reference.likely {
                return Ok(true);
            }
            if reference.parent == self.table.name && !free.is_empty() {
                return Ok(false);
            }
            return Err(format!("`{}` holds no row to refer to", reference.parent));
        }
        let count = keys.len() as u64;
        let position = match self.digit(Member::Reference(at), number) {
            Some(digit) => digit % count,
            None => below(reference.seed.number(number), count),
        };
        for (slot, value) in reference.slots.iter().zip(keys[position as usize]) {
            row[*slot] = Some(Some(value.clone()));
        }
        Ok(true)
    }

    /// Makes the first row of a table whose reference to itself may not be NULL its own parent.
    fn refer_to_itself(&self, reference: &Reference, number: u64, row: &mut [Given]) -> Result<(), String> {
        for (slot, parent) in reference.slots.iter().zip(&reference.parent_columns) {
            let Some(parent) = self.slot(parent) else {
                return Err(format!("`{parent}`, which it refers to, is not for rows to give"));
            };
            if row[parent].is_none() {
                let kind = &self.slots[parent].column.kind;
                let counted = Generator::Sequence { start: 1, step: 1 };
                row[parent] = Fit::of(Gives::Integer, kind, None, None)
                    .map(|fit| fit.apply(counted.make(&self.slots[parent].seed, number, None)));
            }
            row[*slot] = row[parent].clone();
        }
        Ok(())
    }

    /// Which value of a member a row takes so that combinations differ from row to row; `None` if it is part of none.
    ///
    /// The first member changes from row to row, and so do the others, each starting over one step later whenever the
    /// members before it have gone through all of theirs.
    fn digit(&self, member: Member, number: u64) -> Option<u64> {
        let members = self.combinations.iter().find(|members| members.contains(&member))?;
        let (mut rest, mut shift) = (number, 0);
        for one in members {
            let range = self.range(*one);
            let digit = (rest + shift) % range;
            if *one == member {
                return Some(digit);
            }
            shift += rest % range;
            rest /= range;
        }
        None
    }

    fn value(&self, at: usize, slot: &Slot<'_>, number: u64, way: Way) -> Given {
        let drawn = below(slot.seed.child("mixed").number(number), 6);
        let is_null = slot.nullable
            && match way {
                Way::Plain => slot.nulls.holds(number),
                Way::Full => false,
                Way::Bare => true,
                Way::Mixed => drawn < 2,
            };
        if is_null {
            return Some(Value::Null);
        }
        let has_default = slot.column.default.is_some();
        if has_default && (way == Way::Bare || (way == Way::Mixed && drawn == 2)) && !self.gives_only(at) {
            return None;
        }
        let candidates = &slot.known.candidates;
        if !candidates.is_empty() && way != Way::Plain && drawn != 3 {
            let position = below(slot.seed.child("candidate").number(number), candidates.len() as u64);
            let fit = Fit::of(Gives::Literal, &slot.column.kind, None, None);
            return fit.map(|fit| fit.apply(candidates[position as usize].clone()));
        }
        match &slot.how {
            How::Made(generator, fit) => Some(slot.of_length(self.made(at, slot, generator, fit, number), number)),
            How::Patterned(pattern, fit) => {
                pattern.text(&slot.seed, number).map(|text| slot.of_length(fit.apply(Value::Text(text)), number))
            }
            How::Spelled => self.dialect.specimen(slot.column, number).map(Value::Text),
            How::Left => None,
            How::Unknown => Some(Value::Null),
        }
    }

    fn made(&self, at: usize, slot: &Slot<'_>, generator: &Generator, fit: &Fit, number: u64) -> Value {
        let ordinal = match (self.digit(Member::Slot(at), number), generator.capacity()) {
            (Some(digit), _) => Some(digit),
            (None, Some(all)) if slot.apart => Some(number % all.max(1)),
            (None, None) if slot.apart => Some(number),
            _ => None,
        };
        let value = fit.apply(generator.make(&slot.seed, number, ordinal));
        if ordinal.is_some() && generator.is_woven() { fit.weave(value, number + 1) } else { value }
    }

    /// Whether a slot is the one that has to be given for there to be a row.
    fn gives_only(&self, at: usize) -> bool {
        at == 0 && self.references.is_empty()
    }
}

impl Slot<'_> {
    /// A text as long as it has to be, and without letters in upper case where it must have none.
    fn of_length(&self, value: Value, number: u64) -> Value {
        let Value::Text(mut text) = value else { return value };
        let missing = (self.known.min_length.unwrap_or(0) as usize).saturating_sub(text.chars().count());
        text.extend(number.to_string().chars().cycle().take(missing));
        Value::Text(if self.known.lower { text.to_lowercase() } else { text })
    }
}
