//! Causes in words.

use super::prose::{count, plural, visible};
use crate::model::{Cause, Finding};

/// Why a finding's values differ, a line for each cause: `412,000 rows: exactly +5 h`. None where no cause was found.
pub fn causes(finding: &Finding) -> Vec<String> {
    if finding.causes.iter().all(|one| one.cause == Cause::Unexplained) {
        return Vec::new();
    }
    let line = |total, cause| visible(&format!("{}: {}", plural(total, "row", "rows"), phrase(cause))).into_owned();
    finding.causes.iter().map(|one| line(one.total, &one.cause)).collect()
}

/// One cause: `NULL became empty`.
pub(super) fn phrase(cause: &Cause) -> String {
    let digits = |digits: u32| plural(digits.into(), "digit", "digits");
    let fixed = match cause {
        Cause::Repeated => "the other side has the same row, but not as often",
        Cause::LoadedAgain => "the other side has the row once, under another key: loaded again",
        Cause::NullToEmpty => "NULL became empty",
        Cause::EmptyToNull => "empty became NULL",
        Cause::Nulled => "a value became NULL",
        Cause::Emptied => "a value became empty",
        Cause::BlanksLost => "blanks at the end lost",
        Cause::BlanksAdded => "blanks added at the end",
        Cause::Lowercased => "all letters made small",
        Cause::Uppercased => "all letters made capitals",
        Cause::Capitalised { words: false } => "the first letter made a capital, the others small",
        Cause::Capitalised { words: true } => "the first letter of each word made a capital, the others small",
        Cause::CaseChanged => "other capitals and small letters",
        Cause::ZerosAdded => "zeros added at the end",
        Cause::ZerosLost => "zeros at the end lost",
        Cause::Offset { by: None } => "moved by other constants",
        Cause::ZoneLost => "the zone was dropped, the local time kept",
        Cause::TimeDropped => "the time of day was dropped",
        Cause::SinglePrecision => "rounded to a single-precision float",
        Cause::DoublePrecision => "rounded to a double-precision float",
        Cause::Cut { characters: None } => "cut after other numbers of characters",
        Cause::BytesCut { bytes: None } => "cut after other numbers of bytes",
        Cause::Shifted { micros: None } => "shifted by other constants",
        Cause::Substituted { pair: None } => "other values in place of each one",
        Cause::Unexplained => "unexplained",
        Cause::Swapped { with } => return format!("swapped with {with}"),
        Cause::Normalised { form } => return format!("normalised to Unicode's {form}"),
        Cause::LineEnds { to } => return format!("line ends became {to}"),
        Cause::Offset { by: Some(by) } => return format!("exactly {by}"),
        Cause::KeyShifted { by } => return format!("the other side has the row with its key moved by {by:+}"),
        Cause::Mojibake { charset, times: 1 } => return format!("UTF-8 read as {charset}"),
        Cause::Mojibake { charset, times } => return format!("UTF-8 read as {charset}, {times} times over"),
        Cause::CharactersReplaced { with } => return format!("characters replaced by {with}"),
        Cause::Cut { characters: Some(kept) } => {
            return format!("cut after {}", plural(*kept, "character", "characters"));
        }
        Cause::BytesCut { bytes: Some(kept) } => return format!("cut after {}", plural(*kept, "byte", "bytes")),
        Cause::FractionCut { digits: 0 } => "fractions of a second cut",
        Cause::FractionCut { digits: kept } => return format!("fractions of a second cut after {}", digits(*kept)),
        Cause::FractionRounded { digits: 0 } => "rounded to seconds",
        Cause::FractionRounded { digits: kept } => {
            return format!("fractions of a second rounded to {}", digits(*kept));
        }
        Cause::DecimalsCut { scale: 0 } => "digits after the point cut",
        Cause::DecimalsCut { scale } => return format!("cut after {} behind the point", digits(*scale)),
        Cause::DecimalsRounded { scale: 0 } => "rounded to whole numbers",
        Cause::DecimalsRounded { scale } => return format!("rounded to {} behind the point", digits(*scale)),
        Cause::Shifted { micros: Some(micros) } => return format!("exactly {}", distance(*micros)),
        Cause::Substituted { pair: Some(pair) } => return format!("{} in place of {}", pair.target, pair.source),
    };
    fixed.to_owned()
}

/// `+5 h`, `-1 d 30 min`, `+0.5 s`.
fn distance(micros: i64) -> String {
    let size = micros.unsigned_abs();
    let (seconds, fraction) = (size / 1_000_000 % 60, size % 1_000_000);
    let mut parts = Vec::new();
    for (amount, unit) in
        [(size / 86_400_000_000, "d"), (size / 3_600_000_000 % 24, "h"), (size / 60_000_000 % 60, "min")]
    {
        if amount > 0 {
            parts.push(format!("{} {unit}", count(amount)));
        }
    }
    match fraction {
        0 if seconds == 0 => {}
        0 => parts.push(format!("{seconds} s")),
        _ => parts.push(format!("{} s", format!("{seconds}.{fraction:06}").trim_end_matches('0'))),
    }
    format!("{}{}", if micros < 0 { '-' } else { '+' }, parts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CauseCount, FindingKind, Shown, Subject, Substitution};

    #[test]
    fn distances_read_well() {
        const HOUR: i64 = 3_600_000_000;
        let shown = [5 * HOUR, -HOUR / 4, 26 * HOUR, -500_000, 3_723_000_001, 24_000 * HOUR].map(distance);
        assert_eq!(shown, ["+5 h", "-15 min", "+1 d 2 h", "-0.5 s", "+1 h 2 min 3.000001 s", "+1,000 d"]);
    }

    #[test]
    fn causes_are_a_line_each_unless_there_is_none() {
        let mut finding = Finding::error(FindingKind::ChangedValue, Subject::default(), 412_004);
        let unexplained = CauseCount { cause: Cause::Unexplained, total: 1 };
        finding.causes = vec![unexplained.clone()];
        assert_eq!(causes(&finding), Vec::<String>::new());
        let pair = Substitution { source: Shown::Value("a\u{1b}".to_owned()), target: Shown::Null };
        finding.causes = vec![
            CauseCount { cause: Cause::Shifted { micros: Some(18_000_000_000) }, total: 412_000 },
            CauseCount { cause: Cause::Substituted { pair: Some(pair) }, total: 2 },
            CauseCount { cause: Cause::DecimalsRounded { scale: 1 }, total: 1 },
            unexplained,
        ];
        let told = [
            "412,000 rows: exactly +5 h",
            "2 rows: NULL in place of \"a\\u{1b}\"",
            "1 row: rounded to 1 digit behind the point",
            "1 row: unexplained",
        ];
        assert_eq!(causes(&finding), told);
    }
}
