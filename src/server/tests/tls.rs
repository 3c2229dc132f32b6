//! TLS with authorities of the test's own.

use super::peer::{Both, LIMITS};
use super::*;
use crate::server::tcp::{TcpConfig, TcpServer};
use crate::server::tls::{Certificates, Role, TlsFiles};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

type Authority = CertifiedIssuer<'static, KeyPair>;

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

fn write(folder: &Path, (certificate, key): &(String, String)) -> TlsFiles {
    let files = TlsFiles {
        certificate: folder.join("certificate.pem"),
        key: folder.join("key.pem"),
        client_ca: None,
    };
    fs::write(&files.certificate, certificate).expect("written");
    fs::write(&files.key, key).expect("written");
    files
}

struct Secured {
    both: Both,
    certificates: Arc<Certificates>,
    files: TlsFiles,
    /// Signed the server's certificate, and must sign the clients'.
    authority: Authority,
    _folder: TempDir,
}

fn secured(asks_clients: bool) -> Secured {
    let (folder, authority) = (tempfile::tempdir().expect("folder"), authority());
    let mut files = write(folder.path(), &signed_by(&authority, "tfps.example"));
    if asks_clients {
        let path = folder.path().join("clients.pem");
        fs::write(&path, authority.pem()).expect("written");
        files.client_ca = Some(path);
    }
    let certificates = Arc::new(Certificates::load(files.clone()).expect("certificates"));
    let telemetry = Arc::new(Telemetry::new());
    let door = door(&telemetry);
    let config = TcpConfig {
        address: "127.0.0.1:0".parse().expect("address"),
        key: "prevention.tls_listen",
        limits: LIMITS,
        certificates: Some(certificates.clone()),
    };
    let udp = bound_to(&door);
    let tls = TcpServer::bind(config, door).expect("bound");
    Secured {
        both: Both::run(udp, tls, telemetry),
        certificates,
        files,
        authority,
        _folder: folder,
    }
}

/// Asks about one call over TLS; the answer, or what went wrong.
async fn ask(
    to: SocketAddr,
    trusted: &Authority,
    own: Option<(String, String)>,
    version: &'static SupportedProtocolVersion,
) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.der().clone()).expect("an authority");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .expect("a version")
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
    let stream = tokio::net::TcpStream::connect(to).await?;
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, stream).await?;
    stream.write_all(&invite(1, "")).await?;
    stream.flush().await?;
    let mut answer = vec![0; 2048];
    let length = stream.read(&mut answer).await?;
    stream.shutdown().await?;
    Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
}

#[tokio::test]
async fn both_versions_of_tls_carry_calls() {
    let Secured {
        both, authority, ..
    } = secured(false);
    for version in [&TLS13, &TLS12] {
        let answer = ask(both.tcp, &authority, None, version).await;
        let answer = answer.expect("an answer");
        assert!(answer.contains("Contact: <sip:A0055481@"), "{answer}");
    }
    let (_, metrics) = both.stop().await;
    let line =
        "tfps_connections_closed_total{ingress=\"prevention\",transport=\"tls\",reason=\"peer\"} 2";
    assert!(metrics.contains(line), "{metrics}");
}

#[tokio::test]
async fn a_client_needs_a_certificate_of_the_authority_where_one_is_named() {
    let Secured {
        both, authority, ..
    } = secured(true);
    let stranger = self::authority();
    for version in [&TLS13, &TLS12] {
        let known = signed_by(&authority, "softswitch.example");
        let answer = ask(both.tcp, &authority, Some(known), version).await;
        assert!(answer.expect("an answer").contains("A0055481@"));
        let unknown = signed_by(&stranger, "softswitch.example");
        for own in [None, Some(unknown)] {
            let refused = ask(both.tcp, &authority, own, version).await;
            // TLS 1.3 tells a client only after its own part is done.
            assert!(
                refused.as_ref().map_or(true, String::is_empty),
                "{refused:?}"
            );
        }
    }
    let (_, metrics) = both.stop().await;
    let line = "transport=\"tls\",reason=\"handshake\"} 4";
    assert!(metrics.contains(line), "{metrics}");
}

#[tokio::test]
async fn new_certificates_go_into_force_and_bad_ones_do_not() {
    let Secured {
        both,
        certificates,
        files,
        authority,
        _folder: folder,
    } = secured(false);
    assert!(certificates.look().is_none(), "nothing changed");
    let other = self::authority();
    let renewed = signed_by(&other, "tfps.example");

    // The certificate is written, its key is not yet.
    fs::write(&files.certificate, &renewed.0).expect("written");
    let error = certificates.look().expect("changed").expect_err("no pair");
    assert_eq!(error.culprit(), (Role::Certificate, &*files.certificate));
    assert!(certificates.look().is_none(), "told once");
    let answer = ask(both.tcp, &authority, None, &TLS13).await;
    assert!(answer.expect("the old pair stays").contains("A0055481@"));

    fs::write(&files.key, &renewed.1).expect("written");
    certificates.look().expect("changed").expect("a pair");
    let answer = ask(both.tcp, &other, None, &TLS13).await;
    assert!(answer.expect("the new pair").contains("A0055481@"));
    let error = ask(both.tcp, &authority, None, &TLS13).await;
    error.expect_err("of another authority");

    fs::remove_file(&files.key).expect("removed");
    let error = certificates.look().expect("changed").expect_err("no key");
    assert_eq!(error.culprit(), (Role::Key, &*files.key));
    let answer = ask(both.tcp, &other, None, &TLS13).await;
    assert!(answer.expect("the pair stays").contains("A0055481@"));
    both.stop().await;
    drop(folder);
}

#[test]
fn a_file_that_does_not_do_is_named() {
    let (folder, authority) = (tempfile::tempdir().expect("folder"), authority());
    let pair = signed_by(&authority, "tfps.example");
    let good = write(folder.path(), &pair);
    Certificates::load(good.clone()).expect("a pair");
    let text = folder.path().join("text");
    fs::write(&text, "no PEM").expect("written");
    let missing = folder.path().join("missing");
    for path in [&text, &missing] {
        let mut files = [good.clone(), good.clone(), good.clone()];
        files[0].certificate.clone_from(path);
        files[1].key.clone_from(path);
        files[2].client_ca = Some(path.clone());
        for (files, role) in files
            .into_iter()
            .zip([Role::Certificate, Role::Key, Role::ClientCa])
        {
            let error = Certificates::load(files).expect_err("no such thing");
            assert_eq!(error.culprit(), (role, &**path), "{error}");
        }
    }
}
