//! A small store with rows of every kind and every form of body. [`fill`] writes it, [`check`] reads it.
//!
//! It has two windows of history, one open window, two forecasts, adjustments, alerts and people's entries.

use std::sync::Arc;

use super::*;
use crate::alert::{
    Fact, Finding, Held, HoldReason, NeedStep, Notes, Paging, Part, RuleMemory, Shortfall, Silence,
    Silenced,
};
use crate::anomaly::Detail;
use crate::domain::{
    LifeStep, Priority, Sentiment, TicketFacts, TicketMessage, TicketNews, TicketStep, Topic,
};
use crate::forecast::surge::{Surges, Threshold};
use crate::forecast::{Adjustment, AdjustmentAmount, AdjustmentKind, Cause, Nowcast};
use crate::staffing::{
    AdviceReason, Kind, Outcome, PlanTarget, Recommendation, RecommendationState, Uncovered,
};
use crate::tickets::{
    Assessment, Clock, ClockCounts, ClockState, Compliance, Customer, PriorityReason,
};
use crate::window::{
    ActiveAlarm, AlarmTypes, Attained, Backlog, BacklogFlow, BacklogWindow, Mean, ServedBy,
    ServiceGoal, ServiceTimes, Ticket, Total, Waits,
};

/// Writes every sample into an empty store.
pub(super) fn fill(store: &mut Store) {
    put(store, windows);
    put(store, forecasts);
    put(store, scores);
    put(store, events);
    put(store, people);
    put(store, state);
}

/// Reads every sample and compares it with the one that [`fill`] writes.
pub(super) fn check(reader: &Reader) {
    check_windows(reader);
    check_forecasts(reader);
    check_scores(reader);
    check_events(reader);
    check_people(reader);
    check_state(reader);
}

pub(super) fn source() -> SourceRecord {
    SourceRecord {
        source: SourceId::new("support.tickets", 3),
        closed: at(0),
        decided_upto: 41,
        resume_at: 17,
        caught_up_at: Some(at(7)),
        reported_at: at(5),
        beside: Default::default(),
    }
}

pub(super) fn all_counts() -> Counts {
    Counts {
        tickets: 700,
        raised: [1, 2, 3, 4, 5],
        cleared: 6,
        other: 7,
        duplicates: 8,
        topics: [9, 0, 0, 0, 1, 300],
    }
}

fn alarm_key() -> AggregationKey {
    AggregationKey::Alarms(scope())
}

fn phrase_key() -> AggregationKey {
    AggregationKey::Phrase(scope(), "login error".into())
}

pub(super) fn stored_windows() -> Vec<(AggregationKey, Timestamp, WindowRecord)> {
    let all = WindowRecord {
        counts: all_counts(),
        active: 12,
        settled: true,
        revised: true,
        missing: false,
        restored: None,
    };
    let missing = WindowRecord { settled: true, missing: true, ..WindowRecord::default() };
    vec![
        (phone(), at(0), finalized(7)),
        (phone(), at(HOUR), all),
        (phone(), at(DAY), missing),
        (alarm_key(), at(0), WindowRecord { active: 3, ..finalized(0) }),
        (AggregationKey::Maintenance, at(0), finalized(0)),
        (phrase_key(), at(0), finalized(2)),
    ]
}

fn partials() -> Vec<PartialRecord> {
    let partial = |key, counts, upto| PartialRecord {
        window: at(DAY + HOUR),
        key,
        source: source().source,
        counts,
        upto,
    };
    let no_topics = Counts { topics: [0; crate::domain::TOPICS], ..all_counts() };
    vec![partial(phone(), all_counts(), 41), partial(alarm_key(), no_topics, 40)]
}

fn windows(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.put_source(&source())?;
    tx.put_windows(&stored_windows())?;
    tx.put_partials(&partials())
}

fn check_windows(reader: &Reader) {
    assert_eq!(reader.sources().expect("reads"), [source()]);
    assert_eq!(reader.partials().expect("reads"), partials());
    for (key, start, record) in stored_windows() {
        let found = reader.windows(&key, start, start + Duration::from_secs(1)).expect("reads");
        assert_eq!(found, [(start, record)], "{key}");
    }
}

