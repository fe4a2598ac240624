//! What planners enter: campaigns, billing runs, overrides.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::Actor;
use super::params::{self, Params, RestQuery};
use super::problem::Problem;
use super::read::read;
use super::state::ApiState;
use super::write::{Body, ID_CHARS_MAX, NOTE_CHARS_MAX, body, line, person, tell, text};
use crate::domain::{Act, DAY, Name, SeriesKey, Timestamp};
use crate::engine::Command;
use crate::forecast::{self, AdjustmentAmount, AdjustmentKind};

/// Entries that are not over, at most.
const ENTRIES_MAX: usize = 500;
const SPAN_MAX: Duration = Duration::from_secs(62 * 86_400);
/// As far back as counts are learned from.
const PAST_MAX: Duration = Duration::from_secs(63 * 86_400);
const FACTOR_MAX: f64 = 10.0;
const TICKETS_MAX: f64 = 1e6;
const LABEL_CHARS_MAX: usize = 60;

/// A change of what is expected, which a planner knows of and no history tells.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Adjustment {
    /// Given again, it replaces.
    pub id: String,
    /// Such as "billing run": what drivers, alerts and the page call it.
    pub label: String,
    #[schema(value_type = String)]
    pub kind: AdjustmentKind,
    /// `null` means every one, here and below. Roll-ups get the sum of what their parts get.
    pub region: Option<String>,
    pub service: Option<String>,
    pub channel: Option<String>,
    pub starts_at: String,
    pub ends_at: String,
    /// So many times what is usual, 0 to 10. Either this or `tickets_per_window`.
    pub factor: Option<f64>,
    /// So many tickets a window, of all series it names together, in place of what is usual.
    pub tickets_per_window: Option<f64>,
    /// Who enters it. Where there are tokens, the token's name is used instead.
    #[serde(default)]
    pub by: String,
    pub note: Option<String>,
}

impl From<&forecast::Adjustment> for Adjustment {
    fn from(a: &forecast::Adjustment) -> Self {
        let name = |name: &Option<Name>| name.as_ref().map(ToString::to_string);
        let (factor, tickets_per_window) = match a.amount {
            AdjustmentAmount::Factor(factor) => (Some(factor), None),
            AdjustmentAmount::TicketsPerWindow(tickets) => (None, Some(tickets)),
        };
        Self {
            id: a.id.clone(),
            label: a.label.clone(),
            kind: a.kind,
            region: name(&a.region),
            service: name(&a.service),
            channel: name(&a.channel),
            starts_at: a.starts_at.to_string(),
            ends_at: a.ends_at.to_string(),
            factor,
            tickets_per_window,
            by: a.by.clone(),
            note: a.note.clone(),
        }
    }
}

/// Adjustments that are not over, and those of the past day, by start
#[utoipa::path(get, path = "/adjustments", params(RestQuery), responses((status = 200, body = Vec<Adjustment>)))]
pub async fn list(
    State(state): State<ApiState>,
    Params(query): Params<RestQuery>,
) -> Result<Response, Problem> {
    let now = state.clock.now();
    let from = now - DAY;
    let known = read(&state, move |reader| reader.adjustments(from, Timestamp::MAX)).await?;
    Ok(params::rest_of(known.iter().map(Adjustment::from), query.after))
}

