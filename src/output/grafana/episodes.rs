//! Episodes: anomalies and surges of a region and service that lie close together, and alerts for which a page was sent.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

use crate::alert::{Alert, AlertState};
use crate::anomaly::Anomaly;
use crate::domain::{DAY, HOUR, Scope, SeriesKey, Timestamp, WindowWidth};
use crate::forecast::surge::{self, Surge};
use crate::output::receivers::link;
use crate::store::{AnnotationKind, Filter, Reader, StoreError};
use crate::text::{Say, Texts, args};

/// Unusual windows of a scope that are at most this far apart are one episode.
const ANOMALIES_APART: Duration = HOUR;
/// How far back the beginning of an episode is searched for.
const LONGEST: Duration = Duration::from_secs(14 * DAY.as_secs());
/// Maximum number of anomalies that are read for one scope.
const ANOMALIES_MAX: usize = 20_000;
const TEXT_CHARS_MAX: usize = 600;

/// The intended content of an annotation.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    pub kind: AnnotationKind,
    pub scope: Scope,
    /// Key of an episode with an id of its own. All other episodes are recognised by kind, scope and time.
    pub key: Option<String>,
    pub from: Timestamp,
    /// `None` while the episode lasts.
    pub to: Option<Timestamp>,
    /// HTML. If empty, the text is left unchanged.
    pub text: String,
    /// Whether the episode is not to be shown any more.
    pub is_cancelled: bool,
}

impl Episode {
    /// The key of the episode. Without a key of its own, it is made from kind, scope and start.
    pub fn key(&self) -> String {
        let place = || format!("{}/{}", self.scope, self.from.millis());
        self.key.clone().unwrap_or_else(|| key(self.kind, &place()))
    }
}

/// A key of visible ASCII characters, for an id in any form.
pub fn key(kind: AnnotationKind, id: &str) -> String {
    format!("{}-{:016x}", kind.as_str(), xxh3_64(id.as_bytes()))
}

/// A part of an episode.
#[derive(Debug)]
pub struct EpisodePart<T> {
    pub from: Timestamp,
    pub to: Timestamp,
    pub of: T,
}

/// Groups of parts that are at most `gap` apart.
pub fn runs<T>(mut parts: Vec<EpisodePart<T>>, gap: Duration) -> Vec<Vec<EpisodePart<T>>> {
    parts.sort_by_key(|part| part.from);
    let mut runs: Vec<Vec<EpisodePart<T>>> = Vec::new();
    let mut end = Timestamp::MIN;
    for part in parts {
        let is_apart = part.from > end + gap;
        end = if is_apart { part.to } else { end.max(part.to) };
        match runs.last_mut() {
            Some(run) if !is_apart => run.push(part),
            _ => runs.push(vec![part]),
        }
    }
    runs
}

/// Start and end of a run.
pub fn span<T>(run: &[EpisodePart<T>]) -> (Timestamp, Timestamp) {
    let from = run.first().map_or(Timestamp::MIN, |part| part.from);
    (from, run.iter().map(|part| part.to).max().unwrap_or(from))
}

/// Whether a scope is a part of another one.
fn is_inside(inner: &Scope, outer: &Scope) -> bool {
    inner != outer
        && (outer.region.is_all() || outer.region == inner.region)
        && (outer.service.is_all() || outer.service == inner.service)
}

/// The episodes of anomalies that include the window that starts at `start`. An anomaly of a roll-up is left out if a part of
/// the roll-up has one.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn anomalies(
    reader: &Reader,
    start: Timestamp,
    texts: &Texts,
) -> Result<Vec<Episode>, StoreError> {
    let found = reader.anomalies_at(start)?;
    let scopes: BTreeSet<Scope> = found.iter().map(|anomaly| anomaly.series.scope()).collect();
    let mut episodes = Vec::new();
    for scope in &scopes {
        if scopes.iter().any(|inner| is_inside(inner, scope)) {
            continue;
        }
        let run = anomalies_around(reader, scope, start)?;
        let (from, to) = span(&run);
        let by_score = |a: &&EpisodePart<Anomaly>, b: &&EpisodePart<Anomaly>| {
            a.of.score.total_cmp(&b.of.score)
        };
        let Some(top) = run.iter().max_by(by_score) else { continue };
        let windows: BTreeSet<Timestamp> = run.iter().map(|part| part.from).collect();
        let text = texts.text(
            "annotation-anomaly",
            args![
                "scope" => place(texts, scope),
                "channels" => channels(texts, run.iter().map(|part| &part.of.series)),
                "n" => windows.len(),
                "text" => top.of.say(texts),
            ],
        );
        episodes.push(Episode {
            kind: AnnotationKind::Anomaly,
            scope: scope.clone(),
            key: None,
            from,
            to: Some(to),
            text: html(&text),
            is_cancelled: false,
        });
    }
    Ok(episodes)
}

