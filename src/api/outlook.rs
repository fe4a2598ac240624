//! GET: what the next six hours hold: of one series, of all, and the rows that the page shows.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::dto;
use super::params::{self, ListQuery, Page, Params};
use super::problem::Problem;
use super::read::{MANY, each, info, read};
use super::state::ApiState;
use crate::domain::{Name, SeriesKey, Timestamp};
use crate::staffing::{Outlook, Plan, PlanTarget};
use crate::store::{Filter, Reader, SeriesInfo, StoreError};

/// Counts that a sparkline shows.
const SPARK_WINDOWS: u32 = 48;

/// What the next six hours hold, as present-time numbers
#[utoipa::path(get, path = "/outlook", params(ListQuery), responses((status = 200, body = dto::Outlook), (status = 404, body = Problem)))]
pub async fn outlook(
    State(state): State<ApiState>,
    Params(query): Params<ListQuery>,
) -> Result<Response, Problem> {
    let (filter, page) = (query.filter()?, query.page()?);
    if filter.one().is_some() {
        let one = |reader: &Reader, series: &SeriesKey| {
            let known: Vec<Outlook> = reader.outlook(series)?.into_iter().collect();
            Ok(shown(reader, &known.iter().collect::<Vec<_>>())?.pop())
        };
        return each(&state, filter, Page::WHOLE, one).await;
    }
    let all = read(&state, move |reader| {
        let known = reader.outlooks(&filter)?;
        let known = known.iter().filter(|outlook| page.reaches(&outlook.series)).take(page.most);
        shown(reader, &known.collect::<Vec<_>>())
    });
    Ok(Json(all.await?).into_response())
}

/// Outlooks with what came before and the medians of what is expected.
fn shown(reader: &Reader, outlooks: &[&Outlook]) -> Result<Vec<dto::Outlook>, StoreError> {
    let width = reader.width();
    // A nowcast is issued within a window.
    let upto = |outlook: &Outlook| width.floor(outlook.issued_at);
    let mut wanted: BTreeMap<Timestamp, BTreeSet<SeriesKey>> = BTreeMap::new();
    for outlook in outlooks {
        wanted.entry(upto(outlook)).or_default().insert(outlook.series.clone());
    }
    let mut past: BTreeMap<(Timestamp, SeriesKey), Vec<Option<u32>>> = BTreeMap::new();
    for (upto, series) in wanted {
        let found = reader.past(&series, upto, SPARK_WINDOWS)?;
        past.extend(found.into_iter().map(|(series, counts)| ((upto, series), counts)));
    }
    let mut next = medians(reader, outlooks)?;
    let shown = outlooks.iter().map(|outlook| dto::Outlook {
        key: dto::Key::from(&outlook.series),
        issued_at: outlook.issued_at.to_string(),
        peak: outlook.peak,
        peak_at: outlook.peak_at.to_string(),
        over_baseline: outlook.over_baseline,
        gap_max: outlook.gap_max,
        gap_at: outlook.gap_at.map(|at| at.to_string()),
        minutes_to_breach: outlook.minutes_to_breach,
        width_minutes: width.secs() / 60,
        past: past
            .remove(&(upto(outlook), outlook.series.clone()))
            .unwrap_or_else(|| vec![None; SPARK_WINDOWS as usize]),
        next: next.remove(&outlook.series).unwrap_or_default(),
    });
    Ok(shown.collect())
}

/// Medians of the forecasts that outlooks were made from.
fn medians(
    reader: &Reader,
    outlooks: &[&Outlook],
) -> Result<BTreeMap<SeriesKey, Vec<f64>>, StoreError> {
    let mut known = match outlooks.len() {
        MANY.. => reader.served_now()?,
        _ => BTreeMap::new(),
    };
    let mut medians = BTreeMap::new();
    for Outlook { series, issued_at, .. } in outlooks {
        let served = match known.remove(series) {
            Some(served) if served.vintage.issued_at == *issued_at => Some(served),
            _ => reader.served(series, Some(*issued_at))?,
        };
        let Some(served) = served else { continue };
        let targets = served.vintage.targets.iter();
        medians.insert(series.clone(), targets.map(|target| target.quantiles[3]).collect());
    }
    Ok(medians)
}

/// Which rows the page shows.
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
    /// Words that have to be in a series' names; `a|b` is either.
    pub q: Option<String>,
    /// Roll-ups too.
    pub totals: Option<bool>,
    /// `risk` (default), `peak` or `name`.
    pub sort: Option<String>,
    /// Rows at most, 1 to 1000; 100 by default.
    pub limit: Option<usize>,
}

/// What the page shows of many series.
#[derive(Debug, Serialize, ToSchema)]
pub struct Overview {
    /// Series there are, with or without roll-ups.
    pub series: usize,
    /// Those that match.
    pub matching: usize,
    /// The first of them.
    pub rows: Vec<OverviewRow>,
    pub figures: OverviewFigures,
    pub regions: BTreeSet<String>,
    pub services: BTreeSet<String>,
    pub channels: BTreeSet<String>,
}

