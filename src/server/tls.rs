//! Certificates of the TLS listener: read from PEM files, and read again when these change.
//!
//! A new pair is taken whole or not at all: while one file of the two is written and the other
//! is not, or when a file is broken, the pair in force stays. Connections that are up keep the
//! certificate they were made with.

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{Error, RootCertStore, ServerConfig};

/// The files, all PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Authorities one of which must have signed a client's certificate; `None`: clients need
    /// none.
    pub client_ca: Option<PathBuf>,
}

/// Files that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds nothing of what it must.
    #[error("{path}: {}", told(*role, .source))]
    Pem {
        /// Which file it was to be.
        role: Role,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// A certificate of the client authorities is none.
    #[error("{path}: {source}")]
    Authority {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Error,
    },
    /// Of the client authorities no list can be made.
    #[error("{path}: {source}")]
    Authorities {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: VerifierBuilderError,
    },
    /// Certificate and key do not belong together.
    #[error("{key} does not belong to the certificate {path}: expected its private key")]
    Mismatch {
        /// The certificate's file.
        path: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// Certificate or key is of a kind that is not served.
    #[error("{path}: {source}")]
    Pair {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong with it.
        source: Error,
    },
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The server's certificate.
    Certificate,
    /// Its private key.
    Key,
    /// Authorities of the clients.
    ClientCa,
}

impl TlsError {
    /// The file at fault, and what it was to be.
    #[must_use]
    pub fn culprit(&self) -> (Role, &Path) {
        match self {
            Self::Pem { role, path, .. } => (*role, path),
            Self::Authority { path, .. } | Self::Authorities { path, .. } => (Role::ClientCa, path),
            Self::Pair { path, .. } => (Role::Certificate, path),
            Self::Mismatch { path, .. } => (Role::Certificate, path),
        }
    }
}

fn told(role: Role, error: &pem::Error) -> String {
    match (error, role) {
        (pem::Error::NoItemsFound, Role::Key) => "no private key in this file".to_owned(),
        (pem::Error::NoItemsFound, _) => "no certificate in this file".to_owned(),
        (pem::Error::Io(error), _) => error.to_string(),
        (error, _) => format!("is no PEM file: {error}"),
    }
}

/// The pair in force.
#[derive(Debug)]
pub struct Certificates {
    files: TlsFiles,
    config: ArcSwap<ServerConfig>,
    seen: Mutex<Stamps>,
}

impl Certificates {
    /// Reads the files.
    ///
    /// # Errors
    /// Which file cannot be used, and why.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        // Before the files are read: a change meanwhile is seen at the next look.
        let seen = Stamps::of(&files);
        let config = read(&files)?;
        Ok(Self {
            files,
            config: ArcSwap::from_pointee(config),
            seen: Mutex::new(seen),
        })
    }

    /// Reads the files again if they changed since the last look; `None`: they did not. A bad
    /// pair changes nothing, and is not looked at again before it changes.
    ///
    /// # Errors
    /// Which file cannot be used, and why.
    pub fn look(&self) -> Option<Result<(), TlsError>> {
        let stamps = Stamps::of(&self.files);
        if std::mem::replace(&mut *self.seen.lock(), stamps.clone()) == stamps {
            return None;
        }
        Some(read(&self.files).map(|config| self.config.store(Arc::new(config))))
    }

    /// What shakes hands with the pair in force.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.load_full())
    }
}

/// What tells a file from the one that was there before, without reading it. A symbolic link
/// stands for the file it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamps(Vec<Option<Stamp>>);

/// Device, inode, seconds and nanoseconds of the last change, length.
type Stamp = (u64, u64, i64, i64, u64);

impl Stamps {
    fn of(files: &TlsFiles) -> Self {
        use std::os::unix::fs::MetadataExt;
        let paths = [
            Some(&files.certificate),
            Some(&files.key),
            files.client_ca.as_ref(),
        ];
        let stamp = |path: &PathBuf| {
            let file = std::fs::metadata(path).ok()?;
            let (secs, nanos) = (file.mtime(), file.mtime_nsec());
            Some((file.dev(), file.ino(), secs, nanos, file.len()))
        };
        Self(paths.into_iter().flatten().map(stamp).collect())
    }
}

fn read(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let chain = certificates(Role::Certificate, &files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|source| TlsError::Pem {
        role: Role::Key,
        path: files.key.clone(),
        source,
    })?;
    let provider = Arc::new(ring::default_provider());
    let paired = |source| match source {
        Error::InconsistentKeys(_) => TlsError::Mismatch {
            path: files.certificate.clone(),
            key: files.key.clone(),
        },
        source => TlsError::Pair {
            path: files.certificate.clone(),
            source,
        },
    };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(paired)?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => builder.with_client_cert_verifier(clients(path, provider)?),
    };
    builder.with_single_cert(chain, key).map_err(paired)
}

/// Accepts clients with a certificate of these authorities, and no others.
fn clients(
    path: &Path,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn tokio_rustls::rustls::server::danger::ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(Role::ClientCa, path)? {
        roots
            .add(certificate)
            .map_err(|source| TlsError::Authority {
                path: path.to_owned(),
                source,
            })?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|source| TlsError::Authorities {
            path: path.to_owned(),
            source,
        })
}

/// All certificates of a file: at least one.
fn certificates(role: Role, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = || {
        let found = CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, _>>()?;
        match found.is_empty() {
            true => Err(pem::Error::NoItemsFound),
            false => Ok(found),
        }
    };
    read().map_err(|source| TlsError::Pem {
        role,
        path: path.to_owned(),
        source,
    })
}
