//! Learned handling times: shrinkage, bounds, and plans that use them.

use proptest::prelude::*;

use super::*;
use crate::domain::{SeriesKey, Timestamp, WindowWidth, Zone};
use crate::forecast::{ForecastPoint, Vintage};
use crate::staffing::{AhtLearning, Basis, HandlingTimes, LearnedAht, Planner};
use crate::text::{Language, Say, Texts};

const LEARNING: AhtLearning = AhtLearning { prior: 30.0, factor_max: 2.0, reported_factor: 1.0 };

fn at(window: i64) -> Timestamp {
    Timestamp::from_secs(1_767_225_600 + window * 900)
}

/// Windows from midnight on.
fn vintage(means: &[f64]) -> Vintage {
    let point = |(step, mean): (i64, &f64)| ForecastPoint {
        start: at(step),
        mean: *mean,
        quantiles: [0.5, 0.7, 0.85, 1.0, 1.15, 1.3, 1.5].map(|share| share * mean),
        baseline: *mean,
        level: 1.0,
        alarm_effect: 0.0,
    };
    let series = SeriesKey::parse("north/tv/phone").expect("a series");
    Vintage {
        series,
        issued_at: at(0),
        targets: (0..).zip(means).map(point).collect(),
        members: Vec::new(),
        causes: Vec::new(),
        surges: None,
        fallback: None,
    }
}

