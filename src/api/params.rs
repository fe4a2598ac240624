//! Query parameters, checked by name and value.

use axum::Json;
use axum::extract::{FromRequestParts, OriginalUri, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{Uri, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::language::PARAMETER;
use super::problem::Problem;
use super::state::ApiState;
use crate::domain::{Name, Reason, SeriesKey, Timestamp, read_instant};
use crate::store::{DeliveryState, Filter};

/// Maximum number of rows in one answer.
pub const LIMIT_MAX: usize = 1000;
const LIMIT: usize = 100;
/// Maximum number of characters of a value that an error message repeats.
const VALUE_CHARS_MAX: usize = 40;

/// Like axum's `Query`, but errors are problems.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        // Every endpoint takes `language`; it is read elsewhere.
        let pairs = parts.uri.query().into_iter().flat_map(|query| query.split('&'));
        let rest: Vec<&str> = pairs.filter(|pair| !pair.starts_with(PARAMETER)).collect();
        let uri: Uri = format!("/?{}", rest.join("&")).parse().unwrap_or_default();
        match Query::<T>::try_from_uri(&uri) {
            Ok(query) => Ok(Self(query.0)),
            Err(error) => Err(Problem::bad_request(explained(&error.body_text(), &uri))),
        }
    }
}

/// An error of a query with the value and what to use instead, as far as that is known.
fn explained(error: &str, uri: &Uri) -> String {
    let error = error.strip_prefix("Failed to deserialize query string: ").unwrap_or(error);
    let known = error.split_once(": ").and_then(|(key, reason)| {
        let used = match reason {
            "invalid digit found in string" | "cannot parse integer from empty string" => {
                "use digits only, such as 10"
            }
            "number too large to fit in target type" => "use a smaller number",
            "invalid float literal" | "cannot parse float from empty string" => "use a number",
            "provided string was not `true` or `false`" => "use true or false",
            _ => return None,
        };
        Some((key, used))
    });
    let Some((key, used)) = known else { return format!("query: {error}") };
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri).map(|query| query.0);
    let value = pairs.unwrap_or_default().into_iter().find(|(own, _)| own == key);
    let value: String = value.map(|(_, value)| value).unwrap_or_default();
    let value: String = value.chars().take(VALUE_CHARS_MAX).collect();
    format!("{key}: `{value}`: {used}")
}

/// A variable part of a path. Errors are problems.
pub struct PathPart(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathPart {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(part)) => Ok(Self(part)),
            Err(error) => Err(Problem::bad_request(format!("path: {}", error.body_text()))),
        }
    }
}

/// Filter of series. With all three names the answer is the object of that series, otherwise an array of those that match.
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
    /// The value in the `Link` header of the previous page.
    pub after: Option<usize>,
}

/// How a roster is taken.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RosterQuery {
    /// Checks the rows and stores nothing.
    pub dry_run: Option<bool>,
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
    /// Maximum number of series, 1 to 1000; default 1000.
    pub limit: Option<usize>,
    /// Continue after this series, `region/service/channel`.
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
    /// Maximum number of series, 1 to 1000; default 1000.
    pub limit: Option<usize>,
    /// Continue after this series, `region/service/channel`.
    pub after: Option<String>,
    /// First day (UTC), such as 2026-01-31; default: 28 days before `to`.
    pub from: Option<String>,
    /// The day after the last day; default: tomorrow. At most 400 days after `from`.
    pub to: Option<String>,
}

/// A week.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WeekQuery {
    /// An ISO week such as 2026-W46; default: the last week whose windows are all finalized.
    pub week: Option<String>,
}

/// Series and a time span.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SpanQuery {
    pub region: Option<String>,
    pub service: Option<String>,
    pub channel: Option<String>,
    /// RFC 3339; default: 24 hours before `to`.
    pub from: Option<String>,
    /// RFC 3339; default: now.
    pub to: Option<String>,
    /// Maximum number of windows per series, 1 to 1000; default: all. One answer has at most 1000 windows in all.
    pub limit: Option<usize>,
    /// The value in the `Link` header of the previous page, or a time: only windows that start after it.
    pub after: Option<String>,
}

