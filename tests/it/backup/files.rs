//! The step `files`: tables out and in, and what is wrong with files.

use super::*;

const MORE: &str = "INSERT INTO people VALUES (4, 'q\"u,o;te', 'two
lines'), (5, '=1+1', ' blanks '), (6, '\\x41', 'NULL')";

fn written(more: Json) -> Json {
    let written = json!({
        "form": "csv", "delimiter": ",", "quote": "\"", "header": true, "null": null, "encoding": "UTF-8"
    });
    with(written, more)
}

fn files(bench: &Bench, name: &str, settings: Json) -> Step {
    let usual = json!({
        "side": "target", "tables": [], "written": written(json!({})), "conflicts": "refuse", "from": null, "files": []
    });
    bench.step("files", name, with(usual, settings))
}

pub async fn tables_go_out_and_in_and_back_again(bench: &Bench) {
    let (source, target) = (&bench.addresses.source, &bench.addresses.target);
    let is_mariadb = bench.engine == "mariadb";
    execute(source, &if is_mariadb { MORE.replace("\\x", "\\\\x") } else { MORE.to_owned() }).await;
    for statement in SOURCE.split("INSERT").next().unwrap().split_inclusive(";\n").filter(|one| !one.trim().is_empty())
    {
        execute(target, statement).await;
    }
    let (wanted, before) = (state(source).await, state(target).await);
    let tables = json!(["posts", "people", "empty_one"]);
    let forms = [
        json!({ "form": "ndjson" }),
        json!({ "delimiter": ";", "quote": "'", "header": false, "null": "NULL" }),
        json!({ "delimiter": "\t", "encoding": "windows-1252" }),
        json!({ "form": "json" }),
        json!({}),
    ];
    // Writing and reading know no engine.
    let few = if bench.engine == "sqlite" { forms.len() } else { 2 };
    for form in forms.into_iter().take(few) {
        let what = format!("{} {form}", bench.engine);
        let config = json!({ "act": "export", "side": "source", "tables": tables, "written": written(form) });
        let mut export = files(bench, "out", config);
        let done = export.forward().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
        assert_eq!(done.rows, 9, "{what}");
        let mut import = files(bench, "in", json!({ "act": "import", "from": "out" }));
        let done = import.forward().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
        assert_eq!(done.rows, 9, "{what}");
        let there = state(target).await;
        for table in ["people", "posts", "empty_one"] {
            let name = rehearse::model::TableName::new(table);
            assert_eq!(there.tables[&name].rows, wanted.tables[&name].rows, "{what}: {table}");
        }
        import.back().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
        assert_no_trace(&before, &state(target).await, &what);
        export.back().await.unwrap();
        assert!(!bench.sandbox.path("steps/out/files").exists());
    }
    keys_that_are_there_are_refused_left_out_or_replaced(bench).await;
    for table in ["posts", "people", "empty_one"] {
        execute(target, &format!("DROP TABLE {table}")).await;
    }
    execute(source, "DELETE FROM people WHERE id BETWEEN 4 AND 6").await;
}

async fn keys_that_are_there_are_refused_left_out_or_replaced(bench: &Bench) {
    let target = &bench.addresses.target;
    execute(target, "INSERT INTO people VALUES (1, 'Old', 'kept'), (9, 'Own', NULL)").await;
    let before = state(target).await;
    let file = bench.sandbox.write("people.csv", "id;full\r\n1;New\r\n2;Bo\r\n");
    let given = json!([{ "path": file, "table": "people", "columns": [["full", "name"]] }]);
    let import = |name: &str, conflicts: &str| {
        let written = written(json!({ "delimiter": ";" }));
        files(bench, name, json!({ "act": "import", "conflicts": conflicts, "files": given, "written": written }))
    };
    let mut refused = import("in", "refuse");
    refused.forward().await.unwrap_err();
    assert_no_trace(&before, &state(target).await, bench.engine);
    for (conflicts, name, figures) in
        [("skip", "Old", [2.0, 1.0, 1.0, 0.0, 0.0]), ("overwrite", "New", [2.0, 1.0, 0.0, 1.0, 0.0])]
    {
        let what = format!("{} {conflicts}", bench.engine);
        let mut step = import("in", conflicts);
        let done = step.forward().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
        assert_eq!(done.figures.iter().map(|figure| figure.value).collect::<Vec<_>>(), figures, "{what}");
        let rows = ask(target, "SELECT name, note FROM people WHERE id = 1").await;
        assert_eq!(rows, [[Some(name.to_owned()), Some("kept".to_owned())]], "{what}");
        // A second time all are there.
        let again = import("again", conflicts).forward().await.unwrap();
        assert_eq!(again.figures[1].value, 0.0, "{what}");
        step.back().await.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
        assert_no_trace(&before, &state(target).await, &what);
    }
    // The same key twice in one file is nobody's to decide.
    bench.sandbox.write("people.csv", "id;full\n3;a\n3;b\n");
    let error = chain(&import("in", "skip").forward().await.unwrap_err());
    assert!(error.contains("have a key that another row of the file has"), "{}: {error}", bench.engine);
    assert_no_trace(&before, &state(target).await, bench.engine);
}

