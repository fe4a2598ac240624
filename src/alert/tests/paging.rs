//! Silences, quiet hours and incidents: which pages are sent, and which wait.

use std::collections::BTreeSet;

use super::*;

/// What the phones of services of the north need in a round, ten being scheduled, and which of them have alarms.
struct Round<'a> {
    minutes: u64,
    need: &'a [(&'a str, u32)],
    /// Service and device.
    alarms: &'a [(&'a str, &'a str)],
    work: &'a [PlannedWork],
}

fn scope(service: &str) -> Scope {
    Scope {
        region: Name::new("north").expect("valid"),
        service: Name::new(service).expect("valid"),
    }
}

fn after(minutes: u64) -> Timestamp {
    start() + Duration::from_secs(60 * minutes)
}

fn go(book: &mut AlertBook, round: &Round<'_>) -> Vec<AlertEffect> {
    let now = after(round.minutes);
    let pairs: Vec<(Plan, Vintage)> = round
        .need
        .iter()
        .map(|(service, needed)| {
            let (mut plan, mut vintage) = need("phone", now, *needed);
            let series = SeriesKey::parse(&format!("north/{service}/phone")).expect("a series");
            (plan.series, vintage.series) = (series.clone(), series);
            (plan, vintage)
        })
        .collect();
    let alarm = |(service, device): &(&str, &str)| ActiveAlarm {
        scope: scope(service),
        device: Some((*device).to_owned()),
        ..alarms()[0].clone()
    };
    let zones = BTreeMap::new();
    let inputs = AlertInputs {
        needs: pairs.iter().map(|(plan, vintage)| SeriesNeed { plan, vintage }).collect(),
        alarms: round.alarms.iter().map(alarm).collect(),
        newer: BTreeMap::new(),
        known: Known::new(),
        complaints: Vec::new(),
        width: WIDTH,
        finalized_upto: now,
        lateness: Duration::ZERO,
        zones: &zones,
        zone: Zone::UTC,
        work: round.work,
    };
    book.step(&inputs, now)
}

/// Ids of pages, without what is common to all.
fn ids(effects: &[AlertEffect]) -> Vec<String> {
    let ids = effects.iter().filter_map(|effect| match effect {
        AlertEffect::Notify(page) => Some(short_id(&page.id)),
        _ => None,
    });
    ids.collect()
}

/// `broadband@0 worse@30`: the alert's service and start, kind and time of the page, in minutes.
fn short_id(id: &str) -> String {
    let parts: Vec<&str> = id.split('.').collect();
    let minute = |text: &str| (text.parse::<i64>().expect("seconds") - start().secs()) / 60;
    format!("{}@{} {}@{}", parts[2], minute(parts[3]), parts[4], minute(parts[5]))
}

fn silence(minutes: std::ops::Range<u64>, critical: bool) -> Silence {
    Silence {
        id: format!("silence.{}", minutes.start),
        rule: None,
        region: Some(Name::new("north").expect("valid")),
        service: None,
        starts_at: after(minutes.start),
        ends_at: after(minutes.end),
        critical,
        comment: None,
        by: "Li Wei".into(),
        entered_at: after(minutes.start),
        ended_by: None,
    }
}

fn only<'a>(book: &'a AlertBook, service: &str) -> &'a Alert {
    book.open().find(|alert| alert.scope == scope(service)).expect("an open alert")
}

/// The page that the clock brings at a minute.
fn tick(book: &mut AlertBook, minute: u64) -> Vec<String> {
    let due = book.releases(after(minute));
    let pages = due.iter().filter_map(|id| book.release(id, after(minute))?.1);
    pages.map(|page| short_id(&page.id)).collect()
}

