//! Teams, the roster, and the service that people attain.

use super::*;
use crate::domain::{Name, SeriesKey, Timestamp, WindowWidth, Zone};
use crate::forecast::{ForecastPoint, Vintage};
use crate::text::Stored;

const WIDTH: WindowWidth = WindowWidth::QUARTER;

/// Start of a window, from 1 January 2026 on, a Thursday.
fn at(window: i64) -> Timestamp {
    WIDTH.start(1_767_225_600 / 900 + window)
}

fn vintage(series: &str, means: &[f64]) -> Vintage {
    let point = |(window, mean): (usize, &f64)| ForecastPoint {
        start: at(window as i64),
        mean: *mean,
        quantiles: [0.5, 0.7, 0.9, 1.0, 1.1, 1.3, 1.5].map(|factor| factor * mean),
        baseline: *mean,
        level: 1.0,
        alarm_effect: 0.0,
    };
    Vintage {
        series: SeriesKey::parse(series).expect("series"),
        issued_at: at(0),
        targets: means.iter().enumerate().map(point).collect(),
        members: Vec::new(),
        causes: Vec::new(),
        surges: None,
        fallback: None,
    }
}

fn team(hours: Option<&str>, minimum: u32) -> Team {
    Team {
        name: Name::new("calls").expect("a name"),
        series: vec![SeriesKey::parse("north/_all/phone").expect("series")],
        skills: Vec::new(),
        profile: profile(300, 80.0, 20.0, Some(180)),
        hours: hours.map(|hours| hours.parse().expect("hours")),
        zone: Zone::UTC,
        minimum,
    }
}

fn shift(from: i64, to: i64, agents: f64) -> Presence {
    let quarter =
        |quarters: i64| at(0) + Duration::from_secs(225) * u32::try_from(quarters).expect("later");
    Presence { start: quarter(from), end: quarter(to), agents }
}

/// A series is served only by the team whose pattern matches.
#[test]
fn teams_serve_what_their_patterns_cover() {
    let team = team(None, 0);
    let serves = |series: &str| team.serves(&SeriesKey::parse(series).expect("series"));
    assert!(
        serves("north/mobile/phone")
            && !serves("north/mobile/chat")
            && !serves("south/mobile/phone")
    );
    let key = |series: &str| SeriesKey::parse(series).expect("series");
    assert!(overlap(&key("north/_all/phone"), &key("_all/mobile/phone")));
    assert!(!overlap(&key("north/_all/phone"), &key("_all/mobile/chat")));
}

#[test]
fn a_pool_needs_fewer_people_than_its_parts() {
    let team = team(None, 0);
    let parts = [
        vintage("north/mobile/phone", &[12.0, 20.0, 0.0]),
        vintage("north/broadband/phone", &[5.0, 7.0, 0.0]),
        vintage("north/tv/phone", &[1.0, 0.0, 0.0]),
    ];
    let mut planner = Planner::new(team.profile.clone());
    let usual = [0.0; 3];
    let mut alone = |part: &Vintage| {
        let plan = planner.plan(part, WIDTH, &[], &usual, None);
        plan.targets.iter().map(|target| target.agents).sum::<u32>()
    };
    let apart: u32 = parts.iter().map(&mut alone).sum();
    let whole = pooled(&parts).expect("a forecast");
    assert_eq!(whole.targets[1].mean, 27.0);
    let roster = [shift(0, 8, 9.0)];
    let plan = planner.plan(&whole, WIDTH, &roster, &usual, Some(&team));
    let together: u32 = plan.targets.iter().map(|target| target.agents).sum();
    assert!(together < apart, "{together} {apart}");
    // The shares of the series add up to the team's numbers.
    let members: Vec<_> = parts.iter().map(|part| (&part.series, part)).collect();
    let work: Vec<_> = parts.iter().map(|part| planner.work_of(part, WIDTH, &team)).collect();
    let plans = shares(&plan, &members, &work);
    for (step, target) in plan.targets.iter().enumerate() {
        let sum = |of: &dyn Fn(&PlanTarget) -> i64| {
            plans.values().map(|plan| of(&plan.targets[step])).sum::<i64>()
        };
        assert_eq!(sum(&|t| t.agents.into()), i64::from(target.agents));
        assert_eq!(sum(&|t| t.positions.into()), i64::from(target.positions));
        assert_eq!(sum(&|t| t.gap.into()), i64::from(target.gap));
        let scheduled = sum(&|t| t.scheduled.map_or(-1, i64::from));
        assert_eq!(scheduled, target.scheduled.map_or(-3, i64::from));
    }
    assert_eq!(plans.len(), 3);
}

