//! Properties of the canonical form, the digests and the second pass, over arbitrary values.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};
use rehearse::{
    canon::{
        Buckets, Cell, Decimal, Fit, Form, Located, RowDigester, RowSink, Rule, Samples, Sign, Suspects, TableDigest,
        compare, decode_own, encode_own, temporal, uuid,
    },
    model::Sides,
};

/// A cell with its bytes: any shape, few enough values that equal ones meet.
#[derive(Clone, Debug)]
struct Owned {
    shape: u8,
    long: i64,
    short: i32,
    bytes: Vec<u8>,
}

impl Owned {
    fn cell(&self) -> Cell<'_> {
        match self.shape {
            0 => Cell::Null,
            1 => Cell::Boolean(self.long & 1 == 1),
            2 => Cell::Integer(self.long),
            3 => Cell::Float32(f32::from_bits(self.short.cast_unsigned())),
            4 => Cell::Float64(f64::from_bits(self.long.cast_unsigned())),
            5 => Cell::Text(&self.bytes),
            6 => Cell::PaddedText(&self.bytes),
            7 => Cell::Bytes(&self.bytes),
            8 => Cell::Uuid(u128::from(self.long.cast_unsigned()).to_be_bytes()),
            9 => Cell::Date(self.short),
            10 => Cell::Time(self.long),
            11 => Cell::TimeTz(self.long, self.short),
            12 => Cell::Timestamp(self.long),
            13 => Cell::TimestampTz(self.long),
            14 => Cell::Interval { months: self.short, days: 1, micros: self.long },
            15 => Cell::Json(&self.bytes),
            16 => Cell::Jsonb(&self.bytes),
            17 => Cell::Label(&self.bytes),
            _ => Cell::Opaque(&self.bytes),
        }
    }

    fn own(&self) -> Vec<u8> {
        own(&self.cell())
    }

    /// What a reader would need to tell two cells apart, floats by their bits.
    fn identity(&self) -> String {
        match self.cell() {
            Cell::Float32(value) => format!("float4 {:x}", value.to_bits()),
            Cell::Float64(value) => format!("float8 {:x}", value.to_bits()),
            cell => format!("{cell:?}"),
        }
    }
}

fn own(cell: &Cell<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    encode_own(cell, &mut out);
    out
}

fn under(rule: Rule, cell: &Cell<'_>) -> (Vec<u8>, Fit) {
    let mut out = Vec::new();
    let fit = rule.encode(cell, &mut out);
    (out, fit)
}

fn any_cell() -> impl Strategy<Value = Owned> {
    let bytes = prop_oneof![vec(any::<u8>(), 0..6), "[0-9tf. -]{0,4}".prop_map(String::into_bytes)];
    let long = prop_oneof![any::<i64>(), 0..3_i64];
    let short = prop_oneof![any::<i32>(), 0..3_i32];
    (0..19_u8, long, short, bytes).prop_map(|(shape, long, short, bytes)| Owned { shape, long, short, bytes })
}

/// Groups and scale of a decimal of these digits, the last `scale` of them after the point.
fn stored(digits: &[u8], scale: usize) -> (i16, Vec<u8>) {
    let whole = digits.len() - scale;
    let mut padded = vec![0; (4 - whole % 4) % 4];
    padded.extend(digits);
    padded.resize(padded.len().next_multiple_of(4), 0);
    let weight = i16::try_from(whole.div_ceil(4)).unwrap() - 1;
    let group = |four: &[u8]| four.iter().fold(0_u16, |group, digit| group * 10 + u16::from(*digit)).to_be_bytes();
    (weight, padded.chunks(4).flat_map(group).collect())
}

