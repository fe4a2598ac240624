//! `surgecast simulate`: writes a simulated operator's events to files, together with the true arrival rates.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use indicatif::ProgressBar;

use crate::clock::WallClock;
use crate::commands::usage::{UsageError, whole};
use crate::commands::words::plural;
use crate::domain::{Clock, EventKind, Timestamp};
use crate::output::print;
use crate::simulate::{Family, IncidentKind, Operator, OperatorConfig, QUARTER};

const DAY_MS: i64 = 86_400_000;

/// Flags of `surgecast simulate`.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Directory to write to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Days to simulate
    #[arg(long, value_name = "DAYS", default_value_t = 56, value_parser = whole(1, 400))]
    days: u32,
    /// First day (UTC), such as 2026-01-05 [default: chosen so that the last day is yesterday]
    #[arg(long, value_name = "DATE")]
    start: Option<String>,
    /// Seed of the random numbers. The same seed and start write the same bytes
    #[arg(long, value_name = "NUMBER", default_value_t = 7)]
    seed: u64,
    /// Simulate the operator of the demo, with larger call centres, instead of the small default one
    #[arg(long)]
    like_demo: bool,
    /// Number of tickets, relative to the default operator's (0.01 to 100)
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, allow_hyphen_values = true)]
    volume: f64,
    /// How the complaints after a fault are spread over time: exponential, long-tail, two-humps or rebound
    #[arg(long, value_name = "NAME", default_value_t = Family::Exponential)]
    family: Family,
    /// Overwrite existing files
    #[arg(long)]
    force: bool,
}

const README: &str = "\
A simulated telecom operator, written by `surgecast simulate`.

alarms.ndjson, tickets.ndjson, maintenance.ndjson
    Events in the native format, one per line, in order of arrival.
rates.csv
    region,service,channel,window,rate,rate_without_incidents
    Expected tickets per quarter of an hour: with all incidents, and without them.
incidents.csv
    id,kind,region,service,starts,ends,felt_from,size,has_alarms
    The incidents. felt_from: when customers begin to notice. size: largest excess of tickets, as a multiple of the
    series' average hour; 0 means that no customer noticed. Flapping and harmless incidents raise alarms but no tickets.
";

/// Writes the files.
///
/// # Errors
/// [`UsageError`] for wrong flags; I/O errors otherwise.
pub fn run(args: SimulateArgs) -> anyhow::Result<()> {
    let start = first_day(&args)?;
    if !(0.01..=100.0).contains(&args.volume) {
        return Err(UsageError(format!("--volume {}: use 0.01 to 100", args.volume)).into());
    }
    let mut config = match args.like_demo {
        true => OperatorConfig::demo(args.seed, start),
        false => OperatorConfig::standard(args.seed, start),
    };
    config.volume *= args.volume;
    config.family = args.family;
    let shown = args.out.display();
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot create {shown}"))?;
    let mut operator = Operator::new(config);
    let events = write_events(&mut operator, &args, start)?;
    write_rates(&mut operator, &args, start)?;
    write_incidents(&mut operator, &args, start)?;
    create(&args, "README.txt")?.write_all(README.as_bytes())?;
    let days = plural(args.days, "day", "days");
    print(&format!("wrote {events} events of {days} from {start} to {shown}"));
    Ok(())
}

fn first_day(args: &SimulateArgs) -> Result<Timestamp, UsageError> {
    match &args.start {
        Some(date) => Timestamp::parse(&format!("{date}T00:00:00Z"))
            .map_err(|_| UsageError(format!("--start {date}: use a date, such as 2026-01-05"))),
        None => {
            let today = WallClock.now().millis().div_euclid(DAY_MS);
            Ok(Timestamp::from_millis((today - i64::from(args.days)) * DAY_MS))
        }
    }
}

fn create(args: &SimulateArgs, name: &str) -> anyhow::Result<BufWriter<File>> {
    let path: &Path = &args.out.join(name);
    if path.exists() && !args.force {
        let text = format!("{} exists: add --force to overwrite it", path.display());
        return Err(UsageError(text).into());
    }
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(BufWriter::with_capacity(1 << 18, file))
}

fn write_events(
    operator: &mut Operator,
    args: &SimulateArgs,
    start: Timestamp,
) -> anyhow::Result<u64> {
    let mut alarms = create(args, "alarms.ndjson")?;
    let mut tickets = create(args, "tickets.ndjson")?;
    let mut maintenance = create(args, "maintenance.ndjson")?;
    let hours = i64::from(args.days) * 24;
    let bar = ProgressBar::new(hours.unsigned_abs());
    let first = start.millis() / 3_600_000;
    let mut count = 0;
    for hour in first..first + hours {
        for event in operator.hour(hour) {
            let file = match event.kind {
                EventKind::Alarm => &mut alarms,
                EventKind::Ticket => &mut tickets,
                EventKind::Maintenance => &mut maintenance,
            };
            file.write_all(&event.line)?;
            file.write_all(b"\n")?;
            count += 1;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    for mut file in [alarms, tickets, maintenance] {
        file.flush()?;
    }
    Ok(count)
}

fn write_rates(
    operator: &mut Operator,
    args: &SimulateArgs,
    start: Timestamp,
) -> anyhow::Result<()> {
    let mut file = create(args, "rates.csv")?;
    writeln!(file, "region,service,channel,window,rate,rate_without_incidents")?;
    let series = operator.series().to_vec();
    for quarter in 0..args.days * 96 {
        let window = start + QUARTER * quarter;
        for (key, place) in &series {
            let truth = operator.rate(*place, window);
            writeln!(
                file,
                "{},{},{},{window},{:.4},{:.4}",
                key.region, key.service, key.channel, truth.rate, truth.without_incidents
            )?;
        }
    }
    Ok(file.flush()?)
}

fn write_incidents(
    operator: &mut Operator,
    args: &SimulateArgs,
    start: Timestamp,
) -> anyhow::Result<()> {
    let mut file = create(args, "incidents.csv")?;
    writeln!(file, "id,kind,region,service,starts,ends,felt_from,size,has_alarms")?;
    let first = start.millis().div_euclid(DAY_MS);
    for incident in operator.incidents(first, first + i64::from(args.days)) {
        if incident.kind == IncidentKind::Chatter {
            continue;
        }
        let config = operator.config();
        writeln!(
            file,
            "{},{},{},{},{},{},{},{:.3},{}",
            incident.id,
            incident.kind.as_str(),
            config.regions[incident.region].name,
            config.services[incident.service].name,
            incident.starts,
            incident.ends,
            incident.felt_from,
            incident.size,
            incident.has_alarms
        )?;
    }
    Ok(file.flush()?)
}