/// A nowcast begins with the open window; the other forecasts have the window before as well.
#[test]
fn a_pool_has_the_windows_of_its_newest_forecast_in_any_order() {
    let scheduled = vintage("north/mobile/phone", &[1.0, 2.0, 3.0, 4.0]);
    let mut nowcast = vintage("north/tv/phone", &[10.0, 20.0, 30.0, 40.0]);
    nowcast.issued_at = at(1) + Duration::from_secs(300);
    nowcast.targets.remove(0);
    // A series without a forecast of the last window.
    let short = vintage("north/broadband/phone", &[100.0, 200.0, 300.0]);
    // One that is not forecast any more.
    let mut old = vintage("north/fixed/phone", &[1000.0]);
    old.issued_at = at(-2);
    let of = |parts: [&Vintage; 4]| {
        let whole = pooled(parts).expect("a forecast");
        assert_eq!(whole.issued_at, nowcast.issued_at);
        whole.targets.iter().map(|target| (target.start, target.mean)).collect::<Vec<_>>()
    };
    let expected = [(at(1), 222.0), (at(2), 333.0), (at(3), 44.0)];
    assert_eq!(of([&scheduled, &nowcast, &short, &old]), expected);
    assert_eq!(of([&old, &short, &nowcast, &scheduled]), expected);
    assert_eq!(pooled([]), None);
}

/// Who is still busy with the contacts of a surge is needed where the surge was, whatever the next window brings.
#[test]
fn people_whom_a_surge_keeps_busy_are_those_of_its_series() {
    let team = team(None, 0);
    let parts = [
        vintage("north/mobile/phone", &[8.0, 8.0, 8.0, 8.0]),
        vintage("north/broadband/phone", &[12.0, 200.0, 2.0, 2.0]),
    ];
    let mut planner = Planner::new(team.profile.clone());
    let whole = pooled(&parts).expect("a forecast");
    let plan = planner.plan(&whole, WIDTH, &[], &[0.0; 4], Some(&team));
    let work: Vec<_> = parts.iter().map(|part| planner.work_of(part, WIDTH, &team)).collect();
    let members: Vec<_> = parts.iter().map(|part| (&part.series, part)).collect();
    let plans = shares(&plan, &members, &work);
    let agents =
        |part: usize| plans[&parts[part].series].targets.iter().map(|t| t.agents).collect();
    let (mobile, broadband): (Vec<u32>, Vec<u32>) = (agents(0), agents(1));
    let all: Vec<u32> = plan.targets.iter().map(|target| target.agents).collect();
    assert!(all[2] > 50, "the surge keeps people busy: {all:?}");
    assert!(mobile[2] <= mobile[0] + 1 && broadband[2] > 50, "{mobile:?} {broadband:?}");
    // With four fifths of the arrivals of the third window, mobile has hardly any of its work.
    assert!(f64::from(mobile[2]) < 0.1 * f64::from(all[2]), "{mobile:?} {all:?}");
    let left = |part: usize, step| plans[&parts[part].series].is_left_over(at(step), WIDTH);
    assert_eq!([left(1, 1), left(1, 2), left(0, 2)], [false, true, false]);
}

