//! The step `files` with XLSX: typed cells out and in, and what is wrong with sheets.

use rehearse::model::{Address, Sides, TableName, chain};
use rust_xlsxwriter::{Format, Formula, Workbook, Worksheet};
use serde_json::{Value as Json, json};

use crate::support::{
    Sandbox,
    server::{ask, execute},
    steps::{Step, assert_no_trace, files, state},
};

mod exported;

const TABLE: &str = "CREATE TABLE things (
    id INTEGER PRIMARY KEY, name VARCHAR(40), note TEXT, at DATE, seen TIMESTAMP, since TIMESTAMP WITH TIME ZONE,
    is_on BOOLEAN, price DECIMAL(8,2), ratio DOUBLE PRECISION, raw BLOB, data JSON TEXT)";

struct Bench {
    addresses: Sides<Address>,
    sandbox: Sandbox,
}

impl Bench {
    async fn new() -> Self {
        let sandbox = Sandbox::new();
        let addresses = files(&sandbox, TABLE, TABLE).await;
        Self { addresses, sandbox }
    }

    fn step(&self, name: &str, more: Json) -> Step {
        let written = json!({
            "form": "xlsx", "delimiter": ",", "quote": "\"", "header": true, "null": null, "encoding": "UTF-8"
        });
        let mut settings = json!({
            "side": "target", "tables": [], "written": written, "conflicts": "refuse", "from": null, "files": []
        });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Step::new(&self.sandbox, "files", name, &self.addresses, settings)
    }

    fn export(&self) -> Step {
        self.step("out", json!({ "act": "export", "side": "source" }))
    }

    /// Imports a workbook of somebody's.
    fn import(&self, write: impl FnOnce(&mut Workbook)) -> Step {
        let mut book = Workbook::new();
        write(&mut book);
        let bytes = book.save_to_buffer().unwrap();
        self.import_bytes(&bytes)
    }

    fn import_bytes(&self, bytes: &[u8]) -> Step {
        let file = self.sandbox.write("things.xlsx", bytes);
        let given = json!([{ "path": file, "table": "things", "columns": [] }]);
        self.step("in", json!({ "act": "import", "files": given }))
    }
}

/// A sheet with these names of columns.
fn sheet<'b>(book: &'b mut Workbook, columns: &[&str]) -> &'b mut Worksheet {
    let sheet = book.add_worksheet();
    for (at, column) in (0..).zip(columns) {
        sheet.write_string(0, at, *column).unwrap();
    }
    sheet
}

