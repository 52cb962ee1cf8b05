//! The state of one database at one stage.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Catalogue, Side, Stage, TableName, bookkeeping::SetAside};

/// The fingerprint of a multiset of rows: how many, and the sum of their 256-bit digests modulo 2^256.
///
/// A sum and not an XOR, so that a row that is there twice does not cancel out; independent of the order of the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint {
    /// Number of rows.
    pub rows: u64,
    /// Sum of the row digests, 256 bits in four little-endian limbs.
    pub sum: [u64; 4],
}

impl Fingerprint {
    /// Of one row, by its digest.
    pub fn of(digest: &[u8; 32]) -> Self {
        let mut sum = [0; 4];
        for (limb, bytes) in sum.iter_mut().zip(digest.as_chunks().0) {
            *limb = u64::from_le_bytes(*bytes);
        }
        Self { rows: 1, sum }
    }

    /// Adds one row by its digest.
    pub fn add_digest(&mut self, digest: &[u8; 32]) {
        self.add(&Self::of(digest));
    }

    /// Adds the rows of another fingerprint.
    pub fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        let mut carry = false;
        for (limb, add) in self.sum.iter_mut().zip(other.sum) {
            let (partial, first) = limb.overflowing_add(add);
            let (total, second) = partial.overflowing_add(u64::from(carry));
            *limb = total;
            carry = first || second;
        }
    }
}

/// `rows:hex`, the sum in 64 hexadecimal digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.rows)?;
        self.sum.iter().rev().try_for_each(|limb| write!(f, "{limb:016x}"))
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parse = || {
            let (rows, hex) = text.split_once(':')?;
            let mut sum = [0; 4];
            for (i, limb) in sum.iter_mut().rev().enumerate() {
                *limb = u64::from_str_radix(hex.get(16 * i..16 * (i + 1))?, 16).ok()?;
            }
            (hex.len() == 64).then_some(Self { rows: rows.parse().ok()?, sum })
        };
        parse().ok_or_else(|| de::Error::custom(format!("`{text}` is not a fingerprint")))
    }
}

impl JsonSchema for Fingerprint {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Fingerprint".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9]+:[0-9a-f]{64}$" })
    }
}

/// The state of one database at one stage, in own form: what a rollback has to bring back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Everything in the catalogue.
    pub catalogue: Catalogue,
    /// The rows of each table, every column, in own form.
    pub tables: BTreeMap<TableName, TableSnapshot>,
    /// SHA-256 of the file, for an embedded database.
    pub file_sha256: Option<String>,
    /// Bookkeeping, which is no part of what a rollback has to bring back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bookkeeping: Vec<SetAside>,
}

/// The rows of one table at one stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TableSnapshot {
    /// All columns together.
    pub rows: Fingerprint,
    /// Each column alone, so that a difference can be pinned to a column after the other state is gone.
    pub columns: BTreeMap<String, Fingerprint>,
    /// Why the rows could not be read, where they could not.
    pub unreadable: Option<String>,
}

/// The fingerprints of one side at one stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StageFingerprints {
    /// The stage.
    pub stage: Stage,
    /// The side.
    pub side: Side,
    /// Its tables.
    pub tables: Vec<TableFingerprint>,
}

/// The fingerprint of one table, in own form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TableFingerprint {
    /// The table.
    pub table: TableName,
    /// Rows and sum of row digests.
    pub fingerprint: Fingerprint,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_carry_and_wrap() {
        let mut all_ones = Fingerprint { rows: 1, sum: [u64::MAX; 4] };
        all_ones.add(&Fingerprint { rows: 1, sum: [1, 0, 0, 0] });
        assert_eq!(all_ones, Fingerprint { rows: 2, sum: [0; 4] });
    }

    #[test]
    fn a_doubled_row_does_not_cancel() {
        let (mut twice, mut none) = (Fingerprint::default(), Fingerprint::default());
        twice.add_digest(&[7; 32]);
        twice.add_digest(&[7; 32]);
        none.rows = 2;
        assert_ne!(twice, none);
    }

    #[test]
    fn text_form_is_lossless() {
        let fingerprint = Fingerprint { rows: 42, sum: [1, u64::MAX, 0, 0xdead_beef] };
        let json = serde_json::to_string(&fingerprint).unwrap();
        assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), fingerprint);
        assert!(serde_json::from_str::<Fingerprint>("\"1:ff\"").is_err());
    }
}
