//! The life of an alert, told by the pages that people get.

use std::collections::BTreeMap;
use std::time::Duration;

use super::causes::causes;
use super::*;
use crate::anomaly::EarlySign;
use crate::domain::{Name, Scope, SeriesKey, Severity, Timestamp, WindowWidth, Zone};
use crate::forecast::{self, ADJUSTMENT, ForecastPoint, PlannedWork, Vintage};
use crate::staffing::{Plan, PlanTarget};
use crate::text::{Language, Say, Stored, Texts};

const WIDTH: WindowWidth = WindowWidth::QUARTER;

/// An alert that fires, about the span from `from` to `to`.
pub(super) fn firing(from: Timestamp, to: Timestamp) -> Alert {
    Alert {
        id: format!("understaffed.north.broadband.{}", from.secs()),
        rule: "understaffed".into(),
        severity: AlertSeverity::Warning,
        scope: alarms()[0].scope.clone(),
        state: AlertState::Firing,
        since: from,
        updated_at: from,
        ended_at: None,
        from,
        to,
        agents_short: 4,
        shortfalls: Vec::new(),
        because: Vec::new(),
        zone: Zone::UTC,
        acknowledged_by: None,
        acknowledged_at: None,
        worst: None,
        feedback: None,
        streak: 0,
        notified_gap: 4,
        recommended: Vec::new(),
        finding: None,
        notes: Default::default(),
        notified_at: Some(from),
        steps: Vec::new(),
        trend: Trend::default(),
        paging: Paging::default(),
    }
}

fn start() -> Timestamp {
    Timestamp::parse("2026-03-10T06:00:00Z").expect("time")
}

/// Plan and vintage of one channel: `needed` agents in windows 2 to 5, ten otherwise and scheduled.
fn need(channel: &str, issued_at: Timestamp, needed: u32) -> (Plan, Vintage) {
    let series = SeriesKey::parse(&format!("north/broadband/{channel}")).expect("series");
    let (mut targets, mut forecast) = (Vec::new(), Vec::new());
    for step in 0..24u32 {
        let start = issued_at + WIDTH.length() * step;
        let agents = if (2..6).contains(&step) { needed } else { 10 };
        targets.push(PlanTarget {
            start,
            arrivals: f64::from(agents) * 3.0,
            positions: agents,
            agents,
            agents_low: agents,
            agents_high: agents,
            scheduled: Some(10),
            gap: agents as i32 - 10,
            service_level: 0.5,
        });
        let mean = f64::from(agents) * 3.0;
        forecast.push(ForecastPoint {
            start,
            mean,
            quantiles: [-9.0, -6.0, -3.0, 0.0, 3.0, 6.0, 9.0].map(|d| mean + d),
            baseline: 30.0,
            level: 1.0,
            alarm_effect: 0.0,
        });
    }
    let plan =
        Plan { series: series.clone(), issued_at, basis: Stored::Sentence(String::new()), targets };
    let vintage = Vintage {
        series,
        issued_at,
        targets: forecast,
        members: Vec::new(),
        causes: Vec::new(),
        surges: None,
        fallback: None,
    };
    (plan, vintage)
}

/// Work that should have ended 10 minutes ago, and what a planner entered for the phone.
fn known(now: Timestamp) -> Known {
    let minutes = |n: u64| Duration::from_secs(n * 60);
    let work = PlannedWork {
        announced_at: start() - minutes(600),
        cancelled_at: None,
        starts_at: start() - minutes(60),
        ends_at: start() - minutes(10),
        region: None,
        service: Some(Name::new("broadband").expect("valid")),
    };
    let mut known = overruns(&[work], &alarms(), now);
    let (_, mut vintage) = need("phone", start(), 12);
    vintage
        .causes
        .push(forecast::Cause { what: format!("{ADJUSTMENT}billing run"), tickets: 37.6 });
    adjustments([(&vintage.series, &vintage)].into_iter(), &mut known);
    known
}

