//! The sightings of each rule, the texts that people read, and the life cycle that all rules have in common.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::alert::book::AlertEffect;
use crate::alert::inputs::AlertInputs;
use crate::alert::memory::{BacklogMemory, SourceMemory};
use crate::alert::{Alert, AlertBook, AlertState, Known, NotificationKind, Route};
use crate::anomaly::{AlarmSummary, Anomaly, AnomalyKind, Detail};
use crate::domain::{SeriesKey, SourceId, Topic, WindowWidth, Zone};
use crate::forecast::{ForecastPoint, Vintage};
use crate::staffing::{Basis, Plan, PlanTarget, Profile};
use crate::text::{Language, Stored, Texts};

const WIDTH: WindowWidth = WindowWidth::QUARTER;

fn at(window: i64) -> Timestamp {
    let first = Timestamp::parse("2026-03-10T06:00:00Z").expect("a time");
    WIDTH.start(WIDTH.index(first) + window)
}

fn scope() -> Scope {
    series().scope()
}

fn series() -> SeriesKey {
    SeriesKey::parse("north/mobile/phone").expect("a series")
}

fn inputs(now: Timestamp) -> RuleInputs<'static> {
    RuleInputs { now, width: Some(WIDTH), ..RuleInputs::default() }
}

fn alarms(raised: u32, days: &[f64]) -> Vec<AlarmActivity> {
    vec![AlarmActivity { scope: scope(), raised, since: at(-2), days: days.to_vec() }]
}

/// A look of one rule with its own limits: the level and whether it is enough.
fn look(rule: &dyn Rule, inputs: &RuleInputs<'_>) -> Option<(f64, bool)> {
    let seen = rule.look(inputs, &rule.defaults());
    assert!(seen.len() <= 1, "{seen:?}");
    seen.first().map(|seen| (seen.level, seen.is_enough))
}

fn vintage(medians: &[f64], baseline: f64) -> Vintage {
    let point = |(step, median): (usize, &f64)| ForecastPoint {
        start: at(step as i64),
        mean: *median,
        quantiles: [0.5, 0.7, 0.9, 1.0, 1.1, 1.3, 1.5].map(|share| share * median),
        baseline,
        level: 1.0,
        alarm_effect: 0.0,
    };
    Vintage {
        series: scope().all_channels(),
        issued_at: at(0),
        targets: medians.iter().enumerate().map(point).collect(),
        members: Vec::new(),
        causes: Vec::new(),
        surges: None,
        fallback: None,
    }
}

fn plan(levels: &[f64], scheduled: Option<u32>) -> Plan {
    let target = |(step, level): (usize, &f64)| PlanTarget {
        start: at(step as i64),
        arrivals: 12.0,
        positions: 6,
        agents: 8,
        agents_low: 7,
        agents_high: 9,
        scheduled,
        gap: 2,
        service_level: *level,
    };
    Plan {
        series: series(),
        issued_at: at(0),
        basis: Stored::Sentence(String::new()),
        targets: levels.iter().enumerate().map(target).collect(),
    }
}

fn anomaly(kind: AnomalyKind, score: f64, actual: f64) -> Anomaly {
    let detail = match kind {
        AnomalyKind::Complaints => {
            let alarms = AlarmSummary::default();
            Detail::Complaints { topics: vec![Topic::Outage, Topic::Slow], alarms }.into()
        }
        AnomalyKind::ShiftUp | AnomalyKind::ShiftDown => {
            Detail::Shift { minutes: 120, windows: 8, same_side: 7 }.into()
        }
        AnomalyKind::Vanished => Detail::Vanished { minutes: 90 }.into(),
        _ => Detail::Outside { low: 8.0, high: 16.0 }.into(),
    };
    Anomaly { series: series(), window: at(-1), kind, score, actual, expected: 11.5, detail }
}

