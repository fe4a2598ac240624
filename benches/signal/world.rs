//! A simulated operator with the true need of staff.

use std::collections::BTreeMap;
use std::time::Duration;

use surgecast::commands::demo::roster;
use surgecast::config::core::staffing::default_profiles;
use surgecast::domain::{DAY, HOUR, Name, Scope, SeriesKey, Timestamp, WindowWidth};
use surgecast::simulate::{Family, Incident, IncidentKind, Operator, OperatorConfig, QUARTER};
use surgecast::staffing::{Planner, Presence, present};

use super::score::{Page, Score};

pub const WIDTH: WindowWidth = WindowWidth::QUARTER;
const HISTORY: i64 = 56;
/// How long after an outage its need may last.
const AFTER: Duration = Duration::from_secs(2 * 3600);
pub const IN_TIME: Duration = Duration::from_secs(15 * 60);
/// Windows of a plan.
pub const HORIZON: i64 = 24;

/// Agents that are missing in a scope, by index of the window; windows below the limits of the rule are missing.
pub type Need = BTreeMap<Scope, BTreeMap<i64, i32>>;

pub struct World {
    pub config: OperatorConfig,
    pub live: Timestamp,
    pub end: Timestamp,
    pub operator: Operator,
    planners: BTreeMap<Name, Planner>,
    rosters: BTreeMap<SeriesKey, Vec<Presence>>,
    pub need: Need,
    /// What the plan of the true rates lacks in each window of the weeks, also below the limits of the rule.
    pub lacks: BTreeMap<SeriesKey, Vec<Gap>>,
}

/// What a plan lacks in a window: agents, and whether that is critical.
#[derive(Clone, Copy, Default)]
pub struct Gap {
    /// Agents needed, and agents on the roster.
    pub needed: u32,
    pub scheduled: f64,
    pub agents: i32,
    is_short: bool,
    is_critical: bool,
}

impl World {
    pub fn new(seed: u64, family: Family, weeks: i64) -> Self {
        let start = Timestamp::parse("2026-03-02T00:00:00Z").unwrap();
        let small = std::env::var("SIGNAL_OPERATOR").is_ok_and(|name| name == "standard");
        let mut config = match small {
            true => OperatorConfig::standard(seed, start),
            false => OperatorConfig::demo(seed, start),
        };
        config.family = family;
        let faults = std::env::var("SIGNAL_FAULTS").ok();
        config.faults = faults.map_or(0.5, |factor| factor.parse().unwrap());
        let live = start + DAY * HISTORY as u32;
        let end = live + DAY * (7 * weeks) as u32;
        let operator = Operator::new(config.clone());
        let profiles = default_profiles().into_iter();
        let planners = profiles.map(|(name, own)| (name, Planner::new(own))).collect();
        let mut rosters: BTreeMap<SeriesKey, Vec<Presence>> = BTreeMap::new();
        for day in 0..7 * weeks + 1 {
            for shift in roster(&operator, live + DAY * day as u32) {
                rosters.entry(shift.series.clone()).or_default().push(Presence::from(&shift));
            }
        }
        let (need, lacks) = (Need::new(), BTreeMap::new());
        let mut world = Self { config, live, end, operator, planners, rosters, need, lacks };
        world.need = world.true_need();
        world
    }

    /// What the plans of arrivals in consecutive windows from `first` on lack.
    pub fn gaps(&mut self, series: &SeriesKey, first: i64, arrivals: &[f64]) -> Vec<Gap> {
        let Some(planner) = self.planners.get_mut(&series.channel) else { return Vec::new() };
        let agents = planner.agents(arrivals, WIDTH);
        let roster = self.rosters.get(series).map_or(&[][..], Vec::as_slice);
        let gap = |(index, needed): (i64, u32)| {
            let (from, to) = (WIDTH.start(index), WIDTH.start(index + 1));
            let scheduled = present(roster, from, to).unwrap_or(0.0);
            let gap = f64::from(needed) - (scheduled + 1e-9).floor();
            Gap {
                needed,
                scheduled,
                agents: gap.max(0.0) as i32,
                is_short: gap >= 3.0 && gap >= 0.2 * scheduled,
                is_critical: gap >= 5.0 && gap >= 0.4 * scheduled,
            }
        };
        (first..).zip(agents).map(gap).collect()
    }

    /// Windows in which series of a scope are short by the rule: two in a row.
    pub fn by_rule(need: &mut Need, scope: &Scope, first: i64, gaps: &[Gap]) -> bool {
        let short = |at: usize| gaps.get(at).is_some_and(|gap| gap.is_short);
        let mut critical = false;
        for (at, gap) in gaps.iter().enumerate() {
            if short(at) && (short(at + 1) || (at > 0 && short(at - 1))) {
                let windows = need.entry(scope.clone()).or_default();
                *windows.entry(first + at as i64).or_default() += gap.agents;
                critical |= gap.is_critical;
            }
        }
        critical
    }

    fn true_need(&mut self) -> Need {
        let (first, last) = (WIDTH.index(self.live), WIDTH.index(self.end));
        let mut need = Need::new();
        for (series, place) in self.operator.series().to_vec() {
            let rates: Vec<f64> = (first..last)
                .map(|index| self.operator.rate(place, WIDTH.start(index)).rate)
                .collect();
            let gaps = self.gaps(&series, first, &rates);
            Self::by_rule(&mut need, &series.scope(), first, &gaps);
            self.lacks.insert(series, gaps);
        }
        need
    }

