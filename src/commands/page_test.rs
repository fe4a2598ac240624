//! `surgecast page-test`: sends a test page to one receiver, and says what it answered.

use std::io::Write;

use clap::Args;

use crate::alert::{NotificationKind, test_page};
use crate::clock::WallClock;
use crate::commands::usage::{ConfigArgs, UsageError};
use crate::domain::{Clock, Name, Scope};

/// Flags of `surgecast page-test`.
#[derive(Debug, Args)]
pub struct PageTestArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Name of the receiver in the config
    name: String,
}

/// Sends a page that says that it is a test, then one that says that it is over. Rules, regions and duty hours of the receiver
/// do not matter.
///
/// # Errors
/// [`UsageError`] for a wrong config or name; another error if the receiver did not take the page.
pub fn run(args: &PageTestArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let receivers = args.config.load()?.alerts.receivers;
    let names: Vec<String> = receivers.iter().map(|one| one.name.to_string()).collect();
    let found = receivers.into_iter().find(|one| one.name.as_str() == args.name);
    let missing = || match names.as_slice() {
        [] => UsageError("the config has no receivers: add [[alerts.receivers]]".into()),
        some => {
            UsageError(format!("no receiver is called `{}`: use {}", args.name, some.join(", ")))
        }
    };
    let found = found.ok_or_else(missing)?;
    let name = Name::new("test").map_err(|error| anyhow::anyhow!("{error}"))?;
    let (scope, now) = (Scope { region: name.clone(), service: name }, WallClock.now());
    for kind in [NotificationKind::Firing, NotificationKind::Resolved] {
        let page = test_page(&scope, kind, now);
        if let Err(refusal) = found.receiver.deliver(&page, now).result {
            anyhow::bail!("{} ({}) did not take the page: {}", found.name, found.kind, refusal.why);
        }
    }
    writeln!(
        out,
        "{} ({}) took a test page, and the page that the test is over",
        found.name, found.kind
    )?;
    Ok(())
}