fn source(partition: i32, minutes: u32, usual: Option<u32>) -> SourceState {
    SourceState {
        source: SourceId::new("network.alarms", partition),
        last: at(0) - MINUTE * minutes,
        usual: usual.map(|minutes| MINUTE * minutes),
        windows: 200,
    }
}

fn backlog(recent: &[u32], days: &[f64]) -> Vec<BacklogState> {
    vec![BacklogState { series: series(), recent: recent.to_vec(), days: days.to_vec() }]
}

#[test]
fn a_storm_is_far_above_the_same_hour_of_other_days() {
    let rule = &alarm_storm::AlarmStorm;
    let of = |raised, days: &[f64]| {
        look(rule, &RuleInputs { alarms: alarms(raised, days), ..inputs(at(0)) })
    };
    assert_eq!(of(60, &[5.0, 6.0, 4.0]), Some((12.0, true)));
    assert_eq!(of(60, &[5.0, 900.0, 4.0, 3.0, 5.0]), Some((12.0, true)), "one storm is no habit");
    assert_eq!(of(12, &[0.0, 0.0, 0.0]), Some((12.0, false)), "few alarms are no storm");
    assert_eq!(of(60, &[5.0, 6.0]), None, "what is usual is not known");
}

#[test]
fn a_surge_lasts_half_an_hour_and_is_more_than_a_few_tickets() {
    let rule = &surge_ahead::SurgeAhead;
    let of = |medians: &[f64], baseline| {
        let vintage = vintage(medians, baseline);
        look(rule, &RuleInputs { forecasts: vec![&vintage], ..inputs(at(0)) })
    };
    assert_eq!(of(&[20.0, 60.0, 50.0, 20.0], 20.0), Some((2.5, true)));
    assert_eq!(of(&[20.0, 60.0, 20.0, 20.0], 20.0), Some((1.0, false)), "one window alone");
    assert_eq!(of(&[3.0, 3.0, 3.0], 1.0), Some((3.0, false)), "two tickets more");
    assert_eq!(of(&[1.0, 1.0], 20.0), None, "fewer than usual");
    // A small surge with enough tickets goes before a large ratio with few.
    let mut mixed = vintage(&[4.0, 4.0, 40.0, 40.0], 20.0);
    mixed.targets[..2].iter_mut().for_each(|point| point.baseline = 1.0);
    let seen = look(rule, &RuleInputs { forecasts: vec![&mixed], ..inputs(at(0)) });
    assert_eq!(seen, Some((2.0, true)));
}

#[test]
fn a_missed_target_counts_where_people_are_on_the_roster_for_an_hour() {
    let rule = &sla_at_risk::SlaAtRisk;
    let of = |levels: &[f64], scheduled| {
        let plan = plan(levels, scheduled);
        let plans = vec![ServicePlan { plan: &plan, target: 0.8 }];
        look(rule, &RuleInputs { plans, ..inputs(at(0)) }).map(|(level, _)| level)
    };
    assert_eq!(of(&[0.8, 0.5, 0.4, 0.6, 0.5, 0.9], Some(6)), Some(0.2));
    assert_eq!(of(&[0.8, 0.1, 0.8, 0.8, 0.8, 0.8], Some(6)), Some(0.0), "a quarter of an hour");
    assert_eq!(of(&[0.1; 6], None), Some(0.0), "without a roster");
    assert_eq!(of(&[0.1; 3], Some(6)), None, "shorter than an hour");
}