#[test]
fn a_team_has_nobody_when_closed_and_its_minimum_when_open() {
    let team = team(Some("Th 00:15-00:45"), 4);
    let mut planner = Planner::new(team.profile.clone());
    let calls = vintage("north/mobile/phone", &[50.0, 2.0, 60.0, 50.0]);
    let plan = planner.plan(&calls, WIDTH, &[], &[2.0; 4], Some(&team));
    let positions: Vec<u32> = plan.targets.iter().map(|target| target.positions).collect();
    assert_eq!((positions[0], positions[1], positions[3]), (0, 4, 0), "{positions:?}");
    assert!(positions[2] > 15, "{positions:?}");
    let figures = planner.figures(&plan, (&calls, WIDTH), &[], Some(&team));
    let bounds: Vec<Bound> = figures.iter().map(|figures| figures.bound_by).collect();
    assert_eq!(bounds[..2], [Bound::Closed, Bound::Minimum]);
    assert_eq!(bounds[2], Bound::ServiceLevel);
    // E-mail that comes while it is closed waits until it opens.
    let mail = Profile {
        model: Model::Deferred(Deferred { backlog: 0.0 }),
        target: parse_target("100/15m").expect("a target"),
        ..profile(900, 80.0, 20.0, None)
    };
    let mut planner = Planner::new(mail.clone());
    let team = Team { profile: mail, minimum: 0, ..team };
    let mails = vintage("north/mobile/phone", &[3.0, 4.0, 0.0, 5.0]);
    let plan = planner.plan(&mails, WIDTH, &[], &[0.0; 4], Some(&team));
    let positions: Vec<u32> = plan.targets.iter().map(|target| target.positions).collect();
    assert_eq!(positions, [0, 7, 0, 0]);
}

#[test]
fn known_open_tickets_are_worked_off_until_the_deadline() {
    let mail = Profile {
        model: Model::Deferred(Deferred { backlog: 0.0 }),
        target: parse_target("100/30m").expect("a target"),
        ..profile(900, 80.0, 20.0, None)
    };
    let mut planner = Planner::new(mail);
    let mails = vintage("north/mobile/email", &[4.0; 4]);
    let mut plan = |opening: Option<f64>| {
        let own = planner.opens_with(opening);
        let plan = own.plan(&mails, WIDTH, &[], &[4.0; 4], None);
        let figures = own.figures(&plan, (&mails, WIDTH), &[], None);
        let positions: Vec<u32> = plan.targets.iter().map(|target| target.positions).collect();
        let Stored::Value(basis) = &plan.basis else { panic!("a value") };
        let loads: Vec<f64> = figures.iter().map(|figures| figures.offered_load).collect();
        let left = |figures: &Figures| figures.backlog.expect("deferred work").round();
        (positions, basis.backlog, loads, figures.iter().map(left).collect::<Vec<f64>>())
    };
    // Without a known backlog, half of the contacts of the window before are assumed to wait.
    assert_eq!(plan(None), (vec![4; 4], None, vec![4.0; 4], vec![2.0; 4]));
    let level = vec![2.0, 4.0, 4.0, 4.0];
    assert_eq!(plan(Some(0.0)), (vec![2, 4, 4, 4], Some(0), level, vec![2.0; 4]));
    assert_eq!(plan(Some(2.0)), (vec![4; 4], Some(2), vec![4.0; 4], vec![2.0; 4]));
    let high = vec![13.0, 13.0, 4.0, 4.0];
    let left = vec![11.0, 2.0, 2.0, 2.0];
    assert_eq!(plan(Some(20.0)), (vec![13, 13, 4, 4], Some(20), high, left));
    // Live contacts have no backlog.
    let mut calls = Planner::new(profile(300, 80.0, 20.0, Some(180)));
    let plan = calls.opens_with(Some(20.0)).plan(&mails, WIDTH, &[], &[4.0; 4], None);
    let Stored::Value(basis) = &plan.basis else { panic!("a value") };
    assert_eq!(basis.backlog, None);
}

