//! The need of a scope as steps: how many agents are missing from when to when.
//!
//! Everything that says how many agents are missing (page, card, topic, API, texts) gets it from here.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::{Name, Timestamp, WindowWidth};
use crate::staffing::Plan;

/// A stretch is joined with the next one only if on average at least this share of its agents is needed.
const FILLED_MIN: f64 = 0.85;
/// Adjacent stretches are joined until at most this many are left.
const STRETCHES_MAX: usize = 3;

/// Agents that are missing over consecutive windows: the same number in each of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NeedStep {
    pub from: Timestamp,
    pub to: Timestamp,
    /// Sum over the channels, the same at each instant of the step.
    pub agents: i32,
    /// Channels that lack agents, with their parts of `agents`, the largest first.
    pub channels: Vec<(Name, i32)>,
}

/// The steps of a need: one for each window of `counted` in which a plan lacks agents; equal neighbours are one step.
/// `plans` are those of one scope, one for each channel.
pub fn steps<'p>(
    plans: impl Iterator<Item = &'p Plan>,
    counted: &BTreeSet<Timestamp>,
    width: WindowWidth,
) -> Vec<NeedStep> {
    let mut windows: BTreeMap<Timestamp, Vec<(Name, i32)>> = BTreeMap::new();
    for plan in plans {
        let short = plan.targets.iter().filter(|t| t.gap > 0 && counted.contains(&t.start));
        for target in short {
            let channel = plan.series.channel.clone();
            windows.entry(target.start).or_default().push((channel, target.gap));
        }
    }
    let mut steps: Vec<NeedStep> = Vec::new();
    for (from, mut channels) in windows {
        channels.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let to = width.end(from);
        match steps.last_mut().filter(|last| last.to == from && last.channels == channels) {
            Some(last) => last.to = to,
            None => {
                let agents = channels.iter().map(|(_, gap)| gap).sum();
                steps.push(NeedStep { from, to, agents, channels });
            }
        }
    }
    steps
}

/// The step with the most missing agents, the first of equal ones.
pub fn peak(steps: &[NeedStep]) -> Option<&NeedStep> {
    steps.iter().reduce(|best, step| if step.agents > best.agents { step } else { best })
}

/// A part of the need for which agents are called in together.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch {
    pub from: Timestamp,
    pub to: Timestamp,
    /// The step with the most missing agents: the number of agents that the stretch needs at most.
    pub peak: NeedStep,
    /// Whether the same number of agents is missing all the time.
    pub is_level: bool,
    /// Missing agents times milliseconds.
    area: f64,
}

impl Stretch {
    fn of(step: &NeedStep) -> Self {
        let area = f64::from(step.agents) * ms(step.from, step.to);
        Self { from: step.from, to: step.to, peak: step.clone(), is_level: true, area }
    }

    /// Both stretches as one; `None` if there is a hole between them.
    fn joined(&self, next: &Self) -> Option<Self> {
        let peak = if next.peak.agents > self.peak.agents { &next.peak } else { &self.peak };
        let is_level = self.is_level && next.is_level && self.peak.agents == next.peak.agents;
        (self.to == next.from).then(|| Self {
            from: self.from,
            to: next.to,
            peak: peak.clone(),
            is_level,
            area: self.area + next.area,
        })
    }

    /// The share of its agents that is needed on average.
    fn filled(&self) -> f64 {
        self.area / (f64::from(self.peak.agents) * ms(self.from, self.to)).max(1.0)
    }
}

fn ms(from: Timestamp, to: Timestamp) -> f64 {
    to.since(from).as_millis() as f64
}

/// Combines steps into a few stretches for which agents can be called in. A stretch has no hole.
pub fn stretches(steps: &[NeedStep]) -> Vec<Stretch> {
    let mut all: Vec<Stretch> = steps.iter().map(Stretch::of).collect();
    loop {
        let pairs = all.windows(2).enumerate();
        let joined = pairs.filter_map(|(at, pair)| Some((at, pair[0].joined(&pair[1])?)));
        let few = |(at, pair): &(usize, Stretch)| {
            pair.filled() >= FILLED_MIN || run(&all, *at) > STRETCHES_MAX
        };
        let fuller = |best: (usize, Stretch), pair: (usize, Stretch)| {
            if pair.1.filled() > best.1.filled() { pair } else { best }
        };
        match joined.filter(few).reduce(fuller) {
            Some((at, pair)) => _ = all.splice(at..=at + 1, [pair]),
            None => return all,
        }
    }
}

