//! Alerts of nowcasts, each of which is about one region and service.

use super::*;
use crate::config::core::staffing::default_profiles;
use crate::engine::effects::StoreChange;
use crate::engine::state::State;
use crate::forecast::{ForecastPoint, Nowcast, Reason, Vintage};
use crate::staffing::Rules;

/// A state that sends pages, with windows that are final up to `at(900)`, and with critical alarms of one device since then.
fn state(services: &[&str]) -> State {
    let mut config = config();
    config.issue.staffing = Arc::new(Rules::of_channels(default_profiles()));
    config.issue.vintages_from = Timestamp::MIN;
    config.issue.plans_from = Timestamp::MIN;
    config.issue.alerts_from = Timestamp::MIN;
    config.issue.notify_from = Timestamp::MIN;
    let mut state = State::new(config, Arc::default());
    let mut processor = processor();
    for (n, service) in services.iter().enumerate() {
        let (n, seconds) = (n as i64, 960 + n as i64);
        let text = format!(
            r#"{{"kind":"alarm","event_id":"a{n}","alarm_id":"a{n}","action":"raise","ts":"{}","severity":"critical",
            "type":"lossOfSignal","device":"OLT-7","region":"north","service":"{service}"}}"#,
            at(seconds)
        );
        take(&mut processor, n, seconds, &text);
    }
    for (position, alarm) in &processor.report(None).alarms {
        state.observed.alarms.observe(position, alarm);
    }
    state
}

/// A forecast for the phone channel of a service, ten times the usual number.
fn surge(service: &str, issued_at: Timestamp) -> Nowcast {
    let open = WIDTH.floor(issued_at);
    let point = |step: u32| ForecastPoint {
        start: open + WIDTH.length() * step,
        mean: 200.0,
        quantiles: [170.0, 180.0, 190.0, 200.0, 210.0, 220.0, 230.0],
        baseline: 20.0,
        level: 1.0,
        alarm_effect: 180.0,
    };
    let vintage = Vintage {
        series: SeriesKey::parse(&format!("north/{service}/phone")).expect("a series"),
        issued_at,
        targets: (0..8).map(point).collect(),
        members: Vec::new(),
        causes: Vec::new(),
        surges: None,
        fallback: None,
    };
    Nowcast { vintage, reason: Reason(Vec::new()).into(), after: at(900) }
}

/// In every service the alarms are those of the moment, even if the nowcast is about another service whose windows are final
/// only up to a time before the fault.
#[test]
fn services_with_alarms_of_one_device_are_one_incident_also_between_their_nowcasts() {
    for (with_alarms, pages) in [(&["broadband", "mobile"][..], 1), (&["broadband"], 2)] {
        let mut state = state(with_alarms);
        let mut told = Vec::new();
        for (service, seconds) in [("broadband", 1260), ("mobile", 1400)] {
            let situation = state.observed.situation(&[], at(900), &state.metrics);
            let nowcast = surge(service, at(seconds));
            let effects = state.issuer.take_nowcasts(&situation, &[nowcast]);
            told.extend(effects.changes.into_iter().filter_map(|change| match change {
                StoreChange::Notification(page) => Some(page),
                _ => None,
            }));
        }
        assert_eq!(told.len(), pages, "{told:#?}");
        let open: Vec<&Alert> = state.issuer.alerts.open().collect();
        assert_eq!(open.len(), 2);
        assert_eq!(open[0].incident_id() == open[1].incident_id(), pages == 1, "{open:#?}");
        // The window that is open at both nowcasts is final, and forecast, ten minutes after its end.
        let next = open.iter().map(|alert| alert.trend.next_at);
        assert!(next.into_iter().all(|next| next == Some(at(1800 + 600))), "{open:#?}");
        assert!(open.iter().all(|alert| alert.notes.complaints_upto == Some(at(900))));
    }
}