/// The share of a window's deferred work that is done in it is no share of what is done in time.
#[test]
fn deferred_work_at_risk_is_not_compared_with_its_target() {
    let mut plan = plan(&[0.3; 6], Some(2));
    plan.basis = Basis::of(&Profile::default_of("email").expect("a profile")).into();
    let seen =
        RuleInputs { plans: vec![ServicePlan { plan: &plan, target: 0.9 }], ..inputs(at(0)) };
    let mut book = AlertBook::default();
    let effects = examine(&mut book, &seen);
    let alerts = changed(&effects);
    let said = |language| {
        let texts = Texts::new(language);
        format!("{}\n{}", alerts[0].title(&texts), alerts[0].body(&texts))
    };
    insta::assert_snapshot!(said(Language::En), @r"
    north/mobile (phone): 2 scheduled and 8 needed from 06:00 to keep up with the work
    As of 06:00 (UTC); first seen at 06:00.
    phone: with the roster, work piles up from 06:00 to 07:00: 2 agents are scheduled and 8 needed in the worst window. Unless the team catches up later, more work than usual misses its deadline.
    Action by 06:00: find 2 more agents (phone).
    If you take this on, acknowledge the alert.
    ");
    insta::assert_snapshot!(said(Language::Zh), @r"
    north/mobile（电话）：06:00 起排班 2 名、需要 8 名，工作将积压
    截至 06:00（UTC）；首次发现于 06:00。
    电话：按现有排班，06:00 至 07:00 工作将积压；最差时段已排班 2 名坐席，需要 8 名。如果之后赶不上进度，超出时限的工作将多于平时。
    建议：06:00 前增派 2 名坐席（电话）。
    如由您处理，请确认预警。
    ");
    assert!(!said(Language::En).contains('%') && !said(Language::Zh).contains('%'));
}

#[test]
fn the_worst_anomaly_of_a_scope_counts() {
    let rule = &anomaly_now::AnomalyNow;
    let all = [anomaly(AnomalyKind::High, 4.5, 30.0), anomaly(AnomalyKind::Complaints, 9.0, 40.0)];
    let of = |found: &[Anomaly]| {
        look(rule, &RuleInputs { anomalies: found.iter().collect(), ..inputs(at(0)) })
    };
    assert_eq!(of(&all), Some((9.0, true)));
    assert_eq!(of(&[anomaly(AnomalyKind::High, 9.0, 20.0)]), Some((9.0, false)), "few tickets");
    assert_eq!(of(&[]), None);
    let others =
        [AnomalyKind::AlarmStorm, AnomalyKind::SilentSource, AnomalyKind::ForecastUnreliable];
    for kind in others {
        assert_eq!(of(&[anomaly(kind, 9.0, 40.0)]), None, "another rule has the alert");
    }
}

#[test]
fn silence_is_judged_by_what_is_usual_for_the_source() {
    let rule = &silent_source::SilentSource;
    let of = |sources: Vec<SourceState>| look(rule, &RuleInputs { sources, ..inputs(at(0)) });
    assert_eq!(of(vec![source(0, 90, Some(15))]), Some((6.0, true)));
    assert_eq!(of(vec![source(0, 45, Some(15))]), Some((3.0, false)), "under an hour");
    assert_eq!(of(vec![source(0, 600, Some(480))]), Some((1.25, true)), "it sleeps at night");
    assert_eq!(of(vec![source(0, 600, None)]), None, "it is new");
    // Partitions of a topic are one alert.
    let both = rule.look(
        &RuleInputs {
            sources: vec![
                source(0, 90, Some(15)),
                source(1, 120, Some(15)),
                source(2, 0, Some(15)),
            ],
            ..inputs(at(0))
        },
        &rule.defaults(),
    );
    assert_eq!(both.len(), 1);
    assert!(both[0].facts.contains(&("partitions", Fact::Count(2))), "{both:?}");
}

#[test]
fn a_backlog_has_to_grow_in_every_window() {
    let rule = &backlog_growing::BacklogGrowing;
    let of = |recent: &[u32], days: &[f64]| {
        look(rule, &RuleInputs { backlogs: backlog(recent, days), ..inputs(at(0)) })
    };
    let days = [30.0, 40.0, 50.0];
    assert_eq!(of(&[50, 55, 60, 70, 80], &days), Some((2.0, true)));
    assert_eq!(of(&[50, 55, 55, 70, 80], &days), Some((2.0, false)), "it paused");
    assert_eq!(of(&[60, 70, 80], &days), Some((2.0, false)), "it is not known for long enough");
    assert_eq!(of(&[50, 55, 60, 70, 80], &days[..2]), None, "what is usual is not known");
}

#[test]
fn tickets_that_can_still_be_in_time_are_counted() {
    let rule = &ticket_deadline::TicketDeadline;
    let of = |at_risk, breached| {
        let deadlines = vec![Deadlines { scope: scope(), at_risk, breached }];
        look(rule, &RuleInputs { deadlines, ..inputs(at(0)) })
    };
    assert_eq!(of(3, 1), Some((3.0, true)));
    assert_eq!(of(0, 7), Some((0.0, false)), "nobody can help them");
}

#[test]
fn forecasts_are_judged_by_many_windows() {
    let rule = &forecast_unreliable::ForecastUnreliable;
    let of = |windows, outside| {
        let scores = vec![RecentScores { scope: scope(), windows, outside, since: at(-24) }];
        look(rule, &RuleInputs { scores, ..inputs(at(0)) })
    };
    assert_eq!(of(24, 15), Some((0.625, true)));
    assert_eq!(of(19, 19), Some((1.0, false)));
    assert_eq!(of(0, 0), None);
}

#[test]
fn the_memory_knows_when_a_source_is_usually_silent() {
    let (mut memory, source) = (SourceMemory::default(), SourceId::new("a", 0));
    let mut usual = Vec::new();
    // Twelve hours a day, for four days; then one outage of four hours, at day.
    for window in 0..96 * 6 {
        let (day, hour) = (window / 96, (window % 96) / 4);
        let sends = (8..20).contains(&hour) && !(day == 4 && (10..14).contains(&hour));
        if sends {
            memory.note(&source, at(window));
        }
        memory.advance(at(window + 1), WIDTH, |_| true);
        let state = memory.states(at(window + 1), WIDTH);
        usual.push(state.first().and_then(|state| state.usual));
    }
    assert_eq!(usual[95], None, "after a day");
    assert_eq!(usual[96 * 4], Some(12 * HOUR));
    assert_eq!(usual.last().copied().flatten(), Some(12 * HOUR), "the outage changes nothing");
    // A restart continues, and a source that is gone is forgotten.
    let body = postcard::to_stdvec(&memory).expect("packs");
    let mut again: SourceMemory = postcard::from_bytes(&body).expect("reads");
    assert_eq!(again.states(at(600), WIDTH), memory.states(at(600), WIDTH));
    again.advance(at(600), WIDTH, |_| false);
    assert!(again.states(at(600), WIDTH).is_empty());
}

#[test]
fn the_memory_knows_the_usual_backlog() {
    let (mut memory, series) = (BacklogMemory::default(), series());
    for window in 0..96 * 3 + 1 {
        let open = 10 + (window % 96) as u32;
        memory.advance(at(window), WIDTH, [(&series, open)].into_iter());
    }
    let [state] = memory.states().try_into().expect("one");
    assert_eq!(state.recent.len(), 5);
    assert_eq!(state.days.len(), 3);
    assert!(state.days[1..].iter().all(|most| *most == 105.0), "{:?}", state.days);
    memory.advance(at(400), WIDTH, std::iter::empty());
    assert!(memory.states().is_empty(), "its number is not known any more");
}

/// What all rules see at once, to read their texts.
fn everything<'a>(forecast: &'a Vintage, plan: &'a Plan, anomaly: &'a Anomaly) -> RuleInputs<'a> {
    RuleInputs {
        alarms: alarms(62, &[5.0, 6.5, 4.0]),
        anomalies: vec![anomaly],
        sources: vec![source(0, 90, Some(15))],
        backlogs: backlog(&[50, 55, 60, 70, 80], &[30.0, 40.0, 50.0]),
        deadlines: vec![Deadlines { scope: scope(), at_risk: 3, breached: 1 }],
        forecasts: vec![forecast],
        plans: vec![ServicePlan { plan, target: 0.8 }],
        scores: vec![RecentScores { scope: scope(), windows: 24, outside: 15, since: at(-24) }],
        ..inputs(at(0))
    }
}

