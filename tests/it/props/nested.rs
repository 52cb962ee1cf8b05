//! Properties of values made of values, and of the rules that bring lists together.

use proptest::{collection::vec, prelude::*};
use rehearse::{
    canon::{
        Cell, Fit, Nest, Rule, decode_own,
        encode::nested,
        encode_own,
        nested::{self as form, Dimension},
        rule_for, text_of,
    },
    model::LogicalType,
};

use super::forms::{folding_is_told, own, under};

/// A value, as deep as it goes.
#[derive(Clone, Debug, PartialEq)]
enum Tree {
    Null,
    Number(i64),
    Text(String),
    Array { lower: i32, rows: usize, elements: Vec<Tree> },
    Composite(Vec<Tree>),
    Range { flags: u8, bounds: Vec<i64> },
    Multirange(Vec<(u8, Vec<i64>)>),
    Map(Vec<(String, Option<String>)>),
}

impl Tree {
    fn write(&self, out: &mut Vec<u8>) {
        let nest = match self {
            Self::Null => return encode_own(&Cell::Null, out),
            Self::Number(number) => return encode_own(&Cell::Integer(*number), out),
            Self::Text(text) => return encode_own(&Cell::Text(text.as_bytes()), out),
            Self::Array { .. } => Nest::Array,
            Self::Composite(_) => Nest::Composite,
            Self::Range { .. } => Nest::Range,
            Self::Multirange(_) => Nest::Multirange,
            Self::Map(_) => Nest::Map,
        };
        nested(nest, out, |out| {
            self.inside(out);
            Some(())
        });
    }

    fn inside(&self, out: &mut Vec<u8>) {
        match self {
            Self::Array { lower, rows, elements } => {
                let length = |length: usize| Dimension { length: u32::try_from(length).unwrap(), lower: *lower };
                let dimensions = match (elements.len(), *rows) {
                    (0, _) => vec![],
                    (all, 1) => vec![length(all)],
                    (all, rows) => vec![length(rows), length(all / rows)],
                };
                form::write_dimensions(dimensions.into_iter(), out);
                elements.iter().for_each(|element| element.write(out));
            }
            Self::Composite(fields) => {
                form::write_count(fields.len(), out);
                fields.iter().for_each(|field| field.write(out));
            }
            Self::Range { flags, bounds } => write_range(*flags, bounds, out),
            Self::Multirange(ranges) => {
                form::write_count(ranges.len(), out);
                ranges.iter().for_each(|(flags, bounds)| write_range(*flags, bounds, out));
            }
            Self::Map(pairs) => {
                form::write_count(pairs.len(), out);
                for (key, value) in pairs {
                    encode_own(&Cell::Text(key.as_bytes()), out);
                    encode_own(&value.as_ref().map_or(Cell::Null, |value| Cell::Text(value.as_bytes())), out);
                }
            }
            _ => {}
        }
    }

    fn own(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }
}

fn write_range(flags: u8, bounds: &[i64], out: &mut Vec<u8>) {
    out.push(flags);
    bounds.iter().for_each(|bound| encode_own(&Cell::Integer(*bound), out));
}

fn any_range() -> impl Strategy<Value = (u8, Vec<i64>)> {
    const KINDS: &[(u8, usize)] = &[
        (form::EMPTY, 0),
        (form::LOWER_INCLUDED, 2),
        (form::LOWER_INFINITE, 1),
        (form::UPPER_INFINITE | form::LOWER_INCLUDED, 1),
        (form::LOWER_INFINITE | form::UPPER_INFINITE, 0),
    ];
    prop::sample::select(KINDS).prop_flat_map(|(flags, bounds)| (Just(flags), vec(0..4_i64, bounds..=bounds)))
}

fn any_word() -> impl Strategy<Value = String> {
    "[a{},\"\\\\ é]{0,3}|NULL|null|[0-9]{1,2}"
}

fn any_tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Null),
        (0..3_i64).prop_map(Tree::Number),
        any_word().prop_map(Tree::Text),
        any_range().prop_map(|(flags, bounds)| Tree::Range { flags, bounds }),
        vec(any_range(), 0..3).prop_map(Tree::Multirange),
        vec((any_word(), prop::option::of(any_word())), 0..3).prop_map(Tree::Map),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            (0..2_i32, 1..3_usize, vec(inner.clone(), 0..4)).prop_map(|(lower, rows, mut elements)| {
                elements.truncate(elements.len() / rows * rows);
                // An array without elements has no bounds.
                if elements.is_empty() {
                    return Tree::Array { lower: 1, rows: 1, elements };
                }
                Tree::Array { lower, rows, elements }
            }),
            vec(inner, 0..4).prop_map(Tree::Composite),
        ]
    })
}

