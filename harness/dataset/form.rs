//! Reads a dataset file.

use super::{
    Dataset,
    fakes::{self, Fake, Options, Takes},
    generator::{Generator, TemplateError},
    moment::{Form, parse_millis},
};
use crate::{
    document::{Document, Entry, Fields, Located, Place, Problem, Problems},
    model::{TableName, Value},
};

/// What the file says about a table.
#[derive(Clone, Debug)]
pub(super) struct TableForm {
    pub name: Located<TableName>,
    pub rows: u64,
    pub weight: f64,
    pub null_fraction: Option<f64>,
    pub edge_fraction: Option<f64>,
    pub columns: Vec<ColumnForm>,
}

/// What the file says about a column.
#[derive(Clone, Debug)]
pub(super) struct ColumnForm {
    pub name: Located<String>,
    pub source: Option<Source>,
    pub null_fraction: Option<f64>,
    pub unique: bool,
    pub edges: Option<bool>,
}

/// Where the file says a column's values come from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Generator(Generator),
    Reference(ReferenceForm),
}

/// A reference that the file states.
#[derive(Clone, Debug)]
pub(super) struct ReferenceForm {
    pub place: Place,
    pub table: TableName,
    pub column: String,
    pub skewed: bool,
}

const KINDS: &[&str] = &["fake", "one_of", "reference", "sequence", "pattern", "constant", "json"];

/// Reads the whole file.
pub(super) fn read(file: &str, text: &str) -> Result<Dataset, Problems> {
    let document = Document::parse(file, text);
    let mut root = document.root();
    root.format_version(1);
    let null_fraction = share(&mut root, "null_fraction").unwrap_or(super::NULL_FRACTION);
    let edge_fraction = share(&mut root, "edge_fraction").unwrap_or(super::EDGE_FRACTION);
    let mut tables = Vec::new();
    if let Some(mut fields) = root.table("table") {
        tables.extend(fields.named().iter().filter_map(|(name, entry)| table(name, entry)));
        fields.finish();
    }
    root.finish();
    document.finish(Some(Dataset { file: file.to_owned(), null_fraction, edge_fraction, tables }))
}

fn share(fields: &mut Fields<'_>, key: &str) -> Option<f64> {
    fields.optional_share(key).map(|share| share.value)
}

fn table(name: &Located<String>, entry: &Entry<'_>) -> Option<TableForm> {
    let mut fields = entry.table()?;
    let parsed = name.value.parse::<TableName>();
    let rows = fields.optional_u64("rows").map_or(0, |rows| rows.value);
    let weight = fields.optional_f64("weight");
    if let Some(weight) = weight.as_ref().filter(|weight| !(0.0..=1e9).contains(&weight.value)) {
        fields
            .problem(Problem::new(&weight.place, format!("expected a weight of 0 or more, found `{}`", weight.value)));
    }
    let null_fraction = share(&mut fields, "null_fraction");
    let edge_fraction = share(&mut fields, "edge_fraction");
    let mut columns = Vec::new();
    if let Some(mut named) = fields.table("columns") {
        columns.extend(named.named().iter().filter_map(|(name, entry)| column(name, entry)));
        named.finish();
    }
    if let Err(message) = &parsed {
        fields.problem(Problem::new(&name.place, message.clone()));
    }
    fields.finish();
    Some(TableForm {
        name: Located { value: parsed.ok()?, place: name.place.clone() },
        rows,
        weight: weight.map_or(0.0, |weight| weight.value),
        null_fraction,
        edge_fraction,
        columns,
    })
}