/// This number of tickets with this handling time in each of the first hours.
fn times(by_hour: &[(f64, f64)]) -> HandlingTimes {
    let sums: Vec<(f64, f64)> = by_hour.iter().map(|(n, seconds)| (*n, n * seconds)).collect();
    let all = sums.iter().fold((0.0, 0.0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
    let mut by_hour = sums;
    by_hour.resize(24, (0.0, 0.0));
    HandlingTimes { all, by_hour }
}

#[test]
fn hours_are_shrunk_to_their_series_and_the_series_to_the_config() {
    let own = times(&[(30.0, 360.0), (90.0, 240.0)]);
    // 120 tickets of 270 s, and 30 of 300 s.
    let all = (120.0 * 270.0 + 30.0 * 300.0) / 150.0;
    let first = (30.0 * 360.0 + 30.0 * all) / 60.0;
    let second = (90.0 * 240.0 + 30.0 * all) / 120.0;
    for (hour, expected) in [(0, first), (1, second), (2, all)] {
        assert!((LEARNING.seconds(300.0, &own, hour) - expected).abs() < 1e-9, "{hour}");
    }
    let nothing = HandlingTimes::default();
    assert!((LEARNING.seconds(300.0, &nothing, 3) - 300.0).abs() < 1e-9);
    let minutes = times(&[(10_000.0, 5.0)]);
    assert!((LEARNING.seconds(300.0, &minutes, 0) - 150.0).abs() < 1e-9, "bounded");
    // 600 s among three chats at once are 500 s alone.
    let elapsed = AhtLearning { reported_factor: 2.5 / 3.0, ..LEARNING };
    let chats = times(&[(1e6, 600.0)]);
    assert!((elapsed.seconds(450.0, &chats, 0) - 500.0).abs() < 0.1);
}

proptest! {
    /// A learned time is within its bounds, and between the configured and the observed time.
    #[test]
    fn learned_times_stay_within_their_bounds(
        hours in prop::collection::vec((0.0..500.0_f64, 1.0..5_000.0_f64), 24),
        configured in 30.0..2_000.0_f64,
        prior in 1.0..1_000.0_f64,
        factor_max in 1.0..5.0_f64,
        hour in 0..24_usize,
    ) {
        let learning = AhtLearning { prior, factor_max, reported_factor: 1.0 };
        let own = times(&hours);
        let found = learning.seconds(configured, &own, hour);
        prop_assert!(found >= configured / factor_max - 1e-9);
        prop_assert!(found <= configured * factor_max + 1e-9);
        let mean = if own.all.0 > 0.0 { own.all.1 / own.all.0 } else { configured };
        let seen = [configured, mean, hours[hour].1];
        let least = seen.iter().copied().fold(f64::INFINITY, f64::min);
        let most = seen.iter().copied().fold(0.0, f64::max);
        let (least, most) = (least.min(configured * factor_max), most.max(configured / factor_max));
        prop_assert!((least - 1e-6..=most + 1e-6).contains(&found), "{seen:?}: {found}");
    }
}

/// A profile with a handling time of 300 s that learns.
fn learning() -> Profile {
    Profile { aht_learning: Some(LEARNING), ..profile(300, 80.0, 20.0, Some(180)) }
}

fn planned(profile: &Profile, own: &HandlingTimes, means: &[f64]) -> (LearnedAht, Plan) {
    let vintage = vintage(means);
    let learned = LearnedAht::new(profile, own, &vintage, Zone::UTC).expect("learns");
    let mut planner = Planner::new(learned.profile(profile));
    let plan = planner.plan(&learned.same_load(&vintage), WindowWidth::QUARTER, &[], means, None);
    (learned.clone(), learned.plan_of(plan, &vintage))
}

#[test]
fn plans_have_the_load_of_learned_handling_times() {
    // The same time in all hours, of very many tickets: two steps of 5 % above 300 s.
    let seconds = 300.0 * 1.05 * 1.05;
    let own = times(&[(1e9, seconds), (1e9, seconds)]);
    let means = [40.0, 60.0, 50.0, 45.0, 30.0];
    let (learned, plan) = planned(&learning(), &own, &means);
    assert!((learned.model_seconds - seconds).abs() < 0.1, "{learned:?}");
    let alone = Profile { aht: std::time::Duration::from_secs_f64(seconds), ..learning() };
    let expected =
        Planner::new(alone).plan(&vintage(&means), WindowWidth::QUARTER, &[], &means, None);
    let positions = |plan: &Plan| plan.targets.iter().map(|t| t.positions).collect::<Vec<_>>();
    assert_eq!(positions(&plan), positions(&expected));
    let arrivals: Vec<f64> = plan.targets.iter().map(|target| target.arrivals).collect();
    assert_eq!(arrivals, means, "contacts, not those of the model's handling time");
    // Longer contacts in the first hour than in the second: more people for as many contacts.
    let own = times(&[(1e9, 400.0), (1e9, 200.0)]);
    let (_, plan) = planned(&learning(), &own, &[40.0; 8]);
    assert!(plan.targets[1].positions > plan.targets[7].positions + 3, "{plan:?}");
}

#[test]
fn the_basis_says_how_the_handling_time_was_learned() {
    let own = times(&[(412.0, 320.0)]);
    let (_, plan) = planned(&learning(), &own, &[40.0; 4]);
    let said = |language| plan.basis.say(&Texts::new(language));
    insta::assert_snapshot!(said(Language::En), @"Erlang A: 320 s handling time per contact, learned from 412 tickets (300 s in the config), 80 % answered within 20 s, customers wait 180 s on average before they hang up, shrinkage 30 %");
    insta::assert_snapshot!(said(Language::Zh), @"Erlang A：平均处理时长 320 秒（由 412 张工单学得，配置值为 300 秒），80% 在 20 秒内应答，客户平均等待 180 秒后放弃，损耗率 30%");
    let (_, plan) = planned(&learning(), &HandlingTimes::default(), &[40.0; 4]);
    let crate::text::Stored::Value(Basis { aht, learned, .. }) = &plan.basis else {
        panic!("a value")
    };
    assert_eq!((*aht, learned.as_ref().map(|own| own.tickets)), (300, Some(0)));
    let form = plan.basis.to_form().expect("a form");
    assert_eq!(crate::text::Stored::from_form(form), plan.basis, "it is stored");
}
