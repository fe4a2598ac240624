//! Rolling origins over one simulated operator.

use std::collections::{BTreeMap, BTreeSet};

use surgecast::domain::{Scope, SeriesKey, Severity};
use surgecast::forecast::{
    Effect, Ensemble, History, Learned, Part, Past, Prior, Vintage, quantiles, surge,
};
use surgecast::simulate::Family;

use crate::oracles::Oracle;
use crate::score::{BUCKETS, Kind, Losses, Totals, kind};
use crate::surges::{HORIZON, Issued, Surges};
use crate::world::{HOUR, Truth, WEEK, WIDTH, World};

/// Windows between two origins for warnings, and between two origins for losses. Surges are judged at origins exactly one lead
/// before them.
const EVERY: i64 = HOUR;
const SCORED: i64 = 3 * HOUR;
/// Windows between two fits of the response, and of the base models, which change little within a week.
const REFIT: i64 = 48 * HOUR;
const REFIT_BASE: i64 = WEEK;
/// Weeks of history.
const HISTORY: i64 = 8;

fn issue(
    model: &Ensemble,
    past: &Past<'_>,
    series: &BTreeMap<SeriesKey, History>,
    origin: i64,
) -> BTreeMap<SeriesKey, Vintage> {
    let issued = model.vintages(&Past { series, ..*past }, origin, Part::WHOLE);
    issued.into_iter().map(|vintage| (vintage.series.clone(), vintage)).collect()
}

/// History without the true effects of incidents with alarms.
fn truly_cleaned(world: &World, key: &SeriesKey, truth: &[&Truth]) -> History {
    let mut cleaned = world.series[key].clone();
    for (i, count) in cleaned.counts.iter_mut().enumerate() {
        let (alarmed, rate) =
            truth.iter().fold((0.0, 0.0), |(a, r), t| (a + t.alarmed[i], r + t.rate[i]));
        *count *= 1.0 - (alarmed / rate.max(1e-9)) as f32;
    }
    cleaned
}

/// By origin from `start` on: scopes that may have a surge at one of the leads, because two windows in a row lie two standard
/// deviations above the true rate of ordinary days. A forecast's 99 % quantile is not lower.
fn suspects(world: &World, start: i64) -> BTreeMap<i64, BTreeSet<Scope>> {
    let mut found: BTreeMap<i64, BTreeSet<Scope>> = BTreeMap::new();
    for (key, history) in world.series.iter().filter(|(key, _)| key.is_roll_up()) {
        let scope = key.scope();
        let leaves = world.leaves.iter().filter(|(leaf, ..)| leaf.scope() == scope);
        let truths: Vec<&Truth> = leaves.map(|(_, _, truth)| truth).collect();
        let is_high = |index: i64| {
            let i = (index - world.first) as usize;
            let ordinary: f64 = truths.iter().map(|truth| truth.ordinary[i]).sum();
            f64::from(history.get(index)) > ordinary + 2.0 * ordinary.sqrt()
        };
        for index in (start..world.end - 1).filter(|i| is_high(*i) && is_high(*i + 1)) {
            for hours in surge::SURGE_LEADS {
                let origin = index - surge::step(hours, WIDTH, HORIZON) as i64;
                found.entry(origin).or_default().insert(scope.clone());
            }
        }
    }
    found
}

fn widened(vintage: &Vintage, effects: Option<&[Effect]>) -> Vec<[f64; 7]> {
    let none = Effect::default();
    let effect = |step: usize| effects.and_then(|e| e.get(step)).unwrap_or(&none);
    vintage.targets.iter().enumerate().map(|(i, t)| effect(i).widen(&t.quantiles)).collect()
}