#[test]
fn a_silence_holds_pages_back_until_its_end() {
    let warning = |minutes| Round { minutes, need: &[("broadband", 13)], alarms: &[], work: &[] };
    let mut book = AlertBook::default();
    assert!(book.put_silence(silence(10..60, false)).is_empty());
    go(&mut book, &warning(0));
    let effects = go(&mut book, &warning(15));
    assert_eq!(ids(&effects), [] as [&str; 0]);
    let held = |effect: &AlertEffect| {
        matches!(effect, AlertEffect::Held { reason, until, .. }
        if *reason == HoldReason::Silence && *until == Some(after(60)))
    };
    assert!(effects.iter().any(held), "{effects:?}");
    let alert = only(&book, "broadband");
    assert_eq!((alert.state, alert.notified_at), (AlertState::Firing, None));
    let said = alert.paging.silenced.as_ref().expect("silenced");
    assert_eq!((said.by.as_str(), said.until), ("Li Wei", after(60)));
    assert_eq!(alert.paging.held.as_ref().map(|held| held.pages), Some(1));
    // Worse, but not half an hour later; then a second page is held back.
    go(&mut book, &Round { need: &[("broadband", 14)], ..warning(30) });
    assert_eq!(tick(&mut book, 59), [] as [&str; 0]);
    // The same id, whenever it is released and however often that is repeated.
    let mut restarted = AlertBook::restore(book.open().cloned().collect())
        .held_by(vec![silence(10..60, false)], None);
    assert_eq!(tick(&mut book, 60), ["broadband@0 firing@15"]);
    assert_eq!(tick(&mut restarted, 75), ["broadband@0 firing@15"]);
    assert_eq!(tick(&mut book, 61), [] as [&str; 0]);
    let alert = only(&book, "broadband");
    assert_eq!((&alert.paging.held, &alert.paging.silenced), (&None, &None));
    assert_eq!(alert.notified_at, Some(after(60)));
}

#[test]
fn a_critical_alert_pages_unless_the_silence_says_otherwise() {
    let critical = Round { minutes: 15, need: &[("broadband", 16)], alarms: &[], work: &[] };
    for (all, pages) in [(false, vec!["broadband@15 firing@15"]), (true, vec![])] {
        let mut book = AlertBook::default();
        book.put_silence(silence(10..60, all));
        assert_eq!(ids(&go(&mut book, &critical)), pages);
        assert_eq!(only(&book, "broadband").paging.silenced.is_some(), all);
    }
    // A silenced warning that turns critical: who has heard nothing hears that it fires.
    let mut book = AlertBook::default();
    book.put_silence(silence(0..60, false));
    go(&mut book, &Round { minutes: 0, need: &[("broadband", 13)], alarms: &[], work: &[] });
    go(&mut book, &Round { minutes: 15, need: &[("broadband", 13)], alarms: &[], work: &[] });
    let turned = Round { minutes: 30, ..critical };
    assert_eq!(ids(&go(&mut book, &turned)), ["broadband@0 firing@30"]);
}

#[test]
fn alerts_notified_before_a_silence_are_repeated_after_it_and_their_end_is_notified() {
    let warning = |minutes| Round { minutes, need: &[("broadband", 13)], alarms: &[], work: &[] };
    let mut book = AlertBook::default();
    go(&mut book, &warning(0));
    assert_eq!(ids(&go(&mut book, &warning(15))), ["broadband@0 firing@15"]);
    let changed = book.put_silence(silence(20..90, false));
    assert_eq!(changed.len(), 1, "it shows at once that it is silenced");
    assert_eq!(ids(&go(&mut book, &warning(30))), [] as [&str; 0]);
    // Someone ends it early.
    let ended = book.silence("silence.20").and_then(|own| own.ended("Wang Fang", after(40)));
    book.put_silence(ended.expect("in force"));
    assert_eq!(tick(&mut book, 40), ["broadband@0 reminder@40"]);
    // A window that ended before the silence did is not silenced again.
    go(&mut book, &warning(30));
    assert_eq!(only(&book, "broadband").paging.silenced, None);
    book.put_silence(silence(50..900, true));
    let calm = |minutes| Round { need: &[("broadband", 10)], ..warning(minutes) };
    for minutes in [45, 60, 75] {
        assert_eq!(ids(&go(&mut book, &calm(minutes))), [] as [&str; 0]);
    }
    assert_eq!(ids(&go(&mut book, &calm(90))), ["broadband@0 resolved@90"]);
    assert_eq!(book.silence("silence.50").and_then(|own| own.ended("x", after(901))), None);
}

