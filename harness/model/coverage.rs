//! How much was checked, and what was not.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    /// How many were checked.
    pub checked: u64,
    /// How many there are.
    pub total: u64,
}

impl Share {
    /// A share of so many checked out of so many.
    pub const fn new(checked: u64, total: u64) -> Self {
        Self { checked, total }
    }

    /// Whether everything was checked.
    pub const fn is_whole(&self) -> bool {
        self.checked >= self.total
    }
}

impl std::ops::AddAssign for Share {
    fn add_assign(&mut self, other: Self) {
        self.checked += other.checked;
        self.total += other.total;
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.checked, self.total)
    }
}

/// What share of a rehearsal was checked: the first figures of every report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// Rows of both sides that were read and compared.
    pub rows: Share,
    /// Columns compared under a rule.
    pub columns: Share,
    /// Catalogue objects compared.
    pub objects: Share,
    /// References asked for orphans.
    pub references: Share,
    /// Steps whose rollback ran and was proven.
    pub downs: Share,
    /// Drills that ran.
    pub drills: Share,
}

impl Coverage {
    /// The figures by name, in the order of the coverage line.
    pub fn shares(&self) -> [(&'static str, Share); 6] {
        [
            ("rows", self.rows),
            ("columns", self.columns),
            ("catalogue objects", self.objects),
            ("references", self.references),
            ("downs", self.downs),
            ("drills", self.drills),
        ]
    }

    /// Whether everything that there is was checked.
    pub fn is_whole(&self) -> bool {
        self.shares().iter().all(|(_, share)| share.is_whole())
    }

    /// Adds the figures of another rehearsal.
    pub fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.columns += other.columns;
        self.objects += other.objects;
        self.references += other.references;
        self.downs += other.downs;
        self.drills += other.drills;
    }
}

/// `rows 67/67, columns 112/112, …`; figures of which there is nothing to check are left out.
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for (name, share) in self.shares() {
            if share.total == 0 {
                continue;
            }
            write!(f, "{}{name} {share}", if first { "" } else { ", " })?;
            first = false;
        }
        if first {
            f.write_str("nothing was checked")?;
        }
        Ok(())
    }
}

/// Something that was not checked, by name and with the reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Unchecked {
    /// What kind of thing: `row`, `column`, `object`, `reference`, `down`, `check`, `scenario`.
    pub aspect: String,
    /// Which one.
    pub subject: String,
    /// Why it was not checked.
    pub reason: String,
}

impl Unchecked {
    /// Names something that was not checked.
    pub fn new(aspect: &str, subject: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { aspect: aspect.to_owned(), subject: subject.into(), reason: reason.into() }
    }
}
