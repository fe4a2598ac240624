//! Anomalies in customers' texts: far more complaints than usual at this time of the week, or a new phrase.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::budget::AnomalyRules;
use super::rules::{SCOPE_RULES, ScopeCase, TROUBLE};
use super::scope_history::{PHRASE_REACH, ScopeHistory, TOPIC_REACH, WEEKS};
use super::types::{AlarmSummary, Anomaly, hundredths};
use super::usual::Usual;
use crate::domain::{DAY, Scope, TOPICS, TextCounts, Timestamp, Topic, WEEK, WindowWidth};

/// Smallest score of an early sign: a probability of one in a hundred.
const SIGN_MIN: f64 = 2.0;

/// An early sign: a scope with more complaints than usual, perhaps before any alarm.
#[derive(Clone, Debug, PartialEq)]
pub struct EarlySign {
    pub scope: Scope,
    /// Start of the first window that is summed, and end of the last.
    pub from: Timestamp,
    pub to: Timestamp,
    /// Tickets about an outage, coverage or slowness.
    pub actual: f64,
    /// Usual number of such tickets in these windows.
    pub usual: f64,
    /// `actual − usual`, above zero, tickets.
    pub excess: f64,
    /// Score: −log10 of the probability of as many or more, 2 to 20.
    pub score: f64,
}

/// Topics and phrases of every scope in the last four weeks.
#[derive(Debug)]
pub struct Complaints {
    width: WindowWidth,
    by_scope: BTreeMap<Scope, ScopeHistory>,
}

impl Complaints {
    /// Length of the history of topics.
    pub const REACH: Duration = TOPIC_REACH;
    /// Length of the history of phrases.
    pub const PHRASE_REACH: Duration = PHRASE_REACH;

    /// An empty history for windows of `width`.
    pub fn new(width: WindowWidth) -> Self {
        Self { width, by_scope: BTreeMap::new() }
    }

    /// Adds a finalized window with the counts of each scope. A scope without an entry has no tickets. `missing`: scopes for
    /// which a part of the counts is unknown, so that an absent count is not zero.
    pub fn push(
        &mut self,
        window: Timestamp,
        spoken: &BTreeMap<Scope, TextCounts>,
        missing: &BTreeSet<Scope>,
    ) {
        let index = self.width.index(window);
        for scope in spoken.keys() {
            self.by_scope.entry(scope.clone()).or_default();
        }
        for (scope, history) in &mut self.by_scope {
            let said = spoken.get(scope);
            let topics = said.map(|said| said.topics).unwrap_or_default();
            history.add(index, &topics, missing.contains(scope));
            for (phrase, tickets) in said.into_iter().flat_map(|said| &said.phrases) {
                history.add_phrase(index, phrase, *tickets);
            }
            history.trim(index - self.width.per(Self::REACH) as i64);
            history.trim_phrases(index - self.width.per(Self::PHRASE_REACH) as i64);
        }
    }

    /// Adds stored windows of one series: start, topics, and whether the window is missing.
    pub fn restore(
        &mut self,
        scope: &Scope,
        windows: impl Iterator<Item = (Timestamp, [u32; TOPICS], bool)>,
    ) {
        let history = self.by_scope.entry(scope.clone()).or_default();
        for (window, topics, missing) in windows {
            history.add(self.width.index(window), &topics, missing);
        }
    }

    /// Adds a stored window of a phrase. It replaces an earlier count of that window.
    pub fn restore_phrase(&mut self, scope: &Scope, window: Timestamp, phrase: &str, tickets: u32) {
        let index = self.width.index(window);
        self.by_scope.entry(scope.clone()).or_default().add_phrase(index, phrase, tickets);
    }

    /// The usual number of tickets of each topic in a window; `None` without comparable windows.
    pub fn usual(&self, scope: &Scope, window: Timestamp) -> Option<[f64; TOPICS]> {
        let (history, index) = (self.by_scope.get(scope)?, self.width.index(window));
        let mut usual = [0.0; TOPICS];
        for (count, topic) in usual.iter_mut().zip(Topic::EVERY) {
            *count = hundredths(history.usual(index, &[topic], self.width)?.count);
        }
        Some(usual)
    }

    /// Starts of the windows that [`Self::usual`] uses as a comparison for the windows `from..to`, as spans.
    pub fn compared(
        width: WindowWidth,
        from: Timestamp,
        to: Timestamp,
    ) -> Vec<(Timestamp, Timestamp)> {
        let backs = (1..=WEEKS as u32).map(|n| WEEK * n).chain((1..=6).map(|n| DAY * n));
        let around = |back: Duration| (from - back - width.length(), to - back + width.length());
        backs.map(around).collect()
    }

