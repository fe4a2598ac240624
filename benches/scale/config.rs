//! The forecaster's configuration in benchmarks and in tests with many series.

use std::sync::Arc;
use std::time::Duration;

use surgecast::alert::Escalation;
use surgecast::anomaly::AnomalyRules;
use surgecast::config::core::staffing::default_profiles;
use surgecast::domain::{Timestamp, Zone};
use surgecast::engine::{ForecasterConfig, IssueConfig, RefitConfig};
use surgecast::forecast::Calendar;
use surgecast::staffing::Rules;
use surgecast::window::{AlarmRules, TicketRules};

use super::site::WIDTH;

/// The service's defaults, for forecasts from a time on.
pub fn config(from: Timestamp) -> ForecasterConfig {
    let every = Duration::from_secs(6 * 3600);
    let every_ms = every.as_millis() as i64;
    ForecasterConfig {
        width: WIDTH,
        lateness: Duration::from_secs(600),
        source_timeout: Duration::from_secs(900),
        series_max: 1_000_000,
        alarms: AlarmRules::default(),
        tickets: TicketRules::default(),
        policy: Default::default(),
        customer_key: None,
        nowcasts: true,
        issue: IssueConfig {
            zone: "Asia/Shanghai".parse().unwrap_or(Zone::UTC),
            zones: Default::default(),
            calendars: Default::default(),
            calendar: Arc::new(Calendar::default()),
            staffing: Arc::new(Rules::of_channels(default_profiles())),
            anomalies: AnomalyRules::default(),
            advice: Default::default(),
            tables_patience: Some(Duration::ZERO),
            vintages_from: from,
            plans_from: from,
            alerts_from: from,
            notify_from: from,
            quiet_hours: None,
            alert_rules: Default::default(),
            roster: None,
        },
        refit: Some(RefitConfig {
            width: WIDTH,
            every,
            from: Timestamp::from_millis(from.millis().div_euclid(every_ms) * every_ms),
            used_from: from,
            patience: Duration::from_secs(600),
        }),
        receivers: Vec::new(),
        escalation: Escalation::default(),
        reports: Vec::new(),
    }
}
