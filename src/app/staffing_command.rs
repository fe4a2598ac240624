//! Placeholder.

use std::io::Write;

/// Placeholder.
#[derive(Debug, clap::Args)]
pub struct StaffingArgs {}

/// # Errors
/// Always, in this placeholder.
pub fn run(_args: StaffingArgs, _out: &mut impl Write) -> anyhow::Result<()> {
    anyhow::bail!("the calculator is not wired yet")
}
