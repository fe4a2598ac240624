//! Outages: spans in which critical alarms are active in a region and service.
//!
//! The sink replays the stored messages of alarms with the rules of the forecaster's book, so that an outage is seen within
//! seconds, and alarms that flap are one outage.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::episodes::{Episode, EpisodePart, html, place, runs, span};
use crate::domain::{DAY, HOUR, Scope, Severity, Timestamp};
use crate::output::replayed_alarms::ReplayedAlarms;
use crate::store::{AnnotationKind, Reader, StoreError};
use crate::text::{Texts, args};
use crate::window::{ActiveAlarm, AlarmRules, Transition};

/// Alarms of a scope that are at most this far apart are one outage.
const APART: Duration = Duration::from_secs(15 * 60);
/// The book of alarms is advanced only up to this long ago. So messages that arrive late are still taken in order of time, unless they are older.
const FINAL_AFTER: Duration = Duration::from_secs(2 * HOUR.as_secs());
/// Alarms that ended longer ago are ignored: messages are kept this long.
const KEPT: Duration = Duration::from_secs(7 * DAY.as_secs());

/// One critical alarm, from its raise to its clear.
#[derive(Clone)]
struct Spell {
    scope: Arc<Scope>,
    what: String,
    from: Timestamp,
    to: Option<Timestamp>,
}

/// Critical alarms.
pub struct Outages {
    replayed: ReplayedAlarms,
    open: BTreeMap<Arc<str>, Spell>,
    over: Vec<Spell>,
}

impl Outages {
    /// Starts without messages. The first look reads all stored ones.
    pub fn new(rules: AlarmRules) -> Self {
        Self { replayed: ReplayedAlarms::new(rules), open: BTreeMap::new(), over: Vec::new() }
    }

    /// The outages of the last week, and those that have not ended.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn look(
        &mut self,
        reader: &Reader,
        now: Timestamp,
        texts: &Texts,
    ) -> Result<Vec<Episode>, StoreError> {
        self.replayed.read(reader)?;
        let reach = now - FINAL_AFTER;
        if self.replayed.reached.is_none_or(|reached| reach > reached) {
            let (open, over) = (&mut self.open, &mut self.over);
            self.replayed.advance(reach, |transition| take(transition, open, over));
            // The book drops alarms that were not heard of for long, without a transition.
            let active: BTreeSet<&str> =
                self.replayed.book.active_alarms().map(|a| &*a.alarm_id).collect();
            self.open.retain(|id, _| active.contains(&**id));
        }
        self.over.retain(|spell| spell.to.is_none_or(|to| to + KEPT >= now));
        let (mut open, mut over) = (self.open.clone(), self.over.clone());
        self.replayed.book.peek(now, |transition| take(transition, &mut open, &mut over));
        Ok(episodes(over.into_iter().chain(open.into_values()), texts))
    }
}

fn take(transition: Transition<'_>, open: &mut BTreeMap<Arc<str>, Spell>, over: &mut Vec<Spell>) {
    let Transition { alarm, is_over, ts, .. } = transition;
    if is_over {
        if let Some(mut spell) = open.remove(&alarm.alarm_id) {
            spell.to = Some(ts.max(spell.from));
            over.push(spell);
        }
    } else if alarm.severity == Severity::Critical && !open.contains_key(&alarm.alarm_id) {
        let spell = Spell { scope: alarm.scope.clone(), what: what(alarm), from: ts, to: None };
        open.insert(alarm.alarm_id.clone(), spell);
    }
}

/// Type and device of an alarm.
fn what(alarm: &ActiveAlarm) -> String {
    let parts = [alarm.alarm_type.as_deref(), alarm.device.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn episodes(spells: impl Iterator<Item = Spell>, texts: &Texts) -> Vec<Episode> {
    let mut by_scope: BTreeMap<Arc<Scope>, Vec<EpisodePart<Spell>>> = BTreeMap::new();
    for spell in spells {
        let (from, to) = (spell.from, spell.to.unwrap_or(Timestamp::MAX));
        by_scope.entry(spell.scope.clone()).or_default().push(EpisodePart { from, to, of: spell });
    }
    let mut episodes = Vec::new();
    for (scope, parts) in by_scope {
        episodes.extend(runs(parts, APART).iter().map(|run| episode(&scope, run, texts)));
    }
    episodes
}

fn episode(scope: &Scope, run: &[EpisodePart<Spell>], texts: &Texts) -> Episode {
    let (from, to) = span(run);
    let to = (to < Timestamp::MAX).then_some(to);
    let place = place(texts, scope);
    // While it lasts, the text does not change: each change is a request to Grafana.
    let mut parts = vec![match to {
        None => texts.text("annotation-outage", args!["scope" => place]),
        Some(_) => texts.text("annotation-outage-over", args!["scope" => place, "n" => run.len()]),
    }];
    if let Some(first) = run.first().filter(|first| !first.of.what.is_empty()) {
        let args = args!["what" => first.of.what.as_str()];
        parts.push(texts.text("annotation-outage-first", args));
    }
    Episode {
        kind: AnnotationKind::Outage,
        scope: scope.clone(),
        key: None,
        from,
        to,
        text: html(&texts.clauses(parts)),
        is_cancelled: false,
    }
}