/// A vintage with whole quantiles, causes, surges and a reason for the fallback.
pub(super) fn rich_vintage() -> Vintage {
    let mut vintage = Vintage {
        causes: vec![Cause { what: "linkDown".into(), tickets: 12.5 }],
        surges: Some(Surges {
            high: vec![60.25; 3],
            probabilities: vec![0.25, 1.0, 0.0],
            any: 0.5,
            warns: true,
        }),
        fallback: Some(sentence("less than a week")),
        ..vintage(HOUR)
    };
    vintage.targets.truncate(3);
    vintage.targets.iter_mut().for_each(|t| t.quantiles = t.quantiles.map(f64::round));
    vintage
}

fn other_series() -> Vintage {
    Vintage { series: series("chat"), ..rich_vintage() }
}

pub(super) fn adjusted() -> Vintage {
    let mut vintage = rich_vintage();
    vintage.targets[1].mean = 99.0;
    vintage
}

fn nowcast() -> Nowcast {
    let vintage = Vintage { issued_at: at(HOUR + 300_000), ..rich_vintage() };
    Nowcast { vintage, reason: sentence("3 severe alarms"), after: at(HOUR) }
}

pub(super) fn plan_target() -> PlanTarget {
    PlanTarget {
        start: at(HOUR),
        arrivals: 9.5,
        positions: 3,
        agents: 5,
        agents_low: 4,
        agents_high: 6,
        scheduled: Some(2),
        gap: 3,
        service_level: 0.75,
    }
}

pub(super) fn plan() -> Plan {
    let none = PlanTarget { start: at(2 * HOUR), scheduled: None, gap: -1, ..plan_target() };
    Plan {
        series: series("phone"),
        issued_at: at(HOUR),
        basis: sentence("300 s, 80/20, 30 % shrinkage"),
        targets: vec![plan_target(), none],
    }
}

pub(super) fn outlook(channel: &str) -> Outlook {
    Outlook {
        series: series(channel),
        issued_at: at(HOUR),
        peak: 31.5,
        peak_at: at(2 * HOUR),
        over_baseline: 1.25,
        gap_max: Some(3),
        gap_at: Some(at(HOUR)),
        minutes_to_breach: Some(45),
    }
}

pub(super) fn adjustments() -> [Adjustment; 2] {
    let factor = Adjustment {
        id: "a".into(),
        label: "billing run".into(),
        kind: AdjustmentKind::Billing,
        region: None,
        service: Some(Name::new("mobile").expect("a name")),
        channel: None,
        starts_at: at(0),
        ends_at: at(HOUR),
        amount: AdjustmentAmount::Factor(1.5),
        by: "Li".into(),
        note: Some("March".into()),
        entered_at: at(0),
    };
    let count = Adjustment {
        id: "b".into(),
        kind: AdjustmentKind::Other,
        amount: AdjustmentAmount::TicketsPerWindow(80.0),
        note: None,
        starts_at: at(HOUR),
        ends_at: at(DAY),
        ..factor.clone()
    };
    [factor, count]
}

fn forecasts(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    for vintage in [vintage(0), rich_vintage(), other_series()] {
        tx.put_vintage(&vintage)?;
    }
    tx.put_adjusted(&adjusted())?;
    tx.put_nowcast(&nowcast())?;
    tx.put_plan(Some(&plan()), &outlook("phone"))?;
    tx.put_plan(None, &outlook("chat"))?;
    adjustments().iter().try_for_each(|adjustment| tx.put_adjustment(adjustment))
}

fn check_forecasts(reader: &Reader) {
    let key = series("phone");
    let both = reader.vintages_between(at(0), at(DAY)).expect("reads");
    assert_eq!(both, [vintage(0), rich_vintage(), other_series()]);
    assert_eq!(reader.vintage(&key, Some(at(0))).expect("reads"), Some(vintage(0)));
    assert_eq!(reader.adjusted_since(at(0)).expect("reads"), [adjusted()]);
    assert_eq!(reader.nowcasts(at(0), at(DAY)).expect("reads"), [nowcast()]);
    assert_eq!(reader.plan(&key).expect("reads"), Some(plan()));
    assert_eq!(reader.plan(&series("chat")).expect("reads"), None);
    let outlooks = reader.outlooks(&Filter::default()).expect("reads");
    assert_eq!(outlooks, [outlook("chat"), outlook("phone")]);
    assert_eq!(reader.staffed(at(HOUR)).expect("reads"), [(key, plan_target())]);
    assert_eq!(reader.adjustments(at(0), at(DAY)).expect("reads"), adjustments());
}

