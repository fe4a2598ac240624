//! Data of the overview page: the series with the highest risk, and sums over all series that match.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

use super::outlook::{medians, outlooks};
use super::{Key, Outlook, SeriesInfo, series_info};
use crate::domain::{Name, SeriesKey, Timestamp, Zone};
use crate::staffing::{self, Plan, PlanTarget};
use crate::store::{self, Filter, Reader, StoreError};
use crate::text::Texts;

/// The data of the overview page.
#[derive(Debug, Serialize, ToSchema)]
pub struct Overview {
    /// Number of series; with roll-ups if these were requested.
    pub series: usize,
    /// Number of series that match.
    pub matching: usize,
    /// The first of the series that match.
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
    pub series: SeriesInfo,
    pub outlook: Option<Outlook>,
    /// The window with the largest gap.
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

/// Sums over the single series (without roll-ups) that match.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverviewFigures {
    /// Number of single series that match and have a forecast.
    pub leaves: usize,
    /// Tickets forecast for the six hours.
    pub tickets: f64,
    /// `tickets` divided by the usual number; null if that is zero.
    pub over_baseline: Option<f64>,
    /// The window in which most agents are needed.
    pub agents: Option<PeakAgents>,
    /// The series with the largest gap.
    pub gap: Option<WorstGap>,
}

/// Agents of all single series in one window.
#[derive(Debug, Serialize, ToSchema)]
pub struct PeakAgents {
    pub at: String,
    pub agents: i64,
    /// Agents on the roster, or the usual number without a roster.
    pub against: i64,
    /// Number of series that have a roster.
    pub rostered: usize,
    /// Number of series that have a plan.
    pub of: usize,
}

/// The largest gap of all single series.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorstGap {
    #[serde(flatten)]
    pub key: Key,
    pub gap_max: i32,
    pub gap_at: Option<String>,
}

/// The requested rows.
#[derive(Clone, Debug)]
pub struct Query {
    pub filter: Filter,
    /// Words that the names of a series must contain; `a|b` means either.
    pub words: Option<String>,
    /// Also list roll-ups.
    pub totals: bool,
    pub order: Order,
    /// Rows at most.
    pub most: usize,
}

/// The order of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The largest gap relative to the size of the team.
    Risk,
    /// The highest peak.
    Peak,
    Name,
}

/// The overview of the series that match, with times in the zones of their regions.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn overview(
    reader: &Reader,
    query: &Query,
    zone: impl Fn(&Name) -> Zone,
    texts: &Texts,
) -> Result<Overview, StoreError> {
    let (filter, words) = (&query.filter, Words::new(query.words.as_deref()));
    let plans = reader.plans()?.into_iter();
    let plans: Plans = plans.map(|(plan, o)| (o.series.clone(), (plan, o))).collect();
    let known = reader.series()?;
    let newest = known.iter().map(|info| info.last).max().unwrap_or_default();
    let matches =
        |series: &SeriesKey| filter.admits_series(series) && words.are_in(&series.to_string());
    let of_level = known.iter().filter(|info| query.totals || !info.series.is_roll_up());
    let mut all: Vec<Row<'_>> = of_level.map(|info| Row::new(info, &plans)).collect();
    let names = |of: fn(&SeriesKey) -> &Name| -> BTreeSet<String> {
        all.iter().map(|row| of(&row.info.series).to_string()).collect()
    };
    let regions = names(|series| &series.region);
    let services = names(|series| &series.service);
    let channels = names(|series| &series.channel);
    let series = all.len();
    all.retain(|row| matches(&row.info.series));
    let matching = all.len();
    all.sort_by(|a, b| query.order.of(a, b));
    all.truncate(query.most);
    let shown: Vec<&staffing::Outlook> = all.iter().filter_map(|row| row.outlook).collect();
    let mut shown = outlooks(reader, &shown, texts)?.into_iter();
    let rows = all.iter().map(|row| OverviewRow {
        series: series_info(row.info, newest, zone(&row.info.series.region)),
        outlook: row.outlook.and_then(|_| shown.next()),
        worst: row.worst.map(WorstWindow::from),
    });
    let rows = rows.collect();
    let leaves = plans.iter().filter(|(series, _)| !series.is_roll_up() && matches(series));
    let leaves: Vec<&(Option<Plan>, staffing::Outlook)> = leaves.map(|(_, known)| known).collect();
    let whole = if words.any() { None } else { plans.get(&whole(filter)) };
    let figures = figures(reader, &leaves, whole.map(|(_, outlook)| outlook))?;
    Ok(Overview { series, matching, rows, figures, regions, services, channels })
}

impl From<&PlanTarget> for WorstWindow {
    fn from(target: &PlanTarget) -> Self {
        Self {
            start: target.start.to_string(),
            agents: target.agents,
            scheduled: target.scheduled,
            gap: target.gap,
        }
    }
}

impl Order {
    fn of(self, a: &Row<'_>, b: &Row<'_>) -> Ordering {
        let first = match self {
            Self::Risk => by_risk(a, b),
            Self::Peak => by_peak(a, b),
            Self::Name => Ordering::Equal,
        };
        first.then_with(|| a.info.series.cmp(&b.info.series))
    }
}

type Plans = BTreeMap<SeriesKey, (Option<Plan>, staffing::Outlook)>;

/// The words of a search, each with its alternatives.
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
    info: &'a store::SeriesInfo,
    outlook: Option<&'a staffing::Outlook>,
    worst: Option<&'a PlanTarget>,
    /// The gap divided by √n, which is about the gap that a team of n can compensate; 0 without a gap.
    risk: f64,
}

impl<'a> Row<'a> {
    fn new(info: &'a store::SeriesInfo, plans: &'a Plans) -> Self {
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

/// The roll-up over all series that a filter admits.
fn whole(filter: &Filter) -> SeriesKey {
    let name = |name: &Option<Name>| name.clone().unwrap_or_else(Name::all);
    SeriesKey::new(name(&filter.region), name(&filter.service), name(&filter.channel))
}

/// Computes the figures. `whole` is a roll-up with a forecast of its own, which is better than a sum of medians.
fn figures(
    reader: &Reader,
    leaves: &[&(Option<Plan>, staffing::Outlook)],
    whole: Option<&staffing::Outlook>,
) -> Result<OverviewFigures, StoreError> {
    let outlooks: Vec<&staffing::Outlook> = match whole {
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
            key: Key::from(&outlook.series),
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
