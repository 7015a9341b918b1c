//! Where a database is and how to reach it: the URL, and TLS.
//!
//! `postgres://user:password@host:port/database?sslmode=…&sslrootcert=…`. What is supported:
//!
//! | sslmode | on a unix socket or loopback | elsewhere |
//! | --- | --- | --- |
//! | (none), `prefer` | plain, or TLS when `sslrootcert` is given | as `require` |
//! | `require`, `verify-full` | TLS | TLS |
//! | `disable` | plain | plain: the operator has said so |
//!
//! TLS always verifies chain and host name, against `sslrootcert=FILE` (PEM) or `sslrootcert=system`, the operating
//! system's bundle; there is no unverified TLS, because it protects against nobody who can sit in the middle.

use postgres::config::{Host, SslMode};
use postgres::{Client, Config, NoTls};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres_rustls::MakeRustlsConnect;
use wolke_domain::{Error, Result};

/// How long a connection may take to be made, unless the URL says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection may be silent before the kernel asks whether the other end is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// Where operating systems keep their certificates.
const SYSTEM_BUNDLES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// A parsed URL.
pub(crate) struct Target {
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl Target {
    /// Reads a URL and, where TLS is wanted, the certificates to trust.
    ///
    /// # Errors
    /// Internal, with what is wrong; the URL itself is not repeated, since it may hold a password.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let (url, settings) = split_tls_settings(url);
        let mut config: Config = url.parse().map_err(|e| Error::internal(format!("the database URL: {e}")))?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        config.keepalives_idle(KEEPALIVE_IDLE);
        if config.get_application_name().is_none() {
            config.application_name("wolke");
        }
        let tls = match wants_tls(&config, &settings)? {
            true => Some(connector(settings.root.as_deref())?),
            false => None,
        };
        config.ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
        Ok(Self { config, tls })
    }

    /// Makes a connection. Must not be called on a thread of an async runtime.
    pub(crate) fn connect(&self) -> std::result::Result<Client, postgres::Error> {
        match &self.tls {
            Some(tls) => self.config.connect(tls.clone()),
            None => self.config.connect(NoTls),
        }
    }
}

/// The settings that the client library does not know, or not in this meaning.
#[derive(Default)]
struct TlsSettings {
    mode: Option<String>,
    root: Option<PathBuf>,
}

fn split_tls_settings(url: &str) -> (String, TlsSettings) {
    let mut settings = TlsSettings::default();
    let Some((base, query)) = url.split_once('?') else { return (url.to_owned(), settings) };
    let mut rest = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", value)) => settings.mode = Some(value.to_owned()),
            Some(("sslrootcert", value)) => settings.root = Some(PathBuf::from(value.replace("%2F", "/"))),
            _ => rest.push(pair),
        }
    }
    (if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) }, settings)
}

fn wants_tls(config: &Config, settings: &TlsSettings) -> Result<bool> {
    match settings.mode.as_deref() {
        Some("disable") => Ok(false),
        Some("require" | "verify-full") => Ok(true),
        None | Some("prefer") => Ok(settings.root.is_some() || !config.get_hosts().iter().all(is_local)),
        Some(other) => Err(Error::internal(format!("the database URL: sslmode={other} is not supported"))),
    }
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()),
    }
}

fn connector(root: Option<&Path>) -> Result<MakeRustlsConnect> {
    let file = match root {
        Some(path) if path.as_os_str() == "system" => {
            SYSTEM_BUNDLES.iter().map(Path::new).find(|path| path.is_file()).ok_or_else(|| {
                Error::internal("sslrootcert=system: this system has no certificate bundle where one was looked for")
            })?
        }
        Some(path) => path,
        None => {
            return Err(Error::internal(
                "the database is not on this machine: add sslrootcert=FILE (or sslrootcert=system) to its URL, or \
                 sslmode=disable to speak in clear",
            ));
        }
    };
    let fail = |e: &dyn std::fmt::Display| Error::internal(format!("sslrootcert {}: {e}", file.display()));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|e| fail(&e))? {
        roots.add(certificate.map_err(|e| fail(&e))?).map_err(|e| fail(&e))?;
    }
    if roots.is_empty() {
        return Err(fail(&"holds no certificate"));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| fail(&e))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn plain_only_at_home() {
        for plain in [
            "postgres://a@127.0.0.1:1/b",
            "postgres://a@localhost/b?sslmode=prefer",
            "postgres://a@%2Frun%2Fpg/b?application_name=x",
            "postgres://a@db.example.com/b?sslmode=disable",
        ] {
            assert!(Target::parse(plain).unwrap().tls.is_none(), "{plain}");
        }
        for refused in [
            "postgres://a:secret@db.example.com/b",
            "postgres://a:secret@db.example.com/b?sslmode=require",
            "postgres://a:secret@127.0.0.1/b?sslmode=require&sslrootcert=/does/not/exist",
            "postgres://a:secret@127.0.0.1/b?sslmode=allow",
            "mysql://a:secret@127.0.0.1/b",
        ] {
            let error = Target::parse(refused).err().map(|e| e.to_string()).unwrap();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
