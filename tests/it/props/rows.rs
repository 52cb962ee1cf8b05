//! Properties of the digests and of locating, over small tables.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection::vec, prelude::*};
use rehearse::{
    canon::{Buckets, Cell, Fetch, Fetched, Form, Located, RowDigester, RowSink, Rule, Suspects, TableDigest, compare},
    model::Sides,
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
        prop_assert!(capped.wanted.missing.len() <= 1 && capped.wanted.changed.len() <= 1);
        for bytes in [usize::MAX, 600, 0] {
            fetched_are_the_rows(&sides, &key, &found, bytes)?;
        }
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

fn locate(sides: &Sides<Vec<Row>>, key: &[usize], limit: u64, cap: usize) -> Located {
    let digests = sides.as_ref().map(|rows| {
        let mut digester = RowDigester::new(FORMS.to_vec(), key.to_vec(), false).with_buckets(16);
        feed(rows, &mut digester);
        digester.finish()
    });
    let differing = Buckets::differing(&digests.source, &digests.target);
    assert_eq!(differing.is_empty(), digests.source.fingerprint == digests.target.fingerprint);
    let mut found = Located { changed_values: vec![0; 3], ..Located::default() };
    let mut seen = 0;
    for group in differing.groups(&digests.source, &digests.target, limit) {
        seen += group.len();
        let suspects = sides.as_ref().map(|rows| {
            let mut suspects = Suspects::new(FORMS.to_vec(), key.to_vec(), group.clone());
            feed(rows, &mut suspects);
            suspects
        });
        found.add(compare(&suspects.source, &suspects.target, cap), cap);
    }
    assert_eq!(seen, differing.len());
    found
}

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

/// The third pass gives back the rows that the second one marked: there, and different from the other side's; in as many
/// scans as the bytes that it may keep need.
fn fetched_are_the_rows(
    sides: &Sides<Vec<Row>>,
    key: &[usize],
    found: &Located,
    bytes: usize,
) -> Result<(), TestCaseError> {
    let wanted = &found.wanted;
    let mut marks = Sides::new(
        wanted.missing.iter().chain(wanted.changed.iter().map(|changed| &changed.source)).copied().collect::<Vec<_>>(),
        wanted.extraneous.iter().chain(wanted.changed.iter().map(|changed| &changed.target)).copied().collect(),
    );
    let mut samples: Sides<BTreeMap<_, _>> = Sides::default();
    while let Some(lowest) = marks.source.iter().chain(&marks.target).map(|mark| mark.key).min() {
        let fetched: Sides<Fetched> = Sides::from_fn(|side| {
            let wanted = marks.get(side).iter().copied();
            let mut fetch = Fetch::new(FORMS.to_vec(), key.to_vec(), wanted, Some(lowest), bytes);
            feed(sides.get(side), &mut fetch);
            fetch.finish()
        });
        for (side, fetched) in fetched.iter() {
            let left = marks.get(side).len();
            marks.get_mut(side).retain(|mark| match fetched.texts(mark).filter(|_| fetched.is_complete(&mark.key)) {
                Some(texts) => {
                    samples.get_mut(side).insert(*mark, texts);
                    false
                }
                None => true,
            });
            let stuck = marks.get(side).iter().any(|mark| mark.key == lowest);
            prop_assert!(!stuck, "no scan fetched {} of {left} rows", marks.get(side).len());
        }
    }
    for (side, samples) in samples.iter() {
        let texts = |row: &Row| [row.0, row.1, row.2].map(|value| Some(value.to_string())).to_vec();
        let rows: Vec<_> = sides.get(side).iter().map(texts).collect();
        prop_assert!(samples.values().all(|sample| rows.contains(sample)));
    }
    for changed in &wanted.changed {
        let (source, target) = (&samples.source[&changed.source], &samples.target[&changed.target]);
        let differing: Vec<usize> = (0..3).filter(|column| source[*column] != target[*column]).collect();
        prop_assert_eq!(&differing, &changed.columns);
    }
    Ok(())
}
