//! `surgecast forget`: removes customers' texts and ids from the store of a stopped service.

use std::io::Write;

use clap::{ArgGroup, Args};

use crate::clock::WallClock;
use crate::commands::usage::{ConfigArgs, UsageError};
use crate::commands::words::plural;
use crate::domain::{Clock as _, Timestamp, read_instant};
use crate::store::{Forget, Forgotten, forget};

/// Minimum length of the text. Fewer characters would match nearly everything.
const CHARS_MIN: usize = 4;

/// Flags of `surgecast forget`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true))]
pub struct ForgetArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Remove a customer's data: all stored texts and ids that contain this text, such as an id, a name or a number. Write it as in the events. Counts stay
    #[arg(long, value_name = "TEXT", group = "what")]
    customer: Option<String>,
    /// Remove all customers' texts and ids that were received before this time. Counts stay
    #[arg(long, value_name = "TIME", group = "what", value_parser = read_instant)]
    before: Option<Timestamp>,
}

/// Removes the data and prints what was removed.
///
/// # Errors
/// [`UsageError`] for a text that is too short; errors of the store, such as that the service uses it.
pub fn run(args: &ForgetArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let what = match (&args.customer, args.before) {
        (Some(text), _) if text.trim().chars().count() < CHARS_MIN => {
            let text = format!("--customer: use at least {CHARS_MIN} characters");
            return Err(UsageError(text).into());
        }
        (Some(text), _) => Forget::Customer(text.trim().to_owned()),
        (None, Some(at)) => Forget::Before(at),
        (None, None) => return Err(UsageError("add --customer or --before".into()).into()),
    };
    let config = args.config.load()?;
    let key = config.customer_key();
    let done = forget(&config.store.path, config.windows.width, &what, key, WallClock.now())?;
    let Forgotten { dead_letters, phrases, events, tickets } = done;
    let dead_letters = plural(dead_letters, "dead letter", "dead letters");
    writeln!(out, "removed {dead_letters} and {}", plural(phrases, "phrase", "phrases"))?;
    writeln!(out, "removed the customer of {}", plural(tickets, "ticket", "tickets"))?;
    if args.customer.is_some() {
        let events = plural(events, "event that waits", "events that wait");
        writeln!(out, "replaced the text by * in {events} to be counted")?;
    }
    if config.kafka.is_some() {
        writeln!(out, "topics in Kafka are not changed: delete records there yourself")?;
    }
    Ok(())
}
