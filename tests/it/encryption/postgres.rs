//! PostgreSQL, with lines in `pg_hba.conf` for sessions that are encrypted, that are not, and that show a certificate.

use super::*;

/// A cluster on a TCP port, and the authority that signed its certificate.
struct Bench {
    started: Started,
    authority: Authority,
    root: std::path::PathBuf,
}

impl Bench {
    async fn new(test: &str) -> Option<Self> {
        let sandbox = Sandbox::new();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let request = Request { port: Some(free), ..request(&sandbox.work()) };
        let started = Started::of(test, "local", request, sandbox).await?;
        let authority = Authority::new("an authority of the test");
        let root = started.sandbox.write("ca.pem", &authority.pem);
        let bench = Self { started, authority, root };
        let (certificate, key) = bench.authority.sign("localhost");
        bench.give("server.crt", &certificate);
        bench.give("server.key", &key);
        bench.give("ca.crt", &bench.authority.pem);
        Some(bench)
    }

    /// Writes a file into the cluster as its owner would.
    fn give(&self, name: &str, text: &str) {
        let data = self.started.request.work.join("cluster-target/data");
        let owner = fs::metadata(&data).unwrap();
        let path = data.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        std::os::unix::fs::chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
    }

    /// Takes these settings and these lines of who may come how.
    async fn configure(&self, ssl: &str, lines: &str) {
        self.give("pg_hba.conf", &format!("local all all scram-sha-256\n{lines}\n"));
        for setting in [&format!("ssl = {ssl}"), "ssl_ca_file = 'ca.crt'"] {
            self.started.execute(&format!("ALTER SYSTEM SET {setting}")).await;
        }
        self.started.execute("SELECT pg_reload_conf()").await;
        // The server reads its files again when it gets round to it.
        loop {
            let admin = &self.started.server.admin;
            let rows = crate::support::server::ask(
                admin,
                "SELECT current_setting('ssl'), count(*) FILTER (WHERE type <> 'local') FROM pg_hba_file_rules",
            )
            .await;
            if rows[0] == [Some(ssl.to_owned()), Some(lines.lines().count().to_string())] {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // What the file says is known; that the server took it, its answer to a line that is gone shows.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    async fn at(&self, host: &str, tls: Tls) -> Result<Option<String>, EngineError> {
        encryption(&over(&self.started.server.admin, host, tls)).await
    }

    fn url(&self, host: &str, query: &str) -> (String, String) {
        let Endpoint::Server { host: place, user, password, database, .. } = &self.started.server.admin.endpoint else {
            unreachable!()
        };
        let (Host::Tcp { port, .. } | Host::Socket { port, .. }) = place;
        let secret = password.as_ref().unwrap().reveal();
        (format!("postgres://{user}:{secret}@{host}:{port}/{database}?{query}"), secret.to_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mode_of_postgres_accepts_and_refuses_what_it_says() {
    let Some(bench) = Bench::new("each_mode_of_postgres_accepts_and_refuses_what_it_says").await else { return };
    bench.configure("on", "hostssl all all 0.0.0.0/0 scram-sha-256\nhostssl all all ::/0 scram-sha-256").await;

    let wrong = bench.started.sandbox.write("wrong.pem", Authority::new("another authority").pem);
    assert_encrypted(bench.at("localhost", with_root(TlsMode::VerifyFull, &bench.root)).await);
    assert_encrypted(bench.at("127.0.0.1", with_root(TlsMode::VerifyCa, &bench.root)).await);
    for lenient in [TlsMode::Allow, TlsMode::Prefer, TlsMode::Require] {
        assert_encrypted(bench.at("127.0.0.1", mode(lenient)).await);
    }
    let stranger = "no authority that is trusted here signed the server's certificate; name its authority's file as \
                    `sslrootcert`";
    assert_refused(bench.at("localhost", with_root(TlsMode::VerifyFull, &wrong)).await, stranger);
    assert_refused(bench.at("localhost", with_root(TlsMode::VerifyCa, &wrong)).await, stranger);
    assert_refused(bench.at("localhost", mode(TlsMode::VerifyFull)).await, stranger);
    let not_for = "the server's certificate is not for `127.0.0.1`; use the name that it is for, or sslmode=verify-ca";
    assert_refused(bench.at("127.0.0.1", with_root(TlsMode::VerifyFull, &bench.root)).await, not_for);
    let demanded = "no encryption; the server takes encrypted sessions only, and the URL says sslmode=disable";
    assert_refused(bench.at("127.0.0.1", mode(TlsMode::Disable)).await, demanded);

    // The whole way: a URL, a run, and the report.
    let (url, secret) = bench.url("localhost", &format!("sslmode=verify-full&sslrootcert={}", bench.root.display()));
    let mut run = bench.started.sandbox.rehearsal(&["run", "fixtures/shop-postgres", "--disposable"]);
    // The environment of the shell has no say, and a file that is not there would be noticed.
    run.env("PGSSLMODE", "disable").env("PGSSLCERT", "/no/such").env("PGSSLROOTCERT", "/no/such");
    let ended = ended(run.env("REHEARSE_TARGET_URL", &url));
    assert_eq!(ended.code, 0, "{ended:?}");
    let report = bench.started.sandbox.report("shop-postgres");
    let told = report.scenarios[0].target.as_ref().unwrap().encryption.clone();
    assert_eq!(told.as_deref(), Some("TLSv1.3, certificate and host name verified"));
    assert!(bench.started.sandbox.artefacts().iter().all(|(_, text)| !text.contains(&secret)));
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_without_encryption_is_reached_by_those_who_do_not_insist() {
    let test = "postgres_without_encryption_is_reached_by_those_who_do_not_insist";
    let Some(bench) = Bench::new(test).await else { return };
    bench.configure("off", "host all all 127.0.0.1/32 scram-sha-256").await;
    for lenient in [TlsMode::Disable, TlsMode::Allow, TlsMode::Prefer] {
        assert_eq!(bench.at("127.0.0.1", mode(lenient)).await.unwrap(), None, "{lenient:?}");
    }
    let insists = "the server offers no TLS, and `sslmode` insists on it";
    assert_refused(bench.at("127.0.0.1", mode(TlsMode::Require)).await, insists);
    assert_refused(bench.at("127.0.0.1", with_root(TlsMode::VerifyFull, &bench.root)).await, insists);

    // A server that has TLS, and does not want it from here: what is preferred gives way, what is required does not.
    bench.configure("on", "hostnossl all all 127.0.0.1/32 scram-sha-256").await;
    assert_eq!(bench.at("127.0.0.1", mode(TlsMode::Prefer)).await.unwrap(), None);
    assert_refused(bench.at("127.0.0.1", mode(TlsMode::Require)).await, "no pg_hba.conf entry for host");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_ones_own_stands_for_the_password() {
    let Some(bench) = Bench::new("a_certificate_of_ones_own_stands_for_the_password").await else { return };
    bench.started.execute("CREATE ROLE certified LOGIN").await;
    bench.configure("on", "hostssl all certified 127.0.0.1/32 cert").await;
    let (certificate, key) = bench.authority.sign("certified");
    let certificate = bench.started.sandbox.write("own.pem", certificate);
    let key = bench.started.sandbox.write("own.key", key);
    let mut address = over(&bench.started.server.admin, "127.0.0.1", mode(TlsMode::Require));
    let Endpoint::Server { user, password, .. } = &mut address.endpoint else { unreachable!() };
    "certified".clone_into(user);
    *password = None;
    assert_refused(encryption(&address).await, "connection requires a valid client certificate");
    let Endpoint::Server { tls, .. } = &mut address.endpoint else { unreachable!() };
    *tls = Tls { certificate: Some(certificate), key: Some(key), ..tls.clone() };
    assert_encrypted(encryption(&address).await);
}
