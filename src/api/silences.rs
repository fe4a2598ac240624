//! Silences of alerts, and the incidents that alerts form.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::adjustments::known_name;
use super::auth::Actor;
use super::language::Reads;
use super::params::{self, Params, PathPart, RestQuery};
use super::problem::Problem;
use super::read::{known_rule, read};
use super::state::ApiState;
use super::write::{Body, NOTE_CHARS_MAX, body, person, tell, text};
use crate::alert::{SILENCE_MAX, Silence};
use crate::domain::{Act, AuditEntry, Name, Scope, Timestamp, Zone, read_instant};
use crate::engine::Command;
use crate::store::{Filter, Reader, StoreError};
use crate::views;

/// Maximum number of silences that have not ended.
const SILENCES_MAX: usize = 500;
/// Maximum number of open alerts that are read for incidents.
const ALERTS_MAX: usize = 10_000;
/// Maximum number of active alarms that are read for their regions and services.
const ALARMS_MAX: usize = 10_000;
/// How far in the past a silence may begin.
const BACK_MAX: Duration = Duration::from_secs(3600);

/// A silence as a person enters it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSilence {
    /// Only alerts of this rule. `null` means all, here and below.
    pub rule: Option<String>,
    pub region: Option<String>,
    pub service: Option<String>,
    /// RFC 3339; now by default.
    pub starts_at: Option<String>,
    /// RFC 3339; at most 31 days after the start.
    pub ends_at: String,
    /// `true`: also holds back pages of critical alerts. Otherwise they are sent.
    #[serde(default)]
    pub critical: bool,
    pub comment: Option<String>,
    /// Who enters it. With tokens, the name of the token is used instead.
    pub by: Option<String>,
}

/// Who ends a silence.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SilenceEnd {
    /// With tokens, the name of the token is used instead.
    pub by: Option<String>,
}

/// Query parameters of silences.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SilenceQuery {
    /// RFC 3339: only silences that end after this time; default: now, so only those that are in force or planned.
    pub from: Option<String>,
    /// The value in the `Link` header of the previous page.
    pub after: Option<usize>,
}

/// Silences that end after the time `from`, by start
#[utoipa::path(get, path = "/silences", params(SilenceQuery), responses((status = 200, body = Vec<views::Silence>), (status = 400, body = Problem)))]
pub async fn silences(
    State(state): State<ApiState>,
    Params(query): Params<SilenceQuery>,
) -> Result<Response, Problem> {
    let now = state.clock.now();
    let from = params::instant("from", query.from.as_ref())?.unwrap_or(now);
    let known = read(&state, move |reader| reader.silences(from)).await?;
    Ok(params::rest_of(known.iter().map(|own| views::Silence::new(own, now)), query.after))
}

