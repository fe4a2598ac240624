//! The life of one alarm: it is raised, perhaps changed, and ends once its clear has been held.

use std::sync::Arc;
use std::time::Duration;

use super::alarm::ActiveAlarm;
use super::rules::AlarmRules;
use super::step::{Details, Key, Step};
use crate::domain::{AlarmAction, Severity, Timestamp};

/// The state of an alarm that was active within [`STALE_AFTER`](super::STALE_AFTER).
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) newest: Key,
    pub(super) active: Option<ActiveAlarm>,
    /// The newest raise or clear. Only these decide whether a known alarm is active.
    decided: Option<(Key, AlarmAction)>,
    /// The newest change after `decided`.
    change: Option<Box<Step>>,
    /// Only for an alarm that was cleared recently or may have ended.
    watch: Option<Box<Watch>>,
}

#[derive(Clone, Debug)]
struct Watch {
    /// Times of the last raises that followed a clear; at most as many as make an alarm chatter.
    raises: Vec<Timestamp>,
    /// Number of raises since it was last quiet.
    times: u32,
    chatters: bool,
    /// Time of the clear that is being held.
    cleared: Option<Timestamp>,
    /// When its list was rebuilt, if the alarm has not been sent again since.
    doubtful_since: Option<Timestamp>,
}

impl Watch {
    fn new(raised_at: Timestamp) -> Box<Self> {
        let raises = vec![raised_at];
        Box::new(Self { raises, times: 1, chatters: false, cleared: None, doubtful_since: None })
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

/// The end of an alarm.
pub(super) struct End {
    pub(super) ts: Timestamp,
    /// When the end becomes certain.
    pub(super) sure_at: Timestamp,
    /// Whether it ended because a rebuilt list does not contain it.
    pub(super) is_resync: bool,
}

/// The effect of a step on an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The alarm became active.
    Began,
    /// A raise of an active alarm. It does not count as an arrival.
    Repeated,
    /// A raise while a clear was held: the clear is cancelled.
    Flapped,
    Other,
}

impl Life {
    pub(super) fn new(newest: Key) -> Self {
        Self { newest, active: None, decided: None, change: None, watch: None }
    }

    /// Whether a newer message has been taken, so that this one has no effect. A raise or clear that is older than a change
    /// still has an effect, because a change does not decide whether the alarm is active.
    pub(super) fn is_past(&self, step: &Step) -> bool {
        match step.action() {
            AlarmAction::Change => self.newest >= step.key,
            AlarmAction::Raise | AlarmAction::Clear => {
                self.decided.is_some_and(|(key, _)| key >= step.key)
            }
        }
    }

    /// Whether the last raise or clear was a clear. A change does not raise such an alarm.
    pub(super) fn is_cleared(&self) -> bool {
        self.decided.is_some_and(|(_, action)| action == AlarmAction::Clear)
    }

    /// Records a step that was refused. After a raise, the next change may begin the alarm.
    pub(super) fn refused(&mut self, step: &Step) {
        if step.action() == AlarmAction::Raise {
            self.decided = Some((step.key, AlarmAction::Raise));
        }
    }

    /// Whether the alarm will end unless another message prevents it.
    pub(super) fn is_ending(&self) -> bool {
        let ends = |watch: &Watch| watch.cleared.is_some() || watch.doubtful_since.is_some();
        self.active.is_some() && self.watch.as_deref().is_some_and(ends)
    }

    /// When the alarm will end unless another message prevents it.
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
        let resynced = watch.doubtful_since.map(|ts| of(ts, rules.resync_within, true));
        cleared.into_iter().chain(resynced).min_by_key(|end| end.sure_at)
    }

    /// Ends the alarm if the end is certain before `ts`. A message at `ts` can still prevent a later end.
    pub(super) fn end_before(
        &mut self,
        ts: Timestamp,
        rules: &AlarmRules,
    ) -> Option<(ActiveAlarm, End)> {
        let end = self.end(rules).filter(|end| end.sure_at < ts)?;
        let watch = self.watch.as_mut()?;
        (watch.cleared, watch.doubtful_since) = (None, None);
        Some((self.active.take()?, end))
    }

    /// Resets the flap count once the alarm has been quiet for `rules.chatter_within`.
    pub(super) fn forget_flaps_if_quiet(&mut self, now: Timestamp, rules: &AlarmRules) {
        let is_quiet = self.watch.as_ref().is_some_and(|watch| {
            let last = watch.raises.last().copied();
            watch.cleared.is_none()
                && watch.doubtful_since.is_none()
                && last.is_none_or(|last| now.since(last) > rules.chatter_within)
        });
        if is_quiet {
            self.watch = None;
            if let Some(active) = &mut self.active {
                active.flaps = 0;
            }
        }
    }

