//! GET: the outlook of one series or of all, and the rows of the overview page.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::language::Reads;
use super::params::{self, ListQuery, Page, Params};
use super::problem::Problem;
use super::read::{each, read};
use super::state::ApiState;
use crate::domain::SeriesKey;
use crate::staffing::Outlook;
use crate::store::Reader;
use crate::views::{self, Order, Overview, Query, outlooks};

/// Outlook: the next six hours in a few numbers, such as the peak and the largest gap
#[utoipa::path(get, path = "/outlook", params(ListQuery), responses((status = 200, body = views::Outlook), (status = 404, body = Problem)))]
pub async fn outlook(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    Params(query): Params<ListQuery>,
) -> Result<Response, Problem> {
    let (filter, page) = (query.filter()?, query.page()?);
    if filter.one().is_some() {
        let one = move |reader: &Reader, series: &SeriesKey| {
            let known: Vec<Outlook> = reader.outlook(series)?.into_iter().collect();
            Ok(outlooks(reader, &known.iter().collect::<Vec<_>>(), &texts)?.pop())
        };
        return each(&state, filter, Page::WHOLE, one).await;
    }
    let most = page.most;
    let all = read(&state, move |reader| {
        let known = reader.outlooks(&filter)?;
        let known = known.iter().filter(|outlook| page.reaches(&outlook.series)).take(most + 1);
        let known: Vec<_> = known.collect();
        let last = known.get(most - 1).map(|outlook| outlook.series.to_string());
        Ok((outlooks(reader, &known, &texts)?, last))
    });
    let (all, last) = all.await?;
    Ok(params::page_of(all, most, |_| last.unwrap_or_default()))
}

/// Query parameters of the overview.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OverviewQuery {
    /// A region.
    pub region: Option<String>,
    /// A service.
    pub service: Option<String>,
    /// A channel.
    pub channel: Option<String>,
    /// Words that the names of a series must contain; `a|b` means either.
    pub q: Option<String>,
    /// `true`: also list roll-ups.
    pub totals: Option<bool>,
    /// `risk` (default), `peak` or `name`.
    pub sort: Option<String>,
    /// Maximum number of rows, 1 to 1000; default 100.
    pub limit: Option<usize>,
}

/// The series with the highest risk, and sums over all that match; used by the web page
#[utoipa::path(get, path = "/overview", params(OverviewQuery), responses((status = 200, body = Overview), (status = 400, body = Problem)))]
pub async fn overview(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    Params(query): Params<OverviewQuery>,
) -> Result<Json<Overview>, Problem> {
    let filter =
        params::filter(query.region.as_ref(), query.service.as_ref(), query.channel.as_ref())?;
    let order = match query.sort.as_deref() {
        None | Some("risk") => Order::Risk,
        Some("peak") => Order::Peak,
        Some("name") => Order::Name,
        Some(_) => return Err(Problem::bad_request("sort: use risk, peak or name")),
    };
    let asked = Query {
        filter,
        words: query.q,
        totals: query.totals.unwrap_or(false),
        order,
        most: params::limit(query.limit)?,
    };
    let shown_in = state.clone();
    let found = read(&state, move |reader| {
        views::overview(reader, &asked, |region| shown_in.zone(region), &texts)
    });
    Ok(Json(found.await?))
}