/// Work that is left undone lowers the level of the windows after, in the plan as over the quantiles.
#[test]
fn undone_work_of_a_window_lowers_the_expected_level_of_the_next() {
    let mail = Profile {
        model: Model::Deferred(Deferred { backlog: 0.0 }),
        target: parse_target("100/30m").expect("a target"),
        ..profile(900, 80.0, 20.0, None)
    };
    let mut planner = Planner::new(mail.clone());
    // Arrivals that are certain: all quantiles are the mean.
    let mut mails = vintage("north/mobile/email", &[4.0; 4]);
    mails.targets.iter_mut().for_each(|target| target.quantiles = [target.mean; 7]);
    let people = 2.0 / (1.0 - mail.shrinkage);
    let roster = [shift(0, 16, people)];
    let plan = planner.plan(&mails, WIDTH, &roster, &[4.0; 4], None);
    let figures = planner.figures(&plan, (&mails, WIDTH), &roster, None);
    let starts: Vec<Timestamp> = mails.targets.iter().map(|target| target.start).collect();
    let path = vec![4.0; 4];
    let levels = planner.levels((&starts, WIDTH), (&[0.5], &[path]), &[people; 4], None);
    for (step, expected) in [2.0 / 4.0, 2.0 / 6.0, 2.0 / 8.0, 2.0 / 10.0].into_iter().enumerate() {
        near(plan.targets[step].service_level, expected, 1e-4);
        near(figures[step].expected_service_level, expected, 1e-4);
        near(levels[step].expected, expected, 1e-4);
    }
    // Two come that nobody takes, in each window, besides the two that usually wait.
    let backlog: Vec<f64> =
        figures.iter().map(|figures| figures.backlog.expect("deferred work").round()).collect();
    assert_eq!(backlog, [4.0, 6.0, 8.0, 10.0]);
}

#[test]
fn half_a_window_counts_half_and_known_absences_replace_usual_ones() {
    let mut planner = Planner::new(profile(300, 80.0, 20.0, Some(180)));
    let calls = vintage("north/mobile/phone", &[12.0; 3]);
    let mut scheduled = |roster: &[Presence]| {
        let plan = planner.plan(&calls, WIDTH, roster, &[12.0; 3], None);
        plan.targets.iter().map(|target| target.scheduled).collect::<Vec<_>>()
    };
    // The first window, and half of the second.
    assert_eq!(scheduled(&[shift(0, 6, 10.0)]), [Some(10), Some(5), None]);
    // An early and a late shift, with a hand-over.
    assert_eq!(scheduled(&[shift(0, 6, 10.0), shift(4, 12, 4.0)]), [Some(10), Some(9), Some(4)]);
    let usual = team(None, 0).profile;
    let of = |agents, absent| {
        let name = Name::new("calls").expect("a name");
        let shift = TeamShift { team: name, start: at(0), end: at(1), agents, absent };
        shift.presence(&usual).agents
    };
    near(of(20, None), 20.0, 1e-12);
    near(of(20, Some(2)), 20.0, 1e-12);
    near(of(20, Some(0)), 20.0 / 0.9, 1e-12);
    near(of(20, Some(20)), 0.0, 1e-12);
}

#[test]
fn figures_are_those_of_the_model() {
    let own = Profile { max_occupancy: Some(0.85), ..profile(300, 80.0, 20.0, Some(180)) };
    let mut planner = Planner::new(own.clone());
    let calls = vintage("north/mobile/phone", &[30.0; 4]);
    let roster = [shift(0, 16, 20.0)];
    let plan = planner.plan(&calls, WIDTH, &roster, &[30.0; 4], None);
    let figures = planner.figures(&plan, (&calls, WIDTH), &roster, None);
    let found = evaluate(120.0, 14, &own).expect("in range");
    let first = &figures[0];
    near(first.people, 14.0, 1e-9);
    near(first.asa_seconds.expect("a wait"), found.asa_seconds, 1e-6);
    near(first.p_abandon, found.p_abandon, 1e-9);
    near(plan.targets[0].service_level, found.service_level, 1e-4);
    // A level that bends downwards is less in the mean than at the mean.
    assert!(first.expected_service_level < found.service_level, "{first:?}");
    let what_if = WhatIf { arrivals_factor: Some(2.0), agents: Some(40), ..WhatIf::default() };
    let (doubled, roster) = (what_if.vintage(&calls), what_if.roster(roster.to_vec()));
    let plan = planner.plan(&doubled, WIDTH, &roster, &[30.0; 4], None);
    assert_eq!(plan.targets[2].scheduled, Some(40));
    assert_eq!(plan.targets[0].positions, required(240.0, &own).expect("reached").positions);
    let stricter = WhatIf { target: parse_target("95/5").ok(), ..WhatIf::default() }.profile(&own);
    near(stricter.target.fraction, 0.95, 1e-12);
}
