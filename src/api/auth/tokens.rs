//! Bearer tokens with scopes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use serde::Deserialize;

use crate::domain::unprintable;

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    Read,
    Operate,
    Ingest,
}

impl Scope {
    /// Its name in a tokens file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Ingest => "ingest",
        }
    }
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    name: String,
    scopes: Vec<Scope>,
    token: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    tokens: Vec<Token>,
}

/// The tokens of `server.tokens_file`.
#[derive(Clone)]
pub struct TokenSet(Vec<Token>);

impl fmt::Debug for TokenSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenSet({})", self.0.len())
    }
}

/// Why a tokens file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    #[error("{}", .0.message())]
    Syntax(#[from] toml::de::Error),
    #[error("token {0}: use at least 16 characters")]
    Short(String),
    #[error("token {0}: use visible ASCII characters without `;`, `,`, `\"` and `\\`")]
    Characters(String),
    #[error(
        "a token's name is not usable: use 1 to 100 characters without control characters, because the audit trail shows the name"
    )]
    Name,
    #[error("it contains no token: add [[tokens]] with name, scopes and token")]
    Empty,
}

/// Maximum number of characters of a name.
const NAME_CHARS_MAX: usize = 100;

impl TokenSet {
    /// Reads `[[tokens]]` with `name`, `scopes` (`read`, `operate`, `ingest`) and `token`.
    ///
    /// # Errors
    /// [`TokensError`]; never with a token's text in it.
    pub fn from_toml(text: &str) -> Result<Self, TokensError> {
        let file: File = toml::from_str(text)?;
        let is_name = |name: &str| {
            (1..=NAME_CHARS_MAX).contains(&name.trim().chars().count())
                && !name.chars().any(unprintable)
        };
        if !file.tokens.iter().all(|token| is_name(&token.name)) {
            return Err(TokensError::Name);
        }
        let those = |is_wrong: fn(&str) -> bool| {
            let wrong = file.tokens.iter().filter(|token| is_wrong(&token.token));
            wrong.map(|token| format!("`{}`", token.name)).collect::<Vec<_>>().join(", ")
        };
        let short = those(|token| token.len() < 16);
        if !short.is_empty() {
            return Err(TokensError::Short(short));
        }
        // It has to fit into a header and a cookie.
        let odd = those(|token| {
            !token.bytes().all(|byte| byte.is_ascii_graphic() && !b";,\"\\".contains(&byte))
        });
        if !odd.is_empty() {
            return Err(TokensError::Characters(odd));
        }
        if file.tokens.is_empty() { Err(TokensError::Empty) } else { Ok(Self(file.tokens)) }
    }

    /// Name and scopes of a token. Every token is compared in full, so that the time reveals nothing.
    pub fn find(&self, given: &str) -> Option<(&str, &[Scope])> {
        let mut found = None;
        for token in &self.0 {
            if same(token.token.as_bytes(), given.as_bytes()) {
                found = Some((token.name.trim(), token.scopes.as_slice()));
            }
        }
        found
    }
}

fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |odd, (a, b)| odd | (a ^ b)) == 0
}

/// A tokens file, with the tokens as of now. It is read again when it changes.
#[derive(Clone, Debug)]
pub struct Tokens {
    file: PathBuf,
    now: Arc<RwLock<Arc<TokenSet>>>,
}

impl Tokens {
    /// The tokens of a file, as read from it.
    pub fn new(file: PathBuf, tokens: TokenSet) -> Self {
        Self { file, now: Arc::new(RwLock::new(Arc::new(tokens))) }
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The tokens that are valid now.
    pub fn now(&self) -> Arc<TokenSet> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the file again. Tokens that are gone from it are no longer valid.
    ///
    /// # Errors
    /// Why the file cannot be used: then the tokens stay as they are.
    pub fn reload(&self) -> Result<(), String> {
        let text = std::fs::read_to_string(&self.file).map_err(|error| error.to_string())?;
        let tokens = TokenSet::from_toml(&text).map_err(|error| error.to_string())?;
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tokens);
        Ok(())
    }
}
