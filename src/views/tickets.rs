//! Service of tickets: open tickets with their priority, compliance with agreements, and customers to call.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{DAY, Timestamp};
use crate::text::{Texts, args};
use crate::tickets::{
    Assessment, Clock, ClockCounts, Compliance as Counts, ComplianceKey, Customer, PriorityReason,
};

/// A clock of an agreement.
#[derive(Debug, Serialize, ToSchema)]
pub struct TicketClock {
    pub due_at: String,
    /// `running`, `at_risk`, `breached`, `met` or `void` (the customer gave up in time).
    pub state: &'static str,
}

impl From<Clock> for TicketClock {
    fn from(clock: Clock) -> Self {
        Self { due_at: clock.due_at.to_string(), state: clock.state.as_str() }
    }
}

/// An open ticket.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenTicket {
    pub ticket_id: String,
    pub region: String,
    pub service: String,
    pub channel: String,
    /// When it was created, or else first seen.
    pub opened_at: String,
    /// `P1` to `P4`, decided when the ticket was first seen.
    pub priority: &'static str,
    /// Why it has this priority, in the reader's language.
    pub reason: String,
    /// Topic of its text; null without a text.
    pub class: Option<&'static str>,
    /// `negative`, `neutral` or `positive`; null without a text.
    pub sentiment: Option<&'static str>,
    /// The first ticket of the same customer about the same service and topic; null if it repeats none.
    pub duplicate_of: Option<String>,
    /// The agreement whose clocks it has; null without one.
    pub sla: Option<String>,
    pub first_response: Option<TicketClock>,
    pub resolution: Option<TicketClock>,
}

impl OpenTicket {
    /// A ticket with its reason in a language.
    pub fn new(id: &str, own: &Assessment, texts: &Texts) -> Self {
        Self {
            ticket_id: id.to_owned(),
            region: own.series.region.to_string(),
            service: own.series.service.to_string(),
            channel: own.series.channel.to_string(),
            opened_at: own.opened_at.to_string(),
            priority: own.priority.as_str(),
            reason: reason(&own.reason, texts),
            class: own.class.map(|class| class.as_str()),
            sentiment: own.sentiment.map(|sentiment| sentiment.as_str()),
            duplicate_of: own.duplicate_of.as_deref().map(str::to_owned),
            sla: own.sla.as_deref().map(str::to_owned),
            first_response: own.first_response.map(TicketClock::from),
            resolution: own.resolution.map(TicketClock::from),
        }
    }
}

/// Why a ticket has its priority.
fn reason(reason: &PriorityReason, texts: &Texts) -> String {
    let (class, sentiment, critical_alarm, tier, channel, service) = match reason {
        PriorityReason::Sender { word } => {
            return texts.text("priority-by-sender", args!["word" => word.to_string()]);
        }
        PriorityReason::Default => return texts.text("priority-by-default", None),
        PriorityReason::Rule { class, sentiment, critical_alarm, tier, channel, service } => {
            (class, sentiment, critical_alarm, tier, channel, service)
        }
    };
    let mut parts = Vec::new();
    parts.extend(
        class.map(|class| texts.text("priority-if-class", args!["class" => texts.topic(class)])),
    );
    if *critical_alarm {
        parts.push(texts.text("priority-if-alarm", None));
    }
    parts.extend(sentiment.map(|own| texts.text(&format!("priority-if-{}", own.as_str()), None)));
    let named = [
        ("priority-if-tier", tier.as_deref().map(str::to_owned)),
        ("priority-if-channel", channel.as_deref().map(|channel| texts.channel(channel))),
        ("priority-if-service", service.as_deref().map(str::to_owned)),
    ];
    for (id, name) in named {
        parts.extend(name.map(|name| texts.text(id, args!["name" => name])));
    }
    if parts.is_empty() {
        return texts.text("priority-by-rule", None);
    }
    texts.clauses(parts)
}

/// Clocks by what has become of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct SlaClocks {
    pub met: u32,
    pub breached: u32,
    /// Still running, with most of their time over.
    pub at_risk: u32,
    /// Still running, those at risk included.
    pub open: u32,
    /// Met ÷ (met + breached), 0–1; null while none is decided.
    pub met_share: Option<f64>,
}

impl From<&ClockCounts> for SlaClocks {
    fn from(counts: &ClockCounts) -> Self {
        Self {
            met: counts.met,
            breached: counts.breached,
            at_risk: counts.at_risk,
            open: counts.running + counts.at_risk,
            met_share: counts.share_met().map(|share| (share * 1e4).round() / 1e4),
        }
    }
}

