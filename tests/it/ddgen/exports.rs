//! What can go wrong with an export on its way, as the README of `ddgen-exports` tells: each is refused with its place,
//! and nothing is left behind.

use rust_xlsxwriter::{Format, Formula, Workbook};

use super::*;
use crate::support::Ended;

const EXPORTS: &str = "ddgen-exports/scenario.toml";

fn exports(test: &str) -> Option<Scenarios> {
    Scenarios::new(test, &["ddgen-exports", "ddgen-pg-to-sqlite"])
}

/// A step that runs a script of the scenario's folder, and has nothing to take back.
fn script(name: &str) -> String {
    format!("[[step]]\nname = \"on-the-way\"\nkind = \"command\"\nup = [\"sh\", \"{name}\"]\ndown = [\"true\"]\n\n")
}

/// Rehearses it: it ends at this step for this reason, and nothing of it is left.
#[track_caller]
fn ends(bench: &Scenarios, step: &str, told: &[&str]) -> Ended {
    let (output, report) = bench.run_with("ddgen-exports", &[VERSION.as_slice(), &["--scale", "0.2"]].concat());
    assert_ne!((output.code, report.verdict), (0, Verdict::Pass), "{output:?}");
    let why = why(&report, &format!("migrate/{step}"));
    for told in told {
        assert!(why.contains(told), "{told}\n{why}");
    }
    assert_nothing_left(&report);
    bench.sandbox.assert_released();
    output
}

#[test]
fn an_export_with_a_changed_byte_is_not_imported() {
    let Some(bench) = exports("an_export_with_a_changed_byte_is_not_imported") else { return };
    // In the middle of a file, whose size stays.
    let damage = "cd \"$WORK_FOLDER/../csv-out/files\"\nset -- *fields.csv\n\
                  printf '\\001' | dd of=\"$1\" bs=1 seek=$(($(stat -c %s \"$1\") / 2)) conv=notrunc\n";
    bench.sandbox.write("ddgen-exports/damage.sh", damage);
    let import = "[[step]]\nname = \"csv-in\"";
    bench.change(EXPORTS, import, &format!("{}{import}", script("damage.sh")));
    ends(&bench, "csv-in", &["fields.csv` is damaged: its SHA-256 is "]);
}

#[test]
fn keys_that_are_there_end_an_import_that_does_not_say_what_becomes_of_them() {
    let Some(bench) = exports("keys_that_are_there_end_an_import_that_does_not_say_what_becomes_of_them") else {
        return;
    };
    bench.change(EXPORTS, "from = \"json-out\"\nconflicts = \"clear\"", "from = \"json-out\"");
    let output = ends(&bench, "json-in", &["dictionaries", "was refused", "23505"]);
    // The server's message quotes the key, and a report does not.
    let keys: Vec<String> = bench.sandbox.artefacts().into_iter().map(|(_, text)| text).collect();
    assert!(!keys.iter().chain([&output.stdout]).any(|text| text.contains("Key (id)=(")), "{output:?}");
}

#[test]
fn a_text_that_no_cell_holds_ends_the_export_with_its_row_and_column() {
    let Some(bench) = exports("a_text_that_no_cell_holds_ends_the_export_with_its_row_and_column") else { return };
    let id = "'00000000-0000-4000-8000-000000000009'";
    let long = format!("INSERT INTO dictionaries (id, name, description) VALUES ({id}, 'x', repeat('x', 32768));\n");
    bench.sandbox.write("ddgen-exports/long.sql", long);
    bench.sandbox.write("ddgen-exports/short.sql", format!("DELETE FROM dictionaries WHERE id = {id};\n"));
    let step =
        "[[step]]\nname = \"long\"\nkind = \"sql\"\nside = \"source\"\nup = \"long.sql\"\ndown = \"short.sql\"\n\n";
    let export = "[[step]]\nname = \"csv-out\"\nkind = \"files\"\nact = \"export\"\nformat = ";
    bench.change(EXPORTS, &format!("{export}\"csv\""), &format!("{step}{export}\"xlsx\""));
    ends(
        &bench,
        "csv-out",
        &["dictionaries.xlsx` cannot be written: row ", "column `description` holds 32768 characters"],
    );
}

