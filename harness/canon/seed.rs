//! The seed tree: every table, column and fault draws from a seed of its own, derived by name.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A node of the seed tree. Adding a table or column does not change what its neighbours draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed([u8; 32]);

impl Seed {
    /// The root, from the number that a run prints first.
    pub fn root(number: u64) -> Self {
        Self(blake3::derive_key("rehearse 2026-11 root seed", &number.to_le_bytes()))
    }

    /// The child of this name.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        Self(*blake3::keyed_hash(&self.0, name.as_bytes()).as_bytes())
    }

    /// A number for the row at this position: cheap, so that any value of any row can be made again without the rows
    /// before it.
    pub fn number(&self, position: u64) -> u64 {
        // SplitMix64 (Steele, Lea, Flood 2014) over the node's first word.
        let start = u64::from_le_bytes(self.0[..8].try_into().expect("eight bytes"));
        let mut z = start.wrapping_add(position.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A generator for the row at this position.
    pub fn rng(&self, position: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.number(position))
    }

    /// The node's 32 bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_differ_by_name_and_repeat_by_seed() {
        let root = Seed::root(7);
        assert_eq!(root.child("users"), Seed::root(7).child("users"));
        assert_ne!(root.child("users"), root.child("user"));
        assert_ne!(root.child("users"), Seed::root(8).child("users"));
        assert_ne!(root.number(0), root.number(1));
    }
}
