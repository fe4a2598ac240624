//! Plans: agents needed by a vintage, compared with the roster, and the outlook for the next six hours.

use std::sync::Arc;

use super::models::Model;
use super::roster::{Presence, present};
use super::table::{Table, by_load, spread_backlog, spread_work, usually_waiting};
use super::time_varying::equivalent_arrivals;
use super::{
    Basis, Bound, ChatCorrections, Figures, Outlook, Plan, PlanTarget, Profile, Team,
    with_shrinkage,
};
use crate::domain::{Timestamp, WindowWidth};
use crate::forecast::{ForecastPoint, Vintage};

/// Plans the series of one profile. It uses a table, because thousands of series need the same results.
#[derive(Clone, Debug)]
pub struct Planner {
    profile: Profile,
    basis: Basis,
    table: Table,
    /// Contacts that wait when the first window begins, if their number is known; only for deferred work.
    opening: Option<f64>,
}

/// Positions needed in the windows of a vintage, for one level of the arrivals.
pub(super) struct Needs {
    /// For live contacts: the window's largest load, as arrivals per hour. For deferred work: Erlang.
    pub(super) work: Vec<f64>,
    pub(super) positions: Vec<u32>,
}

impl Planner {
    /// A planner for the series of one profile.
    pub fn new(profile: Profile) -> Self {
        let basis = Basis::of(&profile);
        Self { table: Table::new(profile.clone()), profile, basis, opening: None }
    }

    /// Uses these corrections for chat, if they are for the same rates. Then results for chat are those of the exact chain.
    pub fn correct(&mut self, corrections: &Arc<ChatCorrections>) {
        self.table.correct(corrections);
    }

    /// Sets how many contacts wait when the first window begins, for deferred work; `None` if this is not known. It applies to
    /// all later plans, until it is set again.
    pub fn opens_with(&mut self, opening: Option<f64>) -> &mut Self {
        self.opening = opening.filter(|_| self.is_deferred());
        self
    }

    /// Uses a table that was built in advance for the same profile.
    pub fn use_table(&mut self, table: Table) {
        self.table = table;
    }

    /// Staffing for every target of a vintage.
    ///
    /// `roster` is the roster of this series or team. `usual` is the usual number of tickets per window; the agents needed for
    /// it are used where there is no roster. Live contacts are planned for the largest load of each window (modified offered
    /// load); deferred work is spread until its deadline. If no number of agents reaches the target, only the load determines
    /// the plan. A team has no agents outside its hours, and at least its minimum within them.
    pub fn plan(
        &mut self,
        vintage: &Vintage,
        width: WindowWidth,
        roster: &[Presence],
        usual: &[f64],
        team: Option<&Team>,
    ) -> Plan {
        let points = &vintage.targets;
        let open: Vec<bool> =
            points.iter().map(|p| team.is_none_or(|team| team.is_open(p.start))).collect();
        let when = (width, open.as_slice(), team.map_or(0, |team| team.minimum));
        let arrivals = |of: fn(&ForecastPoint) -> f64| points.iter().map(of).collect::<Vec<f64>>();
        let usual = points
            .iter()
            .enumerate()
            .map(|(step, point)| usual.get(step).copied().unwrap_or(point.baseline))
            .collect::<Vec<f64>>();
        let mean = self.needs(&arrivals(|point| point.mean), when);
        let low = self.needs(&arrivals(|point| point.quantiles[1]), when);
        let high = self.needs(&arrivals(|point| point.quantiles[5]), when);
        // The usual numbers are without the backlog.
        let opening = self.opening.take();
        let usual = self.needs(&usual, when);
        self.opening = opening;
        let shrinkage = self.profile.shrinkage;
        let agents = |positions: u32| with_shrinkage(positions, shrinkage);
        let mut targets = Vec::with_capacity(points.len());
        // Deferred work that was not done in its window, Erlang.
        let mut overdue = 0.0;
        for (step, point) in points.iter().enumerate() {
            let present = present(roster, point.start, width.end(point.start));
            let scheduled = present.map(|people| (people + 1e-9) as u32);
            let needed = agents(mean.positions[step]);
            let against = scheduled.unwrap_or_else(|| agents(usual.positions[step]));
            let people = present.unwrap_or(f64::from(needed)) * (1.0 - shrinkage);
            let level = self.attained(mean.work[step], people, &mut overdue);
            targets.push(PlanTarget {
                start: point.start,
                arrivals: point.mean,
                positions: mean.positions[step],
                agents: needed,
                agents_low: agents(low.positions[step]).min(needed),
                agents_high: agents(high.positions[step]).max(needed),
                scheduled,
                gap: i32::try_from(i64::from(needed) - i64::from(against)).unwrap_or(i32::MAX),
                service_level: (level * 1e4).round() / 1e4,
            });
        }
        let (series, issued_at) = (vintage.series.clone(), vintage.issued_at);
        let basis = Basis {
            team: team.map(|team| team.name.clone()),
            backlog: self.opening.map(|open| open.round() as u32),
            ..self.basis.clone()
        };
        Plan { series, issued_at, basis: basis.into(), targets }
    }

