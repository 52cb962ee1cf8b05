//! Properties of the digests and of locating, over small tables.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::Arc,
};

use proptest::{collection::vec, prelude::*};
use rehearse::{
    canon::{
        Buckets, Causes, Cell, Form, Join, Keep, Located, RowDigester, RowSink, Rule, Suspects, TableDigest,
        suspect::{Ordered, texts},
    },
    model::{Redaction, Sides},
};

proptest! {
    #[test]
    fn sums_forget_order_and_remember_duplicates(
        rows in vec((0..4_i64, "[ab]{0,2}"), 1..12)
            .prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
        at in any::<prop::sample::Index>(),
    ) {
        let (rows, shuffled) = rows;
        prop_assert_eq!(digest(&rows), digest(&shuffled));
        let mut more = rows.clone();
        more.push(rows[at.index(rows.len())].clone());
        prop_assert_ne!(digest(&rows).fingerprint, digest(&more).fingerprint);
        let mut fewer = rows.clone();
        fewer.remove(at.index(rows.len()));
        prop_assert_ne!(digest(&rows).fingerprint.sum, digest(&fewer).fingerprint.sum);
    }

    #[test]
    fn differences_are_found_exactly(source in any_rows(), target in any_rows(), keyed: bool, limit in 1..20_u64) {
        let key = if keyed { vec![0] } else { Vec::new() };
        let sides = Sides::new(source, target);
        let found = locate(&sides, &key, limit, usize::MAX);
        let model = Model::of(&sides, keyed);
        let totals = |found: &Located| (found.missing, found.extraneous, found.changed);
        prop_assert_eq!(totals(&found), (model.missing, model.extraneous, model.changed));
        prop_assert_eq!(found.changed_values[0], 0);
        if let Some(values) = model.changed_values {
            prop_assert_eq!(&found.changed_values[1..], values);
        }
        if !keyed {
            let least = |one: usize, other: usize| if other > 0 { one.saturating_sub(other) as u64 } else { 0 };
            let distinct: BTreeSet<Row> = sides.source.iter().chain(&sides.target).copied().collect();
            let times = distinct.iter().map(|row| sides.as_ref().map(|rows| rows.iter().filter(|one| *one == row).count()));
            let repeated = times.fold(Sides::new(0, 0), |sum, times| {
                Sides::new(sum.source + least(times.source, times.target), sum.target + least(times.target, times.source))
            });
            prop_assert_eq!(found.repeated, repeated);
        }
        let capped = locate(&sides, &key, limit, 1);
        prop_assert_eq!(totals(&capped), totals(&found));
        prop_assert!(capped.sample.missing.len() <= 1 && capped.sample.changed.len() <= 2);
        samples_are_the_rows(&sides, &found)?;
    }
}

fn digest(rows: &[(i64, String)]) -> TableDigest {
    let forms = vec![Form::Own, Form::Common(Rule::Text)];
    let mut digester = RowDigester::new(forms, vec![0], true).with_buckets(8);
    for (number, text) in rows {
        digester.cell(0, Cell::Integer(*number));
        digester.cell(1, Cell::Text(text.as_bytes()));
        assert!(digester.end_row().is_continue());
    }
    digester.finish()
}

/// Key and two values, from so small a range that keys and rows repeat.
type Row = (i64, i64, i64);

fn any_rows() -> impl Strategy<Value = Vec<Row>> {
    let distinct = prop::collection::btree_map(0..40_i64, (0..3_i64, 0..2_i64), 0..30)
        .prop_map(|rows| rows.into_iter().map(|(key, (one, other))| (key, one, other)).collect());
    prop_oneof![vec((0..12_i64, 0..3_i64, 0..2_i64), 0..30), distinct]
}

const FORMS: [Form; 3] = [Form::Common(Rule::Number); 3];

fn feed(rows: &[Row], sink: &mut impl RowSink) {
    for (key, one, other) in rows {
        sink.cell(0, Cell::Integer(*key));
        sink.cell(1, Cell::Integer(*one));
        sink.cell(2, Cell::Integer(*other));
        if sink.end_row().is_break() {
            break;
        }
    }
}

/// Partitions in memory.
struct Kept(Vec<Vec<u8>>);

impl Keep for Kept {
    fn keep(&mut self, partition: usize, record: &[u8]) -> ControlFlow<()> {
        self.0[partition].extend_from_slice(record);
        ControlFlow::Continue(())
    }
}

