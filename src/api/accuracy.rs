//! GET: accuracy of forecasts, from the ledger.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;

use super::params::{self, AccuracyQuery, Page, Params};
use super::problem::Problem;
use super::read::each;
use super::state::ApiState;
use crate::domain::{DAY, Timestamp};
use crate::store::sums::surges;
use crate::views;

/// Default number of days.
const SCORED_DAYS: u32 = 28;
/// Maximum number of days in one answer: as many as the ledger keeps.
const SPAN_MAX: Duration = Duration::from_secs(400 * 86_400);

/// Accuracy of forecasts
///
/// By lead, compared with last week's count and the noise floor; surges and warnings by lead. The span is the last
/// four weeks, or the whole UTC days from `from` to `to`.
#[utoipa::path(get, path = "/accuracy", params(AccuracyQuery), responses((status = 200, body = views::Accuracy), (status = 400, body = Problem), (status = 404, body = Problem)))]
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
        if is_one && !reader.has_series(series)? {
            return Ok(None);
        }
        views::accuracy(reader, series, span, &counts).map(Some)
    })
    .await
}

/// The span of a query: whole UTC days.
fn span(query: &AccuracyQuery, now: Timestamp) -> Result<(Timestamp, Timestamp), Problem> {
    let to = params::day("to", query.to.as_ref())?.unwrap_or_else(|| now.utc_midnight() + DAY);
    let from = params::day("from", query.from.as_ref())?.unwrap_or(to - DAY * SCORED_DAYS);
    if from >= to {
        return Err(Problem::bad_request("from: use a time before `to`"));
    }
    if to.since(from) > SPAN_MAX {
        return Err(Problem::bad_request("from: use at most 400 days before `to`"));
    }
    Ok((from, to))
}
