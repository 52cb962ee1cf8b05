//! The rows of one table, each a pure function of its position.

use std::{fmt, sync::Arc};

use super::{draw::below, draw::permute, fit::Fit, generator::Generator};
use crate::{
    canon::Seed,
    engine::RowSource,
    model::{TableName, Value, catalogue::Table},
};

/// What is loaded into one table.
#[derive(Clone)]
pub struct TablePlan {
    /// The table.
    pub table: Table,
    /// The columns to load, in the order of the catalogue. Computed columns are not among them, nor are columns of a
    /// type for which no value can be made up if a default takes their place.
    pub columns: Vec<String>,
    /// How many rows.
    pub rows: u64,
    pub(super) maker: Arc<RowMaker>,
}

impl TablePlan {
    /// The rows from the first to the last. Every call starts anew and gives the same rows.
    pub fn source(&self) -> Rows {
        Rows { maker: Arc::clone(&self.maker), next: 0, rows: self.rows }
    }

    /// One value: the column by its position in `columns`, the row by its position from 0.
    pub fn value(&self, column: usize, row: u64) -> Value {
        self.maker.value(column, row)
    }
}

impl fmt::Debug for TablePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows for {}({})", self.rows, self.table.name, self.columns.join(", "))
    }
}

/// Rows of a table, in order.
#[derive(Clone)]
pub struct Rows {
    maker: Arc<RowMaker>,
    next: u64,
    rows: u64,
}

impl RowSource for Rows {
    fn next(&mut self, row: &mut Vec<Value>) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
        if self.next == self.rows {
            return Ok(false);
        }
        row.extend((0..self.maker.columns.len()).map(|column| self.maker.value(column, self.next)));
        self.next += 1;
        Ok(true)
    }
}

/// Makes any value of any row of a table.
pub(super) struct RowMaker {
    pub table: TableName,
    pub names: Vec<String>,
    pub columns: Vec<Maker>,
    pub groups: Vec<Group>,
    pub rows: u64,
}

/// Makes the values of one column.
pub(super) enum Maker {
    Generated(Box<Generated>),
    /// A part of a parent's key.
    Key {
        group: usize,
        part: usize,
        nullable: bool,
    },
    Null,
}

/// A column of its own values.
pub(super) struct Generated {
    pub generator: Generator,
    pub seed: Seed,
    pub fit: Fit,
    pub nulls: Share,
    pub edges: Share,
    pub edge_values: Vec<Value>,
    pub apart: Apart,
}

/// How a column's values are kept apart.
pub(super) enum Apart {
    /// They may repeat.
    No,
    /// Every row has its own.
    ByRow,
    /// Together with other columns.
    ByDigit(Digit),
}

/// One digit of a row's number in a mixed radix, after the number was shuffled among all that there are.
#[derive(Clone)]
pub(super) struct Digit {
    pub seed: Seed,
    pub all: u64,
    pub stride: u64,
    pub range: u64,
}

/// Columns that take their values from one row of a parent.
pub(super) struct Group {
    pub parent: Parent,
    /// The parent's columns, by their position among those that are loaded.
    pub parts: Vec<usize>,
    pub seed: Seed,
    pub nulls: Share,
    pub pick: Pick,
}

/// Whose key a group takes.
pub(super) enum Parent {
    /// Another table's.
    Table(Arc<RowMaker>),
    /// That of an earlier row of the same table.
    Itself,
}

/// Which of the parent's rows.
pub(super) enum Pick {
    /// Any.
    Uniform,
    /// A few far more often than most.
    Skewed,
    /// Each no more often than a unique key allows.
    Digit(Digit),
    /// The row before, in a table that refers to itself by a unique key.
    Previous,
}

/// A share of the rows.
#[derive(Clone, Copy)]
pub(super) struct Share {
    seed: Seed,
    /// Of 2^64.
    threshold: u128,
}

