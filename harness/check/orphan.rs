//! `orphan`: no row refers to a parent that is not there, whatever the catalogue claims.

use async_trait::async_trait;

use super::{Check, CheckContext, CheckMeta, Examined};
use crate::{
    canon::comparison::Derived,
    engine::EngineError,
    model::{Finding, FindingKind, Share, Side, Stage, Subject, TableName, Unchecked, catalogue::Reference},
};

/// No row refers to a parent that is not there.
pub struct Orphan;

static META: CheckMeta = CheckMeta {
    id: "orphan",
    asserts: "every reference, declared in the source or in the target, finds its parent in the target's rows",
    why: "a key can be declared and validated and still dangle: rows loaded with checks off are never looked at again",
    remedy: "load parents before children, or decide per reference what happens to its orphans",
    example: "a parent deleted from the target while its foreign key was not enforced",
    stages: &[Stage::Migrated],
};

#[async_trait]
impl Check for Orphan {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        let catalogues = cx.catalogues();
        let mut references: Vec<Reference> = catalogues.target.references().collect();
        for reference in catalogues.source.references() {
            examined.coverage.references.total += 1;
            match in_target(&reference, cx.derived) {
                Some(carried) => {
                    examined.coverage.references.checked += 1;
                    if !references.iter().any(|known| same(known, &carried)) {
                        references.push(carried);
                    }
                }
                None => examined.unchecked.push(Unchecked::new(
                    "reference",
                    reference.to_string(),
                    "its table or columns have no counterpart in the target",
                )),
            }
        }
        // References that only the target declares count as well; a reference of both sides counts once.
        let known = references.iter().filter(|one| {
            !catalogues.source.references().filter_map(|source| in_target(&source, cx.derived)).any(|s| same(&s, one))
        });
        let extra = known.count() as u64;
        examined.coverage.references += Share::new(extra, extra);
        for reference in references {
            let counted = cx.readers.side(Side::Target)?.dangling(&reference, cx.sample).await?;
            if counted.total > 0 {
                let subject = Subject::columns(Side::Target, &reference.child, &reference.columns);
                let sample = cx.evidence(&reference.columns, &counted.sample);
                let finding = Finding::error(FindingKind::Orphan, subject, counted.total);
                let parent = format!("a row of {}({})", reference.parent, reference.parent_columns.join(", "));
                examined.findings.push(finding.because(parent, "none").with_sample(sample));
            }
        }
        Ok(examined)
    }
}

/// A source's reference in the names of the target.
pub(super) fn in_target(reference: &Reference, derived: &Derived) -> Option<Reference> {
    let find = |name: &TableName| derived.comparisons.iter().find(|one| one.source == *name);
    let (child, parent) = (find(&reference.child)?, find(&reference.parent)?);
    let rename = |comparison: &crate::canon::comparison::Comparison, columns: &[String]| -> Option<Vec<String>> {
        columns
            .iter()
            .map(|column| {
                comparison.columns.iter().find(|pair| pair.source.name == *column).map(|pair| pair.target.name.clone())
            })
            .collect()
    };
    Some(Reference {
        child: child.target.clone(),
        columns: rename(child, &reference.columns)?,
        parent: parent.target.clone(),
        parent_columns: rename(parent, &reference.parent_columns)?,
        match_full: reference.match_full,
    })
}

/// Whether two references say the same but for the match type.
pub(super) fn same(one: &Reference, other: &Reference) -> bool {
    let pairs = |reference: &Reference| {
        let mut pairs: Vec<_> = reference.columns.iter().cloned().zip(reference.parent_columns.clone()).collect();
        pairs.sort();
        pairs
    };
    one.child == other.child && one.parent == other.parent && pairs(one) == pairs(other)
}
