//! The command line: what exists, and how an error becomes an exit code.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};
use thiserror::Error;

use super::config::{self, Flags};
use super::service::Role;
use super::{
    backtest_command, check, dead_letters, demo, frontier_command, replay, report_command, serve,
    simulate_command, staffing_command,
};
use crate::domain::Timestamp;
use crate::sink::influx::InfluxClient;

/// `EX_USAGE` of sysexits: wrong flags or a wrong config.
pub const EXIT_USAGE: u8 = 64;

/// What the person who typed can put right: exits 64, with this text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Forecasts ticket surges from network alarms: arrivals with intervals, agents needed, one page in time.
///
/// Without a command it simulates eight weeks of an operator's alarms and tickets, goes on live on a
/// fast clock and serves a web page at http://127.0.0.1:8080.
#[derive(Debug, Parser)]
#[command(
    name = "surgecast",
    version,
    args_conflicts_with_subcommands = true,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    demo: DemoArgs,
}

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
    /// Instant at which the demo goes live [default: now]; with the same seed, the same demo
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    pub live_at: Option<Timestamp>,
    /// Instant at which the demo's clock stops [default: never]; it goes on answering
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    pub pause_at: Option<Timestamp>,
    /// Throw the stored demo away and start again
    #[arg(long)]
    pub reset: bool,
    /// Listen on other than loopback although the demo has no tokens
    #[arg(long)]
    pub allow_open: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service
    Serve(ServeArgs),
    /// Say whether a config would run; connects nowhere unless --connect
    Check(check::CheckArgs),
    /// Say how good forecasts would have been on your own data
    Backtest(backtest_command::BacktestArgs),
    /// Write a simulated operator as event files, with the true arrival rates beside them
    Simulate(simulate_command::SimulateArgs),
    /// Play event files into a running system
    Replay(replay::ReplayArgs),
    /// Look at events that were not counted, and send them again
    #[command(subcommand)]
    DeadLetters(dead_letters::DeadLettersCommand),
    /// Look at how far Kafka's partitions have been counted, and set it
    #[command(subcommand)]
    Frontier(frontier_command::FrontierCommand),
    /// Prepare the servers that a config names
    #[command(subcommand)]
    Setup(SetupCommand),
    /// Write what happened, and how good forecasts were
    #[command(subcommand)]
    Report(report_command::ReportCommand),
    /// Calculate agents from arrivals, handling time and a target
    Staffing(staffing_command::StaffingArgs),
    /// Print the API's OpenAPI description
    Openapi,
    /// Print a completion script for a shell
    Completions {
        /// Shell to write it for
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
enum SetupCommand {
    /// Create the bucket that points are written to
    Influxdb(ConfigArgs),
}

#[derive(Debug, Args)]
struct ServeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Event file to count (NDJSON), followed as it grows; `-` reads standard input. Repeatable
    #[arg(long, value_name = "FILE")]
    input: Vec<PathBuf>,
    /// What this instance does of the work that several share through Kafka
    #[arg(long, value_enum, default_value_t)]
    role: Role,
}

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
    /// Reads and validates all layers.
    ///
    /// # Errors
    /// [`UsageError`] with every problem there is.
    pub fn load(&self) -> Result<config::Config, UsageError> {
        let flags = Flags {
            listen: self.listen.clone(),
            admin_listen: self.admin_listen.clone(),
            data: self.data.clone(),
            allow_open: self.allow_open,
        };
        config::load(&self.config, &flags).map_err(|e| UsageError(e.to_string()))
    }
}

fn speed_factor(text: &str) -> Result<f64, String> {
    match text.strip_suffix('x').unwrap_or(text).parse::<f64>() {
        Ok(factor) if factor > 0.0 && factor <= 100_000.0 => Ok(factor),
        _ => Err("use a factor above 0 and up to 100000, such as 60".into()),
    }
}

/// Runs the program: 0 when all went well, 64 for wrong flags or config, 1 for the rest.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { EXIT_USAGE } else { 0 };
            // With stdout and stderr gone there is nobody left to tell.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "surgecast: {error:#}");
            ExitCode::from(if error.is::<UsageError>() { EXIT_USAGE } else { 1 })
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match cli.command {
        None => {
            // The demo runs on other threads, which print too.
            drop(out);
            refuse_open(&cli.demo)?;
            demo::run(cli.demo)
        }
        Some(Command::Serve(args)) => {
            drop(out);
            let config = args.config.load()?;
            refuse_unsupported(&config)?;
            serve::run(&config, &args.input, args.role)
        }
        Some(Command::Check(args)) => check::run(&args, &mut out),
        Some(Command::Backtest(args)) => backtest_command::run(&args, &mut out),
        Some(Command::Simulate(args)) => {
            drop(out);
            simulate_command::run(args)
        }
        Some(Command::Replay(args)) => {
            drop(out);
            replay::run(&args)
        }
        Some(Command::DeadLetters(command)) => dead_letters::run(&command, &mut out),
        Some(Command::Frontier(command)) => frontier_command::run(&command, &mut out),
        Some(Command::Setup(SetupCommand::Influxdb(args))) => set_up_influxdb(&args, &mut out),
        Some(Command::Report(command)) => report_command::run(&command, &mut out),
        Some(Command::Staffing(args)) => staffing_command::run(args, &mut out),
        Some(Command::Openapi) => {
            writeln!(out, "{}", crate::api::openapi())?;
            Ok(())
        }
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "surgecast", &mut script);
            out.write_all(&script)?;
            Ok(())
        }
    }
}

fn set_up_influxdb(args: &ConfigArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let config = args.load()?;
    let missing = || UsageError(format!("{}: has no [influxdb] section", config.file.display()));
    let settings = config.influxdb.as_ref().ok_or_else(missing)?.settings();
    let done = InfluxClient::new(settings).and_then(|client| client.set_up())?;
    writeln!(out, "{done}")?;
    Ok(())
}

fn refuse_open(demo: &DemoArgs) -> Result<(), UsageError> {
    if demo.listen.ip().is_loopback() || demo.allow_open {
        return Ok(());
    }
    let text = format!(
        "--listen {} is not loopback and the demo has no tokens: anyone who reaches it could use it. \
         Listen on 127.0.0.1, or add --allow-open",
        demo.listen
    );
    Err(UsageError(text))
}

/// What a config may say and this version does not do yet: silence would look like success.
///
/// # Errors
/// [`UsageError`] naming the sections.
pub(super) fn refuse_unsupported(config: &config::Config) -> Result<(), UsageError> {
    let sections = config.unsupported();
    if sections.is_empty() {
        return Ok(());
    }
    let text = format!(
        "{}: {}. This version reads these sections and does not connect to them yet: take them out",
        config.file.display(),
        sections.join(", ")
    );
    Err(UsageError(text))
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_command_is_the_demo() {
        let cli = Cli::try_parse_from(["surgecast", "--speed", "120x", "--reset"]).expect("demo");
        assert!(cli.command.is_none() && cli.demo.reset);
        assert!((cli.demo.speed - 120.0).abs() < 1e-9);
        assert_eq!((cli.demo.seed, cli.demo.days), (7, 56));
        assert!(Cli::try_parse_from(["surgecast", "--speed", "0"]).is_err());
        let open = Cli::try_parse_from(["surgecast", "--listen", "0.0.0.0:80"]).expect("parses");
        assert!(refuse_open(&open.demo).is_err());
    }
}
