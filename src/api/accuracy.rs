//! GET: how good the forecasts were, from the ledger.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;

use super::dto;
use super::params::{self, AccuracyQuery, Page, Params};
use super::problem::Problem;
use super::read::each;
use super::state::ApiState;
use crate::domain::{SeriesKey, Timestamp};
use crate::forecast::surge::{SURGE_LEADS, SurgeCounts};
use crate::forecast::{Figures, Score, TARGET_ACCURACY};
use crate::store::{AdjustedScore, Filter, NowcastScore, Reader, StoreError};

const DAY: Duration = Duration::from_secs(86_400);
/// Days behind the figures where none are asked for.
const SCORED_DAYS: u32 = 28;
/// Longest stretch that one answer covers: what the ledger keeps.
const SPAN_MAX: Duration = Duration::from_secs(400 * 86_400);

/// Sums of the ledger for one series.
pub struct Sums {
    pub overall: Score,
    /// By lead in minutes.
    pub by_lead: BTreeMap<u32, Score>,
}

/// Adds up the days of `span`.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn sums(
    reader: &Reader,
    series: &SeriesKey,
    (from, to): (Timestamp, Timestamp),
) -> Result<Sums, StoreError> {
    let mut sums = Sums { overall: Score::default(), by_lead: BTreeMap::new() };
    for (_, lead, score) in reader.scores(series, from, to)? {
        sums.overall.merge(&score);
        sums.by_lead.entry(lead).or_default().merge(&score);
    }
    Ok(sums)
}

/// Surges that began, and calls that were first made, in `span`, by series and lead.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn surges(
    reader: &Reader,
    filter: &Filter,
    span: (Timestamp, Timestamp),
) -> Result<SurgeCounts, StoreError> {
    let mut counts = SurgeCounts::default();
    reader.surges(filter, span, Timestamp::MIN)?.iter().for_each(|surge| counts.surge(surge));
    reader.calls(filter, span, Timestamp::MIN)?.iter().for_each(|call| counts.call(call));
    Ok(counts)
}

/// How good the forecasts were
///
/// By lead, beside last week's count and what chance allows; surges by the lead at which they were called. From the
/// ledger of the last four weeks, or of whole UTC days.
#[utoipa::path(get, path = "/accuracy", params(AccuracyQuery), responses((status = 200, body = dto::Accuracy), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn accuracy(
    State(state): State<ApiState>,
    Params(query): Params<AccuracyQuery>,
) -> Result<Response, Problem> {
    let filter =
        params::filter(query.region.as_ref(), query.service.as_ref(), query.channel.as_ref())?;
    let span = span(&query, state.clock.now())?;
    let all = filter.clone();
    let counts = super::read::read(&state, move |reader| surges(reader, &all, span)).await?;
    let page = Page::new(query.limit, query.after.as_deref())?;
    let is_one = filter.one().is_some();
    each(&state, filter, page, move |reader, series| {
        if is_one && !reader.knows(series)? {
            return Ok(None);
        }
        let sums = sums(reader, series, span)?;
        let nowcasts = reader.nowcast_score(series, span.0, span.1)?;
        let mut adjusted = AdjustedScore::default();
        for (_, _, score) in reader.adjusted_scores(series, span.0, span.1)? {
            adjusted.merge(&score);
        }
        Ok(Some(shown(series, span, &sums, (&counts, adjusted, nowcasts))))
    })
    .await
}

fn shown(
    series: &SeriesKey,
    (from, to): (Timestamp, Timestamp),
    sums: &Sums,
    (counts, adjusted, nowcasts): (&SurgeCounts, AdjustedScore, NowcastScore),
) -> dto::Accuracy {
    let overall: Figures = sums.overall.figures();
    let leads = sums.by_lead.iter().map(|(lead_minutes, score)| dto::LeadFigures {
        lead_minutes: *lead_minutes,
        figures: score.figures().into(),
    });
    let surges = SURGE_LEADS.into_iter().map(|lead| (lead, counts.of(series, lead)).into());
    dto::Accuracy {
        key: dto::Key::from(series),
        from: from.to_string(),
        to: to.to_string(),
        target_accuracy: TARGET_ACCURACY,
        reachable: overall.reachable(),
        reached: overall.reached(),
        overall: overall.into(),
        leads: leads.collect(),
        surges: surges.collect(),
        nowcasts: (nowcasts.nowcast.n > 0).then(|| nowcasts.into()),
        adjustments: (adjusted.model.n > 0).then(|| adjusted.into()),
    }
}

/// Whole UTC days.
fn span(query: &AccuracyQuery, now: Timestamp) -> Result<(Timestamp, Timestamp), Problem> {
    let to = params::day("to", query.to.as_ref())?.unwrap_or_else(|| now.utc_midnight() + DAY);
    let from = params::day("from", query.from.as_ref())?.unwrap_or(to - DAY * SCORED_DAYS);
    if from >= to {
        return Err(Problem::bad_request("from: has to come before to"));
    }
    if to.since(from) > SPAN_MAX {
        return Err(Problem::bad_request("from: at most 400 days before to"));
    }
    Ok((from, to))
}
