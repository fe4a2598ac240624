//! What a page says besides its numbers: what is left over, not counted yet, too few for an alert, or recommended.

use super::*;
use crate::staffing::{AdviceReason, Basis, Kind, Profile, Recommendation, RecommendationState};

/// One need of the phone as of `now`, with inputs as they are by default.
fn inputs<'a>(
    (plan, vintage): (&'a Plan, &'a Vintage),
    zones: &'a BTreeMap<Name, Zone>,
    now: Timestamp,
) -> AlertInputs<'a> {
    AlertInputs {
        needs: vec![SeriesNeed { plan, vintage }],
        alarms: Vec::new(),
        newer: BTreeMap::new(),
        known: Known::new(),
        complaints: Vec::new(),
        width: WIDTH,
        finalized_upto: now,
        lateness: Duration::ZERO,
        zones,
        zone: Zone::UTC,
        work: &[],
    }
}

fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

#[test]
fn a_minor_alarm_is_named_only_if_its_type_brings_tickets() {
    let (plan, vintage) = need("phone", start(), 16);
    let brings = |what: &str, tickets| forecast::Cause { what: what.into(), tickets };
    let cases = [
        (Severity::Minor, None, false),
        (Severity::Minor, Some(brings("fanDegraded", 3.0)), true),
        (Severity::Minor, Some(brings("fanDegraded", -3.0)), false),
        (Severity::Minor, Some(brings("lossOfSignal", 3.0)), false),
        // Types that are too rare for a name of their own.
        (Severity::Minor, Some(brings("other", 3.0)), true),
        (Severity::Major, None, true),
    ];
    for (severity, cause, is_named) in cases {
        let said = format!("{severity:?} {cause:?}");
        let vintage = Vintage { causes: cause.into_iter().collect(), ..vintage.clone() };
        let zones = BTreeMap::new();
        let alarm = ActiveAlarm {
            severity,
            alarm_type: Some("fanDegraded".into()),
            device: Some("BROADBAND-09".into()),
            ..alarms()[0].clone()
        };
        let inputs =
            AlertInputs { alarms: vec![alarm], ..inputs((&plan, &vintage), &zones, start()) };
        let mut book = AlertBook::default();
        book.step(&inputs, start());
        let alert = book.open().next().expect("open");
        let is_none = alert.because == [Stored::Value(Cause::NoAlarm)];
        assert_eq!(!is_none, is_named, "{said}: {:?}", alert.because);
        let text = alert.body(&Texts::new(Language::En));
        assert_eq!(text.contains("BROADBAND-09"), is_named, "{text}");
    }
}

#[test]
fn a_page_names_the_next_forecast_by_the_clock_and_never_a_time_that_is_over() {
    let now = start() + minutes(7);
    let (plan, vintage) = need("phone", start(), 16);
    let zones = BTreeMap::new();
    // A nowcast at 06:07: the window that ended at 06:00 is final at 06:10, the next one at 06:25.
    let inputs = AlertInputs {
        finalized_upto: start() - WIDTH.length(),
        lateness: minutes(10),
        ..inputs((&plan, &vintage), &zones, now)
    };
    let mut book = AlertBook::default().with_windows(WIDTH);
    let effects = book.nowcast(&inputs, now);
    let page = effects.iter().find_map(|effect| match effect {
        AlertEffect::Notify(page) => Some(page.clone()),
        _ => None,
    });
    let page = page.expect("a page");
    let texts = Texts::new(Language::En);
    let line = |page: &Notification, start: &str| {
        let text = page.body(&texts);
        text.lines().find(|line| line.starts_with(start)).map(str::to_owned)
    };
    let next = "Next checkpoint: 06:10, when the next forecast is due.";
    assert_eq!(line(&page, "Next").as_deref(), Some(next));
    let counted =
        "Complaints are counted up to 05:45 so far. Later windows are counted once they are final.";
    assert_eq!(line(&page, "Complaints").as_deref(), Some(counted));
    let again = |book: &AlertBook, after: u64| {
        let at = start() + minutes(after);
        let page = book.page_again(&page.alert.id, NotificationKind::Reminder, at);
        line(&page.expect("it fires"), "Next")
    };
    for (after, time) in [(9, "06:10"), (10, "06:25"), (24, "06:25"), (56, "07:10")] {
        let next = format!("Next checkpoint: {time}, when the next forecast is due.");
        assert_eq!(again(&book, after), Some(next), "a reminder after {after} min");
    }
    let unknown = AlertBook { width: None, ..book.clone() };
    assert_eq!(again(&unknown, 10), None);
    // Complaints that are named need no such line.
    let complaints = Cause::Complaints { actual: 1.0, usual: 0.2, since: start(), until: None };
    let mut page = page;
    page.alert.because = vec![complaints.into()];
    assert_eq!(line(&page, "Complaints"), None);
    assert!(line(&page, "Cause: 1 ticket about").is_some(), "{}", page.body(&texts));
}