    /// Agents for known arrivals in consecutive windows: the same agents that [`Self::plan`] needs if these are the means.
    pub fn agents(&mut self, arrivals: &[f64], width: WindowWidth) -> Vec<u32> {
        let open = vec![true; arrivals.len()];
        let needs = self.needs(arrivals, (width, &open, 0));
        let shrinkage = self.profile.shrinkage;
        needs.positions.iter().map(|n| with_shrinkage(*n, shrinkage)).collect()
    }

    /// The service level, not rounded, of this number of people at work. For deferred work, `overdue` is the work left over
    /// from earlier windows.
    pub(super) fn attained(&mut self, work: f64, people: f64, overdue: &mut f64) -> f64 {
        if !self.is_deferred() {
            return self.table.level(work, people + 1e-9).unwrap_or(0.0);
        }
        let work = work + *overdue;
        let done = work.min(people * self.profile.max_occupancy.unwrap_or(1.0) + 1e-9);
        *overdue = work - done;
        if work > 0.0 { done / work } else { 1.0 }
    }

    /// The profile of this planner.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The target that determines the positions of a window's work.
    pub(super) fn bound(&self, work: f64, positions: u32) -> Bound {
        if self.is_deferred() {
            return Bound::Deadline;
        }
        let fails = |n: u32| {
            let found = self.table.figures(work, n)?;
            let over = |value: f64, most: Option<f64>| most.is_some_and(|most| value > most + 1e-9);
            let asa = self.profile.max_asa.map(|asa| asa.as_secs_f64());
            [
                (found.service_level < self.profile.target.fraction - 1e-9, Bound::ServiceLevel),
                (over(found.occupancy, self.profile.max_occupancy), Bound::Occupancy),
                (over(found.asa_seconds, asa), Bound::Wait),
                (over(found.p_abandon, self.profile.max_abandonment), Bound::Abandonment),
            ]
            .into_iter()
            .find_map(|(fails, why)| fails.then_some(why))
        };
        match positions.checked_sub(1) {
            None => Bound::ServiceLevel,
            // If even these positions fail, the load alone determines the number.
            Some(_) if fails(positions).is_some() => Bound::Load,
            Some(fewer) => fails(fewer).unwrap_or(Bound::ServiceLevel),
        }
    }

    /// What so many people at work attain in one window. People who are not whole are between the whole numbers.
    pub(super) fn at(&self, work: f64, people: f64, overdue: &mut f64) -> Figures {
        let mut figures = Figures {
            start: Timestamp::MIN,
            offered_load: work,
            people,
            expected_service_level: 0.0,
            asa_seconds: None,
            p_wait: 0.0,
            p_abandon: 0.0,
            occupancy: 0.0,
            backlog: None,
            bound_by: Bound::ServiceLevel,
        };
        if self.is_deferred() {
            let all = work + *overdue;
            let done = all.min(people * self.profile.max_occupancy.unwrap_or(1.0) + 1e-9);
            *overdue = all - done;
            figures.occupancy = if people > 0.0 { (done / people).min(1.0) } else { 0.0 };
            return figures;
        }
        let whole = (people + 1e-9).floor();
        let more = (people - whole).max(0.0);
        let (low, high) =
            (self.table.figures(work, whole as u32), self.table.figures(work, whole as u32 + 1));
        let (Some(low), Some(high)) = (low, high) else { return figures };
        let between =
            |low: f64, high: f64| if more > 1e-9 { low + (high - low) * more } else { low };
        let asa = between(low.asa_seconds, high.asa_seconds);
        figures.offered_load = low.offered_load;
        figures.asa_seconds = Some(asa).filter(|asa| asa.is_finite());
        figures.p_wait = between(low.p_wait, high.p_wait);
        figures.p_abandon = between(low.p_abandon, high.p_abandon);
        figures.occupancy = between(low.occupancy, high.occupancy);
        figures
    }

    /// Contacts that wait when the first window begins: those that are known, else as many as steady arrivals leave; `None` for live
    /// contacts.
    pub(super) fn waiting(&self, first: Option<f64>, width: WindowWidth) -> Option<f64> {
        let Model::Deferred(deferred) = self.profile.model else { return None };
        let usual = || usually_waiting(first.unwrap_or(0.0), self.times(width)) + deferred.backlog;
        Some(self.opening.unwrap_or_else(usual))
    }