#[test]
fn a_silenced_alert_that_ends_or_is_acknowledged_sends_nothing() {
    for is_acknowledged in [false, true] {
        let mut book = AlertBook::default();
        book.put_silence(silence(0..200, false));
        let round = |minutes, needed| Round { minutes, need: needed, alarms: &[], work: &[] };
        for minutes in [0, 15] {
            go(&mut book, &round(minutes, &[("broadband", 13)]));
        }
        if is_acknowledged {
            let id = only(&book, "broadband").id.clone();
            book.acknowledge(&id, "Li", after(16)).expect("open");
            assert_eq!(tick(&mut book, 200), [] as [&str; 0]);
            continue;
        }
        for minutes in [30, 45, 60, 75] {
            let effects = go(&mut book, &round(minutes, &[("broadband", 10)]));
            assert_eq!(ids(&effects), [] as [&str; 0], "after {minutes} min");
            assert_eq!(book.open().count(), usize::from(minutes < 75), "as slowly as any other");
        }
    }
}

#[test]
fn warnings_wait_for_the_end_of_quiet_hours_and_critical_alerts_do_not() {
    let quiet = || Some("06:00-07:00".parse().expect("hours"));
    let warning = |minutes| Round { minutes, need: &[("broadband", 13)], alarms: &[], work: &[] };
    let mut book = AlertBook::default().held_by(Vec::new(), quiet());
    go(&mut book, &warning(0));
    let effects = go(&mut book, &warning(15));
    assert_eq!(ids(&effects), [] as [&str; 0]);
    let held = only(&book, "broadband").paging.held.clone().expect("held");
    assert_eq!((held.reason, held.until), (HoldReason::QuietHours, Some(after(60))));
    assert_eq!(tick(&mut book, 59), [] as [&str; 0]);
    assert_eq!(tick(&mut book, 60), ["broadband@0 firing@15"]);
    let mut book = AlertBook::default().held_by(Vec::new(), quiet());
    let critical = Round { need: &[("broadband", 16)], ..warning(15) };
    assert_eq!(ids(&go(&mut book, &critical)), ["broadband@15 firing@15"]);
}

