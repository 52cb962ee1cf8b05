//! Which provisioner serves a request.

use super::{ALL, ProvisionError, Provisioner, Request, Unable, by_id};

/// What `--provider` is called when nobody chose.
const AUTO: &str = "auto";

/// Takes the named provisioner, or with `None` or `auto` the first that can serve the request here, and says why.
///
/// # Errors
/// [`ProvisionError::Unable`] if the named one is unknown or cannot serve the request, or if none can: with every
/// reason and what to do about it.
pub async fn choose(
    wanted: Option<&str>,
    request: &Request,
) -> Result<(&'static dyn Provisioner, String), ProvisionError> {
    match wanted {
        None | Some(AUTO) => first_able(ALL, request).await,
        Some(id) => {
            let provisioner = by_id(id).ok_or_else(|| unknown(id))?;
            let why = provisioner.offer(request).await?;
            Ok((provisioner, why))
        }
    }
}

async fn first_able(
    provisioners: &[&'static dyn Provisioner],
    request: &Request,
) -> Result<(&'static dyn Provisioner, String), ProvisionError> {
    let mut refusals: Vec<Unable> = Vec::new();
    for provisioner in provisioners.iter().copied().filter(|provisioner| provisioner.is_automatic()) {
        match provisioner.offer(request).await {
            Ok(offer) => {
                let reasons = refusals.into_iter().map(|refusal| refusal.reason).chain([offer]);
                return Ok((provisioner, reasons.collect::<Vec<_>>().join("; ")));
            }
            Err(unable) => refusals.push(unable),
        }
    }
    let (reasons, hints): (Vec<_>, Vec<_>) = refusals.into_iter().map(|refusal| (refusal.reason, refusal.hint)).unzip();
    Err(ProvisionError::Unable(Unable {
        reason: format!("no {} can be had here: {}", wish(request), reasons.join("; ")),
        hint: hints.join("; or "),
    }))
}

/// What was asked for, in words: "PostgreSQL 17".
pub(super) fn wish(request: &Request) -> String {
    match &request.version {
        Some(version) => format!("{} {version}", request.engine.title()),
        None => request.engine.title().to_owned(),
    }
}

fn unknown(id: &str) -> Unable {
    let known: Vec<_> = [AUTO].into_iter().chain(ALL.iter().map(|provisioner| provisioner.id())).collect();
    let nearest = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(id, candidate), candidate))
        .min()
        .filter(|(distance, _)| *distance <= 3)
        .map_or_else(String::new, |(_, name)| format!(", perhaps `{name}`"));
    Unable { reason: format!("there is no provider `{id}`"), hint: format!("use one of {}{nearest}", known.join(", ")) }
}
