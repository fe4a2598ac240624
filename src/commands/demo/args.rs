//! The demo's flags.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::api;
use crate::api::config::{Admin, Server};
use crate::commands::usage::UsageError;
use crate::config::{Flags, Layers};
use crate::domain::Timestamp;
use crate::store::config::StoreConfig;

const DATA: &str = "./data/demo";

/// The demo: the main job with nothing else installed.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct DemoArgs {
    /// Address of the web page and the API [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Address of /live, /ready and /metrics [default: 127.0.0.1:9464, where that is free]
    #[arg(long, value_name = "ADDRESS")]
    pub admin_listen: Option<SocketAddr>,
    /// Directory of the demo's store [default: ./data/demo]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
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
    /// Listen on other than loopback without tokens
    #[arg(long)]
    pub allow_open: bool,
}

fn speed_factor(text: &str) -> Result<f64, String> {
    match text.strip_suffix('x').unwrap_or(text).parse::<f64>() {
        Ok(factor) if factor > 0.0 && factor <= 100_000.0 => Ok(factor),
        _ => Err("use a factor above 0 and up to 100000, such as 60".into()),
    }
}

/// Where the demo listens and what it keeps: flags before the environment, the environment before defaults.
#[derive(Debug)]
pub struct DemoSettings {
    /// `server`: the web page and the API.
    pub server: Server,
    /// `admin`.
    pub admin: Admin,
    /// `store`.
    pub store: StoreConfig,
}

impl DemoArgs {
    /// Reads the sections that a demo has too; there is no file. Refuses to listen where anyone may come.
    ///
    /// # Errors
    /// [`UsageError`] with every problem there is.
    pub fn settings(&self) -> Result<DemoSettings, UsageError> {
        let flags = Flags {
            listen: self.listen.map(|address| address.to_string()),
            admin_listen: self.admin_listen.map(|address| address.to_string()),
            data: self.data.clone(),
            allow_open: self.allow_open,
        };
        let layers = Layers::without_file("settings of the demo", &flags);
        let settings = layers.and_then(|layers| {
            layers.check(|root| {
                let (server, admin) = api::config::read(&root);
                let store = StoreConfig::read(root.section("store"), DATA);
                DemoSettings { server, admin, store }
            })
        });
        settings.map_err(|error| UsageError(error.to_string()))
    }
}
