//! What the alarms of the last hours and planned work mean for the tickets of the next six, learned from history.
//!
//! Alarms of a region and service that come together are an *episode*. Of each it is asked whether customers
//! notice it at all, from when on, how much, and how long: odds, size, onset, length and the channels' curves
//! are learned from weeks of episodes ([`Learned::fit`]) and, of a single one, from the tickets seen since its
//! alarms ([`Learned::read`], Bayes' rule on a grid). What comes out is a distribution of extra tickets
//! ([`Effect`]), because "probably nothing, perhaps a lot" has no useful mean.
//!
//! | module | what |
//! | --- | --- |
//! | `prior` | figures to start from, `models/response.toml` |
//! | `baseline` | tickets without alarms: a profile of the week times a slow level |
//! | `class`, `episode` | which alarms say anything; which belong together |
//! | `kernel`, `onset`, `ending`, `work`, `damp`, `scores`, `model` | what is learned |
//! | `intensity` | how strongly an incident is felt from minute to minute |
//! | `context`, `level`, `volatility` | series by site; how busy they are, and how far that strays by itself |
//! | `observations`, `filter`, `explained` | one episode, given the tickets since |
//! | `learn`, `gather`, `curve` | expectation–maximisation over past episodes, the curves by least squares |
//! | `read`, `ahead`, `effect`, `paths` | now, and the next six hours |
//! | `learned` | all of it together, for those who forecast |
//!
//! Pure: values before the origin in, values out; nothing is kept between two reads.

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
