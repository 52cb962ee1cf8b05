//! A password is never told, whichever way it came, whatever verb it was given to, and however that ended.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use rehearse::model::{Endpoint, Host};

use crate::support::{Ended, Sandbox, ended, server::Started};

const SHOP: &str = "fixtures/shop-postgres";
/// Signs that mean something in URLs, connection strings, pass files and shells; nothing else holds them in this order.
const SECRET: &str = "p:w\\d'4@/%&? x";

/// A cluster of a user whose password is hard to write.
struct Bench {
    _cluster: Started,
    /// Where the program is called; the cluster lies elsewhere.
    sandbox: Sandbox,
    directory: String,
    port: u16,
}

impl Bench {
    async fn new(test: &str) -> Option<Self> {
        let started = Started::local(test).await?;
        started.execute(&format!("CREATE ROLE keeper LOGIN CREATEDB PASSWORD '{}'", SECRET.replace('\'', "''"))).await;
        started.execute("CREATE DATABASE keep OWNER keeper").await;
        let Endpoint::Server { host: Host::Socket { directory, port }, .. } = &started.server.admin.endpoint else {
            panic!("a cluster listens on a socket")
        };
        let (directory, port) = (directory.display().to_string(), *port);
        Some(Self { _cluster: started, sandbox: Sandbox::new(), directory, port })
    }

