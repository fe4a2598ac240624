//! `[kafka]`.

use std::collections::BTreeMap;

use super::{Consumer, Producer, Settings};
use crate::config::Reader;

const BROKERS: &str = "use a list of host:port, such as [\"127.0.0.1:9092\"]";

/// Reads the section, if it exists. The client library checks the properties. Opens no connection.
pub fn read(section: Reader<'_>) -> Option<Settings> {
    let there = section.is_there();
    let mut settings = Settings::at(brokers(&section).join(","));
    let topic = |key, default: &mut String| {
        if let Some(name) = section.text(key, "use a topic's name") {
            *default = name;
        }
    };
    if let Some(group) = section.text("group", "use a consumer group's name") {
        settings.group = group;
    }
    topic("alarms", &mut settings.topics.alarms);
    topic("tickets", &mut settings.topics.tickets);
    topic("maintenance", &mut settings.topics.maintenance);
    let properties = section.section("properties");
    settings.properties = properties.flattened();
    read_password(&section, &mut settings.properties);
    if there {
        let checked = settings.check();
        let checked = checked.and_then(|()| Consumer::check(&settings));
        if let Err(problem) = checked.and_then(|()| Producer::check(&settings)) {
            section.problem("properties", problem.to_string());
        }
    }
    section.finish();
    there.then_some(settings)
}

/// The password for SASL, from a file of its own.
fn read_password(section: &Reader<'_>, properties: &mut BTreeMap<String, String>) {
    const KEY: &str = "password_file";
    let Some((path, text)) = section.secret_file(KEY) else { return };
    let password = text.trim();
    if password.is_empty() {
        section.problem(KEY, format!("{} is empty: put the password into it", path.display()));
    } else if properties.insert("sasl.password".into(), password.into()).is_some() {
        let text = "the password is given twice: leave out sasl.password of kafka.properties";
        section.problem(KEY, text.into());
    }
}

fn brokers(section: &Reader<'_>) -> Vec<String> {
    if section.is_there() {
        section.missing("brokers", BROKERS);
    }
    let Some(brokers) = section.list("brokers", BROKERS) else { return Vec::new() };
    for bad in brokers.iter().filter(|broker| !is_broker(broker)) {
        section.problem("brokers", format!("found `{bad}`: {BROKERS}"));
    }
    if brokers.is_empty() {
        section.problem("brokers", format!("found none: {BROKERS}"));
    }
    brokers
}

fn is_broker(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}
