//! Which needs are worth a page: how probable a need has to be, and the other evidence for it.

use super::*;
use crate::staffing::{Basis, Profile};

/// A need for phone agents from a window on: needed at the 10 % quantile, the mean and the 90 % quantile; ten are on the roster.
#[derive(Clone, Copy)]
struct Case {
    from: usize,
    windows: usize,
    agents: [u32; 3],
    channel: &'static str,
    alarms: bool,
    complaints: f64,
    /// Mean and quantiles of the tickets, if they are not those of the helper.
    tickets: Option<(f64, [f64; 7])>,
    /// Contacts planned for the first two windows of the need, if contacts that wait count.
    arrivals: Option<[f64; 2]>,
}

const PHONE: Case = Case {
    from: 2,
    windows: 4,
    agents: [13, 15, 17],
    channel: "phone",
    alarms: false,
    complaints: 0.0,
    tickets: None,
    arrivals: None,
};

/// What one look at it, as of `now`, brings.
fn see(book: &mut AlertBook, case: Case, now: Timestamp) -> Vec<NotificationKind> {
    let (mut plan, mut vintage) = need(case.channel, now, 10);
    if let Some((mean, quantiles)) = case.tickets {
        for target in &mut vintage.targets {
            (target.mean, target.quantiles) = (mean, quantiles);
        }
    }
    for target in &mut plan.targets[case.from..case.from + case.windows] {
        let [low, agents, high] = case.agents;
        (target.agents_low, target.agents, target.agents_high) = (low, agents, high);
        target.gap = agents as i32 - 10;
    }
    if let Some(arrivals) = case.arrivals {
        plan.basis = Basis::of(&Profile::default_of("phone").expect("a profile")).into();
        let targets = plan.targets[case.from..].iter_mut();
        targets.zip(arrivals).for_each(|(target, arrivals)| target.arrivals = arrivals);
    }
    if case.channel == "email" {
        let profile = Profile::default_of("email").expect("a profile");
        plan.basis = Basis::of(&profile).into();
    }
    let sign = EarlySign {
        scope: plan.series.scope(),
        from: now - Duration::from_secs(1800),
        to: now,
        actual: 9.0,
        usual: 1.0,
        excess: 8.0,
        score: case.complaints,
    };
    let zones = BTreeMap::new();
    let inputs = AlertInputs {
        needs: vec![SeriesNeed { plan: &plan, vintage: &vintage }],
        alarms: if case.alarms { alarms() } else { Vec::new() },
        newer: BTreeMap::new(),
        known: Known::new(),
        complaints: if case.complaints > 0.0 { vec![sign] } else { Vec::new() },
        width: WIDTH,
        finalized_upto: now,
        lateness: Duration::ZERO,
        zones: &zones,
        zone: Zone::UTC,
        work: &[],
    };
    notices(&book.step(&inputs, now))
}

/// The pages of looks at the same need, one window after the other; it comes closer meanwhile.
fn pages(case: Case, looks: usize) -> Vec<NotificationKind> {
    let mut book = AlertBook::default();
    let look = |nth: usize| {
        let case = Case { from: case.from - nth, ..case };
        see(&mut book, case, start() + WIDTH.length() * nth as u32)
    };
    (0..looks).flat_map(look).collect()
}

#[test]
fn a_page_needs_more_certainty_if_there_is_less_evidence() {
    let firing = [NotificationKind::Firing];
    // The limit is 3 agents; these three lack them with a probability of 0.96, 0.70 and 0.59.
    let sure = Case { agents: [13, 14, 16], ..PHONE };
    let likely = Case { agents: [10, 14, 17], ..PHONE };
    let even = Case { agents: [10, 13, 17], ..PHONE };
    let cases = [
        (sure, true),
        (likely, false),
        (Case { alarms: true, ..likely }, true),
        (Case { complaints: 2.5, ..likely }, true),
        (even, false),
        (Case { alarms: true, ..even }, false),
        (Case { complaints: 2.5, ..even }, true),
    ];
    for (case, is_paged) in cases {
        let want: &[NotificationKind] = if is_paged { &firing } else { &[] };
        let Case { agents, alarms, complaints, .. } = case;
        assert_eq!(pages(case, 2), want, "{agents:?}, alarms {alarms}, complaints {complaints}");
    }
}