pub(super) fn score(n: u32) -> Score {
    Score {
        n,
        actual: 20.5,
        absolute: 3.25,
        bias: -1.5,
        naive_absolute: 4.125,
        naive_actual: 20.5,
        pinball: 7.75,
        by_quantile: [0.5, 1.0, 1.5, 2.0, 1.5, 0.75, 0.5],
        by_quantile_actual: 20.5,
        inside80: 4,
        inside95: 5,
        floor: 2.375,
        scaled: 0.875,
        scaled_n: 3,
    }
}

pub(super) fn by_lead() -> ByLead {
    ByLead::from([(60, score(5)), (180, score(6))])
}

fn surge() -> Surge {
    Surge {
        series: series("phone"),
        lead_hours: 3,
        start: at(HOUR),
        upto: at(2 * HOUR),
        hit: true,
        alarmed: true,
        warned_minutes: Some(150),
    }
}

fn warning() -> Warning {
    Warning { series: series("phone"), lead_hours: 3, first: at(0), upto: at(HOUR), good: true }
}

fn scores(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let key = series("phone");
    tx.put_scores(&key, at(0), &by_lead())?;
    let adjusted = AdjustedScore { adjusted: score(3), model: score(4) };
    tx.put_adjusted_scores(&key, at(0), [(60, adjusted)].into_iter())?;
    let nowcast = NowcastScore { nowcast: score(1), scheduled: score(2) };
    tx.put_nowcast_score(&key, at(0), &nowcast)?;
    tx.put_surge(&surge())?;
    tx.put_warning(&warning())
}

fn check_scores(reader: &Reader) {
    let (key, all, ever) = (series("phone"), Filter::default(), (at(0), at(DAY)));
    assert_eq!(reader.scores_on(at(0)).expect("reads"), [(key.clone(), by_lead())]);
    let adjusted = AdjustedScore { adjusted: score(3), model: score(4) };
    let found = reader.adjusted_scores(&key, at(0), at(DAY)).expect("reads");
    assert_eq!(found, [(at(0), 60, adjusted)]);
    let nowcast = NowcastScore { nowcast: score(1), scheduled: score(2) };
    assert_eq!(reader.nowcast_score(&key, at(0), at(DAY)).expect("reads"), nowcast);
    assert_eq!(reader.surges(&all, ever, at(0)).expect("reads"), [surge()]);
    assert_eq!(reader.warnings(&all, ever, at(0)).expect("reads"), [warning()]);
}

pub(super) fn transitions() -> Vec<(Position, AlarmEvent)> {
    let full = AlarmEvent {
        severity: Severity::Critical,
        device: Some("OLT-1".into()),
        alarm_type: Some("linkDown".into()),
        text: Some("no light".into()),
        ..alarm("a1", AlarmAction::Raise, 0)
    };
    vec![
        (position(1), full),
        (position(2), alarm("a2", AlarmAction::Raise, 1)),
        (position(3), alarm("a2", AlarmAction::Clear, 2)),
    ]
}

pub(super) fn rebuilt() -> ListRebuilt {
    ListRebuilt { ts: at(3), system: Some("OMC-1".into()), object: None }
}

pub(super) fn ticket_messages() -> [TicketMessage; 2] {
    let step = TicketStep {
        ticket_id: "T-1".into(),
        step: LifeStep::Resolved,
        opened_at: Some(at(1)),
        handled_seconds: Some(300),
    };
    let of = |ms, news| TicketMessage { ts: at(ms), series: series("phone"), news, facts: None };
    [of(3, TicketNews::Step(step)), of(4, TicketNews::Snapshot { open: 40 })]
}

pub(super) fn ticket_with_facts() -> TicketMessage {
    let [step, _] = ticket_messages();
    let facts = TicketFacts {
        priority: Some("High".into()),
        tier: Some("gold".into()),
        topic: Some(Topic::Slow),
        sentiment: Some(Sentiment::Negative),
        customer: Some("C-1".into()),
    };
    TicketMessage { facts: Some(Box::new(facts)), ..step }
}

