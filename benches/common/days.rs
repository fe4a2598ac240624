//! Days of an operator's teams, with outages. What people do after recommendations is compared with a fixed roster and with perfect
//! knowledge.
//!
//! Contacts are Poisson at a rate. The models of staffing contain this chance, so a window is judged by its rate. An outage multiplies those of a team from one moment to the next, and fades over hours. Forecasts know the
//! usual rate, as much of a day's deviation from it as the contacts since midnight tell, and an outage 15 minutes after its beginning, with an error that shrinks as it
//! goes on. The roster has, hour by hour, whom the usual rate needs, and 5 % more. Whoever reads a recommendation does it at the
//! next look, 15 minutes later.

use std::collections::BTreeMap;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Normal};
use surgecast::domain::{SeriesKey, Timestamp, WindowWidth, Zone};
use surgecast::forecast::QUANTILES;
use surgecast::staffing::{
    AdviceRules, Answer, Book, Desk, DeskWindow, Level, Planner, Profile, Recommendation,
    RecommendationState, Service, Table, equivalent_arrivals, with_shrinkage,
};

const WIDTH: WindowWidth = WindowWidth::QUARTER;
const WINDOWS_A_DAY: i64 = 96;
const HORIZON: i64 = 24;
/// Standard normal quantiles at [`QUANTILES`].
const SCORES: [f64; 7] = [-1.96, -1.2816, -0.6745, 0.0, 0.6745, 1.2816, 1.96];
/// Standard deviation of the logarithm of a day's level.
const DAY_DEVIATION: f64 = 0.08;
/// Cost of an hour of the roster: as much as leave saves.
const HOUR_COST: f64 = 20.0;

/// An outage of a team: its first window, its size, how fast it fades, and the error of its forecast.
struct Outage {
    team: usize,
    from: i64,
    size: f64,
    fades: f64,
    error: f64,
}

/// Everything that happens.
pub struct Days {
    windows: i64,
    profile: Profile,
    /// By team: usual contacts a window at the peak.
    peaks: Vec<f64>,
    /// By team and day: the day's level.
    levels: Vec<Vec<f64>>,
    outages: Vec<Outage>,
    /// By team and window: contacts at the rate.
    actual: Vec<Vec<f64>>,
    roster: Vec<Vec<f64>>,
    rules: AdviceRules,
}

/// Result of the simulated days.
#[derive(Debug)]
pub struct Came {
    /// Minutes in which a team was below its target.
    pub minutes_below: f64,
    /// What the recommendations cost.
    pub cost: f64,
    pub recommendations: usize,
    /// Changes of a number in two hours, of the median recommendation and of the mean.
    pub changes: (f64, f64),
    /// Shortest time between two changes of which the second turned.
    pub shortest_turn: Option<f64>,
    /// Shortest time in minutes from the withdrawal of a recommendation to another one of the same kind, teams and time.
    pub shortest_return: Option<f64>,
}

/// How recommendations are followed.
#[derive(Clone, Copy, PartialEq)]
pub enum Follows {
    /// By forecasts, and nobody does anything.
    Nobody,
    /// By forecasts, and people do all of it.
    Forecasts,
    /// As [`Self::Forecasts`], but forecasts are what comes.
    Perfect,
}

/// Levels of one look: quantiles of arrivals by team.
struct Levels<'a> {
    planner: &'a mut Planner,
    starts: Vec<Timestamp>,
    paths: Vec<Vec<Vec<f64>>>,
}

impl Service for Levels<'_> {
    fn levels(&mut self, desk: usize, people: &[f64], factor: f64) -> Vec<Level> {
        let paths: Vec<Vec<f64>> =
            self.paths[desk].iter().map(|path| path.iter().map(|n| n * factor).collect()).collect();
        self.planner.levels((&self.starts, WIDTH), (&QUANTILES, &paths), people, None)
    }
}

fn start(window: i64) -> Timestamp {
    // Monday, 2026-01-05.
    WIDTH.start(WIDTH.index(Timestamp::from_secs(1_767_571_200)) + window)
}

