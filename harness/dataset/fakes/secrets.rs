//! Keys, hashes and ciphertexts: random to the last byte, and none of them means anything.

use rand::Rng;

use super::{Distinct, Draw, Fake, Gives, Options, Takes};
use crate::{canon, model::Value};

/// Bytes or digits below which a value does not hold the row's whole number.
pub(super) const NUMBER_LENGTH: u32 = 16;

const fn inherent(
    name: &'static str,
    gives: Gives,
    takes: Takes,
    summary: &'static str,
    make: fn(&Draw<'_>, &Options) -> Value,
) -> Fake {
    Fake { name, summary, gives, takes, distinct: Distinct::Inherent, make }
}

pub(super) const FAKES: &[Fake] = &[
    inherent("uuid", Gives::Uuid, Takes::Nothing, "random UUID, version 4", |draw, _| Value::Uuid(uuid(draw))),
    inherent("hex", Gives::Text, Takes::Length(32), "`length` hexadecimal digits", |draw, options| {
        Value::Text(hex(&bytes(draw, options.length.div_ceil(2)), options.length))
    }),
    inherent("base64", Gives::Text, Takes::Length(32), "`length` bytes in base64", |draw, options| {
        Value::Text(base64(&bytes(draw, options.length)))
    }),
    inherent("bytes", Gives::Bytes, Takes::Length(32), "`length` bytes", |draw, options| {
        Value::Bytes(bytes(draw, options.length))
    }),
    inherent(
        "ciphertext",
        Gives::Text,
        Takes::Length(32),
        "iv:tag:ciphertext of `length` bytes, in base64",
        ciphertext,
    ),
    inherent("api_key", Gives::Text, Takes::Nothing, "`sk_` and 40 digits", |draw, _| {
        Value::Text(format!("sk_{}", hex(&bytes(draw, 20), 40)))
    }),
    inherent("password_hash", Gives::Text, Takes::Nothing, "shaped like bcrypt, of no password", password_hash),
];

/// Bytes that begin with the row's own number, so that no two rows have the same as long as the number fits.
fn bytes(draw: &Draw<'_>, length: u32) -> Vec<u8> {
    let mut bytes = vec![0; length as usize];
    let (head, tail) = bytes.split_at_mut(length.min(8) as usize);
    head.copy_from_slice(&draw.number().to_be_bytes()[..head.len()]);
    if !tail.is_empty() {
        draw.rng().fill_bytes(tail);
    }
    bytes
}

fn uuid(draw: &Draw<'_>) -> [u8; 16] {
    let [number, other] = [draw.number().to_be_bytes(), draw.further(0).number().to_be_bytes()];
    let mut uuid = [0; 16];
    // The 64 bits of the row's number go around the version's and the variant's bits.
    uuid[..6].copy_from_slice(&number[..6]);
    uuid[6..8].copy_from_slice(&other[..2]);
    uuid[8] = other[2];
    uuid[9..11].copy_from_slice(&number[6..]);
    uuid[11..].copy_from_slice(&other[3..]);
    uuid[6] = uuid[6] & 0x0f | 0x40;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    uuid
}

fn hex(bytes: &[u8], length: u32) -> String {
    let mut text = canon::hex(bytes);
    text.truncate(length as usize);
    text
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().enumerate().fold(0, |bits, (at, byte)| bits | u32::from(*byte) << (16 - 8 * at));
        for digit in 0..4 {
            let shown = digit <= group.len();
            text.push(if shown { char::from(BASE64[(bits >> (18 - 6 * digit)) as usize & 63]) } else { '=' });
        }
    }
    text
}

fn ciphertext(draw: &Draw<'_>, options: &Options) -> Value {
    let (iv, tag) = (bytes(draw, 12), bytes(&draw.further(0), 16));
    let text = bytes(&draw.further(1), options.length);
    Value::Text(format!("{}:{}:{}", base64(&iv), base64(&tag), base64(&text)))
}

fn password_hash(draw: &Draw<'_>, _: &Options) -> Value {
    // bcrypt's alphabet differs from base64's in one sign and in order, which no reader of a made-up hash can tell.
    let mut text = base64(&bytes(draw, 40)).replace('+', ".");
    text.truncate(53);
    Value::Text(format!("$2b$12${text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canon::Seed;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn uuids_are_of_version_4_and_variant_1() {
        let seed = Seed::root(3);
        for row in 0..100 {
            let uuid = uuid(&Draw::new(&seed, row));
            assert_eq!((uuid[6] >> 4, uuid[8] >> 6), (4, 2));
        }
    }
}
