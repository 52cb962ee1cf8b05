//! What can be wrong: one word each, and a sentence.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is wrong. One word each; `sentence` says it in prose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The two sides hold different numbers of rows.
    CountDiffers,
    /// Rows that are only in the source.
    MissingRow,
    /// Rows that are only in the target.
    ExtraneousRow,
    /// Rows with the same key and other values.
    ChangedRow,
    /// Values of one column that differ in rows with the same key.
    ChangedValue,
    /// The rows differ, and there is no key to name which.
    RowsDiffer,
    /// Rows whose parent is not there.
    Orphan,
    /// Rows whose parent is not there, by a reference that nothing declares.
    OrphanInferred,
    /// A foreign key of the source that the target does not have.
    ForeignKeyMissing,
    /// A foreign key that the source does not have.
    ForeignKeyExtra,
    /// A foreign key whose rows were never checked.
    ForeignKeyNotValidated,
    /// A foreign key with other actions, match type or deferrability.
    ForeignKeyChanged,
    /// A column that holds UUIDs in something else than the engine's UUID type.
    UuidNotNative,
    /// Values that should be UUIDs and are none.
    UuidInvalid,
    /// One UUID in several spellings.
    UuidSpelling,
    /// The next value of a sequence is one that the data already has.
    SequenceBehind,
    /// A sequence or counter stands elsewhere than before.
    SequenceMoved,
    /// A column that counts up in the source and has nothing to feed it in the target.
    SequenceMissing,
    /// A sequence that has no value left to give.
    SequenceExhausted,
    /// A sequence that has few values left to give.
    SequenceNearEnd,
    /// A sequence that would give values that the source has given already.
    SequenceGivesAgain,
    /// Rows with the same unique key.
    DuplicateKey,
    /// Rows of the source whose keys are one key under the target's collation.
    KeyCollision,
    /// NULL where it must not be.
    NullValue,
    /// A table of the source that the target does not have.
    TableMissing,
    /// A column of the source that the target does not have.
    ColumnMissing,
    /// A type that cannot hold all values of the source's.
    TypeLossy,
    /// A type that holds more than the source's.
    TypeWider,
    /// A column that the source does not have.
    ColumnExtra,
    /// An object that the source does not have.
    ObjectExtra,
    /// An index that the server does not use, or does not keep.
    IndexInvalid,
    /// A trigger, or the triggers by which a key is kept, that are switched off.
    LeftDisabled,
    /// A table that a crash would empty.
    NotDurable,
    /// A key, unique constraint, index, default, NOT NULL or check that was lost.
    ObjectMissing,
    /// An object that the migration does not carry over.
    NotCarried,
    /// A file that an import left out, and that no later step took.
    FileLeftOut,
    /// An object with another definition.
    ObjectChanged,
    /// Columns of a table stand in another order.
    ColumnOrder,
    /// Something left behind by a rollback.
    TraceLeft,
    /// Something that a rollback did not bring back.
    TraceLost,
    /// Rows that differ from the baseline after a rollback.
    RowsNotRestored,
    /// The second migration gave something else than the first.
    ReapplyDiffers,
    /// Bookkeeping that does not keep the rule that was declared for it.
    BookkeepingBroken,
    /// Rows or objects that differ from a stored baseline.
    BaselineDiffers,
    /// An engine finds its own file damaged.
    Damaged,
    /// A rule that is stated and never applied.
    RuleUnused,
    /// Rows that differed in the same way in both reads.
    RowsDifferent,
    /// Rows that differed, changed between two reads, and still differ.
    RowsMoving,
    /// Rows that differed, and were equal when they were read again.
    RowsSettled,
    /// A program that a step runs and that is not there.
    ProgramMissing,
    /// A backup that a step is to restore and that cannot be.
    BackupUnusable,
    /// A disk without room for what comes; the total is the bytes that lack.
    RoomShort,
    /// A disk of which nobody here knows how much is free; the total is the bytes that should be.
    RoomUnknown,
    /// A right that the migration needs and does not have.
    RightMissing,
    /// A server of another version than the scenario names.
    VersionOther,
    /// An encoding that cannot hold every character of the source's.
    EncodingNarrower,
    /// A collation that compares text in another way.
    CollationOther,
    /// Rows that are in the target before the migration.
    TargetNotEmpty,
    /// Values that the target's column cannot take.
    ValueUnfit,
    /// Values that the migration makes, so that the source cannot tell about them.
    MadeOnTheWay,
    /// A probe that got no answer.
    ProbeUnanswered,
    /// A probe that got another answer.
    ProbeOtherwise,
    /// A probe that took too long.
    ProbeSlow,
}

