//! What the layers said, each value with where it came from.

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Toml};
use figment::value::{Dict, Value};

use super::ConfigError;

const ENV_PREFIX: &str = "SURGECAST__";

/// Flags that go before every other layer.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    pub listen: Option<String>,
    pub admin_listen: Option<String>,
    pub data: Option<PathBuf>,
    pub allow_open: bool,
}

/// Merged layers, not yet checked.
pub(super) struct RawConfig {
    figment: Figment,
    root: Dict,
    pub(super) file: PathBuf,
}

/// The layer a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    File,
    Environment,
    Flag,
}

impl RawConfig {
    pub(super) fn read(file: &Path, flags: &Flags) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| ConfigError::Unreadable { file: file.to_owned(), error })?;
        let syntax = |text: String| ConfigError::Syntax { file: file.to_owned(), text };
        // figment's own message has no line: ask the parser that gives one first.
        text.parse::<toml::Table>().map_err(|e| syntax(e.to_string().trim_end().to_owned()))?;
        let mut figment =
            Figment::new().merge(Toml::string(&text)).merge(Env::prefixed(ENV_PREFIX).split("__"));
        let data = flags.data.as_ref().map(|path| path.to_string_lossy().into_owned());
        for (key, value) in [
            ("server.listen", &flags.listen),
            ("admin.listen", &flags.admin_listen),
            ("store.path", &data),
        ] {
            if let Some(value) = value {
                figment = figment.merge((key, value));
            }
        }
        if flags.allow_open {
            figment = figment.merge(("server.allow_open", true));
        }
        let root = match figment.find_value("").map_err(|e| syntax(e.to_string()))? {
            Value::Dict(_, dict) => dict,
            _ => Dict::new(),
        };
        Ok(Self { figment, root, file: file.to_owned() })
    }

    pub(super) fn root(&self) -> &Dict {
        &self.root
    }

    pub(super) fn origin(&self, value: &Value) -> Origin {
        // figment names its providers: a string of TOML, the environment, a single key and value.
        let layer = self.figment.get_metadata(value.tag()).map_or("", |layer| layer.name.as_ref());
        match layer {
            name if name.contains("environment") => Origin::Environment,
            name if name.starts_with('(') => Origin::Flag,
            _ => Origin::File,
        }
    }

    /// The layer in words, for the key at `path`.
    pub(super) fn origin_text(&self, value: &Value, path: &str) -> String {
        match self.origin(value) {
            Origin::File => format!("in {}", self.file.display()),
            Origin::Flag => "from a flag".into(),
            Origin::Environment => format!("from environment variable {}", env_name(path)),
        }
    }

    /// A path relative to the file that names it; from elsewhere relative to the working directory.
    pub(super) fn resolve(&self, value: &Value, path: &str) -> PathBuf {
        match (self.origin(value), self.file.parent()) {
            (Origin::File, Some(folder)) => folder.join(path),
            _ => PathBuf::from(path),
        }
    }
}

/// The variable that sets the key at `path`.
pub(super) fn env_name(path: &str) -> String {
    format!("{ENV_PREFIX}{}", path.to_uppercase().replace('.', "__"))
}
