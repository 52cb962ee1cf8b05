//! What a way down leaves changed is shown as it was before and as it is after.

use std::fs;

use super::{Past, came_to, differs, one};

/// Longer than a report in a comment has room for.
fn function(ending: &str) -> String {
    let same = "-- a line that says nothing\n".repeat(20);
    format!("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS $$\n{same}SELECT {ending} $$;")
}

#[test]
fn an_object_that_is_left_changed_is_shown_before_and_after() {
    let Some(past) = Past::postgres("an_object_that_is_left_changed") else { return };
    let create = format!(
        "CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 1, m int);\nCREATE INDEX i ON t (n);\n\
         CREATE VIEW v AS SELECT id FROM t WHERE n > 1;\n{}",
        function("10001")
    );
    past.pairs(&[
        ("1_all", &create, "DROP FUNCTION f(); DROP TABLE t CASCADE;"),
        ("2_function", &function("10002"), &function("10003")),
        (
            "3_view",
            "CREATE OR REPLACE VIEW v AS SELECT id FROM t WHERE n > 2;",
            "CREATE OR REPLACE VIEW v AS SELECT id FROM t WHERE n > 3;",
        ),
        ("4_default", "ALTER TABLE t ALTER n SET DEFAULT 2;", "ALTER TABLE t ALTER n SET DEFAULT 3;"),
        ("5_index", "DROP INDEX i;", "CREATE INDEX i ON t (m);"),
        ("6_lost", "DROP VIEW v;", "SELECT 1;"),
    ]);
    let ended = past.run(&["--layout", "golang-migrate"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let history = past.history();
    let expected = [
        "1_all restores",
        "2_function differs",
        "3_view differs",
        "4_default differs",
        "5_index differs",
        "6_lost differs",
    ];
    assert_eq!(came_to(&history), expected, "{}", ended.stdout);
    for (name, object) in [
        ("2_function", "object_changed function:f()"),
        ("3_view", "object_changed view:v"),
        ("4_default", "object_changed column:t.n"),
        ("5_index", "object_changed index:t.i"),
    ] {
        assert_eq!(differs(one(&history, name)), [object], "{name}");
    }
    for file in ["report.txt", "report.md", "report.html", "junit.xml"] {
        let text = fs::read_to_string(past.sandbox.run_directory().join(file)).unwrap();
        // The marks of each form of text apart.
        let text = text
            .replace("<br>", " ")
            .replace(['\\', '`'], "")
            .replace("&#8203;", "")
            .replace("&gt;", ">")
            .replace("&#62;", ">");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for (object, before, after) in [
            ("changed function:f()", "SELECT 10001", "SELECT 10003"),
            ("changed view:v", "n > 1", "n > 3"),
            ("changed column:t.n", "default: 1 before", "default: 3 after"),
            ("changed index:t.i", "(n)", "(m)"),
        ] {
            let told = text.split(object).nth(1).unwrap_or_else(|| panic!("{object} is not in {file}: {text}"));
            let told = told.split(" after").next().unwrap_or_default().to_owned() + " after";
            let (then, now) = told.split_once(" before, ").unwrap_or_else(|| panic!("{object} in {file}: {told}"));
            assert!(format!("{then} before").contains(before), "{object} in {file}: {told}");
            assert!(now.contains(after), "{object} in {file}: {told}");
        }
        // What is lost says what it was.
        let lost = text.split("lost view:v").nth(1).unwrap_or_else(|| panic!("{file}: {text}"));
        assert!(lost.chars().take(120).collect::<String>().contains("SELECT t.id FROM public.t"), "{file}: {lost}");
    }
}
