//! What a person gets wrong, and the flags that most commands share.

use std::path::PathBuf;

use clap::Args;
use thiserror::Error;

use crate::app::Settings;
use crate::config::Flags;

/// What the person who typed can put right: exits 64, with this text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Where the configuration comes from, and flags that go before it.
#[derive(Clone, Debug, Args)]
pub struct ConfigArgs {
    /// Config file (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Address of the API and the page (server.listen)
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Address of /live, /ready and /metrics (admin.listen)
    #[arg(long, value_name = "ADDRESS")]
    pub admin_listen: Option<String>,
    /// Directory of the store (store.path), relative to where you are
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Listen on other than loopback without tokens (server.allow_open)
    #[arg(long)]
    pub allow_open: bool,
}

impl ConfigArgs {
    /// Builds the configuration to the end, as every command does that has one.
    ///
    /// # Errors
    /// [`UsageError`] with every problem there is.
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
