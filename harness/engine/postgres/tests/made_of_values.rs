//! Types that are made of others, or peculiar to PostgreSQL: their cells are printed as the server prints the values, and
//! hold nothing of the server or session that they came from.

use super::*;
use crate::canon::{encode::encode_own, text_of};

const TYPES: &str = "
    CREATE EXTENSION hstore;
    CREATE TYPE mood AS ENUM ('sad', 'glad');
    CREATE DOMAIN amount AS numeric(10, 2) CHECK (VALUE >= 0);
    CREATE DOMAIN amounts AS amount[];
    CREATE TYPE pair AS (x real, \"It's y\" text);
    CREATE TYPE whole AS (p pair, m mood[], d amount, f double precision, b bytea, t timestamptz, h hstore);
    CREATE TYPE floats AS RANGE (subtype = float8);
";

/// Types, and values of each.
const VALUES: &[(&str, &[&str])] = &[
    ("bit(4)", &["0100", "1111"]),
    ("varbit", &["", "0", "000000001", "1010101010101010"]),
    ("timetz", &["10:00:00+02", "24:00:00-03:30"]),
    ("money", &["12345.67", "-0.01"]),
    ("inet", &["10.0.0.1", "10.0.0.1/8", "::1", "::ffff:10.0.0.1", "2001:db8::/32"]),
    ("cidr", &["10.0.0.0/8", "10.0.0.1", "::/0"]),
    ("macaddr", &["08:00:2b:01:02:03"]),
    ("macaddr8", &["08:00:2b:01:02:03:04:05", "08:00:2b:01:02:03"]),
    (
        "int[]",
        &["{}", "{1,NULL,3}", "[0:1]={5,6}", "{{1,2},{3,4}}", "[-1:0][2:3]={{1,2},{3,4}}", "{{{1},{2}},{{3},{4}}}"],
    ),
    ("text[]", &[r#"{NULL,"NULL",null,"",abc,"a b"," a","a,b","\"q\"","back\\slash","{}",é😀}"#]),
    ("bool[]", &["{t,f,NULL}"]),
    (
        "float8[]",
        &[
            "{0.1,-0,1e15,1e14,123456789012345,1234567890123456,1e-4,1e-5,1.5e-7,1e300,5e-324,NaN,Infinity,-Infinity,100,0.05,12.5}",
        ],
    ),
    ("float4[]", &["{0.1,1e6,1e5,123456,1234567,1e-4,1e-5,3.4028235e38,1e-45,16777216,0.00012}"]),
    ("numeric[]", &["{1.10,1.1,100.00,NaN}"]),
    ("mood[]", &["{glad,sad,NULL}"]),
    ("amount", &["1.50"]),
    ("amount[]", &["{1.50,NULL}"]),
    ("amounts", &["{1.50,2.00}"]),
    ("timestamptz[]", &["{infinity,\"2024-01-02 03:04:05.6+05\",\"0044-03-15 BC\"}"]),
    ("interval[]", &["{\"1 mon -2 days\",24:00:00}"]),
    ("bytea[]", &[r#"{"\\xdead","\\x"}"#]),
    ("jsonb[]", &[r#"{"{\"a\": 1}",NULL}"#]),
    ("uuid[]", &["{550e8400-e29b-41d4-a716-446655440000}"]),
    ("pair", &["(0.1,)", "(,\"\")", "(1e6,\"a,b\")", r#"(-0,"q"" \\ ( )")"#]),
    ("pair[]", &[r#"{"(0.1,x)",NULL,"(,\"a \"\"b\"\"\")"}"#]),
    (
        "whole",
        &[
            r#"("(0.1,""x y"")","{glad,NULL}",1.5,0.30000000000000004,"\\xdead","2024-01-02 03:04:05+00","""a""=>""b"", ""c""=>NULL")"#,
            "(,,,,,,)",
        ],
    ),
    ("int4range", &["[1,10)", "empty", "(,5)", "[5,)", "(,)"]),
    ("numrange", &["(1.10,2.2]"]),
    ("tstzrange", &["[2024-01-01,2024-01-02)", "[,infinity]"]),
    ("floats", &["[0.1,0.3)", "(1e15,1e16]"]),
    ("int4range[]", &["{\"[1,2)\",empty}"]),
    ("int4multirange", &["{}", "{[1,3),[7,9)}", "{(,5),[9,)}"]),
    ("hstore", &[r#"a=>1, "b c"=>NULL, q=>"\"x\\""#, ""]),
    ("xml", &["<a>é</a>"]),
    ("tsvector", &["'a':1A,2 'b c':3"]),
    ("tsquery", &["'a' & !'b'"]),
    ("jsonpath", &["$.\"a\"[*]"]),
    ("pg_lsn", &["16/B374D848"]),
    ("regclass", &["pg_class"]),
    ("regclass[]", &["{pg_class,NULL}"]),
    ("aclitem[]", &["{postgres=r/postgres}"]),
];

/// Settings that change every text that the server prints.
const HOSTILE: &str = "SET extra_float_digits = 0; SET bytea_output = 'escape'; SET datestyle = 'German, DMY';
    SET intervalstyle = 'iso_8601'; SET xmloption = 'content'";

/// What a hostile session or another database may not change.
struct Kept(Vec<(String, Vec<u8>)>);

impl RowSink for Kept {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        if column == 1 {
            let mut own = Vec::new();
            encode_own(&cell, &mut own);
            self.0.push((text_of(&cell).unwrap_or_default(), own));
        }
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

fn tables() -> String {
    let table = |(at, (kind, values)): (usize, &(&str, &[&str]))| {
        let quoted = |value: &&str| value.replace('\'', "''");
        let rows: Vec<String> =
            values.iter().enumerate().map(|(row, value)| format!("({row}, '{}')", quoted(value))).collect();
        // The text of `money` has a sign for the currency.
        format!("CREATE TABLE t{at} (n int, v {kind}); INSERT INTO t{at} VALUES {};\n", rows.join(", "))
    };
    VALUES.iter().enumerate().map(table).collect()
}

async fn kept(scratch: &mut Scratch, table: usize) -> Vec<(String, Vec<u8>)> {
    let mut kept = Kept(Vec::new());
    let rowset = Rowset::of(format!("t{table}").parse().unwrap(), vec!["n".to_owned(), "v".to_owned()]);
    scratch.session.scan(&rowset, &mut kept).await.unwrap_or_else(|error| panic!("{}: {error}", VALUES[table].0));
    kept.0
}

#[tokio::test]
async fn they_are_read_as_the_server_prints_them_whoever_asks() {
    let schema = format!("{TYPES}{}", tables());
    let Some(mut scratch) = Scratch::new("nested", &schema).await else { return };
    // The same types with other OIDs.
    let shifted = format!("CREATE TYPE other AS ENUM ('a', 'b', 'c'); CREATE TABLE before (o other[]); {schema}");
    let mut elsewhere = Scratch::new("nested_elsewhere", &shifted).await.unwrap();
    elsewhere.session.execute(HOSTILE).await.unwrap();
    let mut wrong = Vec::new();
    for (table, (kind, values)) in VALUES.iter().enumerate() {
        let cast = if *kind == "money" { "v::numeric" } else { "v" };
        let printed =
            scratch.session.query(&format!("SELECT format('%s', {cast}) FROM t{table} ORDER BY n")).await.unwrap();
        let cells = kept(&mut scratch, table).await;
        assert_eq!(cells.len(), values.len());
        for (printed, (shown, _)) in printed.iter().zip(&cells) {
            if printed[0].as_ref() != Some(shown) {
                wrong.push(format!("{kind}: {shown} instead of {}", printed[0].as_ref().unwrap()));
            }
        }
        if kept(&mut elsewhere, table).await != cells {
            wrong.push(format!("{kind}: another database or session gives another value"));
        }
        let different: std::collections::BTreeSet<_> = cells.iter().map(|(_, own)| own).collect();
        if different.len() != cells.len() {
            wrong.push(format!("{kind}: two values have one form"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    elsewhere.drop().await;
    scratch.drop().await;
}
