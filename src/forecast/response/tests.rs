//! Properties of the alarm response, and learning from a generated operator.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson};

use super::baseline::{Baselines, Profiles, as_counted};
use super::*;
use crate::domain::{Name, Scope, SeriesKey, Severity, Timestamp, WindowWidth, Zone};
use crate::forecast::{AlarmSpell, Calendar, History, Past, Place, PlannedWork};

const WIDTH: WindowWidth = WindowWidth::QUARTER;
const WEEK: i64 = 672;

fn scope() -> Scope {
    Scope { region: Name::new("north").expect("name"), service: Name::new("tv").expect("name") }
}

fn key(channel: &str) -> SeriesKey {
    SeriesKey::parse(&format!("north/tv/{channel}")).expect("series")
}

fn origin() -> i64 {
    WIDTH.index(Timestamp::parse("2026-04-28T12:00:00Z").expect("time"))
}

fn minutes(index: i64, minutes: i64) -> Timestamp {
    Timestamp::from_secs(index * 900 + minutes * 60)
}

pub(super) fn alarm(
    raised: Timestamp,
    cleared: Option<Timestamp>,
    device: u32,
    kind: &str,
) -> AlarmSpell {
    AlarmSpell {
        scope: scope(),
        severity: Severity::Critical,
        alarm_type: Some(kind.into()),
        device: Some(device.to_string().into()),
        raised_at: raised,
        cleared_at: cleared,
    }
}

/// Seven weeks in which every group of eight devices with `fibreCut` causes tickets for two hours, beginning half an hour
/// later. `fanFailure` causes none.
struct World {
    series: BTreeMap<SeriesKey, History>,
    alarms: Vec<AlarmSpell>,
    work: Vec<PlannedWork>,
    places: BTreeMap<Name, Place>,
    place: Place,
}

impl World {
    fn new(zone: &str, seed: u64) -> Self {
        let of = |day| if day % 3 == 0 { ("fibreCut", 8, 2.0) } else { ("fanFailure", 8, 0.0) };
        Self::with(zone, seed, of)
    }

    /// `of` returns for each day: the type of its alarms, the number of devices, and the extra tickets in multiples of the
    /// mean.
    fn with(zone: &str, seed: u64, of: impl Fn(i64) -> (&'static str, u32, f64)) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let first = origin() - 7 * WEEK;
        let (mut boost, mut alarms) = (vec![0.0; 7 * WEEK as usize + 200], Vec::new());
        for day in 0..47 {
            let at = first + day * 96 + rng.random_range(0..24);
            let (kind, devices, more) = of(day);
            for device in 0..devices {
                alarms.push(alarm(
                    minutes(at, i64::from(device)),
                    Some(minutes(at, 120)),
                    device,
                    kind,
                ));
            }
            (2..10).for_each(|i| boost[(at - first + i) as usize] = more);
        }
        let mut series = BTreeMap::new();
        for (channel, mean) in [("phone", 12.0), ("chat", 6.0)] {
            let mut history = History::new(WIDTH, first);
            for (i, boost) in boost.iter().enumerate() {
                // Histories start at noon.
                let hour = ((i + 48) % 96) as f64 / 4.0;
                let rate = mean * (1.1 - (hour / 24.0 * std::f64::consts::TAU).cos() + boost);
                history.counts.push(Poisson::new(rate).expect("rate").sample(&mut rng) as f32);
            }
            series.insert(key(channel), history);
        }
        let place =
            Place { zone: zone.parse().expect("zone"), calendar: Arc::new(Calendar::default()) };
        Self { series, alarms, work: Vec::new(), places: BTreeMap::new(), place }
    }

    fn past(&self) -> Past<'_> {
        Past {
            width: WIDTH,
            series: &self.series,
            alarms: &self.alarms,
            work: &self.work,
            places: &self.places,
            place: &self.place,
        }
    }

    fn baselines(&self, until: i64) -> Baselines {
        let (past, from) = (self.past(), until - 8 * WEEK);
        Profiles::learn(&past, until, &as_counted).baselines(&past, from, until, &as_counted)
    }

    fn fit(&self, until: i64) -> Learned {
        Learned::fit(&Prior::shipped(), &self.past(), until)
    }

