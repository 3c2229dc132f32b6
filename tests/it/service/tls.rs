//! TLS with authorities of the test's own, by the real service.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, DEFAULT_VERSIONS, RootCertStore, StreamOwned,
};

use crate::support::{StreamPhone, TestService, code_of, connect, eventually};

const NUMBER: &str = "5548987654321";

type Authority = CertifiedIssuer<'static, KeyPair>;
type Secured = StreamPhone<StreamOwned<ClientConnection, TcpStream>>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("signed")
}

/// Certificate and key, PEM.
fn signed_by(authority: &Authority, name: &str) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    let certificate = params.signed_by(&key, authority).expect("signed");
    (certificate.pem(), key.serialize_pem())
}

/// Writes a file beside the data folder.
fn file(service: &TestService, name: &str, text: &str) -> PathBuf {
    let path = service.folder().join(name);
    fs::write(&path, text).expect("written");
    path
}

/// A service with a certificate of `authority`, which asks its clients for one when told to.
fn prepare(database: &str, authority: &Authority, asks_clients: bool) -> TestService {
    let service = TestService::prepare_on_shared(database);
    let (certificate, key) = signed_by(authority, "tfps.example");
    let mut files = vec![
        (
            "TFPS_TLS__CERTIFICATE",
            file(&service, "own.pem", &certificate),
        ),
        ("TFPS_TLS__KEY", file(&service, "own.key", &key)),
    ];
    if asks_clients {
        let clients = file(&service, "clients.pem", &authority.pem());
        files.push(("TFPS_TLS__CLIENT_CA", clients));
    }
    files.into_iter().fold(service, |service, (key, path)| {
        service.with(key, &path.to_string_lossy())
    })
}

/// Connects, with a certificate where one is given. The handshake is made by the first call.
fn phone(service: &TestService, trusted: &Authority, own: Option<(String, String)>) -> Secured {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.der().clone()).expect("an authority");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(DEFAULT_VERSIONS)
        .expect("versions")
        .with_root_certificates(roots);
    let config = match own {
        None => config.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = CertificateDer::from_pem_slice(certificate.as_bytes()).expect("PEM");
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("PEM");
            config.with_client_auth_cert(vec![chain], key).expect("own")
        }
    };
    let name = ServerName::try_from("tfps.example").expect("a name");
    let stream = connect(service.prevention_tls());
    let own = stream.local_addr().expect("bound");
    let session = ClientConnection::new(Arc::new(config), name).expect("a session");
    let stream = StreamOwned::new(session, stream);
    StreamPhone::over(stream, "TLS", own, service.prevention_tls())
}

#[test]
fn a_client_of_the_authority_calls_and_others_do_not() {
    let authority = authority();
    let service = prepare("tls_clients", &authority, true).started();
    let known = signed_by(&authority, "softswitch.example");
    let mut client = phone(&service, &authority, Some(known));
    for _ in 0..3 {
        assert_eq!(code_of(&client.call(NUMBER)), "A00");
    }
    let stranger = signed_by(&self::authority(), "softswitch.example");
    for own in [None, Some(stranger)] {
        let mut client = phone(&service, &authority, own);
        let invite = client.invite(NUMBER);
        client
            .try_ask(&invite)
            .expect_err("no such client is served");
    }
    service.wait_for_rows(3);
}

#[test]
fn renewed_certificates_go_into_force_without_a_restart() {
    let (old, new) = (authority(), authority());
    let service = prepare("tls_reload", &old, false).started();
    let mut before = phone(&service, &old, None);
    assert_eq!(code_of(&before.call(NUMBER)), "A00");

    // Half a renewal changes nothing.
    let (certificate, key) = signed_by(&new, "tfps.example");
    file(&service, "own.pem", &certificate);
    eventually("the half is refused", || {
        (service.metric("tfps_certificate_refusals_total", &[]) == 1).then_some(())
    });
    assert_eq!(code_of(&phone(&service, &old, None).call(NUMBER)), "A00");

    file(&service, "own.key", &key);
    eventually("the pair is in force", || {
        (service.metric("tfps_certificate_swaps_total", &[]) == 1).then_some(())
    });
    assert_eq!(code_of(&phone(&service, &new, None).call(NUMBER)), "A00");
    let mut late = phone(&service, &old, None);
    let invite = late.invite(NUMBER);
    late.try_ask(&invite).expect_err("signed by another");
    // Who was connected stays so.
    assert_eq!(code_of(&before.call(NUMBER)), "A00");
}

#[test]
fn files_that_do_not_do_end_it_with_64_and_their_key() {
    let authority = authority();
    let good = prepare("tls_bad", &authority, true);
    let checked = good.tfps(&["check"]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(checked.stdout.contains("tls 127.0.0.1:0"), "{checked:?}");

    let other = file(&good, "other.key", &signed_by(&authority, "x").1);
    for (variable, path, key) in [
        (
            "TFPS_TLS__CERTIFICATE",
            "/nonexistent.pem",
            "tls.certificate",
        ),
        ("TFPS_TLS__KEY", "/nonexistent.key", "tls.key"),
        ("TFPS_TLS__CLIENT_CA", "/dev/null", "tls.client_ca"),
        ("TFPS_TLS__KEY", &other.to_string_lossy(), "tls.certificate"),
    ] {
        let service = prepare("tls_bad", &authority, true).with(variable, path);
        for command in ["check", "serve"] {
            let ended = service.tfps(&[command]);
            assert_eq!(ended.code, Some(64), "{command} {path}: {ended:?}");
            let named = format!("`{key}`");
            assert!(ended.stderr.contains(&named), "{command} {path}: {ended:?}");
        }
    }
    let alone = TestService::prepare().with("TFPS_TLS__KEY", "/a.key");
    let ended = alone.tfps(&["check"]);
    assert_eq!(ended.code, Some(64), "{ended:?}");
    assert!(ended.stderr.contains("`tls.certificate`"), "{ended:?}");
}
