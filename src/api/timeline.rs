//! GET: a span of one series, with counts, forecasts and staffing side by side.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::params::{self, LIMIT_MAX, Params};
use super::problem::Problem;
use super::read::read;
use super::state::ApiState;
use crate::domain::{DAY, Timestamp, WindowWidth};
use crate::forecast::HORIZON;
use crate::views;

/// One series and a time span.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TimelineQuery {
    /// A region, or `_all` for the roll-up.
    pub region: String,
    /// A service, or `_all`.
    pub service: String,
    /// A channel, or `_all`.
    pub channel: String,
    /// RFC 3339; default: 30 hours before `to`.
    pub from: Option<String>,
    /// RFC 3339; default: six hours from now. At most 1000 windows after `from`.
    pub to: Option<String>,
    /// RFC 3339: leaves out forecasts issued later; default: none is left out.
    pub issued: Option<String>,
}

/// A span of one series: counts, last week's counts, the first and the newest forecast, staffing
///
/// With `issued` at 09:00, the window at 14:00 has the newest forecast that was known at 09:00.
#[utoipa::path(get, path = "/timeline", params(TimelineQuery), responses((status = 200, body = views::Timeline), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn timeline(
    State(state): State<ApiState>,
    Params(query): Params<TimelineQuery>,
) -> Result<Json<views::Timeline>, Problem> {
    let names = [&query.region, &query.service, &query.channel].map(Some);
    let filter = params::filter(names[0], names[1], names[2])?;
    let series = filter.one().ok_or_else(|| Problem::bad_request("name one series"))?;
    let now = state.clock.now();
    let span = span(&query, now, state.info.width)?;
    let issued = params::instant("issued", query.issued.as_ref())?.unwrap_or(now);
    let zone = state.zone(&series.region);
    let missing = format!("the series {series} is not known");
    let found = read(&state, move |reader| {
        if !reader.has_series(&series)?
            && reader.series_windows(&series, span.0, span.1)?.is_empty()
        {
            return Ok(None);
        }
        views::timeline(reader, &series, span, issued, zone).map(Some)
    });
    found.await?.map(Json).ok_or(Problem::not_found(missing))
}

fn span(
    query: &TimelineQuery,
    now: Timestamp,
    width: WindowWidth,
) -> Result<(Timestamp, Timestamp), Problem> {
    let to = params::instant("to", query.to.as_ref())?.unwrap_or(now + HORIZON);
    let from = params::instant("from", query.from.as_ref())?.unwrap_or(to - DAY - HORIZON);
    checked(from, to, width)
}

/// A span that one answer can have.
pub(super) fn checked(
    from: Timestamp,
    to: Timestamp,
    width: WindowWidth,
) -> Result<(Timestamp, Timestamp), Problem> {
    if from >= to {
        return Err(Problem::bad_request("from: use a time before `to`"));
    }
    if width.index(to) - width.index(from) > LIMIT_MAX as i64 {
        let detail = format!("to: use at most {LIMIT_MAX} windows after `from`");
        return Err(Problem::bad_request(detail));
    }
    Ok((from, to))
}
