//! What is one value, what is none, and what was spelled in another way than needed.

use super::*;

fn value(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    write_value(text.as_bytes(), &mut out).map(|_| out)
}

#[test]
fn equal_values_have_one_form() {
    for (one, other) in [
        (r#"{"b": 1, "aa": [1, 2]}"#, r#"{"aa":[1,2],"b":1}"#),
        (r#"{"a":1.0}"#, r#"{"a":1}"#),
        ("[1e2, -0.0]", "[100,0]"),
        (r#""\u00e9\ud83d\ude00\/\n""#, "\"é😀/\\n\""),
        (r#"{"x":{"bb":1,"a":2},"k":[]}"#, r#" { "k" : [ ] , "x" : { "a" : 2 , "bb" : 1 } } "#),
        ("123456789012345678901234567890.10", "123456789012345678901234567890.1"),
    ] {
        assert!(value(one).is_some() && value(one) == value(other), "{one} {other}");
    }
}

#[test]
fn unequal_values_differ() {
    for (one, other) in [
        (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        (r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#),
        ("9007199254740993", "9007199254740992"),
        ("\"1\"", "1"),
        ("null", "\"null\""),
        ("{}", r#"{"a":null}"#),
        ("[[1],2]", "[1,[2]]"),
        ("[1,2]", "[2,1]"),
        (r#""\ud800""#, r#""\ud801""#),
        ("\"é\"", "\"e\u{301}\""),
    ] {
        assert!(value(one).is_some() && value(one) != value(other), "{one} {other}");
    }
}

#[test]
fn what_is_no_json_is_refused() {
    for text in [
        "",
        "{",
        "[1,]",
        "{\"a\"}",
        "{a:1}",
        "01",
        "1.",
        ".5",
        "+1",
        "-",
        "NaN",
        "tru",
        "1 2",
        "\"\u{1}\"",
        "\"\\x\"",
        "\"abc",
        "[1}",
        "\"\\u12\"",
        "-Infinity",
        "1e",
        "{\"a\":1,}",
    ] {
        assert_eq!(value(text), None, "{text}");
    }
    assert!(value(&("[".repeat(400) + &"]".repeat(400))).is_some());
    assert!(value(&"[".repeat(100_000)).is_none());
}

#[test]
fn only_a_needless_spelling_counts() {
    let plain = |text: &str| write_value(text.as_bytes(), &mut Vec::new());
    assert_eq!(plain(r#"{"a": 1, "b": "x\n", "aa": [true, null]}"#), Some(true));
    assert_eq!(plain(r#"{"aa": 1, "b": 2}"#), Some(false));
    assert_eq!(plain("1.0"), Some(false));
    assert_eq!(plain(r#""\u0041""#), Some(false));
}
