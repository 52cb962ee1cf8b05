//! MariaDB in a container that is given certificates before it starts.

use super::*;

const PASSWORD: &str = "a-password-of-the-test";

/// A container, gone with the test.
struct Container {
    name: String,
    port: u16,
}

impl Container {
    /// Starts a server with these files in `/tls` and these arguments.
    fn start(image: &str, files: &[(&str, &Path)], arguments: &[&str]) -> Self {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("rehearse-tls-{}-{number}", std::process::id());
        let password = format!("MARIADB_ROOT_PASSWORD={PASSWORD}");
        let create = ["create", "--name", &name, "-e", &password, "-p", "127.0.0.1::3306", image];
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

    fn address(&self, host: &str, tls: Tls) -> Address {
        let endpoint = Endpoint::Server {
            host: Host::Tcp { host: host.to_owned(), port: self.port },
            user: "root".to_owned(),
            password: Some(Secret::new(PASSWORD)),
            database: "mysql".to_owned(),
            tls,
        };
        Address { engine: EngineId::from("mariadb"), endpoint }
    }

    async fn at(&self, host: &str, tls: Tls) -> Result<Option<String>, EngineError> {
        encryption(&self.address(host, tls)).await
    }

    /// Waits until it answers; a first server, which sets up the database, listens on no port.
    async fn wait(&self) {
        let patience = tokio::time::Instant::now() + Duration::from_secs(120);
        while let Err(error) = self.at("127.0.0.1", mode(TlsMode::Prefer)).await {
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

fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Whether containers of this version can be had.
async fn has(test: &str, sandbox: &Sandbox, version: &str) -> bool {
    let engine = engine::by_id("mariadb").unwrap();
    let request = Request { engine, version: Some(version.to_owned()), ..request(&sandbox.work()) };
    offered(test, "container", &request).await.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mode_of_mariadb_accepts_and_refuses_what_it_says() {
    let (test, sandbox) = ("each_mode_of_mariadb_accepts_and_refuses_what_it_says", Sandbox::new());
    if !has(test, &sandbox, "10.11").await {
        return;
    }
    let authority = Authority::new("an authority of the test");
    let root = sandbox.write("ca.pem", &authority.pem);
    let wrong = sandbox.write("wrong.pem", Authority::new("another authority").pem);
    let (certificate, key) = authority.sign("localhost");
    let certificate = sandbox.write("server.pem", certificate);
    let key = sandbox.write("server.key", key);
    // The copied key belongs to nobody whom the server knows.
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let files = [("server.pem", &*certificate), ("server.key", &*key)];
    let server = Container::start("mariadb:10.11", &files, &["--ssl-cert=/server.pem", "--ssl-key=/server.key"]);
    server.wait().await;

    assert_encrypted(server.at("localhost", with_root(TlsMode::VerifyFull, &root)).await);
    assert_encrypted(server.at("127.0.0.1", with_root(TlsMode::VerifyCa, &root)).await);
    assert_encrypted(server.at("127.0.0.1", mode(TlsMode::Require)).await);
    assert_encrypted(server.at("127.0.0.1", mode(TlsMode::Prefer)).await);
    assert_eq!(server.at("127.0.0.1", mode(TlsMode::Disable)).await.unwrap(), None);
    let stranger = "no authority that is trusted here signed the server's certificate; name its authority's file as \
                    `ssl-ca`";
    assert_refused(server.at("localhost", with_root(TlsMode::VerifyFull, &wrong)).await, stranger);
    assert_refused(server.at("127.0.0.1", with_root(TlsMode::VerifyCa, &wrong)).await, stranger);
    let not_for = "the server's certificate is not for `127.0.0.1`; use the name that it is for, or ssl-mode=verify-ca";
    assert_refused(server.at("127.0.0.1", with_root(TlsMode::VerifyFull, &root)).await, not_for);

    let admin = server.address("127.0.0.1", mode(TlsMode::Require));
    crate::support::server::execute(&admin, "SET GLOBAL require_secure_transport = ON").await;
    let demanded = "may take encrypted sessions only, and the URL says ssl-mode=disabled";
    assert_refused(server.at("127.0.0.1", mode(TlsMode::Disable)).await, demanded);
    assert_encrypted(server.at("127.0.0.1", mode(TlsMode::Prefer)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_signed_for_itself_is_not_verified_and_one_without_tls_is_told() {
    let test = "a_server_that_signed_for_itself_is_not_verified_and_one_without_tls_is_told";
    let sandbox = Sandbox::new();
    if !has(test, &sandbox, "11.8").await {
        return;
    }
    // From 11.4 on a server makes a certificate by itself.
    let server = Container::start("mariadb:11.8", &[], &[]);
    server.wait().await;
    assert_encrypted(server.at("127.0.0.1", mode(TlsMode::Require)).await);
    let root = sandbox.write("ca.pem", Authority::new("an authority of the test").pem);
    let refused = server.at("127.0.0.1", with_root(TlsMode::VerifyCa, &root)).await;
    assert!(matches!(refused, Err(EngineError::Unavailable { .. })), "{refused:?}");

    // An older one without a certificate has no TLS.
    if !has(test, &sandbox, "10.11").await {
        return;
    }
    let plain = Container::start("mariadb:10.11", &[], &[]);
    plain.wait().await;
    assert_eq!(plain.at("127.0.0.1", mode(TlsMode::Prefer)).await.unwrap(), None);
    let insists = "the server offers no TLS, and `ssl-mode` insists on it";
    assert_refused(plain.at("127.0.0.1", mode(TlsMode::Require)).await, insists);
}
