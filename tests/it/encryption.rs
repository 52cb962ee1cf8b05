//! Encrypted sessions: what each mode accepts and refuses, on servers with certificates that a test makes itself.

use std::{fs, os::unix::fs::MetadataExt, path::Path, time::Duration};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rehearse::{
    engine::{self, EngineError},
    model::{Address, Endpoint, Host, Tls, TlsMode, chain},
    provision::Request,
};

use crate::support::{
    Sandbox, ended,
    server::{Started, request},
};

mod mariadb;
mod postgres;

/// An authority that signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate and its key for a name, which is a host or a role.
    fn sign(&self, name: &str) -> (String, String) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        (pem, key.serialize_pem())
    }
}

/// The address with another host name and another encryption.
fn over(address: &Address, host: &str, tls: Tls) -> Address {
    let mut address = address.clone();
    let Endpoint::Server { host: place, tls: old, .. } = &mut address.endpoint else { unreachable!() };
    let (Host::Tcp { port, .. } | Host::Socket { port, .. }) = place;
    *place = Host::Tcp { host: host.to_owned(), port: *port };
    *old = tls;
    address
}

fn mode(mode: TlsMode) -> Tls {
    Tls { mode, ..Tls::default() }
}

fn with_root(mode: TlsMode, root: &Path) -> Tls {
    Tls { mode, root: Some(root.to_owned()), ..Tls::default() }
}

/// The protocol of a session there.
async fn encryption(address: &Address) -> Result<Option<String>, EngineError> {
    let mut session = engine::by_id(address.engine.as_str()).unwrap().connect(address).await?;
    let protocol = session.encryption().await?;
    session.close().await?;
    Ok(protocol)
}

#[track_caller]
fn assert_encrypted(protocol: Result<Option<String>, EngineError>) {
    let protocol = protocol.unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert!(protocol.as_ref().is_some_and(|protocol| protocol.starts_with("TLSv1.")), "{protocol:?}");
}

#[track_caller]
fn assert_refused(protocol: Result<Option<String>, EngineError>, told: &str) {
    let error = protocol.expect_err(told);
    assert!(chain(&error).contains(told), "{}", chain(&error));
}
