//! Second pass: the rows of differing buckets are kept and joined.
//!
//! Where few rows are in them, the keys alone are read, each with its row's address, and then the rows at the addresses.
//! Where many are, or rows have no address, all rows are read once more. Both ways the suspects come into the same
//! partitions, in memory or in a file, and partition by partition are compared value by value.

use std::{
    io,
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
};

use super::{Pass, spill::Spill};
use crate::{
    canon::{
        Addresses, Buckets, Causes, Cell, Join, Located, RowSink, Suspects, TableDigest, join::Touched,
        suspect::Ordered,
    },
    check::{CheckContext, Resources},
    engine::{EngineError, Part, Rowset},
    model::{CauseCount, Side, Sides},
};

/// An address is worth while if so many times as many rows need not be read.
const ROWS_FOR_AN_ADDRESS: u64 = 12;
/// Rows that are read once more before somebody has looked where they lie.
const FEW_ROWS: u64 = 2_000;
/// What a suspect takes besides its canonical bytes.
const ROW_OVERHEAD: u64 = 64;

/// What is known of a table's differing rows.
pub(super) struct Differing {
    pub located: Located,
    /// For each column, the causes of its changed values.
    pub causes: Vec<Vec<CauseCount>>,
    /// What the rules did to values.
    pub touched: Touched,
}

/// Shares of the memory that locating may take.
struct Shares {
    /// For what both sides gather.
    gathered: u64,
    /// For a partition of both sides, of which two are at work at the same time.
    partition: u64,
    /// For the addresses of one side.
    addresses: u64,
}

impl Shares {
    const fn of(resources: &Resources) -> Self {
        let bytes = resources.memory_bytes;
        Self { gathered: bytes / 4, partition: bytes / 16, addresses: bytes / 16 }
    }
}

/// What reads a side in the second pass.
enum Look {
    Keys(Addresses),
    Rows(Suspects<Spill>),
}

impl RowSink for Look {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        match self {
            Self::Keys(keys) => keys.cell(column, cell),
            Self::Rows(rows) => rows.cell(column, cell),
        }
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        match self {
            Self::Keys(keys) => keys.end_row(),
            Self::Rows(rows) => rows.end_row(),
        }
    }
}