pub(super) fn assessment() -> Assessment {
    let clock = |state| Clock { warn_at: at(8), due_at: at(9), state };
    Assessment {
        series: series("phone"),
        opened_at: at(1),
        monday: 20_700,
        is_open: true,
        priority: Priority::P2,
        reason: PriorityReason::Rule {
            class: Some(Topic::Outage),
            sentiment: Some(Sentiment::Negative),
            critical_alarm: true,
            tier: Some("gold".into()),
            channel: Some("phone".into()),
            service: None,
        },
        class: Some(Topic::Outage),
        sentiment: Some(Sentiment::Negative),
        customer: Some("C-1".into()),
        duplicate_of: Some("T-0".into()),
        sla: Some("urgent".into()),
        first_response: Some(clock(ClockState::Met)),
        resolution: Some(clock(ClockState::AtRisk)),
    }
}

pub(super) fn compliance() -> Compliance {
    let first_response = ClockCounts { running: 1, at_risk: 2, met: 3, breached: 4 };
    let resolution = ClockCounts { running: 5, at_risk: 6, met: 7, breached: 8 };
    Compliance { first_response, resolution, tickets: 9, duplicates: 1 }
}

pub(super) fn customer() -> Customer {
    Customer {
        series: series("phone"),
        tickets: 4,
        open: 3,
        duplicates: 2,
        breached: 1,
        negative: 1,
        priority: Priority::P1,
        first_at: at(1),
        last_at: at(9),
        class: Some(Topic::Billing),
        ticket_ids: vec!["T-2".into(), "T-1".into()],
        within_seconds: 604_800,
        are_several: true,
    }
}

pub(super) fn ticket() -> Ticket {
    Ticket {
        series: series("phone"),
        newest: (at(5), LifeStep::Reopened),
        seen_at: at(2),
        heard_at: at(6),
        opened_at: Some(at(1)),
        is_open: true,
        is_answered: false,
        was_unknown: true,
        service: ServiceTimes::default(),
    }
}

pub(super) fn judged_ticket() -> Ticket {
    let service = ServiceTimes {
        is_counted: true,
        answered_at: Some(at(3)),
        ended_at: Some(at(5)),
        abandoned_at: None,
    };
    Ticket { service, ..ticket() }
}

pub(super) fn backlog() -> Backlog {
    Backlog {
        open: 40,
        known: 3,
        oldest: Some(at(1)),
        since: at(0),
        anchored_at: Some(at(4)),
        resolved_at: Some(at(3)),
        first_response: Mean { weight: 2.0, seconds: 90.0 },
        handling: Mean { weight: 1.5, seconds: 450.0 },
        handling_by_hour: Vec::new(),
    }
}

pub(super) fn backlog_by_hour() -> Backlog {
    Backlog { handling_by_hour: vec![Mean { weight: 1.5, seconds: 450.0 }], ..backlog() }
}

pub(super) fn attained() -> Attained {
    let mut attained = Attained {
        offered: 5,
        answered: 3,
        abandoned: 1,
        targeted: 5,
        in_time: 2,
        waits: Waits::default(),
        goal: Some(ServiceGoal { by: ServedBy::Answer, within_seconds: 20 }),
    };
    [15, 15, 200].into_iter().for_each(|wait| attained.waits.add(wait));
    attained
}

pub(super) fn alarm_types() -> AlarmTypes {
    let alarm = ActiveAlarm {
        alarm_id: "A-1".into(),
        scope: Arc::new(series("phone").scope()),
        severity: Severity::Major,
        raised_at: at(1),
        changed_at: at(1),
        device: None,
        alarm_type: Some("LOS".into()),
        flaps: 0,
        is_doubtful: false,
    };
    let mut types = AlarmTypes::default();
    types.began(Scope::clone(&alarm.scope), &alarm);
    types.add_active(Scope::clone(&alarm.scope), &alarm);
    types
}

pub(super) fn backlog_window() -> BacklogWindow {
    let flow = BacklogFlow {
        opened: 5,
        resolved: 4,
        reopened: 1,
        first_response: Total { count: 2, seconds: 90 },
        handled: Total { count: 3, seconds: 900 },
    };
    BacklogWindow { flow, open: 40 }
}

