//! Reports that names beyond `limits.series` are counted under another name: in a metric, in one log line, and in `/ready`.

use std::time::Duration;

use crate::domain::Timestamp;
use crate::telemetry::Metrics;
use crate::window::{Beyond, BeyondTally};

/// How long after the last such event it is shown.
const SHOWN_FOR: Duration = Duration::from_secs(3600);

/// The last events that were counted under another name.
#[derive(Debug, Default)]
pub struct BeyondLimit {
    last: Option<(Timestamp, String)>,
}

impl BeyondLimit {
    /// Takes the events since the last call. Logs the first ones after a quiet hour.
    pub fn take(&mut self, tally: &BeyondTally, max: usize, metrics: &Metrics, now: Timestamp) {
        for (reason, events) in &tally.events {
            metrics.beyond_limit(reason.as_str(), *events);
        }
        let counted = tally.events.iter().filter(|(_, events)| **events > 0);
        let Some((reason, _)) = counted.max_by_key(|(_, events)| **events) else { return };
        let text = explained(*reason, max, tally);
        if self.reason(now).is_none() {
            tracing::error!("series: {text}");
        }
        self.last = Some((now, text));
    }

    /// Why events are counted under another name, if there were any in the last hour.
    pub fn reason(&self, now: Timestamp) -> Option<&str> {
        let (at, text) = self.last.as_ref()?;
        (now.since(*at) < SHOWN_FOR).then_some(text)
    }
}

fn explained(reason: Beyond, max: usize, tally: &BeyondTally) -> String {
    let what = match reason {
        Beyond::Series => format!("limits.series ({max}) is reached by ticket series"),
        Beyond::Scopes => {
            format!("limits.series ({max}) is reached by regions and services of alarms")
        }
        Beyond::Window => "a source has too many names in one window".to_owned(),
    };
    let example = tally.example.as_ref().map(|key| format!(" (such as {key})")).unwrap_or_default();
    format!(
        "{what}: events of further names{example} are counted under the region `_other`: correct the mapping that makes \
         these names, or raise limits.series"
    )
}
