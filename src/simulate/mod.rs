//! A simulated telecom operator: the same seed gives the same bytes.
//!
//! | part | model |
//! | --- | --- |
//! | ordinary days | daily profile of the channel in local time × weekday × holidays × billing day × growth of 1 % in four weeks |
//! | day-to-day level | AR(1) on the log per region, coefficient 0.6, innovations of about 7 % |
//! | outages | 0.35 per region and day: 4–21 alarms within minutes, complaints after a median of 25 minutes; at night (local 0–6 h) only from 7 in the morning on |
//! | channels | time constants of complaints: 15/45 minutes for phone, 25/60 for chat, 90/240 for e-mail |
//! | surges without alarms | 0.15 per region and day: three in ten of all surges |
//! | severe alarms without tickets | harmless groups (1.2 a day) and flapping devices (0.5 a day): more than half of all severe alarms |
//! | chatter | 40 minor alarms and warnings per region and day |
//! | planned work | 0.2 per region and day, announced a day ahead; one in six overruns into the morning |
//! | arrival of records | 1–150 s after the event for tickets, up to a minute for alarms: slightly out of order |
//!
//! This is the family `exponential`. [`Family::LongTail`], [`Family::TwoHumps`] and [`Family::Rebound`] have the same
//! ordinary days and other responses.
//!
//! It uses no files and no clocks, and maps hours to records.

mod config;
mod course;
mod exponential;
mod family;
mod incident;
mod long_tail;
mod operator;
mod plan;
mod profile;
mod rebound;
mod response;
#[cfg(test)]
mod tests;
mod two_humps;
mod write;

pub use config::{OperatorConfig, Part, RegionConfig};
pub use family::Family;
pub use incident::{Incident, IncidentKind, Spell};
pub use operator::{Operator, QUARTER, SimEvent, TrueRate};
