//! Containers of MariaDB that are started in a test's own way: with files, arguments, and a name to kill them by.

use std::{path::Path, process::Command, time::Duration};

use rehearse::{
    engine::{self, EngineError},
    model::{Address, Endpoint, EngineId, Host, Secret, Tls, chain},
    provision::Request,
};

use super::{
    Sandbox,
    server::{offered, request},
};

pub const PASSWORD: &str = "a-password-of-the-test";

/// A container, gone with the test.
pub struct Container {
    pub name: String,
    pub port: u16,
}

impl Container {
    /// Starts a server with these files in `/tls` and these arguments.
    pub fn start(image: &str, files: &[(&str, &Path)], arguments: &[&str]) -> Self {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("rehearse-test-{}-{number}", std::process::id());
        let password = format!("MARIADB_ROOT_PASSWORD={PASSWORD}");
        // Its temporary tables lie in memory: where layers of images are mounted by a program, that takes minutes otherwise.
        let create = ["create", "--name", &name, "-e", &password, "-p", "127.0.0.1::3306", "--tmpfs", "/tmp", image];
        docker(&[&create, arguments].concat());
        let mut container = Self { name, port: 0 };
        for (file, path) in files {
            docker(&["cp", &path.display().to_string(), &format!("{}:/{file}", container.name)]);
        }
        docker(&["start", &container.name]);
        let port = docker(&["port", &container.name, "3306/tcp"]);
        container.port = port.lines().next().unwrap().rsplit(':').next().unwrap().parse().unwrap();
        container
    }

    /// Its maintenance database.
    pub fn address(&self, host: &str, tls: Tls) -> Address {
        let endpoint = Endpoint::Server {
            host: Host::Tcp { host: host.to_owned(), port: self.port },
            user: "root".to_owned(),
            password: Some(Secret::new(PASSWORD)),
            database: "mysql".to_owned(),
            tls,
        };
        Address { engine: EngineId::from("mariadb"), endpoint }
    }

    /// The protocol of a session there.
    pub async fn at(&self, host: &str, tls: Tls) -> Result<Option<String>, EngineError> {
        let mut session = engine::by_id("mariadb").unwrap().connect(&self.address(host, tls)).await?;
        let protocol = session.encryption().await?;
        session.close().await?;
        Ok(protocol)
    }

    /// Waits until it answers; a first server, which sets up the database, listens on no port.
    pub async fn wait(&self) {
        let patience = tokio::time::Instant::now() + Duration::from_secs(120);
        while let Err(error) = self.at("127.0.0.1", Tls::default()).await {
            let logs = || Command::new("docker").args(["logs", "--tail", "20", &self.name]).output().unwrap();
            assert!(tokio::time::Instant::now() < patience, "{}\n{:?}", chain(&error), logs());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "--force", "--volumes", &self.name]).output();
    }
}

/// Calls Docker.
pub fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Whether containers of this version can be had.
pub async fn has(test: &str, version: &str) -> bool {
    let sandbox = Sandbox::new();
    let engine = engine::by_id("mariadb").unwrap();
    let request = Request { engine, version: Some(version.to_owned()), ..request(&sandbox.work()) };
    offered(test, "container", &request).await.is_some()
}