    /// Writes a file that only its owner may read.
    fn private(&self, name: &str, text: &str) -> String {
        let path = self.sandbox.write(name, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.display().to_string()
    }

    fn url(&self) -> String {
        let encoded: String = SECRET.bytes().map(|byte| format!("%{byte:02x}")).collect();
        format!("postgres://keeper:{encoded}@/keep?host={}&port={}", self.directory, self.port)
    }

    fn keywords(&self) -> String {
        let escaped = SECRET.replace('\\', "\\\\").replace('\'', "\\'");
        format!("host={} port={} user=keeper dbname=keep password='{escaped}'", self.directory, self.port)
    }

    /// A service, and a pass file with the password to it.
    fn service(&self) -> (String, String) {
        let text = format!(
            "[other]\nhost=nowhere\n\n[keep]\nhost={}\nport={}\ndbname=keep\nuser=keeper\n",
            self.directory, self.port
        );
        let escaped = SECRET.replace('\\', "\\\\").replace(':', "\\:");
        let passwords = format!("# passwords\nelsewhere:*:*:*:wrong\n{}:*:keep:keeper:{escaped}\n", self.directory);
        (self.private("pg_service.conf", &text), self.private("pgpass", &passwords))
    }

    /// Calls the program, and looks for the secret in everything that it said and wrote.
    #[track_caller]
    fn call(&self, arguments: &[&str], set: impl FnOnce(&mut Command) -> &mut Command) -> Ended {
        let mut command = match arguments[0] {
            "run" | "plan" | "audit" => self.sandbox.rehearsal(arguments),
            "status" | "report" | "rollback" | "resume" | "clean" => {
                let mut command = self.sandbox.command(arguments);
                command.arg("--out").arg(self.sandbox.out());
                command
            }
            _ => self.sandbox.command(arguments),
        };
        command.env("HOME", self.sandbox.path("home"));
        let ended = ended(set(&mut command));
        let encoded: String = SECRET.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let is_told = |text: &str| {
            // Also as a part of JSON or of a shell's word.
            [SECRET, &encoded, "p:w\\\\d", "w\\d'4", "'4@/%"].iter().any(|form| text.contains(form))
        };
        assert!(!is_told(&ended.stdout) && !is_told(&ended.stderr), "{ended:?}");
        for (path, text) in self.sandbox.artefacts() {
            assert!(!is_told(&text), "{}", path.display());
        }
        ended
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_give_a_password_works_and_none_tells_it() {
    let Some(bench) = Bench::new("every_way_to_give_a_password_works_and_none_tells_it").await else { return };
    let (url, keywords) = (bench.url(), bench.keywords());
    let run = ["run", SHOP, "--disposable", "--target-url"];
    let typed = "warning: a password on the command line can be seen by everybody on this machine; hint: ";
    for text in [&url, &keywords] {
        let ended = bench.call(&[&run[..], &[text]].concat(), |run| run);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_eq!(ended.stderr.matches(typed).count(), 1, "{}", ended.stderr);
        let ended = bench.call(&[&run[..], &["env:KEEP_URL"]].concat(), |run| run.env("KEEP_URL", text));
        assert!(ended.code == 0 && !ended.stderr.contains("warning"), "{ended:?}");
    }
    let ended = bench.call(&run[..3], |run| run.env("REHEARSE_TARGET_URL", &url));
    assert!(ended.code == 0 && !ended.stderr.contains("warning"), "{ended:?}");

    let file = bench.private("url", &format!("{url}\n"));
    let at_file = format!("@{file}");
    let ended = bench.call(&[&run[..], &[&at_file]].concat(), |run| run);
    assert!(ended.code == 0 && !ended.stderr.contains("warning"), "{ended:?}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let ended = bench.call(&[&run[..], &[&at_file]].concat(), |run| run);
    assert_eq!(ended.code, 0, "{ended:?}");
    let told = format!("warning: `{file}` holds a password, and others may read it; hint: chmod 600 {file}\n");
    assert!(ended.stderr.contains(&told), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn services_and_pass_files_lead_there_and_problems_are_told_with_their_place() {
    let test = "services_and_pass_files_lead_there_and_problems_are_told_with_their_place";
    let Some(bench) = Bench::new(test).await else { return };
    let (services, passwords) = bench.service();
    let run = ["run", SHOP, "--disposable", "--target-url"];
    let call = |url: &str, passwords: &str| {
        let arguments = [&run[..], &[url]].concat();
        bench.call(&arguments, |run| run.env("PGSERVICEFILE", &services).env("PGPASSFILE", passwords))
    };
    for url in ["service:keep", "postgres://?service=keep", "service=keep"] {
        let ended = call(url, &passwords);
        assert!(ended.code == 0 && !ended.stderr.contains("warning"), "{url}: {ended:?}");
    }
    // Where no variable names them, the files are at home.
    for (from, to) in [(&services, "home/.pg_service.conf"), (&passwords, "home/.pgpass")] {
        bench.private(to, &fs::read_to_string(from).unwrap());
    }
    let ended = bench
        .call(&[&run[..], &["service:keep"]].concat(), |run| run.env_remove("PGSERVICEFILE").env_remove("PGPASSFILE"));
    assert_eq!(ended.code, 0, "{ended:?}");

    fs::set_permissions(&passwords, fs::Permissions::from_mode(0o640)).unwrap();
    let ended = call("service:keep", &passwords);
    let told =
        format!("warning: the pass file `{passwords}` is not taken, because others may read it; hint: chmod 600 ");
    assert!(ended.code == 3 && ended.stderr.contains(&told), "{ended:?}");

    let ended = call("service:kep", &passwords);
    let told = format!("error: no service is called `kep` in `{services}`; did you mean `keep`?\n");
    assert!(ended.code == 2 && ended.stderr.contains(&told), "{ended:?}");
    bench.private("pg_service.conf", "[keep]\nhost=/run\nprot=5432\n");
    let ended = call("service:keep", &passwords);
    let told = format!("error: `{services}`, line 3: the parameter `prot` is not known; did you mean `port`?\n");
    assert!(ended.code == 2 && ended.stderr.contains(&told), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_verb_tells_a_password() {
    let Some(bench) = Bench::new("no_verb_tells_a_password").await else { return };
    let url = bench.url();
    let ended = bench.call(&["plan", SHOP, "--disposable", "--target-url", &url], |plan| plan);
    assert_eq!(ended.code, 0, "{ended:?}");
    let keep = ["run", SHOP, "--disposable", "--keep", "--show-values", "--target-url", &url];
    assert_eq!(bench.call(&keep, |run| run).code, 0);
    for format in rehearse::report::ALL {
        assert_eq!(bench.call(&["report", "latest", "--format", format.id()], |report| report).code, 0);
    }
    let status = bench.call(&["status", "latest"], |status| status);
    assert!(status.code == 0 && status.stdout.contains("postgres://keeper@/"), "{status:?}");
    // Without the URL it cannot be given back, which is said.
    let stuck = bench.call(&["clean", "latest"], |clean| clean);
    assert!(stuck.code == 3 && stuck.stderr.contains("is not known any more"), "{stuck:?}");
    assert_eq!(bench.call(&["clean", "latest", "--target-url", &url], |clean| clean).code, 0);
    assert_eq!(bench.call(&keep, |run| run).code, 0);
    assert_eq!(bench.call(&["rollback", "latest", "--target-url", &url], |rollback| rollback).code, 0);
    bench.sandbox.assert_released();

    let audit = bench.call(&["audit", "--source", &url, "--target", &bench.keywords()], |audit| audit);
    assert_eq!(audit.stderr.matches("warning: a password on the command line").count(), 1, "{audit:?}");
    assert!(audit.stdout.contains("postgres://keeper@/keep?host="), "{audit:?}");

    // In the wrong place, or wrong.
    let broken = url.replace("/keep?", "/keep?oops=1&");
    for arguments in [
        &["run", &url][..],
        &["run", "--target_url", &url],
        &["run", SHOP, "--target-url", &broken],
        &["run", SHOP, "--seed", &url],
        &["status", &url],
        &["report", &url],
        &["explain", &url],
        &["list", &url],
        &[&url],
    ] {
        let ended = bench.call(arguments, |command| command);
        assert_eq!(ended.code, 2, "{ended:?}");
    }
}
