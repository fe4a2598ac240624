//! What changed, as points for InfluxDB.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::client::{InfluxClient, InfluxSettings, SetupProblem};
use super::points::{self, Line};
use crate::domain::{SeriesKey, Timestamp};
use crate::forecast::surge::{SURGE_LEADS, lead_minutes};
use crate::output::sink::{Sink, Trouble, Written};
use crate::staffing::{Outlook, Plan};
use crate::store::sums::surges;
use crate::store::{Change, Filter, Reader, Served, StoreError};
use crate::text::Texts;

/// A bucket.
pub struct InfluxSink {
    client: InfluxClient,
    /// Base of links.
    public_url: String,
    /// Of the texts that points hold.
    texts: Texts,
}

impl Sink for InfluxSink {
    const NAME: &'static str = "influxdb";

    fn probe(&mut self) -> Result<(), Trouble> {
        self.client.probe()
    }

    fn write(
        &mut self,
        reader: &Reader,
        changes: &[Change],
    ) -> Result<(usize, Written), StoreError> {
        let lines = self.gather(reader, changes)?;
        Ok((lines.len(), self.client.write(&lines)))
    }
}

impl InfluxSink {
    /// A sink that writes texts and links as given.
    ///
    /// # Errors
    /// If the TLS set-up of this machine cannot be used.
    pub fn new(
        settings: InfluxSettings,
        public_url: String,
        texts: Texts,
    ) -> Result<Self, SetupProblem> {
        Ok(Self { client: InfluxClient::new(settings)?, public_url, texts })
    }

    fn gather(&self, reader: &Reader, changes: &[Change]) -> Result<Vec<Line>, StoreError> {
        let (mut windows, mut issues) = (BTreeSet::new(), BTreeSet::new());
        let mut nowcasts = false;
        let mut lines = Vec::new();
        for change in changes {
            match change {
                Change::Window(start) => _ = windows.insert(*start),
                Change::Issue(at) => _ = issues.insert(*at),
                Change::Anomalies(start) => {
                    let found = reader.anomalies_at(*start)?;
                    let line = |anomaly| points::anomaly(anomaly, &self.texts);
                    lines.extend(found.iter().filter_map(line));
                }
                Change::Nowcast(_) => nowcasts = true,
                Change::Accuracy(day) => lines.extend(accuracy_of(reader, *day)?),
                Change::Alert(_, id) => {
                    let found = reader.alert(id)?;
                    lines.extend(
                        found.and_then(|a| points::alert(&a, &self.public_url, &self.texts)),
                    );
                }
            }
        }
        if !windows.is_empty() {
            lines.extend(points::windows(&reader.windows_at(&windows)?));
        }
        let newest = reader.newest_issue()?;
        let is_newest = newest.is_some_and(|newest| issues.contains(&newest));
        let live = if is_newest || nowcasts { reader.live_nowcasts()? } else { BTreeMap::new() };
        for issued_at in issues {
            issue(reader, issued_at, newest == Some(issued_at), &live, &mut lines)?;
        }
        if !is_newest && !live.is_empty() {
            for (plan, outlook) in reader.plans()? {
                if live.contains_key(&outlook.series) {
                    planned(plan.as_ref(), &outlook, &mut lines);
                }
            }
        }
        // The window that was open keeps what was forecast before it began.
        for Served { vintage, .. } in live.values() {
            lines.extend(points::forecast(vintage, vintage.targets.get(1..).unwrap_or_default()));
        }
        Ok(lines)
    }
}

/// Scores, surges and calls of a day as they are now.
fn accuracy_of(reader: &Reader, day: Timestamp) -> Result<Vec<Line>, StoreError> {
    let span = (day, day + Duration::from_secs(86_400));
    let counts = surges(reader, &Filter::default(), span)?;
    let mut lines = Vec::new();
    for (series, by_lead) in reader.scores_on(day)? {
        for hours in SURGE_LEADS {
            let Some(score) = by_lead.get(&lead_minutes(hours, reader.width())) else { continue };
            let counted = counts.of(&series, hours);
            lines.extend(points::accuracy(&series, day, hours, &score.figures(), &counted));
        }
    }
    Ok(lines)
}

/// Of an issue that is not the newest only the window that it begins with will stand: the next one has
/// written, or will write, the others anew.
fn issue(
    reader: &Reader,
    issued_at: Timestamp,
    newest: bool,
    live: &BTreeMap<SeriesKey, Served>,
    lines: &mut Vec<Line>,
) -> Result<(), StoreError> {
    for Served { vintage, .. } in reader.served_at(issued_at)? {
        let kept =
            if newest && !live.contains_key(&vintage.series) { vintage.targets.len() } else { 1 };
        let targets = vintage.targets.get(..kept).unwrap_or(&vintage.targets);
        lines.extend(points::forecast(&vintage, targets));
        lines.extend(points::forecast_lead(&vintage, reader.width()));
    }
    let staffed = reader.staffed(issued_at)?;
    lines.extend(staffed.iter().filter_map(|(series, t)| points::staffing(series, t)));
    if newest {
        for (plan, outlook) in reader.plans()? {
            planned(plan.as_ref(), &outlook, lines);
        }
    }
    Ok(())
}

fn planned(plan: Option<&Plan>, outlook: &Outlook, lines: &mut Vec<Line>) {
    lines.extend(points::outlook(outlook));
    let targets = plan.into_iter().flat_map(|plan| &plan.targets);
    lines.extend(targets.filter_map(|target| points::staffing(&outlook.series, target)));
}
