//! The command line: its commands, and the exit code of each error.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use super::{
    audit, backtest, backup, check, dead_letters, demo, forget, frontier, import, man, page_test,
    pages, replay, report, serve, silence, simulate, staffing, version,
};
use crate::app::Role;
use crate::commands::demo::DemoArgs;
use crate::commands::usage::{ConfigArgs, UsageError};
use crate::output::influxdb::InfluxClient;

/// Exit code for wrong flags or a wrong config: `EX_USAGE` of `sysexits.h`.
pub const EXIT_USAGE: u8 = 64;

/// Forecasts ticket surges from network alarms: how many tickets will arrive and how many agents are needed. Pages the
/// shift lead while there is time to act.
///
/// Without a command it runs the demo: it simulates eight weeks of an operator's alarms and tickets, then continues with
/// a clock that runs 60 times as fast as real time, and serves a web page at http://127.0.0.1:8080.
#[derive(Debug, Parser)]
#[command(
    name = "surgecast",
    version,
    long_version = version::long(),
    args_conflicts_with_subcommands = true,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    demo: DemoArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service
    Serve(ServeArgs),
    /// Check a config; connects to nothing unless --connect is given
    Check(check::CheckArgs),
    /// Measure how accurate forecasts would have been on your own data
    Backtest(backtest::BacktestArgs),
    /// Write a simulated operator's events to files, together with the true arrival rates
    Simulate(simulate::SimulateArgs),
    /// Send event files to a running system
    Replay(replay::ReplayArgs),
    /// List events that were not counted, and send them again
    #[command(subcommand)]
    DeadLetters(dead_letters::DeadLettersCommand),
    /// List pages and whether they were delivered, and send undelivered pages again
    #[command(subcommand)]
    Pages(pages::PagesCommand),
    /// Hold back the pages of alerts for a while
    #[command(subcommand)]
    Silence(silence::SilenceCommand),
    /// Send a test page to one receiver of a config
    PageTest(page_test::PageTestArgs),
    /// Show who changed what
    Audit(audit::AuditArgs),
    /// Copy the store to a folder while the service runs
    Backup(backup::BackupArgs),
    /// Remove customers' texts and ids from the store of a stopped service
    Forget(forget::ForgetArgs),
    /// Show up to which offset each Kafka partition has been counted, and change that offset
    #[command(subcommand)]
    Frontier(frontier::FrontierCommand),
    /// Prepare the server of InfluxDB that a config names: create the bucket and its mapping for InfluxQL
    #[command(subcommand)]
    Setup(SetupCommand),
    /// Write a report: what happened, and how accurate forecasts were
    #[command(subcommand)]
    Report(report::ReportCommand),
    /// Send a roster, or past tickets and alarms, to a running system
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Calculate the agents needed for arrivals, handling time and a service target
    Staffing(staffing::StaffingArgs),
    /// Print the API's OpenAPI description
    Openapi,
    /// Print a completion script for a shell
    Completions {
        /// Shell that will run the script
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write those of all commands
    Man(man::ManArgs),
}

#[derive(Debug, Subcommand)]
enum SetupCommand {
    /// Create the bucket for surgecast's points and its mapping for InfluxQL; with --tokens, also create tokens
    Influxdb(SetupInfluxdbArgs),
}

#[derive(Debug, Args)]
struct SetupInfluxdbArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Also create a token that may only write to the bucket and one that may only read it, as files in this folder
    #[arg(long, value_name = "FOLDER")]
    tokens: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ServeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Event file to count (NDJSON), followed as it grows; `-` is standard input. Repeatable
    #[arg(long, value_name = "FILE")]
    input: Vec<PathBuf>,
    /// What this instance does, if several instances share the work through Kafka
    #[arg(long, value_enum, default_value_t)]
    role: Role,
}

/// Runs the program. Exit code: 0 for success, 64 for wrong flags or config, 1 for any other error.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { EXIT_USAGE } else { 0 };
            // If standard output and standard error are closed, no message is possible.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "surgecast: {}", told(&error));
            ExitCode::from(if error.is::<UsageError>() { EXIT_USAGE } else { 1 })
        }
    }
}

/// An error and its causes, up to the first cause that the text before it contains.
fn told(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if text.contains(&cause) {
            break;
        }
        text = format!("{text}: {cause}");
    }
    text
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match cli.command {
        None => {
            // The demo prints from other threads too.
            drop(out);
            demo::run(cli.demo)
        }
        Some(Command::Serve(args)) => {
            drop(out);
            serve::run(args.config.load()?, &args.input, args.role)
        }
        Some(Command::Check(args)) => check::run(&args, &mut out),
        Some(Command::Backtest(args)) => backtest::run(&args, &mut out),
        Some(Command::Simulate(args)) => {
            drop(out);
            simulate::run(args)
        }
        Some(Command::Replay(args)) => {
            drop(out);
            replay::run(&args)
        }
        Some(Command::DeadLetters(command)) => dead_letters::run(&command, &mut out),
        Some(Command::Pages(command)) => pages::run(&command, &mut out),
        Some(Command::Silence(command)) => silence::run(&command, &mut out),
        Some(Command::PageTest(args)) => page_test::run(&args, &mut out),
        Some(Command::Audit(args)) => audit::run(&args, &mut out),
        Some(Command::Backup(args)) => backup::run(&args, &mut out),
        Some(Command::Forget(args)) => forget::run(&args, &mut out),
        Some(Command::Frontier(command)) => frontier::run(&command, &mut out),
        Some(Command::Setup(SetupCommand::Influxdb(args))) => set_up_influxdb(&args, &mut out),
        Some(Command::Report(command)) => report::run(&command, &mut out),
        Some(Command::Import(command)) => import::run(&command, &mut out),
        Some(Command::Staffing(args)) => staffing::run(args, &mut out),
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
        Some(Command::Man(args)) => man::run(&args, Cli::command(), &mut out),
    }
}

fn set_up_influxdb(args: &SetupInfluxdbArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let config = args.config.load()?;
    let missing =
        || UsageError(format!("{}: there is no [influxdb] section", config.file.display()));
    let settings = config.influxdb.clone().ok_or_else(missing)?;
    let client = InfluxClient::new(settings)?;
    writeln!(out, "{}", client.set_up()?)?;
    if let Some(folder) = &args.tokens {
        writeln!(out, "{}", client.make_tokens(folder)?)?;
    }
    Ok(())
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
        assert!(open.demo.settings().is_err());
    }
}