fn examine(book: &mut AlertBook, seen: &RuleInputs<'_>) -> Vec<AlertEffect> {
    let zones = BTreeMap::new();
    let facts = AlertInputs {
        needs: Vec::new(),
        alarms: Vec::new(),
        newer: BTreeMap::new(),
        known: Known::new(),
        complaints: Vec::new(),
        width: WIDTH,
        finalized_upto: seen.now,
        lateness: Duration::ZERO,
        zones: &zones,
        zone: Zone::UTC,
        work: &[],
    };
    book.examine(&facts, seen, seen.now)
}

fn changed(effects: &[AlertEffect]) -> Vec<&Alert> {
    let alerts = effects.iter().filter_map(|effect| match effect {
        AlertEffect::Changed(alert) => Some(alert),
        _ => None,
    });
    alerts.collect()
}

#[test]
fn every_rule_says_what_it_found_in_both_languages() {
    let (forecast, plan) = (vintage(&[20.0, 60.0, 50.0, 20.0], 20.0), plan(&[0.5; 6], Some(6)));
    let mut said = String::new();
    let kinds = [
        AnomalyKind::High,
        AnomalyKind::Low,
        AnomalyKind::Complaints,
        AnomalyKind::Phrase,
        AnomalyKind::ShiftUp,
        AnomalyKind::ShiftDown,
        AnomalyKind::Vanished,
    ];
    for kind in kinds {
        let anomaly = anomaly(kind, 9.0, 40.0);
        let mut book = AlertBook::default();
        let effects = examine(&mut book, &everything(&forecast, &plan, &anomaly));
        let mut alerts = changed(&effects);
        assert_eq!(alerts.len(), ALL.len(), "every rule sees something");
        if kind != AnomalyKind::High {
            alerts.retain(|alert| alert.rule == "anomaly_now");
        }
        for alert in alerts {
            let mut over = alert.clone();
            over.state = AlertState::Resolved;
            said.push_str(&format!("{} {}\n", alert.rule, alert.id));
            for texts in Language::ALL.map(Texts::new) {
                let title = alert.title(&texts);
                assert!(title.chars().count() <= 110, "{title}");
                said.push_str(&format!("  {title}\n"));
                for line in alert.body(&texts).lines() {
                    said.push_str(&format!("    {line}\n"));
                }
                said.push_str(&format!("  {}\n    {}\n", over.title(&texts), over.body(&texts)));
            }
        }
    }
    insta::assert_snapshot!(said);
}

