//! `checksum`: every value of every row is the same on both sides, under the rules that the comparison states.

mod both;
mod few;
pub(super) mod findings;
pub(super) mod locate;
pub(super) mod spill;
mod wide;

use std::sync::Arc;

use async_trait::async_trait;

use super::{Check, CheckContext, CheckMeta, Examined};
use crate::{
    canon::{
        Form, RowDigester, SentDigester, SentRow, Sketch, TableDigest, comparison::Comparison, join::Touched,
        sent::key_cells,
    },
    engine::{EngineError, Rowset},
    model::{LossEntry, Share, Side, Sides, Stage},
};

/// Every value of every row is the same on both sides.
pub struct Checksum;

static META: CheckMeta = CheckMeta {
    id: "checksum",
    asserts: "source and target hold the same rows, value by value, under the rule stated for each pair of columns",
    why: "counts agree while a time zone shifted every instant, or one batch overwrote another",
    remedy: "read the finding's causes, columns and sample; most differences have one cause for many rows",
    example: "one byte of one text changed in the target",
    stages: &[Stage::Migrated],
};

#[async_trait]
impl Check for Checksum {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        let derived = cx.derived;
        cx.readers.set_jobs(cx.resources.jobs);
        let stores_alike = derived.same_engine && cx.readers.engine(Side::Source).dialect().enforces_types();
        for (position, comparison) in derived.all().enumerate() {
            let mut pass = Pass::new(comparison, stores_alike);
            let counted = if cx.can_compare(comparison, &mut examined) {
                // What was found before a table could not be read any further does not count.
                let mut of_table = Examined::default();
                let answer = pass.run(cx, &mut of_table).await.map(|rows| (rows, of_table));
                cx.answered(Side::Target, &comparison.target, answer, &mut examined).await?
            } else {
                None
            };
            if let Some((rows, of_table)) = counted {
                cx.tally.extend(rows.map(|rows| (position, rows)));
                examined.add(of_table);
            } else if !cx.is_elsewhere(comparison) {
                pass.not_done(cx, &mut examined);
            }
        }
        examined.coverage.columns.total += derived.columns_left_out;
        examined.unchecked.extend(derived.left_out.iter().cloned());
        for name in &derived.source_only {
            let table = &cx.catalogue(Side::Source).tables[name];
            examined.coverage.columns.total += table.columns.len() as u64;
            if table.unreadable.is_none() {
                let answer = cx.rows(Side::Source, name).await;
                let rows = cx.answered(Side::Source, name, answer, &mut examined).await?;
                examined.coverage.rows.total += rows.unwrap_or_default();
            }
        }
        for (table, column) in &derived.source_columns_only {
            examined.coverage.columns.total += 1;
            let reason = "the target has no column of that name";
            examined.unchecked.push(crate::model::Unchecked::new("column", format!("{table}.{column}"), reason));
        }
        Ok(examined)
    }
}

/// The digest of a table from those of its parts.
fn whole(mut parts: impl Iterator<Item = TableDigest>) -> TableDigest {
    let mut whole = parts.next().unwrap_or_else(|| unreachable!("a scan has a part"));
    parts.for_each(|part| whole.add(&part));
    whole
}

/// One comparison with what every pass over it needs.
struct Pass<'a> {
    comparison: &'a Comparison,
    /// Both sides are of one engine, which binds values to their columns' types.
    stores_alike: bool,
    /// The forms under which rows are equal or not.
    forms: Vec<Form>,
    /// The forms of the first pass.
    first_forms: Vec<Form>,
    key: Vec<usize>,
    columns: Vec<Sides<String>>,
    /// What reads the rows, where they are compared as they are sent.
    sent: Option<Arc<dyn SentRow>>,
}

impl<'a> Pass<'a> {
    fn new(comparison: &'a Comparison, stores_alike: bool) -> Self {
        let ruled: Vec<usize> =
            (0..comparison.columns.len()).filter(|at| comparison.columns[*at].rule.is_ok()).collect();
        let key: Vec<usize> =
            comparison.key.iter().filter_map(|at| ruled.iter().position(|ruled| ruled == at)).collect();
        let forms: Vec<Form> = comparison.ruled().map(|(_, rule)| Form::Common(*rule)).collect();
        let mut first_forms = forms.clone();
        if stores_alike && !key.is_empty() {
            // Values that are the same as stored are the same under every rule, and columns of one type mostly are: it
            // takes less to see that first. What differs as stored is looked at under the rules in the second pass. Keys
            // choose the buckets, and without a key the rows do, so they are brought to their common form at once.
            for (at, (pair, _)) in comparison.ruled().enumerate() {
                if pair.source.kind == pair.target.kind && !key.contains(&at) {
                    first_forms[at] = Form::Own;
                }
            }
        }
        Self {
            comparison,
            stores_alike,
            forms,
            first_forms,
            key,
            columns: comparison
                .ruled()
                .map(|(pair, _)| Sides::new(pair.source.name.clone(), pair.target.name.clone()))
                .collect(),
            sent: None,
        }
    }

    fn rowsets(&self) -> Sides<Rowset> {
        Sides::from_fn(|side| {
            let columns = self.columns.iter().map(|names| names.get(side).clone()).collect();
            let rowset = Rowset::compared(self.comparison, side, columns);
            if self.sent.is_some() { rowset.with_sent(key_cells(&self.key)) } else { rowset }
        })
    }

