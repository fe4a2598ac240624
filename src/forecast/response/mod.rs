//! Alarm response: effects of recent alarms and planned work on the tickets of the next six hours, learned from history.
//!
//! A group of alarms of a region and service is an *episode*. The model estimates whether customers notice it, from when on,
//! how strongly and for how long. Odds, size, onset, duration and the channels' curves are learned from weeks of episodes
//! ([`Learned::fit`]). For a current episode they are updated by the tickets since its alarms ([`Learned::read`], Bayes' rule
//! on a grid). The result is a distribution of extra tickets ([`Effect`]), because the mean of "probably nothing, perhaps a
//! lot" is not useful.
//!
//! | module | content |
//! | --- | --- |
//! | `prior` | prior parameters, `models/response.toml` |
//! | `baseline` | expected tickets without alarms: weekly profile × slow level |
//! | `class`, `episode` | alarm classes that are followed by tickets; groups of alarms |
//! | `kernel`, `onset`, `ending`, `work`, `damp`, `scores`, `model` | the learned parts |
//! | `intensity` | intensity of an incident over time |
//! | `context`, `level`, `volatility` | series by site; their level, and its volatility without incidents |
//! | `observations`, `filter`, `explained` | posterior of one episode, given the tickets since its start |
//! | `learn`, `gather`, `curve` | expectation–maximisation over past episodes, the curves by least squares |
//! | `read`, `ahead`, `effect`, `paths` | current episodes and the next six hours |
//! | `learned` | the interface of this module |
//!
//! All functions are pure functions of values before the origin. No state is kept between two calls.

mod ahead;
mod baseline;
mod channels;
mod class;
mod context;
mod curve;
mod damp;
mod effect;
mod ending;
mod episode;
mod explained;
mod filter;
mod fit;
mod gather;
mod intensity;
mod kernel;
mod learn;
mod learned;
mod level;
mod model;
mod observations;
mod onset;
mod paths;
mod prior;
mod read;
mod scores;
#[cfg(test)]
mod tests;
mod volatility;
mod work;

pub use effect::{Effect, Mixture};
pub use learned::Learned;
pub use prior::{ChannelPrior, Prior, PriorError};
pub use read::Reading;