/// Limits of the storm for these tests: fires after half an hour and rests for two.
fn storms(pages: bool) -> Arc<RuleSet> {
    let mut rules = RuleSet::default();
    for rule in configurable_rules() {
        let limits = rules.limits_mut(rule).expect("a rule");
        limits.enabled = rule == "alarm_storm";
        (limits.hold, limits.cool_down) = (30 * MINUTE, 2 * HOUR);
    }
    let named = ["alarm_storm".to_owned()];
    Arc::new(rules.paged(named.iter().filter(|_| pages)))
}

/// The state of the storm's alert after each window with so many alarms, where 5 are usual: `.`, `p`ending, `F`iring, `R`esolved.
/// Capitals `P` stand for a page that an alert fires.
fn life(book: &mut AlertBook, from: i64, raised: &[u32]) -> String {
    let mut said = String::new();
    for (step, raised) in raised.iter().enumerate() {
        let seen = RuleInputs {
            alarms: alarms(*raised, &[5.0, 5.0, 5.0]),
            ..inputs(at(from + step as i64))
        };
        let effects = examine(book, &seen);
        let fired = |effect: &AlertEffect| matches!(effect, AlertEffect::Notify(page) if page.kind == NotificationKind::Firing);
        if effects.iter().any(fired) {
            said.push('P');
        }
        said.push(match changed(&effects).first().map(|alert| alert.state) {
            None => '.',
            Some(AlertState::Pending) => 'p',
            Some(AlertState::Firing | AlertState::Acknowledged) => 'F',
            Some(AlertState::Resolved) => 'R',
        });
    }
    said
}

