//! A database of the user's own, which nothing is written to unless it was declared disposable.

use async_trait::async_trait;

use super::{
    External, LeaseLog, ProvisionError, Provisioner, Request, Server, Unable, UrlSource, scratch, version::is_version,
};
use crate::{
    engine::{self, DatabaseSql, Session},
    model::{Address, Lease, LeaseKind},
};

/// A table of this name in the database declares it disposable.
pub(super) const MARKER: &str = "rehearse_disposable";

/// Databases given by URL.
pub(super) struct UsersOwn;

#[async_trait]
impl Provisioner for UsersOwn {
    fn id(&self) -> &'static str {
        "external"
    }

    fn summary(&self) -> &'static str {
        "scratch databases on a server of your own, given by URL and declared disposable"
    }

    fn is_automatic(&self) -> bool {
        false
    }

    async fn offer(&self, request: &Request) -> Result<String, Unable> {
        Ok(format!("{} was given", wanted(request)?.address))
    }

    async fn acquire(&self, request: &Request, _leases: &mut dyn LeaseLog) -> Result<Server, ProvisionError> {
        let external = wanted(request)?;
        let sql = scratch::sql(request.engine)?;
        let mut session = request.engine.connect(&external.address).await?;
        // The server itself holds us to writing nothing before all questions are answered.
        session.begin(true).await?;
        check(&mut *session, sql, external).await?;
        let version = session.version().await?;
        let encryption = engine::encryption(&mut *session, &external.address).await?;
        session.tx_rollback().await?;
        session.close().await?;
        check_version(request, &version)?;
        let why = format!("{} was given by {}", external.address, external.reference);
        Ok(Server { admin: external.address.clone(), version, provider: self.id(), why, encryption })
    }

    fn owns(&self, lease: &LeaseKind) -> bool {
        matches!(lease, LeaseKind::Database { .. })
    }

    async fn release(&self, lease: &Lease, urls: &dyn UrlSource) -> Result<(), ProvisionError> {
        let LeaseKind::Database { reference, name } = &lease.kind else { return Err(not_ours(lease)) };
        let admin = find(urls, reference, name)?;
        let engine = engine::by_id(admin.engine.as_str()).ok_or_else(|| not_ours(lease))?;
        scratch::drop(&admin, engine, name).await
    }

    async fn reattach(&self, lease: &Lease, request: &Request) -> Result<Address, ProvisionError> {
        let LeaseKind::Database { name, .. } = &lease.kind else { return Err(not_ours(lease)) };
        let external = wanted(request)?;
        let address = external.address.with_database(name);
        request.engine.connect(&address).await?.close().await?;
        Ok(address)
    }
}

fn wanted(request: &Request) -> Result<&External, Unable> {
    let external = request.external.as_ref().ok_or_else(|| Unable {
        reason: format!("no URL of a {} database for the {} was given", request.engine.title(), request.side),
        hint: "give the URL of a disposable database".to_owned(),
    })?;
    if external.address.engine.as_str() != request.engine.id() {
        return Err(Unable {
            reason: format!("{} is no {} database", external.address, request.engine.title()),
            hint: format!("give the URL of a {} database", request.engine.title()),
        });
    }
    Ok(external)
}

/// Whether scratch databases may be made there, found out without a single write.
async fn check(session: &mut dyn Session, sql: &DatabaseSql, external: &External) -> Result<(), ProvisionError> {
    let has_marker = (sql.has_table)(MARKER);
    if !external.disposable && session.query(&has_marker).await?.is_empty() {
        return Err(ProvisionError::NotDisposable {
            place: external.address.to_string(),
            reason: "nobody declared it disposable".to_owned(),
        });
    }
    if session.query(sql.may_create).await?.is_empty() {
        return Err(ProvisionError::Unable(Unable {
            reason: format!("the role of {} may not create databases", external.address),
            hint: "give it that right, or the URL with another role".to_owned(),
        }));
    }
    Ok(())
}

fn check_version(request: &Request, version: &str) -> Result<(), ProvisionError> {
    match &request.version {
        Some(wanted) if !is_version(version, wanted) => Err(ProvisionError::Unable(Unable {
            reason: format!("the server is {} {version}, and {wanted} was asked for", request.engine.title()),
            hint: format!("give the URL of a server of version {wanted}, or ask for no version"),
        })),
        _ => Ok(()),
    }
}

fn find(urls: &dyn UrlSource, reference: &str, name: &str) -> Result<Address, ProvisionError> {
    urls.url(reference).ok_or_else(|| {
        ProvisionError::Unable(Unable {
            reason: format!(
                "scratch database `{name}` still stands, and its server's URL ({reference}) is not known any more"
            ),
            hint: format!("give the URL again in the same way, or drop `{name}` yourself"),
        })
    })
}

fn not_ours(lease: &Lease) -> ProvisionError {
    ProvisionError::Unable(Unable {
        reason: format!("{:?} is no scratch database of ours", lease.kind),
        hint: "use the version of rehearse that took it".to_owned(),
    })
}
