//! Integration tests: one binary for all tests that run the real program.

mod annotations;
mod attacks;
mod backtest;
mod backup;
mod bad_input;
mod boards;
mod cli;
mod demo;
mod deploy;
mod docs;
mod files;
mod imports;
mod many;
mod metrics;
mod nowcasts;
mod openapi;
mod page;
mod planners;
mod program;
mod purity;
mod real;
mod receivers;
mod replay;
mod serve;
mod store_files;
mod teams;
