//! One binary for all tests that look at the program from outside.

mod backtest;
mod bad_input;
mod cli;
mod demo;
mod many;
mod metrics;
mod nowcasts;
mod openapi;
mod page;
mod planners;
mod program;
mod purity;
mod real;
mod replay;
mod serve;
