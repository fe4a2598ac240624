//! Checks the numbers in the module's table.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;
use crate::domain::{AlarmAction, Event, Severity, Timestamp};
use crate::ingest::{Limits, decode};

fn start() -> Timestamp {
    Timestamp::parse("2026-03-02T00:00:00Z").expect("time")
}

fn operator(seed: u64) -> Operator {
    Operator::new(OperatorConfig::standard(seed, start()))
}

fn first_hour() -> i64 {
    start().millis() / 3_600_000
}

#[test]
fn hours_do_not_depend_on_the_order_of_generation() {
    let (mut forward, mut single) = (operator(1), operator(1));
    let hours: Vec<_> = (0..40).map(|h| forward.hour(first_hour() + h)).collect();
    for h in [33, 2, 3, 17] {
        assert_eq!(single.hour(first_hour() + h), hours[h as usize]);
    }
    let mut other = operator(2);
    assert_ne!(other.hour(first_hour() + 12), hours[12]);
    let offsets: Vec<_> = hours.iter().flatten().map(|e| e.offset).collect();
    assert!(offsets.windows(2).all(|o| o[0] < o[1]));
    let last = &hours[39].last().expect("events");
    assert_eq!(SimEvent::hour_of(last.offset), first_hour() + 39);
}

#[test]
fn every_record_is_a_native_event_close_to_its_time() {
    let mut operator = operator(3);
    let mut ids = BTreeSet::new();
    for h in 0..72 {
        let events = operator.hour(first_hour() + h);
        assert!(events.windows(2).all(|e| e[0].append_at <= e[1].append_at));
        for record in events {
            let event = decode(&record.line, None, &Limits::default()).expect("valid");
            assert_eq!(event.kind(), record.kind);
            let delay = record.append_at.since(event.ts()).as_secs();
            assert!(record.append_at >= event.ts() && delay < 180, "{delay}");
            assert!(ids.insert((event.kind() as u8, event.id().to_owned())), "{}", event.id());
        }
    }
}

#[test]
fn tickets_follow_the_true_rates() {
    let mut operator = operator(4);
    let (mut chi, mut terms, mut total) = (0.0, 0u32, 0u64);
    let mut counts: BTreeMap<(String, i64), f64> = BTreeMap::new();
    for h in 0..72 {
        for record in operator.hour(first_hour() + h) {
            if let Ok(Event::Ticket(t)) = decode(&record.line, None, &Limits::default()) {
                *counts.entry((t.series.to_string(), t.ts.secs() / 900)).or_default() += 1.0;
                total += 1;
            }
        }
    }
    let series = operator.series().to_vec();
    // The last quarter's records may arrive in the next hour.
    for quarter in 0..71 * 4 {
        let from = start() + QUARTER * quarter;
        for (key, at) in &series {
            let rate = operator.rate(*at, from).rate;
            let count = counts.get(&(key.to_string(), from.secs() / 900)).copied().unwrap_or(0.0);
            chi += (count - rate).powi(2) / rate.max(0.2);
            terms += 1;
        }
    }
    let ratio = chi / f64::from(terms);
    assert!((0.9..1.1).contains(&ratio), "{ratio}");
    let eight_weeks = total * 56 / 3;
    assert!((400_000..900_000).contains(&eight_weeks), "{eight_weeks}");
}

#[test]
fn harmless_alarms_and_surges_without_alarms_are_as_frequent_as_documented() {
    let mut operator = operator(5);
    let first_day = first_hour() / 24;
    let incidents = operator.incidents(first_day, first_day + 56);
    let count = |kind| incidents.iter().filter(|i| i.kind == kind).count() as f64;
    let surges = count(IncidentKind::Surge);
    assert!(surges / (surges + count(IncidentKind::Outage)) >= 0.2);
    let felt: BTreeSet<_> =
        incidents.iter().filter(|i| i.size > 0.5).map(|i| i.id.clone()).collect();
    let (mut severe, mut harmless) = (0u32, 0u32);
    for h in 0..28 * 24 {
        for record in operator.hour(first_hour() + h) {
            let Ok(Event::Alarm(alarm)) = decode(&record.line, None, &Limits::default()) else {
                continue;
            };
            if alarm.action == AlarmAction::Raise && alarm.severity <= Severity::Major {
                let incident = alarm.alarm_id.rsplit_once('-').expect("numbered").0;
                severe += 1;
                harmless += u32::from(!felt.contains(incident));
            }
        }
    }
    assert!(f64::from(harmless) >= 0.3 * f64::from(severe), "{harmless} of {severe}");
    for outage in incidents.iter().filter(|i| i.kind == IncidentKind::Outage) {
        assert!(outage.felt_from > outage.starts, "alarms first: {outage:?}");
        let zone = operator.config().regions[outage.region].zone;
        let minute = |at| zone.minute_of_week(at) % 1440;
        if minute(outage.starts) < 360 {
            assert!((420..480).contains(&minute(outage.felt_from)), "{outage:?}");
        }
    }
}