/// Silences alerts: their pages are held back until the end
///
/// Without `"critical": true`, critical alerts send pages all the same.
#[utoipa::path(post, path = "/silences", request_body = NewSilence, responses((status = 201, body = views::Silence), (status = 400, body = Problem), (status = 409, body = Problem)))]
pub async fn silence(
    State(state): State<ApiState>,
    actor: Actor,
    given: Body<NewSilence>,
) -> Result<(StatusCode, Json<views::Silence>), Problem> {
    let given = body(given)?;
    let now = state.clock.now();
    let by = person(&actor, given.by.as_deref())?;
    let silence = Box::new(Silence { by, ..checked(&given, now)? });
    let (known, scopes) =
        read(&state, move |reader| Ok((reader.silences(now)?, scopes(reader, now)?))).await?;
    concerns_some(&silence, &scopes, &state.info.regions)?;
    if known.len() >= SILENCES_MAX {
        let detail = format!("{} silences are entered already: end some first", known.len());
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    let entry =
        actor.did(Act::SilenceEntered, &subject(&silence), given.by.as_deref().map(str::trim));
    let until = format!("until {}", silence.ends_at);
    let parts = [Some(entry.detail.clone()), Some(until), silence.comment.clone()];
    let parts = parts.into_iter().flatten().filter(|part| !part.is_empty());
    let detail = parts.collect::<Vec<_>>().join("; ");
    let entry = AuditEntry { detail, ..entry };
    let silence = tell(&state, entry, |reply| Command::Silence { silence, reply }).await?;
    Ok((StatusCode::CREATED, Json(views::Silence::new(&silence, now))))
}

/// Ends a silence: the pages of alerts that still fire are then sent
#[utoipa::path(post, path = "/silences/{id}/end", params(("id" = String, Path)), request_body = SilenceEnd, responses((status = 200, body = views::Silence), (status = 404, body = Problem)))]
pub async fn end_silence(
    State(state): State<ApiState>,
    PathPart(id): PathPart,
    actor: Actor,
    given: Body<SilenceEnd>,
) -> Result<Json<views::Silence>, Problem> {
    let given = body(given)?.by;
    let by = person(&actor, given.as_deref())?;
    let entry = actor.did(Act::SilenceEnded, &id, given.as_deref().map(str::trim));
    let silence = tell(&state, entry, |reply| Command::EndSilence { id, by, reply }).await?;
    Ok(Json(views::Silence::new(&silence, state.clock.now())))
}

/// Incidents that are open: alerts of several services with the same cause, newest first
#[utoipa::path(get, path = "/incidents", params(RestQuery), responses((status = 200, body = Vec<views::Incident>)))]
pub async fn incidents(
    State(state): State<ApiState>,
    Reads(texts): Reads,
    Params(query): Params<RestQuery>,
) -> Result<Response, Problem> {
    let open = read(&state, move |reader| {
        let mut open = reader.alerts(&Filter::default(), true, ALERTS_MAX, None)?;
        let advice = views::OpenRecommendations::read(reader)?;
        open.iter_mut().for_each(|alert| advice.add_to(alert));
        Ok(open)
    });
    let incidents = views::incidents(&open.await?, &texts);
    Ok(params::rest_of(incidents.into_iter(), query.after))
}

/// Regions and services for which tickets, active alarms or open alerts are known.
fn scopes(reader: &Reader, now: Timestamp) -> Result<BTreeSet<Scope>, StoreError> {
    let every = Filter::default();
    let series = reader.series_keys()?.into_iter().filter(|key| !key.is_roll_up());
    let alarms = reader.active_alarms(&every, now, ALARMS_MAX)?.into_iter();
    let alerts = reader.alerts(&every, true, ALERTS_MAX, None)?.into_iter();
    let scopes = series.map(|key| key.scope()).chain(alarms.map(|alarm| alarm.event.scope));
    Ok(scopes.chain(alerts.map(|alert| alert.scope)).collect())
}

/// Refuses a silence that can match no alert. With a mistyped name, pages would be sent although someone believes that they are
/// held back. Before the first ticket, every name is accepted.
fn concerns_some(
    silence: &Silence,
    scopes: &BTreeSet<Scope>,
    regions: &BTreeMap<Name, Zone>,
) -> Result<(), Problem> {
    if scopes.is_empty() {
        return Ok(());
    }
    let (region, service) = (silence.region.clone(), silence.service.clone());
    if let Some(region) = &region {
        let known = scopes.iter().map(|scope| &scope.region).chain(regions.keys());
        known_name("region", region, known.map(Name::as_str).collect())?;
    }
    if let Some(service) = &service {
        known_name("service", service, scopes.iter().map(|own| own.service.as_str()).collect())?;
    }
    if let (Some(region), Some(service)) = (region, service)
        && !scopes.contains(&Scope { region, service })
    {
        let detail = "region, service: each is known, but they do not occur together";
        return Err(Problem::bad_request(detail));
    }
    Ok(())
}

/// The subject of a silence, for the audit trail.
fn subject(silence: &Silence) -> String {
    let name = |name: &Option<Name>| name.as_ref().map_or_else(|| "*".into(), ToString::to_string);
    let rule = silence.rule.as_deref().unwrap_or("*");
    format!("{rule} {}/{}", name(&silence.region), name(&silence.service))
}

fn checked(given: &NewSilence, now: Timestamp) -> Result<Silence, Problem> {
    let name = |key: &str, name: &Option<String>| {
        let checked = name.as_deref().map(Name::new).transpose();
        checked.map_err(|error| Problem::bad_request(format!("{key}: the name {error}")))
    };
    let time = |key: &str, text: &str| {
        read_instant(text).map_err(|error| Problem::bad_request(format!("{key}: {error}")))
    };
    given.rule.as_deref().map(known_rule).transpose()?;
    let starts_at = given.starts_at.as_deref().map(|text| time("starts_at", text)).transpose()?;
    let (starts_at, ends_at) = (starts_at.unwrap_or(now), time("ends_at", &given.ends_at)?);
    if ends_at <= starts_at || ends_at <= now {
        return Err(Problem::bad_request("ends_at: has to come after starts_at and after now"));
    }
    if starts_at < now - BACK_MAX {
        return Err(Problem::bad_request("starts_at: is more than an hour ago"));
    }
    if ends_at.since(starts_at) > SILENCE_MAX {
        return Err(Problem::bad_request("ends_at: use at most 31 days after the start"));
    }
    let comment = given.comment.as_deref().filter(|comment| !comment.trim().is_empty());
    Ok(Silence {
        id: String::new(),
        rule: given.rule.clone(),
        region: name("region", &given.region)?,
        service: name("service", &given.service)?,
        starts_at,
        ends_at,
        critical: given.critical,
        comment: comment.map(|comment| text("comment", comment, NOTE_CHARS_MAX)).transpose()?,
        by: String::new(),
        entered_at: now,
        ended_by: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SeriesKey;

    #[test]
    fn a_silence_names_what_is_known() {
        let scope = |text: &str| SeriesKey::parse(text).expect("a series").scope();
        let known: BTreeSet<Scope> =
            ["north/tv/phone", "south/mobile/phone"].map(scope).into_iter().collect();
        let name = |text: &str| Name::new(text).expect("a name");
        let regions = [(name("west"), Zone::UTC)].into();
        let check = |region: Option<&str>, service: Option<&str>, known: &BTreeSet<Scope>| {
            let at = Timestamp::from_secs(0);
            let silence = Silence {
                id: String::new(),
                rule: None,
                region: region.map(name),
                service: service.map(name),
                starts_at: at,
                ends_at: at,
                critical: false,
                comment: None,
                by: String::new(),
                entered_at: at,
                ended_by: None,
            };
            let checked = concerns_some(&silence, known, &regions);
            checked
                .map_err(|problem| serde_json::to_value(problem).expect("JSON")["detail"].clone())
        };
        for (region, service) in [
            (None, None),
            (Some("north"), None),
            (Some("west"), None),
            (None, Some("mobile")),
            (Some("north"), Some("tv")),
        ] {
            assert_eq!(check(region, service, &known), Ok(()), "{region:?} {service:?}");
        }
        for (region, service, detail) in [
            (Some("nowhere"), None, "region: `nowhere` is not known: use north, south, west"),
            (None, Some("tvv"), "service: `tvv` is not known: use mobile, tv"),
            (
                Some("north"),
                Some("mobile"),
                "region, service: each is known, but they do not occur together",
            ),
        ] {
            assert_eq!(
                check(region, service, &known),
                Err(detail.into()),
                "{region:?} {service:?}"
            );
            assert_eq!(check(region, service, &BTreeSet::new()), Ok(()), "nothing is known yet");
        }
    }
}
