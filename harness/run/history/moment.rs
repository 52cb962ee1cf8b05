//! Moments of creation inside definitions: a view or default made with `'now'` holds the moment at which it was made, and
//! differs from itself whenever it is made again.

use crate::model::{Snapshot, catalogue::ObjectName};

/// What stands in place of such a moment.
const MASK: &str = "(moment of creation)";

/// Masks the moments of this run in two states' definitions where they differ, and counts the objects that are equal for
/// it. `days` are those on which the run went on, as in `2026-11-21`.
pub(super) fn mask(before: &mut Snapshot, after: &mut Snapshot, days: &[String]) -> u64 {
    let mut masked = 0;
    let names: Vec<ObjectName> = before.catalogue.objects.keys().cloned().collect();
    for name in names {
        let Some(now) = after.catalogue.objects.get_mut(&name) else { continue };
        let Some(then) = before.catalogue.objects.get_mut(&name).filter(|then| *then != now) else { continue };
        let is_equal = then.keys().eq(now.keys())
            && then
                .iter()
                .zip(now.iter())
                .all(|((_, then), (_, now))| masked_text(then, days) == masked_text(now, days));
        if is_equal {
            // Either of them does: the definition of now is taken for that of then.
            then.clone_from(now);
            masked += 1;
        }
    }
    masked
}

/// A text whose quoted moments of these days are masked.
fn masked_text(text: &str, days: &[String]) -> String {
    let (mut told, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('\'') {
        let (before, quoted) = rest.split_at(at + 1);
        told.push_str(before);
        let end = quoted.find('\'').unwrap_or(quoted.len());
        let (inner, after) = quoted.split_at(end);
        if is_moment(inner, days) {
            told.push_str(MASK)
        } else {
            told.push_str(inner)
        }
        match after.strip_prefix('\'') {
            Some(after) => {
                told.push('\'');
                rest = after;
            }
            None => rest = after,
        }
    }
    told.push_str(rest);
    told
}

/// `2026-11-21 04:05:06.789+00`, of one of these days.
fn is_moment(text: &str, days: &[String]) -> bool {
    let is_stamp = |rest: &str| {
        rest.starts_with([' ', 'T'])
            && rest.len() >= "_00:00:00".len()
            && rest[1..].chars().all(|c| c.is_ascii_digit() || ":.+-Z".contains(c))
    };
    days.iter().any(|day| text.strip_prefix(day.as_str()).is_some_and(is_stamp))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_moments_of_the_run_are_masked() {
        let days = ["2026-11-21".to_owned()];
        let text = "hot('2026-11-21 04:05:06.789+00'::timestamptz, 'it''s', '2026-11-20 04:05:06', '2026-11-21')";
        let expected = format!("hot('{MASK}'::timestamptz, 'it''s', '2026-11-20 04:05:06', '2026-11-21')");
        assert_eq!(masked_text(text, &days), expected);
        assert_eq!(masked_text("an ' alone", &days), "an ' alone");
    }
}
