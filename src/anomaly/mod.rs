//! Surprise: a window far outside the band that was forecast for it.

mod types;

pub use types::{Anomaly, AnomalyKind};
