//! Sums of the digests of a table's rows, by buckets.

use std::ops::ControlFlow;

use super::{
    batch::{Batch, ROWS},
    keyed::{KeyNumber, KeySum},
    row::{bucket_of, word},
    sketch::Glimpse,
};
use crate::model::Fingerprint;

/// Number of buckets where nothing else is asked, 96 bytes each: they fit into a core's own cache, and of three million rows
/// a bucket holds four hundred.
pub(super) const BUCKETS: usize = 1 << 13;

/// Takes rows and sums their digests up.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    has_key: bool,
    bucket_count: usize,
    /// Rows whose digests are not known yet.
    batch: Batch<Mark>,
    /// Empty until the first row comes: a thousand empty tables are a thousand times nothing.
    buckets: Vec<Bucket>,
    /// What else looks at digests.
    glimpse: Option<Glimpse>,
}

/// What of a row's key goes into sums.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    /// The group of the key.
    pub group: u64,
    /// The key as a number.
    pub number: KeyNumber,
}

/// What is kept of the rows of one bucket: side by side, because both are touched with every row.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
struct Bucket {
    rows: Fingerprint,
    keys: KeySum,
}

/// The sums of each bucket.
#[derive(Clone, Debug, Default)]
pub(super) struct Buckets {
    /// Of digests; empty if no row came.
    pub rows: Vec<Fingerprint>,
    /// Of keys.
    pub keys: Vec<KeySum>,
}

impl Sums {
    /// Rows with a key go into the bucket of their group, others into that of their digest.
    pub fn new(has_key: bool) -> Self {
        Self { has_key, bucket_count: BUCKETS, batch: Batch::new(), buckets: Vec::new(), glimpse: None }
    }

    /// Takes another number of buckets (at least one).
    #[must_use]
    pub fn with_buckets(mut self, buckets: usize) -> Self {
        self.bucket_count = buckets.max(1);
        self
    }

    /// Shows the digests to a sketch too.
    #[must_use]
    pub fn with_glimpse(mut self, glimpse: Glimpse) -> Self {
        self.glimpse = Some(glimpse);
        self
    }

    /// Whether there is any use in more rows.
    pub fn flow(&self) -> ControlFlow<()> {
        if self.glimpse.as_ref().is_some_and(Glimpse::is_wide) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Takes a row.
    pub fn add(&mut self, row: &[u8], mark: Mark) {
        let Self { has_key, bucket_count, batch, buckets, glimpse } = self;
        if buckets.is_empty() {
            buckets.resize(*bucket_count, Bucket::default());
        }
        batch.add(row, mark, |digests, marks| {
            sum_up(buckets, digests, marks, *has_key);
            if let Some(glimpse) = glimpse {
                digests.iter().zip(marks).for_each(|(digest, mark)| glimpse.add(mark.group, digest));
            }
        });
    }

    /// The fingerprint of all rows, and the sums of each bucket.
    pub fn finish(self) -> (Fingerprint, Buckets) {
        let Self { has_key, mut batch, mut buckets, .. } = self;
        batch.finish(|digests, marks| sum_up(&mut buckets, digests, marks, has_key));
        // Only now, because every row is in a bucket, and one sum a row is enough.
        let total = buckets.iter().fold(Fingerprint::default(), |mut total, bucket| {
            total.add(&bucket.rows);
            total
        });
        let (rows, keys) = buckets.into_iter().map(|bucket| (bucket.rows, bucket.keys)).unzip();
        (total, Buckets { rows, keys })
    }
}

/// Adds the digests of rows to their buckets.
///
/// What lies between two rows of one bucket is more than a core's own cache holds, so that each bucket comes from afar. The
/// first walk touches all of them and does nothing else, so that they come at the same time and not one after the other.
fn sum_up(buckets: &mut [Bucket], digests: &[[u8; 32]], marks: &[Mark], has_key: bool) {
    let place = |digest, mark: &Mark| bucket_of(if has_key { mark.group } else { word(digest) }, buckets.len());
    let mut places = [0; ROWS];
    for ((place_of, digest), mark) in places.iter_mut().zip(digests).zip(marks) {
        *place_of = place(digest, mark);
    }
    for (place, digest) in places.iter().zip(digests) {
        let bucket = &mut buckets[*place];
        bucket.rows.rows += 1;
        bucket.keys.weigh(digest);
    }
    for ((place, digest), mark) in places.iter().zip(digests).zip(marks) {
        let bucket = &mut buckets[*place];
        bucket.rows.add(&Fingerprint { rows: 0, ..Fingerprint::of(digest) });
        bucket.keys.add(digest, mark.number);
    }
}
