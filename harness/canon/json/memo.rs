//! Documents that were met lately. Columns of JSON often repeat a few of them (defaults, settings, empty ones), and to
//! find one again costs a fraction of reading it again.

/// Places for documents. Where two want the same place, the later one has it.
const PLACES: usize = 256;

/// The longest text and the longest value that are kept, in bytes: a thread keeps 256 KiB at most.
const LONGEST: usize = 512;

/// Texts and their values.
pub(super) struct Memo {
    places: Vec<Document>,
}

#[derive(Clone, Default)]
struct Document {
    text: Vec<u8>,
    value: Vec<u8>,
    is_plain: bool,
}

impl Default for Memo {
    fn default() -> Self {
        Self { places: vec![Document::default(); PLACES] }
    }
}

impl Memo {
    /// Appends the value of a text: the one that is kept, or else what `scan` appends. What is no JSON is not kept.
    pub fn write(
        &mut self,
        text: &[u8],
        out: &mut Vec<u8>,
        scan: fn(&[u8], &mut Vec<u8>) -> Option<bool>,
    ) -> Option<bool> {
        // An empty text is no document, and stands for an empty place.
        if text.is_empty() || text.len() > LONGEST {
            return scan(text, out);
        }
        let place = &mut self.places[place(text)];
        if place.text == text {
            out.extend_from_slice(&place.value);
            return Some(place.is_plain);
        }
        let start = out.len();
        let is_plain = scan(text, out)?;
        let value = &out[start..];
        if value.len() <= LONGEST {
            for (kept, new) in [(&mut place.text, text), (&mut place.value, value)] {
                kept.clear();
                kept.extend_from_slice(new);
            }
            place.is_plain = is_plain;
        }
        Some(is_plain)
    }
}

/// Where a text belongs. Only time hangs on it: texts are compared whole.
fn place(text: &[u8]) -> usize {
    let (words, rest) = text.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let mixed = words.iter().chain([&last]).fold(text.len() as u64, |mixed, word| {
        (mixed.rotate_left(5) ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    (mixed >> 32) as usize % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canon::json::scan;

    #[test]
    fn a_document_comes_back_as_it_was_read() {
        let mut memo = Memo::default();
        let long = format!("[\"{}\", 1.0]", "x".repeat(LONGEST));
        // More of them than there are places, and all of them again.
        let documents: Vec<String> =
            (0..2000).map(|n| format!("{{\"n\": {n}, \"aa\": [{n}.0, \"\\u0041\"]}}")).chain([long]).collect();
        for text in documents.iter().chain(&documents).chain(&documents[1990..]) {
            let (mut kept, mut read) = (b"before".to_vec(), b"before".to_vec());
            let told = (memo.write(text.as_bytes(), &mut kept, scan), scan(text.as_bytes(), &mut read));
            assert_eq!((told.0, kept), (told.1, read), "{text}");
        }
        assert!(memo.places.iter().all(|place| place.text.len() <= LONGEST));
    }

    #[test]
    fn what_is_kept_is_not_read_again() {
        let mut memo = Memo::default();
        let (mut first, mut second) = (Vec::new(), Vec::new());
        assert_eq!(memo.write(b"[1.0]", &mut first, scan), Some(false));
        assert_eq!(memo.write(b"[1.0]", &mut second, |_, _| None), Some(false));
        assert_eq!(first, second);
        assert_eq!(memo.write(b"[1.0", &mut second, scan), None);
        assert_eq!(memo.write(b"[1.0", &mut second, |_, _| Some(true)), Some(true));
    }
}
