//! Wiring: the command line, configuration and the commands. Nothing uses this room.

pub mod backtest_command;
pub mod check;
pub mod cli;
pub mod clock;
pub mod config;
mod dead_letters;
pub mod demo;
pub mod engine;
pub mod feeds;
mod follower;
mod frontier_command;
mod influx;
mod intake;
mod leadership;
mod log;
mod mapping;
mod outbox;
mod outlook_topic;
pub mod replay;
mod report_command;
pub mod serve;
mod service;
mod sessions;
pub mod simulate_command;
pub mod staffing_command;
pub mod usage;
