//! Fuzz tests of the input files.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use clap::Parser;

use super::args::BacktestArgs;
use super::context::Context;
use super::counts;
use super::options::Options;
use crate::commands::usage::UsageError;
use crate::domain::fuzz::fuzz;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: BacktestArgs,
}

/// Mutates a file that `flag` names; every error names the file.
fn file(
    flag: &str,
    samples: &[&str],
    read: impl Fn(&BacktestArgs, &Options, &Path) -> Result<(), UsageError>,
) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file.csv");
    let shown = path.display().to_string();
    let mut words = vec!["backtest", flag, &shown, "--tz", "Europe/London"];
    if flag != "--input" {
        words.extend(["--input", "-"]);
    }
    let args = Cli::try_parse_from(words).expect("flags").args;
    let options = Options::from_args(&args).expect("flags");
    // Opened once: some file systems sync each newly created file.
    let mut file = File::create(&path).expect("a file");
    fuzz(flag, samples, |bytes| {
        file.rewind().and_then(|()| file.write_all(bytes)).expect("written");
        file.set_len(bytes.len() as u64).expect("cut");
        match read(&args, &options, &path) {
            Ok(()) => true,
            Err(UsageError(text)) => {
                assert!(text.contains(&shown), "{text}");
                false
            }
        }
    });
}

#[test]
fn counts() {
    let samples = [
        "series,ts,y\na,2026-03-29 00:30:00,3\na,2026-03-29 02:00:00,\na,2026-03-29T01:30:00Z,2\n",
        "ts,y,note\n2026-01-01T00:00:00Z,1.5,\"a,b\"\n2026-01-01T00:15:00Z,0,\n2026-01-01T00:30:00Z,7,x\n",
    ];
    file("--input", &samples, |_, options, path| {
        counts::read(path, options, &mut Vec::new()).map(drop)
    });
}

#[test]
fn calendars() {
    let sample = "date,kind,detail\n2026-01-01,holiday,New Year\n2026-02-14,working_day,\n";
    file("--calendar", &[sample], |args, options, _| {
        Context::read(args, options.zone, Duration::ZERO, &mut Vec::new()).map(drop)
    });
}

#[test]
fn alarms() {
    let sample = "raised_at,cleared_at,region,service,severity,device,type\n\
        2026-01-01T00:00:00Z,2026-01-01 05:00:00,north,tv,major,OLT-17,lossOfSignal\n\
        2026-01-01T01:00:00Z,,north,tv,critical,,\n";
    file("--alarms", &[sample], |args, options, _| {
        Context::read(args, options.zone, Duration::ZERO, &mut Vec::new()).map(drop)
    });
}

#[test]
fn planned_work() {
    let sample = "announced_at,starts_at,ends_at,region,service\n\
        2026-01-01T00:00:00Z,2026-01-02 16:00:00,2026-01-02 20:00:00,north,\n";
    file("--maintenance", &[sample], |args, options, _| {
        Context::read(args, options.zone, Duration::ZERO, &mut Vec::new()).map(drop)
    });
}
