//! Canonical bytes that must never change without a new version: whoever changes one raises `CANON_VERSION` and pins anew.

use rehearse::canon::{CANON_VERSION, Cell, Decimal, Nest, Rule, Sign, encode_own};

const GROUPS: &[u8] = &[0, 1, 0x13, 0x88];
const ARRAY: &[u8] = &[1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 5, 0, 0, 0, 0, 0, 0, 0];
const MAP: &[u8] = &[1, 0, 0, 0, 6, 1, 0, 0, 0, 0, 0, 0, 0, b'a', 0];
const UUID: [u8; 16] = [0x55, 0x0e, 0x84, 0, 0xe2, 0x9b, 0x41, 0xd4, 0xa7, 0x16, 0x44, 0x66, 0x55, 0x44, 0, 0];

fn cells() -> Vec<Cell<'static>> {
    vec![
        Cell::Null,
        Cell::Boolean(true),
        Cell::Integer(-2),
        Cell::Float32(0.1),
        Cell::Float64(-0.0),
        Cell::Decimal(Decimal { sign: Sign::Negative, weight: 0, scale: 2, groups: GROUPS }),
        Cell::Text("é\0".as_bytes()),
        Cell::PaddedText(b"a "),
        Cell::Bytes(&[0xff, 0]),
        Cell::Uuid(UUID),
        Cell::Bytes(&UUID),
        Cell::Date(-1),
        Cell::Time(1),
        Cell::TimeTz(1, -3600),
        Cell::Timestamp(1),
        Cell::TimestampTz(i64::MAX),
        Cell::Interval { months: 1, days: -2, micros: 3 },
        Cell::Json(b"{\"b\": 1.0, \"a\": [null]}"),
        Cell::Jsonb(b"[1]"),
        Cell::Label(b"glad"),
        Cell::Bits { length: 4, bytes: &[0x50] },
        Cell::Network { address: &[10, 0, 0, 1], prefix: 8, network: false },
        Cell::MacAddress(&[8, 0, 0x2b, 1, 2, 3]),
        Cell::Nested(Nest::Array, ARRAY),
        Cell::Nested(Nest::Composite, ARRAY),
        Cell::Nested(Nest::Range, ARRAY),
        Cell::Nested(Nest::Multirange, ARRAY),
        Cell::Nested(Nest::Map, MAP),
        Cell::Opaque(b"x"),
        Cell::Text(b"1"),
        Cell::Text(b"2024-01-02T03:04:05+01:00"),
        Cell::Text(b"10:00:00+02"),
        Cell::Text(b"{a,\"b c\",NULL}"),
        Cell::Text(b"[0:1]={5,6}"),
        Cell::Text(b"b,a"),
        Cell::Text(b"a=>1"),
        Cell::Text(b"10.0.0.1"),
        Cell::Text(b"550E8400E29B41D4A716446655440000"),
    ]
}

/// The beginning of the digest of what all cells are under a form.
fn digest(encode: impl Fn(&Cell<'_>, &mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    cells().iter().for_each(|cell| encode(cell, &mut out));
    blake3::hash(&out).to_hex()[..16].to_owned()
}

const PINNED: &[(&str, &str)] = &[
    ("own", "4289fe3b43363654"),
    ("boolean", "1a79bd87da8c9f3f"),
    ("number", "035516dfa733717e"),
    ("float", "035516dfa733717e"),
    ("single", "035516dfa733717e"),
    ("text", "03993f757873b348"),
    ("padded", "03993f757873b348"),
    ("bytes", "2983ac1be4ee0412"),
    ("octets", "f1f1098382240369"),
    ("zero_padded", "7cd399520c897440"),
    ("uuid", "604a3f735323eccc"),
    ("uuid_swapped", "5ef3748a52762cf9"),
    ("uuid_mixed_endian", "5f31067b86b282e2"),
    ("date", "f10eb2ae9c286208"),
    ("time", "cbb60f25535a0f65"),
    ("zoned_time", "a65ddd23923d0411"),
    ("timestamp", "3359d8cc64afd0d0"),
    ("instant", "3359d8cc64afd0d0"),
    ("epoch_seconds", "3359d8cc64afd0d0"),
    ("epoch_milliseconds", "10e5b17c60faca38"),
    ("interval", "7be41b9a43f9dc09"),
    ("json", "5e5a056c6e2b9969"),
    ("bits", "5fe1d4e0c4a63846"),
    ("network", "21f6e96c5604a4a6"),
    ("mac_address", "53d354b847681029"),
    ("map", "63f527bd7ba4621c"),
    ("set", "e4a13e6bfeff4650"),
    ("text_list", "0a97dadcb7d4ce39"),
    ("padded_list", "0a97dadcb7d4ce39"),
    ("number_list", "de66211a70f08ff2"),
    ("boolean_list", "d29b06b45ea8d401"),
    ("uuid_list", "c68298d72de583f1"),
    ("date_list", "404bf6e2fab65527"),
    ("time_list", "404bf6e2fab65527"),
    ("timestamp_list", "a0760c77043e58c1"),
    ("instant_list", "a0760c77043e58c1"),
    ("stored", "4289fe3b43363654"),
];

#[test]
fn forms_are_what_they_were() {
    assert_eq!(CANON_VERSION, 2, "the forms of another version are to be pinned anew");
    let mut found = vec![("own".to_owned(), digest(encode_own))];
    found.extend(Rule::ALL.iter().map(|rule| {
        (
            rule.word().to_owned(),
            digest(|cell, out| {
                rule.encode(cell, out);
            }),
        )
    }));
    let pinned: Vec<(String, String)> =
        PINNED.iter().map(|(form, digest)| ((*form).to_owned(), (*digest).to_owned())).collect();
    let shown: Vec<String> = found.iter().map(|(form, digest)| format!("    (\"{form}\", \"{digest}\"),")).collect();
    assert_eq!(found, pinned, "now:\n{}", shown.join("\n"));
}