/// Every file is read before anything is written, and what is wrong is told with its place.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_file_is_told_with_its_place_and_nothing_is_written() {
    let bench = Bench::sqlite().await;
    let target = &bench.addresses.target;
    execute(target, "CREATE TABLE people (id INTEGER PRIMARY KEY, name varchar(5), at DATE)").await;
    let before = state(target).await;
    let wide = "a,".repeat(1_000_000);
    let long = format!("id,name,at\n1,{},\n", "x".repeat(17 << 20));
    for (content, form, told) in [
        (&b"id,name,at\n1,\"Ann,\n2,Bo,\n"[..], "csv", ":2:3: a quote is opened here and never closed"),
        (b"id,name,at\n1,A\"nn,\n", "csv", ":2:4: a quote stands in a value that does not begin with one"),
        (b"id,name,at\n1,\"Ann\"x,\n", "csv", ":2:8: something stands behind a closing quote"),
        (b"id,name,at\n1,Ann,\n2,Bo\n", "csv", ":3:1: has 2 values, and the header names 3 columns"),
        (b"id,name,at\n1,\xc7elik,\n", "csv", ":2:3: holds bytes that are no UTF-8"),
        (b"\xff\xfei\0d\0", "csv", ":1:1: begins with a byte order mark of UTF-16LE, and is said to be in UTF-8"),
        (b"id,nam,at\n", "csv", "people has no column `nam`; did you mean `name`?"),
        (b"id,id,at\n", "csv", ":1:1: two columns are called `id`"),
        (b"", "csv", ":1:1: is empty, and its first line has to name the columns"),
        (b"id,name,at\n1,Ann,\nx,Bo,\n", "csv", ":3:1: column `id` holds a text, which is no integer"),
        (b"id,name,at\n1,Annette,\n", "csv", ":2:3: column `name` holds 7 characters, and the target takes 5"),
        (b"id,name,at\n1,Ann,2024-02-30\n", "csv", ":2:7: column `at` holds a text, which is no date"),
        (wide.as_bytes(), "csv", "has more than 5000 columns"),
        (long.as_bytes(), "csv", ":2:3: a value has more than 16777216 bytes"),
        (
            b"[\n{\"id\":1,\"name\":\"A\",\"at\":null},\n{\"id\":2,\"na",
            "json",
            ":3:1: the file ends in the middle of the row",
        ),
        (b"[{\"id\":1,\"name\":\"A\",\"at\":null}\n", "json", ":2:1: ends before its closing `]`"),
        (b"[{\"id\":1,\"name\":\"A\",\"at\":null}]x", "json", ":1:32: something stands behind the closing `]`"),
        (b"[{\"id\":1,\"name\":\"A\",\"name\":\"B\"}]", "json", "`name` is there twice"),
        (b"[{\"id\":1,\"nam\":\"A\",\"at\":null}]", "json", ":1:2: `nam` is no column of people"),
        (b"[{\"id\":1}]", "json", ":1:2: column `name` is missing"),
        (b"{\"id\":1,\"name\":\"A\",\"at\":null}\n[2]\n", "ndjson", ":2:1: a row is no object"),
        (b"{\"id\":1,\"name\":tru,\"at\":null}\n", "ndjson", ":1:19: expected "),
    ] {
        let file = bench.sandbox.write("people.txt", content);
        let given = json!([{ "path": file, "table": "people", "columns": [] }]);
        let config = json!({ "act": "import", "files": given, "written": written(json!({ "form": form })) });
        let mut import = files(&bench, "in", config);
        let error = chain(&import.forward().await.unwrap_err());
        assert!(error.contains(told) && (error.contains("people.txt:") || !told.starts_with(':')), "{told}\n{error}");
        assert!(import.task.marks.is_empty(), "{told}");
    }
    assert_no_trace(&before, &state(target).await, "nothing was written");
    // What an encoding does not have is not written with a question mark.
    let config = json!({ "act": "export", "side": "source", "written": written(json!({ "encoding": "iso-8859-5" })) });
    let error = chain(&files(&bench, "out", config).forward().await.unwrap_err());
    assert!(error.contains("row 3 holds U+00C7, which ISO-8859-5 does not have"), "{error}");
}

