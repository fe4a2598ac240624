//! New phrases in customers' texts.

use super::{SCORE_MIN, ScopeCase, ScopeRule, WINDOW_WEIGHT};
use crate::anomaly::scope_history::{PHRASE_REACH, ScopeHistory};
use crate::anomaly::types::{Anomaly, AnomalyKind, Detail, hundredths};
use crate::anomaly::usual::Usual;
use crate::domain::{DAY, WindowWidth};

/// Minimum number of tickets with the phrase.
const TICKETS_MIN: u32 = 5;
/// Minimum ratio to the largest count of the week before.
const TIMES_MIN: u32 = 3;
/// Maximum number of pieces of a phrase.
const PIECES_MAX: usize = 6;

/// Finds phrases in far more tickets than in the week before.
pub(super) struct Phrase;

impl ScopeRule for Phrase {
    fn weight(&self) -> u32 {
        WINDOW_WEIGHT
    }

    fn tests(&self, case: &ScopeCase<'_>) -> usize {
        case.history.phrases.len()
    }

    fn check(&self, case: &ScopeCase<'_>) -> Option<Anomaly> {
        let (detail, actual, expected, score) = surge(case.history, case.index(), case.width)?;
        Some(Anomaly {
            series: case.scope.all_channels(),
            window: case.window,
            kind: AnomalyKind::Phrase,
            score: hundredths(score),
            actual,
            expected: hundredths(expected),
            detail: detail.into(),
        })
    }
}

/// The most unusual phrase of a window: the phrase, its tickets, the usual number, and the score.
fn surge(
    history: &ScopeHistory,
    index: i64,
    width: WindowWidth,
) -> Option<(Detail, f64, f64, f64)> {
    let reach = width.per(PHRASE_REACH) as i64;
    let mut surging: Vec<(&str, u32, u32, f64)> = Vec::new();
    let mut known = None;
    for (phrase, counts) in &history.phrases {
        let Some(tickets) = counts.get(&index).copied().filter(|n| *n >= TICKETS_MIN) else {
            continue;
        };
        let windows = *known.get_or_insert_with(|| history.known(index - reach, index));
        if windows < width.per(DAY) {
            return None;
        }
        let before = counts.range(..index).map(|(_, n)| *n);
        let (sum, most) = before.fold((0u32, 0), |(sum, most), n| (sum + n, most.max(n)));
        let usual = Usual::learned(f64::from(sum), windows as f64, 1.0);
        let score = usual.surprise(f64::from(tickets));
        if score >= SCORE_MIN && tickets >= TIMES_MIN * most {
            surging.push((phrase, tickets, sum, score));
        }
    }
    surging.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let (first, tickets, sum, score) = *surging.first()?;
    let whole = put_together(first, tickets, &surging);
    let windows = known.unwrap_or(1).max(1) as f64;
    let usual = f64::from(sum) / windows;
    let detail = Detail::Phrase { phrase: whole, tickets, before: sum };
    Some((detail, f64::from(tickets), usual, score))
}

/// Phrases that overlap are pieces of one: "app login", "login error" → "app login error".
fn put_together(first: &str, tickets: u32, surging: &[(&str, u32, u32, f64)]) -> String {
    let mut whole = first.to_owned();
    let mut rest: Vec<&str> = surging[1..]
        .iter()
        .filter(|(_, n, ..)| n * 2 >= tickets)
        .map(|(phrase, ..)| *phrase)
        .collect();
    for _ in 0..PIECES_MAX {
        let joined = rest.iter().enumerate().find_map(|(n, piece)| Some((n, join(&whole, piece)?)));
        let Some((n, longer)) = joined else { break };
        rest.remove(n);
        whole = longer;
    }
    whole
}

/// Joins two pieces if the end of one is the beginning of the other: at least a word, or two characters.
fn join(whole: &str, piece: &str) -> Option<String> {
    if whole.contains(piece) {
        return Some(whole.to_owned());
    }
    let over = |left: &str, right: &str| -> Option<String> {
        let shared = match right.split_once(' ') {
            Some((word, _)) => word.to_owned(),
            None if right.chars().count() > 2 => right.chars().take(2).collect(),
            None => return None,
        };
        let rest = &right[shared.len()..];
        let end = left.strip_suffix(shared.as_str())?;
        let whole = !rest.starts_with(' ') || end.is_empty() || end.ends_with(' ');
        whole.then(|| format!("{left}{rest}"))
    };
    over(whole, piece).or_else(|| over(piece, whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_put_together() {
        let surging = |all: &[&'static str]| -> Vec<(&str, u32, u32, f64)> {
            all.iter().map(|phrase| (*phrase, 7, 0, 9.0)).collect()
        };
        let check = |all: &[&'static str], want: &str| {
            assert_eq!(put_together(all[0], 7, &surging(all)), want, "{all:?}");
        };
        check(&["app login", "error 504", "login error"], "app login error 504");
        check(&["login error", "app login", "other thing"], "app login error");
        check(&["登录失", "法登录", "无法登", "登录"], "无法登录失");
        // Not a part of a word, and no endless repetition.
        check(&["blackout", "out now"], "blackout");
        check(&["a b", "b a"], "a b a");
    }
}
