//! `silent_source`: a source that usually sends has sent nothing for far longer than usual.

use std::collections::BTreeMap;

use super::{Rule, RuleInputs, RuleLimits, Sighting, SourceState};
use crate::alert::Fact;
use crate::anomaly::{SILENT_MINUTES, SILENT_TIMES};
use crate::domain::{HOUR, Name, Scope};

/// The level is the time since the end of a source's last window with events, divided by the longest silence that is usual for it. The
/// minimum is a number of minutes. All silent partitions of a topic are one alert.
pub(super) struct SilentSource;

impl Rule for SilentSource {
    fn name(&self) -> &'static str {
        "silent_source"
    }

    fn defaults(&self) -> RuleLimits {
        let limits = RuleLimits::of(SILENT_TIMES, 1.0, SILENT_MINUTES).warning();
        RuleLimits { cool_down: 6 * HOUR, ..limits.hold(std::time::Duration::ZERO) }
    }

    fn look(&self, inputs: &RuleInputs<'_>, limits: &RuleLimits) -> Vec<Sighting> {
        let mut topics: BTreeMap<&str, Vec<(f64, &SourceState)>> = BTreeMap::new();
        for source in &inputs.sources {
            let Some(level) = source.times_usual(inputs.now) else { continue };
            topics.entry(source.source.topic_name()).or_default().push((level, source));
        }
        let sighting = |(topic, sources): (&str, Vec<(f64, &SourceState)>)| {
            let silent = |own: &&(f64, &SourceState)| own.0 >= limits.threshold;
            let partitions = sources.iter().filter(silent).count();
            let (level, worst) = sources.iter().max_by(|a, b| a.0.total_cmp(&b.0))?;
            let minutes = worst.minutes(inputs.now);
            let scope = Scope { region: Name::all(), service: Name::all() };
            let mut seen = Sighting::new(&scope, *level, minutes >= limits.minimum);
            seen.label = Some(topic.to_owned());
            let seen = seen.fact("source", Fact::Text(topic.to_owned()));
            let seen = seen.fact("since", Fact::At(worst.last)).count("minutes", minutes);
            let usual = worst.usual?.as_secs_f64() / 60.0;
            Some(seen.count("usual", usual).count("partitions", partitions.max(1) as f64))
        };
        topics.into_iter().filter_map(sighting).collect()
    }
}
