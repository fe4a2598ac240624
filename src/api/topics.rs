//! GET: topics and phrases of tickets.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::params::{self, Params, SpanQuery};
use super::problem::Problem;
use super::read::{read, span};
use super::state::ApiState;
use crate::anomaly::Complaints;
use crate::domain::{Scope, TOPICS, TextCounts, Timestamp, Topic};
use crate::store::{Filter, Reader, StoreError};

/// Regions, services and a time span. `_all` sums over all; without a name each region or service has its own rows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TopicQuery {
    pub region: Option<String>,
    pub service: Option<String>,
    /// RFC 3339; default: 24 hours before `to`.
    pub from: Option<String>,
    /// RFC 3339; default: now.
    pub to: Option<String>,
    /// The value in the `Link` header of the previous page.
    pub after: Option<usize>,
}

/// A phrase that the lexicon does not contain.
#[derive(Debug, Serialize, ToSchema)]
pub struct PhraseCount {
    pub phrase: String,
    /// Number of tickets that contain it.
    pub tickets: u32,
}

/// Topics of the tickets of one region and service in one window.
#[derive(Debug, Serialize, ToSchema)]
pub struct Topics {
    pub region: String,
    pub service: String,
    pub start: String,
    /// Tickets with a text by topic: `outage`, `coverage`, `slow`, `billing`, `device`, `other`.
    pub topics: BTreeMap<&'static str, u32>,
    /// Usual number: the mean of this window and its neighbours in the four weeks before, without outliers; in the first weeks
    /// also of the days before. Null if too few of these windows have counts.
    pub usual: Option<BTreeMap<&'static str, f64>>,
    /// Frequent phrases that the lexicon does not contain, most tickets first.
    pub phrases: Vec<PhraseCount>,
}

fn by_name<T: Copy>(numbers: [T; TOPICS]) -> BTreeMap<&'static str, T> {
    Topic::EVERY.into_iter().map(Topic::as_str).zip(numbers).collect()
}

/// What customers complain about, by window
#[utoipa::path(get, path = "/topics", params(TopicQuery), responses((status = 200, body = Vec<Topics>), (status = 400, body = Problem)))]
pub async fn topics(
    State(state): State<ApiState>,
    Params(query): Params<TopicQuery>,
) -> Result<Response, Problem> {
    let filter = params::filter(query.region.as_ref(), query.service.as_ref(), None)?;
    let times = SpanQuery { from: query.from, to: query.to, ..SpanQuery::default() };
    let (from, to) = span(&times, state.clock.now())?;
    let found = read(&state, move |reader| {
        let usual = usual(reader, &filter, from, to)?;
        let found = reader.topics(&filter, from, to, true)?;
        let rows = found.into_iter().map(|(at, spoken)| {
            let usual = usual.usual(&at.0, at.1);
            row(&at, spoken, usual)
        });
        Ok(rows.collect::<Vec<_>>())
    });
    Ok(params::rest_of(found.await?.into_iter(), query.after))
}

/// The history from which the usual numbers of the windows `from..to` are computed. Anomalies and alerts use the same history.
fn usual(
    reader: &Reader,
    filter: &Filter,
    from: Timestamp,
    to: Timestamp,
) -> Result<Complaints, StoreError> {
    let width = reader.width();
    let mut firsts: BTreeMap<Scope, Timestamp> = BTreeMap::new();
    let mut end = Timestamp::MIN;
    for info in reader.series()? {
        let first = firsts.entry(info.series.scope()).or_insert(info.first);
        *first = info.first.min(*first);
        end = end.max(width.end(info.last));
    }
    let (from, to) = (width.floor(from), to.min(end));
    let mut known: BTreeMap<(Scope, Timestamp), [u32; TOPICS]> = BTreeMap::new();
    let mut starts: BTreeSet<Timestamp> = BTreeSet::new();
    for (from, to) in Complaints::compared(width, from, to) {
        let found = reader.topics(filter, from, to, false)?;
        known.extend(found.into_iter().map(|(at, spoken)| (at, spoken.topics)));
        starts.extend((width.index(from)..width.index(to)).map(|at| width.start(at)));
    }
    let scopes: BTreeSet<Scope> = known.keys().map(|(scope, _)| scope.clone()).collect();
    let mut complaints = Complaints::new(width);
    for scope in scopes {
        let Some(first) = firsts.get(&scope) else { continue };
        // Windows without tickets are not among those that were found.
        let windows = starts.range(*first..).map(|start| {
            let topics = known.get(&(scope.clone(), *start)).copied();
            (*start, topics.unwrap_or_default(), false)
        });
        complaints.restore(&scope, windows);
    }
    Ok(complaints)
}

fn row(
    (scope, start): &(Scope, Timestamp),
    spoken: TextCounts,
    usual: Option<[f64; TOPICS]>,
) -> Topics {
    let phrases = spoken.phrases.into_iter();
    Topics {
        region: scope.region.to_string(),
        service: scope.service.to_string(),
        start: start.to_string(),
        topics: by_name(spoken.topics),
        usual: usual.map(by_name),
        phrases: phrases
            .map(|(phrase, tickets)| PhraseCount { phrase: phrase.into(), tickets })
            .collect(),
    }
}