fn column(name: &Located<String>, entry: &Entry<'_>) -> Option<ColumnForm> {
    let mut fields = entry.table()?;
    let null_fraction = share(&mut fields, "null_fraction");
    let unique = fields.optional_bool("unique").is_some_and(|unique| unique.value);
    let edges = fields.optional_bool("edges").map(|edges| edges.value);
    let kinds = fields.present(KINDS);
    if kinds.len() > 1 {
        let message = format!("`{}` exclude each other", kinds.join("`, `"));
        fields.problem(Problem::new(fields.place(), message).expected("one of them"));
    }
    let source = match kinds.as_slice() {
        [kind] => source(kind, &mut fields),
        // Which one was meant is not known, so all of them are.
        _ => {
            KINDS.iter().for_each(|kind| drop(fields.optional(kind)));
            None
        }
    };
    fields.finish();
    Some(ColumnForm { name: name.clone(), source, null_fraction, unique, edges })
}

fn source(kind: &str, fields: &mut Fields<'_>) -> Option<Source> {
    let entry = fields.optional(kind)?;
    let generator = match kind {
        "fake" => fake(&entry, fields)?,
        "one_of" => one_of(&entry, fields)?,
        "reference" => return reference(&entry, fields).map(Source::Reference),
        "sequence" => {
            let start = entry.i64()?.value;
            Generator::Sequence { start, step: fields.optional_i64("step").map_or(1, |step| step.value) }
        }
        "pattern" => Generator::pattern(&entry.str()?.value),
        "constant" => Generator::Constant(scalar(&entry)?),
        _ => json(&entry)?,
    };
    Some(Source::Generator(generator))
}

fn reference(entry: &Entry<'_>, fields: &mut Fields<'_>) -> Option<ReferenceForm> {
    let skewed = fields.optional_one_of("distribution", "distribution", &["uniform", "zipf"]);
    let written = entry.str()?;
    let named = written.value.rsplit_once('.').and_then(|(table, column)| Some((table.parse().ok()?, column)));
    let Some((table, column)) = named else {
        let message = format!("`{}` is not a column of a table", written.value);
        entry.problem(Problem::new(&written.place, message).expected("`table.column`"));
        return None;
    };
    let skewed = skewed.is_some_and(|distribution| distribution.value == "zipf");
    Some(ReferenceForm { place: written.place, table, column: column.to_owned(), skewed })
}

fn one_of(entry: &Entry<'_>, fields: &mut Fields<'_>) -> Option<Generator> {
    let entries = entry.list()?;
    let values: Vec<Value> = entries.iter().filter_map(scalar).collect();
    let weights = fields.optional("weights");
    let numbers: Option<Vec<u64>> = match &weights {
        Some(weights) => Some(weights.list()?.iter().filter_map(Entry::u64).map(|weight| weight.value).collect()),
        None => None,
    };
    if entries.is_empty() {
        entry.problem(Problem::new(entry.place(), "is empty").expected("at least one value"));
        return None;
    }
    if values.len() < entries.len() {
        return None;
    }
    if let (Some(numbers), Some(weights)) = (&numbers, &weights)
        && (numbers.len() != values.len() || numbers.iter().sum::<u64>() == 0)
    {
        let message = format!("{} weights for {} values", numbers.len(), values.len());
        let expected = "one whole number for each value, not all of them 0";
        weights.problem(Problem::new(weights.place(), message).expected(expected));
        return None;
    }
    let numbers = numbers.unwrap_or_else(|| vec![1; values.len()]);
    Some(Generator::one_of(values.into_iter().zip(numbers)))
}

fn scalar(entry: &Entry<'_>) -> Option<Value> {
    match entry.kind() {
        "integer" => entry.i64().map(|number| Value::Integer(number.value)),
        "float" => entry.f64().map(|number| Value::Float(number.value)),
        "boolean" => entry.bool().map(|boolean| Value::Boolean(boolean.value)),
        _ => entry.str().map(|text| Value::Text(text.value)),
    }
}

fn json(entry: &Entry<'_>) -> Option<Generator> {
    let template = entry.str()?;
    match Generator::json(&template.value) {
        Ok(generator) => Some(generator),
        Err(TemplateError::Unknown(name)) => {
            entry.problem(unknown_fake(&template.place, &name));
            None
        }
        Err(TemplateError::NotJson(why)) => {
            let expected = "JSON in which `{{name}}` stands for a made-up value";
            entry.problem(Problem::new(&template.place, format!("not JSON: {why}")).expected(expected));
            None
        }
    }
}

