//! Plays event files into a running system.
#[derive(Debug, clap::Args)]
pub struct ReplayArgs {}
pub fn run(_args: &ReplayArgs) -> anyhow::Result<()> {
    Ok(())
}
