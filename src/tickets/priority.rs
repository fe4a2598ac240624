//! The priority of a ticket, by rule and with its reason.

use serde::{Deserialize, Serialize};

use crate::domain::{Name, Priority, Sentiment, TicketFacts, Topic};

/// The facts about a ticket when it is first seen.
#[derive(Clone, Copy, Debug)]
pub struct FirstLook<'a> {
    pub facts: &'a TicketFacts,
    pub channel: &'a Name,
    pub service: &'a Name,
    /// Whether a critical alarm is active in its region and service.
    pub critical_alarm: bool,
}

/// Why a ticket has its priority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PriorityReason {
    /// The sender gave it this priority or severity.
    Sender { word: Box<str> },
    /// A rule applies. These are the conditions of the rule.
    Rule {
        class: Option<Topic>,
        sentiment: Option<Sentiment>,
        critical_alarm: bool,
        tier: Option<Box<str>>,
        channel: Option<Box<str>>,
        service: Option<Box<str>>,
    },
    /// No rule applies.
    Default,
}

/// A rule: all of its conditions have to hold. An empty list is not a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriorityRule {
    pub classes: Vec<Topic>,
    pub tiers: Vec<String>,
    pub channels: Vec<Name>,
    pub services: Vec<Name>,
    pub sentiment: Option<Sentiment>,
    pub critical_alarm: bool,
    /// The priority that it gives.
    pub priority: Priority,
}

/// Rules in the order in which they are tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriorityRules {
    pub rules: Vec<PriorityRule>,
    /// The priority of tickets to which no rule applies.
    pub default: Priority,
}

impl Default for PriorityRules {
    /// An outage is urgent, the more so while a critical alarm is active or for a customer of a high tier.
    fn default() -> Self {
        let of = PriorityRule::giving;
        let high = || ["gold", "platinum", "premium", "vip", "enterprise"].map(str::to_owned);
        let rules = vec![
            PriorityRule { classes: vec![Topic::Outage], critical_alarm: true, ..of(Priority::P1) },
            PriorityRule { classes: vec![Topic::Outage], tiers: high().into(), ..of(Priority::P1) },
            PriorityRule { classes: vec![Topic::Outage], ..of(Priority::P2) },
            PriorityRule {
                classes: vec![Topic::Coverage, Topic::Slow],
                critical_alarm: true,
                ..of(Priority::P2)
            },
            PriorityRule {
                tiers: high().into(),
                sentiment: Some(Sentiment::Negative),
                ..of(Priority::P2)
            },
            PriorityRule { tiers: high().into(), ..of(Priority::P3) },
            PriorityRule { sentiment: Some(Sentiment::Negative), ..of(Priority::P3) },
            PriorityRule {
                classes: vec![Topic::Billing, Topic::Device, Topic::Other],
                ..of(Priority::P4)
            },
        ];
        Self { rules, default: Priority::P3 }
    }
}

impl PriorityRules {
    /// The priority of a ticket: that of the sender's word if the word is known, otherwise that of the first rule that applies.
    pub fn decide(&self, look: &FirstLook<'_>) -> (Priority, PriorityReason) {
        if let Some(word) = &look.facts.priority
            && let Some(priority) = of_sender(word)
        {
            return (priority, PriorityReason::Sender { word: word.clone() });
        }
        match self.rules.iter().find(|rule| rule.fits(look)) {
            Some(rule) => (rule.priority, rule.reason(look)),
            None => (self.default, PriorityReason::Default),
        }
    }
}

impl PriorityRule {
    /// A rule without conditions.
    pub fn giving(priority: Priority) -> Self {
        Self {
            classes: Vec::new(),
            tiers: Vec::new(),
            channels: Vec::new(),
            services: Vec::new(),
            sentiment: None,
            critical_alarm: false,
            priority,
        }
    }

    fn fits(&self, look: &FirstLook<'_>) -> bool {
        let facts = look.facts;
        let is_class = |topic: Topic| self.classes.contains(&topic);
        let is_tier = |tier: &str| self.tiers.iter().any(|own| own.eq_ignore_ascii_case(tier));
        (self.classes.is_empty() || facts.topic.is_some_and(is_class))
            && (self.tiers.is_empty() || facts.tier.as_deref().is_some_and(is_tier))
            && (self.channels.is_empty() || self.channels.contains(look.channel))
            && (self.services.is_empty() || self.services.contains(look.service))
            && (self.sentiment.is_none() || self.sentiment == facts.sentiment)
            && (!self.critical_alarm || look.critical_alarm)
    }

    /// The conditions of the rule, with the values of the ticket.
    fn reason(&self, look: &FirstLook<'_>) -> PriorityReason {
        let facts = look.facts;
        let named =
            |list_is_empty: bool, name: &Name| (!list_is_empty).then(|| name.as_str().into());
        PriorityReason::Rule {
            class: facts.topic.filter(|_| !self.classes.is_empty()),
            sentiment: self.sentiment,
            critical_alarm: self.critical_alarm,
            tier: facts.tier.clone().filter(|_| !self.tiers.is_empty()),
            channel: named(self.channels.is_empty(), look.channel),
            service: named(self.services.is_empty(), look.service),
        }
    }
}

/// Words of senders for each priority. ITIL's five levels, X.733's severities and the usual words of ticket systems.
const WORDS: [(Priority, &[&str]); 4] = [
    (
        Priority::P1,
        &[
            "p1",
            "1",
            "critical",
            "highest",
            "urgent",
            "emergency",
            "blocker",
            "紧急",
            "特急",
            "严重",
        ],
    ),
    (Priority::P2, &["p2", "2", "high", "major", "高", "重要"]),
    (
        Priority::P3,
        &["p3", "3", "medium", "normal", "moderate", "minor", "standard", "中", "一般", "普通"],
    ),
    (
        Priority::P4,
        &["p4", "4", "p5", "5", "low", "lowest", "planning", "warning", "trivial", "低"],
    ),
];

/// The priority that a sender's word means. `1 - Critical` (ServiceNow) begins with its number.
fn of_sender(text: &str) -> Option<Priority> {
    let text = text.trim().to_lowercase();
    let known = |text: &str| {
        let found = WORDS.iter().find(|(_, words)| words.contains(&text));
        found.map(|(priority, _)| *priority)
    };
    let first = || {
        let first = text.split(|c: char| !c.is_alphanumeric()).next();
        first.filter(|first| first.len() < text.len()).and_then(known)
    };
    known(&text).or_else(first)
}
