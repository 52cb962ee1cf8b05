use std::io::Write as _;

use zip::{ZipWriter, write::SimpleFileOptions};

use super::{
    bounds::{self, Bounds},
    name, quoted,
    serial::{Epoch, Serial},
    unquoted,
};

fn read(value: f64) -> Serial {
    Serial { value, epoch: Epoch::Of1900 }
}

#[test]
fn numbers_count_days_as_sheets_do() {
    assert_eq!(Serial::of_day("2023-03-15").unwrap().value, 45_000.0);
    assert_eq!(Serial::of_day("1900-03-01").unwrap().value, 61.0);
    // Around the day that never was a number says two things to two programs.
    assert_eq!(Serial::of_day("1900-02-28"), None);
    assert_eq!((read(1.0).day(), read(59.0).day()), (Some("1900-01-01".into()), Some("1900-02-28".into())));
    assert_eq!((read(60.0).day(), read(60.5).moment(""), read(-1.0).day()), (None, None, None));
    assert_eq!(read(2_958_465.0).day(), Some("9999-12-31".into()));
    assert_eq!((read(2_958_466.0).day(), read(f64::NAN).day()), (None, None));
    assert_eq!(Serial { value: 0.0, epoch: Epoch::Of1904 }.day(), Some("1904-01-01".into()));
    assert_eq!((read(45_000.25).day(), read(0.25).time()), (None, Some("06:00:00".into())));
    assert_eq!(read(45_000.75).moment("Z"), Some("2023-03-15T18:00:00Z".into()));
}

#[test]
fn a_moment_is_a_number_only_where_that_says_exactly_it() {
    let moment = "2023-03-15T12:34:56.123456";
    assert_eq!(Serial::of_moment(moment).unwrap().moment(""), Some(moment.into()));
    for text in ["2023-03-15T12:34:56Z", "2023-03-15T12:34:56.1234567", "1899-12-31T00:00:00", "infinity"] {
        assert_eq!(Serial::of_moment(text), None, "{text}");
    }
    for year in 1901..2400 {
        let text = format!("{year}-07-15T23:59:59.999999");
        if let Some(serial) = Serial::of_moment(&text) {
            assert_eq!(serial.moment("").as_deref(), Some(text.as_str()));
        }
    }
}

#[test]
fn no_text_is_told_from_an_empty_one() {
    for text in ["", "\"", "\"\"", "\"\"\"", "a", "\"a\"", " "] {
        assert!(!quoted(text).is_empty());
        assert_eq!(unquoted(quoted(text)), text);
    }
    assert_eq!(unquoted("\"".to_owned()), "\"");
}

#[test]
fn cells_are_called_as_people_call_them() {
    let names = [(0, 0), (2, 1), (9, 25), (0, 26), (0, 701), (0, 702)].map(|(row, column)| name(row, column));
    assert_eq!(names, ["A1", "B3", "Z10", "AA1", "ZZ1", "AAA1"]);
}

#[test]
fn what_unpacks_to_too_much_is_refused_whatever_it_says_of_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("book.xlsx");
    let mut out = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for part in ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"] {
        out.start_file(part, SimpleFileOptions::default()).unwrap();
        out.write_all(&vec![b' '; 100 << 10]).unwrap();
    }
    let honest = out.finish().unwrap().into_inner();
    let told = |bytes: &[u8], sheets: u64, rest: u64| {
        std::fs::write(&path, bytes).unwrap();
        bounds::examine(&path, &Bounds { sheets, rest, parts: 2 }).map_err(|bad| bad.what)
    };
    assert_eq!(told(&honest, 100 << 10, 100 << 10), Ok(()));
    let sheets = "unpacks to more than 102399 bytes: `xl/worksheets/sheet1.xml`".to_owned();
    let texts = "unpacks to more than 102399 bytes: `xl/sharedStrings.xml`".to_owned();
    assert_eq!(told(&honest, (100 << 10) - 1, 100 << 10), Err(sheets.clone()));
    assert_eq!(told(&honest, 100 << 10, (100 << 10) - 1), Err(texts));
    // One that says that ten bytes are in its first part.
    let mut lying = honest.clone();
    let directory = lying.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    lying[directory + 24..directory + 28].copy_from_slice(&10_u32.to_le_bytes());
    let error = told(&lying, (100 << 10) - 1, 100 << 10).unwrap_err();
    assert!(error == sheets || error.starts_with("is a damaged workbook"), "{error}");
    std::fs::write(&path, &honest).unwrap();
    let bounds = Bounds { sheets: 1 << 20, rest: 1 << 20, parts: 1 };
    assert_eq!(bounds::examine(&path, &bounds).unwrap_err().what, "has 2 parts, and 1 are the most that are read");
}