pub(super) fn work() -> MaintenanceEvent {
    MaintenanceEvent {
        event_id: "m1".into(),
        action: MaintenanceAction::Plan,
        ts: at(4),
        starts_at: at(HOUR),
        ends_at: at(2 * HOUR),
        region: Some(Name::new("north").expect("a name")),
        service: None,
        impact: Some("degraded".into()),
        text: Some("splicing".into()),
    }
}

fn letters() -> Vec<DeadLetter> {
    let letters = Reason::EVERY.iter().zip(10..).map(|(reason, offset)| letter(offset, *reason));
    letters.collect()
}

fn events(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    for (position, event) in transitions() {
        tx.put_alarm(&position, &event)?;
    }
    tx.put_rebuilt(&position(4), &rebuilt())?;
    tx.put_maintenance(&position(5), &work())?;
    for letter in letters() {
        tx.put_dead_letter(&letter, Some((&phone(), at(0))))?;
    }
    Ok(())
}

fn check_events(reader: &Reader) {
    assert_eq!(reader.alarm_transitions(at(0), at(DAY)).expect("reads"), transitions());
    let active = reader.active_alarms(&Filter::default(), at(DAY), 9).expect("reads");
    let active: Vec<_> = active.into_iter().map(|alarm| (alarm.event, alarm.raised_at)).collect();
    assert_eq!(active, [(transitions()[0].1.clone(), at(0))]);
    assert_eq!(reader.rebuilt_lists(at(0)).expect("reads"), [(position(4), rebuilt())]);
    assert_eq!(reader.maintenance(at(0), at(DAY)).expect("reads"), [work()]);
    let mut found = reader.dead_letters(None, 9, None).expect("reads");
    found.reverse();
    assert_eq!(found.into_iter().map(|row| row.1).collect::<Vec<_>>(), letters());
    let late = reader.series_windows(&series("phone"), at(0), at(1)).expect("reads");
    assert_eq!(late.into_iter().map(|window| window.late).collect::<Vec<_>>(), [1]);
}

pub(super) fn anomalies() -> Vec<Anomaly> {
    let kinds = [AnomalyKind::High, AnomalyKind::Low, AnomalyKind::Complaints, AnomalyKind::Phrase];
    let anomaly = |kind| Anomaly {
        series: series("phone"),
        window: at(HOUR),
        kind,
        score: 6.5,
        actual: 80.0,
        expected: 20.25,
        detail: sentence("four times the forecast"),
    };
    kinds.map(anomaly).into()
}

/// An anomaly of a kind that was added later, with a typed text.
pub(super) fn vanished() -> Anomaly {
    Anomaly {
        kind: AnomalyKind::Vanished,
        actual: 0.0,
        detail: Detail::Vanished { minutes: 90 }.into(),
        ..anomalies().remove(0)
    }
}

fn shortfall() -> Shortfall {
    Shortfall {
        series: series("phone"),
        at: at(HOUR),
        arrivals: 31.5,
        arrivals_low: 22.0,
        arrivals_high: 41.25,
        agents: 9,
        scheduled: 5,
        gap: 4,
        rostered: true,
    }
}

/// A silence that someone ended early.
pub(super) fn silence() -> Silence {
    Silence {
        id: "silence.1".into(),
        rule: Some("understaffed".into()),
        region: Some(Name::new("north").expect("a name")),
        service: None,
        starts_at: at(0),
        ends_at: at(HOUR),
        critical: true,
        comment: Some("stadium concert".into()),
        by: "Li Wei".into(),
        entered_at: at(0),
        ended_by: Some("Wang Fang".into()),
    }
}

/// The notes of an alert, with all fields set.
pub(super) fn notes(step: NeedStep) -> Notes {
    Notes {
        left_over: vec![Name::new("phone").expect("a name")],
        below_limits: vec![step],
        incident_below_limits: Vec::new(),
        complaints_upto: Some(at(5)),
    }
}

