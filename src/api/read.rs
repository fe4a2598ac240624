//! GET endpoints. Reads run outside the runtime's threads, on the store's own connections.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::language::Reads;
use super::params::{
    self, AlertQuery, AnomalyQuery, DeadLetterQuery, ListQuery, Page, Params, PathPart, RestQuery,
    SeriesQuery, SpanQuery, VintageQuery,
};
use super::problem::Problem;
use super::state::ApiState;
use crate::alert::rule_names;
use crate::anomaly::{Anomaly, Episode};
use crate::domain::{DAY, MaintenanceEvent, SeriesKey, Timestamp};
use crate::forecast::{HORIZON, PlannedWork};
use crate::store::{AlertFilter, Filter, Reader, SeriesInfo, Served, StoreError};
use crate::views::{self, MANY, series_info};

/// Longest time span of one answer.
const SPAN_MAX: Duration = Duration::from_secs(62 * 86_400);
/// Maximum number of active alarms that are examined, most severe first.
const ALARMS_MAX: usize = 10_000;

/// Runs a read outside the runtime's threads.
pub async fn read<T: Send + 'static>(
    state: &ApiState,
    run: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Problem> {
    let reader = state.reader.clone();
    tokio::task::spawn_blocking(move || run(&reader))
        .await
        .map_err(|_| Problem::busy("the request was interrupted: try again"))?
        .map_err(Problem::from)
}

/// One object if all three names are given, otherwise an array of the series that match.
pub(super) async fn each<T: Serialize + Send + 'static>(
    state: &ApiState,
    filter: Filter,
    page: Page,
    mut one: impl FnMut(&Reader, &SeriesKey) -> Result<Option<T>, StoreError> + Send + 'static,
) -> Result<Response, Problem> {
    if let Some(series) = filter.one() {
        let of = series.clone();
        let found = read(state, move |reader| {
            let found = one(reader, &of)?;
            let is_known = found.is_some() || reader.has_series(&of)?;
            Ok((found, is_known))
        });
        return match found.await? {
            (Some(found), _) => Ok(Json(found).into_response()),
            (None, true) => Err(Problem::not_found(format!(
                "the series {series} is known, but this endpoint has nothing for it, or none at that time"
            ))),
            (None, false) => Err(Problem::not_found(format!("the series {series} is not known"))),
        };
    }
    let most = page.most;
    let found = read(state, move |reader| {
        let mut found = Vec::new();
        let admitted = |series: &SeriesKey| filter.admits_series(series) && page.reaches(series);
        for series in reader.series_keys()?.into_iter().filter(admitted) {
            if found.len() > page.most {
                break;
            }
            found.extend(one(reader, &series)?.map(|one| (series, one)));
        }
        Ok(found)
    })
    .await?;
    Ok(list_of(found, most))
}

/// One page of a list of series with a value for each.
pub(super) fn list_of<T: Serialize>(found: Vec<(SeriesKey, T)>, most: usize) -> Response {
    let last = found.get(most.saturating_sub(1)).map(|(series, _)| series.to_string());
    let rows = found.into_iter().map(|(_, row)| row).collect();
    params::page_of(rows, most, |_| last.unwrap_or_default())
}

/// The known series
#[utoipa::path(get, path = "/series", params(ListQuery), responses((status = 200, body = Vec<views::SeriesInfo>), (status = 400, body = Problem)))]
pub async fn series(
    State(state): State<ApiState>,
    Params(query): Params<ListQuery>,
) -> Result<Response, Problem> {
    let (filter, page) = (query.filter()?, query.page()?);
    let known = read(&state, Reader::series).await?;
    let newest = known.iter().map(|info| info.last).max().unwrap_or_default();
    let admitted = known.iter().filter(|info| filter.admits_series(&info.series));
    let shown = admitted.filter(|info| page.reaches(&info.series)).take(page.most + 1);
    let row = |known: &SeriesInfo| {
        let zone = state.zone(&known.series.region);
        (known.series.clone(), series_info(known, newest, zone))
    };
    Ok(list_of(shown.map(row).collect(), page.most))
}

