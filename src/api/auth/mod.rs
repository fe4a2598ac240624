//! Access control: hosts, origins, tokens. Without tokens everybody on this machine may do everything, under loopback host
//! names only.

mod actor;
mod attempts;
mod guard;
mod hosts;
mod sign_in;
mod tokens;

use std::sync::Arc;

pub use actor::Actor;
pub use attempts::{Attempts, Peer};
pub use guard::guard;
pub use hosts::{Hosts, parse_host};
pub use sign_in::{__path_login, __path_logout, COOKIE, login, logout, page};
pub use tokens::{Scope, TokenSet, Tokens, TokensError};

use axum::http::Method;

/// Access control and sign-in.
#[derive(Clone, Debug)]
pub struct Access {
    pub hosts: Hosts,
    /// The tokens. Without them everyone who reaches the address may do everything.
    pub tokens: Option<Tokens>,
    /// Path in front of all paths of this service: `/surgecast` for `https://noc.example/surgecast`, or empty.
    pub prefix: String,
    /// Whether browsers use HTTPS.
    pub is_secure: bool,
    /// Failed sign-ins that wait for their answer.
    pub attempts: Arc<Attempts>,
}

/// Whether a path needs a token.
pub fn is_guarded(path: &str) -> bool {
    path.starts_with("/api/")
}

/// The scope that a request of a guarded path needs.
pub fn needed(method: &Method, path: &str) -> Scope {
    // They contain customers' texts and ids, and the audit trail.
    let is_private = ["/dead-letters", "/audit", "/outreach"].iter().any(|end| path.ends_with(end));
    match *method {
        Method::GET | Method::HEAD if is_private => Scope::Operate,
        Method::GET | Method::HEAD => Scope::Read,
        Method::POST if path.ends_with("/events") => Scope::Ingest,
        _ => Scope::Operate,
    }
}
