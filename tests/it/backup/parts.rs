//! Backups of definitions alone, of rows alone, and of some tables alone.

use rehearse::model::TableName;

use super::*;

pub async fn definitions_rows_and_some_tables_are_backed_up_by_themselves(bench: &Bench) {
    let Sides { source, target } = &bench.addresses;
    let (wanted, empty) = (state(source).await, state(target).await);
    for form in ["plain", "custom"] {
        let part = |name: &str, part: &str, tables: Json| {
            let extent = json!({ "part": part, "tables": tables });
            bench.step("backup", name, json!({ "side": "source", "format": form, "extent": extent }))
        };
        for mut backup in [
            part("definitions", "schema", json!([])),
            part("contents", "rows", json!([])),
            part("some", "whole", json!(["posts", "people"])),
        ] {
            backup.forward().await.unwrap_or_else(|error| panic!("{form}: {}", chain(&error)));
        }
        let restore = |from: &str| {
            let settings =
                json!({ "side": "target", "from": from, "generation": "newest", "when_not_empty": "refuse" });
            bench.step("restore", &format!("restored-{from}"), settings)
        };
        // Rows alone go nowhere but into tables that are there.
        let error = chain(&restore("contents").forward().await.unwrap_err());
        assert!(error.contains("of the target is not there, and the backup is of rows alone"), "{form}: {error}");
        assert_no_trace(&empty, &state(target).await, form);

        let mut definitions = restore("definitions");
        definitions.forward().await.unwrap_or_else(|error| panic!("{form}: {}", chain(&error)));
        let bare = state(target).await;
        assert_eq!(objects(&bare), objects(&wanted), "{form}");
        assert!(bare.tables.values().all(|table| table.rows.rows == 0), "{form}");

        let mut contents = restore("contents");
        contents.forward().await.unwrap_or_else(|error| panic!("{form}: {}", chain(&error)));
        assert_eq!(state(target).await.tables, wanted.tables, "{form}");
        // Not a second time: there are rows by now.
        let mut again = bench.step("restore", "again", contents.task.config.clone());
        let error = chain(&again.forward().await.unwrap_err());
        assert!(error.contains("of the target holds rows already"), "{form}: {error}");
        contents.back().await.unwrap_or_else(|error| panic!("{form}: {}", chain(&error)));
        assert_no_trace(&bare, &state(target).await, form);
        definitions.back().await.unwrap_or_else(|error| panic!("{form}: {}", chain(&error)));

        let mut some = restore("some");
        some.forward().await.unwrap_or_else(|error| panic!("{form}: {}", chain(&error)));
        let there = state(target).await.tables;
        assert_eq!(there.keys().map(ToString::to_string).collect::<Vec<_>>(), ["people", "posts"], "{form}");
        for (name, table) in &there {
            assert_eq!(table.rows, wanted.tables[name].rows, "{form}: {name}");
        }
        some.back().await.unwrap_or_else(|error| panic!("{form}: {}", chain(&error)));
        assert_no_trace(&empty, &state(target).await, form);
        fs::remove_dir_all(bench.sandbox.path("steps")).unwrap();
    }
    // A table that is not there is not left out in silence.
    let extent = json!({ "part": "whole", "tables": [TableName::new("gone")] });
    let error = chain(&bench.backup(json!({ "extent": extent })).forward().await.unwrap_err());
    assert!(error.contains("there is no table gone to back up"), "{error}");
    assert_eq!(bench.generations(), Vec::<PathBuf>::new());
}
