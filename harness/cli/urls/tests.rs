//! What is read from each way to name a database, and that messages tell no secret.

use super::*;
use crate::model::{Endpoint, Host, Tls, TlsMode};

fn parse(text: &str) -> Result<Address, String> {
    read(text).map(|read| read.address)
}

fn server(text: &str) -> (Host, String, Option<String>, String, Tls) {
    let Endpoint::Server { host, user, password, database, tls } = parse(text).unwrap().endpoint else {
        panic!("a server")
    };
    (host, user, password.map(|password| password.reveal().to_owned()), database, tls)
}

fn tcp(host: &str, port: u16) -> Host {
    Host::Tcp { host: host.to_owned(), port }
}

#[test]
fn urls_are_read_and_never_told() {
    let given = given("postgres://us%40er:s3cr%2Ft@db.example:6000/app").unwrap();
    assert_eq!(given.address.to_string(), "postgres://us@er@db.example:6000/app");
    assert_eq!(given.reference, "flag");
    let Endpoint::Server { password, .. } = given.address.endpoint else { panic!("a server") };
    assert_eq!(password.unwrap().reveal(), "s3cr/t");
    for wrong in [
        "postgres://user:hunter2@",
        "postgres://user:hunter2@/db",
        "postgres://user:hunter2@h:99999/db",
        "postgres://user:hun?ter2=@h/db",
        "postgres://user:hunter2/@h/db",
        "postgres://user:%zzhunter2@h/db",
        "mysql://root:hunter2@localhost/x",
        "user:hunter2@h/db",
        "host=h password=hun ter2 dbname=x",
        "host=h password='hunter2 dbname=x",
        "host=h passwort=hunter2 dbname=x",
        "postgres://user@h/d?passwort=hunter2",
    ] {
        let error = parse(wrong).unwrap_err();
        assert!(!error.contains("hunter2") && !error.contains("ter2"), "{error}");
    }
    assert_eq!(server("postgres://user@h/d?password=hunter2").2.as_deref(), Some("hunter2"));
    assert!(parse("mysql://root@localhost/x").unwrap_err().contains("`mysql`"));
    assert_eq!(parse("mariadb://root@localhost/x").unwrap().to_string(), "mariadb://root@localhost:3306/x");
    assert_eq!(parse("postgresql://u@h/d").unwrap().to_string(), "postgres://u@h:5432/d");
}

#[test]
fn sockets_come_by_query_and_in_the_hosts_place() {
    for (user, password) in [("me", None), ("me:pw", Some("pw"))] {
        let read = server(&format!("postgres://{user}@/app?host=/run/postgresql&port=5433"));
        let host = Host::Socket { directory: "/run/postgresql".into(), port: 5433 };
        assert_eq!(read, (host, "me".to_owned(), password.map(str::to_owned), "app".to_owned(), Tls::off()));
    }
    let host = Host::Socket { directory: "/run/pg".into(), port: 5432 };
    assert_eq!(server("postgres://me@%2Frun%2Fpg/app").0, host);
    assert_eq!(server("postgres://me@localhost/app?host=/run/pg").0, host);
    let own = server("postgres:///app?host=/run/pg");
    assert!(own.0 == host && !own.1.is_empty(), "{own:?}");
    assert!(parse("postgres://h/app").unwrap_err().starts_with("no user is named; expected postgres://user@host"));
    let socket = server("mariadb://me@/app?socket=/run/mysqld/mysqld.sock").0;
    assert_eq!(socket, Host::Socket { directory: "/run/mysqld".into(), port: 3306 });
    assert!(parse("postgres://me@/app").unwrap_err().contains("no host"));
    assert!(parse("postgres://me@/app?host=/run&sslmode=require").unwrap_err().contains("a socket is not encrypted"));
}

#[test]
fn addresses_of_version_6_lose_their_brackets_and_get_them_back() {
    let address = parse("postgres://me@[2001:db8::1]:6000/app").unwrap();
    assert_eq!(address.to_string(), "postgres://me@[2001:db8::1]:6000/app");
    assert_eq!(server("postgres://me@[::1]/app").0, tcp("::1", 5432));
    assert_eq!(server("host=::1 dbname=app user=me").0, tcp("::1", 5432));
}

