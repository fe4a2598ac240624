//! Writes changes as points to InfluxDB.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use super::alarms::{self, Alarms};
use super::batches::hash;
use super::client::{InfluxClient, InfluxSettings, SetupProblem};
use super::feeds::Feeds;
use super::fields::Line;
use super::scores::Scores;
use super::{attained, planned, points, recommended, teams};
use crate::domain::{Clock, Name, Scope, SeriesKey, Timestamp, WindowWidth};
use crate::output::sink::{Refused, Sink, SinkError, Written};
use crate::staffing::{Outlook, Plan, PlanTarget, Rules};
use crate::store::{Change, KeyWindow, Reader, Served, StoreError, VINTAGES_KEPT};
use crate::telemetry::Metrics;
use crate::text::{Say, Texts};
use crate::window::{AggregationKey, AlarmRules, AlarmTypes};

/// What a sink needs besides the store.
pub struct InfluxContext {
    /// Base of links.
    pub public_url: String,
    /// Language of texts in points.
    pub texts: Texts,
    /// When alarms begin and end.
    pub alarms: AlarmRules,
    pub width: WindowWidth,
    /// Which team serves a series.
    pub staffing: Arc<Rules>,
    pub clock: Arc<dyn Clock>,
    pub metrics: Arc<Metrics>,
}

/// Maximum number of changes that are read and converted at once: about one window.
const PART: usize = 4;

/// A bucket.
pub struct InfluxSink {
    client: InfluxClient,
    gatherer: Gatherer,
    feeds: Feeds,
    /// Parts that InfluxDB took of a write that then failed, by the hash of their lines, with what it refused of them.
    taken: BTreeMap<u64, Vec<Refused>>,
}

/// Active alarms by scope, by start of the window.
type ActiveByWindow = BTreeMap<Timestamp, BTreeMap<Scope, u32>>;

/// Converts changes to lines.
pub(super) struct Gatherer {
    context: InfluxContext,
    alarms: Alarms,
    scores: Scores,
}

impl Sink for InfluxSink {
    const NAME: &'static str = "influxdb";

    fn probe(&mut self) -> Result<(), SinkError> {
        self.client.probe()
    }

    fn write(
        &mut self,
        reader: &Reader,
        changes: &[Change],
    ) -> Result<(usize, Written), StoreError> {
        let removed = self.gatherer.removed(reader, changes)?;
        let (count, written) = self.write_parts(reader, changes)?;
        let written = written.map(|mut refused| {
            refused.extend(removed);
            refused
        });
        Ok((count, written))
    }

    fn pulse(&mut self, reader: &Reader) -> Result<(usize, Written), StoreError> {
        let InfluxContext { clock, metrics, .. } = &self.gatherer.context;
        let lines = self.feeds.lines(reader, metrics, clock.now())?;
        let written = self.client.write_beside(&lines);
        if written.is_err() {
            self.feeds.again();
        }
        Ok((lines.len(), written))
    }
}

impl InfluxSink {
    /// A sink that writes texts and links as given.
    ///
    /// # Errors
    /// If the TLS set-up of this machine cannot be used.
    pub fn new(settings: InfluxSettings, context: InfluxContext) -> Result<Self, SetupProblem> {
        let client = InfluxClient::new(settings)?;
        let (feeds, taken) = Default::default();
        Ok(Self { client, gatherer: Gatherer::new(context), feeds, taken })
    }

    /// Writes changes part by part, in order: the next part is read and converted while InfluxDB takes the one before. After a failure,
    /// parts that InfluxDB has taken are not sent again.
    fn write_parts(
        &mut self,
        reader: &Reader,
        changes: &[Change],
    ) -> Result<(usize, Written), StoreError> {
        let Self { client, gatherer, taken, .. } = self;
        let (sender, parts) = sync_channel::<Vec<Line>>(1);
        // If reading fails, the sender is dropped, and the thread ends.
        let (count, written) = std::thread::scope(move |scope| -> Result<_, StoreError> {
            let writer =
                scope.spawn(move || parts.iter().try_for_each(|lines| part(client, taken, &lines)));
            let mut count = 0;
            for some in changes.chunks(PART) {
                let lines = gatherer.gather(reader, some)?;
                count += lines.len();
                if sender.send(lines).is_err() {
                    // The thread has ended with an error.
                    break;
                }
            }
            drop(sender);
            let written = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Ok((count, written))
        })?;
        let written =
            written.map(|()| std::mem::take(&mut self.taken).into_values().flatten().collect());
        Ok((count, written))
    }