fn name(team: usize) -> String {
    format!("team-{team}")
}

/// Share of the peak at a time of the day.
fn shape(window: i64) -> f64 {
    let hour = (window.rem_euclid(WINDOWS_A_DAY)) as f64 / 4.0;
    0.15 + 0.85 * (-((hour - 14.0) / 5.0).powi(2)).exp()
}

impl Days {
    /// So many days of so many teams.
    pub fn new(days: i64, teams: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let windows = days * WINDOWS_A_DAY;
        let peaks: Vec<f64> = (0..teams).map(|team| 20.0 + 12.0 * (team % 4) as f64).collect();
        let mut levels = Vec::new();
        for _ in 0..teams {
            let normal = Normal::new(0.0f64, DAY_DEVIATION).expect("a normal distribution");
            levels.push((0..days).map(|_| normal.sample(&mut rng).exp()).collect::<Vec<f64>>());
        }
        let mut outages = Vec::new();
        for day in 0..days {
            for team in 0..teams {
                if rng.random_bool(0.2) {
                    outages.push(Outage {
                        team,
                        from: day * WINDOWS_A_DAY + rng.random_range(28..80),
                        size: rng.random_range(0.6..2.0),
                        fades: rng.random_range(6.0..16.0),
                        error: Normal::new(0.0f64, 0.3).expect("a distribution").sample(&mut rng),
                    });
                }
            }
        }
        let profile = Profile::default_of("phone").expect("a profile of phone");
        let rules = AdviceRules::default();
        let mut of = Self {
            windows,
            profile,
            peaks,
            levels,
            outages,
            actual: Vec::new(),
            roster: Vec::new(),
            rules,
        };
        for team in 0..teams {
            let came = (0..windows).map(|window| {
                of.usual(team, window)
                    * of.level(team, window)
                    * (1.0 + of.outage(team, window, None))
            });
            let came: Vec<f64> = came.collect();
            of.actual.push(came);
        }
        let mut table = Table::new(of.profile.clone());
        for team in 0..teams {
            let path: Vec<f64> = (0..WINDOWS_A_DAY).map(|w| of.usual(team, w)).collect();
            let needs = needed(&mut table, &of.profile, &path);
            let roster = (0..windows).map(|window| {
                let hour = (window.rem_euclid(WINDOWS_A_DAY) / 4 * 4) as usize;
                let needed = needs[hour..hour + 4].iter().max().copied().unwrap_or(0);
                (f64::from(needed) * 1.05).ceil()
            });
            of.roster.push(roster.collect());
        }
        of
    }

    fn usual(&self, team: usize, window: i64) -> f64 {
        self.peaks[team] * shape(window)
    }

    fn level(&self, team: usize, window: i64) -> f64 {
        self.levels[team][(window.div_euclid(WINDOWS_A_DAY)) as usize % self.levels[team].len()]
    }

    /// What outages add to a window; as known at a window, or as it is.
    fn outage(&self, team: usize, window: i64, known_at: Option<i64>) -> f64 {
        let of_team = self.outages.iter().filter(|own| own.team == team && own.from <= window);
        let added = of_team.map(|own| {
            let size = own.size * (-((window - own.from) as f64) / own.fades).exp();
            match known_at {
                None => size,
                Some(at) if at <= own.from => 0.0,
                Some(at) => size * (own.error / (1.0 + (at - own.from) as f64 / 4.0)).exp(),
            }
        });
        added.sum()
    }

    /// The share of a day's deviation that the contacts since midnight tell: that of the best linear estimate.
    fn known_share(&self, team: usize, now: i64) -> f64 {
        let midnight = now.div_euclid(WINDOWS_A_DAY) * WINDOWS_A_DAY;
        let contacts: f64 = (midnight..now).map(|window| self.usual(team, window)).sum();
        let told = contacts * DAY_DEVIATION * DAY_DEVIATION;
        told / (1.0 + told)
    }

