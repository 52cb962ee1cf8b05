//! Derivation as a pure function: declarations and content in, tables and remarks out.

use std::ops::ControlFlow;

use super::*;
use crate::{
    canon::{Cell, RowSink, Rule},
    engine::{content::ContentProfile, postgres::PostgresDialect, sqlite::types},
    migrate::transfer::{convert::convert, field::Field},
    model::{
        Catalogue, LogicalType, TableName,
        catalogue::{
            Action, CheckConstraint, Column, ForeignKey, Generation, Index, IndexPart, Key, Sequence, SequenceOwner,
            Table,
        },
    },
};

const fn text(text: &str) -> Cell<'_> {
    Cell::Text(text.as_bytes())
}

fn column(name: &str, declared: &str) -> Column {
    Column {
        name: name.to_owned(),
        declared: declared.to_owned(),
        kind: types::logical(declared),
        nullable: true,
        default: None,
        generation: Generation::None,
        collation: None,
    }
}

fn key(columns: &[&str]) -> Key {
    Key { name: None, columns: columns.iter().map(|name| (*name).to_owned()).collect() }
}

fn foreign_key(columns: &[&str], parent: &str, parent_columns: &[&str]) -> ForeignKey {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    ForeignKey {
        name: None,
        columns: owned(columns),
        parent: TableName::new(parent),
        parent_columns: owned(parent_columns),
        on_update: Action::NoAction,
        on_delete: Action::Cascade,
        match_full: false,
        deferrable: None,
        validated: true,
    }
}

/// A source that is built up table by table.
#[derive(Default)]
struct Source {
    catalogue: Catalogue,
    content: Content,
}