#[test]
fn several_hosts_and_unknown_parameters_are_refused() {
    for several in ["postgres://me@a,b/app", "postgres://me@a:1,b:2/app", "host=a,b user=me dbname=app"] {
        assert!(parse(several).unwrap_err().starts_with("several hosts are named"), "{several}");
    }
    let error = parse("postgres://me@h/app?sslmod=require").unwrap_err();
    assert_eq!(error, "the parameter `sslmod` is not known; did you mean `sslmode`?");
    let error = parse("postgres://me@h/app?options=-csearch_path%3Dx").unwrap_err();
    assert!(error.starts_with("the parameter `options` is not known; expected one of host, port, "), "{error}");
    let error = parse("mariadb://me@h/app?sslmode=require").unwrap_err();
    assert_eq!(error, "the parameter `sslmode` is not known; did you mean `ssl-mode`?");
    let error = parse("postgres://me@h/app?sslmode=verify").unwrap_err();
    let modes = "disable, allow, prefer, require, verify-ca, verify-full";
    assert_eq!(error, format!("`sslmode` cannot be `verify`; expected one of {modes}"));
    assert!(parse("postgres://me@h/app?sslmode=require&sslmode=disable").unwrap_err().contains("given twice"));
    assert!(parse("postgres://me@h:0/app").unwrap_err().contains("`0` is no port"));
    assert!(parse("postgres://me@h/app?application_name=x&connect_timeout=5").is_ok());
}

#[test]
fn connection_strings_of_libpq_are_read() {
    let read = server(r"host = db.example port=6000 dbname='my \'db' user=me password=a\ b\\c sslmode=disable");
    let expected = (tcp("db.example", 6000), "me", Some("a b\\c"), "my 'db", Tls::off());
    let expected = (expected.0, "me".to_owned(), expected.2.map(str::to_owned), "my 'db".to_owned(), expected.4);
    assert_eq!(read, expected);
    assert!(parse("host=h dbname=d user=me sslmode").unwrap_err().contains("no `=`"));
    assert!(parse("hots=h dbname=d").unwrap_err().contains("did you mean `host`?"));
}

#[test]
fn encryption_is_asked_for_in_the_words_of_each_engine() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    fs::write(&file, "").unwrap();
    let shown = file.display();
    assert_eq!(server("postgres://me@h/app").4, Tls::default());
    assert_eq!(server("postgres://me@h/app?sslmode=verify-full&sslrootcert=system").4.root, None);
    let tls = server(&format!("postgres://me@h/app?sslmode=verify-ca&sslrootcert={shown}")).4;
    assert_eq!(tls, Tls { mode: TlsMode::VerifyCa, root: Some(file.clone()), ..Tls::default() });
    let tls = server(&format!("mariadb://me@h/app?ssl-mode=VERIFY-IDENTITY&ssl-ca={shown}")).4;
    assert_eq!(tls, Tls { mode: TlsMode::VerifyFull, root: Some(file.clone()), ..Tls::default() });
    assert!(parse("postgres://me@h/app?sslmode=verify-ca").unwrap_err().contains("proves nothing"));
    let error = parse("postgres://me@h/app?sslrootcert=/no/such.pem").unwrap_err();
    assert!(error.starts_with("failed to read `/no/such.pem` of `sslrootcert`: "), "{error}");
    let error = parse(&format!("postgres://me@h/app?sslcert={shown}")).unwrap_err();
    assert_eq!(error, "`sslcert` and `sslkey` belong together, and one of them is missing");
}

#[test]
fn option_files_fill_in_what_the_url_does_not_say() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my.cnf");
    let text = "[mysqld]\nuser=mysql\n[client]\nuser = me\npassword = \"p#w\"\nport=3307\nprompt=x\n[client-mariadb]\nport=3308\n";
    fs::write(&file, text).unwrap();
    let read = server(&format!("mariadb://h/app?defaults-file={}", file.display()));
    let expected = (tcp("h", 3308), "me".to_owned(), Some("p#w".to_owned()), "app".to_owned(), Tls::default());
    assert_eq!(read, expected);
    let error = parse("mariadb://h/app?defaults-file=/no/such.cnf").unwrap_err();
    assert!(error.starts_with("failed to read the option file `/no/such.cnf`: "), "{error}");
}