#[test]
fn a_resolved_page_says_what_is_still_missing() {
    let mut book = AlertBook::default();
    step(&mut book, 0, 13, 10);
    assert_eq!(notices(&step(&mut book, 1, 13, 10)), [NotificationKind::Firing]);
    for round in 2..5 {
        step(&mut book, round, 12, 11);
    }
    let said = |alert: &Alert, language| alert.body(&Texts::new(language));
    let eased = said(book.open().next().expect("open"), Language::En);
    let left = "Agents still missing, but too few for an alert: up to 3 at a time between 15:30 and 16:30; most at 15:30 (phone 2, chat 1).";
    assert!(eased.lines().any(|line| line == left), "{eased}");
    let over = step(&mut book, 5, 12, 11);
    assert_eq!(notices(&over), [NotificationKind::Resolved]);
    let Some(AlertEffect::Changed(alert)) = over.last() else { panic!("{over:?}") };
    insta::assert_snapshot!(said(alert, Language::En), @r"
    Resolved: the current forecast shows no shortage of agents for north/broadband that is large enough for an alert. The alert lasted from 14:00 to 15:15 (Asia/Shanghai).
    Agents still missing, but too few for an alert: up to 3 at a time between 15:45 and 16:45; most at 15:45 (phone 2, chat 1).
    ");
    insta::assert_snapshot!(said(alert, Language::Zh), @r"
    预警解除：最新预测显示 north/broadband 的坐席缺口已低于预警标准。预警自 14:00 持续至 15:15（Asia/Shanghai）。
    仍有低于预警标准的缺口（15:45 至 16:45）：15:45 同时最多缺 3 名，其中：电话 2、在线客服 1。
    ");
    // Agents who are enough: nothing is added.
    let mut book = AlertBook::default();
    step(&mut book, 0, 13, 10);
    step(&mut book, 1, 13, 10);
    let mut over = Vec::new();
    (2..6).for_each(|round| over = step(&mut book, round, 10, 9));
    let Some(AlertEffect::Changed(alert)) = over.last() else { panic!("{over:?}") };
    assert_eq!(said(alert, Language::En).lines().count(), 1);
}

#[test]
fn a_need_for_contacts_of_the_window_before_says_so() {
    let (mut plan, vintage) = need("phone", start(), 60);
    plan.basis = Basis::of(&Profile::default_of("phone").expect("a profile")).into();
    for (steady, is_left_over) in [(false, true), (true, false)] {
        for (step, target) in plan.targets.iter_mut().enumerate() {
            target.arrivals = if steady || step == 1 { 200.0 } else { 8.0 };
        }
        let zones = BTreeMap::new();
        let mut book = AlertBook::default();
        book.step(&inputs((&plan, &vintage), &zones, start()), start());
        let alert = book.open().next().expect("open");
        let text = |language| {
            let text = alert.body(&Texts::new(language));
            let need = |line: &&str| line.contains("60") && line.contains("80");
            text.lines().find(need).expect("the need").to_owned()
        };
        let said = text(Language::En).ends_with(
            ". Forecast for that window: 8 tickets (174 to 186 with 80 % probability). Most of this need is work left from the windows before.",
        );
        assert_eq!(said, is_left_over, "{}", text(Language::En));
        let said = text(Language::Zh).ends_with("之间）。其中大部分是前面时段遗留的工作。");
        assert_eq!(said, is_left_over, "{}", text(Language::Zh));
    }
}

fn call_in(agents: u32, series: &[&str], from: u64) -> Recommendation {
    let (at, to) = (start() + minutes(from), start() + minutes(240));
    Recommendation {
        id: format!("call_in.north-phone.{from}"),
        kind: Kind::CallIn,
        state: RecommendationState::Proposed,
        team: "north-phone".into(),
        source: None,
        series: series.iter().map(|key| SeriesKey::parse(key).expect("series")).collect(),
        zone: Zone::UTC,
        from: at,
        to,
        agents,
        confidence: 0.9,
        level_with: 0.8,
        level_without: 0.3,
        cost: 100.0,
        deflection: None,
        arrivals: 90.0,
        why: AdviceReason::Short { at, needed: 30, scheduled: 10 },
        issued_at: start(),
        updated_at: start(),
        changed_at: start(),
        changes: 0,
        grew: false,
        idle_since: None,
        differs_since: None,
        answered_by: None,
        answered_at: None,
        in_roster: false,
        in_source_roster: false,
        outcome: None,
    }
}

#[test]
fn recommendations_are_summed_up_beside_what_is_missing() {
    let mut book = AlertBook::default();
    step(&mut book, 0, 30, 10);
    let mut alert = book.open().next().expect("open").clone();
    let mut said = |own: &[Recommendation], language| {
        alert.recommend(own.iter());
        let text = alert.body(&Texts::new(language));
        let lines = text.lines().filter(|line| {
            ["Recommended", "Together", "None", "建议（", "建议：为", "14:30 缺"]
                .iter()
                .any(|start| line.starts_with(start))
        });
        lines.map(str::to_owned).collect::<Vec<_>>().join("\n")
    };
    let own = call_in(5, &["north/broadband/phone"], 0);
    let shared = call_in(8, &["north/broadband/phone", "north/mobile/phone"], 15);
    let later = call_in(4, &["north/_all/phone"], 90);
    let all = [own.clone(), shared, later.clone()];
    insta::assert_snapshot!(said(&all, Language::En), @r"
    Recommended: Call in 5 agents for north-phone, 06:00–10:00 (UTC).
    Recommended, for broadband, mobile together: Call in 8 agents for north-phone, 06:15–10:00 (UTC).
    Recommended, for all services together: Call in 4 agents for north-phone, 07:30–10:00 (UTC).
    Together these bring up to 13 at 14:30, when 20 are missing: at least 7 stay missing.
    ");
    insta::assert_snapshot!(said(&all, Language::Zh), @r"
    建议：为 north-phone 召回 5 名休班坐席，06:00–10:00（UTC）。
    建议（共用：broadband、mobile）：为 north-phone 召回 8 名休班坐席，06:15–10:00（UTC）。
    建议（共用：全部业务）：为 north-phone 召回 4 名休班坐席，07:30–10:00（UTC）。
    14:30 缺 20 名，以上建议合计最多增加 13 名，至少仍缺 7 名。
    ");
    insta::assert_snapshot!(said(&[later], Language::En), @r"
    Recommended, for all services together: Call in 4 agents for north-phone, 07:30–10:00 (UTC).
    None of these brings agents at 14:30, when 20 are missing.
    ");
    insta::assert_snapshot!(said(&[Recommendation { agents: 25, ..own }], Language::En), @r"
    Recommended: Call in 25 agents for north-phone, 06:00–10:00 (UTC).
    Together these bring up to 25 at 14:30, when 20 are missing.
    ");
    assert_eq!(said(&[], Language::En), "");
}