impl Source {
    /// Adds a table with these columns and rows.
    fn table(&mut self, name: &str, columns: &[(&str, &str)], rows: &[&[Cell<'_>]]) -> &mut Table {
        let name = TableName::new(name);
        let mut profile = ContentProfile::new(columns.len());
        for row in rows {
            row.iter().enumerate().for_each(|(at, cell)| profile.cell(at, *cell));
            assert_eq!(profile.end_row(), ControlFlow::Continue(()));
        }
        self.content.profiles.insert(name.clone(), profile);
        let mut table = Table::empty(name.clone());
        table.columns = columns.iter().map(|(name, declared)| column(name, declared)).collect();
        self.catalogue.tables.entry(name).or_insert(table)
    }

    fn derive(&self) -> Derived {
        derive(&self.catalogue, &self.content, &PostgresDialect)
    }
}

impl Derived {
    fn declared(&self, table: &str, column: &str) -> &str {
        let table = self.tables.iter().find(|one| one.name.name == table).unwrap();
        &table.column(column).unwrap().declared
    }

    fn reason(&self, object: &str) -> Option<&str> {
        self.not_carried.iter().find(|one| one.object == object).map(|one| one.reason.as_str())
    }
}

/// What a column of this declaration and content becomes, whether that is remarked on, and the rule that is stated.
fn becomes(name: &str, declared: &str, cells: &[Cell<'_>], in_key: bool) -> (String, bool, Option<String>) {
    let rows: Vec<&[Cell<'_>]> = cells.iter().map(std::slice::from_ref).collect();
    let mut source = Source::default();
    let table = source.table("t", &[(name, declared)], &rows);
    if in_key {
        table.uniques.push(key(&[name]));
    }
    let derived = source.derive();
    let target = derived.tables[0].columns[0].clone();
    // Whatever was chosen, transfer must take every value of it.
    for cell in cells {
        let field = match *cell {
            Cell::Null => Field::Null,
            Cell::Integer(value) => Field::Integer(value),
            Cell::Float64(value) => Field::Real(value),
            Cell::Bytes(bytes) => Field::Bytes(bytes.to_vec()),
            Cell::Text(bytes) => {
                String::from_utf8(bytes.to_vec()).map_or_else(|error| Field::RawText(error.into_bytes()), Field::Text)
            }
            _ => unreachable!("SQLite stores no other"),
        };
        convert(field, &target.kind)
            .unwrap_or_else(|what| panic!("{declared} became {}: {cell:?} {what}", target.declared));
    }
    let rule = derived.stated.first().and_then(|one| one.columns.get(name)?.rule.clone());
    (target.declared, derived.reason(&format!("column:t.{name}")).is_some(), rule)
}

#[test]
fn types_come_from_declaration_and_content() {
    use Cell::{Bytes, Float64, Integer, Null};
    const UUID: &str = "550e8400-e29b-41d4-a716-446655440000";
    let cases: &[(&str, &[Cell<'_>], &str, bool)] = &[
        ("BOOLEAN", &[Integer(0), text("T"), Null], "boolean", false),
        ("BOOLEAN", &[Integer(2)], "bigint", true),
        ("BOOLEAN", &[Integer(1), text("maybe")], "text", true),
        ("SMALLINT", &[Integer(7)], "bigint", false),
        ("INTEGER", &[], "bigint", false),
        ("INTEGER", &[Integer(7), Float64(0.5)], "double precision", true),
        ("INTEGER", &[Integer(i64::MAX), Float64(0.5)], "numeric", true),
        ("INTEGER", &[Integer(7), text("abc")], "text", true),
        ("INTEGER", &[Integer(7), text("abc"), Bytes(b"\xff")], "bytea", true),
        ("REAL", &[Float64(0.1), Float64(f64::INFINITY)], "double precision", false),
        ("DECIMAL(5,2)", &[Integer(999), Float64(1.25)], "numeric(5,2)", false),
        ("DECIMAL(5,2)", &[Integer(1000)], "numeric", true),
        ("DECIMAL(5,2)", &[Float64(0.125)], "numeric", true),
        ("DECIMAL(2,5)", &[Float64(0.125)], "numeric", false),
        ("NUMERIC", &[text("n/a"), Integer(1)], "text", true),
        ("VARCHAR(3)", &[text("äöü")], "character varying(3)", false),
        ("VARCHAR(3)", &[text("abcd")], "text", true),
        ("TEXT", &[text("a\0b")], "bytea", true),
        ("TEXT", &[Cell::Text(b"\xc3\x28")], "bytea", true),
        ("TEXT", &[Bytes(b"a")], "bytea", true),
        ("TEXT", &[text("")], "text", false),
        ("STRING", &[Integer(1), text("a")], "text", true),
        ("DATE", &[text("2024-02-29")], "date", false),
        ("DATE", &[text("2024-02-29"), text("2024-02-29 10:00")], "timestamp without time zone", false),
        ("DATE", &[text("2024-02-30")], "text", true),
        ("DATETIME", &[text("2024-02-29 10:00:00.123456")], "timestamp without time zone", false),
        ("DATETIME", &[text("2024-02-29 10:00:00.1234567")], "text", true),
        (
            "DATETIME",
            &[text("2024-02-29T10:00:00Z"), text("2024-02-29T10:00:00+02:00")],
            "timestamp with time zone",
            false,
        ),
        ("DATETIME", &[text("2024-02-29T10:00:00Z"), text("2024-02-29 10:00")], "text", true),
        ("DATETIME", &[Integer(0), Integer(1_600_000_000)], "timestamp with time zone", true),
        ("DATETIME", &[Integer(1_600_000_000_000), Integer(1_600_000_000)], "bigint", true),
        ("DATETIME", &[Integer(20_240_229)], "bigint", true),
        ("DATETIME", &[Float64(2_451_544.5)], "double precision", true),
        ("DATETIME", &[Integer(1_600_000_000), text("2024-02-29 10:00")], "text", true),
        ("TIME", &[text("23:59:59.5")], "time without time zone", false),
        ("TIME", &[text("25:00")], "text", true),
        ("JSON", &[text("{\"a\": 1.10}"), Integer(1)], "json", false),
        ("JSON", &[text("{broken")], "text", true),
        ("UUID", &[text(UUID), Bytes(&[0; 16])], "uuid", false),
        ("UUID", &[text("not one")], "text", true),
        ("BLOB", &[Bytes(b"a")], "bytea", false),
        ("BLOB", &[text("a")], "text", true),
        ("BLOB", &[text("a"), Bytes(b"a")], "bytea", true),
        ("", &[Integer(1)], "bigint", false),
        ("", &[Integer(1), Float64(0.5)], "double precision", true),
        ("", &[text("1")], "text", false),
        ("", &[Bytes(b"1")], "bytea", false),
        ("", &[Null], "text", false),
        ("MONEY", &[Float64(0.5)], "double precision", true),
        ("MONEY", &[], "text", true),
    ];
    for (declared, cells, wanted, remarked) in cases {
        let (found, is_remarked, _) = becomes("c", declared, cells, false);
        assert_eq!((found.as_str(), is_remarked), (*wanted, *remarked), "{declared} {cells:?}");
    }
    assert_eq!(becomes("user_id", "TEXT", &[text(UUID)], false).0, "uuid");
    assert_eq!(becomes("c", "TEXT", &[text(UUID)], true).0, "uuid");
    assert_eq!(becomes("c", "TEXT", &[text(UUID)], false).0, "text");
}

#[test]
fn no_two_values_of_a_key_become_one() {
    let cases: &[(&str, &[Cell<'_>], &str)] = &[
        ("DATETIME", &[text("2024-01-01 00:00"), text("2024-01-01 00:00:00")], "text"),
        ("DATETIME", &[text("2024-01-01 00:00:00"), text("2024-01-02 00:00:00")], "timestamp without time zone"),
        ("DATETIME", &[text("2024-01-01T01:00:00+01:00"), text("2024-01-01T02:00:00+02:00")], "text"),
        ("DATETIME", &[text("2024-01-01T01:00:00Z")], "timestamp with time zone"),
        ("BOOLEAN", &[Cell::Integer(1), text("t")], "text"),
        ("DECIMAL TEXT", &[text("1.0"), text("1.00")], "text"),
        ("JSON", &[text("[1]"), text("[1 ]")], "text"),
    ];
    for (declared, cells, wanted) in cases {
        assert_eq!(becomes("c", declared, cells, true).0, *wanted, "{declared} {cells:?}");
    }
    let mut source = Source::default();
    let rows: [&[Cell<'_>]; 2] =
        [&[text("550e8400-e29b-41d4-a716-446655440000")], &[text("550E8400-E29B-41D4-A716-446655440000")]];
    source.table("t", &[("id", "UUID")], &rows).primary_key = Some(key(&["id"]));
    assert_eq!(source.derive().declared("t", "id"), "uuid");
    source.content.respelled.insert((TableName::new("t"), "id".to_owned()));
    assert_eq!(source.derive().declared("t", "id"), "text");
}

#[test]
fn a_rule_is_stated_where_the_types_lead_to_another_one() {
    let rule = |declared: &str, cells: &[Cell<'_>]| becomes("c", declared, cells, false).2;
    let word = |rule: Rule| Some(rule.word().to_owned());
    assert_eq!(rule("DATETIME", &[Cell::Integer(5), text("?")]), word(Rule::Text));
    assert_eq!(rule("DATETIME", &[Cell::Float64(2_451_544.5)]), word(Rule::Number));
    assert_eq!(rule("TEXT", &[text("a"), Cell::Bytes(b"b")]), word(Rule::Octets));
    assert_eq!(rule("MONEY", &[Cell::Integer(5)]), word(Rule::Number));
    assert_eq!(rule("BLOB", &[Cell::Bytes(b"b")]), None);
    assert_eq!(rule("DATETIME", &[text("2024-01-01 00:00")]), None);
}

#[test]
fn columns_of_a_foreign_key_get_one_type() {
    const UUID: &str = "550e8400-e29b-41d4-a716-446655440000";
    let mut source = Source::default();
    source.table("parent", &[("id", "TEXT")], &[&[text(UUID)]]).primary_key = Some(key(&["id"]));
    source.table("child", &[("p", "")], &[&[text(UUID)]]).foreign_keys = vec![foreign_key(&["p"], "parent", &["id"])];
    source.table("grandchild", &[("p", "VARCHAR(36)")], &[]).foreign_keys = vec![foreign_key(&["p"], "child", &["p"])];
    let derived = source.derive();
    assert_eq!(
        ["parent", "child", "grandchild"].map(|table| {
            let column = if table == "parent" { "id" } else { "p" };
            derived.declared(table, column)
        }),
        ["uuid"; 3]
    );
    assert_eq!(derived.reason("foreign key:grandchild(p) -> child(p)"), Some("its parent's columns are no unique key"));

    // One that is none makes text of all.
    source.table("child", &[("p", "")], &[&[text("orphan")]]);
    let derived = source.derive();
    assert_eq!(derived.declared("parent", "id"), "text");
    assert!(derived.reason("column:parent.id").unwrap().contains("like the columns that foreign keys tie it to"));
    assert!(
        derived.later.iter().any(|later| matches!(&later.part, Part::ForeignKey(key) if key.parent.name == "parent"))
    );
}

#[test]
fn a_counter_stays_a_counter() {
    let mut source = Source::default();
    let parent = source.table("parent", &[("id", "INTEGER")], &[&[Cell::Integer(1)]]);
    parent.primary_key = Some(key(&["id"]));
    parent.columns[0].generation = Generation::RowId { autoincrement: true };
    for (name, cell) in [("good", text("1")), ("bad", text("abc"))] {
        source.table(name, &[("p", "TEXT")], &[&[cell]]).foreign_keys = vec![foreign_key(&["p"], "parent", &["id"])];
    }
    let owner = SequenceOwner { table: TableName::new("parent"), column: "id".to_owned() };
    source.catalogue.sequences.push(Sequence {
        name: owner.table.clone(),
        feeds: Some(owner.clone()),
        next: 10,
        hidden: false,
        increment: 1,
        max: i128::from(i64::MAX),
        min: 1,
        also_feeds: Vec::new(),
    });
    let derived = source.derive();
    assert_eq!(
        derived.tables.iter().find(|t| t.name.name == "parent").unwrap().columns[0].generation,
        Generation::IdentityByDefault
    );
    assert_eq!((derived.declared("good", "p"), derived.declared("bad", "p")), ("bigint", "text"));
    assert_eq!(
        derived.reason("foreign key:bad(p) -> parent(id)"),
        Some("`p` became text, and its parent's `id` bigint")
    );
    assert_eq!(derived.positions, [(owner, 10)]);
    source.catalogue.sequences[0].next = i128::from(i64::MAX) + 1;
    assert_eq!(source.derive().reason("sequence:parent"), Some("is used up"));
}

#[test]
fn what_cannot_be_carried_is_named() {
    let mut source = Source::default();
    let columns = [("a", "INTEGER"), ("b", "TEXT"), ("c", "INTEGER"), ("xmin", "TEXT")];
    let table = source.table("t", &columns, &[&[Cell::Null, text("x"), Cell::Null, Cell::Null]]);
    table.primary_key = Some(key(&["a"]));
    table.columns[1].collation = Some("NOCASE".to_owned());
    table.columns[1].default = Some("(upper('x'))".to_owned());
    table.columns[2].generation = Generation::Computed { expression: "a * 2".to_owned(), stored: false };
    table.columns[2].nullable = false;
    let part = |column: Option<&str>| IndexPart {
        column: column.map(str::to_owned),
        expression: None,
        descending: true,
        collation: None,
        prefix: None,
    };
    let index = |name: &str, column: Option<&str>, predicate: Option<&str>| Index {
        name: name.to_owned(),
        unique: false,
        parts: vec![part(column)],
        predicate: predicate.map(str::to_owned),
        method: None,
        valid: true,
    };
    table.indexes = vec![
        index("plain", Some("a"), Some("a > 0")),
        index("odd", Some("a"), Some("b LIKE 'x'")),
        index("expr", None, None),
        index("t", Some("a"), None),
    ];
    let check = |expression: &str| CheckConstraint { name: None, expression: expression.to_owned() };
    table.checks = vec![check("a >= 0"), check("length(b) > a % 2")];
    table.foreign_keys = vec![foreign_key(&["a"], "nowhere", &["id"])];
    source.table("v", &[("x", "")], &[]).unreadable = Some("is a virtual table".to_owned());
    let view = crate::model::catalogue::ObjectName::new("view", "w");
    source.catalogue.objects.insert(view, std::collections::BTreeMap::new());
    let derived = source.derive();
    for (object, reason) in [
        ("constraint:t (PRIMARY KEY)", "some rows have NULL in it; became UNIQUE"),
        ("collation:t.b", "NOCASE is not carried: texts are told apart to the byte"),
        ("default:t.b", "(upper('x')) is not translated"),
        ("generated:t.c", "became a plain column with the values of (a * 2)"),
        ("constraint:t.c (NOT NULL)", "1 rows hold NULL all the same"),
        ("index:t.odd", "is partial, and WHERE b LIKE 'x' is not translated"),
        ("index:t.expr", "indexes an expression, which is not translated"),
        ("constraint:t (CHECK)", "CHECK (length(b) > a % 2) is not translated"),
        ("foreign key:t(a) -> nowhere(id)", "its parent is not carried"),
        ("table:v", "is a virtual table"),
        ("view:w", "its SQL is not translated"),
    ] {
        assert_eq!(derived.reason(object), Some(reason), "{object}");
    }
    let renamed = derived.reason("name:t.xmin").unwrap();
    assert!(renamed.starts_with("the target takes no such name; became xmin_"), "{renamed}");
    assert_eq!(derived.stated[0].columns["xmin"].target.as_deref(), renamed.split(' ').next_back());
    assert_eq!(derived.not_carried.len(), 12, "{:#?}", derived.not_carried);
    let made: Vec<&str> = derived.later.iter().map(|later| later.object.as_str()).collect();
    assert_eq!(made, ["constraint:t (PRIMARY KEY)", "index:t.plain", "index:t.t", "constraint:t (CHECK)"]);
    // An index cannot have its table's name in PostgreSQL.
    assert!(matches!(&derived.later[2].part, Part::Index(index) if index.name.starts_with("t_")));
    let kind = LogicalType::Integer { bits: 64 };
    assert_eq!(derived.tables[0].columns[2].kind, kind);
    assert!(derived.tables[0].columns[2].nullable && derived.tables[0].columns[2].generation == Generation::None);
}
