//! The step `files`: an export that has to hold the rows of an earlier one, JSON by its value.

use rehearse::model::{Address, LossEntry, Side, Sides, chain};
use serde_json::{Value as Json, json};

use crate::support::{
    Sandbox,
    server::execute,
    steps::{Step, files, state},
};

const TABLES: &str = r#"CREATE TABLE things (id INTEGER PRIMARY KEY, data JSON TEXT, more JSON TEXT, note TEXT);
    CREATE TABLE others (id INTEGER PRIMARY KEY, note TEXT);
    INSERT INTO things VALUES (1, '{"b": 1, "a": [1, 2]}', '[]', '{"b":1}'), (2, '"\u00e9"', NULL, 'x'),
                              (3, '100', '{"one":{}}', NULL), (4, 'no json', '{', 'y');
    INSERT INTO others VALUES (1, 'one')"#;

struct Bench {
    addresses: Sides<Address>,
    sandbox: Sandbox,
}

impl Bench {
    async fn new() -> Self {
        let sandbox = Sandbox::new();
        let addresses = files(&sandbox, TABLES, "SELECT 1").await;
        Self { addresses, sandbox }
    }

    fn export(&self, name: &str, form: &str, same_as: Option<&str>) -> Step {
        let written = json!({
            "form": form, "delimiter": ",", "quote": "\"", "header": true, "null": null, "encoding": "UTF-8"
        });
        let settings: Json = json!({
            "act": "export", "side": "source", "tables": [], "written": written, "conflicts": "refuse", "from": null,
            "files": [], "same_as": same_as
        });
        Step::new(&self.sandbox, "files", name, &self.addresses, settings)
    }
}

fn told(entry: &LossEntry) -> String {
    assert_eq!(entry.side, Side::Source);
    format!("{}.{} {}: {}", entry.table, entry.column, entry.rule, entry.rows)
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_the_same_by_its_value_and_the_rule_is_told() {
    for (form, other) in [("ndjson", "ndjson"), ("xlsx", "xlsx"), ("csv", "csv")] {
        let bench = Bench::new().await;
        bench.export("before", form, None).forward().await.unwrap();
        // As it was: no rule is needed, and none is told.
        let mut after = bench.export("after", other, Some("before"));
        let done = after.forward().await.unwrap_or_else(|error| panic!("{form}: {}", chain(&error)));
        assert!(done.loss_ledger.is_empty(), "{form}: {done:?}");
        // Other spellings of the same values: the order of keys, blanks, escapes, numbers.
        execute(
            &bench.addresses.source,
            "UPDATE things SET data = CASE id WHEN 1 THEN '{\"a\":[1,2],\"b\":1.0}' WHEN 2 THEN '\"é\"' WHEN 3 THEN '1e2'
                                      ELSE data END, more = CASE id WHEN 1 THEN '[ ]' ELSE more END",
        )
        .await;
        let done = after.forward().await.unwrap_or_else(|error| panic!("{form}: {}", chain(&error)));
        let ledger: Vec<String> = done.loss_ledger.iter().map(told).collect();
        let expected = [
            "things.data json by value (exported by step `after`): 2",
            "things.data json by value (exported by step `before`): 2",
        ];
        assert_eq!(ledger, expected, "{form}");
        let before = state(&bench.addresses.source).await;
        // Another value, another text that is no JSON, and JSON where nothing says that it is: each is another row.
        for (change, back) in [
            ("data = '1e3' WHERE id = 3", "data = '1e2' WHERE id = 3"),
            ("data = '{\"a\":[2,1],\"b\":1.0}' WHERE id = 1", "data = '{\"a\":[1,2],\"b\":1.0}' WHERE id = 1"),
            ("more = 'null' WHERE id = 2", "more = NULL WHERE id = 2"),
            ("more = '{ ' WHERE id = 4", "more = '{' WHERE id = 4"),
            ("note = '{\"b\": 1}' WHERE id = 1", "note = '{\"b\":1}' WHERE id = 1"),
        ] {
            execute(&bench.addresses.source, &format!("UPDATE things SET {change}")).await;
            let error = chain(&after.forward().await.unwrap_err());
            assert_eq!(error, "other rows than those of step `before` are in things", "{form}: {change}");
            execute(&bench.addresses.source, &format!("UPDATE things SET {back}")).await;
        }
        assert_eq!(state(&bench.addresses.source).await.tables, before.tables, "{form}");
        after.forward().await.unwrap();
    }
}
