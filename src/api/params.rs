//! Query parameters, checked by name and value.

use axum::Json;
use axum::extract::{FromRequestParts, OriginalUri, Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::language::PARAMETER;
use super::problem::Problem;
use super::state::ApiState;
use crate::domain::{Name, Reason, SeriesKey, Timestamp};
use crate::store::{DeliveryState, Filter};

/// Most rows that a list gives at once.
pub const LIMIT_MAX: usize = 1000;
const LIMIT: usize = 100;

/// As axum's `Query`, but what is wrong comes back as a problem.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        // Every endpoint takes `language`; it is read elsewhere.
        let pairs = parts.uri.query().into_iter().flat_map(|query| query.split('&'));
        let rest: Vec<&str> = pairs.filter(|pair| !pair.starts_with(PARAMETER)).collect();
        let uri = format!("/?{}", rest.join("&")).parse().unwrap_or_default();
        match axum::extract::Query::<T>::try_from_uri(&uri) {
            Ok(query) => Ok(Self(query.0)),
            Err(error) => Err(Problem::bad_request(format!("query: {}", error.body_text()))),
        }
    }
}

/// Which series are meant. All three names: that series' object; otherwise an array of those that match.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SeriesQuery {
    /// A region, or `_all` for the roll-up.
    pub region: Option<String>,
    /// A service, or `_all`.
    pub service: Option<String>,
    /// A channel, or `_all`.
    pub channel: Option<String>,
    /// Goes on where a page ended: the value that its `Link` has.
    pub after: Option<usize>,
}

/// A list over series.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// A region, or `_all`.
    pub region: Option<String>,
    /// A service, or `_all`.
    pub service: Option<String>,
    /// A channel, or `_all`.
    pub channel: Option<String>,
    /// Series at most, 1 to 1000; 1000 by default.
    pub limit: Option<usize>,
    /// Goes on after this series, `region/service/channel`.
    pub after: Option<String>,
}

/// Series and days of the ledger.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AccuracyQuery {
    pub region: Option<String>,
    pub service: Option<String>,
    pub channel: Option<String>,
    /// Series at most, 1 to 1000; 1000 by default.
    pub limit: Option<usize>,
    /// Goes on after this series, `region/service/channel`.
    pub after: Option<String>,
    /// First day (UTC), such as 2026-01-31; 28 days before `to` by default.
    pub from: Option<String>,
    /// The day after the last one; tomorrow by default. At most 400 days after `from`.
    pub to: Option<String>,
}

/// A week.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WeekQuery {
    /// An ISO week such as 2026-W46; by default the last one with all its windows finalized.
    pub week: Option<String>,
}

/// Series and a stretch of time.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SpanQuery {
    pub region: Option<String>,
    pub service: Option<String>,
    pub channel: Option<String>,
    /// RFC 3339; 24 hours before `to` by default.
    pub from: Option<String>,
    /// RFC 3339; now by default.
    pub to: Option<String>,
    /// Rows at most, 1 to 1000. Windows: per series, all of the span by default; one answer has at most 1000 of all series.
    pub limit: Option<usize>,
    /// Goes on after this row. Windows: after the one that starts at this instant, or where a page ended: the value that its
    /// `Link` has.
    pub after: Option<String>,
}

/// Forecasts, the newest or an older one.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct VintageQuery {
    pub region: Option<String>,
    pub service: Option<String>,
    pub channel: Option<String>,
    /// RFC 3339 issue time of an older vintage.
    pub issued_at: Option<String>,
    /// Series at most, 1 to 1000; 1000 by default.
    pub limit: Option<usize>,
    /// Goes on after this series, `region/service/channel`.
    pub after: Option<String>,
}

/// Alerts, newest first.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AlertQuery {
    pub region: Option<String>,
    pub service: Option<String>,
    /// Only those that are not resolved.
    pub open: Option<bool>,
    pub limit: Option<usize>,
    /// Id of the last alert of the page before.
    pub after: Option<String>,
}

