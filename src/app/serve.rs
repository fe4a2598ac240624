//! Placeholder.

use super::config::Config;

/// # Errors
/// Always, in this placeholder.
pub fn run(_config: Config) -> anyhow::Result<()> {
    anyhow::bail!("the service is not wired yet")
}
