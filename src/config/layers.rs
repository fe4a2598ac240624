//! The layers of a configuration: file, environment and flags. Each value keeps its origin.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Toml};
use figment::value::{Dict, Value};

use super::{ConfigError, Problem, SecretFile};

const ENV_PREFIX: &str = "SURGECAST__";

/// Flags, which override all other layers.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `server.listen`.
    pub listen: Option<String>,
    /// `admin.listen`.
    pub admin_listen: Option<String>,
    /// `store.path`.
    pub data: Option<PathBuf>,
    /// `server.allow_open`.
    pub allow_open: bool,
}

/// Merged layers, not yet checked.
pub struct Layers {
    figment: Figment,
    root: Dict,
    /// The name of the settings, for errors.
    name: String,
    file: Option<PathBuf>,
    /// Files with secrets that were read.
    pub(super) secret_files: RefCell<Vec<SecretFile>>,
}

/// The layer of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    File,
    Environment,
    Flag,
}

impl Layers {
    /// The layers of a config file, the environment and flags.
    ///
    /// # Errors
    /// [`ConfigError`] for a file that cannot be read or is not TOML.
    pub fn of_file(file: &Path, flags: &Flags) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| ConfigError::Unreadable { file: file.to_owned(), error })?;
        let syntax = |text: String| ConfigError::Syntax { file: file.to_owned(), text };
        // figment's message has no line number, so that the toml parser checks the syntax first.
        text.parse::<toml::Table>().map_err(|e| syntax(e.to_string().trim_end().to_owned()))?;
        let name = format!("config {}", file.display());
        let figment = Figment::new().merge(Toml::string(&text));
        Self::merge(figment, flags, name, Some(file)).map_err(|e| syntax(e.to_string()))
    }

    /// The layers of the environment and flags, without a file. `name` is the name of the settings in errors.
    ///
    /// # Errors
    /// [`ConfigError`] for environment variables that do not form tables.
    pub fn without_file(name: &str, flags: &Flags) -> Result<Self, ConfigError> {
        Self::merge(Figment::new(), flags, name.to_owned(), None).map_err(|error| {
            let (key, origin) = (String::from("SURGECAST__…"), "from the environment".into());
            let problems = vec![Problem { key, origin, text: error.to_string() }];
            ConfigError::Invalid { name: name.to_owned(), problems }
        })
    }

    fn merge(
        file: Figment,
        flags: &Flags,
        name: String,
        path: Option<&Path>,
    ) -> Result<Self, Box<figment::Error>> {
        let mut figment = file.merge(Env::prefixed(ENV_PREFIX).split("__"));
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
        let root = match figment.find_value("").map_err(Box::new)? {
            Value::Dict(_, dict) => dict,
            _ => Dict::new(),
        };
        let secret_files = RefCell::default();
        Ok(Self { figment, root, name, file: path.map(Path::to_owned), secret_files })
    }

    /// The name of the settings, for errors.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn root(&self) -> &Dict {
        &self.root
    }

    pub(super) fn origin(&self, value: &Value) -> Origin {
        // figment names its providers: a TOML string, the environment, or a single key and value.
        let layer = self.figment.get_metadata(value.tag()).map_or("", |layer| layer.name.as_ref());
        match layer {
            name if name.contains("environment") => Origin::Environment,
            name if name.starts_with('(') => Origin::Flag,
            _ => Origin::File,
        }
    }

    /// The layer of the value at `path`, in words.
    pub(super) fn origin_text(&self, value: &Value, path: &str) -> String {
        match (self.origin(value), &self.file) {
            (Origin::File, Some(file)) => format!("in {}", file.display()),
            (Origin::File, None) => String::new(),
            (Origin::Flag, _) => "from a flag".into(),
            (Origin::Environment, _) => format!("from environment variable {}", env_name(path)),
        }
    }

    /// Resolves a path: relative to the config file if it is in that file, else relative to the working directory.
    pub(super) fn resolve(&self, value: &Value, path: &str) -> PathBuf {
        match (self.origin(value), self.file.as_ref().and_then(|file| file.parent())) {
            (Origin::File, Some(folder)) => folder.join(path),
            _ => PathBuf::from(path),
        }
    }
}

/// The environment variable that sets the key at `path`.
pub(super) fn env_name(path: &str) -> String {
    format!("{ENV_PREFIX}{}", path.to_uppercase().replace('.', "__"))
}