    /// The same sink, which waits for an answer of InfluxDB for this long instead of 30 s.
    pub fn answered_within(self, limit: Duration) -> Self {
        Self { client: self.client.answered_within(limit), ..self }
    }
}

impl Gatherer {
    pub(super) fn new(context: InfluxContext) -> Self {
        let alarms = Alarms::new(context.alarms, context.width);
        Self { context, alarms, scores: Scores::default() }
    }

    pub(super) fn gather(
        &mut self,
        reader: &Reader,
        changes: &[Change],
    ) -> Result<Vec<Line>, StoreError> {
        let (mut windows, mut issues) = (BTreeSet::new(), BTreeSet::new());
        let mut nowcasts = false;
        let mut lines = Vec::new();
        for change in changes {
            match change {
                Change::Window(start) => _ = windows.insert(*start),
                Change::Issue(at) => _ = issues.insert(*at),
                Change::Anomalies(start) => {
                    let found = reader.anomalies_at(*start)?;
                    let line = |anomaly| points::anomaly(anomaly, &self.context.texts);
                    lines.extend(found.iter().filter_map(line));
                }
                Change::Nowcast(_) => nowcasts = true,
                Change::Accuracy(day) => lines.extend(self.scores.lines(reader, *day)?),
                Change::Alert(_, id) => {
                    let InfluxContext { public_url, texts, .. } = &self.context;
                    let found = reader.alert(id)?;
                    lines.extend(found.and_then(|a| points::alert(&a, public_url, texts)));
                }
                Change::Recommendation(_, id) => {
                    let found = reader.recommendation(id)?;
                    let texts = &self.context.texts;
                    lines.extend(found.and_then(|own| recommended::recommendation(&own, texts)));
                }
                Change::Service(start) => lines.extend(attained::service(reader, *start)?),
                Change::Planned(at, text) => lines.extend(planned::planned(reader, *at, text)?),
            }
        }
        if !windows.is_empty() {
            lines.extend(self.windows(reader, &windows)?);
        }
        self.forecasts(reader, &issues, nowcasts, &mut lines)?;
        Ok(lines)
    }

    /// Forecasts that were to be written and that retention has removed meanwhile, as InfluxDB was down for so long.
    pub(super) fn removed(
        &self,
        reader: &Reader,
        changes: &[Change],
    ) -> Result<Option<Refused>, StoreError> {
        let kept_from = self.context.clock.now() - VINTAGES_KEPT;
        let mut removed = Vec::new();
        for change in changes {
            if let Change::Issue(at) = change
                && *at < kept_from
                && reader.vintages_at(*at)?.is_empty()
            {
                removed.push(*at);
            }
        }
        let (Some(first), Some(last)) = (removed.first(), removed.last()) else { return Ok(None) };
        let why = format!(
            "forecasts issued from {first} to {last} are no longer in the store: retention removed them before InfluxDB took them"
        );
        Ok(Some(Refused { lines: removed.len(), why, point: None }))
    }

    /// Counts of windows, and the alarms that are active at their ends.
    fn windows(
        &mut self,
        reader: &Reader,
        starts: &BTreeSet<Timestamp>,
    ) -> Result<Vec<Line>, StoreError> {
        let length = self.context.width.length();
        let with_before: BTreeSet<Timestamp> =
            starts.iter().flat_map(|start| [*start - length, *start]).collect();
        let mut rows = reader.windows_at(&with_before)?;
        let known: BTreeSet<AggregationKey> = reader.keys()?.into_iter().collect();
        // After the rows: a message that they count is there, and so are the types of windows that are finalized.
        self.alarms.read(reader)?;
        let settled = rows.iter().filter(|(.., window)| window.record.settled);
        let finalized: BTreeSet<Timestamp> = settled.map(|(start, ..)| *start).collect();
        finalized.iter().for_each(|start| self.alarms.finalized(*start));
        with_before.difference(&finalized).for_each(|start| self.alarms.open(*start, &known));
        let types = self.alarms.types(reader, &with_before)?;
        let now: ActiveByWindow = with_before
            .iter()
            .map(|start| (*start, types.get(start).map(AlarmTypes::active).unwrap_or_default()))
            .collect();
        let mut active: BTreeMap<(Timestamp, Scope), u32> = BTreeMap::new();
        for (start, key, window) in &mut rows {
            let AggregationKey::Alarms(scope) = key else { continue };
            if !finalized.contains(start) {
                window.record.active =
                    now.get(start).and_then(|now| now.get(scope)).copied().unwrap_or(0);
            }
            active.insert((*start, scope.clone()), window.record.active);
        }
        rows.extend(self.without_messages(starts, &finalized, &active, &now));
        rows.retain(|(start, ..)| starts.contains(start));
        let mut lines = points::windows(&rows);
        for start in starts {
            lines.extend(self.alarms.lines(*start, &types));
            lines.extend(points::backlog(*start, &reader.backlog_at(*start)?));
        }
        Ok(lines)
    }