    /// Compares all rows, and tells how many there are where there was a column to read.
    async fn run(
        &mut self,
        cx: &mut CheckContext<'_>,
        examined: &mut Examined,
    ) -> Result<Option<Sides<u64>>, EngineError> {
        let all = self.comparison.columns.len() as u64;
        examined.coverage.columns += Share::new(self.columns.len() as u64, all);
        examined.unchecked.extend(self.comparison.unruled());
        if self.columns.is_empty() {
            return Ok(None);
        }
        if cx.is_empty(Side::Source, &self.comparison.source) && cx.is_empty(Side::Target, &self.comparison.target) {
            return Ok(Some(Sides::new(0, 0)));
        }
        self.look_how_sent(cx).await?;
        let (digests, kept) = match self.digests(cx).await? {
            Some(digests) => (digests, None),
            None => {
                let (digests, kept) = self.gather_all(cx).await?;
                (digests, Some(kept))
            }
        };
        let rows = digests.source.fingerprint.rows + digests.target.fingerprint.rows;
        examined.coverage.rows += Share::new(rows, rows);
        let mut touched = Touched {
            normalised: digests.as_ref().map(|digest| digest.normalised.clone()),
            unfit: digests.as_ref().map(|digest| digest.unfit.clone()),
        };
        if digests.source.fingerprint != digests.target.fingerprint {
            let differing = self.locate(cx, &digests, kept).await?;
            // Where rules had no part in the first pass, they had it in the second.
            for (at, _) in self.first_forms.iter().enumerate().filter(|(_, form)| **form == Form::Own) {
                for side in Side::BOTH {
                    touched.normalised.get_mut(side)[at] = differing.touched.normalised.get(side)[at];
                    touched.unfit.get_mut(side)[at] = differing.touched.unfit.get(side)[at];
                }
            }
            self.findings(cx, differing, examined);
        }
        self.ledger(&touched, examined);
        Ok(Some(digests.map(|digest| digest.fingerprint.rows)))
    }

    /// The first pass; nothing if it ended because the sides differ widely.
    async fn digests(&self, cx: &mut CheckContext<'_>) -> Result<Option<Sides<TableDigest>>, EngineError> {
        // Without a key a row that differs is nowhere on the other side.
        let sketch = (!self.key.is_empty()).then(Sketch::default);
        let rowsets = self.rowsets();
        let digests = if self.sent.is_some() {
            let digester = |side, _| {
                let digester = SentDigester::new(&self.forms, &self.key);
                Ok(if let Some(sketch) = &sketch { digester.with_sketch(sketch, side) } else { digester })
            };
            let parts = cx.readers.scan_parts(&rowsets, digester).await?;
            parts.map(|parts| whole(parts.into_iter().map(SentDigester::finish)))
        } else {
            let digester = |side, _| {
                let digester = RowDigester::new(self.first_forms.clone(), self.key.clone(), false);
                Ok(if let Some(sketch) = &sketch { digester.with_sketch(sketch, side) } else { digester })
            };
            let parts = cx.readers.scan_parts(&rowsets, digester).await?;
            parts.map(|parts| whole(parts.into_iter().map(RowDigester::finish)))
        };
        Ok(if sketch.is_some_and(|sketch| sketch.is_wide()) { None } else { Some(digests) })
    }

    /// Finds out whether values that are the same come as the same bytes from both sides. Then the rows are compared as
    /// they are sent, and only those that differ are read.
    async fn look_how_sent(&mut self, cx: &mut CheckContext<'_>) -> Result<(), EngineError> {
        let is_own = |at: usize| self.first_forms[at] == Form::Own || self.key.contains(&at);
        if self.key.is_empty() || !self.stores_alike || !(0..self.columns.len()).all(is_own) {
            return Ok(());
        }
        let rowsets = self.rowsets();
        let source = cx.readers.side(Side::Source)?.sent_form(&rowsets.source).await?;
        let target = cx.readers.side(Side::Target)?.sent_form(&rowsets.target).await?;
        self.sent =
            source.zip(target).filter(|(source, target)| source.words == target.words).map(|(form, _)| form.rows);
        Ok(())
    }

    /// Counts what there would have been to compare.
    fn not_done(&self, cx: &CheckContext<'_>, examined: &mut Examined) {
        examined.coverage.columns.total += self.comparison.columns.len() as u64;
        for (side, name) in [(Side::Source, &self.comparison.source), (Side::Target, &self.comparison.target)] {
            let recorded = cx.snapshot(cx.stage, side).tables.get(name);
            examined.coverage.rows.total += recorded.map_or(0, |table| table.rows.rows);
        }
    }

    /// The rules that folded values, and the rows that they touched.
    fn ledger(&self, touched: &Touched, examined: &mut Examined) {
        let rowsets = self.rowsets();
        for side in Side::BOTH {
            for (at, (_, rule)) in self.comparison.ruled().enumerate() {
                // What a rule could not bring to its type is equal to nothing but itself, and a reader has to know of it.
                let as_stored = format!("as stored where unfit for {}", rule.word());
                for (rows, rule) in
                    [(touched.normalised.get(side)[at], rule.to_string()), (touched.unfit.get(side)[at], as_stored)]
                {
                    if rows > 0 {
                        let table = rowsets.get(side).table.clone();
                        let column = self.columns[at].get(side).clone();
                        examined.loss_ledger.push(LossEntry { side, table, column, rule, rows });
                    }
                }
            }
        }
    }
}
