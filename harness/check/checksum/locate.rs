//! Second pass: the rows of differing buckets are kept and joined.
//!
//! Where the sums tell the keys of the rows that differ, [those](super::few) are read. Else, where few rows are in the
//! buckets, the keys alone are read, each with its row's address, and then the rows at the addresses. Where many are, or
//! rows have no address, all rows are read once more. Where the first pass saw that very many differ, [all](super::wide)
//! were kept already. Each way the suspects come into the same partitions, in memory or in a file, and partition by
//! partition are compared value by value.

use std::{
    io,
    ops::ControlFlow,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
};

use super::{
    Pass,
    spill::{LEAST, Spill},
};
use crate::{
    canon::{
        Addresses, Again, Buckets, Causes, Cell, Join, Located, RowSink, SentSuspects, Suspects, TableDigest,
        join::{Touched, Unreadable},
        suspect::{Ordered, Slice},
    },
    check::{CheckContext, Resources},
    engine::{EngineError, Part, Rowset},
    model::{CauseCount, Side, Sides},
};

/// An address is worth while if so many times as many rows need not be read.
const ROWS_FOR_AN_ADDRESS: u64 = 12;
/// Rows that are read once more before somebody has looked where they lie.
const FEW_ROWS: u64 = 2_000;
/// A batch that was loaded twice is worth another scan where it is one of so many rows; fewer are not looked for.
const ROWS_FOR_A_STRAY: u64 = 10_000;
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

/// Suspects of both sides, in the partitions of these buckets.
pub(in crate::check) struct Kept {
    pub buckets: Arc<Buckets>,
    pub spills: Sides<Vec<Spill>>,
}

/// Shares of the memory that locating may take.
pub(in crate::check) struct Shares {
    /// For what both sides gather.
    gathered: u64,
    /// For a partition of both sides, of which two are at work at the same time.
    partition: u64,
    /// For the addresses of one side.
    addresses: u64,
}

impl Shares {
    pub const fn of(resources: &Resources) -> Self {
        let bytes = resources.memory_bytes;
        Self { gathered: bytes / 4, partition: bytes / 32, addresses: bytes / 16 }
    }

    /// How many partitions a side can gather at once.
    pub fn most_partitions(&self) -> u64 {
        Spill::most_partitions(self.gathered / 2).max(1)
    }

    /// Bytes of one side's partition that is at work.
    pub fn at_work(&self) -> usize {
        usize::try_from(self.partition / 2).unwrap_or(usize::MAX)
    }

    /// Where one of several parts of a side gathers.
    pub fn spill(&self, buckets: &Buckets, parts: usize, folder: PathBuf) -> Spill {
        Spill::new(buckets.partition_count(), self.gathered / 2 / parts as u64, folder)
    }
}

/// What reads a side in the second pass.
enum Look {
    Keys(Addresses),
    Rows(Suspects<Spill>),
    Sent(SentSuspects<Spill>),
}

impl RowSink for Look {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        match self {
            Self::Keys(keys) => keys.cell(column, cell),
            Self::Rows(rows) => rows.cell(column, cell),
            Self::Sent(rows) => rows.cell(column, cell),
        }
    }

    fn sent(&mut self, row: &[u8]) {
        if let Self::Sent(rows) = self {
            rows.sent(row);
        }
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        match self {
            Self::Keys(keys) => keys.end_row(),
            Self::Rows(rows) => rows.end_row(),
            Self::Sent(rows) => rows.end_row(),
        }
    }
}

