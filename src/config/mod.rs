//! Configuration: defaults < file (TOML) < environment `SURGECAST__SECTION__KEY` < flags.
//!
//! Here is only the machinery. [`Layers`] are what file, environment and flags say, each value with where it came
//! from; a [`Reader`] takes one section out of them and notes every [`Problem`]. Each room owns its section, its
//! defaults and its checks, in a file `config.rs`; rooms of the core, which read no files, have theirs in [`core`].
//! The application puts all together. The environment knows no case: what it names is lower case.

pub mod core;
mod layers;
mod problem;
mod reader;
mod secret;
mod typed;
mod value;

pub use layers::{Flags, Layers};
pub use problem::{ConfigError, Problem};
pub use reader::Reader;
pub use secret::Secret;
