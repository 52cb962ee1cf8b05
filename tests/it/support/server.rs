//! Servers that live as long as a test.

use std::{
    collections::HashMap,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use rehearse::{
    engine,
    model::{Address, Lease, RunId, Side},
    provision::{self, LeaseLog, ProvisionError, Request, Server, UrlSource},
};

use super::{Sandbox, skipped};

/// Remembers what was announced, in order, and gives it back at the latest when it is dropped.
#[derive(Default)]
pub struct Announced(pub Vec<Lease>);

#[async_trait]
impl LeaseLog for Announced {
    async fn announce(&mut self, lease: &Lease) -> Result<(), ProvisionError> {
        self.0.push(lease.clone());
        Ok(())
    }
}

impl Announced {
    /// Releases everything in reverse, twice: the second time there is nothing left, and that is no error.
    pub async fn release(mut self, urls: &Urls) {
        let leases = std::mem::take(&mut self.0);
        for lease in leases.iter().rev().chain(&leases) {
            provision::release(lease, urls).await.unwrap();
        }
    }
}

/// A test that fails halfway leaves nothing either.
impl Drop for Announced {
    fn drop(&mut self) {
        let leases = std::mem::take(&mut self.0);
        if leases.is_empty() {
            return;
        }
        wait(async move {
            for lease in leases.iter().rev() {
                // What cannot be released here, its owner has released already.
                let _ = provision::release(lease, &Urls::default()).await;
            }
        });
    }
}

/// What the environment of the releasing process would say.
#[derive(Default)]
pub struct Urls(pub HashMap<String, Address>);

impl UrlSource for Urls {
    fn url(&self, reference: &str) -> Option<Address> {
        self.0.get(reference).cloned()
    }
}

/// A server of a test's own, gone with it.
pub struct Started {
    pub leases: Announced,
    pub server: Server,
    pub request: Request,
    pub sandbox: Sandbox,
}

impl Started {
    /// A throw-away cluster of PostgreSQL in a sandbox. `None` where none can be made, which is said, and is a failure
    /// where `REHEARSE_REQUIRE` asks for it.
    pub async fn local(test: &str) -> Option<Self> {
        let sandbox = Sandbox::new();
        let request = request(&sandbox.work());
        Self::of(test, "local", request, sandbox).await
    }

    /// A server of any kind from this provider.
    pub async fn of(test: &str, provider: &str, request: Request, sandbox: Sandbox) -> Option<Self> {
        let provisioner = offered(test, provider, &request).await?;
        let mut leases = Announced::default();
        let server = provisioner.acquire(&request, &mut leases).await.unwrap();
        Some(Self { leases, server, request, sandbox })
    }

    /// Runs statements on its maintenance database.
    pub async fn execute(&self, sql: &str) {
        execute(&self.server.admin, sql).await;
    }
}

/// The provider, if it can serve this; `None` if not, which is said, and is a failure where `REHEARSE_REQUIRE` asks for it.
pub async fn offered(test: &str, provider: &str, request: &Request) -> Option<&'static dyn provision::Provisioner> {
    let provisioner = provision::by_id(provider).unwrap();
    match provisioner.offer(request).await {
        Ok(_) => Some(provisioner),
        Err(unable) => {
            skipped(test, provider, &unable.reason);
            None
        }
    }
}

/// Runs statements in a session of their own.
pub async fn execute(address: &Address, sql: &str) {
    let mut session = engine::by_id(address.engine.as_str()).unwrap().connect(address).await.unwrap();
    session.execute(sql).await.unwrap_or_else(|error| panic!("{error:?}"));
    session.close().await.unwrap();
}

/// The rows of a query in a session of its own.
pub async fn ask(address: &Address, sql: &str) -> Vec<Vec<Option<String>>> {
    let mut session = engine::by_id(address.engine.as_str()).unwrap().connect(address).await.unwrap();
    let rows = session.query(sql).await.unwrap_or_else(|error| panic!("{error:?}"));
    session.close().await.unwrap();
    rows
}

/// A directory that the server's account may pass through, gone at the end.
pub fn work() -> tempfile::TempDir {
    let work = tempfile::Builder::new().prefix("rh").tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(work.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    work
}

/// A request for a PostgreSQL of a test's own, of a run that no other test has.
pub fn request(work: &Path) -> Request {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Request {
        run: RunId(format!("20260101t000000-t{}x{number}", std::process::id())),
        side: Side::Target,
        engine: engine::by_id("postgres").unwrap(),
        version: None,
        image: None,
        memory_bytes: None,
        cpus: None,
        port: None,
        external: None,
        work: work.to_owned(),
        deadline: Duration::from_secs(60),
    }
}

/// Waits for a future on a thread of its own: a runtime cannot be waited for inside another one.
pub fn wait<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    std::thread::spawn(move || runtime().block_on(future)).join().unwrap()
}
