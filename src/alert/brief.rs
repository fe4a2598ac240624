//! The brief: what the receiver of a page reads. What is coming, what to do and when, why, and when to look again.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::steps::{NeedStep, Stretch, peak, stretches};
use super::{Alert, AlertSeverity, Cause};
use crate::domain::{Name, Timestamp};
use crate::text::{Say, Stored, Texts, args};

/// Maximum number of words of a page, its title included.
pub(super) const WORDS_MAX: usize = 300;
/// Maximum length of a name from outside, in characters. Longer names are cut.
const NAME_MAX: usize = 60;
/// Maximum number of lines of one kind.
const STRETCHES_SHOWN: usize = 3;
pub(super) const CAUSES_SHOWN: usize = 5;
const CHANNELS_SHOWN: usize = 4;

/// Words reserved for the line that says how many lines were left out.
const LEFT_OUT: usize = 12;
/// Lines of this rank are always left out.
pub(super) const BEYOND: u8 = 9;

/// A line and its rank. If a page is too long, lines of the highest rank are left out first.
pub(super) type Line = (u8, String);

/// A name from outside, cut if it is long.
pub(super) fn short(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(NAME_MAX) {
        Some((end, _)) => Cow::Owned(format!("{}…", &name[..end])),
        None => Cow::Borrowed(name),
    }
}

/// The first stretch of a need and the largest of the others, and the end of the last one if that is later: `13 from now until
/// 08:30, 7 from 09:00 until 10:30, shortages until 12:00`. `None` without a need.
pub(super) fn headline(steps: &[NeedStep], now: Timestamp, texts: &Texts) -> Option<String> {
    let all = stretches(steps);
    let (first, rest) = all.split_first()?;
    let largest = rest.iter().reduce(
        |best, next| {
            if next.peak.agents > best.peak.agents { next } else { best }
        },
    );
    let shown: Vec<&Stretch> = [Some(first), largest].into_iter().flatten().collect();
    let said = shown.iter().enumerate().map(|(at, stretch)| {
        let goes_on = shown.get(at + 1).is_some_and(|next| next.from == stretch.to);
        if goes_on { from(stretch, now, texts) } else { span(stretch, now, texts) }
    });
    let named = shown.iter().map(|stretch| stretch.to).max();
    let rest = all.last().filter(|last| Some(last.to) > named);
    let rest = rest.map(|last| texts.text("need-rest", args!["to" => texts.moment(last.to)]));
    Some(texts.list(said.chain(rest)))
}

/// `13 now`, `up to 7 from 08:30`.
fn from(stretch: &Stretch, now: Timestamp, texts: &Texts) -> String {
    let n = stretch.peak.agents;
    match (stretch.from <= now, stretch.is_level) {
        (true, true) => texts.text("need-now", args!["n" => n]),
        (true, false) => texts.text("need-now-most", args!["n" => n]),
        (false, is_level) => {
            let args = args!["n" => n, "from" => texts.moment(stretch.from)];
            texts.text(if is_level { "need-from" } else { "need-from-most" }, args)
        }
    }
}

/// `up to 7 from 08:30 until 10:30`.
fn span(stretch: &Stretch, now: Timestamp, texts: &Texts) -> String {
    let to = texts.moment(stretch.to);
    if stretch.from <= now {
        let id = if stretch.is_level { "need-now-until" } else { "need-now-most-until" };
        return texts.text(id, args!["n" => stretch.peak.agents, "to" => to]);
    }
    texts.text("need-until", args!["need" => from(stretch, now, texts), "to" => to])
}

/// `phone 8, chat 3`.
fn parts(channels: &[(Name, i32)], texts: &Texts) -> String {
    if channels.is_empty() {
        return texts.text("name-all-channels", None);
    }
    let part = |(channel, n): &(Name, i32)| {
        let channel = texts.channel(channel.as_str());
        texts.text("alert-channel", args!["channel" => channel, "n" => *n])
    };
    texts.list(channels.iter().map(part))
}

