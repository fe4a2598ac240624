//! Far more customers than at this time of the week say that it does not work.

use super::{OFF_BY_MIN, Rule, SCORE_MIN, ScopeCase};
use crate::anomaly::types::{Anomaly, AnomalyKind, hundredths};
use crate::anomaly::usual::Usual;
use crate::domain::Topic;

/// Topics that speak of trouble in the network.
pub(in crate::anomaly) const TROUBLE: [Topic; 3] = [Topic::Outage, Topic::Coverage, Topic::Slow];

/// Trouble of any kind, and each kind by itself.
const GROUPS: [&[Topic]; 4] = [&TROUBLE, &[TROUBLE[0]], &[TROUBLE[1]], &[TROUBLE[2]]];

/// Tickets about trouble against what is usual.
pub(super) struct Complaints;

impl Rule for Complaints {
    fn of_scope(&self, case: &ScopeCase<'_>) -> Option<Anomaly> {
        let (topics, actual, usual, score) = worst(case)?;
        Some(Anomaly {
            series: case.scope.all_channels(),
            window: case.window,
            kind: AnomalyKind::Complaints,
            score: hundredths(score),
            actual,
            expected: hundredths(usual.mean),
            text: tell(topics, actual, usual.mean, case.alarms),
        })
    }
}

/// The trouble that is most surprising, if it is surprising: its topics, tickets, what is usual, and the score.
fn worst(case: &ScopeCase<'_>) -> Option<(&'static [Topic], f64, Usual, f64)> {
    let index = case.index();
    let mut best: Option<(&'static [Topic], f64, Usual, f64)> = None;
    for topics in GROUPS {
        let actual = case.history.sum(index, topics)?;
        if actual < OFF_BY_MIN {
            continue;
        }
        let Some(usual) = case.history.usual(index, topics, case.width) else { continue };
        let score = usual.surprise(actual);
        if actual - usual.mean < OFF_BY_MIN || score < SCORE_MIN {
            continue;
        }
        // Of equals the narrower says more.
        if best.is_none_or(|best| score >= best.3) {
            best = Some((topics, actual, usual, score));
        }
    }
    best
}

/// Tickets about trouble in a sentence, with the alarms that stand.
fn tell(topics: &[Topic], actual: f64, usual: f64, alarms: Option<&str>) -> String {
    let (about, report) = match topics {
        [Topic::Outage] => ("an outage", "an outage"),
        [Topic::Coverage] => ("coverage", "missing coverage"),
        [Topic::Slow] => ("slowness", "a slow network"),
        _ => ("outage, coverage or slowness", "an outage"),
    };
    let stands = match alarms {
        None => format!("no alarm stands: customers report {report}"),
        Some(alarms) => format!("alarms stand: {alarms}"),
    };
    format!("{actual:.0} tickets about {about} where {usual:.1} are usual at this time; {stands}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_say_whether_an_alarm_stands() {
        let silent = tell(&[Topic::Outage], 14.0, 1.25, None);
        insta::assert_snapshot!(silent, @"14 tickets about an outage where 1.2 are usual at this time; no alarm stands: customers report an outage");
        let loud = tell(&[Topic::Slow], 9.0, 0.5, Some("2 critical lossOfSignal"));
        insta::assert_snapshot!(loud, @"9 tickets about slowness where 0.5 are usual at this time; alarms stand: 2 critical lossOfSignal");
    }
}
