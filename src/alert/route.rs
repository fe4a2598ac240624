//! Which pages a receiver gets.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::rules::pages_by_default;
use super::{Alert, AlertSeverity, Notification, NotificationKind};
use crate::domain::{Hours, Name, Timestamp};

/// Receivers that are notified one after another until someone acknowledges an alert, and reminders.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Escalation {
    /// Receivers in this order. All other receivers are notified at once.
    pub order: Vec<String>,
    /// How long each receiver has before the next one is notified.
    pub after: Duration,
    /// Interval of reminders to receivers that were notified; `None` for no reminders.
    pub remind_after: Option<Duration>,
}

/// When a receiver was notified of an alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Notified {
    pub first: Timestamp,
    pub last: Timestamp,
    /// Whether every page to it was given up.
    pub is_lost: bool,
}

impl Escalation {
    /// Receivers of the first page of an alert. `takers` are the receivers whose route accepts the alert. Of the escalation
    /// list, only the first receiver and those that were notified of this alert before are included.
    pub fn first_receivers(&self, takers: &[&str], notified: &BTreeSet<String>) -> Vec<String> {
        let first = self.order.iter().find(|name| takers.contains(&name.as_str()));
        let is_included = |name: &&&str| {
            !self.order.iter().any(|listed| listed == **name)
                || first.is_some_and(|first| first == **name)
                || notified.contains(**name)
        };
        takers.iter().filter(is_included).map(|name| (*name).to_owned()).collect()
    }

    /// Receivers that come on duty while an alert still fires: receivers outside the escalation list that were not notified
    /// yet. `with_duty`: receivers with duty hours.
    pub fn on_duty_now<'n>(
        &self,
        alert: &Alert,
        with_duty: impl Iterator<Item = &'n str>,
        notified: &BTreeMap<String, Notified>,
        takes: impl Fn(&str) -> bool,
        now: Timestamp,
    ) -> Option<Vec<String>> {
        if alert.to <= now || alert.has_eased() {
            return None;
        }
        let is_late = |name: &&str| {
            !self.order.iter().any(|listed| listed == *name)
                && !notified.contains_key(*name)
                && takes(name)
        };
        let late: Vec<String> = with_duty.filter(is_late).map(str::to_owned).collect();
        (!late.is_empty()).then_some(late)
    }

    /// The next receiver of an alert that fires and that nobody has acknowledged. `takes` says whether a receiver gets pages of
    /// it now. For receivers that were notified before, the page is a reminder.
    pub fn next(
        &self,
        alert: &Alert,
        notified: &BTreeMap<String, Notified>,
        takes: impl Fn(&str) -> bool,
        now: Timestamp,
    ) -> Option<(NotificationKind, Vec<String>)> {
        // Do not escalate a shortage that is no longer expected.
        if alert.to <= now || alert.has_eased() {
            return None;
        }
        let next = self.order.iter().find(|name| !notified.contains_key(*name) && takes(name));
        let of_list = || self.order.iter().filter_map(|name| notified.get(name));
        let notified_at =
            of_list().filter(|notified| !notified.is_lost).map(|notified| notified.first).max();
        if let Some(next) =
            next.filter(|_| notified_at.is_none_or(|at| now.since(at) >= self.after))
        {
            return Some((NotificationKind::Firing, vec![next.clone()]));
        }
        let last = notified.values().map(|notified| notified.last).max()?;
        if now.since(last) < self.remind_after? {
            return None;
        }
        let names: Vec<String> = notified.keys().filter(|name| takes(name)).cloned().collect();
        (!names.is_empty()).then_some((NotificationKind::Reminder, names))
    }
}

/// The pages that a receiver gets. Without conditions it gets all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Route {
    /// Rules. If none is named: the rules that page by default.
    pub rules: BTreeSet<String>,
    /// Regions. If none is named: all.
    pub regions: BTreeSet<Name>,
    /// The least severity; `None` for all severities.
    pub min_severity: Option<AlertSeverity>,
    /// When someone is on duty, in the time zone of the alert's region; `None` for always.
    pub duty: Option<Hours>,
}

