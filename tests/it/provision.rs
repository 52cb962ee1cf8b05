//! Provisioners against the real thing: what they start answers, and what they give back is gone.

use std::{
    collections::HashMap,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use rehearse::{
    engine,
    model::{Address, Lease, LeaseKind, RunId, Side},
    provision::{self, External, LeaseLog, ProvisionError, Request, Server, UrlSource, scratch},
};

mod container;
mod external;
mod local;

/// Remembers what was announced, in order.
#[derive(Default)]
pub struct Announced(Vec<Lease>);

#[async_trait]
impl LeaseLog for Announced {
    async fn announce(&mut self, lease: &Lease) -> Result<(), ProvisionError> {
        self.0.push(lease.clone());
        Ok(())
    }
}

impl Announced {
    /// Releases everything in reverse, twice: the second time there is nothing left, and that is no error.
    pub async fn release(&self, urls: &Urls) {
        for lease in self.0.iter().rev().chain(&self.0) {
            provision::release(lease, urls).await.unwrap();
        }
    }
}

/// A test that fails halfway leaves nothing either.
impl Drop for Announced {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let leases = std::mem::take(&mut self.0);
        let release = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                for lease in leases.iter().rev() {
                    let _ = provision::release(lease, &Urls::default()).await;
                }
            });
        };
        // A runtime cannot be waited for inside another one.
        let _ = std::thread::spawn(release).join();
    }
}

/// What the environment of the releasing process would say.
#[derive(Default)]
pub struct Urls(HashMap<String, Address>);

impl UrlSource for Urls {
    fn url(&self, reference: &str) -> Option<Address> {
        self.0.get(reference).cloned()
    }
}

/// A directory that the server's account may pass through, gone at the end.
pub fn work() -> tempfile::TempDir {
    let work = tempfile::Builder::new().prefix("rh").tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(work.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    work
}

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

async fn ask(address: &Address, sql: &str) -> String {
    let mut session = engine::by_id("postgres").unwrap().connect(address).await.unwrap();
    let rows = session.query(sql).await.unwrap();
    session.close().await.unwrap();
    rows[0][0].clone().unwrap()
}

/// Whether a test must be skipped, which is said, and is a failure where `REHEARSE_REQUIRE` asks for it.
async fn skips(test: &str, provider: &str, request: &Request) -> bool {
    match provision::choose(Some(provider), request).await {
        Ok(_) => false,
        Err(why) => {
            assert!(
                !std::env::var("REHEARSE_REQUIRE").unwrap_or_default().contains(provider),
                "{provider} is required: {why}"
            );
            println!("skipped: {test}: {why}");
            true
        }
    }
}

/// A TCP port that is in use as long as the listener lives.
fn taken_port() -> (std::net::TcpListener, u16) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}