proptest! {
    #[test]
    fn own_form_is_lossless_and_needs_no_separator(cells in vec(any_cell(), 0..6)) {
        let bytes: Vec<u8> = cells.iter().flat_map(Owned::own).collect();
        let mut rest = &bytes[..];
        for cell in &cells {
            let (read, after) = decode_own(rest).expect("what was encoded can be decoded");
            prop_assert_eq!(own(&read), cell.own());
            rest = after;
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn own_form_is_injective(one in any_cell(), other in any_cell()) {
        prop_assert_eq!(one.own() == other.own(), one.identity() == other.identity());
    }

    #[test]
    fn a_rule_that_folds_says_so(one in any_cell(), other in any_cell()) {
        // Two cells of one shape that a rule makes equal without having folded either were equal before.
        for rule in Rule::ALL {
            let ((one_form, one_fit), (other_form, other_fit)) = (under(*rule, &one.cell()), under(*rule, &other.cell()));
            let exact = one_fit == Fit::Exact && other_fit == Fit::Exact;
            let nan = matches!(one.cell(), Cell::Float32(value) if value.is_nan())
                || matches!(one.cell(), Cell::Float64(value) if value.is_nan());
            if one_form == other_form && one.shape == other.shape && exact && !nan {
                prop_assert_eq!(one.own(), other.own(), "{}", rule);
            }
            if one_fit == Fit::Unfit && one_form == other_form {
                prop_assert_eq!(one.own(), other.own(), "{}", rule);
            }
        }
    }

    #[test]
    fn decimals_keep_their_scale_in_own_form_and_only_there(
        digits in vec(0..10_u8, 1..40),
        scale in 0..40_usize,
        zeros in 1..9_usize,
    ) {
        let scale = scale.min(digits.len());
        let mut longer = digits.clone();
        longer.resize(digits.len() + zeros, 0);
        let (weight, groups) = stored(&digits, scale);
        let (longer_weight, longer_groups) = stored(&longer, scale + zeros);
        let make = |weight, scale: usize, groups| {
            Cell::Decimal(Decimal { sign: Sign::Positive, weight, scale: u16::try_from(scale).unwrap(), groups })
        };
        let short = make(weight, scale, &groups);
        let long = make(longer_weight, scale + zeros, &longer_groups);
        prop_assert_ne!(own(&short), own(&long));
        prop_assert_eq!(under(Rule::Number, &short).0, under(Rule::Number, &long).0);
        prop_assert_eq!(under(Rule::Number, &long).1, Fit::Normalised);
        let mut text: String = digits.iter().map(|digit| char::from(b'0' + digit)).collect();
        text.insert(text.len() - scale, '.');
        prop_assert_eq!(under(Rule::Number, &short).0, under(Rule::Number, &Cell::Text(text.as_bytes())).0);
        let shown = rehearse::canon::text_of(&short).unwrap();
        let same_value = under(Rule::Number, &Cell::Text(shown.as_bytes())).0;
        prop_assert_eq!(under(Rule::Number, &short).0, same_value);
    }

    #[test]
    fn floats_are_their_shortest_digits(one in any::<f64>(), other in any::<f64>(), narrow in any::<f32>()) {
        let text = format!("{one:?}");
        prop_assert_eq!(under(Rule::Number, &Cell::Float64(one)).0, under(Rule::Number, &Cell::Text(text.as_bytes())).0);
        let text = format!("{narrow:?}");
        prop_assert_eq!(under(Rule::Number, &Cell::Float32(narrow)).0, under(Rule::Number, &Cell::Text(text.as_bytes())).0);
        let equal = under(Rule::Number, &Cell::Float64(one)).0 == under(Rule::Number, &Cell::Float64(other)).0;
        prop_assert_eq!(equal, one == other);
        // A single that was widened on its way is the same single again.
        let widened = Cell::Float64(f64::from(narrow));
        prop_assert_eq!(under(Rule::Single, &Cell::Float32(narrow)).0, under(Rule::Single, &widened).0);
    }

    #[test]
    fn moments_survive_their_text(micros in -9_200_000_000_000_000_000..9_200_000_000_000_000_000_i64, days in any::<i32>(), seconds in -50_000..50_000_i32) {
        let read = temporal::parse_timestamp(&temporal::format_timestamp(micros)).unwrap();
        prop_assert_eq!((read.micros, read.zoned, read.rounded), (micros, false, false));
        let read = temporal::parse_timestamp(&temporal::format_instant(micros)).unwrap();
        prop_assert_eq!((read.micros, read.zoned), (micros, true));
        let days = days % 300_000_000;
        prop_assert_eq!(temporal::parse_date(&temporal::format_date(days)), Some(days));
        let time = micros.rem_euclid(temporal::DAY);
        prop_assert_eq!(temporal::parse_time(&temporal::format_time(time)), Some(time));
        // Any offset names the same instant.
        let (sign, size) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs());
        let local = temporal::format_timestamp(micros + i64::from(seconds) * 1_000_000);
        if !local.ends_with("BC") {
            let text = format!("{local}{sign}{:02}:{:02}:{:02}", size / 3600, size / 60 % 60, size % 60);
            prop_assert_eq!(temporal::parse_timestamp(&text).map(|read| read.micros), Some(micros), "{}", text);
        }
    }

    #[test]
    fn uuids_survive_every_spelling(bytes in any::<[u8; 16]>(), dashes in any::<[bool; 7]>(), upper: bool, braces: bool) {
        let plain = uuid::format(&bytes);
        prop_assert_eq!(uuid::parse(plain.as_bytes()), Some(bytes));
        let hex = plain.replace('-', "");
        let mut text = String::new();
        for (at, digit) in hex.chars().enumerate() {
            if at > 0 && at % 4 == 0 && dashes[at / 4 - 1] {
                text.push('-');
            }
            text.push(if upper { digit.to_ascii_uppercase() } else { digit });
        }
        let text = if braces { format!("{{{text}}}") } else { text };
        prop_assert_eq!(uuid::parse(text.as_bytes()), Some(bytes), "{}", text);
        prop_assert_eq!(uuid::is_plain(text.as_bytes()), text == plain);
    }

    #[test]
    fn json_is_equal_exactly_by_value(one in any_json(), other in any_json()) {
        let form = |text: &str| under(Rule::Json, &Cell::Text(text.as_bytes()));
        let (compact, pretty) = (one.to_string(), serde_json::to_string_pretty(&one).unwrap());
        prop_assert_ne!(form(&compact).1, Fit::Unfit);
        prop_assert_eq!(form(&compact), form(&pretty));
        prop_assert_eq!(form(&compact).0 == form(&other.to_string()).0, one == other);
        prop_assert_eq!(form(&compact).0, form(&backwards(&one)).0);
    }

    #[test]
    fn sums_forget_order_and_remember_duplicates(
        rows in vec((0..4_i64, "[ab]{0,2}"), 1..12).prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
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
        prop_assert_eq!((found.missing, found.extraneous, found.changed), (model.missing, model.extraneous, model.changed));
        prop_assert_eq!(found.changed_values[0], 0);
        if let Some(values) = model.changed_values {
            prop_assert_eq!(&found.changed_values[1..], values);
        }
        let capped = locate(&sides, &key, limit, 1);
        prop_assert_eq!((capped.missing, capped.extraneous, capped.changed), (found.missing, found.extraneous, found.changed));
        prop_assert!(capped.wanted.missing.len() <= 1 && capped.wanted.changed.len() <= 1);
        samples_are_the_rows(&sides, &key, &found)?;
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2..3_i64).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a\"\\\\\u{1}\u{e9}\u{1f600}]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[ab\u{e9}]{0,2}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The same JSON with the members of every object in reverse and everything beyond ASCII escaped.
fn backwards(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Object(members) => {
            let members = members.iter().rev();
            let members =
                members.map(|(key, value)| format!("{}: {}", backwards(&Value::from(&**key)), backwards(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(" ,"))
        }
        Value::Array(elements) => format!("[ {}]", elements.iter().map(backwards).collect::<Vec<_>>().join(",\n")),
        Value::String(text) => {
            format!("\"{}\"", text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<String>())
        }
        Value::Number(number) => format!("{number}.0e+0"),
        other => other.to_string(),
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

/// The third pass gives back the rows that the second one marked: there, and different from the other side's.
fn samples_are_the_rows(sides: &Sides<Vec<Row>>, key: &[usize], found: &Located) -> Result<(), TestCaseError> {
    let wanted = &found.wanted;
    let marks = Sides::new(
        wanted.missing.iter().chain(wanted.changed.iter().map(|changed| &changed.source)).copied().collect::<Vec<_>>(),
        wanted.extraneous.iter().chain(wanted.changed.iter().map(|changed| &changed.target)).copied().collect(),
    );
    let samples = Sides::from_fn(|side| {
        let mut samples = Samples::new(FORMS.to_vec(), key.to_vec(), marks.get(side).iter().copied());
        feed(sides.get(side), &mut samples);
        samples.finish()
    });
    for (side, samples) in samples.iter() {
        prop_assert!(marks.get(side).iter().all(|mark| samples.contains_key(mark)));
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
