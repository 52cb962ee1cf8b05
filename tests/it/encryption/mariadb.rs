//! MariaDB in a container that is given certificates before it starts.

use super::*;
use crate::support::mariadb::{Container, has};

#[tokio::test(flavor = "multi_thread")]
async fn each_mode_of_mariadb_accepts_and_refuses_what_it_says() {
    let (test, sandbox) = ("each_mode_of_mariadb_accepts_and_refuses_what_it_says", Sandbox::new());
    if !has(test, "10.11").await {
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
    if !has(test, "11.8").await {
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
    if !has(test, "10.11").await {
        return;
    }
    let plain = Container::start("mariadb:10.11", &[], &[]);
    plain.wait().await;
    assert_eq!(plain.at("127.0.0.1", mode(TlsMode::Prefer)).await.unwrap(), None);
    let insists = "the server offers no TLS, and `ssl-mode` insists on it";
    assert_refused(plain.at("127.0.0.1", mode(TlsMode::Require)).await, insists);
}