impl Pass<'_> {
    /// Finds all rows that differ, and why.
    pub(super) async fn locate(
        &self,
        cx: &mut CheckContext<'_>,
        digests: &Sides<TableDigest>,
    ) -> Result<Differing, EngineError> {
        let shares = Shares::of(cx.resources);
        let buckets = self.buckets(digests, &shares);
        let gathered = self.gather(cx, digests, &buckets, &shares).await?;
        let columns = self.columns.iter().zip(self.comparison.ruled());
        let causes = Causes::new(columns.map(|(names, (_, rule))| (names.target.clone(), *rule)));
        let join = Join::new(self.forms.clone(), self.key.clone(), causes, cx.sample as usize);
        let count = buckets.partition_count();
        let join = joined(join, gathered, count, usize::try_from(shares.partition / 2).unwrap_or(usize::MAX));
        let join = join.await.map_err(|error| spilled(cx.resources, error))?;
        let (located, causes, touched) = join.finish(cx.redaction);
        Ok(Differing { located, causes, touched })
    }

    /// The buckets that differ, in partitions that go into memory.
    fn buckets(&self, digests: &Sides<TableDigest>, shares: &Shares) -> Arc<Buckets> {
        let buckets = Buckets::differing(&digests.source, &digests.target);
        let rows = digests.source.fingerprint.rows + digests.target.fingerprint.rows;
        let each = (digests.source.bytes + digests.target.bytes) / rows.max(1) + ROW_OVERHEAD;
        let suspects = buckets.rows();
        let least = (suspects.source + suspects.target) / Spill::most_partitions(shares.gathered / 2).max(1);
        Arc::new(buckets.parted((shares.partition / each).max(least).max(1)))
    }

    /// Reads the rows that fall into the buckets.
    async fn gather(
        &self,
        cx: &mut CheckContext<'_>,
        digests: &Sides<TableDigest>,
        buckets: &Arc<Buckets>,
        shares: &Shares,
    ) -> Result<Sides<Vec<Spill>>, EngineError> {
        let (rowsets, suspects) = (self.rowsets(), buckets.rows());
        let mut by_address = Sides::new(false, false);
        for side in Side::BOTH {
            let (all, few) = (digests.get(side).fingerprint.rows, *suspects.get(side));
            let is_worth_it = all > FEW_ROWS && few.saturating_mul(ROWS_FOR_AN_ADDRESS) < all;
            *by_address.get_mut(side) = !self.key.is_empty()
                && is_worth_it
                && few * size_of::<i64>() as u64 <= shares.addresses
                && rowsets.get(side).terms.is_plain()
                && cx.readers.side(side)?.has_addresses(rowsets.get(side)).await?;
        }
        let folder = cx.resources.folder.clone();
        let keep = |parts: usize| {
            let spill = Spill::new(buckets.partition_count(), shares.gathered / 2 / parts as u64, folder.clone());
            Suspects::new(self.forms.clone(), self.key.clone(), Arc::clone(buckets), spill)
        };
        let read = Sides::from_fn(|side| {
            let rowset = rowsets.get(side).clone();
            if *by_address.get(side) { self.keys_of(rowset) } else { rowset }
        });
        let looks = cx.readers.scan_parts(&read, |side, parts| {
            Ok(if *by_address.get(side) {
                let forms = self.key.iter().map(|column| self.forms[*column]).collect();
                Look::Keys(Addresses::new(forms, Arc::clone(buckets)))
            } else {
                Look::Rows(keep(parts))
            })
        });
        let mut kept: Sides<Vec<Spill>> = Sides::default();
        let mut work: Sides<Option<(Rowset, Look)>> = Sides::default();
        for (side, looks) in looks.await?.into_each() {
            let mut found = Vec::new();
            for look in looks {
                match look {
                    Look::Keys(keys) => found.extend(keys.finish()),
                    Look::Rows(rows) => kept.get_mut(side).push(rows.finish()),
                }
            }
            if *by_address.get(side) {
                found.sort_unstable();
                let rowset = rowsets.get(side).clone().part(Part::At(found));
                *work.get_mut(side) = Some((rowset, Look::Rows(keep(1))));
            }
        }
        for (side, look) in cx.readers.scan_some(work).await?.into_each() {
            if let Some(Look::Rows(rows)) = look {
                kept.get_mut(side).push(rows.finish());
            }
        }
        for spill in kept.source.iter_mut().chain(&mut kept.target) {
            spill.check().map_err(|error| spilled(cx.resources, error))?;
            if spill.written() > 0 {
                tracing::debug!(bytes = spill.written(), "suspects were written to a file");
            }
        }
        Ok(kept)
    }

    /// The key's columns and the address of each row.
    fn keys_of(&self, mut rowset: Rowset) -> Rowset {
        rowset.columns = self.key.iter().map(|column| rowset.columns[*column].clone()).collect();
        rowset.with_address()
    }
}

/// Joins partition by partition; one is joined while the next is read and put in order.
async fn joined(mut join: Join, mut spills: Sides<Vec<Spill>>, count: usize, bytes: usize) -> io::Result<Join> {
    let guard = Unwanted::default();
    let unwanted = Arc::clone(&guard.0);
    let (send, receive) = mpsc::sync_channel::<Sides<Ordered>>(0);
    let reading = tokio::task::spawn_blocking(move || -> io::Result<()> {
        for partition in 0..count {
            let mut sides: Sides<Ordered> = Sides::default();
            for side in Side::BOTH {
                let mut records = Vec::new();
                for spill in spills.get_mut(side) {
                    spill.take(partition, bytes, &mut records)?;
                }
                *sides.get_mut(side) = Ordered::new(records);
            }
            if unwanted.load(Ordering::Relaxed) || send.send(sides).is_err() {
                break;
            }
        }
        Ok(())
    });
    let joining = tokio::task::spawn_blocking(move || {
        receive.iter().for_each(|sides| join.partition(&sides));
        join
    });
    let (reading, joining) = tokio::join!(reading, joining);
    reading.map_err(io::Error::other)??;
    joining.map_err(io::Error::other)
}

/// Ends the reading when it is dropped.
#[derive(Default)]
struct Unwanted(Arc<AtomicBool>);

impl Drop for Unwanted {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Why suspects could not be kept.
fn spilled(resources: &Resources, error: io::Error) -> EngineError {
    let doing = format!("keeping rows that may differ in `{}`", resources.folder.display());
    if error.kind() == io::ErrorKind::StorageFull {
        return EngineError::Full { doing, source: error.into() };
    }
    EngineError::Unexpected { doing, what: error.to_string() }
}