#[test]
fn a_scripted_outage_raises_only_its_own_series() {
    let mut config = OperatorConfig::standard(6, start());
    let at = start() + QUARTER * 40;
    config.showcase = vec![at];
    let (mut with, mut without) =
        (Operator::new(config), Operator::new(OperatorConfig::standard(6, start())));
    let felt = at + QUARTER * 4;
    for (key, place) in with.series().to_vec() {
        let (a, b) = (with.rate(place, felt).rate, without.rate(place, felt).rate);
        let hit = key.to_string().starts_with("north/broadband/");
        assert_eq!(a > b * 1.05, hit, "{key}: {a} {b}");
    }
    for calendar in ["cn", "gb"] {
        let region = with.config().regions.iter().find(|r| !r.holidays.is_empty());
        assert!(region.is_some(), "{calendar}");
    }
}

/// Two to five series of calls are those of a large call centre, and the others are small.
#[test]
fn the_demo_has_large_and_small_call_centres() {
    let operator = Operator::new(OperatorConfig::demo(7, start()));
    // A Wednesday, 9:00 to 17:00 in Shanghai.
    let nine = start() + Duration::from_secs(2 * 86_400 + 3600);
    let large = |place: [usize; 3]| {
        let mut by_day = (0..32).map(|n| operator.base_rate(place, nine + QUARTER * n) / 4.0);
        by_day.all(|calls| (100.0..=400.0).contains(&calls))
    };
    let found: Vec<String> =
        operator.series().iter().filter(|s| large(s.1)).map(|s| s.0.to_string()).collect();
    assert_eq!(found, ["north/broadband/phone", "north/mobile/phone", "east/broadband/phone"]);
    let standard = Operator::new(OperatorConfig::standard(7, start()));
    for (series, place) in standard.series().iter().filter(|s| !found.contains(&s.0.to_string())) {
        let rate = |of: &Operator| of.base_rate(*place, nine);
        assert_eq!(rate(&standard), rate(&operator), "{series}");
    }
}

fn family(seed: u64, family: Family) -> Operator {
    let mut config = OperatorConfig::standard(seed, start());
    config.family = family;
    Operator::new(config)
}

#[test]
fn the_true_rate_is_the_sum_of_the_incidents_that_it_includes() {
    let mut operator = operator(3);
    let first = start().millis().div_euclid(86_400_000);
    let mut incidents = operator.incidents(first - 1, first + 21);
    incidents.retain(|one| one.size > 0.0);
    let (mut raised, mut left_out) = (0, 0);
    for (_, place) in operator.series().to_vec() {
        for quarter in 0..20 * 96 {
            let at = start() + super::QUARTER * quarter;
            let near = |one: &&Incident| {
                one.starts < at + super::QUARTER && at < one.starts + super::incident::LONGEST
            };
            let here = incidents.iter().filter(|one| [one.region, one.service] == place[..2]);
            let mut excess = 0.0;
            for one in here.filter(near) {
                let strength = operator.strength(place, one, at);
                let is_included = operator.includes(one, at);
                excess += if is_included { strength } else { 0.0 };
                left_out += u32::from(!is_included && strength > 0.0);
            }
            let sum = excess * operator.unit(place, at);
            let truth = operator.rate(place, at);
            let expected = truth.without_incidents + sum;
            assert!(
                (truth.rate - expected).abs() < 0.01 * expected,
                "{place:?} at {at}: {truth:?}"
            );
            raised += u32::from(sum > 1.0);
        }
    }
    // Planned work that begins on the evening before its day is left out until midnight.
    assert!(raised > 1000 && left_out > 100, "{raised} {left_out}");
}

#[test]
fn families_share_only_ordinary_days() {
    for other in [Family::LongTail, Family::TwoHumps, Family::Rebound] {
        let (mut a, mut b) = (family(7, Family::Exponential), family(7, other));
        // One channel of each service, because not every service has an incident in a week.
        let places: Vec<_> = a.series().iter().step_by(3).take(3).map(|s| s.1).collect();
        let mut differ = 0;
        for quarter in 0..7 * 96 {
            let at = start() + QUARTER * quarter;
            for place in &places {
                let (a, b) = (a.rate(*place, at), b.rate(*place, at));
                assert_eq!(a.without_incidents, b.without_incidents);
                assert!(b.rate.is_finite() && b.rate >= b.without_incidents, "{b:?}");
                differ += u32::from((a.rate - b.rate).abs() > 0.01);
            }
        }
        assert!(differ > 20, "{other}: {differ}");
        assert_eq!(other.as_str().parse(), Ok(other));
    }
    assert!("short".parse::<Family>().is_err());
}

#[test]
fn the_default_familys_bytes_do_not_change() {
    let mut operator = operator(7);
    let lines = (0..48).flat_map(|h| operator.hour(first_hour() + h)).flat_map(|e| e.line);
    let bytes: Vec<u8> = lines.collect();
    assert_eq!(format!("{:x}", xxhash_rust::xxh3::xxh3_64(&bytes)), "540f3ac8b1de53e2");
}

