//! A generator for a column that the dataset file does not name: from its type, its name and its CHECK constraints.

use super::{
    constraint::Known,
    fakes::{Fake, Gives, Options, by_name},
    generator::Generator,
};
use crate::model::{LogicalType, Value, catalogue::Column};

/// Guesses a generator; `None` if no value for the type can be made up.
pub fn guess(column: &Column, known: &Known, is_key: bool) -> Option<Generator> {
    if let Some(labels) = known.labels.clone().filter(|labels| !labels.is_empty()) {
        return Some(Generator::one_of(labels.into_iter().map(|label| (label, 1))));
    }
    if column.generation.is_counter() || (is_key && matches!(column.kind, LogicalType::Integer { .. })) {
        return Some(Generator::Sequence { start: 1, step: 1 });
    }
    let words = words(&column.name);
    let generator = match &column.kind {
        LogicalType::Boolean => Generator::fake("boolean"),
        LogicalType::Integer { bits } => integer(&words, *bits),
        LogicalType::Decimal { precision, scale } => amount(*precision, *scale),
        LogicalType::Float32 | LogicalType::Float64 => Generator::fake("real"),
        LogicalType::Text { limit } => text(&words, *limit, known, is_key),
        LogicalType::PaddedText { length } => text(&words, Some(*length), known, is_key),
        LogicalType::Bytes => Generator::fake("bytes"),
        LogicalType::Uuid => Generator::fake("uuid"),
        LogicalType::Date => Generator::fake("date"),
        LogicalType::Time | LogicalType::Timestamp | LogicalType::TimestampTz => Generator::fake("datetime"),
        LogicalType::Json { .. } => Generator::fake("json_object"),
        LogicalType::Enum { labels } if labels.is_empty() => return None,
        LogicalType::Enum { labels } => Generator::one_of(labels.iter().map(|label| (Value::Text(label.clone()), 1))),
        LogicalType::Any => Generator::fake("word"),
        LogicalType::Set { labels } if labels.is_empty() => return None,
        LogicalType::Set { labels } => Generator::one_of(labels.iter().map(|label| (Value::Text(label.clone()), 1))),
        LogicalType::Interval
        | LogicalType::TimeTz
        | LogicalType::Bits
        | LogicalType::Network
        | LogicalType::MacAddress
        | LogicalType::Array(_)
        | LogicalType::Range(_)
        | LogicalType::Multirange(_)
        | LogicalType::Map
        | LogicalType::Composite(_)
        | LogicalType::Printed(_)
        | LogicalType::Other(_) => return None,
    };
    Some(within(generator, known))
}

/// The words of a name in lower case: `createdAt`, `created_at` and `CREATED_AT` are `created`, `at`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for sign in name.chars() {
        let starts_word = !sign.is_alphanumeric() || (sign.is_uppercase() && after_lower);
        if starts_word {
            words.push(String::new());
        }
        if sign.is_alphanumeric() {
            words.last_mut().expect("never empty").extend(sign.to_lowercase());
        }
        after_lower = sign.is_lowercase() || sign.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Kinds of text by the words of a column's name: the first line all of whose words are there wins.
const TEXT_BY_NAME: &[(&[&str], &str)] = &[
    (&["uuid"], "uuid"),
    (&["guid"], "uuid"),
    (&["email"], "email"),
    (&["mail"], "email"),
    (&["username"], "username"),
    (&["login"], "username"),
    (&["first", "name"], "first_name"),
    (&["last", "name"], "last_name"),
    (&["surname"], "last_name"),
    (&["full", "name"], "name"),
    (&["file", "name"], "file_name"),
    (&["filename"], "file_name"),
    (&["company"], "company"),
    (&["organization", "name"], "company"),
    (&["mime"], "mime_type"),
    (&["url"], "url"),
    (&["uri"], "url"),
    (&["website"], "url"),
    (&["link"], "url"),
    (&["domain"], "domain"),
    (&["host"], "domain"),
    (&["phone"], "phone"),
    (&["mobile"], "phone"),
    (&["fax"], "phone"),
    (&["street"], "street"),
    (&["address"], "street"),
    (&["city"], "city"),
    (&["country"], "country_code"),
    (&["currency"], "currency_code"),
    (&["time", "zone"], "time_zone"),
    (&["timezone"], "time_zone"),
    (&["locale"], "locale"),
    (&["language"], "locale"),
    (&["password"], "password_hash"),
    (&["encrypted"], "ciphertext"),
    (&["secret"], "ciphertext"),
    (&["token"], "api_key"),
    (&["api", "key"], "api_key"),
    (&["checksum"], "hex"),
    (&["hash"], "hex"),
    (&["fingerprint"], "hex"),
    (&["ip"], "ipv4"),
    (&["user", "agent"], "user_agent"),
    (&["version"], "version"),
    (&["slug"], "slug"),
    (&["json"], "json_object"),
    (&["metadata"], "json_object"),
    (&["settings"], "json_object"),
    (&["amount"], "amount"),
    (&["price"], "amount"),
    (&["date"], "date"),
    (&["timestamp"], "datetime"),
    (&["description"], "paragraph"),
    (&["content"], "paragraph"),
    (&["body"], "paragraph"),
    (&["bio"], "paragraph"),
    (&["notes"], "sentence"),
    (&["comment"], "sentence"),
    (&["message"], "sentence"),
    (&["summary"], "sentence"),
    (&["title"], "title"),
    (&["subject"], "title"),
    (&["name"], "title"),
];