    /// Points with 0 for scopes without messages of alarms in an open window, and for scopes whose last alarm ended.
    fn without_messages(
        &self,
        starts: &BTreeSet<Timestamp>,
        finalized: &BTreeSet<Timestamp>,
        active: &BTreeMap<(Timestamp, Scope), u32>,
        now: &ActiveByWindow,
    ) -> Vec<(Timestamp, AggregationKey, KeyWindow)> {
        let length = self.context.width.length();
        let mut more = Vec::new();
        for start in starts {
            let is_final = finalized.contains(start);
            let before = *start - length;
            let stood = active.iter().filter(|((at, _), n)| *at == before && **n > 0);
            let mut quiet: BTreeMap<&Scope, u32> =
                stood.map(|((_, scope), _)| (scope, 0)).collect();
            let stood = now.get(&before).into_iter().flatten().filter(|(_, n)| **n > 0);
            quiet.extend(stood.map(|(scope, _)| (scope, 0)));
            let now = now.get(start).into_iter().flatten();
            quiet.extend(now.map(|(scope, now)| (scope, if is_final { 0 } else { *now })));
            for (scope, active_now) in quiet {
                if !active.contains_key(&(*start, scope.clone())) {
                    let mut window = KeyWindow::default();
                    window.record.active = active_now;
                    window.record.settled = is_final;
                    more.push((*start, AggregationKey::Alarms(scope.clone()), window));
                }
            }
        }
        more
    }

    fn forecasts(
        &self,
        reader: &Reader,
        issues: &BTreeSet<Timestamp>,
        nowcasts: bool,
        lines: &mut Vec<Line>,
    ) -> Result<(), StoreError> {
        let newest = reader.newest_issue()?;
        let is_newest = newest.is_some_and(|newest| issues.contains(&newest));
        let live = if is_newest || nowcasts { reader.live_nowcasts()? } else { BTreeMap::new() };
        for issued_at in issues {
            self.issue(reader, *issued_at, newest == Some(*issued_at), &live, lines)?;
        }
        if !is_newest && !live.is_empty() {
            let said = self.fallbacks(live.values());
            let all = reader.plans()?;
            for (plan, outlook) in &all {
                if live.contains_key(&outlook.series) {
                    plans(plan.as_ref(), outlook, &said, lines);
                }
            }
            let rules = &self.context.staffing;
            let team = |series: &SeriesKey| rules.team_of(series).map(|team| &team.name);
            let changed: BTreeSet<&Name> = live.keys().filter_map(team).collect();
            let own =
                targets(&all).filter(|(key, _)| team(key).is_some_and(|n| changed.contains(n)));
            lines.extend(teams::staffing(rules, own));
        }
        // The window that was open keeps what was forecast before it began.
        for Served { vintage, .. } in live.values() {
            lines.extend(points::forecast(vintage, vintage.targets.get(1..).unwrap_or_default()));
        }
        lines.extend(self.causes(reader, live.values())?);
        Ok(())
    }