    /// Revises a finalized window of one series.
    pub fn revise(
        &mut self,
        scope: &Scope,
        window: Timestamp,
        before: &[u32; TOPICS],
        after: &[u32; TOPICS],
    ) {
        let index = self.width.index(window);
        let history = self.by_scope.entry(scope.clone()).or_default();
        history.add(index, after, false);
        history.take_off(index, before);
    }

    /// Finds the anomalies of a window that [`Self::push`] has added. `alarms`: the active alarms by scope.
    pub fn judge(
        &self,
        window: Timestamp,
        alarms: &BTreeMap<Scope, AlarmSummary>,
        rules: &AnomalyRules,
    ) -> Vec<Anomaly> {
        let flagged = SCOPE_RULES.iter().flat_map(|rule| {
            let mut tests = 0;
            let mut found: Vec<Anomaly> = Vec::new();
            for (scope, history) in &self.by_scope {
                let alarms = alarms.get(scope);
                let case = ScopeCase { scope, history, width: self.width, window, alarms };
                tests += rule.tests(&case);
                found.extend(rule.check(&case));
            }
            let scores = found.iter().map(|found| found.score);
            let smallest = rules.smallest((self.width, rule.weight()), scores, tests);
            found.retain(|found| found.score >= smallest);
            found
        });
        flagged.collect()
    }

