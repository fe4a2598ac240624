//! `[anomalies]`: how many false flags are expected.

use crate::anomaly::AnomalyRules;
use crate::config::Reader;

/// Reads the section.
pub fn read(section: Reader<'_>) -> AnomalyRules {
    let own = AnomalyRules::default();
    let key = "false_flags_a_day";
    let found = section.number(key);
    let in_range = |value: &f64| (0.01..=1000.0).contains(value);
    if let Some(value) = found.filter(|value| !in_range(value)) {
        section.problem(key, format!("found {value}: use a number from 0.01 to 1000"));
    }
    let false_flags_a_day = found.filter(in_range).unwrap_or(own.false_flags_a_day);
    section.finish();
    AnomalyRules { false_flags_a_day }
}
