//! Intensity of an incident over time: onset, end, and the nights between.

use super::kernel::Kernel;
use super::model::ResponseModel;

/// Minutes of sleep before customers wake, and time constant of delayed complaints, minutes.
const NIGHT: f64 = 420.0;
const HELD: f64 = 120.0;
/// Minutes before customers wake up during which complaints are reduced, minutes afterwards until they are normal, and minutes
/// of a day.
const ASLEEP: f64 = 360.0;
const UP: f64 = 90.0;
const DAY: f64 = 1440.0;

/// Onset, end and waking time of an incident, minutes after the episode's start; they determine its strength.
#[derive(Clone, Copy)]
pub(super) struct IntensityProfile {
    pub(super) onset: f64,
    /// Infinite while it continues.
    pub(super) end: f64,
    /// When customers next wake up after the onset; infinite if it does not matter.
    pub(super) wake: f64,
}

impl IntensityProfile {
    /// Share of a night's complaints that are delayed until morning; it grows with the duration at night.
    pub(super) fn held(self, end: f64) -> f64 {
        let night = end.min(self.wake) - self.onset.max(self.wake - NIGHT);
        if night > 0.0 { 1.0 - (-night / HELD).exp() } else { 0.0 }
    }

    /// Share of sleeping customers: 1 in the middle of the night, 0 by day.
    pub(super) fn asleep(self, at: f64) -> f64 {
        if self.wake.is_infinite() {
            return 0.0;
        }
        let since = (at - self.wake).rem_euclid(DAY);
        if since >= DAY - ASLEEP { 1.0 } else { (1.0 - since / UP).max(0.0) }
    }

    /// The time after which the effect is too small to be evidence.
    pub(super) fn over(self, hold: f64) -> f64 {
        let end = self.end.max(self.onset + hold);
        let morning = if self.held(end) > 0.01 { self.wake } else { end };
        end.max(morning) + 360.0
    }

    /// Number of windows from `from` on that can be evaluated together: the windows of an hour while the intensity hardly
    /// changes.
    pub(super) fn block(self, hold: f64, from: f64, minutes: f64) -> usize {
        let end = self.end.max(self.onset + hold);
        let since = if self.held(end) > 0.01 { from - self.wake } else { f64::INFINITY };
        let asleep = self.asleep(from);
        let near_change = from < self.onset + 90.0
            || (since > -60.0 && since < 360.0)
            || self.asleep(from + 60.0) != asleep
            || (asleep > 0.0 && asleep < 1.0)
            || (from + 60.0 > end && from < end + 90.0);
        if near_change { 1 } else { (60.0 / minutes) as usize }.max(1)
    }

    /// Mean strength over a window that begins `from` minutes after the episode's start.
    pub(super) fn strength(
        self,
        model: &ResponseModel,
        kernel: &Kernel,
        from: f64,
        minutes: f64,
    ) -> f64 {
        let hold = model.ending.hold;
        if from + minutes <= self.onset {
            return 0.0;
        }
        let end = self.end.max(self.onset + hold);
        let near = |change: f64| (from - change).abs() < 60.0;
        let fine = minutes > 15.0 || near(self.onset) || near(end);
        let held = self.held(end);
        let parts = if fine { ((minutes / 10.0).ceil() as usize).max(1) } else { 1 };
        let part = minutes / parts as f64;
        let at = |i: usize| from + (i as f64 + 0.5) * part;
        let strength = |at: f64| {
            model.awake(self.asleep(at)) * kernel.rise(at - self.onset) * kernel.fall(at - end)
                + held * kernel.waking(at - self.wake)
        };
        let sum: f64 = (0..parts).map(|i| strength(at(i))).sum();
        sum / parts as f64
    }
}

#[cfg(test)]
mod tests {
    use super::IntensityProfile;

    #[test]
    fn customers_sleep_every_night_until_they_wake() {
        let intensity = IntensityProfile { onset: 0.0, end: f64::INFINITY, wake: 480.0 };
        for (at, asleep) in
            [(60.0, 0.0), (121.0, 1.0), (479.0, 1.0), (525.0, 0.5), (600.0, 0.0), (1700.0, 1.0)]
        {
            assert_eq!(intensity.asleep(at), asleep, "{at}");
        }
        let morning = IntensityProfile { wake: f64::INFINITY, ..intensity };
        assert_eq!(morning.asleep(300.0), 0.0);
    }
}
