//! PostgreSQL's types by OID, and what they are in words that all engines share.

use serde::Deserialize;

use crate::model::LogicalType;

/// OIDs of built-in types, fixed for ever (`src/include/catalog/pg_type.dat`).
pub(super) mod oid {
    pub const BOOL: u32 = 16;
    pub const BYTEA: u32 = 17;
    pub const CHAR: u32 = 18;
    pub const NAME: u32 = 19;
    pub const INT8: u32 = 20;
    pub const INT2: u32 = 21;
    pub const INT4: u32 = 23;
    pub const TEXT: u32 = 25;
    pub const OID: u32 = 26;
    pub const JSON: u32 = 114;
    pub const XML: u32 = 142;
    pub const FLOAT4: u32 = 700;
    pub const FLOAT8: u32 = 701;
    pub const BPCHAR: u32 = 1042;
    pub const VARCHAR: u32 = 1043;
    pub const DATE: u32 = 1082;
    pub const TIME: u32 = 1083;
    pub const TIMESTAMP: u32 = 1114;
    pub const TIMESTAMPTZ: u32 = 1184;
    pub const INTERVAL: u32 = 1186;
    pub const TIMETZ: u32 = 1266;
    pub const BIT: u32 = 1560;
    pub const VARBIT: u32 = 1562;
    pub const NUMERIC: u32 = 1700;
    pub const UUID: u32 = 2950;
    pub const JSONB: u32 = 3802;

    /// The first OID that is not built in, and therefore different in every database.
    pub const FIRST_USER: u32 = 16384;

    /// Types whose binary form is an OID, which means nothing in another database: `regproc`, `regprocedure`, `regoper`,
    /// `regoperator`, `regclass`, `regtype`, `regconfig`, `regdictionary`, `regnamespace`, `regrole`, `regcollation`.
    pub const NAMES_OF_OBJECTS: &[u32] = &[24, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4089, 4096, 4191];
}

/// A type as the catalogue describes it, domains already resolved to what they are over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct PgType {
    /// OID of the type under all domains.
    pub oid: u32,
    /// Its name without schema.
    pub name: String,
    /// `b` base, `e` enum, `c` composite, `r` range, `m` multirange, `p` pseudo.
    pub class: char,
    /// The modifier (length, precision), -1 where there is none.
    pub modifier: i32,
    /// Whether it has a binary output function.
    pub sends: bool,
    /// For an array, its elements' type (under domains; `class` is `d` if it was one), else `None`.
    pub element: Option<Box<PgType>>,
    /// For an enum, its labels in order.
    pub labels: Vec<String>,
}

impl PgType {
    /// Text.
    pub fn text() -> Self {
        Self { oid: oid::TEXT, name: "text".to_owned(), class: 'b', modifier: -1, sends: true, ..Self::default() }
    }

    /// Whether this is the text type of the extension `citext`.
    pub fn is_citext(&self) -> bool {
        self.oid >= oid::FIRST_USER && self.class == 'b' && self.name == "citext"
    }

    /// Whether a scan has to ask for the text form, because there is no binary one, or because it holds OIDs, which are
    /// others after the same thing was created again.
    pub fn is_read_as_text(&self) -> bool {
        let element_differs =
            |element: &Self| element.is_read_as_text() || element.class == 'd' || (element.oid >= oid::FIRST_USER);
        !self.sends
            || self.oid == oid::XML
            || matches!(self.class, 'c' | 'p')
            || oid::NAMES_OF_OBJECTS.contains(&self.oid)
            || self.element.as_deref().is_some_and(element_differs)
    }

    /// The type in words that all engines share.
    pub fn logical(&self) -> LogicalType {
        // The modifier of character types counts a header of four bytes; numeric's packs precision and scale
        // (`src/backend/utils/adt/numeric.c`, `make_numeric_typmod`), the scale in eleven bits with sign.
        let length = u32::try_from(self.modifier - 4).ok();
        match self.oid {
            oid::BOOL => LogicalType::Boolean,
            oid::INT2 => LogicalType::Integer { bits: 16 },
            oid::INT4 => LogicalType::Integer { bits: 32 },
            oid::INT8 | oid::OID => LogicalType::Integer { bits: 64 },
            oid::NUMERIC => LogicalType::Decimal {
                precision: length.map(|packed| packed >> 16),
                scale: length.map(|packed| (((packed & 0x7ff) ^ 1024).cast_signed()) - 1024),
            },
            oid::FLOAT4 => LogicalType::Float32,
            oid::FLOAT8 => LogicalType::Float64,
            oid::TEXT | oid::NAME | oid::CHAR => LogicalType::Text { limit: None },
            oid::VARCHAR => LogicalType::Text { limit: length },
            oid::BPCHAR => match length {
                Some(length) => LogicalType::PaddedText { length },
                None => LogicalType::Other("bpchar".to_owned()),
            },
            oid::BYTEA => LogicalType::Bytes,
            oid::UUID => LogicalType::Uuid,
            oid::DATE => LogicalType::Date,
            oid::TIME => LogicalType::Time,
            oid::TIMESTAMP => LogicalType::Timestamp,
            oid::TIMESTAMPTZ => LogicalType::TimestampTz,
            oid::INTERVAL => LogicalType::Interval,
            oid::JSON => LogicalType::Json { binary: false },
            oid::JSONB => LogicalType::Json { binary: true },
            oid::BIT | oid::VARBIT => LogicalType::Bits,
            _ if self.is_citext() => LogicalType::Text { limit: None },
            _ if self.class == 'e' => LogicalType::Enum { labels: self.labels.clone() },
            _ => match &self.element {
                Some(element) => LogicalType::Array(Box::new(element.logical())),
                None => LogicalType::Other(self.name.clone()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(modifier: i32) -> LogicalType {
        PgType { oid: oid::NUMERIC, class: 'b', modifier, ..PgType::default() }.logical()
    }

    #[test]
    fn numeric_modifiers_unpack_with_negative_scales() {
        assert_eq!(numeric(-1), LogicalType::Decimal { precision: None, scale: None });
        assert_eq!(numeric(((10 << 16) | 2) + 4), LogicalType::Decimal { precision: Some(10), scale: Some(2) });
        // numeric(2,-3), which PostgreSQL 15 and later allow.
        assert_eq!(numeric(((2 << 16) | 2045) + 4), LogicalType::Decimal { precision: Some(2), scale: Some(-3) });
    }

    #[test]
    fn forms_that_hold_oids_are_read_as_text() {
        let base = |oid| PgType { oid, class: 'b', sends: true, ..PgType::default() };
        let array = |element| PgType { element: Some(Box::new(element)), ..base(1000) };
        assert!(!base(oid::INT4).is_read_as_text());
        assert!(!array(base(oid::INT4)).is_read_as_text());
        assert!(base(2205).is_read_as_text());
        assert!(array(PgType { class: 'e', ..base(20000) }).is_read_as_text());
        assert!(array(PgType { sends: false, ..base(1033) }).is_read_as_text());
    }
}
