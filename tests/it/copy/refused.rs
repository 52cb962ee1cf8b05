//! What a copy refuses before it writes, and what it takes back when it fails.

use rehearse::model::chain;

use super::*;

const SOURCE: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, nm TEXT, age INTEGER, boss INTEGER);
    CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER, body TEXT);
    INSERT INTO people VALUES (1, 'one', 10, NULL), (2, 'two', 20, 1);
    INSERT INTO notes VALUES (1, 1, 'a'), (2, 2, 'b');";

const TARGET: &str = "CREATE TABLE people (id bigint PRIMARY KEY, name varchar(5) NOT NULL, age integer, boss bigint);
    CREATE TABLE notes (id bigint PRIMARY KEY, person bigint REFERENCES people (id), body text);";

const MAPPING: &str =
    "format_version = 1\n[[copy]]\nsource = \"people\"\ntarget = \"people\"\ncolumns.nm = { target = \"name\" }\n";

/// A change to the source, a change to the target, a mapping, settings, and what the error has to say.
type Refused = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

const CASES: &[Refused] = &[
    (
        "",
        "",
        "format_version = 1\n\n[[copy]]\nsource = \"peopel\"\ntarget = \"people\"\n",
        "{}",
        &[
            "mapping.toml:3: copy[0]: unknown source table `peopel`; expected one of `notes`, `people`; did you mean `people`?",
            "mapping.toml:3: ",
        ],
    ),
    (
        "",
        "",
        "format_version = 1\n[[copy]]\nsource = \"people\"\ntarget = \"people\"\ncolumns.nm = { target = \"nmae\" }\n\
         columns.aeg = { as = \"number\" }\nconstants.naem = \"x\"\ndefaults.bos = \"why\"\n",
        "{}",
        &[
            "mapping.toml:5: copy[0].columns.nm: unknown target column of `people` `nmae`",
            "did you mean `name`?",
            "mapping.toml:6: copy[0].columns.aeg: unknown source column of `people` `aeg`",
            "did you mean `age`?",
            "mapping.toml:7: copy[0].constants.naem: unknown target column of `people` `naem`",
            "mapping.toml:8: copy[0].defaults.bos: unknown target column of `people` `bos`",
            "column `nm` of `people` is neither mapped nor dropped",
            "`people.name` has to have a value and gets none",
        ],
    ),
    ("", "", "", "{}", &["column `nm` of `people` is neither mapped nor dropped", "`people.name` has to have a value"]),
    (
        "CREATE TABLE extra (x); INSERT INTO extra VALUES (1)",
        "",
        MAPPING,
        "{}",
        &["source table `extra` is neither copied nor dropped"],
    ),
    (
        "ALTER TABLE people ADD COLUMN name TEXT",
        "",
        MAPPING,
        "{}",
        &["`people.name` gets its value from `nm` and from `name`", "mapping.toml:"],
    ),
    ("", "INSERT INTO people VALUES (7, 'seven')", MAPPING, "{}", &["`people` holds 1 rows", "when_not_empty"]),
    (
        "",
        "CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
         CREATE TRIGGER t BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION t()",
        MAPPING,
        "{}",
        &["`notes` has a trigger", "triggers = \"fire\""],
    ),
    (
        "",
        "",
        "format_version = 1\n[[copy]]\nsource = \"people\"\ntarget = \"people\"\nsource_where = \"age > 15\"\n\
         columns.nm = { target = \"name\" }\n",
        "{}",
        &["mapping.toml:2: copy[0]: 1 rows of `people` are copied nowhere", "`skipped`"],
    ),
    (
        "ALTER TABLE people ADD COLUMN photo BLOB",
        "ALTER TABLE people ADD COLUMN made json",
        "format_version = 1\n[[copy]]\nsource = \"people\"\ntarget = \"people\"\ncolumns.nm = { target = \"name\" }\n\
         columns.made = { json = { a = \"nmm\", b = \"photo\" } }\n\
         columns.boss = { lookup = { table = \"peopel\", key = \"id\", value = \"id\" } }\n\
         columns.age = { lookup = { table = \"notes\", key = \"idd\", value = \"bdy\" } }\n\
         columns.none = { target = \"made\", lookup = { table = \"notes\", key = \"id\", value = \"id\" } }\n",
        "{}",
        &[
            "mapping.toml:6: copy[0].columns.made.json.a: unknown source column of `people` `nmm`",
            "mapping.toml:6: copy[0].columns.made.json.b: `photo` is BLOB, of which JSON has no form; expected a column of texts, \
             numbers, truth values or moments",
            "mapping.toml:7: copy[0].columns.boss.lookup: unknown source table `peopel`; expected one of `notes`, `people`; did you \
             mean `people`?",
            "mapping.toml:8: copy[0].columns.age.lookup: unknown source column of `notes` `idd`",
            "mapping.toml:8: copy[0].columns.age.lookup: unknown source column of `notes` `bdy`",
            "mapping.toml:9: copy[0].columns.none: unknown source column of `people` `none`",
        ],
    ),
    (
        "",
        "",
        "format_version = 1\n[[copy]]\nsource = \"people\"\ntarget = \"people\"\n\
         columns.nm = { target = \"name\", lookup = { table = \"notes\", key = \"body\", value = \"body\" } }\n",
        "{}",
        &["row 1 of part 1 of `people`: `nm` holds a value that `notes.body` does not have"],
    ),
    ("", "CREATE TABLE rehearse_copy_copy (x integer)", MAPPING, "{}", &["a table `rehearse_copy_copy` already"]),
    // Found by the rows themselves: what was written before is gone again.
    (
        "UPDATE people SET nm = 'too long' WHERE id = 2",
        "",
        MAPPING,
        "{}",
        &["row 2 of part 1 of `people`: `nm` holds 8 characters"],
    ),
    ("UPDATE people SET age = 'abc' WHERE id = 2", "", MAPPING, "{}", &["`age` holds a text, which is no integer"]),
    (
        "UPDATE people SET age = 1 << 40 WHERE id = 2",
        "",
        MAPPING,
        "{}",
        &["`age` holds an integer, which is no integer of 32 bits"],
    ),
    (
        "UPDATE people SET nm = NULL WHERE id = 2",
        "",
        MAPPING,
        "{}",
        &["`nm` holds NULL, and the target has to have a value"],
    ),
    ("UPDATE notes SET person = 9 WHERE id = 2", "", MAPPING, "{}", &["foreign key"]),
    ("UPDATE notes SET body = 'a' || char(0) || 'b' WHERE id = 2", "", MAPPING, "{}", &["NUL character"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_leaves_both_sides_as_they_were() {
    let places = Places::with("what_is_refused_leaves_both_sides_as_they_were", &["postgres"]).await;
    if places.postgres.is_none() {
        return;
    }
    for (on_source, on_target, mapping, config, says) in CASES {
        let addresses = Sides::new(places.database("sqlite").await, places.database("postgres").await);
        execute(&addresses.source, &format!("{SOURCE}{on_source}")).await;
        execute(&addresses.target, &format!("{TARGET}{on_target}")).await;
        let case = Case::new(&places, addresses, mapping, serde_json::from_str(config).unwrap());
        let before = (case.state(Side::Source).await, case.state(Side::Target).await);
        let error = chain(&case.forward().await.unwrap_err());
        for part in *says {
            assert!(error.contains(part), "{part}\n{error}");
        }
        assert!(!error.contains("abc"), "a value in `{error}`");
        assert_eq!((case.state(Side::Source).await, case.state(Side::Target).await), before, "{error}");
        case.back().await.unwrap();
    }
}

/// Where the engine does not look at references while rows come, the step does behind the last.
pub(super) async fn rows_without_a_parent_are_refused_on_every_engine(places: &Places) {
    for engine in places.engines() {
        let addresses = Sides::new(places.database("sqlite").await, places.database(engine).await);
        execute(&addresses.source, &format!("{SOURCE}UPDATE notes SET person = 9 WHERE id = 2")).await;
        execute(&addresses.target, TARGET).await;
        let case = Case::new(places, addresses, MAPPING, json!({}));
        let before = case.state(Side::Target).await;
        let error = chain(&case.forward().await.unwrap_err());
        assert!(error.contains("no parent") || error.contains("foreign key"), "{engine}: {error}");
        assert_eq!(case.state(Side::Target).await, before, "{engine}");
    }
}