pub(super) fn span(query: &SpanQuery, now: Timestamp) -> Result<(Timestamp, Timestamp), Problem> {
    let to = params::instant("to", query.to.as_ref())?.unwrap_or(now);
    let from = params::instant("from", query.from.as_ref())?.unwrap_or(to - DAY);
    if from >= to {
        return Err(Problem::bad_request("from: use a time before `to`"));
    }
    if to.since(from) > SPAN_MAX {
        return Err(Problem::bad_request("from: use at most 62 days before `to`"));
    }
    Ok((from, to))
}

/// The newest forecasts, or older ones
#[utoipa::path(get, path = "/forecasts", params(VintageQuery), responses((status = 200, body = views::Forecast), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub async fn forecasts(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    Params(query): Params<VintageQuery>,
) -> Result<Response, Problem> {
    let filter =
        params::filter(query.region.as_ref(), query.service.as_ref(), query.channel.as_ref())?;
    let issued_at = params::instant("issued_at", query.issued_at.as_ref())?;
    let page = Page::new(query.limit, query.after.as_deref())?;
    let are_many = filter.one().is_none() && issued_at.is_none() && page.most >= MANY;
    let mut newest: Option<BTreeMap<SeriesKey, Served>> = None;
    each(&state, filter, page, move |reader, series| {
        if are_many && newest.is_none() {
            newest = Some(reader.served_now()?);
        }
        let served = match newest.as_mut().and_then(|newest| newest.remove(series)) {
            Some(served) => Some(served),
            None => reader.served(series, issued_at)?,
        };
        Ok(served.map(|served| views::Forecast::new(served, &texts)))
    })
    .await
}

/// Anomalies: what is far from its forecast or from what is usual, newest first
#[utoipa::path(get, path = "/anomalies", params(AnomalyQuery), responses((status = 200, body = Vec<views::Anomaly>), (status = 400, body = Problem)))]
pub async fn anomalies(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    Params(query): Params<AnomalyQuery>,
) -> Result<Response, Problem> {
    let filter =
        params::filter(query.region.as_ref(), query.service.as_ref(), query.channel.as_ref())?;
    let times = SpanQuery { from: query.from, to: query.to, ..SpanQuery::default() };
    let span = span(&times, state.clock.now())?;
    let limit = params::limit(query.limit)?;
    let after = query.after.as_ref().map(|text| text.parse::<i64>()).transpose();
    let after = after.map_err(|_| {
        Problem::bad_request("after: use the value in the Link header of the previous page")
    })?;
    let peaks_only = query.episodes == Some(true);
    let (cursors, rows): (Vec<i64>, Vec<views::Anomaly>) = read(&state, move |reader| {
        let rows = anomaly_rows(reader, &filter, span, (limit + 1, after), peaks_only)?;
        let view =
            |(cursor, own, episode): &_| (*cursor, views::Anomaly::new(own, episode, &texts));
        Ok(rows.iter().map(view).unzip())
    })
    .await?;
    let last = cursors.get(limit - 1).map(i64::to_string);
    Ok(params::page_of(rows, limit, |_| last.unwrap_or_default()))
}

/// Anomalies with their episodes, newest first: all, or only the peak of each episode. `after` is the cursor of a row.
fn anomaly_rows(
    reader: &Reader,
    filter: &Filter,
    (from, to): (Timestamp, Timestamp),
    (limit, mut after): (usize, Option<i64>),
    peaks_only: bool,
) -> Result<Vec<(i64, Anomaly, Episode)>, StoreError> {
    let mut rows = Vec::new();
    while rows.len() < limit {
        let part = reader.anomalies(filter, from, to, limit, after)?;
        let is_last = part.len() < limit;
        after = part.last().map(|(cursor, _)| *cursor);
        let (cursors, found): (Vec<i64>, Vec<Anomaly>) = part.into_iter().unzip();
        let episodes = reader.episodes_of(&found)?;
        let all = cursors.into_iter().zip(found).zip(episodes);
        let all = all.map(|((cursor, own), episode)| (cursor, own, episode));
        rows.extend(all.filter(|(_, own, episode)| !peaks_only || own.window == episode.peak));
        if is_last {
            break;
        }
    }
    rows.truncate(limit);
    Ok(rows)
}