    pub fn scope(&self, incident: &Incident) -> Scope {
        Scope {
            region: self.config.regions[incident.region].name.clone(),
            service: self.config.services[incident.service].name.clone(),
        }
    }

    /// Pages of the oracle.
    pub fn oracle(&mut self) -> Vec<Page> {
        let mut pages = Vec::new();
        // By scope: windows in a row with a need, and when the last one was.
        let mut state: BTreeMap<Scope, (u32, Timestamp, bool)> = BTreeMap::new();
        let all = self.operator.series().to_vec();
        for index in WIDTH.index(self.live)..WIDTH.index(self.end) - HORIZON {
            let now = WIDTH.start(index);
            let (mut need, mut critical) = (Need::new(), BTreeMap::new());
            for (series, place) in &all {
                let known = |index| {
                    // What is known at the time alone, and the day's level with it.
                    self.operator.rate_known(*place, WIDTH.start(index), now).rate
                };
                let rates: Vec<f64> = (index..index + HORIZON).map(known).collect();
                let gaps = self.gaps(series, index, &rates);
                let is_critical = Self::by_rule(&mut need, &series.scope(), index, &gaps);
                *critical.entry(series.scope()).or_insert(false) |= is_critical;
            }
            for (scope, windows) in need {
                let (streak, last, told) = state.entry(scope.clone()).or_insert((0, now, false));
                *streak = if now > *last + QUARTER { 1 } else { *streak + 1 };
                // Four windows without a need end an alert.
                *told &= now <= *last + QUARTER * 4;
                *last = now;
                if !*told && (*streak >= 2 || critical[&scope]) {
                    *told = true;
                    let most = windows.values().copied().max().unwrap_or(0);
                    let ends = windows.keys().next_back().copied().unwrap_or(index);
                    let begins = windows.keys().next().copied().unwrap_or(index);
                    let span = (WIDTH.start(begins), WIDTH.start(ends + 1), most);
                    let text = String::from("the oracle");
                    pages.push(Page {
                        at: now,
                        since: now,
                        parts: BTreeMap::from([(scope, span)]),
                        text,
                    });
                }
            }
        }
        pages
    }

    /// Scores pages against the true need.
    pub fn score(&mut self, pages: &[Page]) -> Score {
        let day = |at: Timestamp| at.millis().div_euclid(DAY.as_millis() as i64);
        let (from, to) = (day(self.live), day(self.end));
        let incidents = self.operator.incidents(from, to);
        let of = |kind: IncidentKind| incidents.iter().filter(move |one| one.kind == kind);
        let mut score = Score { pages: pages.len(), ..Score::default() };
        score.harmless = of(IncidentKind::Harmless).count();
        for outage in of(IncidentKind::Outage) {
            score.outages += 1;
            self.outage(outage, pages, &mut score);
        }
        let none = BTreeMap::new();
        let mut false_pages = Vec::new();
        for page in pages {
            let holds = |share: f64| {
                page.parts.iter().any(|(scope, (from, to, agents))| {
                    let windows = self.need.get(scope).unwrap_or(&none);
                    let span = WIDTH.index(*from)..WIDTH.index(*to).max(WIDTH.index(*from) + 1);
                    windows.range(span).any(|(_, n)| f64::from(*n) >= share * f64::from(*agents))
                })
            };
            if !holds(0.5) && std::env::var_os("SIGNAL_FALSE").is_some() {
                false_pages.push(page);
            }
            score.wrong += usize::from(!holds(0.5));
            score.groundless += usize::from(!holds(0.0));
            score.planned += usize::from(of(IncidentKind::Maintenance).any(|work| {
                let within = page.at >= work.starts && page.at < work.starts + 3 * HOUR;
                within && page.parts.contains_key(&self.scope(work))
            }));
        }
        for page in false_pages {
            self.explain(page, &incidents);
        }
        score
    }

    /// Start and end of the need of an outage, if it needs staff.
    pub fn need_of(&self, outage: &Incident) -> Option<(Timestamp, Timestamp)> {
        let windows = self.need.get(&self.scope(outage))?;
        let span = WIDTH.index(outage.starts)..WIDTH.index(outage.ends + AFTER) + 1;
        let mut own = windows.range(span).map(|(index, _)| *index);
        let first = own.next()?;
        let last = own.next_back().unwrap_or(first);
        Some((WIDTH.start(first), WIDTH.start(last + 1)))
    }

    fn outage(&self, outage: &Incident, pages: &[Page], score: &mut Score) {
        let scope = self.scope(outage);
        let Some((begins, ends)) = self.need_of(outage) else { return };
        score.needy += 1;
        let about = |page: &&Page| {
            let near = page.at + IN_TIME >= outage.starts && page.at < ends;
            near && page.parts.contains_key(&scope)
        };
        score.about += pages.iter().filter(about).count();
        if let Some(page) = pages.iter().find(about).filter(|page| page.at + IN_TIME <= ends) {
            score.in_time += 1;
            score.warning.push((begins.millis() - page.at.millis()) as f64 / 60_000.0);
        }
    }
}
