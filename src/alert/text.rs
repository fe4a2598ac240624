//! Texts of alerts: place, time, number of agents, causes and action.

use std::collections::BTreeSet;

use super::book::{REPORT_RULE, TEST_RULE};
use super::brief;
use super::steps;
use super::{Alert, AlertSeverity, AlertState, Cause, NeedStep, Shortfall};
use crate::domain::Name;
use crate::staffing::{Kind, Recommendation};
use crate::text::{Say, Texts, args};

/// Maximum number of recommendations in the text of a page.
const RECOMMENDED_MAX: usize = 5;

impl Alert {
    /// The title: one line that fits a phone's lock screen.
    pub fn title(&self, texts: &Texts) -> String {
        if self.rule == TEST_RULE {
            let is_over = self.state == AlertState::Resolved;
            return texts.text(if is_over { "page-test-over" } else { "page-test-title" }, None);
        }
        let texts = self.reader(texts);
        if self.rule == REPORT_RULE {
            let at = texts.day_time(self.since);
            return texts.text("page-report-title", args!["at" => at]);
        }
        if let Some(found) = &self.finding {
            return found.title(self, &texts);
        }
        self.title_of(self.scope.to_string(), &self.need(), &texts)
    }

    /// The title for another scope and need: those of the incident.
    pub(super) fn title_of(&self, scope: String, steps: &[NeedStep], texts: &Texts) -> String {
        if self.state == AlertState::Resolved {
            return texts.text("alert-title-resolved", args!["scope" => scope]);
        }
        let need = brief::headline(steps, self.as_of(), texts);
        let (id, args) = match (need, self.severity) {
            (None, _) => ("alert-title-eased", args!["scope" => scope]),
            (Some(need), AlertSeverity::Critical) => {
                ("alert-title-critical", args!["scope" => scope, "need" => need])
            }
            (Some(need), AlertSeverity::Warning | AlertSeverity::Info) => {
                ("alert-title", args!["scope" => scope, "need" => need])
            }
        };
        texts.text(id, args)
    }

    /// The text of the page, one fact per line; with its title at most 300 words.
    pub fn body(&self, texts: &Texts) -> String {
        if self.rule == TEST_RULE {
            return texts.text("page-test-text", None);
        }
        let local = self.reader(texts);
        if let (AlertState::Resolved, Some(found)) = (self.state, &self.finding) {
            return found.resolved(self, &local);
        }
        if self.state == AlertState::Resolved {
            let args = args![
                "scope" => self.scope.to_string(),
                "from" => local.moment(self.since),
                "to" => local.moment(self.as_of()),
                "zone" => self.zone.to_string(),
            ];
            let resolved = local.text("alert-resolved", args);
            let left = brief::below_limits(&self.notes.below_limits, &local);
            return [resolved].into_iter().chain(left).collect::<Vec<_>>().join("\n");
        }
        let used = brief::words(&self.title(texts));
        let lines = match &self.finding {
            Some(found) => found.lines(self, &local),
            None => brief::lines(self, &local),
        };
        brief::fit(lines, brief::WORDS_MAX.saturating_sub(used), &local).join("\n")
    }

    /// Sets the time zone of the region and the time of the alert's facts.
    pub(super) fn reader(&self, texts: &Texts) -> Texts {
        texts.local(self.zone).as_of(self.as_of())
    }

    /// The need of a channel at the worst instant.
    pub(super) fn shortfall(&self, short: &Shortfall, texts: &Texts) -> String {
        let line = short.say(texts);
        match self.notes.left_over.contains(&short.series.channel) {
            true => texts.text("alert-shortfall-left-over", args!["shortfall" => line]),
            false => line,
        }
    }

    /// A line for each open recommendation for the alert's series, and how many agents they bring together when the most agents
    /// are missing.
    pub(super) fn advice_of(&self, steps: &[NeedStep], texts: &Texts) -> Vec<brief::Line> {
        let line = |own: &Recommendation| {
            let text = own.say(texts);
            match self.served_by(own, texts) {
                None => (3, texts.text("advice-recommended", args!["text" => text])),
                Some(services) => {
                    let args = args!["text" => text, "services" => services];
                    (3, texts.text("advice-recommended-for", args))
                }
            }
        };
        let shown = self.recommended.iter().take(RECOMMENDED_MAX).map(line);
        shown.chain(self.advice_sum(steps, texts).map(|sum| (2, sum))).collect()
    }