    fn read(&self, learned: &Learned, origin: i64) -> Reading {
        learned.read(&self.past(), origin)
    }

    /// Active alarms of `devices`, raised half an hour before the origin.
    fn storm(&mut self, devices: u32, kind: &str) {
        let at = origin() - 2;
        self.alarms
            .extend((0..devices).map(|d| alarm(minutes(at, i64::from(d % 8)), None, d, kind)));
    }

    fn total(&self, response: &Learned) -> f64 {
        let reading = self.read(response, origin());
        reading.effects(&key("phone")).into_iter().flatten().map(Effect::mean).sum()
    }
}

/// Tickets of a past window attributed to alarms.
fn past_effect(reading: &Reading, learned: &Learned, series: &SeriesKey, index: i64) -> f64 {
    let mut found = reading.past_effects(&learned.response, series).filter(|(i, _)| *i == index);
    let tickets = found.next().map_or(0.0, |(_, tickets)| tickets);
    assert!(found.next().is_none(), "each window once");
    tickets
}

/// A shared fit.
fn fitted() -> &'static Learned {
    static FITTED: LazyLock<Learned> =
        LazyLock::new(|| World::new("Europe/London", 11).fit(origin()));
    &FITTED
}

fn shown(reading: &Reading) -> String {
    format!("{:?}", reading.touched().collect::<Vec<_>>())
}

