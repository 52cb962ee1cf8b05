//! Properties of the canonical form, over arbitrary values.

use std::collections::HashMap;

use proptest::{collection::vec, prelude::*, string::string_regex};
use rehearse::canon::{Cell, Decimal, Fit, Nest, Rule, Sign, decode_own, encode_own, temporal, text_of, uuid};

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
            18 => Cell::Bits { length: (self.bytes.len() * 8) as u32, bytes: &self.bytes },
            19 => Cell::Network { address: &self.bytes, prefix: self.long as u8, network: self.short == 0 },
            20 => Cell::MacAddress(&self.bytes),
            21 => Cell::Nested(Nest::Array, &self.bytes),
            22 => Cell::Nested(Nest::Map, &self.bytes),
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

pub(super) fn own(cell: &Cell<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    encode_own(cell, &mut out);
    out
}

pub(super) fn under(rule: Rule, cell: &Cell<'_>) -> (Vec<u8>, Fit) {
    let mut out = Vec::new();
    let fit = rule.encode(cell, &mut out);
    (out, fit)
}

/// Spellings of a few values each, so that many of them meet.
const SPELLINGS: [&str; 14] = [
    "[-+]?[01]?[0-9]?[.]?0?(e0)?",
    "2024-01-0[23]([ T](00|24):00:00(\\.0)?(Z|[+]00|[+]00:00)?)?",
    "(t|f|T)(rue|alse)?",
    "(24|00):00(:00)?(\\.0)?",
    "0(001|002)-01-01( BC)?",
    "(1 day|1 days|24:00:00|01:00) ?(1 mon)?",
    "(\\[1(\\.0)?\\]|\\{\"(a|\\\\u0061)\": 1\\})",
    "Na[Nn]|-?[Ii]nf(inity)?",
    "(10\\.0\\.0\\.1|::1|0:0::1)(/32|/128|/8|/08)?",
    "(08[:-]00[:-]2[bB][:-](ff:fe:)?01[:-]02[:-]03|08002b010203)",
    "(\\{a,b\\}|a,b|\\{\"a\",b\\}|\\[\"a\", ?\"b\"\\]|\\[1:2\\]=\\{a,b\\}|\\[0:1\\]=\\{a,b\\}|\\{1,2\\}|\\[1,2\\])",
    "\"?a\"?=>\"?(1|NULL)\"?(, ?b=>2)?|\\{\"a\": ?(1|\"1\"|null)\\}",
    "(10|24|12):00:00([+]0[0-2]|[+]02:00|Z)?",
    "[01]{0,3}",
];

fn spellings() -> impl Strategy<Value = Vec<String>> {
    prop::sample::select(&SPELLINGS).prop_flat_map(|pattern| vec(string_regex(pattern).expect("a pattern"), 2..60))
}

fn any_cell() -> impl Strategy<Value = Owned> {
    let bytes = prop_oneof![vec(any::<u8>(), 0..6), "[0-9tf. -]{0,4}".prop_map(String::into_bytes)];
    let long = prop_oneof![any::<i64>(), 0..3_i64];
    let short = prop_oneof![any::<i32>(), 0..3_i32];
    (0..24_u8, long, short, bytes).prop_map(|(shape, long, short, bytes)| Owned { shape, long, short, bytes })
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

/// Two cells of one shape that a rule makes equal without having folded either were equal before; and what does not fit
/// equals only itself.
pub(super) fn folding_is_told<'a>(cells: impl Iterator<Item = Cell<'a>> + Clone) -> Result<(), TestCaseError> {
    for rule in Rule::ALL {
        let mut seen: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
        for cell in cells.clone() {
            let (form, fit) = under(*rule, &cell);
            let nan = matches!(cell, Cell::Float32(value) if value.is_nan())
                || matches!(cell, Cell::Float64(value) if value.is_nan());
            // Blanks are no part of a JSON value, and not counted.
            let stored = match text_of(&cell) {
                Some(text) if *rule == Rule::Json => text.replace(|c: char| c.is_ascii_whitespace(), "").into_bytes(),
                _ => own(&cell),
            };
            if fit != Fit::Normalised && !nan {
                let before = seen.entry(form).or_insert_with(|| stored.clone());
                prop_assert_eq!(&*before, &stored, "{}", rule);
            }
        }
    }
    Ok(())
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
    fn a_rule_that_folds_says_so(cells in vec(any_cell(), 2..24), shape in 0..24_u8) {
        let cells: Vec<Owned> = cells.into_iter().map(|cell| Owned { shape, ..cell }).collect();
        folding_is_told(cells.iter().map(Owned::cell))?;
    }

    #[test]
    fn only_one_spelling_of_a_value_is_exact(texts in spellings()) {
        folding_is_told(texts.iter().map(|text| Cell::Text(text.as_bytes())))?;
        folding_is_told(texts.iter().map(|text| Cell::PaddedText(text.as_bytes())))?;
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
        let shown = text_of(&short).unwrap();
        let same_value = under(Rule::Number, &Cell::Text(shown.as_bytes())).0;
        prop_assert_eq!(under(Rule::Number, &short).0, same_value);
    }

    #[test]
    fn floats_are_their_shortest_digits(one in any::<f64>(), other in any::<f64>(), narrow in any::<f32>()) {
        let number = |cell: Cell<'_>| under(Rule::Number, &cell).0;
        prop_assert_eq!(number(Cell::Float64(one)), number(Cell::Text(format!("{one:?}").as_bytes())));
        prop_assert_eq!(number(Cell::Float32(narrow)), number(Cell::Text(format!("{narrow:?}").as_bytes())));
        prop_assert_eq!(number(Cell::Float64(one)) == number(Cell::Float64(other)), one == other);
        // A single that was widened on its way is the same single again.
        let widened = Cell::Float64(f64::from(narrow));
        prop_assert_eq!(under(Rule::Single, &Cell::Float32(narrow)).0, under(Rule::Single, &widened).0);
    }

    #[test]
    fn moments_survive_their_text(
        micros in -9_200_000_000_000_000_000..9_200_000_000_000_000_000_i64,
        days in any::<i32>(),
        seconds in -50_000..50_000_i32,
    ) {
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
    fn uuids_survive_every_spelling(
        bytes in any::<[u8; 16]>(),
        dashes in any::<[bool; 7]>(),
        upper: bool,
        braces: bool,
    ) {
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
