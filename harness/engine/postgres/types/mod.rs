//! PostgreSQL's types by OID, and what they are in words that all engines share.

mod described;

pub(super) use described::column_types;

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
    pub const CIDR: u32 = 650;
    pub const MACADDR8: u32 = 774;
    pub const MONEY: u32 = 790;
    pub const MACADDR: u32 = 829;
    pub const INET: u32 = 869;
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

    /// Types whose printed text is one with their value, and says nothing of the session: `xml`, `pg_lsn`, `tsvector`,
    /// `tsquery`, `jsonpath`.
    pub const PRINTED: &[u32] = &[XML, 3220, 3614, 3615, 4072];
    pub const XML: u32 = 142;

    /// The first OID that is not built in, and therefore different in every database.
    pub const FIRST_USER: u32 = 16384;

    /// Types whose binary form is an OID, which means nothing in another database: `regproc`, `regprocedure`, `regoper`,
    /// `regoperator`, `regclass`, `regtype`, `regconfig`, `regdictionary`, `regnamespace`, `regrole`, `regcollation`.
    pub const NAMES_OF_OBJECTS: &[u32] = &[24, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4089, 4096, 4191];
}

/// A type as the catalogue describes it, domains resolved to what they are over, also inside of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PgType {
    /// OID of the type under all domains.
    pub oid: u32,
    /// OID of the type as it is declared, which may be a domain. Values that are made of values carry it.
    pub declared: u32,
    /// Its name without schema.
    pub name: String,
    /// `b` base, `e` enum, `c` composite, `r` range, `m` multirange, `p` pseudo.
    pub class: char,
    /// The modifier (length, precision), -1 where there is none.
    pub modifier: i32,
    /// Whether it has a binary output function.
    pub sends: bool,
    /// For an array, its elements' type.
    pub element: Option<Box<PgType>>,
    /// For an enum, its labels in order.
    pub labels: Vec<String>,
    /// For a composite, its fields in order.
    pub fields: Vec<(String, PgType)>,
    /// For a range, the type of its bounds; for a multirange, its range.
    pub over: Option<Box<PgType>>,
}

/// In which form a scan asks for a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// In its own binary form.
    Binary,
    /// As text, because there is no binary form, or it holds OIDs, which are others after the same thing was created
    /// again.
    Text,
    /// As a number: `money` has as many digits after the point as the server's locale says.
    Numeric,
}

impl PgType {
    /// Text.
    pub fn text() -> Self {
        let name = "text".to_owned();
        Self { oid: oid::TEXT, declared: oid::TEXT, name, class: 'b', modifier: -1, sends: true, ..Self::default() }
    }

    /// Whether this is the text type of the extension `citext`.
    pub fn is_citext(&self) -> bool {
        self.is_of_extension("citext")
    }

    /// Whether this is the type of the extension `hstore`.
    pub fn is_hstore(&self) -> bool {
        self.is_of_extension("hstore")
    }

    fn is_of_extension(&self, name: &str) -> bool {
        self.oid >= oid::FIRST_USER && self.class == 'b' && self.name == name
    }

    /// The form in which a scan has to ask for it.
    pub fn asked(&self) -> Asked {
        match self.oid {
            oid::MONEY => Asked::Numeric,
            _ if self.has_binary_form() => Asked::Binary,
            _ => Asked::Text,
        }
    }

    /// Whether its binary form, and that of all that is in it, says what it holds in any database.
    fn has_binary_form(&self) -> bool {
        self.sends
            && self.class != 'p'
            && !oid::PRINTED.contains(&self.oid)
            && !oid::NAMES_OF_OBJECTS.contains(&self.oid)
            && self.inner().all(Self::has_binary_form)
    }

    /// Whether a value, in the form in which a scan asks for it, carries OIDs that are others in every database. We read
    /// past them.
    pub fn carries_oids(&self) -> bool {
        let carried = self.element.as_deref().into_iter().chain(self.fields.iter().map(|(_, kind)| kind));
        self.asked() == Asked::Binary
            && (carried.into_iter().any(|kind| kind.declared >= oid::FIRST_USER)
                || self.inner().any(Self::carries_oids))
    }

    /// The types that it is made of.
    fn inner(&self) -> impl Iterator<Item = &Self> {
        let fields = self.fields.iter().map(|(_, kind)| kind);
        self.element.as_deref().into_iter().chain(self.over.as_deref()).chain(fields)
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
                None => LogicalType::Printed("bpchar".to_owned()),
            },
            oid::BYTEA => LogicalType::Bytes,
            oid::UUID => LogicalType::Uuid,
            oid::DATE => LogicalType::Date,
            oid::TIME => LogicalType::Time,
            oid::TIMETZ => LogicalType::TimeTz,
            oid::TIMESTAMP => LogicalType::Timestamp,
            oid::TIMESTAMPTZ => LogicalType::TimestampTz,
            oid::INTERVAL => LogicalType::Interval,
            oid::JSON => LogicalType::Json { binary: false },
            oid::JSONB => LogicalType::Json { binary: true },
            oid::BIT | oid::VARBIT => LogicalType::Bits,
            oid::INET | oid::CIDR => LogicalType::Network,
            oid::MACADDR | oid::MACADDR8 => LogicalType::MacAddress,
            oid::MONEY => LogicalType::Decimal { precision: None, scale: None },
            _ if self.is_citext() => LogicalType::Text { limit: None },
            _ if self.is_hstore() => LogicalType::Map,
            _ if self.class == 'e' => LogicalType::Enum { labels: self.labels.clone() },
            _ => self.made_of_values(),
        }
    }

    fn made_of_values(&self) -> LogicalType {
        let inside = |kind: &Self| match kind.oid {
            // Inside of others it is not asked for as a number.
            oid::MONEY => LogicalType::Other(kind.name.clone()),
            _ => kind.logical(),
        };
        match (&self.element, &self.over) {
            (Some(element), _) => LogicalType::Array(Box::new(inside(element))),
            (None, Some(bounds)) if self.class == 'r' => LogicalType::Range(Box::new(inside(bounds))),
            (None, Some(range)) => match range.logical() {
                LogicalType::Range(bounds) => LogicalType::Multirange(bounds),
                other => LogicalType::Multirange(Box::new(other)),
            },
            _ if self.class == 'c' => {
                LogicalType::Composite(self.fields.iter().map(|(name, kind)| (name.clone(), inside(kind))).collect())
            }
            _ if self.has_binary_form() => LogicalType::Other(self.name.clone()),
            _ => LogicalType::Printed(self.name.clone()),
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
    fn forms_that_hold_names_of_objects_are_read_as_text() {
        let base = |oid| PgType { oid, class: 'b', sends: true, ..PgType::default() };
        let array = |element| PgType { element: Some(Box::new(element)), ..base(1000) };
        let composite = |kind| PgType { class: 'c', fields: vec![("f".to_owned(), kind)], ..base(30000) };
        for (kind, asked) in [
            (base(oid::INT4), Asked::Binary),
            (array(base(oid::INT4)), Asked::Binary),
            (array(PgType { class: 'e', ..base(20000) }), Asked::Binary),
            (composite(array(base(oid::FLOAT4))), Asked::Binary),
            (base(2205), Asked::Text),
            (composite(array(base(2205))), Asked::Text),
            (array(PgType { sends: false, ..base(1033) }), Asked::Text),
            (base(oid::XML), Asked::Text),
            (base(oid::MONEY), Asked::Numeric),
        ] {
            assert_eq!(kind.asked(), asked, "{kind:?}");
        }
    }
}
