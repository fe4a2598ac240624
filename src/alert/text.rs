//! Texts of alerts: place, time, number of agents, causes and action.

use super::book::TEST_RULE;
use super::{Alert, AlertSeverity, AlertState, Cause, Shortfall};
use crate::staffing::Recommendation;
use crate::text::{Say, Texts, args};

/// Most recommendations in the text of a page.
const RECOMMENDED_MAX: usize = 5;

impl Alert {
    /// The title: one line that fits a phone's lock screen.
    pub fn title(&self, texts: &Texts) -> String {
        if self.rule == TEST_RULE {
            let is_over = self.state == AlertState::Resolved;
            return texts.text(if is_over { "page-test-over" } else { "page-test-title" }, None);
        }
        let texts = texts.local(self.zone);
        let scope = self.scope.to_string();
        if self.state == AlertState::Resolved {
            return texts.text("alert-title-resolved", args!["scope" => scope]);
        }
        let channels = self.shortfalls.iter().map(|short| {
            let channel = texts.channel(short.series.channel.as_str());
            texts.text("alert-channel", args!["channel" => channel, "n" => short.gap])
        });
        let id = match self.severity {
            AlertSeverity::Critical => "alert-title-critical",
            AlertSeverity::Warning => "alert-title",
        };
        let args = args![
            "scope" => scope,
            "n" => self.agents_short,
            "from" => texts.time(self.from),
            "to" => texts.time(self.to),
            "channels" => texts.list(channels),
        ];
        texts.text(id, args)
    }

    /// The text of the page, one fact per line.
    pub fn body(&self, texts: &Texts) -> String {
        if self.rule == TEST_RULE {
            return texts.text("page-test-text", None);
        }
        let texts = texts.local(self.zone);
        let zone = self.zone.to_string();
        if self.state == AlertState::Resolved {
            let args = args![
                "scope" => self.scope.to_string(),
                "from" => texts.time(self.since),
                "to" => texts.time(self.updated_at),
                "zone" => zone,
            ];
            return texts.text("alert-resolved", args);
        }
        let mut lines: Vec<String> =
            self.shortfalls.iter().map(|short| short.say(&texts)).collect();
        for cause in &self.because {
            lines.push(texts.text("alert-because", args!["cause" => cause.say(&texts)]));
        }
        lines.extend(self.recommendations(&texts));
        let args = args![
            "n" => self.agents_short,
            "from" => texts.time(self.from),
            "to" => texts.time(self.to),
            "zone" => zone,
        ];
        lines.push(texts.text("alert-action", args));
        lines.join("\n")
    }

    /// Open recommendations for its series, a line each.
    pub fn recommendations(&self, texts: &Texts) -> Vec<String> {
        let line = |own: &Recommendation| {
            texts.text("advice-recommended", args!["text" => own.say(texts)])
        };
        self.recommended.iter().take(RECOMMENDED_MAX).map(line).collect()
    }

    /// Its causes, each as a clause.
    pub fn causes(&self, texts: &Texts) -> Vec<String> {
        let texts = texts.local(self.zone);
        self.because.iter().map(|cause| cause.say(&texts)).collect()
    }
}

impl Say for Shortfall {
    fn say(&self, texts: &Texts) -> String {
        let id = if self.rostered { "alert-shortfall-rostered" } else { "alert-shortfall-usual" };
        let args = args![
            "channel" => texts.channel(self.series.channel.as_str()),
            "agents" => self.agents,
            "at" => texts.time(self.at),
            "scheduled" => self.scheduled,
            "gap" => self.gap,
            "n" => texts.number(self.arrivals, 0),
            "low" => texts.number(self.arrivals_low, 0),
            "high" => texts.number(self.arrivals_high, 0),
        ];
        texts.text(id, args)
    }
}

impl Say for Cause {
    fn say(&self, texts: &Texts) -> String {
        match self {
            Self::Alarms { n, severity, alarm_type, since, device, flaps, doubtful } => {
                let (severity, since) = (texts.severity(*severity), texts.time(*since));
                let mut args = args!["n" => *n, "severity" => severity, "since" => since];
                let id = match (alarm_type, &mut args) {
                    (Some(alarm_type), Some(args)) => {
                        args.set("type", alarm_type.as_str());
                        "cause-alarms"
                    }
                    _ => "cause-alarms-untyped",
                };
                let mut parts = vec![texts.text(id, args)];
                if let Some(device) = device {
                    let args = args!["device" => device.as_str()];
                    parts.push(texts.text("cause-alarms-device", args));
                }
                if *flaps > 0 {
                    parts.push(texts.text("cause-alarms-flapping", args!["n" => *flaps]));
                }
                if *doubtful > 0 {
                    parts.push(texts.text("cause-alarms-doubtful", args!["n" => *doubtful]));
                }
                texts.parts(parts)
            }
            Self::MoreAlarms { n } => texts.text("cause-more-alarms", args!["n" => *n]),
            Self::NoAlarm => texts.text("cause-no-alarm", None),
            Self::Overrun { from, to, alarms } => {
                let (from, to) = (texts.time(*from), texts.time(*to));
                texts.text("cause-overrun", args!["from" => from, "to" => to, "n" => *alarms])
            }
            Self::Adjustment { label, tickets } => {
                let sign = if *tickets > 0.0 { "+" } else { "" };
                let tickets = format!("{sign}{}", texts.number(*tickets, 0));
                let args = args!["label" => label.as_str(), "tickets" => tickets];
                texts.text("cause-adjustment", args)
            }
            Self::Complaints { actual, usual, since } => {
                let (n, usual) = (texts.number(*actual, 0), texts.number(*usual, 1));
                let since = texts.time(*since);
                texts.text("cause-complaints", args!["n" => n, "usual" => usual, "since" => since])
            }
        }
    }
}
