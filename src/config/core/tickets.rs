//! `[tickets]` and `[sla.NAME]`: how urgent tickets are, and by when they have to be answered and resolved.

use std::time::Duration;

use crate::config::{Reader, Secret};
use crate::domain::{DAY, HOUR, MINUTE, Name, Priority, Sentiment, Topic, WEEK};
use crate::tickets::{PriorityRule, PriorityRules, Sla, TicketPolicy};

const PRIORITIES: [(&str, Priority); 4] =
    [("P1", Priority::P1), ("P2", Priority::P2), ("P3", Priority::P3), ("P4", Priority::P4)];
const SENTIMENTS: [(&str, Sentiment); 3] = [
    ("negative", Sentiment::Negative),
    ("neutral", Sentiment::Neutral),
    ("positive", Sentiment::Positive),
];
const CUSTOMERS: [(&str, bool); 2] = [("hashed", true), ("plain", false)];
/// Maximum time limit of an SLA clock.
const WITHIN_MAX: Duration = Duration::from_secs(90 * DAY.as_secs());

/// Reads both sections, and the key for hashing customer ids, if it is not the store's own key.
pub fn read(root: &Reader<'_>) -> (TicketPolicy, Option<Secret>) {
    let own = TicketPolicy::default();
    let section = root.section("tickets");
    let length = |key, range, own| section.length(key, range).unwrap_or(own);
    let rules: Vec<PriorityRule> = section.array("priority").into_iter().filter_map(rule).collect();
    let built_in = PriorityRules::default();
    let priorities = PriorityRules {
        default: section.word("default_priority", &PRIORITIES).unwrap_or(built_in.default),
        rules: if section.has("priority") { rules } else { built_in.rules },
    };
    let most = section.count("outreach_tickets", 2..=1000);
    let policy = TicketPolicy {
        priorities: priorities.into(),
        slas: slas(root).into(),
        duplicates_within: length("duplicates_within", MINUTE..=WEEK, own.duplicates_within),
        outreach_tickets: most.map_or(own.outreach_tickets, |most| most as u32),
        outreach_within: length("outreach_within", HOUR..=30 * DAY, own.outreach_within),
        keep_customers: length("keep_customers", DAY..=400 * DAY, own.keep_customers),
        hash_customers: section.word("customer_ids", &CUSTOMERS).unwrap_or(own.hash_customers),
    };
    let key = section.secret("customer_key", "customer_key_file");
    section.finish();
    (policy, key)
}

fn rule(entry: Reader<'_>) -> Option<PriorityRule> {
    let priority = entry.word("give", &PRIORITIES);
    entry.missing("give", "use P1, P2, P3 or P4");
    let tiers = entry.list("tiers", "use a list such as [\"gold\", \"vip\"]").unwrap_or_default();
    let rule = PriorityRule {
        classes: words(&entry, "classes", &topics()),
        tiers,
        channels: names(&entry, "channels"),
        services: names(&entry, "services"),
        sentiment: entry.word("sentiment", &SENTIMENTS),
        critical_alarm: entry.flag("critical_alarm").unwrap_or(false),
        ..PriorityRule::giving(priority.unwrap_or(Priority::P4))
    };
    entry.finish();
    priority.map(|_| rule)
}

fn slas(root: &Reader<'_>) -> Vec<Sla> {
    let mut all = Vec::new();
    for (name, section) in root.named("sla") {
        let within = |key| section.length(key, MINUTE..=WITHIN_MAX);
        let (first_response, resolution) = (within("first_response"), within("resolution"));
        if !section.has("first_response") && !section.has("resolution") {
            section.problem_here(
                "has no time: add first_response or resolution, such as \"4h\"".to_owned(),
            );
        }
        let sla = name.map(|name| Sla {
            name,
            regions: names(&section, "regions"),
            services: names(&section, "services"),
            channels: names(&section, "channels"),
            classes: words(&section, "classes", &topics()),
            priorities: words(&section, "priorities", &PRIORITIES),
            first_response,
            resolution,
            warn_percent: section.count("warn_percent", 1..=100).unwrap_or(80) as u32,
        });
        section.finish();
        all.extend(sla);
    }
    all
}

fn topics() -> [(&'static str, Topic); 6] {
    Topic::EVERY.map(|topic| (topic.as_str(), topic))
}

/// A list of values of an enumeration.
fn words<T: Copy>(section: &Reader<'_>, key: &'static str, known: &[(&str, T)]) -> Vec<T> {
    let all = known.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
    let allowed = format!("use a list of {all}");
    let found = section.list(key, &allowed).unwrap_or_default();
    let of = |text: &String| {
        let value = known.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
        if value.is_none() {
            section.problem(key, format!("found `{text}`: {allowed}"));
        }
        value.map(|(_, value)| *value)
    };
    found.iter().filter_map(of).collect()
}

/// A list of names of regions, services or channels.
fn names(section: &Reader<'_>, key: &'static str) -> Vec<Name> {
    let found = section.list(key, "use a list of names").unwrap_or_default();
    let of = |text: &String| match Name::new(text) {
        Ok(name) => Some(name),
        Err(error) => {
            section.problem(key, format!("found `{text}`: {error}"));
            None
        }
    };
    found.iter().filter_map(of).collect()
}