pub fn run(seed: u64, family: Family, weeks: i64) -> Totals {
    let mut world = World::new(seed, family, HISTORY + weeks);
    let mut totals = Totals { region_weeks: (4 * weeks) as f64, ..Totals::default() };
    let prior = Prior::shipped();
    let mut model = Ensemble::default();
    let keys: Vec<SeriesKey> = world.series.keys().cloned().collect();
    let clean: BTreeMap<SeriesKey, History> = keys
        .iter()
        .map(|key| {
            let parts = world.leaves.iter().filter(|(leaf, ..)| {
                leaf == key || (key.is_roll_up() && leaf.scope() == key.scope())
            });
            let parts: Vec<&Truth> = parts.map(|(_, _, truth)| truth).collect();
            (key.clone(), truly_cleaned(&world, key, &parts))
        })
        .collect();
    let mut surges = Surges::default();
    let start = world.first + HISTORY * WEEK;
    let mut fitted: Option<(Learned, BTreeMap<SeriesKey, History>)> = None;
    let suspects = suspects(&world, start);
    for origin in start..world.end - 24 {
        let is_hourly = (origin - start) % EVERY == 0;
        let scopes = suspects.get(&origin);
        if !is_hourly && scopes.is_none() {
            continue;
        }
        let past = world.past();
        let refit = (origin - start) % REFIT == 0;
        if refit {
            fitted = Some((Learned::fit(&prior, &past, origin), world.series.clone()));
        }
        let Some((learned, cleaned)) = &mut fitted else { continue };
        let reading = learned.read(&past, origin);
        // Effects removed at earlier origins stay removed, as with daily fits.
        let first = if refit { world.first } else { origin - 20 * HOUR };
        for key in keys.iter().filter(|key| !key.is_roll_up()) {
            let now = learned.cleaned(&reading, key, &world.series[key]);
            let history = cleaned.get_mut(key).expect("a series");
            for index in first..origin {
                history.set(index, now.get(index));
            }
        }
        for key in keys.iter().filter(|key| key.is_roll_up()) {
            let parts: Vec<&History> = cleaned
                .iter()
                .filter(|(k, _)| !k.is_roll_up() && k.scope() == key.scope())
                .map(|(_, h)| h)
                .collect();
            let mut sum = world.series[key].clone();
            for i in 0..(origin - world.first) as usize {
                sum.counts[i] = parts.iter().map(|h| h.counts[i]).sum();
            }
            cleaned.insert(key.clone(), sum);
        }
        if (origin - start) % REFIT_BASE == 0 {
            model = Ensemble::fitted(&past, origin, Part::WHOLE);
        }
        let is_scored = (origin - start) % SCORED == 0;
        // Surges are judged for roll-ups.
        let is_asked =
            |key: &SeriesKey| is_hourly || scopes.is_some_and(|s| s.contains(&key.scope()));
        let is_wanted = |key: &SeriesKey| is_scored || (key.is_roll_up() && is_asked(key));
        let wanted = |series: &BTreeMap<SeriesKey, History>| -> BTreeMap<SeriesKey, History> {
            let wanted = series.iter().filter(|(key, _)| is_wanted(key));
            wanted.map(|(key, history)| (key.clone(), history.clone())).collect()
        };
        let a = issue(&model, &past, &wanted(&world.series), origin);
        let b = issue(&model, &past, &wanted(cleaned), origin);
        let c = issue(&model, &past, &wanted(&clean), origin);
        let parameters = Oracle::parameters(&mut world, origin);
        let response = Oracle::response(&mut world, origin);
        let course = Oracle::course(&mut world, origin);
        let mut scopes_issued = BTreeMap::new();
        for key in a.keys() {
            let effects = reading.effects(key);
            let (a, b, c) = (&a[key], &b[key], &c[key]);
            if key.is_roll_up() {
                let scope = key.scope();
                let readings =
                    [&parameters, &response, &course].map(|oracle| oracle.reading(&scope));
                let [parameters, response, course] = &readings;
                let all = [(b, &reading), (c, parameters), (c, response), (c, course)];
                scopes_issued.insert(scope, Issued::new(a, all));
                continue;
            }
            let issued = [
                widened(a, None),
                widened(b, effects),
                widened(c, parameters.effects(key)),
                widened(c, response.effects(key)),
                widened(c, course.effects(key)),
            ];
            let is_active = has_active_alarm(&world, key, origin);
            let Some((_, _, truth)) = world.leaves.iter().find(|(leaf, ..)| leaf == key) else {
                continue;
            };
            for step in 0..24 {
                let index = origin + step as i64;
                let i = (index - world.first) as usize;
                let actual = f64::from(world.series[key].get(index));
                let [none, with, parameters, response, course] = issued.each_ref().map(|q| q[step]);
                let all = [none, with, parameters, response, course, quantiles(truth.rate[i], 0.0)];
                let add = |losses: &mut Losses| {
                    losses.iter_mut().zip(&all).for_each(|(l, q)| l.add(q, actual));
                };
                let bucket = BUCKETS.iter().position(|end| step < *end).unwrap_or(2);
                match kind(truth.rate[i], truth.ordinary[i], truth.alarmed[i]) {
                    Kind::Outage => add(&mut totals.outage[bucket]),
                    Kind::Quiet => add(&mut totals.quiet),
                    Kind::Silent => add(&mut totals.silent),
                    Kind::Other => {}
                }
                if is_active {
                    add(&mut totals.active);
                }
            }
        }
        let issued = if is_hourly { &mut surges.issued } else { &mut surges.between };
        issued.insert(origin, scopes_issued);
    }
    surges.count(&mut world, start, &mut totals);
    totals
}

/// Whether a severe alarm of the last twelve hours is active at the origin.
fn has_active_alarm(world: &World, key: &SeriesKey, origin: i64) -> bool {
    let now = WIDTH.start(origin);
    let from =
        world.alarms.partition_point(|a| a.raised_at.millis() < now.millis() - 12 * 3_600_000);
    let to = world.alarms.partition_point(|a| a.raised_at < now);
    world.alarms[from..to]
        .iter()
        .any(|a| a.severity <= Severity::Major && a.scope.touches(key) && a.is_active_at(now))
}
