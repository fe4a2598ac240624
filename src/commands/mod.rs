//! The commands, one file or folder each, and the command line.

pub mod audit;
mod backtest;
pub mod backup;
pub mod check;
pub mod cli;
pub mod dead_letters;
pub mod demo;
pub mod forget;
pub mod frontier;
pub mod import;
mod man;
pub mod page_test;
pub mod pages;
pub mod replay;
pub mod report;
pub mod serve;
mod silence;
pub mod simulate;
pub mod staffing;
pub mod usage;
mod version;
mod words;
