//! What planners enter: campaigns, billing runs, overrides.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::auth::Actor;
use super::params::{self, Params, PathPart};
use super::problem::Problem;
use super::read::read;
use super::state::ApiState;
use super::write::{Body, ID_CHARS_MAX, NOTE_CHARS_MAX, body, line, person, tell, text};
use crate::domain::{Act, DAY, Name, SeriesKey, Timestamp, read_instant};
use crate::engine::Command;
use crate::forecast::{self, AdjustmentAmount, AdjustmentKind};

/// Maximum number of entries that have not ended.
const ENTRIES_MAX: usize = 500;
const SPAN_MAX: Duration = Duration::from_secs(62 * 86_400);
/// Length of the history from which models learn.
const PAST_MAX: Duration = Duration::from_secs(63 * 86_400);
const FACTOR_MAX: f64 = 10.0;
const TICKETS_MAX: f64 = 1e6;
const LABEL_CHARS_MAX: usize = 60;

/// A planner's correction of the forecast, for what history does not show.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Adjustment {
    /// An entry with the same id is replaced.
    pub id: String,
    /// Name in drivers, alerts and on the web page, such as "billing run".
    pub label: String,
    #[schema(value_type = String)]
    pub kind: AdjustmentKind,
    /// `null` means all, here and below. A roll-up changes by the sum of its parts.
    pub region: Option<String>,
    pub service: Option<String>,
    pub channel: Option<String>,
    pub starts_at: String,
    pub ends_at: String,
    /// Multiple of the usual number, 0 to 10. Give either this or `tickets_per_window`.
    pub factor: Option<f64>,
    /// Tickets per window for all covered series together, in place of the usual number.
    pub tickets_per_window: Option<f64>,
    /// Who enters it. With tokens, the name of the token is used instead.
    #[serde(default)]
    pub by: String,
    pub note: Option<String>,
    /// Confirms an entry that forecasts no tickets at all for whole services; such an entry is refused without it.
    #[serde(default, skip_serializing)]
    pub confirmed: bool,
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
            confirmed: false,
        }
    }
}

/// Entries from a time on.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AdjustmentQuery {
    /// RFC 3339: only entries that end after this time; default: a day ago.
    pub from: Option<String>,
    /// The value in the `Link` header of the previous page.
    pub after: Option<usize>,
}

/// Adjustments that end after the time `from`, by start
#[utoipa::path(get, path = "/adjustments", params(AdjustmentQuery), responses((status = 200, body = Vec<Adjustment>), (status = 400, body = Problem)))]
pub async fn list(
    State(state): State<ApiState>,
    Params(query): Params<AdjustmentQuery>,
) -> Result<Response, Problem> {
    let from = params::instant("from", query.from.as_ref())?;
    let from = from.unwrap_or_else(|| state.clock.now() - DAY);
    let known = read(&state, move |reader| reader.adjustments(from, Timestamp::MAX)).await?;
    Ok(params::rest_of(known.iter().map(Adjustment::from), query.after))
}

/// Adds an adjustment, or changes the one with the same id; used from the next forecast on
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
    applies_to_some(&adjustment, &keys)?;
    if !given.confirmed && is_none_at_all(&adjustment) {
        let detail = "no tickets at all for whole services would leave them without agents: send \"confirmed\": true if this is intended";
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    let others = known.iter().filter(|other| other.id != adjustment.id).count();
    if others >= ENTRIES_MAX {
        let detail = format!("{others} adjustments are entered already: remove some first");
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    let shown = Adjustment::from(&adjustment);
    let adjustment = Box::new(adjustment);
    let name = Some(given.by.trim()).filter(|name| !name.is_empty());
    let entry = actor.did(Act::AdjustmentEntered, &adjustment.id, name);
    tell(&state, entry, |reply| Command::PutAdjustment { adjustment, reply }).await?;
    Ok((StatusCode::CREATED, Json(shown)))
}

/// Whether an entry forecasts no tickets for every channel of a service.
fn is_none_at_all(adjustment: &forecast::Adjustment) -> bool {
    let (AdjustmentAmount::Factor(amount) | AdjustmentAmount::TicketsPerWindow(amount)) =
        adjustment.amount;
    adjustment.channel.is_none() && amount <= 0.0
}

/// Maximum number of known names in an error.
const NAMES_MAX: usize = 12;

type NameOf = fn(&SeriesKey) -> &Name;

/// Refuses an adjustment that applies to no known series: with a mistyped name it would silently change nothing. Before the
/// first ticket any name is accepted.
fn applies_to_some(
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
        known_name(what, wanted, leaves().map(|key| name(key).as_str()).collect())?;
    }
    if leaves().next().is_some() && !leaves().any(|key| adjustment.covers(key)) {
        let detail = "region, service, channel: each is known, but no series has this combination";
        return Err(Problem::bad_request(detail));
    }
    Ok(())
}

/// Refuses a name that is not among the known ones, if there are any.
pub(super) fn known_name(what: &str, wanted: &Name, known: BTreeSet<&str>) -> Result<(), Problem> {
    if known.is_empty() || known.contains(wanted.as_str()) {
        return Ok(());
    }
    let rest = if known.len() > NAMES_MAX { ", …" } else { "" };
    let known: Vec<&str> = known.into_iter().take(NAMES_MAX).collect();
    let known = known.join(", ");
    Err(Problem::bad_request(format!("{what}: `{wanted}` is not known: use {known}{rest}")))
}

/// Removes an adjustment; issued forecasts stay unchanged
#[utoipa::path(delete, path = "/adjustments/{id}", params(("id" = String, Path)), responses((status = 204), (status = 404, body = Problem)))]
pub async fn take_back(
    State(state): State<ApiState>,
    PathPart(id): PathPart,
    actor: Actor,
) -> Result<StatusCode, Problem> {
    let known = read(&state, |r| r.adjustments(Timestamp::MIN, Timestamp::MAX)).await?;
    if known.iter().all(|adjustment| adjustment.id != id) {
        return Err(Problem::not_found(format!("no adjustment has the id `{id}`")));
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
        read_instant(text).map_err(|e| Problem::bad_request(format!("{key}: {e}")))
    };
    let (starts_at, ends_at) =
        (time("starts_at", &given.starts_at)?, time("ends_at", &given.ends_at)?);
    if starts_at >= ends_at {
        return Err(Problem::bad_request("ends_at: has to come after starts_at"));
    }
    if ends_at.since(starts_at) > SPAN_MAX {
        return Err(Problem::bad_request("ends_at: use at most 62 days after the start"));
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