fn alarms() -> Vec<ActiveAlarm> {
    let scope = Scope {
        region: Name::new("north").expect("valid"),
        service: Name::new("broadband").expect("valid"),
    };
    let alarm = |severity, kind: &str, device: &str| ActiveAlarm {
        scope: scope.clone(),
        severity,
        device: Some(device.into()),
        alarm_type: Some(kind.into()),
        raised_at: start() - Duration::from_secs(1200),
        flaps: 0,
        is_doubtful: false,
    };
    vec![
        alarm(Severity::Critical, "lossOfSignal", "OLT-17"),
        alarm(Severity::Critical, "lossOfSignal", "OLT-18"),
        alarm(Severity::Warning, "temperature", "OLT-1"),
    ]
}

fn step(book: &mut AlertBook, round: u32, phone: u32, chat: u32) -> Vec<AlertEffect> {
    look(book, start() + WIDTH.length() * round, phone, chat, &[], AlertBook::step)
}

fn look(
    book: &mut AlertBook,
    now: Timestamp,
    phone: u32,
    chat: u32,
    complaints: &[EarlySign],
    how: impl Fn(&mut AlertBook, &AlertInputs<'_>, Timestamp) -> Vec<AlertEffect>,
) -> Vec<AlertEffect> {
    let pairs = [need("phone", now, phone), need("chat", now, chat)];
    let zones = BTreeMap::from([(
        Name::new("north").expect("valid"),
        "Asia/Shanghai".parse::<Zone>().expect("zone"),
    )]);
    let inputs = AlertInputs {
        needs: pairs.iter().map(|(plan, vintage)| SeriesNeed { plan, vintage }).collect(),
        alarms: alarms(),
        newer: BTreeMap::new(),
        known: known(now),
        complaints: complaints.to_vec(),
        width: WIDTH,
        finalized_upto: now,
        lateness: Duration::ZERO,
        zones: &zones,
        zone: Zone::UTC,
        work: &[],
    };
    how(book, &inputs, now)
}

fn notices(effects: &[AlertEffect]) -> Vec<NotificationKind> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            AlertEffect::Notify(notice) => Some(notice.kind),
            AlertEffect::Changed(_) | AlertEffect::Held { .. } => None,
        })
        .collect()
}