/// Elements of an array of texts, and how many rows they make.
fn any_texts() -> impl Strategy<Value = Tree> {
    let element = prop_oneof![4 => any_word().prop_map(Tree::Text), 1 => Just(Tree::Null)];
    (0..2_i32, 1..3_usize, vec(element, 0..5)).prop_map(|(lower, rows, mut elements)| {
        elements.truncate(elements.len() / rows * rows);
        let lower = if elements.is_empty() { 1 } else { lower };
        Tree::Array { lower, rows: if elements.is_empty() { 1 } else { rows }, elements }
    })
}

fn any_kind() -> impl Strategy<Value = LogicalType> {
    use LogicalType as T;
    let leaf = prop::sample::select(vec![
        T::Boolean,
        T::Integer { bits: 32 },
        T::Decimal { precision: None, scale: None },
        T::Float32,
        T::Float64,
        T::Text { limit: None },
        T::PaddedText { length: 3 },
        T::Bytes,
        T::Uuid,
        T::Date,
        T::Time,
        T::TimeTz,
        T::Timestamp,
        T::TimestampTz,
        T::Interval,
        T::Json { binary: true },
        T::Bits,
        T::Enum { labels: Vec::new() },
        T::Set { labels: Vec::new() },
        T::Network,
        T::MacAddress,
        T::Map,
        T::Any,
        T::Printed("xml".to_owned()),
        T::Other("point".to_owned()),
    ]);
    leaf.prop_recursive(2, 8, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|kind| T::Array(Box::new(kind))),
            inner.clone().prop_map(|kind| T::Range(Box::new(kind))),
            inner.clone().prop_map(|kind| T::Multirange(Box::new(kind))),
            vec(inner, 0..3)
                .prop_map(|kinds| { T::Composite(kinds.into_iter().map(|kind| ("f".to_owned(), kind)).collect()) }),
        ]
    })
}

proptest! {
    #[test]
    fn own_form_is_lossless_and_injective(one in any_tree(), other in any_tree()) {
        let bytes = one.own();
        let (cell, rest) = decode_own(&bytes).expect("what was encoded can be decoded");
        prop_assert!(rest.is_empty());
        prop_assert_eq!(&own(&cell), &bytes);
        prop_assert_eq!(bytes == other.own(), one == other);
        prop_assert!(one == Tree::Null || text_of(&cell).is_some_and(|text| !text.starts_with("\\x")));
    }

    #[test]
    fn folding_is_told_of_arrays(trees in vec(any_texts(), 2..12)) {
        let owned: Vec<Vec<u8>> = trees.iter().map(Tree::own).collect();
        folding_is_told(owned.iter().map(|own| decode_own(own).expect("an own form").0))?;
    }

    #[test]
    fn a_list_is_its_own_text(tree in any_texts()) {
        let bytes = tree.own();
        let (array, _) = decode_own(&bytes).expect("an own form");
        let printed = text_of(&array).expect("an array is printed");
        let (form, fit) = under(Rule::TextList, &array);
        prop_assert_eq!(fit, Fit::Exact);
        prop_assert_eq!((form, Fit::Exact), under(Rule::TextList, &Cell::Text(printed.as_bytes())), "{}", printed);
    }

    #[test]
    fn a_list_is_its_json(texts in vec(prop::option::of(any_word()), 0..5), numbers in vec(any::<i64>(), 0..4)) {
        let element = |text: &Option<String>| text.clone().map_or(Tree::Null, Tree::Text);
        let tree = Tree::Array { lower: 1, rows: 1, elements: texts.iter().map(element).collect() };
        let json = serde_json::to_string(&texts).unwrap();
        let bytes = tree.own();
        let (array, _) = decode_own(&bytes).expect("an own form");
        prop_assert_eq!(under(Rule::TextList, &array).0, under(Rule::TextList, &Cell::Json(json.as_bytes())).0);
        let elements = numbers.iter().copied().map(Tree::Number).collect();
        let bytes = Tree::Array { lower: 1, rows: 1, elements }.own();
        let (array, _) = decode_own(&bytes).expect("an own form");
        let json = serde_json::to_string_pretty(&numbers).unwrap();
        prop_assert_eq!(under(Rule::NumberList, &array).0, under(Rule::NumberList, &Cell::Json(json.as_bytes())).0);
        prop_assert_eq!(under(Rule::NumberList, &array).0, under(Rule::NumberList, &Cell::Text(json.as_bytes())).0);
    }

    #[test]
    fn it_does_not_matter_which_side_is_the_source(source in any_kind(), target in any_kind()) {
        let (there, back) = (rule_for(&source, &target), rule_for(&target, &source));
        prop_assert_eq!(there.as_ref().ok(), back.as_ref().ok(), "{} {}", source, target);
    }
}
