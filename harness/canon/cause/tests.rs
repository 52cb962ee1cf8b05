use super::*;
use crate::model::{Shown, Substitution};

const HOUR: i64 = 3_600_000_000;

fn text(text: &str) -> Cell<'_> {
    Cell::Text(text.as_bytes())
}

/// The causes of values under a rule, as `cause: total`.
fn causes(rule: Rule, values: &[(Cell<'_>, Cell<'_>)]) -> Vec<(Cause, u64)> {
    let mut tally = Tally::new(rule);
    values.iter().for_each(|(source, target)| tally.take(source, target));
    tally.finish(&Redaction::Show).into_iter().map(|one| (one.cause, one.total)).collect()
}

fn only(rule: Rule, source: Cell<'_>, target: Cell<'_>) -> Cause {
    let found = causes(rule, &[(source, target)]);
    assert_eq!(found.len(), 1, "{source:?} {target:?}");
    found.into_iter().next().unwrap().0
}

fn cut(characters: u64) -> Cause {
    Cause::Cut { characters: Some(characters) }
}

fn shift(micros: i64) -> Cause {
    Cause::Shifted { micros: Some(micros) }
}

fn substituted(source: &str, target: &str) -> Cause {
    let shown = |text: &str| Shown::Value(text.to_owned());
    Cause::Substituted { pair: Some(Substitution { source: shown(source), target: shown(target) }) }
}

#[test]
fn texts() {
    let form = |form: &str| Cause::Normalised { form: form.to_owned() };
    let mojibake = |charset: &str, times| Cause::Mojibake { charset: charset.to_owned(), times };
    let replaced = |with| Cause::CharactersReplaced { with };
    let ends = |to: &str| Cause::LineEnds { to: to.to_owned() };
    for (source, target, cause) in [
        ("a  ", "a", Cause::BlanksLost),
        ("   ", "", Cause::BlanksLost),
        ("a  ", "a ", cut(2)),
        ("a", "a   ", Cause::BlanksAdded),
        ("Ärger", "ärger", Cause::Lowercased),
        ("ärger", "ÄRGER", Cause::Uppercased),
        ("Ada", "aDA", Cause::CaseChanged),
        ("ADA élan", "Ada élan", Cause::Capitalised { words: false }),
        ("ada O'HARA, élan", "Ada O'Hara, Élan", Cause::Capitalised { words: true }),
        ("Ada", "aDE", Cause::Unexplained),
        ("a\r\nb\r\n", "a\nb\n", ends("LF")),
        ("a\nb", "a\r\nb", ends("CRLF")),
        ("a\rb", "a\r\nb", ends("CRLF")),
        ("a\nb\n", "a\r\nb\n", Cause::Unexplained),
        ("Zoe\u{308}", "Zo\u{eb}", form("NFC")),
        ("Zo\u{eb}", "Zoe\u{308}", form("NFD")),
        ("ﬁn", "fin", form("NFKC")),
        ("é", "Ã©", mojibake("windows-1252", 1)),
        ("€", "â‚¬", mojibake("windows-1252", 1)),
        ("€", "\u{e2}\u{82}\u{ac}", mojibake("latin1", 1)),
        ("é", "ÃƒÂ©", mojibake("windows-1252", 2)),
        ("Ã©", "é", Cause::Unexplained),
        ("a😀b", "a?b", replaced('?')),
        ("a😀b", "a????b", replaced('?')),
        ("né€", "né?", replaced('?')),
        ("née", "n?e", replaced('?')),
        ("née", "n\u{fffd}\u{fffd}e", replaced('\u{fffd}')),
        ("née", "ne", Cause::Unexplained),
        ("Lovelace", "Love", cut(4)),
        ("çaçaç", "çaç", cut(3)),
        ("Lovelace", "", Cause::Emptied),
        ("Lovelace", "Lovelade", Cause::Unexplained),
    ] {
        assert_eq!(only(Rule::Text, text(source), text(target)), cause, "{source} {target}");
        assert_eq!(only(Rule::Stored, text(source), text(target)), cause, "{source} {target}");
    }
}

