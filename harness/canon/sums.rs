//! Sums of the digests of a table's rows, by buckets.

use super::{
    batch::Batch,
    row::{bucket_of, word},
};
use crate::model::Fingerprint;

/// Number of buckets where nothing else is asked, 40 bytes each: they fit into a core's own cache, and of three million rows
/// a bucket holds four hundred.
const BUCKETS: usize = 1 << 13;

/// Takes rows and sums their digests up.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    has_key: bool,
    bucket_count: usize,
    /// Rows whose digests are not known yet.
    batch: Batch,
    /// Empty until the first row comes: a thousand empty tables are a thousand times nothing.
    buckets: Vec<Fingerprint>,
}

impl Sums {
    /// Rows with a key go into the bucket of their group, others into that of their digest.
    pub fn new(has_key: bool) -> Self {
        Self { has_key, bucket_count: BUCKETS, batch: Batch::new(), buckets: Vec::new() }
    }

    /// Takes another number of buckets (at least one).
    #[must_use]
    pub fn with_buckets(mut self, buckets: usize) -> Self {
        self.bucket_count = buckets.max(1);
        self
    }

    /// Takes a row, with the group of its key.
    pub fn add(&mut self, row: &[u8], group: u64) {
        if self.buckets.is_empty() {
            self.buckets = vec![Fingerprint::default(); self.bucket_count];
        }
        let Self { has_key, batch, buckets, .. } = self;
        batch.add(row, group, |digest, group| sum(buckets, *has_key, digest, group));
    }

    /// The fingerprint of all rows, and of each bucket's; no buckets if there are no rows.
    pub fn finish(self) -> (Fingerprint, Vec<Fingerprint>) {
        let Self { has_key, mut batch, mut buckets, .. } = self;
        batch.finish(|digest, group| sum(&mut buckets, has_key, digest, group));
        // Only now, because every row is in a bucket, and one sum a row is enough.
        let total = buckets.iter().fold(Fingerprint::default(), |mut total, bucket| {
            total.add(bucket);
            total
        });
        (total, buckets)
    }
}

fn sum(buckets: &mut [Fingerprint], has_key: bool, digest: &[u8; 32], group: u64) {
    let group = if has_key { group } else { word(digest) };
    let bucket = bucket_of(group, buckets.len());
    buckets[bucket].add_digest(digest);
}