/// The paging of an alert that is silenced, whose page is held back, and that leads an incident.
pub(super) fn paging(step: NeedStep) -> Paging {
    Paging {
        silenced: Some(Silenced::from(&silence())),
        held: Some(Held {
            reason: HoldReason::QuietHours,
            until: Some(at(HOUR)),
            kind: NotificationKind::Escalated,
            pages: 2,
            since: at(0),
            last: at(HOUR),
            total: 9,
        }),
        incident: Some("a1".into()),
        total: 7,
        others: vec![Part {
            scope: scope(),
            severity: AlertSeverity::Critical,
            to: at(HOUR),
            need: vec![step],
            because: vec![sentence("12 alarms")],
        }],
        planned_until: Some(at(HOUR)),
        tuning: -2,
    }
}

/// The finding of the rule of silent sources.
pub(super) fn finding() -> Finding {
    let fact = |name: &str, fact| (name.to_owned(), fact);
    Finding {
        label: Some("network.alarms".into()),
        level: 6.5,
        threshold: 3.0,
        peak: 7.25,
        variant: Some("high".into()),
        facts: vec![
            fact("minutes", Fact::Count(90)),
            fact("usual", Fact::Number(15.5)),
            fact("share", Fact::Share(0.25)),
            fact("since", Fact::At(at(HOUR))),
            fact("source", Fact::Text("network.alarms".into())),
            fact("channel", Fact::Channel("phone".into())),
        ],
        is_over: true,
        inhibited_by: Some("a1".into()),
    }
}

/// History of the rules: a source with a silence between its windows, and a backlog.
pub(super) fn rule_memory() -> RuleMemory {
    let (mut memory, source) = (RuleMemory::default(), SourceId::new("network.alarms", 1));
    let quarter = WindowWidth::QUARTER;
    for window in [0, 1, 5] {
        memory.sources.note(&source, at(0) + quarter.length() * window);
    }
    memory.sources.advance(at(2 * HOUR), quarter, |_| true);
    let series = SeriesKey::parse("north/mobile/phone").expect("a series");
    for (hours, open) in [(0, 7), (24, 9), (25, 8)] {
        memory.backlogs.advance(at(hours * HOUR), quarter, [(&series, open)].into_iter());
    }
    memory
}

/// One alert of each state, newest last.
pub(super) fn alerts() -> Vec<Alert> {
    let because = vec![sentence("12 alarms")];
    let worst = Worst { agents_short: 9, shortfalls: vec![shortfall()], because };
    let full = Alert {
        severity: AlertSeverity::Critical,
        ended_at: Some(at(3 * HOUR)),
        shortfalls: vec![shortfall()],
        acknowledged_by: Some("Li Wei".into()),
        acknowledged_at: Some(at(HOUR)),
        worst: Some(worst),
        feedback: Some("useful".into()),
        notified_at: Some(at(0)),
        ..alert("a4", 4, AlertState::Resolved)
    };
    vec![
        alert("a1", 1, AlertState::Pending),
        alert("a2", 2, AlertState::Firing),
        alert("a3", 3, AlertState::Acknowledged),
        full,
    ]
}

pub(super) fn notices() -> Vec<(Notification, DeliveryState)> {
    // The outbox stores neither of these two fields.
    let bare = |alert: Alert| Alert { acknowledged_at: None, worst: None, ..alert };
    let [_, firing, taken, over] = alerts().try_into().expect("four");
    let notice = |kind, alert: Alert| Notification {
        id: format!("{}.1", alert.id),
        kind,
        alert: bare(alert),
        report: None,
    };
    vec![
        (notice(NotificationKind::Firing, firing), DeliveryState::Pending),
        (notice(NotificationKind::Escalated, taken), DeliveryState::Delivered),
        (notice(NotificationKind::Resolved, over), DeliveryState::Dead),
    ]
}

pub(super) fn recommendation() -> Recommendation {
    Recommendation {
        id: "move.mobile.calls.1".into(),
        kind: Kind::Move,
        state: RecommendationState::Accepted,
        team: "calls".into(),
        source: Some("mobile".into()),
        series: vec![series("phone")],
        zone: Zone::UTC,
        from: at(HOUR),
        to: at(3 * HOUR),
        agents: 4,
        confidence: 0.75,
        level_with: 0.8125,
        level_without: 0.5,
        cost: 40.0,
        deflection: Some((0.125, 0.25)),
        arrivals: 120.5,
        why: AdviceReason::Short { at: at(HOUR), needed: 14, scheduled: 10 },
        issued_at: at(0),
        updated_at: at(1),
        changed_at: at(0),
        changes: 1,
        grew: true,
        idle_since: None,
        differs_since: Some(at(0)),
        answered_by: Some("Li Wei".into()),
        answered_at: Some(at(1)),
        in_roster: false,
        in_source_roster: true,
        outcome: Some(Outcome {
            arrivals: 130.0,
            expected_arrivals: 120.5,
            level_with: 0.75,
            level_without: 0.5,
            deflected: None,
        }),
    }
}