fn text(words: &[String], limit: Option<u32>, known: &Known, is_key: bool) -> Generator {
    let last = words.last().map_or("", String::as_str);
    let has = |word: &&str| words.iter().any(|known| known == word);
    let by_name = TEXT_BY_NAME.iter().find(|(names, _)| names.iter().all(has)).map(|(_, fake)| *fake);
    let room = limit.unwrap_or(u32::MAX);
    let name = match by_name {
        _ if known.json => "json_object",
        _ if (is_key || last == "id") && room >= 36 => "uuid",
        _ if last == "at" && room >= 24 => "datetime",
        Some("uuid") if room < 36 => "hex",
        Some(name) => name,
        None => "word",
    };
    Generator::fake(name)
}

fn integer(words: &[String], bits: u8) -> Generator {
    let last = words.last().map_or("", String::as_str);
    let first = words.first().map_or("", String::as_str);
    let (min, max) = match (first, last) {
        ("is" | "has", _) => (0, 1),
        (_, "at" | "timestamp") if bits == 64 => return Generator::fake("datetime"),
        (_, "year") => (1990, 2030),
        (_, "month") => (1, 12),
        (_, "day") => (1, 28),
        (_, "age") => (0, 110),
        (_, "percent" | "percentage") => (0, 100),
        (_, "priority" | "order" | "position" | "level" | "rank") => (0, 100),
        (_, "port") => (1, 65_535),
        (_, "id") => (1, 1_000_000),
        _ => (0, 100_000),
    };
    ranged("integer", min, i64::min(max, i64::MAX >> (64 - bits.clamp(8, 64))))
}

fn amount(precision: Option<u32>, scale: Option<i32>) -> Generator {
    let scale = scale.map_or(2, |scale| scale.clamp(0, 9)) as u32;
    let digits = precision.map_or(15, |precision| precision.clamp(1, 15)).min(7 + scale);
    match ranged("amount", 0, 10_i64.pow(digits) - 1) {
        Generator::Fake(fake, options) => Generator::Fake(fake, Options { scale, ..options }),
        other => other,
    }
}

fn ranged(name: &str, from: i64, to: i64) -> Generator {
    let fake = by_name(name).expect("the name is written in this file and in the registry");
    Generator::Fake(fake, Options { from, to, ..Options::of(fake.takes) })
}

/// Keeps numbers within what the CHECK constraints allow.
fn within(generator: Generator, known: &Known) -> Generator {
    let Generator::Fake(fake @ Fake { gives: Gives::Integer | Gives::Decimal | Gives::Real, .. }, options) = generator
    else {
        return generator;
    };
    let unit = 10_f64.powi(options.scale as i32);
    let from = known.min.map_or(options.from, |min| (min * unit).ceil() as i64);
    let to = known.max.map_or(options.to.max(from.saturating_add(1)), |max| (max * unit).floor() as i64);
    Generator::Fake(fake, Options { from: from.min(to), to, ..options })
}

/// Whether edge values may stand in for this generator's values unasked.
pub fn takes_edges(generator: &Generator) -> bool {
    match generator {
        Generator::Fake(fake, _) => !matches!(fake.gives, Gives::Text | Gives::Boolean),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::catalogue::Generation;

    fn guessed(name: &str, kind: LogicalType, known: &Known) -> Generator {
        let column = Column {
            name: name.to_owned(),
            declared: String::new(),
            kind,
            nullable: false,
            default: None,
            generation: Generation::None,
            collation: None,
        };
        guess(&column, known, false).unwrap()
    }

    fn fake_name(name: &str) -> &'static str {
        match guessed(name, LogicalType::Text { limit: None }, &Known::default()) {
            Generator::Fake(fake, _) => fake.name,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn names_tell_what_a_text_is() {
        for (column, fake) in [
            ("workEmail", "email"),
            ("created_at", "datetime"),
            ("parentId", "uuid"),
            ("LAST_NAME", "last_name"),
            ("api_key", "api_key"),
            ("zip", "word"),
        ] {
            assert_eq!(fake_name(column), fake, "{column}");
        }
    }

    #[test]
    fn checks_bound_what_is_guessed() {
        let integer = LogicalType::Integer { bits: 64 };
        let known = Known { min: Some(200_000.0), ..Known::default() };
        match guessed("quantity", integer.clone(), &known) {
            Generator::Fake(_, options) => assert!(options.from == 200_000 && options.to > options.from),
            other => panic!("{other:?}"),
        }
        let known = Known { labels: Some(vec![Value::Integer(3)]), ..Known::default() };
        assert!(matches!(guessed("grade", integer, &known), Generator::OneOf(_)));
    }

    #[test]
    fn every_name_in_the_list_is_registered() {
        assert!(TEXT_BY_NAME.iter().all(|(_, fake)| by_name(fake).is_some()));
    }
}