/// Compliance of the tickets that were created in one week, in one region and service, under one agreement.
#[derive(Debug, Serialize, ToSchema)]
pub struct SlaWeek {
    /// ISO week in the region's zone, such as `2026-W46`.
    pub week: String,
    /// Its Monday.
    pub monday: String,
    pub region: String,
    pub service: String,
    /// The name of the agreement: `[sla.NAME]`.
    pub sla: String,
    /// Tickets with a clock.
    pub tickets: u32,
    /// Those among these tickets that repeat an earlier one of their customer.
    pub duplicates: u32,
    pub first_response: SlaClocks,
    pub resolution: SlaClocks,
}

impl From<&(ComplianceKey, Counts)> for SlaWeek {
    fn from((key, own): &(ComplianceKey, Counts)) -> Self {
        let monday = NaiveDate::from_epoch_days(key.monday).unwrap_or_default();
        Self {
            week: monday.format("%G-W%V").to_string(),
            monday: monday.to_string(),
            region: key.scope.region.to_string(),
            service: key.scope.service.to_string(),
            sla: key.sla.to_string(),
            tickets: own.tickets,
            duplicates: own.duplicates,
            first_response: (&own.first_response).into(),
            resolution: (&own.resolution).into(),
        }
    }
}

/// A customer to be called: several tickets, or a breached clock.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutreachRow {
    /// A keyed hash of the customer's id, or the id itself with `tickets.customer_ids = "plain"`.
    pub customer: String,
    /// Region, service and channel of the newest ticket.
    pub region: String,
    pub service: String,
    pub channel: String,
    /// Tickets in `tickets.outreach_within` before the newest one.
    pub tickets: u32,
    /// Open ones among these tickets.
    pub open: u32,
    /// Repeated ones among these tickets.
    pub duplicates: u32,
    /// Those among these tickets with a breached clock.
    pub breached: u32,
    /// Those among these tickets with a negative text.
    pub negative: u32,
    /// The most urgent priority of these tickets.
    pub priority: &'static str,
    /// Topic of the newest ticket with a text.
    pub class: Option<&'static str>,
    pub first_at: String,
    pub last_at: String,
    /// Why to call, in the reader's language.
    pub reasons: Vec<String>,
    /// The newest tickets, at most ten, the newest first.
    pub ticket_ids: Vec<String>,
}

impl OutreachRow {
    /// A customer with reasons in a language.
    pub fn new(id: &str, own: &Customer, texts: &Texts) -> Self {
        Self {
            customer: id.to_owned(),
            region: own.series.region.to_string(),
            service: own.series.service.to_string(),
            channel: own.series.channel.to_string(),
            tickets: own.tickets,
            open: own.open,
            duplicates: own.duplicates,
            breached: own.breached,
            negative: own.negative,
            priority: own.priority.as_str(),
            class: own.class.map(|class| class.as_str()),
            first_at: own.first_at.to_string(),
            last_at: own.last_at.to_string(),
            reasons: reasons(own, texts),
            ticket_ids: own.ticket_ids.iter().map(|id| id.to_string()).collect(),
        }
    }
}

fn reasons(own: &Customer, texts: &Texts) -> Vec<String> {
    let count = |id: &str, n: u32| texts.text(id, args!["n" => n]);
    let days = own.within_seconds.div_ceil(DAY.as_secs());
    let mut all = Vec::new();
    if own.breached > 0 {
        all.push(count("outreach-breached", own.breached));
    }
    if own.are_several {
        all.push(texts.text("outreach-several", args!["n" => own.tickets, "days" => days]));
    }
    if own.duplicates > 0 {
        all.push(count("outreach-repeated", own.duplicates));
    }
    if own.negative > 0 {
        all.push(count("outreach-negative", own.negative));
    }
    all
}

/// The earliest day on which one of the newest weeks may begin, as days since 1970-01-01. The week of `now` is one of them.
pub fn first_monday(now: Timestamp, weeks: u32) -> i32 {
    let today = i32::try_from(now.secs().div_euclid(86_400)).unwrap_or(i32::MAX);
    let days = i32::try_from(weeks).unwrap_or(520).saturating_mul(7);
    today.saturating_sub(days).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_begins_on_monday() {
        let of = |day: &str, weeks| {
            let now = Timestamp::parse(&format!("{day}T12:00:00Z")).expect("a time");
            let first = NaiveDate::from_epoch_days(first_monday(now, weeks)).expect("a day");
            // The first Monday on or after it.
            (0..7)
                .map(|n| first + chrono::Days::new(n))
                .find(|day| day.format("%u").to_string() == "1")
        };
        let day = |text: &str| text.parse::<NaiveDate>().ok();
        assert_eq!(of("2026-03-09", 1), day("2026-03-09"), "a Monday");
        assert_eq!(of("2026-03-15", 1), day("2026-03-09"), "a Sunday");
        assert_eq!(of("2026-03-11", 3), day("2026-02-23"));
    }
}