impl Pass<'_> {
    /// Finds all rows that differ, and why.
    pub(super) async fn locate(
        &self,
        cx: &mut CheckContext<'_>,
        digests: &Sides<TableDigest>,
        kept: Option<Kept>,
    ) -> Result<Differing, EngineError> {
        let shares = Shares::of(cx.resources);
        let mut kept = match kept {
            Some(kept) => kept,
            None => self.gather_some(cx, digests, &shares).await?,
        };
        for spill in kept.spills.source.iter_mut().chain(&mut kept.spills.target) {
            spill.check().map_err(|error| spilled(cx.resources, error))?;
            if spill.written() > 0 {
                tracing::debug!(bytes = spill.written(), "suspects were written to a file");
            }
        }
        let columns = self.columns.iter().zip(self.comparison.ruled());
        let causes = Causes::new(columns.map(|(names, (_, rule))| (names.target.clone(), *rule)));
        let join = Join::new(self.forms.clone(), self.key.clone(), causes, cx.sample as usize);
        let join = join.of_sent(self.sent.clone());
        let join = joined(join, kept, shares.at_work());
        let join = join.await.map_err(|error| spilled(cx.resources, error))?;
        let join = join.map_err(|error| EngineError::Unexpected {
            doing: format!("reading {}", self.comparison.target),
            what: error.to_string(),
        })?;
        let (mut located, causes, touched) = join.finish(cx.redaction);
        let rows = digests.source.fingerprint.rows;
        if let Some(strays) = located.strays.take().filter(|strays| strays.rows() >= rows / ROWS_FOR_A_STRAY) {
            located.again = self.again(cx, strays).await?;
        }
        Ok(Differing { located, causes, touched })
    }

    /// How many rows that only the target has are the source's once more. Its rows are read once more for that.
    async fn again(&self, cx: &mut CheckContext<'_>, strays: Again) -> Result<u64, EngineError> {
        let mut rowset = self.rowsets().source;
        rowset.as_sent = None;
        let read = cx.readers.scan_some(Sides::new(Some((rowset, strays)), None)).await?;
        Ok(read.source.map_or(0, Again::finish))
    }

    /// Reads the rows that may differ.
    async fn gather_some(
        &self,
        cx: &mut CheckContext<'_>,
        digests: &Sides<TableDigest>,
        shares: &Shares,
    ) -> Result<Kept, EngineError> {
        let buckets = self.buckets(digests, shares);
        let spills = Sides::from_fn(|_| shares.spill(&buckets, 1, cx.resources.folder.clone()));
        let spills = match self.gather_few(cx, digests, &buckets, spills).await? {
            Some(few) => few,
            None => self.gather(cx, digests, &buckets, shares).await?,
        };
        Ok(Kept { buckets, spills })
    }

    /// The buckets that differ, in partitions that go into memory.
    fn buckets(&self, digests: &Sides<TableDigest>, shares: &Shares) -> Arc<Buckets> {
        let buckets = Buckets::differing(&digests.source, &digests.target);
        let rows = digests.source.fingerprint.rows + digests.target.fingerprint.rows;
        let each = (digests.source.bytes + digests.target.bytes) / rows.max(1) + ROW_OVERHEAD;
        let suspects = buckets.rows();
        let least = (suspects.source + suspects.target) / shares.most_partitions();
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
            let spill = shares.spill(buckets, parts, folder.clone());
            match self.sent {
                Some(_) => Look::Sent(SentSuspects::new(&self.forms, &self.key, Arc::clone(buckets), spill)),
                None => Look::Rows(Suspects::new(self.forms.clone(), self.key.clone(), Arc::clone(buckets), spill)),
            }
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
                keep(parts)
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
                    Look::Sent(rows) => kept.get_mut(side).push(rows.finish()),
                }
            }
            if *by_address.get(side) {
                found.sort_unstable();
                let rowset = rowsets.get(side).clone().part(Part::At(found));
                *work.get_mut(side) = Some((rowset, keep(1)));
            }
        }
        for (side, look) in cx.readers.scan_some(work).await?.into_each() {
            match look {
                Some(Look::Rows(rows)) => kept.get_mut(side).push(rows.finish()),
                Some(Look::Sent(rows)) => kept.get_mut(side).push(rows.finish()),
                Some(Look::Keys(_)) | None => {}
            }
        }
        Ok(kept)
    }

    /// The key's columns and the address of each row.
    fn keys_of(&self, mut rowset: Rowset) -> Rowset {
        rowset.columns = self.key.iter().map(|column| rowset.columns[*column].clone()).collect();
        rowset.as_sent = None;
        rowset.with_address()
    }
}

/// Joins partition by partition; one is joined while the next is read and put in order.
pub(in crate::check) async fn joined(
    mut join: Join,
    Kept { buckets, mut spills }: Kept,
    bytes: usize,
) -> io::Result<Result<Join, Unreadable>> {
    let guard = Unwanted::default();
    let unwanted = Arc::clone(&guard.0);
    let (send, receive) = mpsc::sync_channel::<Sides<Ordered>>(0);
    let reading = tokio::task::spawn_blocking(move || -> io::Result<()> {
        for partition in 0..buckets.partition_count() {
            for slice in slices(&buckets, &spills, partition, bytes) {
                let mut sides: Sides<Ordered> = Sides::default();
                for side in Side::BOTH {
                    let mut records = Vec::new();
                    for spill in spills.get_mut(side) {
                        spill.take(partition, slice, bytes, &mut records)?;
                    }
                    *sides.get_mut(side) = Ordered::new(records);
                }
                if unwanted.load(Ordering::Relaxed) || send.send(sides).is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    });
    let joining = tokio::task::spawn_blocking(move || {
        // Whoever is refused a partition reads no more of them.
        receive.into_iter().try_for_each(|sides| join.partition(&sides)).map(|()| join)
    });
    let (reading, joining) = tokio::join!(reading, joining);
    reading.map_err(io::Error::other)??;
    joining.map_err(io::Error::other)
}

/// The slices in which a partition goes into memory. One, where its size was known before it was made.
fn slices(
    buckets: &Buckets,
    spills: &Sides<Vec<Spill>>,
    partition: usize,
    bytes: usize,
) -> impl Iterator<Item = Slice> + use<> {
    let held = |side| spills.get(side).iter().map(|spill| spill.held(partition)).sum::<u64>();
    let most = Side::BOTH.into_iter().map(held).max().unwrap_or_default();
    let of = if buckets.are_all() { most.div_ceil(bytes.max(LEAST) as u64).max(1) } else { 1 };
    (0..of).map(move |at| Slice { at, of })
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
pub(in crate::check) fn spilled(resources: &Resources, error: io::Error) -> EngineError {
    let doing = format!("keeping rows that may differ in `{}`", resources.folder.display());
    if error.kind() == io::ErrorKind::StorageFull {
        return EngineError::Full { doing, source: error.into() };
    }
    EngineError::Unexpected { doing, what: error.to_string() }
}
