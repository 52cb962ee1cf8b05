//! Where very many rows differ: no bucket would be without one, so that all rows are kept while they are summed up.
//!
//! The first pass sees that after a few rows, and ends there. This one takes its place and that of the second.

use std::sync::Arc;

use super::{
    Pass,
    both::Both,
    locate::{Kept, Shares},
    spill::Spill,
    whole,
};
use crate::{
    canon::{Buckets, RowDigester, SentDigester, SentSuspects, Suspects, TableDigest},
    check::CheckContext,
    engine::EngineError,
    model::{Side, Sides},
};

/// Partitions of rows of which nobody knows how many there are: of ten gigabytes, each is small enough for the memory
/// there usually is, and what each gathers is large enough to be written at once.
const PARTITIONS: u64 = 1024;

impl Pass<'_> {
    /// Reads all rows of both sides once.
    pub(super) async fn gather_all(
        &self,
        cx: &mut CheckContext<'_>,
    ) -> Result<(Sides<TableDigest>, Kept), EngineError> {
        let shares = Shares::of(cx.resources);
        let partitions = shares.most_partitions().min(PARTITIONS);
        let buckets = Arc::new(Buckets::all(usize::try_from(partitions).unwrap_or(1)));
        let (rowsets, folder) = (self.rowsets(), cx.resources.folder.clone());
        let spill = |parts: usize| shares.spill(&buckets, parts, folder.clone());
        let (digests, spills) = if self.sent.is_some() {
            let both = |_: Side, parts: usize| {
                Ok(Both {
                    digester: SentDigester::new(&self.forms, &self.key),
                    suspects: SentSuspects::new(&self.forms, &self.key, Arc::clone(&buckets), spill(parts)),
                })
            };
            let read = cx.readers.scan_parts(&rowsets, both).await?;
            apart(read.map(|parts| parts.into_iter().map(|both| (both.digester.finish(), both.suspects.finish()))))
        } else {
            let both = |_: Side, parts: usize| {
                let suspects = Suspects::new(self.forms.clone(), self.key.clone(), Arc::clone(&buckets), spill(parts));
                let digester = RowDigester::new(self.first_forms.clone(), self.key.clone(), false);
                Ok(Both { digester, suspects })
            };
            let read = cx.readers.scan_parts(&rowsets, both).await?;
            apart(read.map(|parts| parts.into_iter().map(|both| (both.digester.finish(), both.suspects.finish()))))
        };
        Ok((digests, Kept { buckets, spills }))
    }
}

/// What was summed up of each side, and what was kept.
fn apart(sides: Sides<impl Iterator<Item = (TableDigest, Spill)>>) -> (Sides<TableDigest>, Sides<Vec<Spill>>) {
    let apart = |parts: Vec<(TableDigest, Spill)>| {
        let (digests, spills): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        (whole(digests.into_iter()), spills)
    };
    let Sides { source, target } = sides;
    let (source, target) = (apart(source.collect()), apart(target.collect()));
    (Sides::new(source.0, target.0), Sides::new(source.1, target.1))
}