/// Merged cells, a formula, more sheets than one, a file that says of itself that it is gigabytes: all of them are told
/// at once.
#[test]
fn sheets_that_nobody_can_be_sure_of_are_refused_with_their_cells() {
    let Some(bench) = exports("sheets_that_nobody_can_be_sure_of_are_refused_with_their_cells") else { return };
    let sheet = |change: &dyn Fn(&mut Workbook)| {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        sheet.write_string(0, 0, "id").unwrap();
        sheet.write_string(0, 1, "name").unwrap();
        change(&mut book);
        book.save_to_buffer().unwrap()
    };
    let of_first = |book: &mut Workbook, row: u32| {
        let sheet = book.worksheet_from_index(0).unwrap();
        sheet.write_string(row, 0, "00000000-0000-4000-8000-000000000009").unwrap();
    };
    let merged = sheet(&|book| {
        of_first(book, 3);
        let sheet = book.worksheet_from_index(0).unwrap();
        sheet.merge_range(1, 0, 2, 1, "both", &Format::new()).unwrap();
    });
    let formula = sheet(&|book| {
        of_first(book, 1);
        let sheet = book.worksheet_from_index(0).unwrap();
        sheet.write_formula(1, 1, Formula::new("=A1").set_result("id")).unwrap();
    });
    let sheets = sheet(&|book| _ = book.add_worksheet());
    let mut bomb = sheet(&|_| ());
    let directory = bomb.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    bomb[directory + 24..directory + 28].copy_from_slice(&0xffff_fff0_u32.to_le_bytes());
    let mut step =
        "[[step]]\nname = \"somebodys\"\nkind = \"files\"\nact = \"import\"\nformat = \"xlsx\"\n\n".to_owned();
    for (name, bytes) in [("merged", merged), ("formula", formula), ("sheets", sheets), ("bomb", bomb)] {
        bench.sandbox.write(&format!("ddgen-exports/{name}.xlsx"), bytes);
        step += &format!("[[step.file]]\npath = \"{name}.xlsx\"\ntable = \"dictionaries\"\n\n");
    }
    let export = "[[step]]\nname = \"csv-out\"";
    bench.change(EXPORTS, export, &format!("{step}{export}"));
    let told = [
        "4 files or sheets are wrong",
        "merged.xlsx:2:1: the cells A2 to B3 are merged into one",
        "formula.xlsx:2:2: the cell B2 holds a formula, and no value",
        "sheets.xlsx:1:1: has 2 sheets, and one is read",
        "bomb.xlsx:1:1: unpacks to more than",
    ];
    ends(&bench, "somebodys", &told);
}

#[test]
fn a_cut_or_damaged_dump_is_not_restored() {
    let Some(bench) = exports("a_cut_or_damaged_dump_is_not_restored") else { return };
    let restore = "[[step]]\nname = \"dump-in\"";
    bench.change(EXPORTS, restore, &format!("{}{restore}", script("damage.sh")));
    let dump = "cd \"$WORK_FOLDER\"/../dump-out/generations/*\nset -- $(ls | grep -v manifest.json)\n\
                middle=$(($(stat -c %s \"$1\") / 2))\n";
    for (damage, told) in [
        ("truncate -s \"$middle\" \"$1\"\n", "when it was written"),
        ("printf '\\001' | dd of=\"$1\" bs=1 seek=\"$middle\" conv=notrunc\n", "is damaged: its SHA-256 is "),
    ] {
        bench.sandbox.write("ddgen-exports/damage.sh", format!("{dump}{damage}"));
        ends(&bench, "dump-in", &[told]);
    }
}
