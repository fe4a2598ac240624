//! The demo's flags.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::commands::usage::UsageError;
use crate::domain::Timestamp;

/// The demo: the main job with nothing else installed.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct DemoArgs {
    /// Address of the web page and the API
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Directory of the demo's store
    #[arg(long, value_name = "DIR", default_value = "./data/demo")]
    pub data: PathBuf,
    /// Demo seconds per second
    #[arg(long, value_name = "FACTOR", default_value_t = 60.0, value_parser = speed_factor)]
    pub speed: f64,
    /// Seed of the simulated operator
    #[arg(long, value_name = "NUMBER", default_value_t = 7)]
    pub seed: u64,
    /// Days of history to simulate before going live
    #[arg(long, value_name = "DAYS", default_value_t = 56, value_parser = clap::value_parser!(u32).range(1..=400))]
    pub days: u32,
    /// Instant at which the demo goes live [default: now]
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    pub live_at: Option<Timestamp>,
    /// Instant at which the demo's clock stops [default: never]; it goes on answering. With
    /// --live-at and the same seed, the same demo
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    pub pause_at: Option<Timestamp>,
    /// Throw the stored demo away and start again
    #[arg(long)]
    pub reset: bool,
    /// Listen on other than loopback although the demo has no tokens
    #[arg(long)]
    pub allow_open: bool,
}

fn speed_factor(text: &str) -> Result<f64, String> {
    match text.strip_suffix('x').unwrap_or(text).parse::<f64>() {
        Ok(factor) if factor > 0.0 && factor <= 100_000.0 => Ok(factor),
        _ => Err("use a factor above 0 and up to 100000, such as 60".into()),
    }
}

impl DemoArgs {
    /// Refuses to listen where anyone may come.
    ///
    /// # Errors
    /// [`UsageError`] for an address that is not loopback, unless that is allowed.
    pub fn check(&self) -> Result<(), UsageError> {
        if self.listen.ip().is_loopback() || self.allow_open {
            return Ok(());
        }
        let text = format!(
            "--listen {} is not loopback and the demo has no tokens: anyone who reaches it could use it. \
             Listen on 127.0.0.1, or add --allow-open",
            self.listen
        );
        Err(UsageError(text))
    }
}