#[test]
fn null_and_empty_and_bytes() {
    let none = Cell::Null;
    let bytes = |bytes: &'static [u8]| Cell::Bytes(bytes);
    for (rule, source, target, cause) in [
        (Rule::Text, none, text(""), Cause::NullToEmpty),
        (Rule::Text, text(""), none, Cause::EmptyToNull),
        (Rule::Bytes, bytes(b""), none, Cause::EmptyToNull),
        (Rule::Number, text(""), none, Cause::EmptyToNull),
        (Rule::Date, text("0000-00-00"), none, Cause::Nulled),
        (Rule::Uuid, Cell::Uuid([1; 16]), none, Cause::Nulled),
        (Rule::Text, none, text("NULL"), Cause::Unexplained),
        (Rule::Bytes, bytes(b"\xff\x00a"), bytes(b"\xff"), Cause::BytesCut { bytes: Some(1) }),
        (Rule::Bytes, bytes(b"\xff"), bytes(b"\xfe"), Cause::Unexplained),
        (Rule::Bytes, bytes(b"\xde\xad"), bytes(b"\xde\xad\x00\x00"), Cause::ZerosAdded),
        (Rule::Bytes, bytes(b"\xde\xad\x00"), bytes(b"\xde\xad"), Cause::ZerosLost),
        (Rule::Text, text("1"), Cell::Bytes(b"1"), Cause::Unexplained),
    ] {
        assert_eq!(only(rule, source, target), cause, "{source:?} {target:?}");
    }
}

#[test]
fn moments() {
    let at = Cell::Timestamp;
    let day = temporal::DAY;
    for (rule, source, target, cause) in [
        (Rule::Instant, Cell::TimestampTz(0), Cell::TimestampTz(5 * HOUR), shift(5 * HOUR)),
        (Rule::Instant, text("2024-01-01 00:00:00"), Cell::TimestampTz(1_704_067_200_000_000 - HOUR), shift(-HOUR)),
        (Rule::Instant, text("2024-01-01 05:00:00+05"), at(1_704_085_200_000_000), Cause::ZoneLost),
        (Rule::Instant, text("2024-01-01T05:00:00-03:30"), at(1_704_085_200_000_000), Cause::ZoneLost),
        (Rule::Timestamp, at(1_500_000), at(1_000_000), Cause::FractionCut { digits: 0 }),
        (Rule::Timestamp, at(1_700_000), at(2_000_000), Cause::FractionRounded { digits: 0 }),
        (Rule::Timestamp, at(1_234_567), at(1_234_000), Cause::FractionCut { digits: 3 }),
        (Rule::Timestamp, at(1_234_567), at(1_235_000), Cause::FractionRounded { digits: 3 }),
        (Rule::Timestamp, at(-500_001), at(-1_000_000), Cause::FractionCut { digits: 0 }),
        (Rule::Timestamp, at(day - 300_000), at(day), Cause::FractionRounded { digits: 0 }),
        (Rule::Timestamp, at(day + 17 * HOUR + 1), at(day), Cause::TimeDropped),
        (Rule::Time, Cell::Time(23 * HOUR), Cell::Time(0), shift(HOUR)),
        (Rule::Date, Cell::Date(3), Cell::Date(2), shift(-day)),
        (Rule::Timestamp, at(0), at(77), Cause::Unexplained),
        (Rule::Timestamp, at(0), at(i64::MAX), Cause::Unexplained),
        (Rule::Timestamp, at(i64::MIN + 1), at(i64::MAX - 1), Cause::Unexplained),
    ] {
        assert_eq!(only(rule, source, target), cause, "{source:?} {target:?}");
    }
}

#[test]
fn numbers() {
    for (source, target, cause) in [
        ("1.239", "1.23", Cause::DecimalsCut { scale: 2 }),
        ("1.239", "1.24", Cause::DecimalsRounded { scale: 2 }),
        ("-1.239", "-1.24", Cause::DecimalsRounded { scale: 2 }),
        ("2.5", "3", Cause::DecimalsRounded { scale: 0 }),
        ("1.5", "1", Cause::DecimalsCut { scale: 0 }),
        ("9.996", "10", Cause::DecimalsRounded { scale: 0 }),
        ("0.006", "0.01", Cause::DecimalsRounded { scale: 2 }),
        ("0.004", "0", Cause::DecimalsCut { scale: 0 }),
        ("16777217", "16777216", Cause::SinglePrecision),
        ("0.1", "0.10000000149011612", Cause::SinglePrecision),
        ("12345678901234567891", "12345678901234567000", Cause::DoublePrecision),
        ("12345678901234567891", "12345678901234567892", Cause::Unexplained),
        ("9007199254740993", "9007199254740992", Cause::DoublePrecision),
        ("1", "2", Cause::Unexplained),
        ("NaN", "0", Cause::Unexplained),
    ] {
        assert_eq!(only(Rule::Number, text(source), text(target)), cause, "{source} {target}");
    }
}

#[test]
fn the_option_that_explains_more_has_the_values_of_its_family() {
    let at = |micros| (Cell::Timestamp(micros), Cell::Timestamp(micros - micros % 1_000));
    let cut_after_3 = (Cause::FractionCut { digits: 3 }, 3);
    assert_eq!(causes(Rule::Timestamp, &[at(120_001), at(234_567), at(345_678)]), [cut_after_3]);
    let money = |source, target| (text(source), text(target));
    let rounded = (Cause::DecimalsRounded { scale: 2 }, 3);
    assert_eq!(causes(Rule::Number, &[money("1.234", "1.23"), money("2.345", "2.35"), money("1.999", "2")]), [rounded]);
}