    /// Early signs: scopes with more complaints than usual in the last `windows` windows before `end`, highest score first.
    pub fn early_signs(&self, end: Timestamp, windows: u32) -> Vec<EarlySign> {
        let last = self.width.index(end);
        let indices = last - i64::from(windows.max(1))..last;
        let mut signs: Vec<EarlySign> = Vec::new();
        for (scope, history) in &self.by_scope {
            // Newest first. The newest windows may not be known yet; an older unknown one ends the span.
            let mut sum: Option<(f64, Usual)> = None;
            let mut span: Option<(i64, i64)> = None;
            for index in indices.clone().rev() {
                let actual = history.sum(index, &TROUBLE);
                let usual = history.usual(index, &TROUBLE, self.width);
                match (actual.zip(usual), sum) {
                    (Some(first), None) => (sum, span) = (Some(first), Some((index, index + 1))),
                    (Some((more, usual)), Some((n, all))) => {
                        sum = Some((n + more, all.plus(usual)));
                        span = span.map(|(_, end)| (index, end));
                    }
                    (None, None) => {}
                    (None, Some(_)) => break,
                }
            }
            let Some(((actual, usual), (from, to))) = sum.zip(span) else { continue };
            let score = usual.surprise(actual);
            if score < SIGN_MIN || actual <= usual.mean {
                continue;
            }
            signs.push(EarlySign {
                scope: scope.clone(),
                from: self.width.start(from),
                to: self.width.start(to),
                actual,
                usual: usual.count,
                excess: actual - usual.count,
                score: hundredths(score),
            });
        }
        signs.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.scope.cmp(&b.scope)));
        signs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anomaly::AlarmGroup;
    use crate::anomaly::AnomalyKind;
    use crate::domain::SeriesKey;
    use crate::domain::Severity;
    use crate::text::{Language, Say, Texts};

    const WIDTH: WindowWidth = WindowWidth::QUARTER;

    fn scope(region: &str) -> Scope {
        SeriesKey::parse(&format!("{region}/tv/phone")).expect("series").scope()
    }

    fn said(outage: u32, phrases: &[(&str, u32)]) -> TextCounts {
        let phrases = phrases.iter().map(|(phrase, n)| ((*phrase).into(), *n)).collect();
        TextCounts { topics: [outage, 0, 1, 3, 2, 4], phrases }
    }

    /// Two and a half weeks in which nothing is wrong, and then windows in which something is.
    fn told(last: &[TextCounts]) -> (Complaints, i64) {
        let mut complaints = Complaints::new(WIDTH);
        let quiet = 17 * 96;
        for index in 0..quiet {
            let usual = said(u32::from(index % 5 == 0), &[("every day", 2 + index as u32 % 2)]);
            let spoken = BTreeMap::from([(scope("north"), usual)]);
            complaints.push(WIDTH.start(index), &spoken, &BTreeSet::new());
        }
        for (n, spoken) in last.iter().enumerate() {
            let spoken = BTreeMap::from([(scope("north"), spoken.clone())]);
            complaints.push(WIDTH.start(quiet + n as i64), &spoken, &BTreeSet::new());
        }
        (complaints, quiet + last.len() as i64 - 1)
    }

    fn kinds(complaints: &Complaints, index: i64) -> Vec<AnomalyKind> {
        let found =
            complaints.judge(WIDTH.start(index), &BTreeMap::new(), &AnomalyRules::default());
        found.iter().map(|anomaly| anomaly.kind).collect()
    }

    fn major() -> AlarmSummary {
        let group = AlarmGroup { n: 1, severity: Severity::Major, alarm_type: None };
        AlarmSummary { groups: vec![group], ..AlarmSummary::default() }
    }

    #[test]
    fn complaints_without_an_alarm_are_flagged() {
        let (complaints, last) = told(&[said(14, &[])]);
        let alarms = BTreeMap::from([(scope("south"), major())]);
        let found = complaints.judge(WIDTH.start(last), &alarms, &AnomalyRules::default());
        assert_eq!(found.len(), 1);
        let anomaly = &found[0];
        assert_eq!(anomaly.series, SeriesKey::parse("north/tv/_all").expect("series"));
        assert!(anomaly.kind == AnomalyKind::Complaints && anomaly.score > 4.0, "{anomaly:?}");
        let texts = Texts::new(Language::En);
        insta::assert_snapshot!(anomaly.say(&texts), @"14 tickets about outage; usual at this time is 0.2; no alarm is active: customers report this first");
        let alarms = BTreeMap::from([(scope("north"), major())]);
        let found = complaints.judge(WIDTH.start(last), &alarms, &AnomalyRules::default());
        insta::assert_snapshot!(found[0].say(&texts), @"14 tickets about outage; usual at this time is 0.2; active: 1 major alarm");
        assert_eq!(kinds(&complaints, last - 1), [], "the window before was quiet");
    }

    #[test]
    fn few_complaints_unknown_windows_and_short_histories_are_not_judged() {
        let (complaints, last) = told(&[said(4, &[])]);
        assert_eq!(kinds(&complaints, last), []);
        let mut complaints = Complaints::new(WIDTH);
        let spoken = BTreeMap::from([(scope("north"), said(50, &[("a b", 50)]))]);
        complaints.push(WIDTH.start(0), &spoken, &BTreeSet::new());
        assert_eq!(kinds(&complaints, 0), [], "nothing to compare with");
        let (mut complaints, last) = told(&[]);
        let missing = BTreeSet::from([scope("north")]);
        complaints.push(WIDTH.start(last + 1), &spoken, &missing);
        assert!(!kinds(&complaints, last + 1).contains(&AnomalyKind::Complaints));
    }

    #[test]
    fn a_new_phrase_is_reported_and_a_usual_one_is_not() {
        let news = [("app login", 9), ("login error", 8), ("every day", 9)];
        let (complaints, last) = told(&[said(0, &news), said(0, &news)]);
        let found =
            complaints.judge(WIDTH.start(last - 1), &BTreeMap::new(), &AnomalyRules::default());
        assert_eq!(found.len(), 1, "{found:?}");
        let text = found[0].say(&Texts::new(Language::En));
        insta::assert_snapshot!(text, @"“app login error” in 9 tickets; in no ticket of the week before");
        assert_eq!(kinds(&complaints, last), [], "it is not new any more");
    }

    #[test]
    fn early_signs_sum_up_recent_windows() {
        let (complaints, last) = told(&[said(3, &[]), said(3, &[]), said(3, &[])]);
        assert_eq!(kinds(&complaints, last), [], "none of them stands out");
        let end = WIDTH.start(last + 1);
        let signs = complaints.early_signs(end, 3);
        let [sign] = &signs[..] else { panic!("{signs:?}") };
        assert_eq!((sign.from, sign.to), (WIDTH.start(last - 2), end));
        assert_eq!(sign.actual, 12.0, "three of slowness among them");
        assert!((sign.excess - (12.0 - sign.usual)).abs() < 1e-9 && sign.score > 2.0, "{sign:?}");
        assert_eq!(complaints.early_signs(WIDTH.start(last - 2), 3), []);
    }

    #[test]
    fn what_was_stored_is_what_was_pushed() {
        let (pushed, last) = told(&[said(14, &[("app login", 9)])]);
        let mut restored = Complaints::new(WIDTH);
        for index in 0..=last {
            let usual = said(u32::from(index % 5 == 0), &[("every day", 2 + index as u32 % 2)]);
            let said = if index == last { said(14, &[("app login", 9)]) } else { usual };
            // As two series of the scope would have it.
            let half = said.topics.map(|n| n / 2);
            let rest = std::array::from_fn(|n| said.topics[n] - half[n]);
            let (scope, window) = (scope("north"), WIDTH.start(index));
            restored.restore(&scope, [(window, half, false)].into_iter());
            restored.restore(&scope, [(window, rest, false)].into_iter());
            for (phrase, n) in &said.phrases {
                restored.restore_phrase(&scope, window, phrase, *n);
            }
        }
        let window = WIDTH.start(last);
        let judged = pushed.judge(window, &BTreeMap::new(), &AnomalyRules::default());
        assert_eq!(judged.len(), 2);
        assert_eq!(judged, restored.judge(window, &BTreeMap::new(), &AnomalyRules::default()));
        let before = [14, 0, 1, 3, 2, 4];
        restored.revise(&scope("north"), window, &before, &[2, 0, 1, 3, 2, 4]);
        assert_eq!(kinds(&restored, last), [AnomalyKind::Phrase]);
    }
}