/// One series.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverviewRow {
    #[serde(flatten)]
    pub series: dto::SeriesInfo,
    pub outlook: Option<dto::Outlook>,
    /// The plan at its largest gap.
    pub worst: Option<WorstWindow>,
}

/// A window of a plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorstWindow {
    pub start: String,
    pub agents: u32,
    pub scheduled: Option<u32>,
    pub gap: i32,
}

/// Sums over the leaves that match.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverviewFigures {
    /// Leaves that match and have a forecast.
    pub leaves: usize,
    /// Tickets expected in six hours.
    pub tickets: f64,
    /// The same divided by what is usual; null where nothing is.
    pub over_baseline: Option<f64>,
    /// Where most agents are needed.
    pub agents: Option<PeakAgents>,
    /// The leaf with the largest gap.
    pub gap: Option<WorstGap>,
}

/// Agents over all leaves in one window.
#[derive(Debug, Serialize, ToSchema)]
pub struct PeakAgents {
    pub at: String,
    pub agents: i64,
    /// On the roster, or usual where it says nothing.
    pub against: i64,
    /// Leaves of which the roster speaks.
    pub rostered: usize,
    /// Leaves that have a plan.
    pub of: usize,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct WorstGap {
    #[serde(flatten)]
    pub key: dto::Key,
    pub gap_max: i32,
    pub gap_at: Option<String>,
}

/// What the page asks for: the series that matter most, and sums over all that match
#[utoipa::path(get, path = "/overview", params(OverviewQuery), responses((status = 200, body = Overview), (status = 400, body = Problem)))]
pub async fn overview(
    State(state): State<ApiState>,
    Params(query): Params<OverviewQuery>,
) -> Result<Json<Overview>, Problem> {
    let filter =
        params::filter(query.region.as_ref(), query.service.as_ref(), query.channel.as_ref())?;
    let sort = match query.sort.as_deref() {
        None | Some("risk") => by_risk,
        Some("peak") => by_peak,
        Some("name") => by_name,
        Some(_) => return Err(Problem::bad_request("sort: use risk, peak or name")),
    };
    let most = params::limit(query.limit)?;
    let (totals, words) = (query.totals.unwrap_or(false), Words::new(query.q.as_deref()));
    let shown_in = state.clone();
    let found = read(&state, move |reader| {
        let plans = reader.plans()?.into_iter();
        let plans: Plans = plans.map(|(plan, o)| (o.series.clone(), (plan, o))).collect();
        let known = reader.series()?;
        let newest = known.iter().map(|info| info.last).max().unwrap_or_default();
        let matches =
            |series: &SeriesKey| filter.admits_series(series) && words.are_in(&series.to_string());
        let mut all: Vec<Row<'_>> = known
            .iter()
            .filter(|info| totals || !info.series.is_roll_up())
            .map(|info| Row::new(info, &plans))
            .collect();
        let names = |of: fn(&SeriesKey) -> String| -> BTreeSet<String> {
            all.iter().map(|row| of(&row.info.series)).collect()
        };
        let (regions, services, channels) = (
            names(|series| series.region.to_string()),
            names(|series| series.service.to_string()),
            names(|series| series.channel.to_string()),
        );
        let series = all.len();
        all.retain(|row| matches(&row.info.series));
        let matching = all.len();
        all.sort_by(|a, b| sort(a, b).then_with(|| by_name(a, b)));
        all.truncate(most);
        let outlooks: Vec<&Outlook> = all.iter().filter_map(|row| row.outlook).collect();
        let mut outlooks = shown(reader, &outlooks)?.into_iter();
        let rows = all.iter().map(|row| OverviewRow {
            series: info(&shown_in, row.info, newest),
            outlook: row.outlook.and_then(|_| outlooks.next()),
            worst: row.worst.map(|target| WorstWindow {
                start: target.start.to_string(),
                agents: target.agents,
                scheduled: target.scheduled,
                gap: target.gap,
            }),
        });
        let rows = rows.collect();
        let leaves = plans.iter().filter(|(series, _)| !series.is_roll_up() && matches(series));
        let leaves: Vec<&(Option<Plan>, Outlook)> = leaves.map(|(_, known)| known).collect();
        let whole = if words.any() { None } else { plans.get(&whole(&filter)) };
        let figures = figures(reader, &leaves, whole.map(|(_, outlook)| outlook))?;
        Ok(Overview { series, matching, rows, figures, regions, services, channels })
    });
    Ok(Json(found.await?))
}

type Plans = BTreeMap<SeriesKey, (Option<Plan>, Outlook)>;

/// Words that are looked for, each with what may stand for it.
struct Words(Vec<Vec<String>>);

impl Words {
    fn new(text: Option<&str>) -> Self {
        let either = |word: &str| word.split('|').map(str::to_lowercase).collect();
        Self(text.unwrap_or_default().split_whitespace().map(either).collect())
    }

