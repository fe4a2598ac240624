//! `[server]` and `[admin]`: addresses, and who may come.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use super::TokenSet;
use crate::config::Reader;
use crate::text::Language;

/// `[server]`: the API and the page.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Base of links in pages, without a `/` at its end; `http://<listen>` where none is given.
    pub public_url: String,
    /// Where other instances reach this one; the address that it listens on where none is given.
    pub advertise: Option<String>,
    /// Where the tokens were read from.
    pub tokens_file: Option<PathBuf>,
    /// Bearer tokens; without them everyone who reaches `listen` may do everything.
    pub tokens: Option<Arc<TokenSet>>,
    /// Whether listening beyond loopback without tokens was asked for.
    pub allow_open: bool,
    /// Of texts that are stored elsewhere or sent, and of answers to those who ask for none.
    pub language: Language,
}

/// `[admin]`: /live, /ready and /metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Whether someone said so, rather than that being the default.
    pub asked_for: bool,
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// Reads both sections. Listening beyond loopback takes tokens, or someone who said that they mean it.
pub fn read(root: &Reader<'_>) -> (Server, Admin) {
    let server = Server::read(root.section("server"));
    let admin = Admin::read(root.section("admin"));
    let open = !root.section("server").has("tokens_file") && !server.allow_open;
    for (name, listen) in [("server", server.listen), ("admin", admin.listen)] {
        if open && !listen.ip().is_loopback() {
            let text = format!(
                "found `{listen}`, which others can reach, and there are no tokens: set \
                 server.tokens_file, listen on 127.0.0.1, or say server.allow_open = true (--allow-open)"
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
        let public_url = section.url("public_url").unwrap_or_else(|| format!("http://{listen}"));
        let advertise = section.url("advertise");
        let (tokens_file, tokens) = tokens(&section).unzip();
        let allow_open = section.flag("allow_open").unwrap_or(false);
        let language = section.parse("language", "use \"en\" or \"zh\"", str::parse::<Language>);
        let language = language.unwrap_or_default();
        section.finish();
        Self { listen, public_url, advertise, tokens_file, tokens, allow_open, language }
    }
}

impl Admin {
    fn read(section: Reader<'_>) -> Self {
        let listen = section.address("listen");
        section.finish();
        Self { listen: listen.unwrap_or(loopback(9464)), asked_for: listen.is_some() }
    }
}

fn tokens(section: &Reader<'_>) -> Option<(PathBuf, Arc<TokenSet>)> {
    let (file, text) = section.file("tokens_file")?;
    match TokenSet::from_toml(&text) {
        Ok(tokens) => Some((file, Arc::new(tokens))),
        Err(error) => {
            section.problem("tokens_file", format!("{}: {error}", file.display()));
            None
        }
    }
}
