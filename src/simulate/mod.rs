//! A telecom operator to try surgecast on: seeded, documented, the same bytes for the same seed.
//!
//! | what | how |
//! | --- | --- |
//! | ordinary days | daily shape per channel in local time × weekday × holidays × billing day × growth of 1 % in four weeks |
//! | day-to-day level | AR(1) on the log per region, coefficient 0.6, innovations of about 7 % |
//! | outages | 0.35 a region and day: 4–21 alarms within minutes, complaints after a median of 25 minutes; at night (local 0–6 h) only from 7 in the morning on |
//! | channels | complaints rise and fall with 15/45 minutes by phone, 25/60 in the chat, 90/240 by mail |
//! | surges without alarms | 0.15 a region and day: three in ten of all surges |
//! | severe alarms without tickets | harmless groups (1.2 a day) and flapping devices (0.5 a day): more than half of all severe alarms |
//! | chatter | 40 minor alarms and warnings a region and day |
//! | planned work | 0.2 a region and day, announced a day ahead; one in six overruns into the morning |
//! | arrival of records | 1–150 s after the event for tickets, up to a minute for alarms: slightly out of order |
//!
//! That is the family `exponential`. [`Family::LongTail`], [`Family::TwoHumps`] and [`Family::Rebound`] have the same
//! ordinary days and other responses.
//!
//! Knows nothing of files or clocks: hours go in, records come out.

mod config;
mod course;
mod exponential;
mod family;
mod incident;
mod long_tail;
mod operator;
mod plan;
mod rebound;
mod response;
mod shape;
#[cfg(test)]
mod tests;
mod two_humps;
mod write;

pub use config::{OperatorConfig, Part, RegionConfig};
pub use family::Family;
pub use incident::{Incident, IncidentKind, Spell};
pub use operator::{Operator, QUARTER, SimEvent, TrueRate};