/// Number of adjacent stretches around the one at `at`, without a hole between them.
fn run(all: &[Stretch], at: usize) -> usize {
    let after = all[at..].windows(2).take_while(|pair| pair[0].to == pair[1].from).count();
    let before = all[..=at].windows(2).rev().take_while(|pair| pair[0].to == pair[1].from).count();
    before + 1 + after
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::SeriesKey;
    use crate::staffing::PlanTarget;
    use crate::text::Stored;

    const WIDTH: WindowWidth = WindowWidth::QUARTER;

    fn plan(channel: &str, gaps: &[i32]) -> Plan {
        let target = |(at, gap): (usize, &i32)| PlanTarget {
            start: WIDTH.start(at as i64),
            arrivals: 1.0,
            positions: 20,
            agents: 20,
            agents_low: 20,
            agents_high: 20,
            scheduled: Some(20),
            gap: *gap,
            service_level: 0.8,
        };
        Plan {
            series: SeriesKey::parse(&format!("north/tv/{channel}")).expect("a series"),
            issued_at: WIDTH.start(0),
            basis: Stored::Sentence(String::new()),
            targets: gaps.iter().enumerate().map(target).collect(),
        }
    }

    fn all(gaps: &[&[i32]]) -> BTreeSet<Timestamp> {
        let n = gaps.iter().map(|gaps| gaps.len()).max().unwrap_or(0);
        (0..n as i64).map(|at| WIDTH.start(at)).collect()
    }

    /// Windows of a step or stretch and its number: `0-2:13`.
    fn shown(from: Timestamp, to: Timestamp, n: i32) -> String {
        format!("{}-{}:{n}", WIDTH.index(from), WIDTH.index(to))
    }

    #[test]
    fn needs_become_steps_and_stretches() {
        let cases: [(&[&[i32]], &str, &str); 8] = [
            (&[], "", ""),
            (&[&[0, -4, 0]], "", ""),
            (&[&[13, 13, 7, 7]], "0-2:13 2-4:7", "0-2:13 2-4:7"),
            // Spare agents of a channel do not help another one.
            (&[&[8, 8, 0], &[3, -5, 2]], "0-1:11 1-2:8 2-3:2", "0-2:11 2-3:2"),
            // Holes are not covered.
            (&[&[5, 0, 5]], "0-1:5 2-3:5", "0-1:5 2-3:5"),
            // The same sum of other parts is another step, but no other stretch.
            (&[&[4, 2], &[2, 4]], "0-1:6 1-2:6", "0-2:6"),
            (&[&[9, 10, 9, 10, 9, 8]], "0-1:9 1-2:10 2-3:9 3-4:10 4-5:9 5-6:8", "0-6:10"),
            (&[&[1, 5, 1, 5, 1, 5]], "0-1:1 1-2:5 2-3:1 3-4:5 4-5:1 5-6:5", "0-4:5 4-5:1 5-6:5"),
        ];
        for (gaps, want, joined) in cases {
            let plans: Vec<Plan> =
                gaps.iter().zip(["phone", "chat"]).map(|(gaps, name)| plan(name, gaps)).collect();
            let steps = steps(plans.iter(), &all(gaps), WIDTH);
            let of_steps = steps.iter().map(|s| shown(s.from, s.to, s.agents));
            assert_eq!(of_steps.collect::<Vec<_>>().join(" "), want, "{gaps:?}");
            let found = stretches(&steps);
            let of_stretches = found.iter().map(|s| shown(s.from, s.to, s.peak.agents));
            assert_eq!(of_stretches.collect::<Vec<_>>().join(" "), joined, "{gaps:?}");
        }
    }

    proptest! {
        #[test]
        fn steps_say_what_the_plans_say(
            phone in prop::collection::vec(-9i32..20, 24),
            chat in prop::collection::vec(-9i32..9, 24),
            counted in prop::collection::btree_set(0i64..24, 0..24),
        ) {
            let plans = [plan("phone", &phone), plan("chat", &chat)];
            let counted: BTreeSet<Timestamp> = counted.iter().map(|at| WIDTH.start(*at)).collect();
            let steps = steps(plans.iter(), &counted, WIDTH);
            let found = stretches(&steps);
            for at in 0..24i64 {
                let start = WIDTH.start(at);
                let sum = phone[at as usize].max(0) + chat[at as usize].max(0);
                let want = if counted.contains(&start) { sum } else { 0 };
                let here: Vec<&NeedStep> =
                    steps.iter().filter(|s| s.from <= start && start < s.to).collect();
                prop_assert_eq!(here.iter().map(|s| s.agents).sum::<i32>(), want);
                prop_assert!(here.len() <= 1);
                let wide: Vec<&Stretch> =
                    found.iter().filter(|s| s.from <= start && start < s.to).collect();
                prop_assert_eq!(wide.len(), here.len(), "the same windows");
                prop_assert!(wide.iter().all(|s| s.peak.agents >= want));
                prop_assert!(wide.iter().all(|s| !s.is_level || s.peak.agents == want));
            }
            for step in &steps {
                prop_assert_eq!(step.channels.iter().map(|(_, n)| n).sum::<i32>(), step.agents);
            }
            for stretch in &found {
                prop_assert!(steps.contains(&stretch.peak));
                prop_assert!(stretch.from <= stretch.peak.from && stretch.peak.to <= stretch.to);
            }
            for runs in found.chunk_by(|a, b| a.to == b.from) {
                prop_assert!(runs.len() <= STRETCHES_MAX, "{:?}", found);
            }
        }
    }
}
