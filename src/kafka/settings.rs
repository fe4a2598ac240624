//! What a client needs to know, and how its errors read.

use std::collections::BTreeMap;
use std::fmt;

use rdkafka::ClientConfig;
use rdkafka::config::FromClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use thiserror::Error;

use crate::domain::EventKind;

/// Properties that the way of counting depends on, or that have keys of their own.
const OURS: [&str; 9] = [
    "bootstrap.servers",
    "metadata.broker.list",
    "group.id",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.partition.eof",
    "auto.offset.reset",
    "allow.auto.create.topics",
    "isolation.level",
];

/// The topics that are read, by what they carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    pub alarms: String,
    pub tickets: String,
    pub maintenance: String,
}

impl Topics {
    /// Each with its kind.
    pub fn every(&self) -> [(&str, EventKind); 3] {
        [
            (&self.alarms, EventKind::Alarm),
            (&self.tickets, EventKind::Ticket),
            (&self.maintenance, EventKind::Maintenance),
        ]
    }

    /// What a topic's events are where they do not say it.
    pub fn kind_of(&self, topic: &str) -> Option<EventKind> {
        self.every().into_iter().find(|(name, _)| *name == topic).map(|(_, kind)| kind)
    }

    /// Where events of a kind go.
    pub fn of(&self, kind: EventKind) -> &str {
        match kind {
            EventKind::Alarm => &self.alarms,
            EventKind::Ticket => &self.tickets,
            EventKind::Maintenance => &self.maintenance,
        }
    }
}

/// Why a client could not do something: what was tried, what the broker said, what would work.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct KafkaProblem(pub String);

/// Where the cluster is and how to talk to it.
#[derive(Clone)]
pub struct Settings {
    /// `host:port`, with commas between them.
    pub brokers: String,
    pub group: String,
    pub topics: Topics,
    /// Anything else that librdkafka takes; passwords among them.
    pub properties: BTreeMap<String, String>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { brokers, group, .. } = self;
        f.debug_struct("Settings")
            .field("brokers", brokers)
            .field("group", group)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// The defaults, at these brokers: `host:port`, with commas between them.
    pub fn at(brokers: String) -> Self {
        let topics = Topics {
            alarms: "network.alarms".into(),
            tickets: "support.tickets".into(),
            maintenance: "network.maintenance".into(),
        };
        Self { brokers, group: "surgecast".into(), topics, properties: BTreeMap::new() }
    }

    /// Says what is wrong with the properties, without connecting.
    ///
    /// # Errors
    /// [`KafkaProblem`] naming the property, never its value.
    pub fn check(&self) -> Result<(), KafkaProblem> {
        for key in self.properties.keys() {
            if OURS.contains(&key.as_str()) {
                let text = format!("{key} is set by surgecast: take it out");
                return Err(KafkaProblem(text));
            }
        }
        match self.client().create_native_config() {
            Ok(_) => Ok(()),
            Err(KafkaError::ClientConfig(_, why, key, _)) => {
                let secret = ["password", "key", "secret"].iter().any(|word| key.contains(word));
                let why = if secret { "cannot be used".into() } else { why };
                Err(KafkaProblem(format!("{key}: {why}")))
            }
            Err(error) => Err(self.problem(&error)),
        }
    }

    /// The log between those who count and those who forecast: one partition. `surgecast.partials`, unless the
    /// group has another name: two systems on one cluster do not mix.
    pub fn partials(&self) -> String {
        format!("{}.partials", self.group)
    }

    /// Records that were not counted, as they came, with the reason as a header.
    pub fn dead_letters(&self) -> String {
        format!("{}.dead-letters", self.group)
    }

    /// Forecast, staffing, outlook and anomalies, keyed by series.
    pub fn outlook(&self) -> String {
        format!("{}.outlook", self.group)
    }

    /// Alerts as they last were, keyed by id.
    pub fn alerts(&self) -> String {
        format!("{}.alerts", self.group)
    }

    /// What every client has in common.
    pub(super) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("client.id", "surgecast").set("allow.auto.create.topics", "false");
        for (key, value) in &self.properties {
            config.set(key, value);
        }
        config.set("bootstrap.servers", &self.brokers);
        config
    }

    /// Says what a client that is made of `config` would say of the properties together, such as a key that cannot
    /// be read. Knows no broker, so that it connects nowhere.
    pub(super) fn try_out<C: FromClientConfig>(
        &self,
        mut config: ClientConfig,
    ) -> Result<(), KafkaProblem> {
        config.remove("bootstrap.servers");
        match C::from_config(&config) {
            Ok(_) => Ok(()),
            Err(KafkaError::ClientCreation(why)) => Err(KafkaProblem(why)),
            Err(error) => Err(self.problem(&error)),
        }
    }

    /// An error with what to do about it.
    pub(super) fn problem(&self, error: &KafkaError) -> KafkaProblem {
        let code = error.rdkafka_error_code();
        KafkaProblem(match code {
            Some(code) => self.explain(code),
            None => format!("Kafka at {}: {error}", self.brokers),
        })
    }

    /// What a code means to the person who runs this.
    pub(super) fn explain(&self, code: Code) -> String {
        let brokers = &self.brokers;
        match code {
            Code::AllBrokersDown
            | Code::BrokerTransportFailure
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::RequestTimedOut => {
                format!(
                    "no broker answers at {brokers}: is it running, and is kafka.brokers right?"
                )
            }
            Code::Authentication | Code::SaslAuthenticationFailed => format!(
                "the broker at {brokers} refuses the sign-in: check sasl.username, sasl.password and \
                 sasl.mechanism in kafka.properties"
            ),
            Code::SSL => format!(
                "no TLS with {brokers}: check security.protocol and ssl.ca.location in kafka.properties"
            ),
            Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed => format!(
                "the broker at {brokers} does not allow this: give the user read rights on the topics and \
                 the group {}",
                self.group
            ),
            Code::UnknownTopicOrPartition | Code::UnknownTopic => format!(
                "a topic is missing at {brokers}: create it, or let surgecast's user create topics"
            ),
            other => format!("Kafka at {brokers}: {other}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(properties: &[(&str, &str)]) -> Settings {
        let properties = properties.iter();
        let properties = properties.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Settings { properties: properties.collect(), ..Settings::at("127.0.0.1:1".into()) }
    }

    #[test]
    fn properties_are_checked_by_name_and_values_are_not_told() {
        assert_eq!(settings(&[("fetch.message.max.bytes", "4000000")]).check(), Ok(()));
        for (key, value, part) in [
            ("group.id", "other", "set by surgecast"),
            ("no.such.property", "1", "no.such.property"),
            ("security.protocol", "hunter2", "security.protocol"),
            ("fetch.min.bytes", "many", "fetch.min.bytes"),
        ] {
            let error = settings(&[(key, value)]).check().expect_err(key).to_string();
            assert!(error.contains(part), "{error}");
        }
        let sasl = [
            ("security.protocol", "SASL_SSL"),
            ("sasl.mechanism", "SCRAM-SHA-512"),
            ("sasl.username", "noc"),
            ("sasl.password", "hunter2"),
        ];
        assert_eq!(settings(&sasl).check(), Ok(()), "TLS and SCRAM are built in");
        assert!(!format!("{:?}", settings(&sasl)).contains("hunter2"));
    }
}