/// The lines of an alert that is not over.
pub(super) fn lines(alert: &Alert, texts: &Texts) -> Vec<Line> {
    let (now, steps) = (alert.as_of(), alert.need());
    let all = stretches(&steps);
    let args = args![
        "at" => texts.moment(now),
        "zone" => alert.zone.to_string(),
        "since" => texts.moment(alert.since),
    ];
    let mut lines = vec![(0, texts.text("alert-as-of", args))];
    let is_calmer = !all.is_empty() && alert.severity != AlertSeverity::Critical;
    if let Some(at) = alert.trend.eased_at.filter(|_| is_calmer) {
        lines.push((2, texts.text("alert-eased", args!["at" => texts.moment(at)])));
    }
    if all.is_empty() {
        lines.push((0, gone(alert, texts)));
        lines.extend(below_limits(&alert.notes.below_limits, texts).map(|line| (1, line)));
    }
    lines.extend(missing(&all, now, texts).into_iter().map(|line| (1, line)));
    let mut actions: Vec<String> = people(&all, now, texts);
    actions.extend((!all.is_empty()).then(|| other_action(|| alert.because.iter(), texts)));
    lines.extend(actions.into_iter().map(|line| (0, line)));
    lines.extend(alert.advice_of(&steps, texts));
    for (at, cause) in alert.because.iter().enumerate() {
        let rank = match cause {
            // Customers' own texts are the best evidence.
            Stored::Value(Cause::Complaints { .. }) => 2,
            _ if at >= CAUSES_SHOWN => BEYOND,
            _ if at > 0 => 5,
            _ => 1,
        };
        lines.push((rank, texts.text("alert-because", args!["cause" => cause.say(texts)])));
    }
    for (at, short) in alert.shortfalls.iter().enumerate() {
        let rank = if at >= CHANNELS_SHOWN { BEYOND } else { 4 };
        lines.push((rank, alert.shortfall(short, texts)));
    }
    lines.extend(complaints_later(alert, alert.because.iter(), texts));
    lines.extend(affected(alert, &steps, texts).map(|line| (3, line)));
    if let Some(at) = alert.trend.next_at {
        lines.push((1, texts.text("alert-next", args!["at" => texts.moment(at)])));
    }
    if alert.acknowledged_by.is_none() {
        lines.push((1, texts.text("alert-acknowledge", None)));
    }
    lines
}

/// The end of the last window whose complaints are counted, if the forecast is newer and no complaints are named as a cause.
pub(super) fn complaints_later<'c>(
    alert: &Alert,
    mut because: impl Iterator<Item = &'c Stored<Cause>>,
    texts: &Texts,
) -> Option<Line> {
    let is_named = because.any(|cause| matches!(cause, Stored::Value(Cause::Complaints { .. })));
    let upto = alert.notes.complaints_upto.filter(|_| !is_named)?;
    Some((4, texts.text("alert-complaints-later", args!["upto" => texts.moment(upto)])))
}

/// Missing agents, although no shortage is large enough for an alert.
pub(super) fn below_limits(steps: &[NeedStep], texts: &Texts) -> Option<String> {
    let (first, last, most) = (steps.first()?, steps.last()?, peak(steps)?);
    let args = args![
        "n" => most.agents,
        "from" => texts.moment(first.from),
        "to" => texts.moment(last.to),
        "at" => texts.moment(most.from),
        "channels" => parts(&most.channels, texts),
    ];
    Some(texts.text("alert-below-limits", args))
}

/// The newest forecast no longer shows a shortage.
fn gone(alert: &Alert, texts: &Texts) -> String {
    let at = texts.moment(alert.as_of());
    match alert.notified_at {
        Some(_) => texts.text("alert-gone", args!["at" => at, "n" => alert.notified_gap]),
        None => texts.text("alert-gone-untold", args!["at" => at]),
    }
}

pub(super) fn missing(all: &[Stretch], now: Timestamp, texts: &Texts) -> Vec<String> {
    let line = |stretch: &Stretch| {
        let mut args = args![
            "need" => span(stretch, now, texts),
            "channels" => parts(&stretch.peak.channels, texts),
        ];
        let is_one = (stretch.from, stretch.to) == (stretch.peak.from, stretch.peak.to);
        let id = match &mut args {
            Some(args) if !is_one => {
                args.set("at", texts.moment(stretch.peak.from));
                "alert-missing-peak"
            }
            _ => "alert-missing",
        };
        texts.text(id, args)
    };
    let mut lines: Vec<String> = all.iter().take(STRETCHES_SHOWN).map(line).collect();
    let rest = all.len().saturating_sub(STRETCHES_SHOWN);
    if let Some(last) = all.last().filter(|_| rest > 0) {
        let args = args!["n" => rest, "to" => texts.moment(last.to)];
        lines.push(texts.text("alert-missing-more", args));
    }
    lines
}

