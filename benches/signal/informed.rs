//! An oracle that knows the simulator's parameters and the true rate of ordinary days, but only the alarms and tickets so far.
//!
//! For each group of alarms it weighs a few thousand possible incidents by Bayes' rule, as the parameters oracle of
//! `benches/outages` does, and draws equally likely ones. The share of these that need staff is the probability of a need. A need
//! is paged if its probability reaches a limit. It decides at the end of each window.
//!
//! Its figures are not a proven bound. It knows from the first alarm on how many alarms a group will have, which no real rule
//! knows. It does not know surges without alarms. A table shows how often its probabilities come true.

use std::collections::{BTreeMap, HashMap};

use surgecast::domain::{Scope, SeriesKey, Timestamp};
use surgecast::simulate::Incident;

use super::score::Page;
use super::world::{HORIZON, Need, WIDTH, World};

/// Number of equally likely incidents.
const KEPT: usize = 48;
/// Windows of tickets that are used.
const EVIDENCE: i64 = 14 * 4;
/// Windows before the present in each plan: contacts of these may still wait.
const PAST: i64 = 16;
/// A need that begins within so many windows is paged.
const AHEAD: i64 = 4;
/// An alert ends after so many windows in which the need is improbable.
const OVER: u32 = 4;
const IMPROBABLE: f64 = 0.1;

/// Series of a scope with their places and numbers.
type Leaves = Vec<(SeriesKey, [usize; 3], usize)>;

/// Usual tickets, tickets of an incident of size 1 at full strength, and counted tickets of a window of a series.
#[derive(Clone, Copy)]
struct Window {
    usual: f64,
    unit: f64,
    count: f64,
}

#[derive(Default)]
struct Memory(HashMap<(usize, i64), Window>);

impl Memory {
    fn window(&mut self, world: &mut World, place: [usize; 3], number: usize, at: i64) -> Window {
        *self.0.entry((number, at)).or_insert_with(|| {
            let start = WIDTH.start(at);
            Window {
                usual: world.operator.rate(place, start).without_incidents,
                unit: world.operator.unit(place, start),
                count: f64::from(world.operator.count(number, start)),
            }
        })
    }
}

/// The state of a scope for one limit: windows in a row without a probable need, if an alert is open.
type Open = BTreeMap<Scope, u32>;

/// How often probabilities come true, by tenths: number of windows of scopes, sum of their probabilities, and number of these
/// windows with a true need that begins within [`AHEAD`] windows.
#[derive(Clone, Copy, Default)]
pub struct Calibration([(usize, f64, usize); 10]);

impl Calibration {
    fn note(&mut self, probability: f64, is_true: bool) {
        let tenth = ((probability * 10.0) as usize).min(9);
        let (windows, sum, needs) = &mut self.0[tenth];
        *windows += 1;
        *sum += probability;
        *needs += usize::from(is_true);
    }

    pub fn add(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own = (own.0 + other.0, own.1 + other.1, own.2 + other.2);
        }
    }

    pub fn print(&self) {
        println!("probability  windows  mean probability  share with a true need");
        for (tenth, (windows, sum, needs)) in self.0.iter().enumerate() {
            let share = |n: f64| 100.0 * n / (*windows).max(1) as f64;
            println!(
                "{:.1} to {:.1} {windows:>10} {:>15.1} % {:>21.1} %",
                tenth as f64 / 10.0,
                (tenth + 1) as f64 / 10.0,
                share(*sum),
                share(*needs as f64),
            );
        }
    }
}