/// What is wrong with one row keeps that one out, where a table names it; what is wrong with the file keeps all out.
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_cannot_be_taken_are_named_by_line_and_reason() {
    let bench = Bench::sqlite().await;
    let target = &bench.addresses.target;
    execute(
        target,
        "CREATE TABLE people (line INTEGER PRIMARY KEY, name varchar(5), at DATE);
         CREATE TABLE rejects (file TEXT, line INTEGER, reason TEXT); CREATE TABLE few (file TEXT, line INTEGER)",
    )
    .await;
    let before = state(target).await;
    let import = |content: &[u8], form: &str, lenience: Json| {
        let file = bench.sandbox.write("people.txt", content);
        let given = json!([{ "path": file, "table": "people", "columns": [] }]);
        let config = json!({ "act": "import", "files": given, "written": written(json!({ "form": form })), "lenience": lenience });
        files(&bench, "in", config)
    };
    let lenience = |table: &str| json!({ "rejects": table, "line_column": "line", "missing_is_null": true });
    let csv = &b"\xef\xbb\xbfname,at\nAnn,2024-02-29\nBo\nCy,2024-02-30\n\"D\nd\",\nEve,,x\nTooLong,\n=1+1,\n"[..];
    let json_text = b"[{\"name\":\"Ann\"},\n{\"name\":\"Bo\",\"at\":\"never\"},\n{\"nam\":\"Cy\"},{}]";
    for (content, form, rows, rejected) in [
        (
            csv,
            "csv",
            &["2 Ann 2024-02-29", "5 D\nd ", "9 =1+1 "][..],
            &[
                "3 has 1 values, and the header names 2 columns",
                "4 column `at` holds a text, which is no date",
                "7 has 3 values, and the header names 2 columns",
                "8 column `name` holds 7 characters, and the target takes 5",
            ][..],
        ),
        (
            &json_text[..],
            "json",
            &["1 Ann ", "4  "][..],
            &["2 column `at` holds a text, which is no date", "3 `nam` is no column of people"][..],
        ),
    ] {
        // Two objects on one line would have one key.
        let content = if form == "json" {
            String::from_utf8_lossy(content).replace("},{}", "},\n{}").into()
        } else {
            content.to_vec()
        };
        let mut step = import(&content, form, lenience("rejects"));
        let done = step.forward().await.unwrap_or_else(|error| panic!("{form}: {}", chain(&error)));
        let figures: Vec<f64> = done.figures.iter().map(|figure| figure.value).collect();
        let (loaded, left) = (rows.len() as f64, rejected.len() as f64);
        assert_eq!(figures, [loaded + left, loaded, 0.0, 0.0, left], "{form}");
        assert!(done.notes[0].starts_with(&format!("{left} of {} rows of people.txt were rejected", loaded + left)));
        let told = async |sql: &str| -> Vec<String> {
            let rows = ask(target, sql).await.into_iter();
            rows.map(|row| row.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>().join(" ")).collect()
        };
        assert_eq!(told("SELECT line, name, at FROM people ORDER BY line").await, rows, "{form}");
        assert_eq!(told("SELECT line, reason FROM rejects ORDER BY line").await, rejected, "{form}");
        step.back().await.unwrap_or_else(|error| panic!("{form}: {}", chain(&error)));
        assert_no_trace(&before, &state(target).await, form);
    }
    for (content, form, lenience, told) in [
        (&b"name,at\nA\"nn,\nBo\n"[..], "csv", lenience("rejects"), ":2:2: a quote stands in a value"),
        (b"name,at\nAnn,\n\xc7elik,\n", "csv", lenience("rejects"), ":3:1: holds bytes that are no UTF-8"),
        (b"[{\"name\":\"Ann\"},\n{\"name\":\"B", "json", lenience("rejects"), ":2:1: the file ends in the middle"),
        (b"name,at\nBo\n", "csv", lenience("few"), "few has no column `reason`"),
        (b"name,at\nBo\n", "csv", lenience("gone"), "the target has no table gone"),
        (b"name,at\n", "csv", json!({ "line_column": "name" }), "`name` is no column of integers of people"),
        (b"name,at\nBo\n", "csv", json!({ "line_column": "line" }), ":2:1: has 1 values, and the header names 2"),
        (b"{\"name\":\"Bo\"}\n", "ndjson", json!({ "line_column": "line" }), ":1:1: column `at` is missing"),
    ] {
        let whole = json!({ "rejects": null, "line_column": null, "missing_is_null": false });
        let error = chain(&import(content, form, with(whole, lenience)).forward().await.unwrap_err());
        assert!(error.contains(told), "{told}\n{error}");
        assert_no_trace(&before, &state(target).await, told);
    }
}