/// How many people to find, and until when: two actions with their times.
pub(super) fn people(all: &[Stretch], now: Timestamp, texts: &Texts) -> Vec<String> {
    let Some((first, rest)) = all.split_first() else { return Vec::new() };
    let n = first.peak.agents;
    let channels = parts(&first.peak.channels, texts);
    let find = match first.from <= now {
        true => texts.text("action-find-now", args!["n" => n, "channels" => channels]),
        false => {
            let at = texts.moment(first.from);
            texts.text("action-find", args!["at" => at, "n" => n, "channels" => channels])
        }
    };
    let then = match rest.first() {
        None => texts.text("action-back", args!["at" => texts.moment(first.to)]),
        Some(next) => {
            let id = match (next.from == first.to, next.peak.agents < n) {
                (false, _) => "action-again",
                (true, true) => "action-fewer",
                (true, false) => "action-more",
            };
            let args = args![
                "at" => texts.moment(next.from),
                "n" => next.peak.agents,
                "to" => texts.moment(next.to),
            ];
            texts.text(id, args)
        }
    };
    vec![find, then]
}

/// The actions that follow from the causes.
pub(super) fn other_action<'c, C: Iterator<Item = &'c Stored<Cause>>>(
    because: impl Fn() -> C,
    texts: &Texts,
) -> String {
    let causes = || {
        because().filter_map(|cause| match cause {
            Stored::Value(cause) => Some(cause),
            Stored::Sentence(_) => None,
        })
    };
    let device = causes().find_map(|cause| match cause {
        Cause::Alarms { device, .. } => Some(device.as_deref()),
        Cause::Overrun { .. } => Some(None),
        _ => None,
    });
    match device {
        Some(Some(device)) => texts.text("action-alarms-device", args!["device" => short(device)]),
        Some(None) => texts.text("action-alarms", None),
        None if causes().any(|cause| matches!(cause, Cause::Complaints { .. })) => {
            texts.text("action-complaints", None)
        }
        None => texts.text("action-look", None),
    }
}

/// The channels whose customers wait.
fn affected(alert: &Alert, steps: &[NeedStep], texts: &Texts) -> impl Iterator<Item = String> {
    let channels: BTreeSet<&Name> =
        steps.iter().flat_map(|step| step.channels.iter().map(|(channel, _)| channel)).collect();
    let said = (!channels.is_empty()).then(|| {
        let channels = channels.iter().map(|channel| texts.channel(channel.as_str()));
        let args = args![
            "service" => alert.scope.service.as_str(),
            "region" => alert.scope.region.as_str(),
            "channels" => texts.list(channels),
        ];
        texts.text("alert-affected", args)
    });
    said.into_iter()
}

/// The lines of at most `max` words. Lines of the highest rank are left out first, and the last line says how many.
pub(super) fn fit(mut lines: Vec<Line>, max: usize, texts: &Texts) -> Vec<String> {
    let all = lines.len();
    lines.retain(|(rank, _)| *rank < BEYOND);
    let is_too_long = |lines: &[Line]| {
        let room = if lines.len() < all { LEFT_OUT } else { 0 };
        lines.iter().map(|(_, line)| words(line)).sum::<usize>() + room > max
    };
    while lines.len() > 1 && is_too_long(&lines) {
        let last = lines.iter().enumerate().max_by_key(|(at, (rank, _))| (*rank, *at));
        let Some(at) = last.map(|(at, _)| at) else { break };
        lines.remove(at);
    }
    let left_out = all - lines.len();
    let mut fitting: Vec<String> = lines.into_iter().map(|(_, line)| line).collect();
    if left_out > 0 {
        fitting.push(texts.text("page-lines-left-out", args!["n" => left_out]));
    }
    fitting
}

/// Words of a text. Two Chinese characters count as one word.
pub(super) fn words(text: &str) -> usize {
    let is_han = |c: &char| ('\u{4e00}'..='\u{9fff}').contains(c);
    let words = |token: &str| {
        let han = token.chars().filter(is_han).count();
        let has_other = token.chars().any(|c| c.is_alphanumeric() && !is_han(&c));
        han.div_ceil(2) + usize::from(has_other || han == 0)
    };
    text.split_whitespace().map(words).sum()
}