    fn any(&self) -> bool {
        !self.0.is_empty()
    }

    fn are_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.0.iter().all(|either| either.iter().any(|word| text.contains(word)))
    }
}

struct Row<'a> {
    info: &'a SeriesInfo,
    outlook: Option<&'a Outlook>,
    worst: Option<&'a PlanTarget>,
    /// The gap by what a team absorbs by itself, some √n of n; 0 where there is none.
    risk: f64,
}

impl<'a> Row<'a> {
    fn new(info: &'a SeriesInfo, plans: &'a Plans) -> Self {
        let known = plans.get(&info.series);
        let outlook = known.map(|(_, outlook)| outlook);
        let plan = known.and_then(|(plan, _)| plan.as_ref());
        let gap_at = outlook.and_then(|outlook| outlook.gap_at);
        let mut targets = plan.into_iter().flat_map(|plan| &plan.targets);
        let worst = targets.find(|target| Some(target.start) == gap_at);
        let gap = outlook.and_then(|outlook| outlook.gap_max).map_or(0.0, f64::from);
        let against = worst.map_or(1.0, |target| f64::from(target.agents) - f64::from(target.gap));
        Self { info, outlook, worst, risk: gap.max(0.0) / against.max(1.0).sqrt() }
    }
}

fn by_risk(a: &Row<'_>, b: &Row<'_>) -> Ordering {
    let over = |row: &Row<'_>| row.outlook.map_or(0.0, |outlook| outlook.over_baseline);
    b.risk.total_cmp(&a.risk).then(over(b).total_cmp(&over(a)))
}

fn by_peak(a: &Row<'_>, b: &Row<'_>) -> Ordering {
    let peak = |row: &Row<'_>| row.outlook.map_or(-1.0, |outlook| outlook.peak);
    peak(b).total_cmp(&peak(a))
}

fn by_name(a: &Row<'_>, b: &Row<'_>) -> Ordering {
    a.info.series.cmp(&b.info.series)
}

/// The series over all that a filter admits.
fn whole(filter: &Filter) -> SeriesKey {
    let name = |name: &Option<Name>| name.clone().unwrap_or_else(Name::all);
    SeriesKey::new(name(&filter.region), name(&filter.service), name(&filter.channel))
}

/// `whole` has a forecast of its own, which beats a sum of medians.
fn figures(
    reader: &Reader,
    leaves: &[&(Option<Plan>, Outlook)],
    whole: Option<&Outlook>,
) -> Result<OverviewFigures, StoreError> {
    let outlooks: Vec<&Outlook> = match whole {
        Some(whole) => vec![whole],
        None => leaves.iter().map(|(_, outlook)| outlook).collect(),
    };
    let medians = medians(reader, &outlooks)?;
    let (mut tickets, mut usual) = (0.0, 0.0);
    for outlook in outlooks {
        let expected: f64 = medians.get(&outlook.series).into_iter().flatten().sum();
        let over = outlook.over_baseline;
        tickets += expected;
        usual += if over > 0.0 { expected / over } else { expected };
    }
    let over_baseline = whole.map(|whole| whole.over_baseline);
    let over_baseline = over_baseline.or((usual > 0.0).then(|| tickets / usual));
    let gaps = leaves.iter().filter_map(|(_, outlook)| Some((outlook.gap_max?, outlook)));
    // Of several the first.
    let worst = gaps.reduce(|worst, gap| if gap.0 > worst.0 { gap } else { worst });
    Ok(OverviewFigures {
        leaves: leaves.len(),
        tickets,
        over_baseline,
        agents: peak_agents(leaves.iter().filter_map(|(plan, _)| plan.as_ref())),
        gap: worst.map(|(gap_max, outlook)| WorstGap {
            key: dto::Key::from(&outlook.series),
            gap_max,
            gap_at: outlook.gap_at.map(|at| at.to_string()),
        }),
    })
}

/// The first window in which the sum over plans is largest.
fn peak_agents<'a>(plans: impl Iterator<Item = &'a Plan>) -> Option<PeakAgents> {
    let mut sums: BTreeMap<Timestamp, PeakAgents> = BTreeMap::new();
    for target in plans.flat_map(|plan| &plan.targets) {
        let at = target.start.to_string();
        let none = || PeakAgents { at, agents: 0, against: 0, rostered: 0, of: 0 };
        let sum = sums.entry(target.start).or_insert_with(none);
        sum.agents += i64::from(target.agents);
        sum.against += i64::from(target.agents) - i64::from(target.gap);
        sum.rostered += usize::from(target.scheduled.is_some());
        sum.of += 1;
    }
    sums.into_values().reduce(|best, sum| if sum.agents > best.agents { sum } else { best })
}