/// Wherever a process is killed, both ways lead on from there, and what was put aside is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_import_is_gone_on_with_and_taken_back() {
    let bench = Bench::sqlite().await;
    let target = &bench.addresses.target;
    execute(target, "CREATE TABLE people (id INTEGER PRIMARY KEY, name text); INSERT INTO people VALUES (1, 'Old')")
        .await;
    let before = state(target).await;
    let file = bench.sandbox.write("people.csv", "id,name\n1,New\n2,Bo\n");
    let given = json!([{ "path": file, "table": "people", "columns": [] }]);
    let config = json!({ "act": "import", "conflicts": "overwrite", "files": given });
    for (word, keeps) in [("importing", true), ("imported", false), ("imported", true)] {
        let mut import = files(&bench, "in", config.clone());
        import.go(Direction::Forward, Some(word), keeps).await.unwrap_err();
        execute(target, "CREATE TABLE IF NOT EXISTS rehearse_aside_0 (id int)").await;
        if word == "imported" && keeps {
            execute(target, "DROP TABLE rehearse_aside_0").await;
        }
        import.forward().await.unwrap_or_else(|error| panic!("{word} {keeps}: {}", chain(&error)));
        let rows = ask(target, "SELECT name FROM people ORDER BY id").await;
        assert_eq!(rows, [[Some("New".to_owned())], [Some("Bo".to_owned())]], "{word} {keeps}");
        import.back().await.unwrap();
        assert_no_trace(&before, &state(target).await, word);
    }
}

#[test]
fn a_way_through_files_is_rehearsed() {
    let sandbox = Sandbox::new();
    sandbox.write("through/schema.sql", SOURCE.split("INSERT").next().unwrap());
    sandbox.write("through/dataset.toml", "format_version = 1\n[table.people]\nrows = 40\n[table.posts]\nrows = 90\n");
    let scenario = |form: &str| {
        format!(
            "format_version = 1\ntitle = \"Through\"\n[source]\nengine = \"sqlite\"\nschema = \"schema.sql\"\n\
             dataset = \"dataset.toml\"\n[target]\nengine = \"sqlite\"\nschema = \"schema.sql\"\n\
             [[step]]\nname = \"out\"\nkind = \"files\"\nact = \"export\"\nformat = \"{form}\"\n\
             [[step]]\nname = \"in\"\nkind = \"files\"\nact = \"import\"\nfrom = \"out\"\n"
        )
    };
    let folder = sandbox.path("through");
    for form in ["csv", "ndjson"] {
        sandbox.write("through/scenario.toml", scenario(form));
        let whole = ended(&mut sandbox.rehearsal(&["run", folder.to_str().unwrap(), "--seed", "3"]));
        assert_eq!((whole.code, sandbox.report("through").verdict), (0, Verdict::Pass), "{form}: {whole:?}");
    }
}