/// The open recommendations. They are attached to alerts, so that the text of an alert is the same everywhere.
pub(super) async fn open_recommendations(
    state: &ApiState,
) -> Result<views::OpenRecommendations, Problem> {
    read(state, views::OpenRecommendations::read).await
}

/// Alerts, newest first
#[utoipa::path(get, path = "/alerts", params(AlertQuery), responses((status = 200, body = Vec<views::Alert>), (status = 400, body = Problem)))]
pub async fn alerts(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    Params(query): Params<AlertQuery>,
) -> Result<Response, Problem> {
    let filter = params::filter(query.region.as_ref(), query.service.as_ref(), None)?;
    let limit = params::limit(query.limit)?;
    let which = AlertFilter {
        rule: query.rule.as_deref().map(known_rule).transpose()?,
        open_only: query.open.unwrap_or(false),
    };
    let rows = read(&state, move |reader| {
        let mut rows = reader.alerts_of(&filter, which, limit + 1, query.after.as_deref())?;
        let open = views::OpenRecommendations::read(reader)?;
        rows.iter_mut().for_each(|alert| open.add_to(alert));
        Ok(rows)
    });
    let rows = rows.await?;
    let last = rows.get(limit - 1).map(|alert| alert.id.clone());
    let rows = rows.iter().map(|alert| views::Alert::new(alert, &texts)).collect();
    Ok(params::page_of(rows, limit, |_| last.unwrap_or_default()))
}

/// The rule with this name.
pub(super) fn known_rule(text: &str) -> Result<&'static str, Problem> {
    let known = rule_names();
    let found = known.iter().copied().find(|rule| *rule == text);
    let wrong = || Problem::bad_request(format!("rule: found `{text}`: use {}", known.join(", ")));
    found.ok_or_else(wrong)
}

/// One alert
#[utoipa::path(get, path = "/alerts/{id}", params(("id" = String, Path)), responses((status = 200, body = views::Alert), (status = 404, body = Problem)))]
pub async fn alert(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    PathPart(id): PathPart,
) -> Result<Json<views::Alert>, Problem> {
    let missing = format!("there is no alert `{id}`");
    let found = read(&state, move |reader| {
        let mut found = reader.alert(&id)?;
        if let Some(alert) = &mut found {
            views::OpenRecommendations::read(reader)?.add_to(alert);
        }
        Ok(found)
    });
    let found = found.await?;
    found.map(|alert| Json(views::Alert::new(&alert, &texts))).ok_or(Problem::not_found(missing))
}

/// The roster from yesterday on. Rows of teams come last; a filter by region, service or channel leaves them out
#[utoipa::path(get, path = "/roster", params(SeriesQuery), responses((status = 200, body = Vec<views::RosterRow>)))]
pub async fn roster(
    State(state): State<ApiState>,
    Params(query): Params<SeriesQuery>,
) -> Result<Response, Problem> {
    let filter = query.filter()?;
    let from = state.clock.now() - DAY;
    let of_teams = query.region.is_none() && query.service.is_none() && query.channel.is_none();
    let (shifts, team_shifts) = read(&state, move |reader| {
        let shifts = reader.shifts(&filter, from, Timestamp::MAX)?;
        let of_teams =
            if of_teams { reader.team_shifts(from, Timestamp::MAX)? } else { Vec::new() };
        Ok((shifts, of_teams))
    })
    .await?;
    let rows = shifts.iter().map(views::RosterRow::from);
    let team_rows = team_shifts.iter().map(views::RosterRow::from);
    Ok(params::rest_of(rows.chain(team_rows), query.after))
}