#[test]
fn one_outage_over_three_services_is_one_page() {
    let mut book = AlertBook::default();
    let alarms = [("broadband", "CORE-1"), ("mobile", "CORE-1"), ("tv", "CORE-1")];
    let three = [("broadband", 16), ("mobile", 20), ("tv", 17)];
    let round = |minutes, need| Round { minutes, need, alarms: &alarms, work: &[] };
    let effects = go(&mut book, &round(0, &three[..2]));
    assert_eq!(ids(&effects), ["broadband@0 firing@0"], "one page, of the first alert");
    // A third service is in time and does not page by itself; its own need makes the incident clearly worse later.
    assert_eq!(ids(&go(&mut book, &round(15, &three))), [] as [&str; 0]);
    assert_eq!(only(&book, "tv").incident_id(), only(&book, "broadband").id);
    let effects = go(&mut book, &round(30, &[("broadband", 16), ("mobile", 20), ("tv", 19)]));
    assert_eq!(ids(&effects), ["broadband@0 worse@30"], "25 after 16");
    let page = effects.iter().find_map(|effect| match effect {
        AlertEffect::Notify(page) => Some(page),
        _ => None,
    });
    let page = page.expect("a page");
    let said = |language| {
        let texts = Texts::new(language);
        format!("{}\n{}", page.title(&texts), page.body(&texts))
    };
    insta::assert_snapshot!(said(Language::En), @r"
    CRITICAL north/broadband, mobile, tv lacks agents: 25 from 07:00 until 08:00
    As of 06:30 (UTC); first seen at 06:00.
    Missing: 25 from 07:00 until 08:00 (mobile 10, tv 9, broadband 6).
    broadband lacks agents: 6 from 07:00 until 08:00.
    mobile lacks agents: 10 from 07:00 until 08:00.
    tv lacks agents: 9 from 07:00 until 08:00.
    Action by 07:00: find 25 more agents (mobile 10, tv 9, broadband 6).
    Action at 08:00: look at the newest forecast before you release the extra agents.
    Action now: ask network operations when the fault that began on CORE-1 will be repaired.
    Cause (broadband, mobile, tv): 1 critical lossOfSignal alarm active since 05:40, first on CORE-1.
    Affected: customers of broadband, mobile, tv in north.
    Next checkpoint: 06:45, when the next forecast is due.
    If you take this on, acknowledge the alert. That counts for all services of the incident. Another page then follows only if the incident gets clearly worse.
    ");
    insta::assert_snapshot!(said(Language::Zh), @r"
    【紧急】north/broadband、mobile、tv 缺坐席：07:00 起 25 名（至 08:00）
    截至 06:30（UTC）；首次发现于 06:00。
    缺口：07:00 起 25 名（至 08:00），其中：mobile 10、tv 9、broadband 6。
    broadband 缺口：07:00 起 6 名（至 08:00）。
    mobile 缺口：07:00 起 10 名（至 08:00）。
    tv 缺口：07:00 起 9 名（至 08:00）。
    建议：07:00 前增派 25 名坐席（mobile 10、tv 9、broadband 6）。
    建议：08:00 先查看最新预测，再撤回增派的坐席。
    建议：立即向网络运维询问始于 CORE-1 的故障的预计修复时间。
    原因（broadband、mobile、tv）：自 05:40 起有 1 条紧急 lossOfSignal 告警未清除，首个告警设备 CORE-1。
    受影响：north 的 broadband、mobile、tv 客户。
    下次检查：06:45，届时应有新的预测。
    如由您处理，请确认预警（一次确认对所有业务有效）；确认后仅在明显恶化时再次通知。
    ");
    // One acknowledgement is enough, also for a service that joins later.
    let mobile = only(&book, "mobile").id.clone();
    let taken = book.acknowledge(&mobile, "Li Wei", after(31)).expect("open");
    assert_eq!((taken.len(), &taken[0].id), (3, &mobile));
    let four = [("broadband", 10), ("mobile", 10), ("tv", 10), ("voice", 16)];
    let with_voice = [("broadband", "CORE-1"), ("voice", "CORE-1")];
    let joins = Round { minutes: 45, need: &four, alarms: &with_voice, work: &[] };
    assert_eq!(ids(&go(&mut book, &joins)), [] as [&str; 0]);
    let voice = only(&book, "voice");
    assert_eq!(voice.acknowledged_by.as_deref(), Some("Li Wei"));
    // The first alert leads until all are over: the id stays, and the end is told once.
    for minutes in [60, 75, 90] {
        let calm = Round { minutes, ..joins };
        assert_eq!(ids(&go(&mut book, &calm)), [] as [&str; 0]);
    }
    let services = || book.open().map(|alert| alert.scope.service.to_string());
    assert_eq!(services().collect::<Vec<_>>(), ["broadband", "voice"]);
    let over = [("broadband", 10), ("voice", 10)];
    let mut told = Vec::new();
    for minutes in [105, 120, 135, 150] {
        told.extend(ids(&go(&mut book, &Round { minutes, need: &over, alarms: &[], work: &[] })));
    }
    assert_eq!(told, ["broadband@0 resolved@150"]);
    assert_eq!(book.open().count(), 0);
}

#[test]
fn alerts_without_a_common_cause_page_apart() {
    let both = [("broadband", 16), ("mobile", 16)];
    let (one, other) = (("broadband", "OLT-1"), ("mobile", "BTS-7"));
    // Alarms in both, when the second begins (0: with the first), and the pages.
    let cases = [
        (&[one, other][..], 0, 1),
        (&[one, other], 30, 1),
        (&[one, other], 45, 2),
        (&[one, ("mobile", "OLT-1")], 45, 1),
        (&[one], 0, 2),
    ];
    for (alarms, minutes, pages) in cases {
        let mut book = AlertBook::default();
        let first = if minutes == 0 { &both[..] } else { &both[..1] };
        let mut told = ids(&go(&mut book, &Round { minutes: 0, need: first, alarms, work: &[] }));
        told.extend(ids(&go(
            &mut book,
            &Round { minutes: minutes.max(15), need: &both, alarms, work: &[] },
        )));
        let leads = told.iter().filter_map(|id| id.split(' ').next());
        let leads: BTreeSet<&str> = leads.collect();
        assert_eq!(leads.len(), pages, "{alarms:?} after {minutes} min: {told:?}");
    }
}

#[test]
fn an_incident_goes_on_after_a_restart_under_the_same_id() {
    let alarms = [("broadband", "CORE-1"), ("mobile", "CORE-1"), ("tv", "CORE-1")];
    let needs: [&[(&str, u32)]; 6] = [
        &[("broadband", 16), ("mobile", 10), ("tv", 10)],
        &[("broadband", 16), ("mobile", 16), ("tv", 10)],
        &[("broadband", 10), ("mobile", 18), ("tv", 13)],
        &[("broadband", 10), ("mobile", 19), ("tv", 18)],
        &[("broadband", 10), ("mobile", 10), ("tv", 22)],
        &[("broadband", 10), ("mobile", 10), ("tv", 30)],
    ];
    let (mut straight, mut restarted) = (AlertBook::default(), AlertBook::default());
    let mut pages = Vec::new();
    for (minutes, need) in (0..).step_by(15).zip(needs) {
        let round = Round { minutes, need, alarms: &alarms, work: &[] };
        let effects = go(&mut straight, &round);
        assert_eq!(effects, go(&mut restarted, &round), "after {minutes} min");
        restarted = AlertBook::restore(restarted.open().cloned().collect());
        pages.extend(ids(&effects));
    }
    assert!(pages.len() >= 2 && pages.iter().all(|id| id.starts_with("broadband@0 ")), "{pages:?}");
}

#[test]
fn an_incident_is_held_back_only_if_each_of_its_services_is() {
    let alarms = [("broadband", "CORE-1"), ("mobile", "CORE-1")];
    let both = [("broadband", 13), ("mobile", 13)];
    let mut book = AlertBook::default();
    let service = Some(Name::new("broadband").expect("valid"));
    book.put_silence(Silence { service, ..silence(0..100, false) });
    let round = |minutes, need| Round { minutes, need, alarms: &alarms, work: &[] };
    go(&mut book, &round(0, &both[..1]));
    assert_eq!(ids(&go(&mut book, &round(15, &both))), [] as [&str; 0]);
    // The second service is not silenced: the incident's page is sent, under the id that it would have had.
    assert_eq!(ids(&go(&mut book, &round(30, &both))), ["broadband@0 firing@15"]);
}

#[test]
fn what_planned_work_explains_waits_until_it_is_over() {
    let minutes = |n: u64| Duration::from_secs(n * 60);
    let work = |from: u64, to: u64| PlannedWork {
        announced_at: start() - minutes(600),
        cancelled_at: None,
        starts_at: after(from),
        ends_at: after(to),
        region: Some(Name::new("north").expect("valid")),
        service: None,
    };
    // The need is from 30 to 90 minutes after each round; alarms began 20 minutes before the first one.
    let known = work(30, 240);
    let cancelled = PlannedWork { cancelled_at: Some(start()), ..known.clone() };
    let elsewhere = PlannedWork { service: Some(Name::new("tv").expect("valid")), ..known.clone() };
    let late = PlannedWork { announced_at: after(16), ..known.clone() };
    let alarm: &[(&str, &str)] = &[("broadband", "OLT-1")];
    // Work, alarms, agents needed, and whether a page waits.
    let cases = [
        (known.clone(), &[][..], 13, true),
        (known.clone(), &[][..], 16, false),
        (known.clone(), alarm, 13, false),
        (work(0, 60), &[][..], 13, true),
        (work(0, 44), &[][..], 13, false),
        (work(120, 240), &[][..], 13, false),
        (cancelled, &[][..], 13, false),
        (elsewhere, &[][..], 13, false),
        (late, &[][..], 13, false),
    ];
    for (work, alarms, needed, waits) in cases {
        let mut book = AlertBook::default();
        let (need, work) = ([("broadband", needed)], [work]);
        let mut told = Vec::new();
        for minutes in [0, 15] {
            told.extend(ids(&go(&mut book, &Round { minutes, need: &need, alarms, work: &work })));
        }
        assert_eq!(told.is_empty(), waits, "{work:?} {needed} {told:?}");
        let held = &only(&book, "broadband").paging.held;
        assert_eq!(held.as_ref().map(|h| h.reason), waits.then_some(HoldReason::PlannedWork));
    }
    // It overruns: the page comes at the planned end.
    let mut book = AlertBook::default();
    for minutes in [0, 15] {
        let need = [("broadband", 13)];
        go(&mut book, &Round { minutes, need: &need, alarms: &[], work: &[work(0, 60)] });
    }
    assert_eq!(tick(&mut book, 59), [] as [&str; 0]);
    assert_eq!(tick(&mut book, 60), ["broadband@0 firing@15"]);
}

#[test]
fn feedback_moves_the_limits_within_bounds() {
    let factor = |book: &AlertBook| limit_factor(only(book, "broadband").paging.tuning);
    let round = |minutes, needed| Round { minutes, need: needed, alarms: &[], work: &[] };
    let mut book = AlertBook::default();
    go(&mut book, &round(0, &[("broadband", 13)]));
    let id = only(&book, "broadband").id.clone();
    let say = |book: &mut AlertBook, text: &str| book.judge(&id, text, None).expect("open");
    say(&mut book, "not useful: nobody waited");
    say(&mut book, "not useful: nobody waited");
    assert!((factor(&book) - 1.1).abs() < 1e-9, "the same verdict counts once");
    // Three missing agents are below 1.1 times the limit now; four are not.
    go(&mut book, &round(15, &[("broadband", 13)]));
    assert_eq!(book.open().count(), 0);
    go(&mut book, &round(30, &[("broadband", 14)]));
    assert_eq!(book.open().count(), 1);
    // Alerts of the past count too, each once, also after a restart; another verdict replaces the first.
    let past = |n: i64, text: &str| Alert {
        id: format!("a{n}"),
        feedback: Some(text.to_owned()),
        ..firing(start(), after(60))
    };
    let noise: Vec<Alert> = (0..9).map(|n| past(n, "not useful")).collect();
    let mut book = AlertBook::default().tuned_by(noise.iter());
    go(&mut book, &round(0, &[("broadband", 16)]));
    assert!((factor(&book) - 1.1f64.powi(4)).abs() < 1e-9, "at most 1.46");
    for judged in &noise {
        book.judge(&judged.id, "useful: we moved six", Some(judged.clone())).expect("stored");
    }
    go(&mut book, &round(15, &[("broadband", 16)]));
    assert!((factor(&book) - 1.1f64.powi(-2)).abs() < 1e-9, "at least 0.83");
    assert_eq!(book.judge("unknown", "useful", None), None);
}