impl FindingKind {
    /// The kind in prose, for a reader who sees it for the first time.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::CountDiffers => "source and target hold different numbers of rows",
            Self::MissingRow => "rows are in the source only",
            Self::ExtraneousRow => "rows are in the target only",
            Self::ChangedRow => "rows have the same key but other values",
            Self::ChangedValue => "values of this column differ in rows with the same key",
            Self::RowsDiffer => "rows differ, and there is no key to tell which",
            Self::Orphan => "rows refer to a parent that is not there",
            Self::OrphanInferred => {
                "rows refer to a parent that is not there, by a reference inferred from names and values"
            }
            Self::ForeignKeyMissing => "the target lacks a foreign key of the source",
            Self::ForeignKeyExtra => "the target has a foreign key that the source does not have",
            Self::ForeignKeyNotValidated => "a foreign key was never checked against the rows",
            Self::ForeignKeyChanged => "a foreign key has other actions or options",
            Self::UuidNotNative => "UUIDs are stored in something else than the UUID type",
            Self::UuidInvalid => "values that should be UUIDs are none",
            Self::UuidSpelling => "one UUID appears in several spellings",
            Self::SequenceBehind => "a sequence would give a value that the data already has",
            Self::SequenceMoved => "a sequence stands elsewhere than before",
            Self::SequenceMissing => "nothing feeds a column that counts up in the source",
            Self::SequenceExhausted => "a sequence has no value left to give",
            Self::SequenceNearEnd => "a sequence has few values left to give",
            Self::SequenceGivesAgain => "a sequence would give values that the source has given already",
            Self::DuplicateKey => "rows share a key that should be unique",
            Self::KeyCollision => "keys of the source are one key under the target's collation",
            Self::NullValue => "rows hold NULL where it should not be",
            Self::TableMissing => "the target lacks a table of the source",
            Self::ColumnMissing => "the target lacks a column of the source",
            Self::TypeLossy => "the target's type cannot hold every value of the source's",
            Self::TypeWider => "the target's type holds more than the source's",
            Self::ColumnExtra => "the target has a column that the source does not have",
            Self::ObjectExtra => "the target has an object that the source does not have",
            Self::IndexInvalid => "an index is not valid, so that the server does without it",
            Self::LeftDisabled => "something that should act on writes is switched off",
            Self::NotDurable => "a crash of the server would empty this table",
            Self::ObjectMissing => "the target lacks an object of the source",
            Self::NotCarried => "the migration does not carry this over",
            Self::FileLeftOut => "an import left this file out, and no later step took it",
            Self::ObjectChanged => "an object has another definition",
            Self::ColumnOrder => "columns stand in another order",
            Self::TraceLeft => "the rollback left something behind",
            Self::TraceLost => "the rollback did not bring something back",
            Self::RowsNotRestored => "the rollback did not restore the rows",
            Self::BaselineDiffers => "the database differs from the baseline",
            Self::RowsDifferent => "rows differ in the same way whenever they are read",
            Self::RowsMoving => "rows changed while they were being compared, and still differ",
            Self::RowsSettled => "rows differed at first and are equal now",
            Self::Damaged => "the engine finds its own file damaged",
            Self::RuleUnused => "a rule is stated and never applied",
            Self::BookkeepingBroken => "bookkeeping lost rows that it should have kept",
            Self::ProgramMissing => "a program that a step runs is not there, or does not suit the server",
            Self::BackupUnusable => "a backup that a step is to restore cannot be restored",
            Self::RoomShort => "the disk may not have room for what comes (the total is the bytes that lack)",
            Self::RoomUnknown => "nobody here knows how much is free on the disk (the total should be)",
            Self::RightMissing => "the migration lacks a right that it needs",
            Self::VersionOther => "the server is of another version than the scenario is for",
            Self::EncodingNarrower => "the target's encoding may not hold all text of the source's",
            Self::CollationOther => "the target compares text by another collation",
            Self::TargetNotEmpty => "the target holds rows before the migration begins",
            Self::ValueUnfit => "values do not fit into the target's column",
            Self::ProbeUnanswered => "a probe of the scenario got no answer",
            Self::ProbeOtherwise => "a probe of the scenario got another answer",
            Self::ProbeSlow => "a probe of the scenario took longer than it may",
            Self::MadeOnTheWay => "the migration makes these values: they are looked at after it, and not before",
            Self::ReapplyDiffers => "the second migration gave something else than the first",
        }
    }
}

/// The kind's word, as in the report's JSON.
impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