    /// Quantiles of the windows from `now` on, as known then.
    fn forecast(&self, team: usize, now: i64, follows: Follows) -> Vec<Vec<f64>> {
        let window = |window: i64, score: f64| {
            if follows == Follows::Perfect {
                return self.actual[team].get(window as usize).copied().unwrap_or(0.0);
            }
            let level = 1.0 + self.known_share(team, now) * (self.level(team, now) - 1.0);
            let outage = self.outage(team, window, Some(now));
            let mean = self.usual(team, window) * level * (1.0 + outage);
            let cv = if outage > 0.05 { 0.2 } else { 0.08 };
            (mean * (1.0 + score * (cv * cv + 1.0 / mean.max(1.0)).sqrt())).max(0.0)
        };
        SCORES.map(|score| (now..now + HORIZON).map(|w| window(w, score)).collect()).to_vec()
    }

    /// What comes of a fixed roster, its people multiplied by `factor`.
    pub fn fixed(&self, factor: f64) -> f64 {
        let roster: Vec<Vec<f64>> = self
            .roster
            .iter()
            .map(|own| own.iter().map(|people| people * factor).collect())
            .collect();
        self.minutes_below(&roster)
    }

    /// The factor on the roster that costs as much.
    pub fn same_cost(&self, cost: f64) -> f64 {
        let hours: f64 = self.roster.iter().flatten().sum::<f64>() / 4.0;
        1.0 + cost / HOUR_COST / hours
    }

    fn minutes_below(&self, people: &[Vec<f64>]) -> f64 {
        let mut planner = Planner::new(self.profile.clone());
        let starts: Vec<Timestamp> = (0..self.windows).map(start).collect();
        let target = self.profile.target.fraction - 1e-9;
        let mut below = 0;
        for (came, people) in self.actual.iter().zip(people) {
            let paths = [came.clone()];
            let levels = planner.levels((&starts, WIDTH), (&[0.5], &paths), people, None);
            below += levels.iter().filter(|level| level.expected < target).count();
        }
        below as f64 * 15.0
    }

    /// What comes of recommendations.
    pub fn advised(&self, follows: Follows) -> Came {
        let mut book = Book::default();
        let mut planner = Planner::new(self.profile.clone());
        let mut table = Table::new(self.profile.clone());
        let mut known: BTreeMap<String, Recommendation> = BTreeMap::new();
        let mut numbers: BTreeMap<String, Vec<(i64, u32)>> = BTreeMap::new();
        for now in 0..self.windows {
            if follows != Follows::Nobody {
                let open = book.all().iter().filter(|own| own.is_proposed());
                let ids: Vec<String> = open.map(|own| own.id.clone()).collect();
                for id in ids {
                    if let Some(done) = book.answered(&id, Answer::Done, "a person", start(now)) {
                        book.put(done);
                    }
                }
            }
            let (desks, mut levels) = self.look(&mut planner, &mut table, now, follows);
            book.step(&desks, (WIDTH, start(now)), &self.rules, &mut levels);
            for own in book.all() {
                let before = numbers.entry(own.id.clone()).or_default();
                if before.last().is_none_or(|(_, people)| *people != own.agents) {
                    before.push((now, own.agents));
                }
                known.insert(own.id.clone(), own.clone());
            }
        }
        self.came(&known, &numbers)
    }