#[test]
fn a_mean_that_rare_surges_make_up_is_no_need() {
    // Probably nothing happens, perhaps very much: the mean is far above the median, or even above the 90 % quantile.
    let perhaps = (108.0, [4.0, 7.0, 10.0, 14.0, 210.0, 260.0, 310.0]);
    let seldom = (19.0, [0.0, 0.0, 1.0, 2.0, 4.0, 6.0, 240.0]);
    let probably = (108.0, [30.0, 80.0, 95.0, 108.0, 120.0, 140.0, 160.0]);
    let of = |agents, tickets| Case { agents, alarms: true, tickets: Some(tickets), ..PHONE };
    assert_eq!(pages(of([8, 66, 130], perhaps), 2), []);
    assert_eq!(pages(of([4, 18, 8], seldom), 2), []);
    assert_eq!(pages(of([50, 66, 80], probably), 1), [NotificationKind::Firing]);
}

#[test]
fn a_need_hours_ahead_waits_until_it_is_near_or_nearly_certain() {
    let far = Case { from: 12, agents: [11, 14, 17], alarms: true, ..PHONE };
    assert_eq!(pages(far, 9), [], "more than an hour ahead");
    // Two of its windows are near in the tenth look, and the next one confirms it.
    assert_eq!(pages(far, 10), []);
    assert_eq!(pages(far, 11), [NotificationKind::Firing]);
    let certain = Case { agents: [14, 14, 14], ..far };
    assert_eq!(pages(certain, 2), [NotificationKind::Firing]);
    // Critical, but hours ahead: the second forecast is waited for.
    let critical = Case { agents: [18, 19, 20], ..far };
    assert_eq!(pages(critical, 1), []);
    assert_eq!(pages(critical, 2), [NotificationKind::Firing]);
    assert_eq!(pages(Case { from: 2, ..critical }, 1), [NotificationKind::Firing]);
}

#[test]
fn deferred_work_has_to_lack_agents_for_an_hour() {
    let mail = Case { channel: "email", agents: [13, 14, 16], ..PHONE };
    assert_eq!(pages(Case { windows: 3, ..mail }, 2), []);
    assert_eq!(pages(mail, 2), [NotificationKind::Firing]);
    // It can wait for a second forecast, even if it is critical.
    let critical = Case { agents: [18, 19, 20], ..mail };
    assert_eq!((pages(critical, 1), pages(critical, 2)), (vec![], vec![NotificationKind::Firing]));
}

#[test]
fn contacts_left_over_from_one_busy_window_are_no_second_window() {
    let of =
        |arrivals| Case { windows: 2, agents: [18, 19, 20], arrivals: Some(arrivals), ..PHONE };
    assert_eq!(pages(of([300.0, 300.0]), 1), [NotificationKind::Firing]);
    assert_eq!(pages(of([300.0, 30.0]), 1), []);
}

#[test]
fn an_alert_escalates_only_for_a_need_that_is_sure_enough() {
    let mut book = AlertBook::default();
    let mut told = |case: Case, round: u32| see(&mut book, case, start() + WIDTH.length() * round);
    let small = Case { agents: [13, 13, 14], complaints: 2.5, ..PHONE };
    assert_eq!((told(small, 0), told(small, 1)), (vec![], vec![NotificationKind::Firing]));
    let wide = Case { agents: [10, 16, 24], ..small };
    assert_eq!((told(wide, 4), told(wide, 5)), (vec![], vec![]), "it may be nothing");
    let sure = Case { agents: [15, 16, 18], ..small };
    assert_eq!(told(sure, 6), [NotificationKind::Escalated]);
}