/// Anomalies of series in a time span.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AnomalyQuery {
    pub region: Option<String>,
    pub service: Option<String>,
    pub channel: Option<String>,
    /// RFC 3339; default: 24 hours before `to`.
    pub from: Option<String>,
    /// RFC 3339; default: now.
    pub to: Option<String>,
    /// `true`: one row for each episode, that of its peak.
    pub episodes: Option<bool>,
    /// Maximum number of rows, 1 to 1000.
    pub limit: Option<usize>,
    /// The value in the `Link` header of the previous page.
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
    /// Issue time (RFC 3339) of an older forecast.
    pub issued_at: Option<String>,
    /// Maximum number of series, 1 to 1000; default 1000.
    pub limit: Option<usize>,
    /// Continue after this series, `region/service/channel`.
    pub after: Option<String>,
}

/// Alerts, newest first.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AlertQuery {
    /// Only alerts of this rule.
    pub rule: Option<String>,
    pub region: Option<String>,
    pub service: Option<String>,
    /// `true`: only alerts that are not resolved.
    pub open: Option<bool>,
    pub limit: Option<usize>,
    /// Id of the last alert of the previous page.
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
    /// The value in the `Link` header of the previous page.
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
    /// Maximum number of rows, 1 to 1000.
    pub limit: Option<usize>,
    /// Id of the last dead letter of the previous page.
    pub after: Option<i64>,
}

impl DeadLetterQuery {
    /// The requested reason.
    ///
    /// # Errors
    /// 400 for an unknown reason.
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
    /// The filter of series.
    ///
    /// # Errors
    /// 400 for an invalid name.
    pub fn filter(&self) -> Result<Filter, Problem> {
        filter(self.region.as_ref(), self.service.as_ref(), self.channel.as_ref())
    }
}

impl ListQuery {
    /// The filter of series.
    ///
    /// # Errors
    /// 400 for an invalid name.
    pub fn filter(&self) -> Result<Filter, Problem> {
        filter(self.region.as_ref(), self.service.as_ref(), self.channel.as_ref())
    }

    /// The requested part of the list.
    ///
    /// # Errors
    /// 400 for an invalid limit or series.
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
    /// 400 for an invalid limit or series.
    pub fn new(most: Option<usize>, after: Option<&str>) -> Result<Self, Problem> {
        let most = most.map_or(Ok(LIMIT_MAX), |most| limit(Some(most)))?;
        let after = after.map(SeriesKey::parse).transpose();
        let after = after.map_err(|why| Problem::bad_request(format!("after: {why}")))?;
        Ok(Self { most, after })
    }

    /// Whether a series is in this page or in a later one.
    pub fn reaches(&self, series: &SeriesKey) -> bool {
        self.after.as_ref().is_none_or(|after| series > after)
    }
}

/// A parameter with a time and an offset from UTC, in any format that events may have.
pub fn instant(key: &str, text: Option<&String>) -> Result<Option<Timestamp>, Problem> {
    text.map(|text| read_instant(text))
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
/// `after` that continues after a row.
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

/// The `after` of the next page. The router makes a `Link` of it, because it knows the URL of the request.
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

/// The cursor of a list without keys: the number of rows to skip.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RestQuery {
    /// The value in the `Link` header of the previous page.
    pub after: Option<usize>,
}

/// A list without keys as an answer: at most 1,000 rows after the first `skipped` rows.
pub fn rest_of<T: Serialize>(rows: impl Iterator<Item = T>, skipped: Option<usize>) -> Response {
    let skipped = skipped.unwrap_or(0);
    let rows: Vec<T> = rows.skip(skipped).take(LIMIT_MAX + 1).collect();
    page_of(rows, LIMIT_MAX, |_| (skipped + LIMIT_MAX).to_string())
}
