//! Integration tests: one binary for all tests that run the real program.

mod attacks;
mod backtest;
mod bad_input;
mod boards;
mod cli;
mod demo;
mod docs;
mod files;
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
mod recommendations;
mod replay;
mod serve;
mod store_files;
mod teams;
