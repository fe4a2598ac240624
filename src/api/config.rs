//! `[server]` and `[admin]`: addresses and access control.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use super::auth::{Access, Attempts, Hosts, TokenSet, Tokens, parse_host};
use crate::config::Reader;
use crate::text::Language;

/// Default of `connections`.
const CONNECTIONS_MAX: usize = 512;

/// `[server]`: the API and the page.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Base of links in pages, without a `/` at its end; `http://<listen>` where none is given.
    pub public_url: String,
    /// URL at which other instances reach this one; default: the listen address.
    pub advertise: Option<String>,
    /// Bearer tokens; without them everyone who reaches `listen` may do everything.
    pub tokens: Option<Tokens>,
    /// TLS for `listen`; plain HTTP without.
    pub tls: Option<TlsFiles>,
    /// Connections at a time.
    pub connections_max: usize,
    /// Further hosts under which it may be reached.
    pub allowed_hosts: Vec<String>,
    /// Whether listening beyond loopback without tokens is allowed.
    pub allow_open: bool,
    /// Language of texts that are stored elsewhere or sent, and default language of answers.
    pub language: Language,
}

/// Files of a certificate chain and its key, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// `[admin]`: /live, /ready and /metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Whether the address was configured, not the default.
    pub asked_for: bool,
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// Reads both sections. Listening beyond loopback needs tokens or `allow_open`.
pub fn read(root: &Reader<'_>) -> (Server, Admin) {
    let server = Server::read(root.section("server"));
    let admin = Admin::read(root.section("admin"));
    let open = !root.section("server").has("tokens_file") && !server.allow_open;
    for (name, listen) in [("server", server.listen), ("admin", admin.listen)] {
        if open && !listen.ip().is_loopback() {
            let text = format!(
                "found `{listen}`, which other machines can reach, and there are no tokens: set \
                 server.tokens_file, listen on 127.0.0.1, or set server.allow_open = true (--allow-open)"
            );
            root.section(name).problem("listen", text);
        }
    }
    if server.listen == admin.listen && server.listen.port() != 0 {
        let text =
            format!("found `{}`, which server.listen uses: choose another port", admin.listen);
        root.section("admin").problem("listen", text);
    }
    (server, admin)
}

impl Server {
    fn read(section: Reader<'_>) -> Self {
        let listen = section.address("listen").unwrap_or(loopback(8080));
        let tls = tls_files(&section);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let public_url =
            section.url("public_url").unwrap_or_else(|| format!("{scheme}://{listen}"));
        let connections_max = section.count("connections", 16..=65_536).unwrap_or(CONNECTIONS_MAX);
        let advertise = section.url("advertise");
        let tokens = tokens(&section);
        let allowed_hosts = allowed_hosts(&section);
        let allow_open = section.flag("allow_open").unwrap_or(false);
        let language = section.parse("language", "use \"en\" or \"zh\"", str::parse::<Language>);
        let language = language.unwrap_or_default();
        section.finish();
        Self {
            listen,
            public_url,
            advertise,
            tokens,
            tls,
            connections_max,
            allowed_hosts,
            allow_open,
            language,
        }
    }

    /// Access control.
    pub fn access(&self) -> Access {
        let Self { public_url, advertise, tokens, allowed_hosts, .. } = self;
        let has_tokens = tokens.is_some();
        Access {
            hosts: Hosts::new(allowed_hosts, public_url, advertise.as_deref(), has_tokens),
            tokens: tokens.clone(),
            prefix: path_of(public_url),
            is_secure: self.tls.is_some() || public_url.starts_with("https:"),
            attempts: Arc::new(Attempts::default()),
        }
    }
}

impl Admin {
    fn read(section: Reader<'_>) -> Self {
        let listen = section.address("listen");
        section.finish();
        Self { listen: listen.unwrap_or(loopback(9464)), asked_for: listen.is_some() }
    }
}

fn tokens(section: &Reader<'_>) -> Option<Tokens> {
    let (file, text) = section.secret_file("tokens_file")?;
    match TokenSet::from_toml(&text) {
        Ok(tokens) => Some(Tokens::new(file, tokens)),
        Err(error) => {
            section.problem("tokens_file", format!("{}: {error}", file.display()));
            None
        }
    }
}

/// The files of `tls_cert_file` and `tls_key_file`: both, or none.
fn tls_files(section: &Reader<'_>) -> Option<TlsFiles> {
    let cert = section.file("tls_cert_file").map(|(path, _)| path);
    let key = section.secret_file("tls_key_file").map(|(path, _)| path);
    for (is_there, other) in [("tls_cert_file", "tls_key_file"), ("tls_key_file", "tls_cert_file")]
    {
        if section.has(is_there) {
            section.missing(other, &format!("server.{is_there} needs it"));
        }
    }
    cert.zip(key).map(|(cert, key)| TlsFiles { cert, key })
}

fn allowed_hosts(section: &Reader<'_>) -> Vec<String> {
    let given = section.list("allowed_hosts", "use host names, such as [\"noc.example\"]");
    let read = |text: &String| match parse_host(text) {
        Ok(host) => Some(host),
        Err(why) => {
            section.problem("allowed_hosts", why);
            None
        }
    };
    given.unwrap_or_default().iter().filter_map(read).collect()
}

/// The path of a URL, without a `/` at its end.
fn path_of(url: &str) -> String {
    let path = reqwest::Url::parse(url).map(|url| url.path().to_owned()).unwrap_or_default();
    path.trim_end_matches('/').to_owned()
}