fn book(pages: bool) -> AlertBook {
    AlertBook::default().with_rules(storms(pages))
}

#[test]
fn an_alert_fires_after_its_time_holds_with_hysteresis_and_rests() {
    // 25 alarms begin it, 13 keep it, 12 do not.
    assert_eq!(life(&mut book(true), 0, &[24, 25, 25, 25, 25]), ".ppPFF");
    assert_eq!(
        life(&mut book(true), 0, &[25, 25, 24, 25, 25, 25]),
        "ppRppPF",
        "not for long enough"
    );
    let wave = [25, 25, 25, 13, 24, 13, 12, 12, 12, 13, 12, 12, 12, 12, 12];
    assert_eq!(life(&mut book(true), 0, &wave), "ppPFFFFFFFFFFFR.");
    let again = [&[25, 25, 25][..], &[0; 4], &[25; 9]].concat();
    assert_eq!(life(&mut book(true), 0, &again), "ppPFFFFRpppppppPFF", "it rests for two hours");
    assert_eq!(life(&mut book(false), 0, &[25, 25, 25]), "ppF", "a rule that nobody names");
}

#[test]
fn a_restart_pages_once_and_keeps_the_rest() {
    let restart = |book: &AlertBook, ended: &[Alert]| {
        let open = book.open().cloned().collect();
        AlertBook::restore(open).with_rules(storms(true)).after(ended.iter().cloned())
    };
    let mut before = book(true);
    assert_eq!(life(&mut before, 0, &[25, 25, 25]), "ppPF");
    let mut after = restart(&before, &[]);
    assert_eq!(life(&mut after, 3, &[25, 25]), "FF");
    let effects = [0, 0, 0, 0].map(|raised| {
        let at = after.open().map(|alert| alert.updated_at).next().expect("open") + WIDTH.length();
        let alarms = alarms(raised, &[5.0, 5.0, 5.0]);
        examine(&mut after, &RuleInputs { alarms, ..inputs(at) })
    });
    let over: Vec<Alert> = changed(&effects[3]).into_iter().cloned().collect();
    assert_eq!(over[0].state, AlertState::Resolved);
    let mut again = restart(&after, &over);
    assert_eq!(life(&mut again, 9, &[25; 8]), life(&mut after, 9, &[25; 8]));
}

/// Agents are missing in the same scope: the storm's page waits, and is sent if the storm lasts longer.
#[test]
fn a_lack_of_agents_inhibits_the_others() {
    let short = crate::alert::tests::firing(at(0), at(40));
    let short = Alert { scope: scope(), ..short };
    let mut book = AlertBook::restore(vec![short.clone()]).with_rules(storms(true));
    assert_eq!(life(&mut book, 0, &[25, 25, 25, 25]), "ppFF");
    let storm = book.open().find(|alert| alert.rule == "alarm_storm").expect("open").clone();
    let found = storm.finding.as_deref().expect("a finding");
    assert_eq!(found.inhibited_by.as_deref(), Some(short.id.as_str()));
    assert!(storm.body(&Texts::new(Language::En)).contains(&short.id));
    assert_eq!(book.releases(at(4)), [""; 0]);
    let mut alone = AlertBook::restore(vec![storm.clone()]).with_rules(storms(true));
    assert_eq!(alone.releases(at(4)), [storm.id.as_str()]);
    let (_, page) = alone.release(&storm.id, at(4)).expect("open");
    assert_eq!(page.expect("a page").kind, NotificationKind::Firing);
}

