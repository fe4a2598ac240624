//! Compares the service that the model expected with the service that was attained.

/// Number of contacts at which an observation has the same weight as the model.
pub const CALIBRATION_PRIOR: f64 = 500.0;
/// Lower and upper limit of the factor.
pub const CALIBRATION_BOUNDS: (f64, f64) = (0.5, 1.25);

/// The service that a model expected for past contacts, and the service that they attained.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Calibration {
    /// Contacts of windows with a plan.
    pub contacts: f64,
    /// Contacts that were expected to be served in time.
    pub expected: f64,
    /// Contacts that were served in time.
    pub attained: f64,
}

impl Calibration {
    /// Adds the contacts of a window for which the plan expected this service level (0–1).
    pub fn add(&mut self, contacts: u32, in_time: u32, level: f64) {
        self.contacts += f64::from(contacts);
        self.expected += f64::from(contacts) * level.clamp(0.0, 1.0);
        self.attained += f64::from(in_time.min(contacts));
    }

    /// Adds the contacts of another calibration.
    pub fn plus(&mut self, other: &Self) {
        self.contacts += other.contacts;
        self.expected += other.expected;
        self.attained += other.attained;
    }

    /// The service level that was expected, 0–1; `None` without contacts.
    pub fn expected_level(&self) -> Option<f64> {
        (self.contacts > 0.0).then(|| self.expected / self.contacts)
    }

    /// The service level that was attained, 0–1; `None` without contacts.
    pub fn attained_level(&self) -> Option<f64> {
        (self.contacts > 0.0).then(|| self.attained / self.contacts)
    }

    /// The weight of the observed ratio, 0–1: n / (n + k), Bühlmann's credibility.
    pub fn weight(&self) -> f64 {
        self.contacts / (self.contacts + CALIBRATION_PRIOR)
    }

    /// The factor by which an expected service level is multiplied: the ratio of attained to expected, shrunk towards 1 and
    /// bounded. It is 1 without contacts, and if no contact was expected to be served in time.
    pub fn factor(&self) -> f64 {
        if self.expected <= 0.0 {
            return 1.0;
        }
        let ratio = self.attained / self.expected;
        let (least, most) = CALIBRATION_BOUNDS;
        (1.0 + self.weight() * (ratio - 1.0)).clamp(least, most)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(contacts: u32, in_time: u32, level: f64) -> Calibration {
        let mut own = Calibration::default();
        own.add(contacts, in_time, level);
        own
    }

    #[test]
    fn the_factor_is_the_ratio_shrunk_to_one() {
        let cases = [
            (of(0, 0, 0.8), 1.0),
            // Half of the weight.
            (of(500, 355, 0.84), 1.0 + 0.5 * (355.0 / 420.0 - 1.0)),
            (of(4500, 3195, 0.84), 1.0 + 0.9 * (0.71 / 0.84 - 1.0)),
            (of(1_000_000, 0, 0.8), 0.5),
            (of(1_000_000, 1_000_000, 0.2), 1.25),
            (of(100, 50, 0.0), 1.0),
        ];
        for (own, expected) in cases {
            assert!((own.factor() - expected).abs() < 1e-12, "{own:?}: {}", own.factor());
        }
        let own = of(100, 71, 0.84);
        assert_eq!((own.expected_level(), own.attained_level()), (Some(0.84), Some(0.71)));
        assert_eq!(Calibration::default().expected_level(), None);
    }

    proptest! {
        /// The factor lies within its bounds, and between 1 and the observed ratio.
        #[test]
        fn the_factor_stays_within_its_bounds(
            windows in prop::collection::vec((0..5_000_u32, 0.0..=1.0_f64, 0.0..=1.0_f64), 0..10),
        ) {
            let mut own = Calibration::default();
            for (contacts, share, level) in windows {
                own.add(contacts, (f64::from(contacts) * share) as u32, level);
            }
            let (least, most) = CALIBRATION_BOUNDS;
            let factor = own.factor();
            prop_assert!((least..=most).contains(&factor));
            if own.expected > 0.0 {
                let ratio = own.attained / own.expected;
                let (low, high) = (ratio.min(1.0).max(least), ratio.max(1.0).min(most));
                prop_assert!(factor >= low - 1e-9 && factor <= high + 1e-9, "{ratio}: {factor}");
            }
        }

        /// With more contacts and the same outcome, the factor is nearer to the observed ratio.
        #[test]
        fn more_contacts_weigh_more(contacts in 1..5_000_u32, level in 0.3..=0.9_f64) {
            let few = of(contacts, contacts / 2, level);
            let many = of(contacts * 2, contacts / 2 * 2, level);
            prop_assert!(many.weight() > few.weight());
        }
    }
}
