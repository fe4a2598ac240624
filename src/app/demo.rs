//! Placeholder.

use super::cli::DemoArgs;

/// # Errors
/// Always, in this placeholder.
pub fn run(_args: DemoArgs) -> anyhow::Result<()> {
    anyhow::bail!("the demo is not wired yet")
}
