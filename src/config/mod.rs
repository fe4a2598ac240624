//! Configuration: defaults < file (TOML) < environment `SURGECAST__SECTION__KEY` < flags.
//!
//! This room has the common code. [`Layers`] merge file, environment and flags, and keep the origin of each value. A
//! [`Reader`] reads one section and records every [`Problem`]. Each room has its section, defaults and checks in a file
//! `config.rs`. The rooms of the core read no files, so that their sections are in [`core`]. `app::Settings` reads all
//! sections. Keys from environment variables are in lower case.

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
pub use secret::{Secret, SecretFile, one_line};
pub use typed::parse_address;