/// The pages of this oracle, for each of the limits, and how often its probabilities come true.
pub fn pages(world: &mut World, limits: &[f64]) -> (Vec<Vec<Page>>, Calibration) {
    let mut scopes: BTreeMap<Scope, Leaves> = BTreeMap::new();
    for (number, (key, place)) in world.operator.series().to_vec().into_iter().enumerate() {
        scopes.entry(key.scope()).or_default().push((key, place, number));
    }
    let mut memory = Memory::default();
    let mut pages: Vec<Vec<Page>> = limits.iter().map(|_| Vec::new()).collect();
    let mut open: Vec<Open> = vec![Open::new(); limits.len()];
    let mut calibration = Calibration::default();
    for index in WIDTH.index(world.live)..WIDTH.index(world.end) - HORIZON {
        for (scope, leaves) in &scopes {
            let needs = needs(world, &mut memory, leaves, index);
            if !needs.is_empty() {
                let soon = index..=index + AHEAD;
                let truth = world.need.get(scope);
                let is_true = truth.is_some_and(|need| need.range(soon).next().is_some());
                calibration.note(probability(&needs, index), is_true);
            }
            for ((limit, pages), open) in limits.iter().zip(&mut pages).zip(&mut open) {
                judge(scope, &needs, *limit, index, pages, open);
            }
        }
    }
    (pages, calibration)
}

/// Whether a need begins soon, or has begun.
fn is_soon(need: &BTreeMap<i64, i32>, index: i64) -> bool {
    need.keys().next().is_some_and(|first| *first <= index + AHEAD)
}

fn probability(needs: &[BTreeMap<i64, i32>], index: i64) -> f64 {
    let soon = needs.iter().filter(|need| is_soon(need, index)).count();
    soon as f64 / needs.len().max(1) as f64
}

/// Pages a need that is probable enough, and ends an alert whose need is over.
fn judge(
    scope: &Scope,
    needs: &[BTreeMap<i64, i32>],
    limit: f64,
    index: i64,
    pages: &mut Vec<Page>,
    open: &mut Open,
) {
    let probability = probability(needs, index);
    if let Some(without) = open.get_mut(scope) {
        *without = if probability < IMPROBABLE { *without + 1 } else { 0 };
        if *without >= OVER {
            open.remove(scope);
        }
        return;
    }
    if probability < limit || needs.is_empty() {
        return;
    }
    open.insert(scope.clone(), 0);
    // The middle one of the possible needs.
    let middle = |mut values: Vec<i64>| {
        values.sort_unstable();
        values[values.len() / 2]
    };
    let of = |value: fn(&BTreeMap<i64, i32>) -> Option<i64>| {
        middle(needs.iter().filter(|need| is_soon(need, index)).filter_map(value).collect())
    };
    let from = WIDTH.start(of(|need| need.keys().next().copied()));
    let to = WIDTH.start(of(|need| need.keys().next_back().copied()) + 1);
    let most = of(|need| need.values().max().map(|n| i64::from(*n))) as i32;
    let now = WIDTH.start(index);
    let text = format!("the informed oracle: {probability:.2}");
    let parts = BTreeMap::from([(scope.clone(), (from, to, most))]);
    pages.push(Page { at: now, since: now, parts, text });
}

