//! The file that both programs read.

use std::path::Path;

use rusqlite::{Connection, params};

use crate::Error;

/// Rows of the large table for each student.
const GRADES: u64 = 40;

/// Writes students and so many of their grades, with keys, a reference and an index.
pub fn write(path: &Path, rows: u64) -> Result<(), Error> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
         CREATE TABLE students (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL, email TEXT NOT NULL UNIQUE);
         CREATE TABLE grades (
             id INTEGER PRIMARY KEY,
             student_id INTEGER NOT NULL REFERENCES students (id),
             course VARCHAR(20) NOT NULL,
             points DOUBLE PRECISION,
             note TEXT,
             graded_at TEXT NOT NULL
         );",
    )?;
    let transaction = connection.transaction()?;
    {
        let mut student = transaction.prepare("INSERT INTO students VALUES (?1, ?2, ?3)")?;
        for id in 0..=rows / GRADES {
            student.execute(params![id as i64, format!("Student {id}"), format!("student{id}@example.org")])?;
        }
        let mut grade = transaction.prepare("INSERT INTO grades VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        for id in 0..rows {
            let note = (id % 10 == 0).then(|| format!("note to grade {id}: \"well\\done\"\tçé"));
            let (hour, minute, second) = (id / 3600 % 24, id / 60 % 60, id % 60);
            let at = format!("2024-05-17T{hour:02}:{minute:02}:{second:02}Z");
            let course = format!("C-{}", id % 1234);
            grade.execute(params![id as i64, (id / GRADES) as i64, course, (id % 1000) as f64 / 10.0, note, at])?;
        }
    }
    transaction.commit()?;
    connection.execute_batch("CREATE INDEX grades_student_id_idx ON grades (student_id)")?;
    Ok(())
}
