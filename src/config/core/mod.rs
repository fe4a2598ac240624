//! The sections for rooms of the core, which read no files and have no `config.rs`.

pub mod alarms;
pub mod anomalies;
pub mod forecast;
pub mod recommendations;
pub mod reports;
pub mod rules;
pub mod staffing;
pub mod tickets;
pub mod windows;