#[test]
fn a_cause_says_what_flaps_and_what_is_in_doubt() {
    let mut alarms = alarms();
    alarms[1].flaps = 7;
    alarms[0].is_doubtful = true;
    alarms[1].raised_at = start() - Duration::from_secs(1800);
    let causes = causes(&alarms[0].scope, &alarms, &Known::default());
    let say = |language| {
        causes.iter().map(|c| c.say(&Texts::new(language))).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(say(Language::En), @"2 critical lossOfSignal alarms active since 05:30, first on OLT-18, flapping: one alarm was raised 7 times, 1 may have cleared already (not reported again since the alarm list was rebuilt)");
    insta::assert_snapshot!(say(Language::Zh), @"自 05:30 起有 2 条紧急 lossOfSignal 告警未清除，首个告警设备 OLT-18，频繁抖动：单条告警上报达 7 次，其中 1 条可能已清除（告警列表重建后未再上报）");
}

#[test]
fn a_page_says_what_where_when_how_many_and_why() {
    let mut book = AlertBook::default();
    let effects = step(&mut book, 0, 16, 13);
    assert_eq!(
        notices(&effects),
        [NotificationKind::Firing],
        "critical: told at once, in one page"
    );
    let alert = book.open().next().expect("open");
    let page = |language| {
        let texts = Texts::new(language);
        format!("{}\n\n{}", alert.title(&texts), alert.body(&texts))
    };
    insta::assert_snapshot!(page(Language::Zh), @r"
    【紧急】north/broadband 缺坐席：14:30 起 9 名（至 15:30）

    截至 14:00（Asia/Shanghai）；首次发现于 14:00。
    缺口：14:30 起 9 名（至 15:30），其中：电话 6、在线客服 3。
    建议：14:30 前增派 9 名坐席（电话 6、在线客服 3）。
    建议：15:30 先查看最新预测，再撤回增派的坐席。
    建议：立即向网络运维询问始于 OLT-17 的故障的预计修复时间。
    原因：自 13:40 起有 2 条紧急 lossOfSignal 告警未清除，首个告警设备 OLT-17。
    原因：13:00–13:50 的计划作业超时，仍有 2 条相关告警未清除。
    原因：规划人员录入“billing run”：使未来六小时的预测变化 +38 张工单。
    电话：14:30 需要 16 名坐席，已排班 10 名，还缺 6 名。该时段预测 48 张工单（80% 概率在 42 至 54 之间）。
    在线客服：14:30 需要 13 名坐席，已排班 10 名，还缺 3 名。该时段预测 39 张工单（80% 概率在 33 至 45 之间）。
    受影响：north 的 broadband 客户（在线客服、电话）。
    下次检查：14:15，届时应有新的预测。
    如由您处理，请确认预警；确认后仅在明显恶化时再次通知。
    ");
    insta::assert_snapshot!(page(Language::En), @r"
    CRITICAL north/broadband lacks agents: 9 from 14:30 until 15:30

    As of 14:00 (Asia/Shanghai); first seen at 14:00.
    Missing: 9 from 14:30 until 15:30 (phone 6, chat 3).
    Action by 14:30: find 9 more agents (phone 6, chat 3).
    Action at 15:30: look at the newest forecast before you release the extra agents.
    Action now: ask network operations when the fault that began on OLT-17 will be repaired.
    Cause: 2 critical lossOfSignal alarms active since 13:40, first on OLT-17.
    Cause: planned work of 13:00–13:50 overruns; 2 of its alarms are still active.
    Cause: a planner entered “billing run”: it changes the forecast by +38 tickets over six hours.
    phone: 16 agents needed at 14:30, 10 scheduled, 6 short. Forecast for that window: 48 tickets (42 to 54 with 80 % probability).
    chat: 13 agents needed at 14:30, 10 scheduled, 3 short. Forecast for that window: 39 tickets (33 to 45 with 80 % probability).
    Affected: customers of broadband in north (chat, phone).
    Next checkpoint: 14:15, when the next forecast is due.
    If you take this on, acknowledge the alert; another page then follows only if it gets clearly worse.
    ");
}

#[test]
fn pages_are_sent_when_it_is_confirmed_when_it_grows_and_when_it_is_over() {
    let mut book = AlertBook::default();
    assert!(step(&mut book, 0, 11, 11).is_empty(), "one agent is nobody's page");
    assert_eq!(notices(&step(&mut book, 1, 13, 10)), [], "seen once: pending");
    assert_eq!(notices(&step(&mut book, 2, 13, 10)), [NotificationKind::Firing]);
    assert_eq!(notices(&step(&mut book, 3, 14, 12)), [], "worse, but just told");
    assert_eq!(notices(&step(&mut book, 4, 14, 13)), [NotificationKind::Escalated]);
    for round in 5..8 {
        assert_eq!(notices(&step(&mut book, round, 10, 10)), [], "not over yet");
    }
    let over = step(&mut book, 8, 10, 10);
    assert_eq!(notices(&over), [NotificationKind::Resolved]);
    let Some(AlertEffect::Changed(alert)) = over.last() else { panic!("{over:?}") };
    let worst = alert.at_worst();
    assert_eq!((alert.agents_short, worst.agents_short > 0), (0, true));
    assert_eq!(worst.shortfalls.iter().map(|s| s.gap).sum::<i32>(), worst.agents_short);
    assert!(!worst.because.is_empty());
    assert_eq!(book.open().count(), 0);
}

#[test]
fn customers_who_complain_make_a_second_look_unnecessary() {
    let sign = |score| EarlySign {
        scope: alarms()[0].scope.clone(),
        from: start() - Duration::from_secs(1800),
        to: start(),
        actual: 14.0,
        usual: 1.8,
        excess: 12.2,
        score,
    };
    for (score, told) in [(3.9, vec![]), (4.0, vec![NotificationKind::Firing])] {
        let signs = [sign(score)];
        let effects = look(&mut AlertBook::default(), start(), 13, 10, &signs, AlertBook::step);
        assert_eq!(notices(&effects), told, "a surprise of {score}");
    }
    let mut elsewhere = sign(9.0);
    elsewhere.scope.region = Name::new("south").expect("valid");
    let mut book = AlertBook::default();
    assert_eq!(notices(&look(&mut book, start(), 13, 10, &[elsewhere], AlertBook::step)), []);
    let mut known = Known::new();
    complaints(&[sign(4.0)], &mut known);
    let scope = &alarms()[0].scope;
    let causes = causes(scope, &[], &known);
    insta::assert_snapshot!(causes[0].say(&Texts::new(Language::En)), @"14 tickets about an outage, poor coverage or slow service from 05:30 to 06:00; 1.8 are usual in that time");
}

#[test]
fn a_nowcast_begins_alerts_and_ends_none() {
    let mut book = AlertBook::default();
    let within = start() + Duration::from_secs(420);
    let effects = look(&mut book, within, 16, 10, &[], AlertBook::nowcast);
    assert_eq!(notices(&effects), [NotificationKind::Firing]);
    let alert = book.open().next().expect("open").clone();
    assert_eq!((alert.since, alert.updated_at), (within, within));
    for minutes in 8..15 {
        let now = start() + Duration::from_secs(60 * minutes);
        assert_eq!(notices(&look(&mut book, now, 10, 10, &[], AlertBook::nowcast)), []);
        let open = book.open().next().expect("still open");
        assert_eq!((open.state, open.streak, open.agents_short), (AlertState::Firing, 0, 0));
        let texts = Texts::new(Language::En);
        insta::allow_duplicates! {
            insta::assert_snapshot!(open.title(&texts), @"north/broadband: no large shortage of agents is expected any more");
        }
        assert!(open.has_eased());
    }
    assert_eq!(book.open().next().map(|open| &open.id), Some(&alert.id));
    for round in 1..5 {
        step(&mut book, round, 10, 10);
    }
    assert_eq!(book.open().count(), 0);
}

#[test]
fn an_acknowledged_alert_pages_again_only_when_it_is_clearly_worse() {
    let mut book = AlertBook::default();
    step(&mut book, 0, 13, 10);
    step(&mut book, 1, 13, 10);
    let id = book.open().next().expect("open").id.clone();
    let taken = book.acknowledge(&id, "Li Wei", start()).expect("open").remove(0);
    assert_eq!(taken.acknowledged_at, Some(start()));
    assert_eq!(taken.state, AlertState::Acknowledged);
    let again = book.acknowledge(&id, "Wang Fang", start()).expect("open").remove(0);
    assert_eq!(again.acknowledged_by.as_deref(), Some("Li Wei"), "the first stays");
    assert_eq!(book.page_again(&id, NotificationKind::Reminder, start()), None);
    assert_eq!(notices(&step(&mut book, 4, 13, 11)), []);
    assert_eq!(notices(&step(&mut book, 5, 14, 14)), [NotificationKind::Escalated]);
    assert_eq!(notices(&step(&mut book, 6, 18, 14)), [NotificationKind::Escalated]);
    assert!(book.acknowledge("another", "Li Wei", start()).is_none());
}

#[test]
fn a_restart_goes_on_where_it_was() {
    let (mut straight, mut restarted) = (AlertBook::default(), AlertBook::default());
    for (round, phone) in [13, 13, 14, 16, 10, 10, 10, 10, 15, 10].into_iter().enumerate() {
        let a = step(&mut straight, round as u32, phone, 10);
        let b = step(&mut restarted, round as u32, phone, 10);
        assert_eq!(a, b, "round {round}");
        restarted = AlertBook::restore(restarted.open().cloned().collect());
    }
}

/// What an open alert says, line by line.
fn said(book: &AlertBook) -> Vec<String> {
    let open = book.open().next().expect("open");
    let texts = Texts::new(Language::En);
    [vec![open.title(&texts)], open.body(&texts).lines().map(str::to_owned).collect()].concat()
}

#[test]
fn the_severity_falls_once_the_gap_is_clearly_smaller_for_two_forecasts() {
    let mut book = AlertBook::default();
    let severity = |book: &AlertBook| book.open().next().expect("open").severity;
    step(&mut book, 0, 16, 10);
    assert_eq!(severity(&book), AlertSeverity::Critical);
    // A gap of four of ten is at four fifths of the limits: hardly less than critical.
    step(&mut book, 1, 14, 10);
    step(&mut book, 2, 14, 10);
    assert_eq!(severity(&book), AlertSeverity::Critical, "no flapping at the limit");
    step(&mut book, 3, 13, 10);
    step(&mut book, 4, 14, 10);
    step(&mut book, 5, 13, 10);
    assert_eq!(severity(&book), AlertSeverity::Critical, "not twice in a row");
    assert_eq!(notices(&step(&mut book, 6, 13, 10)), []);
    assert_eq!(severity(&book), AlertSeverity::Warning);
    let eased = "Eased: no longer critical since 15:30.";
    assert!(said(&book).iter().any(|line| line == eased), "{:#?}", said(&book));
    // Critical again: a page, since the last one is an hour and more ago. Then not at once once more.
    assert_eq!(notices(&step(&mut book, 7, 16, 10)), [NotificationKind::Escalated]);
    step(&mut book, 8, 10, 10);
    step(&mut book, 9, 10, 10);
    assert_eq!(severity(&book), AlertSeverity::Warning, "also where nothing is missing");
    let gone = "The forecast of 16:15 no longer shows a shortage that is large enough for an alert. The last page reported 6 missing agents. The alert ends if the next forecasts confirm this.";
    assert!(said(&book).iter().any(|line| line == gone), "{:#?}", said(&book));
    assert_eq!(said(&book)[0], "north/broadband: no large shortage of agents is expected any more");
}

#[test]
fn a_forecast_older_than_a_nowcast_changes_no_fact() {
    let mut book = AlertBook::default();
    let (now, newer) = (start(), start() + Duration::from_secs(420));
    let pair = need("phone", now, 16);
    let zones = BTreeMap::new();
    let scope = alarms()[0].scope.clone();
    let inputs = AlertInputs {
        needs: vec![SeriesNeed { plan: &pair.0, vintage: &pair.1 }],
        alarms: alarms(),
        newer: BTreeMap::from([(scope, newer)]),
        known: Known::new(),
        complaints: Vec::new(),
        width: WIDTH,
        finalized_upto: now,
        lateness: Duration::ZERO,
        zones: &zones,
        zone: Zone::UTC,
        work: &[],
    };
    book.step(&inputs, now);
    let alert = book.open().next().expect("open");
    assert_eq!((alert.since, alert.updated_at, alert.as_of()), (now, newer, newer));
    assert_eq!(alert.trend.next_at, Some(start() + WIDTH.length()));
}

#[test]
fn number_span_and_action_are_of_one_stretch() {
    let mut book = AlertBook::default();
    let now = start();
    let (mut phone, mut chat) = (need("phone", now, 10), need("chat", now, 10));
    // The phone lacks most in the first hour, chat in the third; between them nobody is missing.
    let set = |plan: &mut Plan, gaps: &[(std::ops::Range<usize>, i32)]| {
        for (windows, gap) in gaps {
            for target in &mut plan.targets[windows.clone()] {
                (target.gap, target.agents) = (*gap, (10 + gap) as u32);
            }
        }
    };
    set(&mut phone.0, &[(0..2, 13), (2..4, 7)]);
    set(&mut chat.0, &[(2..4, 1), (8..10, 12)]);
    let zones = BTreeMap::new();
    let inputs = AlertInputs {
        needs: [&phone, &chat].map(|(plan, vintage)| SeriesNeed { plan, vintage }).into(),
        alarms: Vec::new(),
        newer: BTreeMap::new(),
        known: Known::new(),
        complaints: Vec::new(),
        width: WIDTH,
        finalized_upto: now,
        lateness: Duration::ZERO,
        zones: &zones,
        zone: Zone::UTC,
        work: &[],
    };
    book.step(&inputs, now);
    insta::assert_snapshot!(said(&book).join("\n"), @r"
    CRITICAL north/broadband lacks agents: 13 from now until 06:30, 12 from 08:00 until 08:30
    As of 06:00 (UTC); first seen at 06:00.
    Missing: 13 from now until 06:30 (phone 13).
    Missing: 8 from 06:30 until 07:00 (phone 7, chat 1).
    Missing: 12 from 08:00 until 08:30 (chat 12).
    Action now: find 13 more agents (phone 13).
    Action at 06:30: 8 extra agents are enough from then until 07:00.
    Action now: check the roster of this time and what customers complain about. If the forecast is unusual, look for a reason that is not in the data, such as a campaign or a billing run, and enter it.
    Cause: the forecast needs more agents than are available; no relevant alarm is active here.
    phone: 23 agents needed at 06:00, 10 scheduled, 13 short. Forecast for that window: 30 tickets (24 to 36 with 80 % probability).
    Affected: customers of broadband in north (chat, phone).
    Next checkpoint: 06:15, when the next forecast is due.
    If you take this on, acknowledge the alert; another page then follows only if it gets clearly worse.
    ");
    let alert = book.open().next().expect("open");
    let steps =
        alert.steps.iter().map(|step| (step.agents, WIDTH.index(step.to) - WIDTH.index(step.from)));
    assert_eq!(steps.collect::<Vec<_>>(), [(13, 2), (8, 2), (12, 2)]);
    assert_eq!(alert.agents_short, alert.shortfalls.iter().map(|s| s.gap).sum::<i32>());
}

#[test]
fn names_from_outside_are_data_and_a_page_has_at_most_300_words() {
    let hostile = "</p><b>OLT</b> **1** [x](http://y)\n🔥 CRITICAL all clear ".repeat(40);
    let scope = alarms()[0].scope.clone();
    let kinds = ["a", "b", "c", "d", "e"];
    let alarms = kinds.map(|kind| ActiveAlarm {
        device: Some(hostile.clone()),
        alarm_type: Some(format!("{kind} {hostile}")),
        ..alarms()[0].clone()
    });
    let label = |n: usize| Cause::Adjustment { label: format!("{n} {hostile}"), tickets: 1.0 };
    let mut causes: Vec<Cause> = (0..30).map(label).collect();
    causes.push(Cause::Complaints { actual: 90.0, usual: 2.0, since: start(), until: None });
    let known = Known::from([(scope, causes)]);
    let names = ["phone", "chat", "email", "app", "kiosk", "forum"];
    let pairs = names.map(|channel| need(channel, start(), 16));
    let zones = BTreeMap::new();
    let inputs = AlertInputs {
        needs: pairs.iter().map(|(plan, vintage)| SeriesNeed { plan, vintage }).collect(),
        alarms: alarms.into(),
        newer: BTreeMap::new(),
        known,
        complaints: Vec::new(),
        width: WIDTH,
        finalized_upto: start(),
        lateness: Duration::ZERO,
        zones: &zones,
        zone: Zone::UTC,
        work: &[],
    };
    let mut book = AlertBook::default();
    book.step(&inputs, start());
    let alert = book.open().next().expect("open");
    for language in Language::ALL {
        let texts = Texts::new(language);
        let (title, body) = (alert.title(&texts), alert.body(&texts));
        assert!(title.chars().count() <= 130 && title.lines().count() == 1, "{title}");
        let count = super::brief::words(&title) + super::brief::words(&body);
        assert!(count <= 300, "{count} words: {body}");
        assert!(body.lines().count() >= 8, "{body}");
        assert!(body.contains("90 "), "complaints stay: {body}");
        assert!(!body.lines().any(|line| line.starts_with('🔥')), "no forged line: {body}");
    }
}

mod notes;
mod paging;
mod worth;