fn locate(sides: &Sides<Vec<Row>>, key: &[usize], limit: u64, cap: usize) -> Located {
    let digests = sides.as_ref().map(|rows| {
        let mut digester = RowDigester::new(FORMS.to_vec(), key.to_vec(), false).with_buckets(16);
        feed(rows, &mut digester);
        digester.finish()
    });
    let differing = Buckets::differing(&digests.source, &digests.target);
    assert_eq!(differing.is_empty(), digests.source.fingerprint == digests.target.fingerprint);
    let buckets = Arc::new(differing.parted(limit));
    let kept = sides.as_ref().map(|rows| {
        let kept = Kept(vec![Vec::new(); buckets.partition_count()]);
        let mut suspects = Suspects::new(FORMS.to_vec(), key.to_vec(), Arc::clone(&buckets), kept);
        feed(rows, &mut suspects);
        suspects.finish().0
    });
    let total: usize = kept.source.iter().chain(&kept.target).map(|records| records.len() / RECORD).sum();
    assert_eq!(total as u64, buckets.rows().source + buckets.rows().target);
    let columns = ["key", "one", "other"].map(|name| (name.to_owned(), Rule::Number));
    let mut join = Join::new(FORMS.to_vec(), key.to_vec(), Causes::new(columns), cap);
    for (source, target) in kept.source.into_iter().zip(kept.target) {
        // What was folded once is the same as what was not.
        let folded = Ordered::new(Ordered::new(source).into_records());
        join.partition(&Sides::new(folded, Ordered::new(target)));
    }
    let (found, causes, _) = join.finish(&Redaction::Show);
    for (total, causes) in found.changed_values.iter().zip(causes) {
        assert_eq!(causes.iter().map(|one| one.total).sum::<u64>(), *total);
    }
    found
}

/// Bytes of a record of three integers.
const RECORD: usize = 24 + 3 * 9;

/// What a person with enough paper would find.
struct Model {
    missing: u64,
    extraneous: u64,
    changed: u64,
    /// Only where no key repeats, since else any pairing is as good as another.
    changed_values: Option<[u64; 2]>,
}

impl Model {
    fn of(sides: &Sides<Vec<Row>>, keyed: bool) -> Self {
        let mut by_key: BTreeMap<Row, Sides<Vec<Row>>> = BTreeMap::new();
        for (side, rows) in sides.iter() {
            for row in rows {
                let key = if keyed { (row.0, 0, 0) } else { *row };
                by_key.entry(key).or_default().get_mut(side).push(*row);
            }
        }
        let repeats = by_key.values().any(|rows| rows.source.len() > 1 || rows.target.len() > 1);
        let mut model = Self { missing: 0, extraneous: 0, changed: 0, changed_values: None };
        let mut values = [0; 2];
        for mut rows in by_key.into_values() {
            rows.source.retain(|row| match rows.target.iter().position(|other| other == row) {
                Some(at) => {
                    rows.target.remove(at);
                    false
                }
                None => true,
            });
            let pairs = rows.source.len().min(rows.target.len());
            model.changed += pairs as u64;
            model.missing += (rows.source.len() - pairs) as u64;
            model.extraneous += (rows.target.len() - pairs) as u64;
            for (source, target) in rows.source.iter().zip(&rows.target) {
                values[0] += u64::from(source.1 != target.1);
                values[1] += u64::from(source.2 != target.2);
            }
        }
        model.changed_values = (!repeats).then_some(values);
        model
    }
}

/// What is shown is there, and different from the other side's in the columns that are said to differ.
fn samples_are_the_rows(sides: &Sides<Vec<Row>>, found: &Located) -> Result<(), TestCaseError> {
    let texts_of = |row: &Row| [row.0, row.1, row.2].map(|value| Some(value.to_string())).to_vec();
    let sample = &found.sample;
    prop_assert_eq!(sample.missing.len() as u64, found.missing);
    prop_assert_eq!(sample.extraneous.len() as u64, found.extraneous);
    let shown = Sides::new(
        sample.missing.iter().chain(sample.changed.iter().map(|changed| &changed.source)).collect::<Vec<_>>(),
        sample.extraneous.iter().chain(sample.changed.iter().map(|changed| &changed.target)).collect(),
    );
    for (side, shown) in shown.iter() {
        let rows: Vec<_> = sides.get(side).iter().map(texts_of).collect();
        prop_assert!(shown.iter().all(|own| rows.contains(&texts(own))));
    }
    for changed in &sample.changed {
        let (source, target) = (texts(&changed.source), texts(&changed.target));
        let differing: Vec<usize> = (0..3).filter(|column| source[*column] != target[*column]).collect();
        prop_assert_eq!(&differing, &changed.columns);
    }
    Ok(())
}
