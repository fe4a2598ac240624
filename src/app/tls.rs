//! TLS for the API. Certificate and key are read again when their files change.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::api::config::{Server, TlsFiles};
use crate::config::Reader;

/// The files, and what was last read from them.
#[derive(Clone)]
pub struct Tls {
    files: TlsFiles,
    now: Arc<RwLock<Arc<ServerConfig>>>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tls").field(&self.files).finish()
    }
}

impl Tls {
    /// The TLS of a configuration. Records a problem if a file cannot be used.
    pub fn read(root: &Reader<'_>, server: &Server) -> Option<Self> {
        match Self::open(server.tls.clone()?) {
            Ok(tls) => Some(tls),
            Err((key, why)) => {
                root.section("server").problem(key, why);
                None
            }
        }
    }

    /// Reads both files.
    ///
    /// # Errors
    /// The key of the configuration, and why its file cannot be used.
    fn open(files: TlsFiles) -> Result<Self, (&'static str, String)> {
        let now = Arc::new(RwLock::new(read(&files)?));
        Ok(Self { files, now })
    }

    /// Reads both files again. New connections use them.
    ///
    /// # Errors
    /// Why they cannot be used: then certificate and key stay as they are.
    pub fn reload(&self) -> Result<(), String> {
        let read = read(&self.files).map_err(|(_, why)| why)?;
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(())
    }

    /// The files that are read.
    pub fn files(&self) -> [PathBuf; 2] {
        [self.files.cert.clone(), self.files.key.clone()]
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone().into()
    }
}

/// # Errors
/// A key of the configuration, and why its file cannot be used.
fn read(files: &TlsFiles) -> Result<Arc<ServerConfig>, (&'static str, String)> {
    let cert = |why: String| ("tls_cert_file", format!("{}: {why}", files.cert.display()));
    let key = |why: String| ("tls_key_file", format!("{}: {why}", files.key.display()));
    let chain = CertificateDer::pem_file_iter(&files.cert).map_err(|e| cert(e.to_string()))?;
    let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(|e| cert(e.to_string()))?;
    if chain.is_empty() {
        return Err(cert("holds no certificate: use PEM, the server's certificate first".into()));
    }
    let private = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|e| key(format!("holds no key ({e}): use PEM without a password")))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
        .map_err(|e| key(format!("cannot be used ({e}): use the key of the certificate")))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
