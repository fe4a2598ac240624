//! GET: what customers complain about.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::params::{self, Params, SpanQuery};
use super::problem::Problem;
use super::read::{read, span};
use super::state::ApiState;
use crate::domain::{Scope, TOPICS, TextCounts, Timestamp, Topic, WEEK};
use crate::store::{Filter, Reader, StoreError};

/// Weeks that what is usual comes from.
const WEEKS: u32 = 4;

/// Regions, services and a stretch of time. `_all` sums up; without a name each one has rows of its own.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TopicQuery {
    pub region: Option<String>,
    pub service: Option<String>,
    /// RFC 3339; 24 hours before `to` by default.
    pub from: Option<String>,
    /// RFC 3339; now by default.
    pub to: Option<String>,
    /// Goes on where a page ended: the value that its `Link` has.
    pub after: Option<usize>,
}

/// A phrase that the lexicon does not know.
#[derive(Debug, Serialize, ToSchema)]
pub struct PhraseCount {
    pub phrase: String,
    /// Tickets that have it.
    pub tickets: u32,
}

/// What customers of one region and service said in one window.
#[derive(Debug, Serialize, ToSchema)]
pub struct Topics {
    pub region: String,
    pub service: String,
    pub start: String,
    /// Tickets with a text by topic: `outage`, `coverage`, `slow`, `billing`, `device`, `other`.
    pub topics: BTreeMap<&'static str, u32>,
    /// The mean of the same window of up to four weeks before; null where none of them is known.
    pub usual: Option<BTreeMap<&'static str, f64>>,
    /// What several said that the lexicon does not know, most tickets first.
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
        let rows = found.into_iter().map(|(at, spoken)| row(&at, spoken, usual.get(&at)));
        Ok(rows.collect::<Vec<_>>())
    });
    Ok(params::rest_of(found.await?.into_iter(), query.after))
}

type Sums = BTreeMap<(Scope, Timestamp), (u32, TextCounts)>;

/// Sums of the same windows of the weeks before, with the number of weeks in them.
fn usual(
    reader: &Reader,
    filter: &Filter,
    from: Timestamp,
    to: Timestamp,
) -> Result<Sums, StoreError> {
    let mut sums = Sums::new();
    for back in (1..=WEEKS).map(|weeks| WEEK * weeks) {
        for ((scope, start), spoken) in reader.topics(filter, from - back, to - back, false)? {
            let (weeks, sum) = sums.entry((scope, start + back)).or_default();
            *weeks += 1;
            sum.add(&spoken.topics);
        }
    }
    Ok(sums)
}

fn row(
    (scope, start): &(Scope, Timestamp),
    spoken: TextCounts,
    usual: Option<&(u32, TextCounts)>,
) -> Topics {
    let mean = |(weeks, sum): &(u32, TextCounts)| {
        by_name(sum.topics.map(|n| (f64::from(n) / f64::from(*weeks) * 100.0).round() / 100.0))
    };
    let phrases = spoken.phrases.into_iter();
    Topics {
        region: scope.region.to_string(),
        service: scope.service.to_string(),
        start: start.to_string(),
        topics: by_name(spoken.topics),
        usual: usual.map(mean),
        phrases: phrases
            .map(|(phrase, tickets)| PhraseCount { phrase: phrase.into(), tickets })
            .collect(),
    }
}