    /// The services of the region that the team of a recommendation serves, if there are several.
    fn served_by(&self, own: &Recommendation, texts: &Texts) -> Option<String> {
        // Of a move, the series are those of both teams.
        let of_team = own.series.iter().filter(|_| own.kind != Kind::Move);
        let here = of_team.filter(|s| s.region.is_all() || s.region == self.scope.region);
        let services: BTreeSet<&Name> = here.map(|series| &series.service).collect();
        let is_only = services.iter().all(|service| **service == self.scope.service);
        match services.iter().any(|service| service.is_all()) {
            _ if is_only => None,
            true => Some(texts.text("name-all-services", None)),
            false => Some(texts.list(services.into_iter().map(Name::as_str))),
        }
    }

    /// How many agents the recommendations bring when the most agents are missing, and how many are still missing then.
    fn advice_sum(&self, steps: &[NeedStep], texts: &Texts) -> Option<String> {
        let most = steps::peak(steps)?;
        let bringing = || self.recommended.iter().filter(|own| own.kind.brings());
        let then = bringing().filter(|own| own.covers(most.from.max(self.as_of())));
        let brought: i64 = then.map(|own| own.beside_roster(&own.team).max(0)).sum();
        bringing().next()?;
        let left = (i64::from(most.agents) - brought).max(0);
        let args = args![
            "n" => brought,
            "missing" => most.agents,
            "left" => left,
            "at" => texts.moment(most.from),
        ];
        Some(texts.text("advice-sum", args))
    }

    /// The causes of the alert, each as a clause.
    pub fn causes(&self, texts: &Texts) -> Vec<String> {
        let texts = self.reader(texts);
        self.because.iter().map(|cause| cause.say(&texts)).collect()
    }
}

impl Say for Shortfall {
    fn say(&self, texts: &Texts) -> String {
        let id = if self.rostered { "alert-shortfall-rostered" } else { "alert-shortfall-usual" };
        let args = args![
            "channel" => texts.channel(self.series.channel.as_str()),
            "agents" => self.agents,
            "at" => texts.moment(self.at),
            "scheduled" => self.scheduled,
            "gap" => self.gap,
            "tickets" => self.arrivals.round() as i64,
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
                let (severity, since) = (texts.severity(*severity), texts.moment(*since));
                let mut args = args!["n" => *n, "severity" => severity, "since" => since];
                let id = match (alarm_type, &mut args) {
                    (Some(alarm_type), Some(args)) => {
                        args.set("type", brief::short(alarm_type));
                        "cause-alarms"
                    }
                    _ => "cause-alarms-untyped",
                };
                let mut parts = vec![texts.text(id, args)];
                if let Some(device) = device {
                    let args = args!["device" => brief::short(device)];
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
                let (from, to) = (texts.moment(*from), texts.moment(*to));
                texts.text("cause-overrun", args!["from" => from, "to" => to, "n" => *alarms])
            }
            Self::Adjustment { label, tickets } => {
                let sign = if *tickets > 0.0 { "+" } else { "" };
                let tickets = format!("{sign}{}", texts.number(*tickets, 0));
                let args = args!["label" => brief::short(label), "tickets" => tickets];
                texts.text("cause-adjustment", args)
            }
            Self::Complaints { actual, usual, since, until } => {
                let mut args = args![
                    "tickets" => actual.round() as i64,
                    "usual" => texts.number(*usual, 1),
                    "since" => texts.moment(*since),
                ];
                let id = match (until, &mut args) {
                    (Some(until), Some(args)) => {
                        args.set("until", texts.moment(*until));
                        "cause-complaints"
                    }
                    _ => "cause-complaints-since",
                };
                texts.text(id, args)
            }
        }
    }
}