/// An alert whose newest window no longer shows what it was about asks for nothing, and its title says so.
#[test]
fn an_alert_that_eased_asks_for_no_action() {
    let texts = Texts::new(Language::En);
    let mut book = book(true);
    life(&mut book, 0, &[25, 25, 25]);
    let storm = book.open().next().expect("open");
    assert!(storm.body(&texts).contains("Action now"), "{}", storm.body(&texts));
    life(&mut book, 3, &[0]);
    let storm = book.open().next().expect("still open");
    assert_eq!(storm.title(&texts), "north/mobile: eased (alarm storm)");
    assert!(!storm.body(&texts).contains("Action"), "{}", storm.body(&texts));
}

#[test]
fn receivers_get_what_they_name() {
    let mut book = book(true);
    life(&mut book, 0, &[25, 25, 25]);
    let storm = book.open().next().expect("open");
    let named = Route { rules: ["alarm_storm".to_owned()].into(), ..Route::default() };
    assert!(named.takes_alert(storm) && !Route::default().takes_alert(storm));
    let short = crate::alert::tests::firing(at(0), at(4));
    assert!(!named.takes_alert(&short) && Route::default().takes_alert(&short));
}

#[test]
fn feedback_moves_the_threshold_of_its_rule_alone() {
    let mut book = book(true);
    life(&mut book, 0, &[25, 25, 25]);
    let storm = book.open().next().expect("open").id.clone();
    book.judge(&storm, "not useful", None).expect("stored");
    assert_eq!(life(&mut book, 3, &[0; 4]), "FFFR");
    assert_eq!(life(&mut book, 30, &[25, 27, 28]), "..p", "a tenth more than 25");
}

proptest! {
    /// Whatever comes: an alert fires only after `for` at the threshold, ends only after four windows below the lower limit, and there is
    /// one page for each alert that fires.
    #[test]
    fn no_sequence_makes_it_flap(raised in prop::collection::vec(0u32..40, 1..120)) {
        let mut book = book(true);
        let said = life(&mut book, 0, &raised);
        let states: Vec<char> = said.chars().filter(|c| *c != 'P').collect();
        prop_assert_eq!(states.len(), raised.len());
        let pages = said.matches('P').count();
        let mut fires = 0;
        for (step, state) in states.iter().enumerate() {
            let before = step.checked_sub(1).map_or('.', |before| states[before]);
            if *state == 'F' && before != 'F' {
                fires += 1;
                prop_assert!(step >= 2 && raised[step - 2..=step].iter().all(|n| *n >= 25));
            }
            if *state == 'R' && before == 'F' {
                prop_assert!(raised[step - 3..=step].iter().all(|n| *n < 13), "{}", said);
            }
        }
        prop_assert_eq!(pages, fires);
    }

    /// A restart in any window changes nothing.
    #[test]
    fn a_restart_changes_no_life(raised in prop::collection::vec(0u32..40, 2..60), cut in 0usize..60) {
        let cut = cut % raised.len();
        let whole = life(&mut book(true), 0, &raised);
        let mut first = book(true);
        let mut said = life(&mut first, 0, &raised[..cut]);
        let rests = first.rests.clone();
        let mut second = AlertBook::restore(first.open().cloned().collect()).with_rules(storms(true));
        second.rests = rests;
        said.push_str(&life(&mut second, cut as i64, &raised[cut..]));
        prop_assert_eq!(said, whole);
    }
}

#[test]
fn defaults_hold_what_they_promise() {
    for rule in ALL {
        let limits = rule.defaults();
        assert!(limits.enabled && limits.clear_below < limits.threshold, "{}", rule.name());
        assert!(limits.severity < AlertSeverity::Critical, "{}", rule.name());
        assert!(!pages_by_default(rule.name()) && pages_by_default(UNDERSTAFFED));
        // Feedback moves a threshold by a sixth at most: the alert still ends below it.
        let tuned = limits.tuned(crate::alert::limit_factor(-9));
        assert!(tuned.clear_below <= tuned.threshold, "{}", rule.name());
    }
}