#[test]
fn the_known_rate_grows_to_the_true_rate_and_counts_match_the_log() {
    let mut operator = family(8, Family::LongTail);
    let series = operator.series().to_vec();
    for quarter in (0..5 * 96).step_by(7) {
        let at = start() + QUARTER * quarter;
        for (_, place) in &series[..9] {
            let truth = operator.rate(*place, at);
            let known = |operator: &mut Operator, now| operator.rate_known(*place, at, now).rate;
            let before = known(&mut operator, at - QUARTER * 24);
            let now = known(&mut operator, at);
            let later = known(&mut operator, at + QUARTER * 96);
            assert!(before <= now + 1e-9 && now <= later + 1e-9 && later <= truth.rate + 1e-9);
        }
    }
    let mut counts: BTreeMap<(String, i64), u32> = BTreeMap::new();
    for h in 0..13 {
        for record in operator.hour(first_hour() + h) {
            if let Ok(Event::Ticket(t)) = decode(&record.line, None, &Limits::default()) {
                *counts.entry((t.series.to_string(), t.ts.secs() / 900)).or_default() += 1;
            }
        }
    }
    for (number, (key, _)) in series.iter().enumerate() {
        for quarter in 0..12 * 4 {
            let at = start() + QUARTER * quarter;
            let logged = counts.get(&(key.to_string(), at.secs() / 900)).copied().unwrap_or(0);
            assert_eq!(operator.count(number, at), logged, "{key} {at}");
        }
    }
}

#[test]
fn true_ends_are_uniform_among_the_possible_courses() {
    for by in Family::EVERY {
        let mut operator = family(7, by);
        let first = start().millis().div_euclid(86_400_000);
        let felt = |i: &Incident| i.kind == IncidentKind::Outage && i.size > 0.0;
        let incidents = operator.incidents(first, first + 200).into_iter().filter(felt);
        // Histogram of the share of courses that end sooner.
        let mut tenths = [0.0; 10];
        for truth in incidents.collect::<Vec<_>>() {
            for minutes in [45, 90] {
                let now = truth.starts + Duration::from_secs(60 * minutes);
                let all = operator.courses([truth.region, truth.service], now);
                let courses =
                    all.iter().find(|courses| courses[0].id == truth.id).expect("the incident");
                assert!(
                    courses
                        .iter()
                        .all(|course| Incident { ends: truth.ends, ..course.clone() } == truth)
                );
                let left: Vec<_> = courses.iter().filter(|course| course.ends > now).collect();
                if truth.ends > now && courses.len() > 1 {
                    let sooner = left.iter().filter(|course| course.ends < truth.ends).count();
                    tenths[(sooner * 10 / left.len().max(1)).min(9)] += 1.0;
                }
            }
        }
        let looks: f64 = tenths.iter().sum();
        let mean =
            (0..).zip(tenths).map(|(i, n)| (f64::from(i) + 0.5) / 10.0 * n).sum::<f64>() / looks;
        assert!(looks > 200.0 && (mean - 0.5).abs() < 0.08, "{by}: {mean} {tenths:?}");
        assert!(tenths.iter().all(|n| *n < 0.2 * looks), "{by}: {tenths:?}");
    }
}

#[test]
fn the_oracle_expects_the_actual_number_of_outages() {
    for by in Family::EVERY {
        let mut operator = family(9, by);
        let first = start().millis().div_euclid(86_400_000);
        let severe = |i: &Incident| matches!(i.kind, IncidentKind::Outage | IncidentKind::Harmless);
        let incidents = operator.incidents(first, first + 200).into_iter().filter(severe);
        let (mut felt, mut expected, mut squares) = (0.0, 0.0, 0.0);
        for truth in incidents.collect::<Vec<_>>() {
            let now = truth.first_alarm.expect("alarms") + Duration::from_secs(600);
            let all = operator.possible_incidents([truth.region, truth.service], now);
            let here =
                |found: &&Vec<(f64, Incident)>| found.iter().any(|(_, one)| one.id == truth.id);
            let possible = all.iter().find(here).expect("the incident");
            let sum = |of: &dyn Fn(&Incident) -> bool| -> f64 {
                possible.iter().filter(|(_, one)| of(one)).map(|(weight, _)| weight).sum()
            };
            let probability = sum(&|one| one.size > 0.0) / sum(&|_| true);
            let actual = f64::from(u8::from(truth.size > 0.0));
            (felt, expected, squares) =
                (felt + actual, expected + probability, squares + (actual - probability).powi(2));
        }
        assert!((expected / felt - 1.0).abs() < 0.1, "{by}: {expected:.0} of {felt}");
        // The alarms distinguish most outages from harmless groups.
        assert!(squares < 0.5 * felt, "{by}: {squares:.0} of {felt}");
    }
}
