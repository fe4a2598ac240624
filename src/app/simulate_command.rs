//! Placeholder.

/// Placeholder.
#[derive(Debug, clap::Args)]
pub struct SimulateArgs {}

/// # Errors
/// Always, in this placeholder.
pub fn run(_args: SimulateArgs) -> anyhow::Result<()> {
    anyhow::bail!("the simulator is not wired yet")
}
