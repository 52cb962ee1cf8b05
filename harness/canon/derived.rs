//! UUIDs that follow from a key of another system, so that they can be derived again and references follow without a table.
//!
//! The UUID of a key is of version 5 (RFC 9562, section 5.5) in the space of its table, which is of version 5 in the space of its
//! system, which is of version 5 in the space of object identifiers: nothing has to be joined, and no two keys share a name. In
//! Python: `uuid5(uuid5(uuid5(NAMESPACE_OID, "system"), "table"), "key")`. The key is its text, as its engine casts it.

use std::ops::ControlFlow;

use sha1::{Digest, Sha1};

use super::{
    cell::{Cell, RowSink},
    comparison::Derivation,
};

/// The space of object identifiers (RFC 9562, section 6.6).
const OBJECT_IDENTIFIERS: [u8; 16] =
    [0x6b, 0xa7, 0xb8, 0x12, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];

/// The UUIDs of one table's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space([u8; 16]);

impl Space {
    /// The space of a table.
    pub fn of(derivation: &Derivation) -> Self {
        Self(named(named(OBJECT_IDENTIFIERS, derivation.system.as_bytes()), derivation.table.as_bytes()))
    }

    /// The UUID of a key.
    pub fn key(&self, key: &[u8]) -> [u8; 16] {
        named(self.0, key)
    }
}

fn named(space: [u8; 16], name: &[u8]) -> [u8; 16] {
    let hash = Sha1::new().chain_update(space).chain_update(name).finalize();
    let mut uuid = [0; 16];
    uuid.copy_from_slice(&hash[..16]);
    uuid[6] = uuid[6] & 0x0f | 0x50;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    uuid
}

/// A sink in front of another one, which gets UUIDs in place of the keys that they follow from.
pub struct Deriving<'s> {
    sink: &'s mut dyn RowSink,
    /// By the column's place.
    spaces: Vec<Option<Space>>,
}

impl<'s> Deriving<'s> {
    /// Of columns without a space, cells go on as they are.
    pub fn new(sink: &'s mut dyn RowSink, spaces: Vec<Option<Space>>) -> Self {
        Self { sink, spaces }
    }
}

impl RowSink for Deriving<'_> {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        let cell = match (self.spaces.get(column), cell) {
            (Some(Some(space)), Cell::Text(key) | Cell::PaddedText(key)) => Cell::Uuid(space.key(key)),
            _ => cell,
        };
        self.sink.cell(column, cell);
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        self.sink.end_row()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canon::uuid;

    #[test]
    fn uuids_are_those_that_others_derive() {
        let space = Space::of(&Derivation { system: "education".to_owned(), table: "users".to_owned(), sql: None });
        assert_eq!(uuid::format(&space.key(b"42")), "2a1ea693-a5db-5659-94ce-60b26c9424e6");
        // Of RFC 9562, appendix A.4.
        let domains = [0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];
        assert_eq!(uuid::format(&named(domains, b"www.example.com")), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    }
}