    /// Contacts whose work is so many Erlang over a window.
    pub(super) fn contacts(&self, erlang: f64, width: WindowWidth) -> f64 {
        erlang * f64::from(width.secs()) / self.profile.aht.as_secs_f64()
    }

    /// Seconds of a contact of deferred work, until its deadline, and of a window.
    fn times(&self, width: WindowWidth) -> (f64, f64, f64) {
        let (aht, within) = (self.profile.aht, self.profile.target.within);
        (aht.as_secs_f64(), within.as_secs_f64(), f64::from(width.secs()))
    }

    fn is_deferred(&self) -> bool {
        matches!(self.profile.model, Model::Deferred(_))
    }

    /// The positions needed for these arrivals: zero in windows that are closed, at least `minimum` people in all others.
    pub(super) fn needs(
        &mut self,
        arrivals: &[f64],
        (width, open, minimum): (WindowWidth, &[bool], u32),
    ) -> Needs {
        let work = self.work(arrivals, (width, open));
        let occupancy = self.profile.max_occupancy.unwrap_or(1.0);
        let is_deferred = self.is_deferred();
        let need = |work: &f64| match is_deferred {
            true => (work.clamp(0.0, 1e6) / occupancy - 1e-9).ceil() as u32,
            false => {
                let found = self.table.positions(*work);
                found.unwrap_or_else(|_| by_load(*work, &self.profile))
            }
        };
        let mut positions: Vec<u32> = work.iter().map(need).collect();
        for (positions, open) in positions.iter_mut().zip(open) {
            *positions = if *open { (*positions).max(minimum) } else { 0 };
        }
        Needs { work, positions }
    }

    /// The work of these arrivals in each window: zero in windows that are closed.
    fn work(&self, arrivals: &[f64], (width, open): (WindowWidth, &[bool])) -> Vec<f64> {
        let seconds = f64::from(width.secs());
        if let Model::Deferred(deferred) = self.profile.model {
            let times = self.times(width);
            let mut work = match self.opening {
                Some(opening) => spread_backlog(arrivals, opening, times),
                None => spread_work(arrivals, deferred.backlog, times),
            };
            put_off(&mut work, open);
            return work;
        }
        // Contacts that arrive while it is closed are not answered.
        let arrivals = arrivals.iter().zip(open).map(|(n, open)| if *open { *n } else { 0.0 });
        let arrivals: Vec<f64> = arrivals.collect();
        let work = equivalent_arrivals(&arrivals, seconds, self.profile.seconds_in_progress());
        let work = work.iter().zip(open);
        work.map(|(own, open)| if *open { own * 3600.0 / seconds } else { 0.0 }).collect()
    }

    /// The work of the means of a forecast in each of its windows. For live contacts: the largest load, as arrivals per hour.
    /// For deferred work: Erlang.
    pub fn work_of(&self, vintage: &Vintage, width: WindowWidth, team: &Team) -> Vec<f64> {
        let open: Vec<bool> = vintage.targets.iter().map(|p| team.is_open(p.start)).collect();
        let means: Vec<f64> = vintage.targets.iter().map(|point| point.mean).collect();
        self.work(&means, (width, &open))
    }
}

/// Moves the work of windows in which a team is closed to the time at which it opens.
fn put_off(work: &mut [f64], open: &[bool]) {
    let mut waiting = 0.0;
    for (work, open) in work.iter_mut().zip(open) {
        waiting += *work;
        *work = if *open { std::mem::take(&mut waiting) } else { 0.0 };
    }
}

/// The outlook of a series: the next six hours as single numbers.
pub fn outlook(vintage: &Vintage, plan: Option<&Plan>) -> Outlook {
    let mut peak = (0.0, vintage.issued_at);
    let (mut expected, mut baseline) = (0.0, 0.0);
    for target in &vintage.targets {
        if target.mean > peak.0 {
            peak = (target.mean, target.start);
        }
        expected += target.mean;
        baseline += target.baseline;
    }
    let mut worst: Option<(i32, Timestamp)> = None;
    for target in plan.map_or(&[][..], |plan| &plan.targets) {
        if worst.is_none_or(|(gap, _)| target.gap > gap) {
            worst = Some((target.gap, target.start));
        }
    }
    let breach = plan.and_then(|plan| {
        plan.targets.iter().find(|t| t.scheduled.is_some_and(|scheduled| t.agents > scheduled))
    });
    Outlook {
        series: vintage.series.clone(),
        issued_at: vintage.issued_at,
        peak: peak.0,
        peak_at: peak.1,
        over_baseline: if baseline > 0.0 { expected / baseline } else { 1.0 },
        gap_max: worst.map(|(gap, _)| gap),
        gap_at: worst.map(|(_, at)| at),
        minutes_to_breach: breach
            .map(|t| u32::try_from(t.start.since(vintage.issued_at).as_secs() / 60).unwrap_or(0)),
    }
}
