//! The demo's flags.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::api;
use crate::api::config::{Admin, Server};
use crate::app::Tls;
use crate::commands::usage::{UsageError, whole};
use crate::config::{Flags, Layers, parse_address};
use crate::domain::{Timestamp, read_instant};
use crate::store::config::StoreConfig;

const DATA: &str = "./data/demo";

/// Flags of the demo.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct DemoArgs {
    /// Address of the web page and the API [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    pub listen: Option<SocketAddr>,
    /// Address of /live, /ready and /metrics [default: 127.0.0.1:9464; if that is in
    /// use, the demo runs without them]
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    pub admin_listen: Option<SocketAddr>,
    /// Directory of the demo's store [default: ./data/demo]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Simulated seconds per real second
    #[arg(long, value_name = "FACTOR", default_value_t = 60.0, value_parser = speed_factor, allow_hyphen_values = true)]
    pub speed: f64,
    /// Seed of the simulated operator
    #[arg(long, value_name = "NUMBER", default_value_t = 7)]
    pub seed: u64,
    /// Days of history to simulate
    #[arg(long, value_name = "DAYS", default_value_t = 56, value_parser = whole(1, 400), allow_hyphen_values = true)]
    pub days: u32,
    /// Simulated time at which the history ends and the clock starts [default: now]
    #[arg(long, value_name = "TIME", value_parser = read_instant)]
    pub live_at: Option<Timestamp>,
    /// Simulated time at which the clock stops; the demo still answers requests [default: never].
    /// The same --live-at, --pause-at and --seed give the same demo
    #[arg(long, value_name = "TIME", value_parser = read_instant)]
    pub pause_at: Option<Timestamp>,
    /// Delete the stored demo and start over
    #[arg(long)]
    pub reset: bool,
    /// Allow, without tokens, an address that other machines can reach
    #[arg(long)]
    pub allow_open: bool,
}

fn speed_factor(text: &str) -> Result<f64, String> {
    match text.strip_suffix('x').unwrap_or(text).parse::<f64>() {
        Ok(factor) if factor > 0.0 && factor <= 100_000.0 => Ok(factor),
        _ => Err("use a factor above 0 and up to 100000, such as 60".into()),
    }
}

/// Addresses and store of the demo. Flags override the environment, which overrides the defaults.
#[derive(Debug)]
pub struct DemoSettings {
    /// `server`: the web page and the API.
    pub server: Server,
    /// TLS of `server`.
    pub tls: Option<Tls>,
    /// `admin`.
    pub admin: Admin,
    /// `store`.
    pub store: StoreConfig,
}

impl DemoArgs {
    /// Reads the sections that the demo uses; there is no file. Refuses to listen beyond loopback without tokens.
    ///
    /// # Errors
    /// [`UsageError`] with all problems of the settings.
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
                let tls = Tls::read(&root, &server);
                DemoSettings { server, tls, admin, store }
            })
        });
        settings.map_err(|error| UsageError(error.to_string()))
    }
}
