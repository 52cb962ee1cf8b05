//! What the check of the schema is made of: whole objects within one engine, tables part by part between two.

mod claims;
mod expression;
mod hidden;
pub(super) mod kept;
mod objects;
mod rest;
mod tables;

pub(super) use claims::claims;
pub(super) use hidden::{excuse_hidden, name_hidden};
pub(super) use objects::same_engine;
pub(super) use rest::{not_carried, one_side_only};
pub(super) use tables::Pair;
