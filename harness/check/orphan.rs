//! `orphan`: no row refers to a parent that is not there, whatever the catalogue claims.

pub(super) mod inferred;

use async_trait::async_trait;

use super::{Check, CheckContext, CheckMeta, Examined};
use crate::{
    canon::comparison::Derived,
    engine::{Counted, EngineError},
    model::{Finding, FindingKind, Share, Side, Stage, Subject, TableName, Unchecked, catalogue::Reference},
};

/// No row refers to a parent that is not there.
pub struct Orphan;

static META: CheckMeta = CheckMeta {
    id: "orphan",
    asserts: "every reference, declared in the source or in the target or stated, finds its parent in the target's rows; so does, as \
              a warning, one inferred where a column is called after a table (user_id, userId), is of the type of that \
              table's key, and finds at least nine of ten values there, or where it holds the numbers of large objects",
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
        let mut references: Vec<(Reference, Option<&str>)> =
            catalogues.target.references().map(|reference| (reference, None)).collect();
        let of_source = catalogues.source.references().map(|reference| (reference, None));
        let stated = |side| cx.derived.references.get(side).iter().map(|(one, why)| (one.clone(), Some(why.as_str())));
        let in_own_names = stated(Side::Target).map(|one| (Side::Target, one));
        let in_theirs = of_source.chain(stated(Side::Source)).map(|one| (Side::Source, one));
        for (side, (reference, why)) in in_own_names.chain(in_theirs) {
            let carried =
                if side == Side::Target { Some(reference.clone()) } else { in_target(&reference, cx.derived) };
            match carried {
                Some(carried) if references.iter().any(|(known, _)| same(known, &carried)) => {}
                Some(carried) => references.push((carried, why)),
                None => {
                    examined.coverage.references.total += 1;
                    let reason = "its table or columns have no counterpart in the target";
                    examined.unchecked.push(Unchecked::new("reference", reference.to_string(), reason));
                }
            }
        }
        for (reference, why) in &references {
            ask(cx, reference, *why, &mut examined).await?;
        }
        let known: Vec<Reference> = references.into_iter().map(|(reference, _)| reference).collect();
        for candidate in crate::model::inferred::references(cx.catalogue(Side::Target), &known) {
            inferred::examine(cx, Side::Target, &candidate, &mut examined).await?;
        }
        inferred::examine_kept_apart(cx, &mut examined).await?;
        Ok(examined)
    }
}

/// Asks a reference of the target, and tells the rows that dangle. `why` is why it is stated, where it is.
pub(super) async fn ask(
    cx: &mut CheckContext<'_>,
    reference: &Reference,
    why: Option<&str>,
    examined: &mut Examined,
) -> Result<(), EngineError> {
    let counted = count(cx, Side::Target, reference, examined).await?;
    examined.coverage.references += Share::new(u64::from(counted.is_some()), 1);
    if let Some(counted) = counted.filter(|counted| counted.total > 0) {
        let stated = why.map(|why| format!(", as is stated: {why}")).unwrap_or_default();
        let parent = format!("a row of {}({}){stated}", reference.parent, reference.parent_columns.join(", "));
        examined
            .findings
            .push(finding(cx, Side::Target, FindingKind::Orphan, reference, &counted).because(parent, "none"));
    }
    Ok(())
}

/// Counts the rows whose reference dangles; `None`, and named, if one of its tables cannot be asked.
async fn count(
    cx: &mut CheckContext<'_>,
    side: Side,
    reference: &Reference,
    examined: &mut Examined,
) -> Result<Option<Counted>, EngineError> {
    if cx.is_empty(side, &reference.child) {
        return Ok(Some(Counted::default()));
    }
    let can = cx.can_ask(side, &reference.child, examined) && cx.can_ask(side, &reference.parent, examined);
    let counted = if can {
        let answer = cx.readers.side(side)?.dangling(reference, cx.sample).await;
        cx.answered(side, &reference.child, answer, examined).await?
    } else {
        None
    };
    if counted.is_none() {
        let reason = "one of its tables cannot be read";
        examined.unchecked.push(Unchecked::new("reference", reference.to_string(), reason));
    }
    Ok(counted)
}

fn finding(cx: &CheckContext<'_>, side: Side, kind: FindingKind, reference: &Reference, counted: &Counted) -> Finding {
    let subject = Subject::columns(side, &reference.child, &reference.columns);
    Finding::error(kind, subject, counted.total).with_sample(cx.evidence(&reference.columns, &counted.sample))
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
