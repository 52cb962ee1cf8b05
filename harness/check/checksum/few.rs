//! Second pass where few rows differ: the sums tell their keys, and nothing else is read.

use std::sync::Arc;

use super::{Pass, both::Both, spill::Spill};
use crate::{
    canon::{Buckets, Keys, SentDigester, SentSuspects, TableDigest},
    check::CheckContext,
    engine::{EngineError, Part},
    model::Sides,
};

impl Pass<'_> {
    /// Reads the rows that differ, if the sums tell which; nothing if they do not, or do not tell all.
    pub(super) async fn gather_few(
        &self,
        cx: &mut CheckContext<'_>,
        digests: &Sides<TableDigest>,
        buckets: &Arc<Buckets>,
        spills: Sides<Spill>,
    ) -> Result<Option<Sides<Vec<Spill>>>, EngineError> {
        let ([column], Some(_)) = (&self.key[..], &self.sent) else { return Ok(None) };
        let Some(keys) = Keys::differing(&digests.source, &digests.target) else { return Ok(None) };
        let names = &self.columns[*column];
        let rowsets = self.rowsets();
        let rowsets =
            Sides::from_fn(|side| rowsets.get(side).clone().part(Part::Keyed(names.get(side).clone(), keys.clone())));
        let sinks = spills.map(|spill| Both {
            digester: SentDigester::new(&self.forms, &self.key),
            suspects: SentSuspects::new(&self.forms, &self.key, Arc::clone(buckets), spill),
        });
        let read = cx.readers.scan(rowsets, sinks).await?;
        let read = read.map(|both| (both.digester.finish(), both.suspects.finish()));
        // What is left of the tables without the rows that were read has to be the same. Instead of taking them away from
        // their own side, they are added to the other.
        let (mut source, mut target) = (digests.source.clone(), digests.target.clone());
        source.add(&read.target.0);
        target.add(&read.source.0);
        let are_all = source.buckets == target.buckets;
        Ok(are_all.then(|| read.map(|(_, kept)| vec![kept])))
    }
}
