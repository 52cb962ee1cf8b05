//! The two ends of a migration, always by name and never by position.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One end of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Where the rows come from.
    Source,
    /// Where the rows go.
    Target,
}

impl Side {
    /// Both sides, source first.
    pub const BOTH: [Side; 2] = [Side::Source, Side::Target];
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Source => "source",
            Side::Target => "target",
        })
    }
}

/// One value for each side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sides<T> {
    /// What belongs to the source.
    pub source: T,
    /// What belongs to the target.
    pub target: T,
}

impl<T> Sides<T> {
    /// Pairs a source value with a target value.
    pub const fn new(source: T, target: T) -> Self {
        Self { source, target }
    }

    /// Builds both values from the side that each belongs to.
    pub fn from_fn(mut make: impl FnMut(Side) -> T) -> Self {
        Self { source: make(Side::Source), target: make(Side::Target) }
    }

    /// The value of one side.
    pub const fn get(&self, side: Side) -> &T {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }

    /// The value of one side, to change it.
    pub const fn get_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Source => &mut self.source,
            Side::Target => &mut self.target,
        }
    }

    /// Borrows both values.
    pub const fn as_ref(&self) -> Sides<&T> {
        Sides { source: &self.source, target: &self.target }
    }

    /// Turns each value into another one.
    pub fn map<U>(self, mut with: impl FnMut(T) -> U) -> Sides<U> {
        Sides { source: with(self.source), target: with(self.target) }
    }

    /// Takes both values apart, each with its side, source first.
    pub fn into_each(self) -> [(Side, T); 2] {
        [(Side::Source, self.source), (Side::Target, self.target)]
    }

    /// Both values with the side that each belongs to, source first.
    pub fn iter(&self) -> impl Iterator<Item = (Side, &T)> {
        [(Side::Source, &self.source), (Side::Target, &self.target)].into_iter()
    }
}