#[test]
fn what_could_explain_anything_has_to_repeat() {
    let status = |source, target| (text(source), text(target));
    let (paid, open) = (status("P", "paid"), status("O", "open"));
    assert_eq!(
        causes(Rule::Text, &[paid, open, paid, open, paid]),
        [(substituted("P", "paid"), 3), (Cause::Unexplained, 2)]
    );
    // Not the same throughout.
    assert_eq!(causes(Rule::Text, &[paid, paid, paid, status("P", "void")]), [(Cause::Unexplained, 4)]);
    let moved = |from| (Cell::Timestamp(from), Cell::Timestamp(from + 77));
    assert_eq!(causes(Rule::Timestamp, &[moved(0), moved(5)]), [(Cause::Unexplained, 2)]);
    assert_eq!(causes(Rule::Timestamp, &[moved(0), moved(5), moved(9)]), [(shift(77), 3)]);
    // The end of time that became another is no shift.
    assert_eq!(
        causes(Rule::Timestamp, &[moved(0), moved(0), moved(0)]),
        [(substituted("1970-01-01 00:00:00", "1970-01-01 00:00:00.000077"), 3)]
    );
}

#[test]
fn too_many_amounts_are_told_together_or_not_at_all() {
    let long = "x".repeat(400);
    let values: Vec<_> = (1..=300).map(|length| (text(&long), text(&long[..length]))).collect();
    let found = causes(Rule::Text, &values);
    assert_eq!(found.iter().map(|(_, total)| total).sum::<u64>(), 300);
    assert!(found.contains(&(Cause::Cut { characters: None }, 248)), "{found:?}");
    assert!(found.contains(&(Cause::Unexplained, 44)), "{found:?}");
}

#[test]
fn swapped_columns_and_redaction() {
    let own = |cells: &[Cell<'_>]| {
        let mut own = Vec::new();
        cells.iter().for_each(|cell| encode::encode_own(cell, &mut own));
        own
    };
    let columns = [("id", Rule::Number), ("first", Rule::Text), ("last", Rule::Text), ("on", Rule::Boolean)];
    let mut all = Causes::new(columns.map(|(name, rule)| (name.to_owned(), rule)));
    let one = Cell::Integer(1);
    let names = |first, last| own(&[one, text(first), text(last), Cell::Boolean(true)]);
    all.take(&names("Ada", "Byron"), &names("Byron", "Ada"));
    all.take(&names("Ada", "Byron"), &names("Byron", "King"));
    for _ in 0..3 {
        all.take(&names("secret", "same"), &names("hidden", "same"));
    }
    let found = all.finish(&Redaction::Redact { salt: [7; 32] });
    let swapped = |with: &str| Cause::Swapped { with: with.to_owned() };
    assert_eq!(found[0], []);
    assert_eq!(found[1].len(), 3, "{found:?}");
    assert!(found[1].contains(&CauseCount { cause: swapped("last"), total: 1 }));
    assert_eq!(found[1].last(), Some(&CauseCount { cause: Cause::Unexplained, total: 1 }));
    assert_eq!(found[2][0], CauseCount { cause: swapped("first"), total: 1 });
    assert_eq!(found[3], []);
    let told = serde_json::to_string(&found).unwrap();
    assert!(told.contains("redacted") && !told.contains("secret") && !told.contains("hidden"), "{told}");
}

#[test]
fn numbers_that_moved_by_a_constant() {
    let by = |by: &str| Cause::Offset { by: Some(by.to_owned()) };
    let moved = |source: &[&str], target: &[&str]| {
        let pairs: Vec<_> = source.iter().zip(target).map(|(source, target)| (text(source), text(target))).collect();
        causes(Rule::Number, &pairs)
    };
    assert_eq!(moved(&["1", "2", "30"], &["1001", "1002", "1030"]), [(by("+1000"), 3)]);
    assert_eq!(moved(&["0", "1.5", "-3"], &["-0.25", "1.25", "-3.25"]), [(by("-0.25"), 3)]);
    assert_eq!(moved(&["1e20", "2e20", "3e20"], &["1.5e20", "2.5e20", "3.5e20"]), [(by("+50000000000000000000"), 3)]);
    // Two of one distance may be chance, and one value that stands for another is no distance.
    assert_eq!(moved(&["1", "2"], &["11", "12"]), [(Cause::Unexplained, 2)]);
    assert_eq!(moved(&["1", "1", "1"], &["7", "7", "7"]), [(substituted("1", "7"), 3)]);
}
