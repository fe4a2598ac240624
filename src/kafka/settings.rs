//! Settings of the clients, and texts of their errors.

use std::collections::BTreeMap;
use std::fmt;

use rdkafka::ClientConfig;
use rdkafka::config::FromClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use thiserror::Error;

use crate::domain::EventKind;

/// Properties that surgecast sets itself: counting depends on them, or they have configuration keys of their own.
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

/// The client id, unless a property sets another one.
const CLIENT_ID: &str = "surgecast";

/// The client's default of `message.max.bytes`.
const RECORD_BYTES_MAX: usize = 1_000_000;

/// The input topics, by kind of event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    pub alarms: String,
    pub tickets: String,
    pub maintenance: String,
}

impl Topics {
    /// All topics with their kinds.
    pub fn every(&self) -> [(&str, EventKind); 3] {
        [
            (&self.alarms, EventKind::Alarm),
            (&self.tickets, EventKind::Ticket),
            (&self.maintenance, EventKind::Maintenance),
        ]
    }

    /// The kind of a topic's events, for events without a kind of their own.
    pub fn kind_of(&self, topic: &str) -> Option<EventKind> {
        self.every().into_iter().find(|(name, _)| *name == topic).map(|(_, kind)| kind)
    }

    /// The topic for events of a kind.
    pub fn of(&self, kind: EventKind) -> &str {
        match kind {
            EventKind::Alarm => &self.alarms,
            EventKind::Ticket => &self.tickets,
            EventKind::Maintenance => &self.maintenance,
        }
    }
}

/// Why a client's operation failed: what was tried, the broker's answer, what would work.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct KafkaProblem(pub String);

/// Settings of the clients: brokers, group, topics, properties.
#[derive(Clone)]
pub struct Settings {
    /// Comma-separated `host:port`.
    pub brokers: String,
    pub group: String,
    pub topics: Topics,
    /// Other properties of librdkafka, passwords included.
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
    /// Default settings for these brokers: comma-separated `host:port`.
    pub fn at(brokers: String) -> Self {
        let topics = Topics {
            alarms: "network.alarms".into(),
            tickets: "support.tickets".into(),
            maintenance: "network.maintenance".into(),
        };
        Self { brokers, group: "surgecast".into(), topics, properties: BTreeMap::new() }
    }

    /// Checks the properties. Opens no connection.
    ///
    /// # Errors
    /// [`KafkaProblem`] naming the property, never its value.
    pub fn check(&self) -> Result<(), KafkaProblem> {
        for key in self.properties.keys() {
            if OURS.contains(&key.as_str()) {
                let text = format!("{key} is set by surgecast: remove it");
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

    /// Topic of the replicated log, with one partition. `surgecast.partials`, unless the group has another name: two
    /// systems on one cluster do not mix.
    pub fn partials(&self) -> String {
        format!("{}.partials", self.group)
    }

    /// Topic of dead letters: the original bytes, with the reason as a header.
    pub fn dead_letters(&self) -> String {
        format!("{}.dead-letters", self.group)
    }

    /// Topic of forecast, staffing, outlook and anomalies, keyed by series.
    pub fn outlook(&self) -> String {
        format!("{}.outlook", self.group)
    }

    /// Topic of the newest state of each alert, keyed by id.
    pub fn alerts(&self) -> String {
        format!("{}.alerts", self.group)
    }

    /// Most bytes of a record that the client sends.
    pub(super) fn record_bytes_max(&self) -> usize {
        let set = self.properties.get("message.max.bytes").and_then(|bytes| bytes.parse().ok());
        set.unwrap_or(RECORD_BYTES_MAX)
    }

    /// The id by which the broker's tools show this program.
    pub(super) fn client_id(&self) -> &str {
        self.properties.get("client.id").map_or(CLIENT_ID, String::as_str)
    }

    /// Configuration that all clients share.
    pub(super) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("client.id", CLIENT_ID).set("allow.auto.create.topics", "false");
        for (key, value) in &self.properties {
            config.set(key, value);
        }
        config.set("bootstrap.servers", &self.brokers);
        config
    }

    /// Creates and drops a client, to find problems of properties in combination, such as a key file that cannot be read.
    /// The client gets no broker, so it opens no connection.
    pub(super) fn try_create<C: FromClientConfig>(
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

    /// Describes an error and what to do about it.
    pub(super) fn problem(&self, error: &KafkaError) -> KafkaProblem {
        let code = error.rdkafka_error_code();
        KafkaProblem(match code {
            Some(code) => self.explain(code),
            None => format!("Kafka at {}: {error}", self.brokers),
        })
    }

    /// Explains an error code to an operator of surgecast.
    pub(super) fn explain(&self, code: Code) -> String {
        let brokers = &self.brokers;
        match code {
            Code::AllBrokersDown
            | Code::BrokerTransportFailure
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::RequestTimedOut => {
                format!(
                    "no broker answers at {brokers}: check that Kafka runs there, and check kafka.brokers"
                )
            }
            Code::Authentication | Code::SaslAuthenticationFailed => format!(
                "the broker at {brokers} refuses the sign-in: check sasl.username, sasl.password and \
                 sasl.mechanism in kafka.properties"
            ),
            Code::SSL => format!(
                "cannot use TLS with {brokers}: check security.protocol and ssl.ca.location in kafka.properties"
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
            Code::MessageSizeTooLarge => format!(
                "a record is larger than {brokers} accepts: raise max.message.bytes of its topic, and message.max.bytes in \
                 kafka.properties"
            ),
            Code::NotLeaderForPartition | Code::LeaderNotAvailable => format!(
                "a partition at {brokers} has no leader yet: this is usual for some seconds after a topic is created or a \
                 broker starts; if it lasts, check the brokers"
            ),
            other => format!("Kafka at {brokers}: {other}"),
        }
    }
}

/// Whether a code only means that no broker answered, without a reason.
pub(super) fn is_no_answer(code: Code) -> bool {
    matches!(
        code,
        Code::AllBrokersDown
            | Code::BrokerTransportFailure
            | Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::Resolve
    )
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
    fn properties_are_checked_and_values_are_not_shown() {
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
