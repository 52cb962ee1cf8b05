//! Where two tables differ: which buckets, and how their rows are parted so that each part can be joined in memory.

use std::{ops::ControlFlow, sync::Arc};

use super::{
    cell::{Cell, RowSink},
    digest::{Form, TableDigest},
    row::{Row, bucket_of},
    sums::BUCKETS,
};
use crate::model::{Fingerprint, Sides};

/// The bucket is in no partition.
const NOWHERE: u32 = u32::MAX;

/// The buckets in which two tables differ, in partitions of neighbours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buckets {
    /// The partition of each bucket.
    partitions: Vec<u32>,
    /// Rows of both sides in each of the differing buckets, in order.
    rows: Vec<Sides<u64>>,
    partition_count: usize,
}

impl Buckets {
    /// The buckets in which the fingerprints of two sides differ, in one partition.
    ///
    /// # Panics
    /// If the sides were digested with different numbers of buckets.
    pub fn differing(source: &TableDigest, target: &TableDigest) -> Self {
        let count = source.buckets.len().max(target.buckets.len());
        assert!(
            [source, target].iter().all(|side| side.buckets.is_empty() || side.buckets.len() == count),
            "both sides have the same number of buckets"
        );
        let none = Fingerprint::default();
        let (mut partitions, mut rows) = (vec![NOWHERE; count], Vec::new());
        for (bucket, partition) in partitions.iter_mut().enumerate() {
            let sides = Sides::new(source, target).map(|side| side.buckets.get(bucket).unwrap_or(&none));
            if sides.source != sides.target {
                *partition = 0;
                rows.push(sides.map(|fingerprint| fingerprint.rows));
            }
        }
        Self { partitions, partition_count: usize::from(!rows.is_empty()), rows }
    }

    /// All buckets of a digester that was told no other number, in so many partitions (at least one): for rows that are
    /// kept before anything is known of them.
    pub fn all(partitions: usize) -> Self {
        let partition_count = partitions.clamp(1, BUCKETS);
        let partition = |bucket| u32::try_from(bucket * partition_count / BUCKETS).unwrap_or(NOWHERE);
        Self { partitions: (0..BUCKETS).map(partition).collect(), rows: Vec::new(), partition_count }
    }

    /// Whether they are all buckets, of which nobody knew how large they are.
    pub const fn are_all(&self) -> bool {
        self.rows.is_empty() && self.partition_count > 0
    }

    /// How many buckets differ.
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether none does.
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows that fall into them.
    pub fn rows(&self) -> Sides<u64> {
        self.rows
            .iter()
            .fold(Sides::new(0, 0), |sum, rows| Sides::new(sum.source + rows.source, sum.target + rows.target))
    }

    /// Parts them so that no partition has more rows of both sides together than this, unless a single bucket has.
    #[must_use]
    pub fn parted(mut self, row_limit: u64) -> Self {
        let (mut partition, mut held) = (0_u32, 0);
        let chosen = self.partitions.iter_mut().filter(|partition| **partition != NOWHERE);
        for (bucket, rows) in chosen.zip(&self.rows) {
            let rows = rows.source + rows.target;
            if held > 0 && held + rows > row_limit {
                (partition, held) = (partition + 1, 0);
            }
            held += rows;
            *bucket = partition;
            self.partition_count = partition as usize + 1;
        }
        self
    }

    /// How many partitions there are.
    pub const fn partition_count(&self) -> usize {
        self.partition_count
    }

    /// The partition into which a group of rows falls, if its bucket differs.
    pub(super) fn partition(&self, group: u64) -> Option<usize> {
        let bucket = bucket_of(group, self.partitions.len());
        self.partitions.get(bucket).filter(|partition| **partition != NOWHERE).map(|partition| *partition as usize)
    }
}

/// Takes the keys of a table, each with its row's address behind it, and keeps the addresses of rows that fall into
/// differing buckets.
#[derive(Clone, Debug)]
pub struct Addresses {
    row: Row,
    width: usize,
    buckets: Arc<Buckets>,
    address: i64,
    found: Vec<i64>,
}

impl Addresses {
    /// Begins a table with the forms of its key's columns, in the order of the key; the cell after them is the address.
    pub fn new(forms: Vec<Form>, buckets: Arc<Buckets>) -> Self {
        let (width, key) = (forms.len(), (0..forms.len()).collect());
        Self { row: Row::new(forms, key), width, buckets, address: 0, found: Vec::new() }
    }

    /// The addresses, in the order in which they came.
    pub fn finish(self) -> Vec<i64> {
        self.found
    }
}

impl RowSink for Addresses {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        if column < self.width {
            self.row.put(column, &cell);
        } else if let Cell::Integer(address) = cell {
            self.address = address;
        }
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        if self.buckets.partition(self.row.group()).is_some() {
            self.found.push(self.address);
        }
        self.row.clear();
        ControlFlow::Continue(())
    }
}
