//! Stretches of time with a constant number of people, from numbers that change every half hour.

/// A constant number over the steps `from..to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) people: u32,
}

impl Stretch {
    pub(super) fn steps(&self) -> std::ops::Range<usize> {
        self.from..self.to
    }
}

/// The inputs of a stretch.
pub(super) struct Profile<'a> {
    /// Number of wanted people in each step, and the maximum available.
    pub(super) wanted: &'a [u32],
    pub(super) room: &'a [u32],
    /// Hours of each step.
    pub(super) hours: &'a [f64],
    pub(super) least_hours: f64,
    pub(super) least_people: u32,
    /// Cost of one person too many, where one missing person costs 1.
    pub(super) excess: f64,
}

/// The stretch with the highest value; `None` if no stretch has a value. No step gets more people than are available.
pub(super) fn best(profile: &Profile<'_>) -> Option<Stretch> {
    let mut found: Option<(f64, Stretch)> = None;
    for from in 0..profile.wanted.len() {
        let (mut room, mut most, mut hours) = (u32::MAX, 0, 0.0);
        for to in from + 1..=profile.wanted.len() {
            room = room.min(profile.room[to - 1]);
            most = most.max(profile.wanted[to - 1]);
            hours += profile.hours[to - 1];
            let highest = room.min(most);
            if room < profile.least_people {
                break;
            }
            if hours + 1e-9 < profile.least_hours || highest < profile.least_people {
                continue;
            }
            for people in numbers(&profile.wanted[from..to], profile.least_people, highest) {
                let stretch = Stretch { from, to, people };
                let worth = worth(profile, &stretch);
                if worth > found.map_or(1e-9, |(best, _)| best + 1e-9) {
                    found = Some((worth, stretch));
                }
            }
        }
    }
    found.map(|(_, stretch)| stretch)
}

/// Candidate numbers, one of which is optimal: the numbers of the steps, within limits.
fn numbers(wanted: &[u32], least: u32, most: u32) -> Vec<u32> {
    let mut numbers: Vec<u32> = wanted.iter().map(|n| (*n).clamp(least, most)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Hours of wanted people, minus the cost of people who are not wanted.
fn worth(profile: &Profile<'_>, stretch: &Stretch) -> f64 {
    let step = |at: usize| {
        let (wanted, people) = (profile.wanted[at], stretch.people);
        let gained = f64::from(wanted.min(people));
        let excess = f64::from(people.saturating_sub(wanted));
        (gained - profile.excess * excess) * profile.hours[at]
    };
    stretch.steps().map(step).sum()
}
