//! Starting values: `models/forecaster.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

/// By lead bucket.
pub(super) type ByLead = [f64; 3];
/// Number of regressors of the ratio.
pub(super) const RATIOS: usize = 4;
/// Number of regressors of the difference.
pub(super) const DIFFERENCES: usize = 2;

/// The content of the file. The file documents each key.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Prior {
    pub busyness: Busyness,
    pub days: Vec<Similar>,
    pub width: Width,
    pub pause: Pauses,
    pub siblings: Siblings,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Busyness {
    last_hour: ByLead,
    last_hours: ByLead,
    so_far: ByLead,
    day_before: ByLead,
    difference_of_hour: ByLead,
    difference_of_hours: ByLead,
    pub weight: f64,
}

impl Busyness {
    /// Coefficients of the ratio in a lead bucket.
    pub(super) fn ratios(&self, bucket: usize) -> [f64; RATIOS] {
        [&self.last_hour, &self.last_hours, &self.so_far, &self.day_before].map(|c| c[bucket])
    }

    /// Coefficients of the difference in a lead bucket.
    pub(super) fn differences(&self, bucket: usize) -> [f64; DIFFERENCES] {
        [&self.difference_of_hour, &self.difference_of_hours].map(|c| c[bucket])
    }
}

/// Weights of days of the other kind (weekday or weekend), of the same kind, and of the same weekday.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Similar {
    pub belief: f64,
    pub weights: [f64; 3],
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Width {
    pub dispersion: ByLead,
    pub young: f64,
    pub other_weekday: f64,
    pub other_kind: f64,
    pub roughness: f64,
    pub spread: f64,
    pub weight: f64,
    pub weight_of_other_hours: f64,
    pub half_life: f64,
    pub departure: f64,
    pub departure_max: f64,
    pub departure_follows: f64,
    pub shape: f64,
    pub skew: f64,
    pub shapeless: f64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pauses {
    pub odds: f64,
    pub dispersion: f64,
    pub lasting: f64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Siblings {
    pub weight: f64,
}

#[expect(clippy::expect_used, reason = "the file is part of the program and a test reads it")]
static SHIPPED: LazyLock<Prior> = LazyLock::new(|| {
    toml::from_str(include_str!("../../../../models/forecaster.toml")).expect("forecaster.toml")
});

impl Prior {
    /// The values that are included in the program.
    pub(super) fn shipped() -> &'static Self {
        &SHIPPED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beliefs_are_a_distribution_and_similar_days_weigh_more() {
        let prior = Prior::shipped();
        let sum: f64 = prior.days.iter().map(|days| days.belief).sum();
        assert!((sum - 1.0).abs() < 1e-9);
        assert!(prior.days.iter().all(|days| days.weights.is_sorted() && days.weights[0] > 0.0));
        assert!((0..3).all(|b| prior.busyness.ratios(b).iter().sum::<f64>() < 1.0));
    }
}