/// The needs of equally likely courses of the incidents of a scope. Empty if no incident is known.
fn needs(
    world: &mut World,
    memory: &mut Memory,
    leaves: &Leaves,
    origin: i64,
) -> Vec<BTreeMap<i64, i32>> {
    let [region, service, _] = leaves[0].1;
    let mut groups = world.operator.possible_incidents([region, service], WIDTH.start(origin));
    groups.retain(|group| group.iter().any(|(_, one)| one.size > 0.0));
    if groups.is_empty() {
        return Vec::new();
    }
    groups.sort_by_key(|group| group[0].1.starts);
    // By series and window: tickets of earlier incidents.
    let mut others: BTreeMap<(usize, i64), f64> = BTreeMap::new();
    let drawn: Vec<Vec<Incident>> = groups
        .into_iter()
        .map(|group| weighed(world, memory, leaves, group, &mut others, origin))
        .collect();
    let scope = leaves[0].0.scope();
    let mut needs = Vec::with_capacity(KEPT);
    // By group: which windows of the plan include it.
    let included: Vec<Vec<bool>> = drawn
        .iter()
        .map(|list| {
            let windows = origin - PAST..origin + HORIZON;
            windows.map(|index| world.operator.includes(&list[0], WIDTH.start(index))).collect()
        })
        .collect();
    for n in 0..KEPT {
        let mut need = Need::new();
        for (key, place, number) in leaves {
            let arrivals: Vec<f64> = (origin - PAST..origin + HORIZON)
                .enumerate()
                .map(|(at, index)| {
                    let window = memory.window(world, *place, *number, index);
                    let start: Timestamp = WIDTH.start(index);
                    // Incidents are independent: another step through each list.
                    let steps = [1, 5, 7, 11, 13, 17, 19, 23].into_iter().cycle();
                    let each = drawn.iter().zip(&included).zip(steps);
                    let included = each.filter(|((_, windows), _)| windows[at]);
                    let strength = included.map(|((list, _), step)| {
                        world.operator.strength(*place, &list[n * step % list.len()], start)
                    });
                    window.usual + window.unit * strength.sum::<f64>()
                })
                .collect();
            let gaps = world.gaps(key, origin - PAST, &arrivals);
            World::by_rule(&mut need, &scope, origin - PAST, &gaps);
        }
        // A shortage of two windows may have begun in the window before.
        needs.push(need.remove(&scope).unwrap_or_default().split_off(&origin));
    }
    needs
}

/// Equally likely incidents given the tickets: Poisson counts around the true rate of ordinary days, the tickets of `others`, and
/// those of each possible incident.
fn weighed(
    world: &mut World,
    memory: &mut Memory,
    leaves: &Leaves,
    group: Vec<(f64, Incident)>,
    others: &mut BTreeMap<(usize, i64), f64>,
    origin: i64,
) -> Vec<Incident> {
    let first = WIDTH.index(group[0].1.starts).max(origin - EVIDENCE);
    let mut gains = vec![0.0; group.len()];
    let mut expected: Vec<((usize, i64), Vec<f64>)> = Vec::new();
    for (_, place, number) in leaves {
        for index in first..origin {
            let start = WIDTH.start(index);
            if !world.operator.includes(&group[0].1, start) {
                continue;
            }
            let window = memory.window(world, *place, *number, index);
            // Incidents that differ only in size are adjacent.
            let alike = |(_, a): &(f64, Incident), (_, b): &(f64, Incident)| {
                (a.felt_from, a.ends) == (b.felt_from, b.ends)
            };
            let mut each = Vec::with_capacity(group.len());
            for run in group.chunk_by(alike) {
                let one = Incident { size: 1.0, ..run[0].1.clone() };
                let one = window.unit * world.operator.strength(*place, &one, start);
                each.extend(run.iter().map(|(_, incident)| incident.size * one));
            }
            let usual = window.usual + others.get(&(*number, index)).copied().unwrap_or(0.0);
            for (gain, x) in gains.iter_mut().zip(&each) {
                *gain += window.count * (x / usual.max(1e-9)).ln_1p() - x;
            }
            expected.push(((*number, index), each));
        }
    }
    let most = gains.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let each = group.iter().zip(&gains);
    let weights: Vec<f64> = each.map(|((weight, _), gain)| weight * (gain - most).exp()).collect();
    let total: f64 = weights.iter().sum();
    for (place, each) in expected {
        let mean = each.iter().zip(&weights).map(|(x, weight)| x * weight / total).sum::<f64>();
        *others.entry(place).or_default() += mean;
    }
    let (mut kept, mut sum, mut next) = (Vec::with_capacity(KEPT), 0.0, 0.5);
    for ((_, incident), weight) in group.iter().zip(&weights) {
        sum += weight / total * KEPT as f64;
        while next < sum && kept.len() < KEPT {
            kept.push(incident.clone());
            next += 1.0;
        }
    }
    if kept.is_empty() {
        kept.push(group[0].1.clone());
    }
    kept
}
