//! Hours without tickets: has the series paused, as at a weekend, or is it chance?

use super::prior::Prior;

/// Largest probability of a pause.
const CHANCE_MAX: f64 = 0.98;

/// The time since the last ticket before an origin.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pause {
    /// Hours without a ticket, among hours with known counts.
    pub hours: f64,
    /// Tickets that the shape expects in these hours.
    pub missed: f64,
}

impl Pause {
    /// Probability that no ticket arrives in a window that many hours ahead because the series has paused.
    ///
    /// Counts are dispersed, so the probability of no ticket by chance is that of a negative binomial distribution. A pause
    /// that has lasted for `h` hours lasts for another `l` hours with probability `h / (h + l)`.
    pub(super) fn chance(&self, lead: f64) -> f64 {
        if self.missed <= 0.0 {
            return 0.0;
        }
        let prior = &Prior::shipped().pause;
        let by_chance = (1.0 + prior.dispersion * self.missed).powf(-1.0 / prior.dispersion);
        // Without a missed ticket there is no evidence.
        let odds = prior.odds * (1.0 / by_chance - 1.0);
        let paused = (odds / (1.0 + odds)).min(CHANCE_MAX);
        paused * self.hours / (self.hours + prior.lasting * (lead + 0.5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_needs_missed_tickets_and_becomes_less_certain_with_the_lead() {
        let chance = |hours, missed, lead| Pause { hours, missed }.chance(lead);
        assert_eq!(chance(9.0, 0.0, 1.0), 0.0);
        assert!(chance(9.0, 1.0, 0.0) < 0.1, "{}", chance(9.0, 1.0, 0.0));
        assert!(chance(9.0, 500.0, 0.0) > 0.8, "{}", chance(9.0, 500.0, 0.0));
        assert!(chance(9.0, 500.0, 5.0) < chance(9.0, 500.0, 1.0));
        assert!(chance(1.0, 500.0, 5.0) < 0.5, "a pause of an hour says little about six");
        assert!(chance(9.0, f64::MAX, 1.0) < 1.0);
    }
}