impl Share {
    pub fn new(seed: Seed, share: f64) -> Self {
        const ALL: f64 = 18_446_744_073_709_551_616.0;
        Self { seed, threshold: (share * ALL) as u128 }
    }

    pub fn holds(&self, row: u64) -> bool {
        self.threshold > 0 && u128::from(self.seed.number(row)) < self.threshold
    }
}

impl Digit {
    fn of(&self, row: u64) -> u64 {
        // In a table of one row, a key of a single value is shuffled among one.
        permute(&self.seed, row.min(self.all - 1), self.all) / self.stride % self.range
    }
}

impl RowMaker {
    pub fn value(&self, column: usize, row: u64) -> Value {
        match &self.columns[column] {
            Maker::Generated(generated) => generated.value(row),
            Maker::Key { group, part, nullable } => self.groups[*group].value(self, *part, *nullable, row),
            Maker::Null => Value::Null,
        }
    }
}

impl Group {
    fn value(&self, child: &RowMaker, part: usize, nullable: bool, row: u64) -> Value {
        if nullable && self.nulls.holds(row) {
            return Value::Null;
        }
        let (parent, row) = match &self.parent {
            Parent::Table(parent) => (&**parent, self.pick(parent.rows, row)),
            Parent::Itself if row == 0 && nullable => return Value::Null,
            // The first row of a table whose reference to itself may not be NULL refers to itself.
            Parent::Itself => (child, if row == 0 { 0 } else { self.pick(row, row) }),
        };
        parent.value(self.parts[part], row)
    }

    fn pick(&self, parent_rows: u64, row: u64) -> u64 {
        match &self.pick {
            Pick::Uniform => below(self.seed.number(row), parent_rows),
            Pick::Skewed => {
                let rank = skewed(self.seed.number(row), parent_rows);
                match self.parent {
                    // Otherwise the first rows of every parent would be the busy ones.
                    Parent::Table(_) => permute(&self.seed, rank, parent_rows),
                    Parent::Itself => rank,
                }
            }
            Pick::Digit(digit) => digit.of(row),
            Pick::Previous => row - 1,
        }
    }
}

/// A rank below `range` whose logarithm is spread evenly, which is Zipf's law with exponent 1, in whole numbers.
fn skewed(number: u64, range: u64) -> u64 {
    let octaves = u64::from(u64::BITS - range.leading_zeros());
    let octave = below(number, octaves);
    let start = (1 << octave) - 1;
    let end = (start * 2 + 1).min(range);
    start + below(number.rotate_left(32), end - start)
}

impl Generated {
    fn value(&self, row: u64) -> Value {
        if self.nulls.holds(row) {
            return Value::Null;
        }
        if self.edges.holds(row) && !self.edge_values.is_empty() {
            let position = below(self.edges.seed.number(row).rotate_left(32), self.edge_values.len() as u64);
            return self.edge_values[position as usize].clone();
        }
        let ordinal = match &self.apart {
            Apart::No => None,
            Apart::ByRow => Some(row),
            Apart::ByDigit(digit) => Some(digit.of(row)),
        };
        let value = self.fit.apply(self.generator.make(&self.seed, row, ordinal));
        match ordinal {
            Some(ordinal) if self.generator.is_woven() => self.fit.weave(value, ordinal + 1),
            _ => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skew_prefers_low_ranks_and_reaches_all() {
        let seed = Seed::root(9);
        let mut counts = [0_u32; 100];
        for row in 0..100_000 {
            counts[skewed(seed.number(row), 100) as usize] += 1;
        }
        assert!(counts[0] > 10 * counts[50] && counts.iter().all(|count| *count > 0), "{counts:?}");
        assert_eq!(skewed(u64::MAX, 1), 0);
    }

    #[test]
    fn shares_are_kept_at_both_ends() {
        let holds = |share| (0..10_000).filter(|row| Share::new(Seed::root(1), share).holds(*row)).count();
        assert_eq!((holds(0.0), holds(1.0)), (0, 10_000));
        assert!((900..1100).contains(&holds(0.1)));
    }
}