    /// Desks and levels of one look.
    fn look<'a>(
        &self,
        planner: &'a mut Planner,
        table: &mut Table,
        now: i64,
        follows: Follows,
    ) -> (Vec<Desk>, Levels<'a>) {
        let teams = self.peaks.len();
        let starts: Vec<Timestamp> = (now..now + HORIZON).map(start).collect();
        let paths: Vec<Vec<Vec<f64>>> =
            (0..teams).map(|team| self.forecast(team, now, follows)).collect();
        let mut desks = Vec::with_capacity(teams);
        for (team, paths) in paths.iter().enumerate() {
            let profile = &self.profile;
            let needs = needed(table, profile, &paths[3]);
            let high = needed(table, profile, &paths[5]);
            let people =
                |window: i64| self.roster[team][(window.rem_euclid(self.windows)) as usize];
            let windows = (0..HORIZON).map(|nth| DeskWindow {
                start: starts[nth as usize],
                needed: needs[nth as usize],
                needed_high: high[nth as usize].max(needs[nth as usize]),
                scheduled: Some(people(now + nth) as u32),
                is_open: true,
                arrivals: paths[3][nth as usize],
                just_ended: (1..8)
                    .map(|back| (people(now + nth - back) - people(now + nth - back + 1)).max(0.0))
                    .sum::<f64>() as u32,
            });
            desks.push(Desk {
                name: name(team),
                series: vec![SeriesKey::parse(&format!("north/s{team}/phone")).expect("a series")],
                zone: Zone::UTC,
                helps: [1, 2]
                    .map(|by| (team + by) % teams)
                    .into_iter()
                    .filter(|to| *to != team)
                    .collect(),
                // It would keep contacts away that this comparison counts.
                can_announce: false,
                outage: None,
                windows: windows.collect(),
            });
        }
        (desks, Levels { planner, starts, paths })
    }

    fn came(
        &self,
        known: &BTreeMap<String, Recommendation>,
        numbers: &BTreeMap<String, Vec<(i64, u32)>>,
    ) -> Came {
        let done: Vec<&Recommendation> = known.values().filter(|own| own.is_agreed()).collect();
        let mut people = self.roster.clone();
        for (team, people) in people.iter_mut().enumerate() {
            let own: Vec<&&Recommendation> =
                done.iter().filter(|own| own.people(&name(team)) != 0).collect();
            for (window, people) in people.iter_mut().enumerate() {
                let at = start(window as i64);
                let more =
                    own.iter().filter(|own| own.covers(at)).map(|own| own.people(&name(team)));
                *people = (*people + more.sum::<i64>() as f64).max(0.0);
            }
        }
        let mut changes: Vec<f64> = known
            .values()
            .map(|own| {
                let life = own.from.min(own.updated_at.max(own.issued_at)).since(own.issued_at);
                f64::from(own.changes) / (life.as_secs_f64() / 7200.0).max(1.0)
            })
            .collect();
        changes.sort_by(f64::total_cmp);
        let median = changes.get(changes.len() / 2).copied().unwrap_or(0.0);
        let mean = changes.iter().sum::<f64>() / changes.len().max(1) as f64;
        let turns = numbers
            .values()
            .flat_map(|known| known.windows(3))
            .filter(|turn| (turn[1].1 > turn[0].1) != (turn[2].1 > turn[1].1));
        let shortest = turns.map(|turn| (turn[2].0 - turn[1].0) as f64 * 15.0);
        Came {
            minutes_below: self.minutes_below(&people),
            cost: done.iter().map(|own| own.cost).sum(),
            recommendations: known.len(),
            changes: (median, mean),
            shortest_turn: shortest.reduce(f64::min),
            shortest_return: shortest_return(known),
        }
    }
}

fn shortest_return(known: &BTreeMap<String, Recommendation>) -> Option<f64> {
    let withdrawn = known.values().filter(|own| own.state == RecommendationState::Withdrawn);
    let again = withdrawn.flat_map(|own| {
        let is_same = |other: &&Recommendation| {
            (other.kind, &other.team, &other.source) == (own.kind, &own.team, &own.source)
                && other.from < own.to
                && own.from < other.to
                && other.id != own.id
                && other.issued_at >= own.updated_at
        };
        let minutes =
            |other: &Recommendation| other.issued_at.since(own.updated_at).as_secs_f64() / 60.0;
        known.values().filter(is_same).map(minutes)
    });
    again.reduce(f64::min)
}

/// Agents on the schedule for arrivals by window.
fn needed(table: &mut Table, profile: &Profile, path: &[f64]) -> Vec<u32> {
    let load = equivalent_arrivals(path, f64::from(WIDTH.secs()), profile.seconds_in_progress());
    let agents = |arrivals: &f64| {
        let positions = table.positions(arrivals * 3600.0 / f64::from(WIDTH.secs()));
        with_shrinkage(positions.expect("a number of positions"), profile.shrinkage)
    };
    load.iter().map(agents).collect()
}