/// Pages, newest first.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// `pending`, `delivered` or `dead`.
    pub state: Option<String>,
    pub receiver: Option<String>,
    /// Rows at most, 1 to 1000.
    pub limit: Option<usize>,
    /// The value that the `Link` of the page before has.
    pub after: Option<i64>,
}

impl PageQuery {
    /// The state that is asked for.
    ///
    /// # Errors
    /// 400 for a word that is no state.
    pub fn state(&self) -> Result<Option<DeliveryState>, Problem> {
        let Some(text) = &self.state else { return Ok(None) };
        let known = DeliveryState::EVERY.into_iter().find(|state| state.as_str() == text);
        let wrong = || Problem::bad_request("state: use pending, delivered or dead");
        known.map(Some).ok_or_else(wrong)
    }
}

/// Dead letters, newest first.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeadLetterQuery {
    /// `malformed`, `field`, `late`, `future` or `limit`.
    pub reason: Option<String>,
    /// Rows at most, 1 to 1000.
    pub limit: Option<usize>,
    /// Id of the last one of the page before.
    pub after: Option<i64>,
}

impl DeadLetterQuery {
    /// The reason that is asked for.
    ///
    /// # Errors
    /// 400 for a word that is no reason.
    pub fn reason(&self) -> Result<Option<Reason>, Problem> {
        let Some(text) = &self.reason else { return Ok(None) };
        let known = Reason::EVERY.into_iter().find(|reason| reason.as_str() == text);
        let wrong = || Problem::bad_request("reason: use malformed, field, late, future or limit");
        known.map(Some).ok_or_else(wrong)
    }
}

fn name(key: &str, text: Option<&String>) -> Result<Option<Name>, Problem> {
    text.map(|text| Name::filter(text))
        .transpose()
        .map_err(|error| Problem::bad_request(format!("{key}: the name {error}")))
}

/// The filter of up to three names.
pub fn filter(
    region: Option<&String>,
    service: Option<&String>,
    channel: Option<&String>,
) -> Result<Filter, Problem> {
    Ok(Filter {
        region: name("region", region)?,
        service: name("service", service)?,
        channel: name("channel", channel)?,
    })
}

impl SeriesQuery {
    /// The series that are meant.
    ///
    /// # Errors
    /// 400 for a name that no series can have.
    pub fn filter(&self) -> Result<Filter, Problem> {
        filter(self.region.as_ref(), self.service.as_ref(), self.channel.as_ref())
    }
}

impl ListQuery {
    /// The series that are meant.
    ///
    /// # Errors
    /// 400 for a name that no series can have.
    pub fn filter(&self) -> Result<Filter, Problem> {
        filter(self.region.as_ref(), self.service.as_ref(), self.channel.as_ref())
    }

    /// The part of the list that is asked for.
    ///
    /// # Errors
    /// 400 for a limit or a series that cannot be.
    pub fn page(&self) -> Result<Page, Problem> {
        Page::new(self.limit, self.after.as_deref())
    }
}

/// A part of a list over series.
#[derive(Clone, Debug)]
pub struct Page {
    pub most: usize,
    pub after: Option<SeriesKey>,
}

impl Page {
    /// All of it.
    pub const WHOLE: Self = Self { most: usize::MAX, after: None };

    /// At most `most` series, those after `after`.
    ///
    /// # Errors
    /// 400 for a limit or a series that cannot be.
    pub fn new(most: Option<usize>, after: Option<&str>) -> Result<Self, Problem> {
        let most = most.map_or(Ok(LIMIT_MAX), |most| limit(Some(most)))?;
        let after = after.map(SeriesKey::parse).transpose();
        let after = after.map_err(|why| Problem::bad_request(format!("after: {why}")))?;
        Ok(Self { most, after })
    }

    /// Whether a series is on it or behind it.
    pub fn reaches(&self, series: &SeriesKey) -> bool {
        self.after.as_ref().is_none_or(|after| series > after)
    }
}

