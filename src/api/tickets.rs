//! GET: service of tickets: open ones by urgency, compliance by week, customers to call.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::language::Reads;
use super::params::{self, Params};
use super::problem::Problem;
use super::read::read;
use super::state::ApiState;
use crate::store::Urgency;
use crate::views::{self, OpenTicket, OutreachRow, SentimentRow, SlaWeek, first_monday};

/// Weeks of compliance that are returned by default, and at most.
const WEEKS: u32 = 8;
const WEEKS_MAX: u32 = 60;

/// Which open tickets.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TicketQuery {
    pub region: Option<String>,
    pub service: Option<String>,
    pub channel: Option<String>,
    /// Rows at most, 1 to 1000; default 100.
    pub limit: Option<usize>,
    /// The value in the `Link` header of the previous page.
    pub after: Option<String>,
}

/// Which weeks.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SlaQuery {
    pub region: Option<String>,
    pub service: Option<String>,
    /// The newest weeks, 1 to 60; default 8.
    pub weeks: Option<u32>,
    /// The value in the `Link` header of the previous page.
    pub after: Option<usize>,
}

/// Which places.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SentimentQuery {
    pub region: Option<String>,
    pub service: Option<String>,
    pub channel: Option<String>,
    /// The value in the `Link` header of the previous page.
    pub after: Option<usize>,
}

/// Which customers.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OutreachQuery {
    pub region: Option<String>,
    pub service: Option<String>,
    /// Rows at most, 1 to 1000; default 100.
    pub limit: Option<usize>,
    /// The value in the `Link` header of the previous page.
    pub after: Option<String>,
}

/// Open tickets with an id, the most urgent first: by priority, then by due time
#[utoipa::path(get, path = "/tickets", params(TicketQuery), responses((status = 200, body = Vec<OpenTicket>), (status = 400, body = Problem)))]
pub async fn tickets(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    Params(query): Params<TicketQuery>,
) -> Result<Response, Problem> {
    let filter =
        params::filter(query.region.as_ref(), query.service.as_ref(), query.channel.as_ref())?;
    let limit = params::limit(query.limit)?;
    let after = query.after.as_deref().map(urgency).transpose()?;
    let found = read(&state, move |reader| reader.open_tickets(&filter, limit + 1, after.as_ref()));
    let found = found.await?;
    let last = found.get(limit - 1).map(|(place, _)| cursor(place));
    let rows = found.iter().map(|(place, own)| OpenTicket::new(&place.ticket, own, &texts));
    Ok(params::page_of(rows.collect(), limit, |_| last.unwrap_or_default()))
}

/// Compliance with agreements by week, region and service, the newest week first
///
/// A ticket counts in the week of its creation. Clocks that still run are in `open`.
#[utoipa::path(get, path = "/sla", params(SlaQuery), responses((status = 200, body = Vec<SlaWeek>), (status = 400, body = Problem)))]
pub async fn sla(
    State(state): State<ApiState>,
    Params(query): Params<SlaQuery>,
) -> Result<Response, Problem> {
    let filter = params::filter(query.region.as_ref(), query.service.as_ref(), None)?;
    let weeks = query.weeks.unwrap_or(WEEKS);
    if !(1..=WEEKS_MAX).contains(&weeks) {
        return Err(Problem::bad_request(format!("weeks: {weeks}: use 1 to {WEEKS_MAX}")));
    }
    let from = first_monday(state.clock.now(), weeks);
    let found = read(&state, move |reader| reader.compliance(&filter, from)).await?;
    Ok(params::rest_of(found.iter().map(SlaWeek::from), query.after))
}

/// Tickets of the last hour by the sentiment of their text, beside what is usual, by region and service
///
/// The row whose number of negative tickets is furthest above its usual number comes first. Only tickets with an id are counted, if their first event has a text.
#[utoipa::path(get, path = "/tickets/sentiment", params(SentimentQuery), responses((status = 200, body = Vec<SentimentRow>), (status = 400, body = Problem)))]
pub async fn sentiment(
    State(state): State<ApiState>,
    Params(query): Params<SentimentQuery>,
) -> Result<Response, Problem> {
    let filter =
        params::filter(query.region.as_ref(), query.service.as_ref(), query.channel.as_ref())?;
    let rows = read(&state, move |reader| views::sentiments(reader, &filter)).await?;
    Ok(params::rest_of(rows.into_iter(), query.after))
}

/// Customers to call, because they have several tickets or a ticket that missed its deadline; customers with the most such tickets first
///
/// Only where events carry ids of customers. Ids are hashed unless `tickets.customer_ids` is `plain`.
#[utoipa::path(get, path = "/outreach", params(OutreachQuery), responses((status = 200, body = Vec<OutreachRow>), (status = 400, body = Problem)))]
pub async fn outreach(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    Params(query): Params<OutreachQuery>,
) -> Result<Response, Problem> {
    let filter = params::filter(query.region.as_ref(), query.service.as_ref(), None)?;
    let limit = params::limit(query.limit)?;
    let after = query.after.as_deref().map(rank).transpose()?;
    let found = read(&state, move |reader| reader.outreach(&filter, limit + 1, after.as_ref()));
    let found = found.await?;
    let last = found.get(limit - 1).map(|(id, own)| format!("{}/{id}", own.rank()));
    let rows = found.iter().map(|(id, own)| OutreachRow::new(id, own, &texts)).collect();
    Ok(params::page_of(rows, limit, |_| last.unwrap_or_default()))
}

fn cursor(place: &Urgency) -> String {
    format!("{}/{}/{}", place.priority, place.due, place.ticket)
}

fn no_cursor() -> Problem {
    Problem::bad_request("after: use the value in the Link header of the previous page")
}

fn urgency(text: &str) -> Result<Urgency, Problem> {
    let mut parts = text.splitn(3, '/');
    let mut next = || parts.next().ok_or_else(no_cursor);
    let (priority, due, ticket) = (next()?, next()?, next()?);
    let priority = priority.parse().map_err(|_| no_cursor())?;
    let due = due.parse().map_err(|_| no_cursor())?;
    Ok(Urgency { priority, due, ticket: ticket.to_owned() })
}

fn rank(text: &str) -> Result<(i64, String), Problem> {
    let (rank, customer) = text.split_once('/').ok_or_else(no_cursor)?;
    Ok((rank.parse().map_err(|_| no_cursor())?, customer.to_owned()))
}