#[tokio::test(flavor = "multi_thread")]
async fn every_value_goes_out_and_comes_back_as_it_was() {
    let bench = Bench::new().await;
    let Sides { source, target } = &bench.addresses;
    for row in [
        "1, 'Ann', NULL, '2023-03-15', '2023-03-15 12:34:56.123456', '2023-03-15 12:34:56+00:00', 1, 12.5, 0.1, x'00ff', '{\"a\":1}'",
        "2, '', '\"', '1899-12-31', '0001-01-01 00:00:00', NULL, 0, 0.01, 1e300, x'', 'null'",
        "3, '\"\"', '=1+1', '9999-12-31', '2100-01-01 00:00:00.000001', NULL, NULL, -3, -0.0, NULL, '[]'",
        "4, ' blanks ', '\t\r\n', '1900-02-28', '1970-01-01 00:00:00', NULL, NULL, NULL, 5e-324, NULL, NULL",
        "5, '_x0041_', char(1) || '_x0008_' || char(8), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL",
        "9223372036854775807, 'NULL', '12', NULL, NULL, NULL, NULL, NULL, 1e999, NULL, NULL",
        "-9007199254740993, '\u{1f600}<&>', 'true', NULL, NULL, NULL, NULL, NULL, -1e999, NULL, NULL",
    ] {
        execute(source, &format!("INSERT INTO things VALUES ({row})")).await;
    }
    let (wanted, before) = (state(source).await, state(target).await);
    let mut export = bench.export();
    let done = export.forward().await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!(done.rows, 7);
    let mut import = bench.step("in", json!({ "act": "import", "from": "out" }));
    import.forward().await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    let table = TableName::new("things");
    let there = state(target).await;
    assert_eq!(there.tables[&table].columns, wanted.tables[&table].columns);
    assert_eq!(there.tables[&table].rows, wanted.tables[&table].rows);
    import.back().await.unwrap();
    assert_no_trace(&before, &state(target).await, "import");
    export.back().await.unwrap();
    assert!(!bench.sandbox.path("steps/out/files").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_cell_holds_is_refused_with_its_row_and_column() {
    let bench = Bench::new().await;
    for (value, told) in [
        ("1, 'a', printf('%.32768c', 'x')", "row 1, column `note` holds 32768 characters, and a cell takes 32767"),
        ("1, x'ff', 'a'", "row 1, column `name` holds bytes, and is no column of bytes"),
        ("1, 'a', char(65535)", "row 1, column `note` holds U+FFFF, which no cell takes"),
    ] {
        execute(&bench.addresses.source, &format!("INSERT INTO things (id, name, note) VALUES ({value})")).await;
        let error = chain(&bench.export().forward().await.unwrap_err());
        assert!(error.contains(told), "{told}\n{error}");
        execute(&bench.addresses.source, "DELETE FROM things").await;
    }
    // A row without any value would be no row.
    execute(&bench.addresses.source, "CREATE TABLE loose (a TEXT); INSERT INTO loose VALUES (NULL)").await;
    let error = chain(&bench.export().forward().await.unwrap_err());
    assert!(error.contains("row 1 holds nothing but NULL"), "{error}");
}

/// Sheets as people make them: days are numbers, numbers stand in columns of text, and rows between are empty.
#[tokio::test(flavor = "multi_thread")]
async fn sheets_of_other_programs_are_read_by_the_kinds_of_the_columns() {
    let bench = Bench::new().await;
    let mut import = bench.import(|book| {
        let sheet = sheet(book, &["id", "name", "at", "seen", "is_on", "price"]);
        let day = Format::new().set_num_format("yyyy-mm-dd");
        sheet.write_number(1, 0, 1).unwrap();
        sheet.write_number(1, 1, 5).unwrap();
        sheet.write_number(1, 2, 45_000).unwrap();
        sheet.write_number_with_format(1, 3, 45_000.5, &day).unwrap();
        sheet.write_boolean(1, 4, true).unwrap();
        sheet.write_number(1, 5, 12.25).unwrap();
        sheet.write_string(4, 0, "2").unwrap();
        sheet.write_number_with_format(4, 1, 45_000, &day).unwrap();
        sheet.write_number(4, 2, 1).unwrap();
    });
    let done = import.forward().await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!(done.rows, 2);
    let rows = ask(&bench.addresses.target, "SELECT id, name, at, seen, is_on, price FROM things ORDER BY id").await;
    let told: Vec<String> = rows
        .into_iter()
        .map(|row| row.into_iter().map(|one| one.unwrap_or("-".to_owned())).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(told, ["1 5 2023-03-15 2023-03-15 12:00:00 1 12.25", "2 2023-03-15 1900-01-01 - - -"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_sheet_is_told_with_its_cell_and_nothing_is_written() {
    let bench = Bench::new().await;
    let before = state(&bench.addresses.target).await;
    type Write = fn(&mut Workbook);
    let cases: &[(Write, &str)] = &[
        (
            |book| {
                sheet(book, &["id", "name"]).merge_range(1, 0, 2, 1, "both", &Format::new()).unwrap();
            },
            "things.xlsx:2:1: the cells A2 to B3 are merged into one",
        ),
        (
            |book| {
                sheet(book, &["id", "name"]).write_formula(3, 1, Formula::new("=A1+1").set_result("2")).unwrap();
            },
            "things.xlsx:4:2: the cell B4 holds a formula, and no value",
        ),
        (
            |book| {
                sheet(book, &["id", "at"]).write_number(1, 1, 60).unwrap();
            },
            "things.xlsx:2:2: column `at` holds a real, which is no date",
        ),
        (
            |book| {
                sheet(book, &["id", "seen"]).write_number(1, 1, 1_700_000_000).unwrap();
            },
            "things.xlsx:2:2: column `seen` holds a real, which is no timestamp",
        ),
        (
            |book| {
                sheet(book, &["id", "name"]).write_string(1, 2, "beside").unwrap();
            },
            "things.xlsx:2:3: the cell C2 stands beside the 2 columns",
        ),
        (
            |book| {
                sheet(book, &["id"]).write_number(1, 0, 1.5).unwrap();
            },
            "things.xlsx:2:1: column `id` holds a real, which is no integer",
        ),
        (|book| _ = sheet(book, &["id", "nam"]), "things has no column `nam`; did you mean `name`?"),
        (|book| _ = sheet(book, &["id", "id"]), "things.xlsx:1:2: two columns are called `id`"),
        (
            |book| {
                sheet(book, &["id"]).write_string(0, 2, "name").unwrap();
            },
            "things.xlsx:1:2: a column has no name",
        ),
        (|book| _ = sheet(book, &[]), "is empty, and its first row has to name the columns"),
        (
            |book| {
                sheet(book, &["id"]);
                sheet(book, &["id"]);
            },
            "things.xlsx:1:1: has 2 sheets, and one is read",
        ),
    ];
    for (write, told) in cases {
        let mut import = bench.import(write);
        let error = chain(&import.forward().await.unwrap_err());
        assert!(error.contains(told), "{told}\n{error}");
        assert!(import.task.marks.is_empty(), "{told}");
    }
    let mut book = Workbook::new();
    sheet(&mut book, &["id"]).write_number(1, 0, 1).unwrap();
    let whole = book.save_to_buffer().unwrap();
    let at = |bytes: &[u8], mark: &[u8]| bytes.windows(mark.len()).position(|window| window == mark).unwrap();
    // Says of its first part that four gigabytes are in it.
    let mut bomb = whole.clone();
    let directory = at(&bomb, b"PK\x01\x02");
    bomb[directory + 24..directory + 28].copy_from_slice(&0xffff_fff0_u32.to_le_bytes());
    let mut changed = whole.clone();
    let part = at(&changed, b"sheet1.xml") + 20;
    changed[part] ^= 0xff;
    for (bytes, told) in [
        (bomb.as_slice(), "things.xlsx:1:1: unpacks to more than"),
        (&whole[..whole.len() / 2], "things.xlsx:1:1: is no workbook"),
        (b"id,name\n1,Ann\n", "things.xlsx:1:1: is no workbook"),
        (&changed, "things.xlsx:1:1: is a damaged workbook"),
    ] {
        let error = chain(&bench.import_bytes(bytes).forward().await.unwrap_err());
        assert!(error.contains(told), "{told}\n{error}");
    }
    assert_no_trace(&before, &state(&bench.addresses.target).await, "nothing was written");
}

/// The tables of an import are emptied first where that is said, and come back.
#[tokio::test(flavor = "multi_thread")]
async fn tables_are_cleared_first_where_that_is_said() {
    let bench = Bench::new().await;
    let Sides { source, target } = &bench.addresses;
    execute(source, "INSERT INTO things (id, name) VALUES (1, 'Ann'), (2, 'Bo')").await;
    execute(target, "INSERT INTO things (id, name) VALUES (1, 'Old'), (9, 'Own')").await;
    let before = state(target).await;
    bench.export().forward().await.unwrap();
    let mut import = bench.step("in", json!({ "act": "import", "from": "out", "conflicts": "clear" }));
    let done = import.forward().await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    let figures: Vec<_> = done.figures.iter().map(|figure| (figure.name.as_str(), figure.value)).collect();
    let (inserted, cleared) = (("rows_inserted", 2.0), ("rows_cleared", 2.0));
    assert!(figures.contains(&inserted) && figures.contains(&cleared), "{figures:?}");
    assert_eq!(state(target).await.tables, state(source).await.tables);
    import.back().await.unwrap();
    assert_no_trace(&before, &state(target).await, "cleared");
}
