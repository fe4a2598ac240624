//! The life of one alarm: raised, perhaps changed, over once its clear has held.

use std::sync::Arc;
use std::time::Duration;

use super::alarm::ActiveAlarm;
use super::rules::AlarmRules;
use super::step::{About, Key, Step};
use crate::domain::{AlarmAction, Timestamp};

/// What is known of an alarm.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) newest: Key,
    pub(super) active: Option<ActiveAlarm>,
    /// Of one that was cleared lately or may be over.
    watch: Option<Box<Watch>>,
}

#[derive(Clone, Debug)]
struct Watch {
    /// The last raises of which each followed a clear; as many as make a chattering alarm.
    raises: Vec<Timestamp>,
    /// How often it was raised since it was last quiet.
    times: u32,
    chatters: bool,
    /// A clear that is held.
    cleared: Option<Timestamp>,
    /// When the list was rebuilt that it has not been in since.
    doubted: Option<Timestamp>,
}

impl Watch {
    fn new(raised_at: Timestamp) -> Box<Self> {
        let raises = vec![raised_at];
        Box::new(Self { raises, times: 1, chatters: false, cleared: None, doubted: None })
    }

    fn raised_again(&mut self, ts: Timestamp, rules: &AlarmRules) {
        self.times = self.times.saturating_add(1);
        self.raises.push(ts);
        let surplus = self.raises.len().saturating_sub(rules.chatter_raises);
        self.raises.drain(..surplus);
        let often = self.raises.len() == rules.chatter_raises;
        self.chatters |= often && ts.since(self.raises[0]) <= rules.chatter_within;
    }
}

/// How an alarm ended: when it did, since when that is sure, and whether only a rebuilt list says so.
pub(super) struct End {
    pub(super) ts: Timestamp,
    pub(super) sure_at: Timestamp,
    pub(super) is_resync: bool,
}

/// What a step did to an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It stands now and did not before.
    Began,
    /// A raise of one that stands: no arrival.
    Repeated,
    /// A raise in time: the clear before it is taken back.
    Flapped,
    Other,
}

impl Life {
    pub(super) fn new(newest: Key) -> Self {
        Self { newest, active: None, watch: None }
    }

    /// Whether it will be over if nothing more comes.
    pub(super) fn is_ending(&self) -> bool {
        let ends = |watch: &Watch| watch.cleared.is_some() || watch.doubted.is_some();
        self.active.is_some() && self.watch.as_deref().is_some_and(ends)
    }

    /// When it will be over if nothing more comes.
    fn end(&self, rules: &AlarmRules) -> Option<End> {
        self.active.as_ref()?;
        let watch = self.watch.as_ref()?;
        let hold = if watch.chatters {
            rules.hold_clear.max(rules.chatter_within)
        } else {
            rules.hold_clear
        };
        let of = |ts, hold: Duration, is_resync| End { ts, sure_at: ts + hold, is_resync };
        let cleared = watch.cleared.map(|ts| of(ts, hold, false));
        let doubted = watch.doubted.map(|ts| of(ts, rules.resync_within, true));
        cleared.into_iter().chain(doubted).min_by_key(|end| end.sure_at)
    }

    /// Ends it if that is sure before `ts`, which a message at `ts` may still prevent.
    pub(super) fn end_before(
        &mut self,
        ts: Timestamp,
        rules: &AlarmRules,
    ) -> Option<(ActiveAlarm, End)> {
        let end = self.end(rules).filter(|end| end.sure_at < ts)?;
        let watch = self.watch.as_mut()?;
        (watch.cleared, watch.doubted) = (None, None);
        Some((self.active.take()?, end))
    }

    /// Forgets its flaps once it has been quiet for long enough.
    pub(super) fn calm(&mut self, now: Timestamp, rules: &AlarmRules) {
        let calm = self.watch.as_ref().is_some_and(|watch| {
            let last = watch.raises.last().copied();
            watch.cleared.is_none()
                && watch.doubted.is_none()
                && last.is_none_or(|last| now.since(last) > rules.chatter_within)
        });
        if calm {
            self.watch = None;
            if let Some(active) = &mut self.active {
                active.flaps = 0;
            }
        }
    }

    /// The list that it should be in was rebuilt at `ts`, and it has not been heard of since.
    pub(super) fn doubt(&mut self, ts: Timestamp) {
        let Some(active) = self.active.as_mut().filter(|_| self.newest.0 < ts) else { return };
        active.is_doubtful = true;
        let watch = self.watch.get_or_insert_with(|| Watch::new(active.raised_at));
        watch.doubted.get_or_insert(ts);
    }

    /// Takes a step that is newer than all before it.
    pub(super) fn take(
        &mut self,
        alarm_id: &Arc<str>,
        step: Step,
        about: &About,
        rules: &AlarmRules,
    ) -> Effect {
        self.newest = step.key;
        let (ts, action) = (step.key.0, step.action());
        if action == AlarmAction::Clear {
            if let Some(active) = &self.active {
                let watch = self.watch.get_or_insert_with(|| Watch::new(active.raised_at));
                // Of several clears the first one ended it.
                watch.cleared.get_or_insert(ts);
            }
            return Effect::Other;
        }
        let before = self.active.take();
        let (mut flaps, mut flapped) = (0, false);
        if let Some(watch) = &mut self.watch {
            flapped = watch.cleared.take().is_some();
            if flapped || before.is_none() {
                watch.raised_again(ts, rules);
            }
            watch.doubted = None;
            flaps = if watch.chatters { watch.times } else { 0 };
        }
        let effect = match &before {
            None => Effect::Began,
            Some(_) if flapped => Effect::Flapped,
            Some(_) if action == AlarmAction::Raise => Effect::Repeated,
            Some(_) => Effect::Other,
        };
        self.active = Some(ActiveAlarm {
            alarm_id: alarm_id.clone(),
            scope: about.scope.clone(),
            severity: step.severity,
            raised_at: before.map_or(ts, |before| before.raised_at),
            changed_at: ts,
            device: about.device.clone(),
            alarm_type: about.alarm_type.clone(),
            flaps,
            is_doubtful: false,
        });
        effect
    }
}