impl Route {
    /// Whether the receiver gets a page at `now`. The page that an alert is over goes to every receiver that was notified of
    /// the alert (`has_heard`), at any hour.
    pub fn takes(&self, page: &Notification, now: Timestamp, has_heard: bool) -> bool {
        if page.kind == NotificationKind::Resolved {
            return has_heard;
        }
        let alert = &page.alert;
        self.takes_alert(alert) && self.is_on_duty(alert, now)
    }

    /// Whether someone is on duty, in the time zone of an alert.
    pub fn is_on_duty(&self, alert: &Alert, now: Timestamp) -> bool {
        self.duty.as_ref().is_none_or(|duty| duty.covers(now, alert.zone))
    }

    /// Whether the receiver gets pages of an alert while it is on duty.
    pub fn takes_alert(&self, alert: &Alert) -> bool {
        let takes_rule = match self.rules.is_empty() {
            true => pages_by_default(&alert.rule),
            false => self.rules.contains(&alert.rule),
        };
        takes_rule
            && (self.regions.is_empty() || self.regions.contains(&alert.scope.region))
            && self.min_severity.is_none_or(|least| alert.severity >= least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::Trend;
    use crate::alert::tests::firing;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_secs(1_767_225_600 + minutes * 60)
    }

    fn notified(name: &str, first: i64, last: i64, is_lost: bool) -> (String, Notified) {
        (name.to_owned(), Notified { first: at(first), last: at(last), is_lost })
    }

    fn escalation() -> Escalation {
        Escalation {
            order: vec!["lead".into(), "on-call".into(), "boss".into()],
            after: Duration::from_secs(600),
            remind_after: Some(Duration::from_secs(1800)),
        }
    }

    #[test]
    fn the_first_of_the_list_and_everyone_else_are_notified_at_once() {
        let takers = ["boss", "board", "on-call"];
        let notified = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(escalation().first_receivers(&takers, &notified(&[])), ["board", "on-call"]);
        assert_eq!(escalation().first_receivers(&takers, &notified(&["boss"])), takers);
        assert_eq!(Escalation::default().first_receivers(&takers, &notified(&[])), takers);
    }

    #[test]
    fn an_alert_that_nobody_acknowledges_goes_down_the_list_and_is_repeated() {
        let alert = firing(at(0), at(120));
        let next = |known: &[(String, Notified)], minute: i64, off: &str| {
            let known: BTreeMap<String, Notified> = known.iter().cloned().collect();
            escalation().next(&alert, &known, |name| name != off, at(minute))
        };
        let to = |kind, names: &[&str]| {
            Some((kind, names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()))
        };
        let firing = |name| to(NotificationKind::Firing, &[name]);
        let lead = notified("lead", 0, 0, false);
        assert_eq!(next(std::slice::from_ref(&lead), 9, ""), None);
        assert_eq!(next(std::slice::from_ref(&lead), 10, ""), firing("on-call"));
        assert_eq!(
            next(std::slice::from_ref(&lead), 10, "on-call"),
            firing("boss"),
            "who is off duty is left out"
        );
        let on_call = notified("on-call", 10, 10, false);
        assert_eq!(next(&[lead.clone(), on_call.clone()], 19, ""), None);
        assert_eq!(next(&[lead.clone(), on_call.clone()], 20, ""), firing("boss"));
        assert_eq!(
            next(&[notified("lead", 0, 0, true)], 1, ""),
            firing("on-call"),
            "it never arrived"
        );
        assert_eq!(next(&[], 1, "lead"), firing("on-call"), "nobody was on duty before");
        let all = [lead, on_call, notified("boss", 20, 20, false)];
        assert_eq!(next(&all, 49, ""), None);
        let reminder = to(NotificationKind::Reminder, &["boss", "lead", "on-call"]);
        assert_eq!(next(&all, 50, ""), reminder);
        assert_eq!(next(&all, 120, ""), None, "the span is over");
        let trend = Trend { as_of: Some(at(45)), ..Trend::default() };
        let eased = Alert { agents_short: 0, trend, ..alert.clone() };
        let known: BTreeMap<String, Notified> = all.iter().cloned().collect();
        assert_eq!(escalation().next(&eased, &known, |_| true, at(50)), None, "no shortage now");
        let quiet = Escalation { remind_after: None, ..escalation() };
        let all: BTreeMap<String, Notified> = all.into_iter().collect();
        assert_eq!(quiet.next(&alert, &all, |_| true, at(50)), None);
    }
}