    /// Marks the alarm as doubtful if its newest message is older than the rebuild of its list at `ts`.
    pub(super) fn mark_doubtful(&mut self, ts: Timestamp) {
        let Some(active) = self.active.as_mut().filter(|_| self.newest.0 < ts) else { return };
        active.is_doubtful = true;
        let watch = self.watch.get_or_insert_with(|| Watch::new(active.raised_at));
        watch.doubtful_since.get_or_insert(ts);
    }

    /// Applies a step that still has an effect.
    pub(super) fn take(&mut self, alarm_id: &Arc<str>, step: &Step, rules: &AlarmRules) -> Effect {
        let is_old = step.key < self.newest;
        self.newest = self.newest.max(step.key);
        let (ts, action) = (step.key.0, step.action());
        if action == AlarmAction::Change {
            self.change = Some(Box::new(step.clone()));
        } else {
            self.decided = Some((step.key, action));
            self.change = self.change.take().filter(|change| change.key > step.key);
        }
        match action {
            AlarmAction::Clear => {
                if let Some(active) = &self.active {
                    let watch = self.watch.get_or_insert_with(|| Watch::new(active.raised_at));
                    // The first of several clears counts.
                    watch.cleared.get_or_insert(ts);
                }
                Effect::Other
            }
            AlarmAction::Change if self.is_cleared() => {
                // A change does not take back a clear that is held.
                if self.active.is_some() {
                    self.show(alarm_id, step, false);
                }
                Effect::Other
            }
            AlarmAction::Raise | AlarmAction::Change => self.begin(alarm_id, step, is_old, rules),
        }
    }

    /// Begins the alarm, or changes it if it is active.
    fn begin(
        &mut self,
        alarm_id: &Arc<str>,
        step: &Step,
        is_old: bool,
        rules: &AlarmRules,
    ) -> Effect {
        let (ts, was_active) = (step.key.0, self.active.is_some());
        let (mut flaps, mut flapped) = (0, false);
        if let Some(watch) = &mut self.watch {
            flapped = watch.cleared.take().is_some();
            if flapped || !was_active {
                watch.raised_again(ts, rules);
            }
            flaps = if watch.chatters { watch.times } else { 0 };
        }
        self.show(alarm_id, step, is_old);
        // The newest change may have been read before its raise.
        if let Some(change) = self.change.take() {
            if change.key > step.key {
                self.show(alarm_id, &change, false);
            }
            self.change = Some(change);
        }
        if let Some(active) = &mut self.active {
            active.flaps = flaps;
        }
        match was_active {
            false => Effect::Began,
            true if flapped => Effect::Flapped,
            true if step.action() == AlarmAction::Raise => Effect::Repeated,
            true => Effect::Other,
        }
    }

    /// Applies the content of a message to the alarm. Values that the message does not have are not changed: the place, the
    /// device, the type, and in a change the severity, where `indeterminate` counts as no value. A message that is older than
    /// the newest one only sets values that are unknown.
    fn show(&mut self, alarm_id: &Arc<str>, step: &Step, is_old: bool) {
        let ts = step.key.0;
        let Some(before) = self.active.take() else {
            let Details { scope, device, alarm_type } = Details::clone(&step.details);
            self.active = Some(ActiveAlarm {
                alarm_id: alarm_id.clone(),
                scope,
                severity: step.severity,
                raised_at: ts,
                changed_at: ts,
                device,
                alarm_type,
                flaps: 0,
                is_doubtful: false,
            });
            return;
        };
        let ActiveAlarm { scope, device, alarm_type, .. } = before.clone();
        let known = Details { scope, device, alarm_type };
        let details = if is_old { known.or(&step.details) } else { step.details.or(&known) };
        let says_nothing =
            step.action() == AlarmAction::Change && step.severity == Severity::Indeterminate;
        if !is_old && let Some(watch) = &mut self.watch {
            watch.doubtful_since = None;
        }
        self.active = Some(ActiveAlarm {
            scope: details.scope,
            device: details.device,
            alarm_type: details.alarm_type,
            severity: if is_old || says_nothing { before.severity } else { step.severity },
            changed_at: ts.max(before.changed_at),
            is_doubtful: is_old && before.is_doubtful,
            ..before
        });
    }
}