/// An RFC 3339 parameter.
pub fn instant(key: &str, text: Option<&String>) -> Result<Option<Timestamp>, Problem> {
    text.map(|text| Timestamp::parse(text))
        .transpose()
        .map_err(|error| Problem::bad_request(format!("{key}: {error}")))
}

/// A day as a parameter: its midnight in UTC.
pub fn day(key: &str, text: Option<&String>) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let midnight = Timestamp::parse(text).ok().filter(|at| *at == at.utc_midnight());
    let day = midnight.or_else(|| Timestamp::parse(&format!("{text}T00:00:00Z")).ok());
    let wrong = || format!("{key}: {text}: use a day such as 2026-01-31, or its midnight in UTC");
    day.map(Some).ok_or_else(|| Problem::bad_request(wrong()))
}

/// The number of rows.
pub fn limit(given: Option<usize>) -> Result<usize, Problem> {
    match given {
        None => Ok(LIMIT),
        Some(n @ 1..=LIMIT_MAX) => Ok(n),
        Some(n) => Err(Problem::bad_request(format!("limit: {n}: use 1 to {LIMIT_MAX}"))),
    }
}

/// A list as an answer: at most `most` of the rows, with a `Link` to the next page if there are more. `cursor` gives the
/// `after` that goes on behind a row.
pub fn page_of<T: Serialize>(
    mut rows: Vec<T>,
    most: usize,
    cursor: impl FnOnce(&T) -> String,
) -> Response {
    let is_cut = rows.len() > most;
    rows.truncate(most);
    let next = rows.last().filter(|_| is_cut).map(cursor);
    cut(rows, next)
}

/// A list as an answer. `next` is the `after` of the next page, if the list is cut.
pub fn cut<T: Serialize>(rows: Vec<T>, next: Option<String>) -> Response {
    let mut response = Json(rows).into_response();
    if let Some(after) = next {
        response.extensions_mut().insert(Next(after));
    }
    response
}

/// The `after` of the next page: the router makes a `Link` of it, since it knows the request.
#[derive(Clone, Debug)]
pub struct Next(pub String);

/// Adds `Link: <…>; rel="next"` to answers that are one page of a list.
pub async fn link_next(
    State(state): State<ApiState>,
    request: Request,
    next: middleware::Next,
) -> Response {
    let given = request.extensions().get::<OriginalUri>().map(|uri| uri.0.clone());
    let given = given.unwrap_or_else(|| request.uri().clone());
    let mut response = next.run(request).await;
    let Some(Next(after)) = response.extensions_mut().remove::<Next>() else { return response };
    let prefix = &state.access.prefix;
    // A proxy may have removed it.
    let prefix = if given.path().starts_with(&format!("{prefix}/")) { "" } else { prefix };
    // The host is only there to have a whole URL.
    let Ok(mut url) = reqwest::Url::parse(&format!("http://_{prefix}{given}")) else {
        return response;
    };
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(key, _)| key != "after")
        .map(|(k, v)| (k.into(), v.into()))
        .collect();
    url.query_pairs_mut().clear().extend_pairs(kept).append_pair("after", &after);
    let link = format!("<{}?{}>; rel=\"next\"", url.path(), url.query().unwrap_or_default());
    if let Ok(link) = link.parse() {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// How far a list was given that has no keys: the number of rows before.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RestQuery {
    /// Goes on where a page ended: the value that its `Link` has.
    pub after: Option<usize>,
}

/// A list without keys as an answer: at most 1,000 rows behind the first `skipped`.
pub fn rest_of<T: Serialize>(rows: impl Iterator<Item = T>, skipped: Option<usize>) -> Response {
    let skipped = skipped.unwrap_or(0);
    let rows: Vec<T> = rows.skip(skipped).take(LIMIT_MAX + 1).collect();
    page_of(rows, LIMIT_MAX, |_| (skipped + LIMIT_MAX).to_string())
}
