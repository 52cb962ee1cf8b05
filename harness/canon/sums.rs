//! Sums of the digests of a table's rows, by buckets.

use std::ops::ControlFlow;

use super::{
    batch::Batch,
    keyed::{KeyNumber, KeySum},
    row::{bucket_of, word},
    sketch::Glimpse,
};
use crate::model::Fingerprint;

/// Number of buckets where nothing else is asked, 40 bytes each: they fit into a core's own cache, and of three million rows
/// a bucket holds four hundred.
pub(super) const BUCKETS: usize = 1 << 13;

/// Takes rows and sums their digests up.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    has_key: bool,
    bucket_count: usize,
    /// Rows whose digests are not known yet.
    batch: Batch<Mark>,
    buckets: Buckets,
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

/// The sums of each bucket.
#[derive(Clone, Debug, Default)]
pub(super) struct Buckets {
    /// Of digests. Empty until the first row comes: a thousand empty tables are a thousand times nothing.
    pub rows: Vec<Fingerprint>,
    /// Of keys; empty where they are not wanted.
    pub keys: Vec<KeySum>,
}

impl Sums {
    /// Rows with a key go into the bucket of their group, others into that of their digest.
    pub fn new(has_key: bool) -> Self {
        Self { has_key, bucket_count: BUCKETS, batch: Batch::new(), buckets: Buckets::default(), glimpse: None }
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

    /// Takes a row. Whether the keys' sums are wanted is said with the first.
    pub fn add(&mut self, row: &[u8], mark: Mark, with_keys: bool) {
        let Self { has_key, bucket_count, batch, buckets, glimpse } = self;
        if buckets.rows.is_empty() {
            buckets.rows = vec![Fingerprint::default(); *bucket_count];
            buckets.keys = vec![KeySum::default(); if with_keys { *bucket_count } else { 0 }];
        }
        batch.add(row, mark, |digest, mark| {
            buckets.add(digest, mark, *has_key);
            if let Some(glimpse) = glimpse {
                glimpse.add(mark.group, digest);
            }
        });
    }

    /// The fingerprint of all rows, and the sums of each bucket.
    pub fn finish(self) -> (Fingerprint, Buckets) {
        let Self { has_key, mut batch, mut buckets, .. } = self;
        batch.finish(|digest, mark| buckets.add(digest, mark, has_key));
        // Only now, because every row is in a bucket, and one sum a row is enough.
        let total = buckets.rows.iter().fold(Fingerprint::default(), |mut total, bucket| {
            total.add(bucket);
            total
        });
        (total, buckets)
    }
}

impl Buckets {
    fn add(&mut self, digest: &[u8; 32], mark: Mark, has_key: bool) {
        let group = if has_key { mark.group } else { word(digest) };
        let bucket = bucket_of(group, self.rows.len());
        self.rows[bucket].add_digest(digest);
        if let Some(sum) = self.keys.get_mut(bucket) {
            sum.add(digest, mark.number);
        }
    }
}