    /// Of an issue that is not the newest, only the first window is written, because the next issue writes all other windows
    /// again.
    fn issue(
        &self,
        reader: &Reader,
        issued_at: Timestamp,
        newest: bool,
        live: &BTreeMap<SeriesKey, Served>,
        lines: &mut Vec<Line>,
    ) -> Result<(), StoreError> {
        let served = reader.served_at(issued_at)?;
        for Served { vintage, .. } in &served {
            let is_live = live.contains_key(&vintage.series);
            let kept = if newest && !is_live { vintage.targets.len() } else { 1 };
            let targets = vintage.targets.get(..kept).unwrap_or(&vintage.targets);
            lines.extend(points::forecast(vintage, targets));
            lines.extend(points::forecast_lead(vintage, reader.width()));
        }
        let staffed = reader.staffed(issued_at)?;
        lines.extend(staffed.iter().filter_map(|(series, t)| points::staffing(series, t)));
        let rules = &self.context.staffing;
        let first = staffed.iter().map(|(series, t)| (series, std::slice::from_ref(t)));
        lines.extend(teams::staffing(rules, first));
        if newest {
            let said = self.fallbacks(served.iter());
            let all = reader.plans()?;
            for (plan, outlook) in &all {
                plans(plan.as_ref(), outlook, &said, lines);
            }
            lines.extend(teams::staffing(rules, targets(&all)));
            let replaced = |served: &&Served| !live.contains_key(&served.vintage.series);
            lines.extend(self.causes(reader, served.iter().filter(replaced))?);
        }
        Ok(())
    }

    /// The causes in the newest forecasts, and the expected tickets by alarm type.
    fn causes<'s>(
        &self,
        reader: &Reader,
        served: impl Iterator<Item = &'s Served>,
    ) -> Result<Vec<Line>, StoreError> {
        let width = self.context.width;
        let mut lines = Vec::new();
        let mut effects: BTreeMap<Timestamp, BTreeMap<(Scope, String), f64>> = BTreeMap::new();
        for Served { vintage, .. } in served {
            lines.extend(planned::causes(vintage, width, &self.context.texts));
            if vintage.series.is_scope() && !vintage.causes.is_empty() {
                // A nowcast lies within a window, another forecast at the end of one.
                let last = width.floor(Timestamp::from_millis(vintage.issued_at.millis() - 1));
                let effects = effects.entry(last).or_default();
                for cause in &vintage.causes {
                    let key = (vintage.series.scope(), cause.what.clone());
                    *effects.entry(key).or_default() += cause.tickets;
                }
            }
        }
        let types = self.alarms.types(reader, &effects.keys().copied().collect())?;
        lines.extend(effects.iter().flat_map(|(start, of)| alarms::effects(*start, of, &types)));
        Ok(lines)
    }

    /// Fallbacks of forecasts without a fit, in words, by series.
    fn fallbacks<'s>(
        &self,
        served: impl Iterator<Item = &'s Served>,
    ) -> BTreeMap<&'s SeriesKey, String> {
        let texts = &self.context.texts;
        let said = served.filter_map(|Served { vintage, .. }| {
            let text = match &vintage.fallback {
                Some(fallback) => fallback.say(texts),
                None if !vintage.uses_alarms() => texts.text("fallback-unfitted", None),
                None => return None,
            };
            Some((&vintage.series, text))
        });
        said.collect()
    }
}

/// Writes a part, if InfluxDB has not taken it before.
fn part(
    client: &InfluxClient,
    taken: &mut BTreeMap<u64, Vec<Refused>>,
    lines: &[Line],
) -> Result<(), SinkError> {
    if let Entry::Vacant(new) = taken.entry(hash(lines)) {
        new.insert(client.write(lines)?);
    }
    Ok(())
}

fn plans(
    plan: Option<&Plan>,
    outlook: &Outlook,
    fallbacks: &BTreeMap<&SeriesKey, String>,
    lines: &mut Vec<Line>,
) {
    let fallback = fallbacks.get(&outlook.series).map_or("", String::as_str);
    lines.extend(points::outlook(outlook, plan, fallback));
    let targets = plan.into_iter().flat_map(|plan| &plan.targets);
    lines.extend(targets.filter_map(|target| points::staffing(&outlook.series, target)));
}

/// The windows of all plans.
fn targets(plans: &[(Option<Plan>, Outlook)]) -> impl Iterator<Item = (&SeriesKey, &[PlanTarget])> {
    plans.iter().filter_map(|(plan, _)| plan.as_ref()).map(|p| (&p.series, p.targets.as_slice()))
}