#[test]
fn the_included_prior_is_valid_and_wrong_ones_are_refused_with_a_reason() {
    let text = include_str!("../../../models/response.toml");
    assert_eq!(Prior::parse(text).expect("shipped"), Prior::shipped());
    for (from, to, expected) in [
        ("devices = 1.3", "device = 1.3", "unknown field `device`"),
        ("median = 25.0", "median = -1.0", "`onset.median` is -1: use a number above 0"),
        ("[channel.default]", "[channel.other]", "`[channel.default]` is missing"),
    ] {
        let error = Prior::parse(&text.replace(from, to)).expect_err(to).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn an_episode_in_both_fit_and_reading_is_removed_once() {
    let world = World::new("UTC", 1);
    let (phone, counts) = (key("phone"), &world.series[&key("phone")]);
    let removed = |history: &History, i: i64| f64::from(counts.get(i) - history.get(i));
    let cleaned = world.fit(origin()).response.cleaned(&phone, counts).into_owned();
    let last = (0..origin()).rev().find(|i| removed(&cleaned, *i) > 4.0).expect("an incident");
    let response = world.fit(last + 4);
    let reading = world.read(&response, last + 8);
    let fitted = response.response.cleaned(&phone, counts);
    let now = response.cleaned(&reading, &phone, counts);
    let both: Vec<i64> = (last - 20..last + 4).filter(|i| removed(&fitted, *i) > 1.0).collect();
    assert!(both.len() > 2, "{both:?}");
    let [fit, read] = [&fitted, &now].map(|h| both.iter().map(|i| removed(h, *i)).sum::<f64>());
    assert!((read / fit - 1.0).abs() < 0.3, "{fit} at the fit, {read} now");
}

#[test]
fn rarely_noticed_alarms_count_when_many_devices_raise_them() {
    let of =
        |day| if day == 20 || day == 41 { ("linkDown", 10, 2.5) } else { ("linkDown", 1, 0.0) };
    let total = |devices| {
        let mut world = World::with("UTC", 5, of);
        world.storm(devices, "linkDown");
        world.alarms.iter_mut().for_each(|alarm| alarm.severity = Severity::Minor);
        world.total(&world.fit(origin()))
    };
    let (one, ten) = (total(1), total(10));
    assert!(one < 5.0 && ten > 60.0, "{one} of one, {ten} of ten");
}

#[test]
fn it_learns_which_alarms_matter_and_removes_their_past_effects() {
    let mut world = World::new("UTC", 1);
    let response = world.fit(origin());
    let counts = &world.series[&key("phone")];
    let cleaned = response.response.cleaned(&key("phone"), counts);
    let base = &world.baselines(origin())[&key("phone")];
    let excess = |history: &History| -> f64 {
        let known = history.first + 14 * 96..origin();
        known.map(|i| (f64::from(history.get(i)) - base.at(i)).max(0.0)).sum()
    };
    assert!(excess(&cleaned) < 0.75 * excess(counts), "{} {}", excess(&cleaned), excess(counts));
    assert_eq!(world.total(&response), 0.0, "no active alarms");
    world.storm(8, "fibreCut");
    let real = world.total(&response);
    let reading = world.read(&response, origin());
    let effects = reading.effects(&key("phone")).expect("a storm");
    assert!(real > 60.0, "{real}");
    assert_eq!(&*effects[2].drivers[0].0, "fibreCut");
    // Two windows without an excess leave it uncertain.
    assert!(effects[4].probability() > 0.5 && effects[4].sd() > 0.0, "{:?}", effects[4]);
    assert!(effects[4].widen(&[8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0])[6] > 25.0);
    let mut world = World::new("UTC", 1);
    world.storm(8, "fanFailure");
    let harmless = world.total(&response);
    assert!(harmless < 0.1 * real, "{harmless} {real}");
}

#[test]
fn a_type_with_rare_weak_effects_is_not_ignored() {
    let of = |day| if day % 5 == 0 { ("linkDown", 12, 0.7) } else { ("linkDown", 2, 0.0) };
    let response = World::with("UTC", 6, of).fit(origin());
    let [few, many] = [2, 12].map(|devices| {
        let mut world = World::with("UTC", 6, of);
        world.storm(devices, "linkDown");
        world.total(&response)
    });
    assert!(many > 3.0 && many > few, "{few} {many}");
}

#[test]
fn level_volatility_is_learned() {
    let world = || World::with("Asia/Shanghai", 11, |_| ("fanFailure", 8, 0.0));
    let (steady, mut varying) = (world(), world());
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    // Every eight hours the level is 1 or 0.7 at random.
    let levels: Vec<f64> = (0..200).map(|_| if rng.random::<bool>() { 1.0 } else { 0.7 }).collect();
    for history in varying.series.values_mut() {
        for (i, count) in history.counts.iter_mut().enumerate() {
            let kept = (0..*count as u32).filter(|_| rng.random::<f64>() < levels[i / 32]);
            *count = kept.count() as f32;
        }
    }
    let [calm, volatile] =
        [&steady, &varying].map(|world| world.fit(origin()).response.model.level_volatility);
    assert!(calm < 0.05, "{calm}");
    assert!((0.1..0.3).contains(&volatile), "{volatile}");
}

#[test]
fn more_devices_mean_no_fewer_tickets() {
    let response = World::new("UTC", 2).fit(origin());
    let totals: Vec<f64> = [1, 2, 4, 8, 16, 40]
        .map(|devices| {
            let mut world = World::new("UTC", 2);
            world.storm(devices, "fibreCut");
            world.total(&response)
        })
        .to_vec();
    assert!(totals.windows(2).all(|t| t[1] >= 0.9 * t[0] - 1.0), "{totals:?}");
    assert!(totals[5] > totals[0], "{totals:?}");
}

#[test]
fn a_hundred_thousand_alarms_of_one_site_are_handled() {
    let mut world = World::new("UTC", 3);
    let response = world.fit(origin());
    world.storm(100_000, "fibreCut");
    assert!(world.total(&response).is_finite());
}

#[test]
fn planned_work_and_its_overrun_have_effects() {
    let mut world = World::new("UTC", 4);
    let first = origin() - 6 * WEEK;
    for day in (0..40).step_by(3) {
        let from = first + day * 96 + 8;
        for (key, history) in &mut world.series {
            let extra = if key.channel.as_str() == "phone" { 12.0 } else { 6.0 };
            (from..from + 12).for_each(|i| history.set(i, history.get(i) + extra));
        }
        world.work.push(PlannedWork {
            announced_at: minutes(from - 96, 0),
            cancelled_at: None,
            starts_at: minutes(from, 0),
            ends_at: minutes(from + 12, 0),
            region: Some(scope().region),
            service: None,
        });
    }
    let response = world.fit(origin());
    let ahead = PlannedWork {
        announced_at: minutes(origin() - 10, 0),
        cancelled_at: None,
        starts_at: minutes(origin() + 4, 0),
        ends_at: minutes(origin() + 16, 0),
        region: None,
        service: Some(scope().service),
    };
    world.work = vec![ahead.clone()];
    let reading = world.read(&response, origin());
    let effects = reading.effects(&key("phone")).expect("work");
    assert!(effects[2].is_none() && effects[8].mean() > 3.0, "{:?}", effects[8]);
    assert_eq!(&*effects[8].drivers[0].0, "planned work");
    let unknown = [
        PlannedWork { announced_at: minutes(origin(), 0), ..ahead.clone() },
        PlannedWork { cancelled_at: Some(minutes(origin() - 5, 0)), ..ahead.clone() },
    ];
    for work in unknown {
        world.work = vec![work];
        assert_eq!(world.read(&response, origin()).effects(&key("phone")), None);
    }
    // Three hours of work ended an hour ago, but alarms of eight devices are still active.
    let from = origin() - 16;
    world.work = vec![PlannedWork {
        announced_at: minutes(from - 96, 0),
        starts_at: minutes(from, 0),
        ends_at: minutes(from + 12, 0),
        ..ahead
    }];
    world.alarms.extend((0..8).map(|d| alarm(minutes(from, 30), None, d, "fibreCut")));
    assert!(world.total(&response) > 1.0);
    let reading = world.read(&response, origin());
    let effects = reading.effects(&key("phone")).expect("an overrun");
    let mut named = effects.iter().flat_map(|effect| &effect.drivers);
    assert!(named.any(|(what, _)| &**what == "planned work overruns"));
}

#[test]
fn damping_alarms_are_learned() {
    let mut world = World::new("UTC", 5);
    world.alarms.clear();
    let first = origin() - 6 * WEEK;
    for day in (0..40).step_by(4) {
        let from = first + day * 96 - 16;
        world.alarms.push(alarm(minutes(from, 0), Some(minutes(from + 20, 0)), 1, "crmDown"));
        for history in world.series.values_mut() {
            (from..from + 20).for_each(|i| history.set(i, (history.get(i) * 0.2).round()));
        }
    }
    let response = world.fit(origin());
    world.alarms.push(alarm(minutes(origin() - 6, 0), None, 1, "crmDown"));
    let reading = world.read(&response, origin());
    let effects = reading.effects(&key("phone")).expect("damping");
    assert!(effects[0].mean() < -8.0, "{:?}", effects[0]);
    assert!(effects[0].mean() < 2.0 * effects[23].mean(), "damping ends: {:?}", effects[23]);
    let base = [12.0, 15.0, 18.0, 20.0, 23.0, 27.0, 30.0];
    let wide = effects[0].widen(&base);
    assert!(wide[0] >= 0.0 && wide[3] < 10.0 && wide.windows(2).all(|q| q[0] <= q[1]), "{wide:?}");
    // The attributed tickets do not depend on the count, so a deviation of the count persists.
    let kept = past_effect(&reading, &response, &key("phone"), origin() - 3);
    world.series.get_mut(&key("phone")).expect("series").set(origin() - 3, 0.0);
    let again = world.read(&response, origin());
    let again = past_effect(&again, &response, &key("phone"), origin() - 3);
    assert!(kept < 0.0 && (again / kept - 1.0).abs() < 0.2, "{kept} {again}");
    let [near, far] = [10.0, 300.0].map(|lead| reading.count_weight(&key("phone"), lead));
    assert!(near > 0.5 && near < 1.0 && far > 0.0 && far < 0.5 * near, "{near} {far}");
    world.alarms.retain(|alarm| alarm.cleared_at.is_some());
    assert_eq!(world.read(&response, origin()).count_weight(&key("phone"), 10.0), 0.0, "long ago");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn nothing_after_the_origin_is_read_and_order_does_not_matter(
        seed in 0u64..1000, shift in 0i64..40, future in 0u32..5000,
    ) {
        let mut world = World::new("Europe/London", seed);
        world.storm(6, "fibreCut");
        let until = origin() - 96;
        let response = world.fit(until);
        let known = shown(&world.read(&response, origin()));
        let fitted = format!("{:?}", response.response.past);
        // Change counts, alarms and clears from the origin on, and reverse the order of alarms.
        for history in world.series.values_mut() {
            for index in origin()..origin() + 60 {
                history.set(index, future as f32);
            }
        }
        for spell in &mut world.alarms {
            if spell.cleared_at.is_none_or(|at| at >= WIDTH.start(origin())) {
                spell.cleared_at = Some(minutes(origin() + shift, 1));
            }
        }
        world.alarms.push(alarm(minutes(origin() + shift, 0), None, 77, "fibreCut"));
        world.alarms.reverse();
        let again = world.fit(until);
        prop_assert_eq!(&fitted.len(), &format!("{:?}", again.response.past).len());
        prop_assert_eq!(known, shown(&world.read(&again, origin())));
    }

    #[test]
    fn without_alarms_there_is_no_effect_at_all(seed in 0u64..1000, offset in 0i64..96) {
        let mut world = World::new("Europe/London", seed);
        let response = fitted();
        world.alarms.clear();
        let reading = world.read(response, origin() - offset);
        prop_assert_eq!(reading.touched().count(), 0);
        prop_assert_eq!(past_effect(&reading, response, &key("phone"), origin() - offset - 1), 0.0);
    }

    #[test]
    fn effects_are_finite_and_never_negative_for_any_counts(
        seed in 0u64..1000,
        counts in prop::collection::vec(prop_oneof![
            6 => (0u32..60).prop_map(|n| n as f32), 1 => Just(f32::NAN), 1 => Just(1e7),
        ], 40),
        devices in 1u32..30,
        base in prop::collection::vec(0.0f64..50.0, 7),
    ) {
        let mut world = World::new("Europe/London", seed);
        let response = fitted();
        world.storm(devices, "fibreCut");
        for history in world.series.values_mut() {
            for (i, count) in counts.iter().enumerate() {
                history.set(origin() - 40 + i as i64, *count);
            }
        }
        let reading = world.read(response, origin());
        let mut base: [f64; 7] = base.try_into().expect("seven");
        base.sort_by(f64::total_cmp);
        for (key, effects) in reading.touched() {
            for effect in effects {
                prop_assert!(effect.mean().is_finite() && effect.mean() >= 0.0, "{key} {effect:?}");
                prop_assert!(effect.points.iter().all(|(p, x)| *p >= 0.0 && *x >= 0.0));
                let total: f64 = effect.points.iter().map(|(p, _)| p).sum();
                prop_assert!(effect.is_none() || (total - 1.0).abs() < 1e-6, "{total}");
                let wide = effect.widen(&base);
                prop_assert!(wide[0] >= 0.0 && wide.windows(2).all(|q| q[0] <= q[1]), "{wide:?}");
            }
        }
        for key in [key("phone"), key("chat")] {
            for index in origin() - 60..origin() {
                let count = f64::from(world.series[&key].get(index));
                let share = past_effect(&reading, response, &key, index);
                prop_assert!(share >= 0.0 && (count.is_nan() || share <= count + 1e-3), "{share} {count}");
            }
        }
    }
}

#[test]
fn the_morning_is_found_across_both_clock_changes() {
    let london: Zone = "Europe/London".parse().expect("zone");
    let onset = onset::Onset::of_prior(&Prior::shipped());
    for night in ["2026-03-29T00:10:00Z", "2026-10-25T00:10:00Z", "2026-06-10T00:10:00Z"] {
        let starts = Timestamp::parse(night).expect("time");
        let episode = episode::Episode {
            site: 0,
            kind: episode::Kind::Fault,
            starts,
            ended: None,
            features: [0.0; episode::FEATURES],
            types: Vec::new(),
            title: "linkDown".into(),
        };
        let states = onset.states(&episode, london);
        let total: f64 = states.iter().map(|s| s.weight).sum();
        assert!((total - 1.0).abs() < 1e-9);
        let mornings: Vec<_> =
            states.iter().filter(|s| matches!(s.slot, onset::Slot::Morning(_))).collect();
        assert!(!mornings.is_empty());
        for state in mornings {
            let at = starts + std::time::Duration::from_secs_f64(state.minutes * 60.0);
            let local = london.minute_of_week(at) % 1440;
            assert!((330..=600).contains(&local), "{night}: {local}");
        }
    }
}