fn unknown_fake(place: &Place, name: &str) -> Problem {
    Problem::unknown(place, "fake", name, fakes::all().map(|fake| fake.name))
}

fn fake(entry: &Entry<'_>, fields: &mut Fields<'_>) -> Option<Generator> {
    let name = entry.str()?;
    let Some(fake) = fakes::by_name(&name.value) else {
        entry.problem(unknown_fake(&name.place, &name.value));
        // Its options are not known either, and not worth a complaint each.
        for option in ["min", "max", "scale", "from", "to", "form", "length", "ratio"] {
            fields.optional(option);
        }
        return None;
    };
    let options = options(fake, fields)?;
    if options.from > options.to {
        fields.problem(Problem::new(fields.place(), "the smallest value is above the largest"));
        return None;
    }
    Some(Generator::Fake(fake, options))
}

fn options(fake: &Fake, fields: &mut Fields<'_>) -> Option<Options> {
    let mut options = Options::of(fake.takes);
    match fake.takes {
        Takes::Nothing => {}
        Takes::Integers(..) => {
            options.from = fields.optional_i64("min").map_or(options.from, |min| min.value);
            options.to = fields.optional_i64("max").map_or(options.to, |max| max.value);
        }
        Takes::Amounts(from, to, scale) => {
            let scale = fields.optional_u64("scale").map_or(scale.into(), |scale| scale.value);
            let min = fields.optional_f64("min").map_or(from as f64, |min| min.value);
            let max = fields.optional_f64("max").map_or(to as f64, |max| max.value);
            options.scale = u32::try_from(scale).ok().filter(|scale| *scale <= 15).or_else(|| {
                fields.problem(Problem::new(fields.place(), format!("a scale of {scale}")).expected("at most 15"));
                None
            })?;
            // Whoever writes a number of more digits than a double keeps gets the nearest one.
            let unit = 10_f64.powi(options.scale as i32);
            (options.from, options.to) = ((min * unit).round() as i64, (max * unit).round() as i64);
        }
        Takes::Instants => {
            options.from = moment(fields, "from").unwrap_or(options.from);
            options.to = moment(fields, "to").unwrap_or(options.to);
            options.form = form(fields, Form::NAMES);
        }
        Takes::Days => {
            const DAY_MS: i64 = 86_400_000;
            options.from = moment(fields, "from").map_or(options.from, |ms| ms.div_euclid(DAY_MS));
            options.to = moment(fields, "to").map_or(options.to, |ms| ms.div_euclid(DAY_MS));
            options.form = form(fields, &["iso"]);
        }
        Takes::Length(length) => {
            let length = fields.optional_u64("length").map_or(length.into(), |length| length.value);
            options.length = u32::try_from(length).ok().filter(|length| *length <= 1 << 24).or_else(|| {
                let message = format!("a length of {length}");
                fields.problem(Problem::new(fields.place(), message).expected("at most 16777216"));
                None
            })?;
        }
        Takes::Ratio => options.ratio = share(fields, "ratio").unwrap_or(options.ratio),
    }
    Some(options)
}

fn form(fields: &mut Fields<'_>, names: &[&'static str]) -> Option<Form> {
    fields.optional_one_of("form", "form", names).and_then(|name| Form::by_name(name.value))
}

fn moment(fields: &mut Fields<'_>, key: &str) -> Option<i64> {
    let text = fields.optional_str(key)?;
    let millis = parse_millis(&text.value);
    if millis.is_none() {
        let message = format!("`{}` is not a moment", text.value);
        let expected = "text like `2024-02-29` or `2024-02-29T12:00:00Z`";
        fields.problem(Problem::new(&text.place, message).expected(expected));
    }
    millis
}