pub(super) fn uncovered() -> Vec<Uncovered> {
    let (from, to) = (at(HOUR), at(2 * HOUR));
    vec![Uncovered { team: "calls".into(), series: vec![series("phone")], from, to, agents: 3 }]
}

fn shift() -> Shift {
    Shift { series: series("phone"), start: at(0), end: at(8 * HOUR), agents: 5 }
}

fn people(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    anomalies().iter().try_for_each(|anomaly| tx.put_anomaly(anomaly))?;
    alerts().iter().try_for_each(|alert| tx.put_alert(alert))?;
    for (notice, state) in notices() {
        tx.put_notification(&notice, &["mail"], at(5))?;
        let outcome = match state {
            DeliveryState::Pending => continue,
            DeliveryState::Delivered => DeliveryOutcome::Delivered { at: at(6) },
            DeliveryState::Dead => DeliveryOutcome::Dead { at: at(6), error: "gone".into() },
        };
        tx.mark_delivery(&notice.id, "mail", &outcome)?;
    }
    tx.put_shifts(&[shift()])
}

fn check_people(reader: &Reader) {
    let every = Filter::default();
    let mut found = reader.anomalies(&every, at(0), at(DAY), 9, None).expect("reads");
    found.reverse();
    assert_eq!(found.into_iter().map(|row| row.1).collect::<Vec<_>>(), anomalies());
    let mut found = reader.alerts(&every, false, 9, None).expect("reads");
    found.reverse();
    assert_eq!(found, alerts());
    let open = reader.alerts(&every, true, 9, None).expect("reads");
    assert_eq!(open.len(), 3);
    let mut found = reader.outbox(None, None, 9, None).expect("reads");
    found.reverse();
    let found: Vec<_> = found.into_iter().map(|(_, row)| (row.notice, row.state)).collect();
    assert_eq!(found, notices());
    assert_eq!(reader.shifts(&every, at(0), at(DAY)).expect("reads"), [shift()]);
    let kinds = reader.changes(0, 99).expect("reads").into_iter().map(|(_, change)| change);
    let kinds: BTreeSet<_> = kinds.collect();
    for change in [
        Change::Window(at(0)),
        Change::Issue(at(HOUR)),
        Change::Anomalies(at(HOUR)),
        Change::Alert(at(4), "a4".into()),
        Change::Nowcast(at(HOUR + 300_000)),
        Change::Accuracy(at(0)),
    ] {
        assert!(kinds.contains(&change), "{change:?}");
    }
}

pub(super) fn threshold() -> Threshold {
    let mut threshold = Threshold::default();
    let key = SeriesKey::parse("north/mobile/_all").expect("a series");
    threshold.judge(&key, at(0), 0.3, || false);
    threshold
}

fn state(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.put_state("next_window", &at(DAY).millis())?;
    tx.put_state("log_offset", &41i64)?;
    tx.put_state("surge_threshold", &threshold())?;
    tx.put_cursor("influxdb", 300)
}

fn check_state(reader: &Reader) {
    let number = |key| reader.state::<i64>(key).expect("reads");
    assert_eq!(number("next_window"), Some(at(DAY).millis()));
    assert_eq!(number("log_offset"), Some(41));
    assert_eq!(reader.state("surge_threshold").expect("reads"), Some(threshold()));
    assert_eq!(reader.cursor("influxdb").expect("reads"), 300);
}

#[test]
fn every_kind_of_row_is_read_as_it_was_written() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    fill(&mut store);
    check(&reader(&store));
    // Not configuration of the program: a developer sets it to make the sample of a release.
    #[allow(clippy::disallowed_methods)]
    let to = std::env::var_os("SURGECAST_SAMPLE");
    if let Some(to) = to {
        store.conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("checkpoints");
        std::fs::copy(dir.path().join(FILE), to).expect("copies");
    }
}
