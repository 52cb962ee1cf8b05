//! `uuid_type`: UUIDs are native where they should be, valid where they are text, and spelled in one way.

use async_trait::async_trait;

use super::{Check, CheckContext, CheckMeta, Examined};
use crate::{
    canon::{
        Cell, RowSink,
        comparison::{ColumnPair, Comparison},
        uuid,
    },
    engine::{EngineError, Rowset},
    model::{Finding, FindingKind, LogicalType, Severity, Side, Stage, Subject, TableName, catalogue::Column},
};

/// UUIDs are native, valid, and spelled in one way.
pub struct UuidType;

static META: CheckMeta = CheckMeta {
    id: "uuid_type",
    asserts: "UUID columns are native in the target, every text UUID is valid, and none appears in two spellings",
    why: "a UUID kept as text compares by spelling: upper case or missing dashes make two of one, and references break",
    remedy: "convert the column to the engine's UUID type, after rejecting what is no UUID and folding spellings",
    example: "a UUID in upper case beside the same one in lower case",
    stages: &[Stage::Migrated],
};

#[async_trait]
impl Check for UuidType {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        let derived = cx.derived;
        for comparison in &derived.comparisons {
            for (side, name) in [(Side::Source, &comparison.source), (Side::Target, &comparison.target)] {
                if !cx.is_empty(side, name) && cx.can_ask(side, name, &mut examined) {
                    let answer = table(cx, &mut examined, side, comparison).await;
                    cx.answered(side, name, answer, &mut examined).await?;
                }
            }
        }
        Ok(examined)
    }
}

/// One pass over the columns of one side's table that hold UUIDs, or may.
async fn table(
    cx: &mut CheckContext<'_>,
    examined: &mut Examined,
    side: Side,
    comparison: &Comparison,
) -> Result<(), EngineError> {
    let (name, of_side): (&TableName, fn(&ColumnPair) -> &Column) = match side {
        Side::Source => (&comparison.source, |pair| &pair.source),
        Side::Target => (&comparison.target, |pair| &pair.target),
    };
    let is_bound = cx.readers.engine(side).dialect().enforces_types();
    let pairs: Vec<&ColumnPair> = comparison
        .columns
        .iter()
        .filter(|pair| {
            let kind = &of_side(pair).kind;
            let is_native = *kind == LogicalType::Uuid && is_bound;
            let is_text = matches!(kind, LogicalType::Text { .. } | LogicalType::PaddedText { .. } | LogicalType::Any);
            // What an expression makes of a column is no column.
            let is_stored = !comparison.terms.get(side).makes(&of_side(pair).name);
            is_stored && !is_native && (Comparison::is_uuid(pair) || is_text)
        })
        .collect();
    if pairs.is_empty() {
        return Ok(());
    }
    let columns: Vec<String> = pairs.iter().map(|pair| of_side(pair).name.clone()).collect();
    let mut shapes = Shapes { columns: vec![Shape::default(); columns.len()] };
    cx.readers.side(side)?.scan(&Rowset::of(name.clone(), columns), &mut shapes).await?;
    for (pair, shape) in pairs.into_iter().zip(shapes.columns) {
        let expected = Comparison::is_uuid(pair);
        // Without a word about UUIDs anywhere, text counts as UUIDs only if every value is one.
        if expected || (shape.valid > 0 && shape.invalid == 0) {
            column(cx, examined, side, name, &of_side(pair).name, &shape, expected).await?;
        }
    }
    Ok(())
}

async fn column(
    cx: &mut CheckContext<'_>,
    examined: &mut Examined,
    side: Side,
    table: &TableName,
    column: &str,
    shape: &Shape,
    expected: bool,
) -> Result<(), EngineError> {
    let subject = Subject::columns(side, table, &[column.to_owned()]);
    if shape.invalid > 0 {
        let finding = Finding::error(FindingKind::UuidInvalid, subject.clone(), shape.invalid);
        examined.findings.push(finding.because("a UUID", "something else"));
    }
    if side == Side::Target && shape.valid > 0 && cx.readers.engine(side).dialect().enforces_types() {
        // Where the scenario or a type says UUID, text in the target is a defect; where only the values say so, a hint.
        let severity = if expected { Severity::Error } else { Severity::Note };
        let finding = Finding::error(FindingKind::UuidNotNative, subject.clone(), shape.valid).at(severity);
        examined.findings.push(finding.because("the engine's UUID type", "text or bytes"));
    }
    // Where all are bytes, or all are text in the plain spelling, no UUID has two; only then is the costly question
    // needless.
    if shape.odd > 0 || (shape.bytes > 0 && shape.bytes < shape.valid) {
        let counted = cx.readers.side(side)?.uuid_spellings(table, column, cx.sample).await?;
        if counted.total > 0 {
            // Two spellings of one UUID make a row of the sample.
            let sample = cx.evidence(&[column.to_owned(), column.to_owned()], &counted.sample);
            let finding = Finding::error(FindingKind::UuidSpelling, subject, counted.total);
            examined.findings.push(finding.because("one spelling each", "several").with_sample(sample));
        }
    }
    Ok(())
}

/// What the values of several columns look like.
struct Shapes {
    columns: Vec<Shape>,
}

/// What a column's values look like.
#[derive(Clone, Default)]
struct Shape {
    valid: u64,
    invalid: u64,
    /// Texts that are not in the plain spelling: lower case, dashed.
    odd: u64,
    /// UUIDs in 16 bytes.
    bytes: u64,
}

impl RowSink for Shapes {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        let shape = &mut self.columns[column];
        let is_valid = match cell {
            Cell::Null => return,
            Cell::Uuid(_) => true,
            Cell::Text(text) | Cell::PaddedText(text) => {
                let text = text.trim_ascii_end();
                shape.odd += u64::from(!uuid::is_plain(text));
                uuid::parse(text).is_some()
            }
            Cell::Bytes(bytes) => {
                shape.bytes += u64::from(bytes.len() == 16);
                bytes.len() == 16
            }
            _ => false,
        };
        if is_valid {
            shape.valid += 1;
        } else {
            shape.invalid += 1;
        }
    }

    fn end_row(&mut self) -> std::ops::ControlFlow<()> {
        std::ops::ControlFlow::Continue(())
    }
}