/// Enters an adjustment, or changes one of the same id; forecasts have it from the next one on
#[utoipa::path(post, path = "/adjustments", request_body = Adjustment, responses((status = 201, body = Adjustment), (status = 400, body = Problem), (status = 409, body = Problem)))]
pub async fn enter(
    State(state): State<ApiState>,
    actor: Actor,
    given: Body<Adjustment>,
) -> Result<(StatusCode, Json<Adjustment>), Problem> {
    let now = state.clock.now();
    let given = body(given)?;
    let by = person(&actor, Some(&given.by))?;
    let adjustment = forecast::Adjustment { by, ..checked(&given, now)? };
    let (keys, known) = read(&state, move |reader| {
        Ok((reader.series_keys()?, reader.adjustments(now, Timestamp::MAX)?))
    })
    .await?;
    speaks_of_some(&adjustment, &keys)?;
    let others = known.iter().filter(|other| other.id != adjustment.id).count();
    if others >= ENTRIES_MAX {
        let detail = format!("{others} adjustments are entered already: take some back first");
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    let shown = Adjustment::from(&adjustment);
    let adjustment = Box::new(adjustment);
    let name = Some(given.by.trim()).filter(|name| !name.is_empty());
    let entry = actor.did(Act::AdjustmentEntered, &adjustment.id, name);
    tell(&state, entry, |reply| Command::PutAdjustment { adjustment, reply }).await?;
    Ok((StatusCode::CREATED, Json(shown)))
}

/// Names listed of those that are known.
const NAMES_MAX: usize = 12;

type NameOf = fn(&SeriesKey) -> &Name;

/// Whether a series is meant: a mistyped name would change nothing, and nobody would know. Before the first ticket any name is
/// taken.
fn speaks_of_some(
    adjustment: &forecast::Adjustment,
    keys: &BTreeSet<SeriesKey>,
) -> Result<(), Problem> {
    let leaves = || keys.iter().filter(|key| !key.is_roll_up());
    let of: [(_, _, NameOf); 3] = [
        ("region", &adjustment.region, |key| &key.region),
        ("service", &adjustment.service, |key| &key.service),
        ("channel", &adjustment.channel, |key| &key.channel),
    ];
    for (what, wanted, name) in &of {
        let Some(wanted) = wanted else { continue };
        let known: BTreeSet<&str> = leaves().map(|key| name(key).as_str()).collect();
        if !known.is_empty() && !known.contains(wanted.as_str()) {
            let rest = if known.len() > NAMES_MAX { ", …" } else { "" };
            let known: Vec<&str> = known.into_iter().take(NAMES_MAX).collect();
            let known = known.join(", ");
            return Err(Problem::bad_request(format!(
                "{what}: nothing is known of `{wanted}`; known are {known}{rest}"
            )));
        }
    }
    if leaves().next().is_some() && !leaves().any(|key| adjustment.covers(key)) {
        let detail =
            "region, service, channel: known are all of them, but no series has them together";
        return Err(Problem::bad_request(detail));
    }
    Ok(())
}

/// Takes an adjustment back, as if it had never been entered; forecasts that were issued stay
#[utoipa::path(delete, path = "/adjustments/{id}", params(("id" = String, Path)), responses((status = 204), (status = 404, body = Problem)))]
pub async fn take_back(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    actor: Actor,
) -> Result<StatusCode, Problem> {
    let known = read(&state, |r| r.adjustments(Timestamp::MIN, Timestamp::MAX)).await?;
    if known.iter().all(|adjustment| adjustment.id != id) {
        return Err(Problem::not_found(format!("no adjustment is called `{id}`")));
    }
    let entry = actor.did(Act::AdjustmentRemoved, &id, None);
    tell(&state, entry, |reply| Command::DeleteAdjustment { id, reply }).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn checked(given: &Adjustment, now: Timestamp) -> Result<forecast::Adjustment, Problem> {
    let name = |key: &str, name: &Option<String>| {
        let checked = name.as_deref().map(Name::new).transpose();
        checked.map_err(|error| Problem::bad_request(format!("{key}: the name {error}")))
    };
    let time = |key: &str, text: &str| {
        Timestamp::parse(text).map_err(|e| Problem::bad_request(format!("{key}: {e}")))
    };
    let (starts_at, ends_at) =
        (time("starts_at", &given.starts_at)?, time("ends_at", &given.ends_at)?);
    if starts_at >= ends_at {
        return Err(Problem::bad_request("ends_at: has to come after starts_at"));
    }
    if ends_at.since(starts_at) > SPAN_MAX {
        return Err(Problem::bad_request("ends_at: at most 62 days after starts_at"));
    }
    if now.since(ends_at) > PAST_MAX {
        return Err(Problem::bad_request("ends_at: at most 63 days ago"));
    }
    let within = |key: &str, number: f64, most: f64| {
        let wrong = || Problem::bad_request(format!("{key}: {number}: use 0 to {most}"));
        (0.0..=most).contains(&number).then_some(number).ok_or_else(wrong)
    };
    let amount = match (given.factor, given.tickets_per_window) {
        (Some(factor), None) => AdjustmentAmount::Factor(within("factor", factor, FACTOR_MAX)?),
        (None, Some(tickets)) => {
            AdjustmentAmount::TicketsPerWindow(within("tickets_per_window", tickets, TICKETS_MAX)?)
        }
        _ => return Err(Problem::bad_request("give either factor or tickets_per_window")),
    };
    let note = given.note.as_deref().filter(|note| !note.trim().is_empty());
    Ok(forecast::Adjustment {
        id: line("id", &given.id, ID_CHARS_MAX)?,
        label: line("label", &given.label, LABEL_CHARS_MAX)?,
        kind: given.kind,
        region: name("region", &given.region)?,
        service: name("service", &given.service)?,
        channel: name("channel", &given.channel)?,
        starts_at,
        ends_at,
        amount,
        by: String::new(),
        note: note.map(|note| text("note", note, NOTE_CHARS_MAX)).transpose()?,
        entered_at: now,
    })
}
