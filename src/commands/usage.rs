//! Usage errors, and the flags that most commands share.

use std::path::PathBuf;

use clap::Args;
use thiserror::Error;

use crate::app::Settings;
use crate::config::Flags;

/// An error in the command line or the config, which its writer can correct. The program exits with 64 and this text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// A parser of whole numbers from `least` to `most`.
pub fn whole(
    least: u32,
    most: u32,
) -> impl Fn(&str) -> Result<u32, String> + Clone + Send + Sync + 'static {
    move |text: &str| match text.parse::<u32>() {
        Ok(n) if (least..=most).contains(&n) => Ok(n),
        _ => Err(format!("use a whole number from {least} to {most}")),
    }
}

/// The config file, and flags that override it.
#[derive(Clone, Debug, Args)]
pub struct ConfigArgs {
    /// Config file (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Address of the API and the web page, such as 127.0.0.1:8080 (server.listen)
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Address of /live, /ready and /metrics, such as 127.0.0.1:9464 (admin.listen)
    #[arg(long, value_name = "ADDRESS")]
    pub admin_listen: Option<String>,
    /// Directory of the store (store.path), relative to the current directory
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Allow, without tokens, an address that other machines can reach (server.allow_open)
    #[arg(long)]
    pub allow_open: bool,
}

impl ConfigArgs {
    /// Loads and checks the whole configuration.
    ///
    /// # Errors
    /// [`UsageError`] with all problems of the configuration.
    pub fn load(&self) -> Result<Settings, UsageError> {
        let flags = Flags {
            listen: self.listen.clone(),
            admin_listen: self.admin_listen.clone(),
            data: self.data.clone(),
            allow_open: self.allow_open,
        };
        Settings::load(&self.config, &flags).map_err(|e| UsageError(e.to_string()))
    }
}