fn anomalies_around(
    reader: &Reader,
    scope: &Scope,
    start: Timestamp,
) -> Result<Vec<EpisodePart<Anomaly>>, StoreError> {
    let filter = Filter {
        region: Some(scope.region.clone()),
        service: Some(scope.service.clone()),
        channel: None,
    };
    let width = reader.width();
    let mut back = DAY;
    loop {
        let (from, to) = (start - back, start + DAY);
        let found = reader.anomalies(&filter, from, to, ANOMALIES_MAX, None)?;
        let part =
            |(_, of): (i64, Anomaly)| EpisodePart { from: of.window, to: width.end(of.window), of };
        let runs = runs(found.into_iter().map(part).collect(), ANOMALIES_APART);
        let own = runs.into_iter().find(|run| {
            let (first, end) = span(run);
            first <= start && start < end
        });
        let run = own.unwrap_or_default();
        if back >= LONGEST || span(&run).0 > from + ANOMALIES_APART {
            return Ok(run);
        }
        back *= 2;
    }
}

/// The episodes of surges that began on the day that starts at `day`, or the day before.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn surges(reader: &Reader, day: Timestamp, texts: &Texts) -> Result<Vec<Episode>, StoreError> {
    let found = reader.surges(&Filter::default(), (day - DAY, day + DAY), Timestamp::MIN)?;
    let width = reader.width();
    let mut by_scope: BTreeMap<Scope, Vec<EpisodePart<Surge>>> = BTreeMap::new();
    for surge in found {
        let (from, to) = (surge.start, end_of(&surge, width));
        let parts = by_scope.entry(surge.series.scope()).or_default();
        parts.push(EpisodePart { from, to, of: surge });
    }
    let by_scope: BTreeMap<Scope, Vec<Vec<EpisodePart<Surge>>>> =
        by_scope.into_iter().map(|(scope, parts)| (scope, runs(parts, surge::APART))).collect();
    let mut episodes = Vec::new();
    for (scope, runs) in &by_scope {
        let parts = by_scope.iter().filter(|(inner, _)| is_inside(inner, scope));
        let parts: Vec<(Timestamp, Timestamp)> =
            parts.flat_map(|(_, runs)| runs.iter().map(|run| span(run))).collect();
        for run in runs {
            let (from, to) = span(run);
            let is_shown = parts
                .iter()
                .any(|part| part.0 <= to + surge::APART && from <= part.1 + surge::APART);
            if !is_shown {
                episodes.push(surge_episode(scope, run, texts));
            }
        }
    }
    Ok(episodes)
}

/// The end of the last of two windows above the quantile.
fn end_of(surge: &Surge, width: WindowWidth) -> Timestamp {
    width.end(width.end(surge.upto))
}

fn surge_episode(scope: &Scope, run: &[EpisodePart<Surge>], texts: &Texts) -> Episode {
    let (from, to) = span(run);
    let warned = run.iter().filter_map(|part| part.of.warned_minutes).max();
    let place = place(texts, scope);
    let channels = channels(texts, run.iter().map(|part| &part.of.series));
    let text = match warned {
        Some(minutes) => texts.text(
            "annotation-surge-warned",
            args!["scope" => place, "channels" => channels, "minutes" => minutes],
        ),
        None => texts.text("annotation-surge", args!["scope" => place, "channels" => channels]),
    };
    Episode {
        kind: AnnotationKind::Surge,
        scope: scope.clone(),
        key: None,
        from,
        to: Some(to),
        text: html(&text),
        is_cancelled: false,
    }
}

/// The episode of an alert for which a page was sent, at its worst state. The page of an incident is that of its leading alert.
pub fn page(alert: &Alert, public_url: &str, texts: &Texts) -> Option<Episode> {
    alert.notified_at.filter(|_| alert.leads())?;
    let mut shown = alert.clone();
    if shown.state == AlertState::Resolved {
        let worst = alert.at_worst();
        shown.state = AlertState::Firing;
        shown.agents_short = worst.agents_short;
        shown.shortfalls = worst.shortfalls;
    }
    let title = texts.text("annotation-page", args!["title" => shown.title(texts)]);
    let label = texts.text("annotation-link", None);
    let address = html(&link(alert, public_url));
    let text = format!("{} <a href=\"{address}\">{}</a>", html(&title), html(&label));
    Some(Episode {
        kind: AnnotationKind::Page,
        scope: alert.scope.clone(),
        key: Some(key(AnnotationKind::Page, &alert.id)),
        from: alert.since,
        to: alert.ended_at,
        text,
        is_cancelled: false,
    })
}

/// Region and service, in words if they mean all.
pub fn place(texts: &Texts, scope: &Scope) -> String {
    let name = |name: &crate::domain::Name, id| match name.is_all() {
        true => texts.text(id, None),
        false => name.to_string(),
    };
    let (region, service) =
        (name(&scope.region, "name-all-regions"), name(&scope.service, "name-all-services"));
    format!("{region}/{service}")
}

/// The channels of series, without roll-ups unless there are no others.
fn channels<'s>(texts: &Texts, series: impl Iterator<Item = &'s SeriesKey>) -> String {
    let names: BTreeSet<&str> = series.map(|series| series.channel.as_str()).collect();
    let own = names.iter().filter(|name| **name != crate::domain::ALL);
    let own: Vec<String> = own.map(|name| texts.channel(name)).collect();
    if own.is_empty() { texts.text("name-all-channels", None) } else { texts.list(own) }
}

/// A text for Grafana, which shows HTML. A name from outside must not become a link.
pub fn html(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars().take(TEXT_CHARS_MAX) {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            _ => shown.push(c),
        }
    }
    shown
}
