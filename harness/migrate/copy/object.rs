//! JSON that is put together from several columns of a row, while rows stream.

use std::sync::Arc;

use super::{
    array::element,
    value::{Making, Unfit, text},
};
use crate::{
    canon::{Cell, comparison::Object},
    model::{
        LogicalType, Value,
        catalogue::{Column, Table},
    },
};

/// One object's way into a column.
#[derive(Clone, Debug)]
pub(super) struct ObjectPlan {
    /// Its name in the mapping.
    pub name: String,
    /// The target's column.
    pub target: String,
    members: Vec<MemberPlan>,
    nulls_empty: bool,
    making: Making,
}

#[derive(Clone, Debug)]
struct MemberPlan {
    /// The name as JSON.
    name: String,
    column: String,
    /// Whether 0 and 1 are false and true.
    is_truth: bool,
}

impl ObjectPlan {
    /// An object of columns of this table.
    pub fn of(name: &str, object: &Object, source: &Table, target: &Column, making: Making) -> Self {
        let is_truth = |column: &str| source.column(column).is_some_and(|column| column.kind == LogicalType::Boolean);
        let members = object.members.iter().map(|member| MemberPlan {
            name: serde_json::Value::from(member.name.as_str()).to_string(),
            column: member.column.clone(),
            is_truth: is_truth(&member.column),
        });
        Self {
            name: name.to_owned(),
            target: target.name.clone(),
            members: members.collect(),
            nulls_empty: object.nulls_empty,
            making,
        }
    }

    /// The columns that are read for it.
    pub fn columns(&self) -> impl Iterator<Item = &String> {
        self.members.iter().map(|member| &member.column)
    }

    /// Appends a member.
    fn member(&self, at: usize, cell: &Cell<'_>, json: &mut String) -> Result<(), Unfit> {
        let member = &self.members[at];
        json.push(if at == 0 { '{' } else { ',' });
        json.push_str(&member.name);
        json.push(':');
        let characters = text(cell);
        match (cell, characters) {
            (Cell::Integer(number @ (0 | 1)), _) if member.is_truth => {
                json.push_str(if *number == 1 { "true" } else { "false" });
            }
            (_, Some("")) if self.nulls_empty => json.push_str("null"),
            (_, Some(text)) => element(&Cell::Text(text.as_bytes()), json).ok_or("holds no text")?,
            (Cell::Text(_) | Cell::PaddedText(_) | Cell::Label(_), None) => {
                return Err("holds text that is no UTF-8".to_owned());
            }
            (Cell::Float32(number), _) if !number.is_finite() => return Err(NOT_FINITE.to_owned()),
            (Cell::Float64(number), _) if !number.is_finite() => return Err(NOT_FINITE.to_owned()),
            (Cell::Bytes(_) | Cell::Opaque(_), _) => return Err("holds bytes, of which JSON has no form".to_owned()),
            _ => element(cell, json).ok_or("holds what JSON has no form of")?,
        }
        Ok(())
    }
}

const NOT_FINITE: &str = "holds a number that is not finite, which JSON has no word for";

/// The objects of one row after the other.
pub(super) struct Assembling {
    plans: Arc<[ObjectPlan]>,
    /// By the place among the cells that are for objects: which object, and which of its members.
    places: Vec<(usize, usize)>,
    /// What there is of each object of the row.
    texts: Vec<String>,
}

impl Assembling {
    /// Of these objects, whose cells come one behind the other.
    pub fn of(plans: &[ObjectPlan]) -> Self {
        let places = plans.iter().enumerate();
        let places = places.flat_map(|(plan, object)| (0..object.members.len()).map(move |member| (plan, member)));
        Self { plans: plans.into(), places: places.collect(), texts: vec![String::new(); plans.len()] }
    }

    /// Takes a cell of the row, if it is for an object; what is wrong with it comes with the column's name.
    pub fn cell(&mut self, place: usize, cell: &Cell<'_>) -> Result<(), (String, Unfit)> {
        let Some((plan, member)) = self.places.get(place).copied() else { return Ok(()) };
        let (object, json) = (&self.plans[plan], &mut self.texts[plan]);
        object.member(member, cell, json).map_err(|what| (object.members[member].column.clone(), what))
    }

    /// The row's objects, and room for those of the next.
    pub fn values(&mut self) -> Result<Vec<Value>, (String, Unfit)> {
        let mut values = Vec::new();
        for (object, json) in self.plans.iter().zip(&mut self.texts) {
            json.push('}');
            let value = object.making.value(&Cell::Text(json.as_bytes()));
            json.clear();
            values.push(value.map_err(|what| (object.name.clone(), what)));
        }
        values.into_iter().collect()
    }
}
