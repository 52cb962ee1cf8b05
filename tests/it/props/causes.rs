//! Properties of causes: every changed value is counted once, whatever it is.

use proptest::{collection::vec, prelude::*};
use rehearse::{
    canon::{Cell, Rule, cause::Tally},
    model::{Cause, Redaction},
};

/// Texts that rules of all families meet: numbers, moments, blanks, letters of every kind, nothing.
fn any_text() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        Just(None),
        "[aAé😀Ã© ]{0,4}".prop_map(Some),
        "-?[0-9]{1,3}(\\.[0-9]{1,4})?".prop_map(Some),
        "2024-0[1-3]-0[1-9] 0[0-9]:[0-5]0:00(\\.[0-9]{1,6})?(\\+0[0-3])?".prop_map(Some),
    ]
}

fn cell(text: Option<&String>) -> Cell<'_> {
    text.map_or(Cell::Null, |text| Cell::Text(text.as_bytes()))
}

proptest! {
    #[test]
    fn counts_add_up(rule in prop::sample::select(Rule::ALL), pairs in vec((any_text(), any_text()), 0..60)) {
        let mut tally = Tally::new(rule);
        for (source, target) in &pairs {
            tally.take(&cell(source.as_ref()), &cell(target.as_ref()));
        }
        let causes = tally.finish(&Redaction::Show);
        prop_assert_eq!(causes.iter().map(|one| one.total).sum::<u64>(), pairs.len() as u64);
        prop_assert!(causes.iter().all(|one| one.total > 0));
        let unexplained = causes.iter().position(|one| one.cause == Cause::Unexplained);
        prop_assert!(unexplained.is_none_or(|at| at + 1 == causes.len()));
    }

    #[test]
    fn a_shift_is_found_whatever_the_times(starts in vec(0..2_000_000_000_000_000_i64, 3..40), by in 1..i64::MAX / 4) {
        // Distinct ones: a single value that stands for another is no shift.
        prop_assume!(starts.iter().any(|start| *start != starts[0]));
        let mut tally = Tally::new(Rule::Instant);
        for start in &starts {
            tally.take(&Cell::TimestampTz(*start), &Cell::TimestampTz(start + by));
        }
        let causes = tally.finish(&Redaction::Show);
        let shifted: u64 = causes.iter().filter(|one| one.cause == Cause::Shifted { micros: Some(by) }).map(|one| one.total).sum();
        // A time that moved less than a second may have been rounded.
        prop_assert!(by < 1_000_000 || shifted == starts.len() as u64, "{:?}", causes);
    }
}