/// Planned work that is not over, including work that overruns
#[utoipa::path(get, path = "/maintenance", params(RestQuery), responses((status = 200, body = Vec<views::Maintenance>)))]
pub async fn maintenance(
    State(state): State<ApiState>,
    Params(query): Params<RestQuery>,
) -> Result<Response, Problem> {
    let now = state.clock.now();
    let (work, alarms) = read(&state, move |reader| {
        let work = reader.maintenance(now - DAY, Timestamp::MAX)?;
        Ok((work, reader.active_alarms(&Filter::default(), now, ALARMS_MAX)?))
    })
    .await?;
    let shown = work.iter().map(|event| {
        let work = PlannedWork::from(event);
        let left = alarms.iter().filter(|alarm| {
            work.overruns_with(&alarm.event.scope, alarm.severity(), alarm.raised_at, now)
        });
        views::Maintenance { overrun_alarms: left.count(), ..event.into() }
    });
    let is_over = |shown: &views::Maintenance, event: &MaintenanceEvent| {
        event.ends_at <= now && shown.overrun_alarms == 0
    };
    let shown = shown.zip(&work).filter(|(shown, event)| !is_over(shown, event));
    Ok(params::rest_of(shown.map(|(shown, _)| shown), query.after))
}

/// Events that were not counted, newest first
#[utoipa::path(get, path = "/dead-letters", params(DeadLetterQuery), responses((status = 200, body = Vec<views::DeadLetter>), (status = 400, body = Problem)))]
pub async fn dead_letters(
    State(state): State<ApiState>,
    Params(query): Params<DeadLetterQuery>,
) -> Result<Response, Problem> {
    let (reason, limit) = (query.reason()?, params::limit(query.limit)?);
    let rows =
        read(&state, move |reader| reader.dead_letters(reason, limit + 1, query.after)).await?;
    let rows: Vec<views::DeadLetter> = rows.into_iter().map(views::DeadLetter::from).collect();
    Ok(params::page_of(rows, limit, |last| last.id.to_string()))
}

/// Status of the service
#[utoipa::path(get, path = "/status", responses((status = 200, body = views::Status)))]
pub async fn status(State(state): State<ApiState>) -> Result<Json<views::Status>, Problem> {
    status_now(&state).await.map(Json)
}

/// The status as of now, for the endpoint and the stream.
pub async fn status_now(state: &ApiState) -> Result<views::Status, Problem> {
    let since = state.clock.now() - DAY;
    let (letters, next, unmapped, late) = read(state, move |reader| {
        let next = reader.state("next_window")?;
        let late = reader.late_or_future(since)?;
        Ok((reader.dead_letter_counts()?, next, reader.unmapped(since)?, late))
    })
    .await?;
    let info = &state.info;
    Ok(views::Status {
        version: info.version,
        now: state.clock.now().to_string(),
        mode: info.mode,
        speed: info.speed,
        stops_at: info.stops_at.map(|at| at.to_string()),
        width_minutes: info.width.secs() / 60,
        settled_upto: next.map(|ms| Timestamp::from_millis(ms).to_string()),
        catching_up: state.progress.share(),
        regions: info.regions.iter().map(|(r, zone)| (r.to_string(), zone.to_string())).collect(),
        time_zone: info.zone.to_string(),
        dead_letters: letters.iter().map(|(r, n)| (r.as_str().to_owned(), *n)).collect(),
        late_or_future: late
            .into_iter()
            .map(|(source, n)| {
                let n = n.into_iter().map(|(reason, n)| (reason.as_str().to_owned(), n));
                (source.to_string(), n.collect())
            })
            .collect(),
        unmapped: unmapped.into_iter().map(|(name, n)| (name.to_owned(), n)).collect(),
        horizon_minutes: HORIZON.as_secs() / 60,
    })
}
