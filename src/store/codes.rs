//! Numbers of kinds, states and reasons in columns. All are assigned here, and a number is never reused.

use super::StoreError;
use crate::alert::AlertState;
use crate::anomaly::AnomalyKind;
use crate::domain::{EventKind, Reason};
use crate::staffing::RecommendationState;

use super::{AnnotationKind, DeliveryState};

/// A value that is stored as a number.
pub(super) trait Code: Copy + Sized + 'static {
    /// Name of the type in error texts.
    const WHAT: &'static str;
    /// Every value with its number.
    const EVERY: &'static [(Self, u8)];

    /// The number of a value.
    fn code(self) -> u8;

    /// The value of a number.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for a number that was never assigned.
    fn of_code(code: u8) -> Result<Self, StoreError> {
        let found = Self::EVERY.iter().find(|(_, number)| *number == code);
        let unknown = || StoreError::corrupt(format!("{} {code} is unknown", Self::WHAT));
        found.map(|(value, _)| *value).ok_or_else(unknown)
    }
}

/// Implements [`Code`] for an enum. A variant without a number causes a compile error.
macro_rules! codes {
    ($what:literal, $type:ident { $($variant:ident = $code:literal),+ $(,)? }) => {
        impl Code for $type {
            const WHAT: &'static str = $what;
            const EVERY: &'static [(Self, u8)] = &[$((Self::$variant, $code)),+];

            fn code(self) -> u8 {
                match self {
                    $(Self::$variant => $code),+
                }
            }
        }
    };
}

codes!("dead letter reason", Reason { Malformed = 0, Field = 1, Late = 2, Future = 3, Limit = 4 });
codes!("anomaly kind", AnomalyKind {
    High = 0,
    Low = 1,
    Complaints = 2,
    Phrase = 3,
    ShiftUp = 4,
    ShiftDown = 5,
    Vanished = 6,
    AlarmStorm = 7,
    SilentSource = 8,
    ForecastUnreliable = 9,
});
codes!(
    "annotation kind",
    AnnotationKind { Anomaly = 0, Surge = 1, Outage = 2, Planned = 3, Page = 4 }
);
codes!("alert state", AlertState { Pending = 0, Firing = 1, Acknowledged = 2, Resolved = 3 });
codes!("delivery state", DeliveryState { Pending = 0, Delivered = 1, Dead = 2 });
codes!("state of a recommendation", RecommendationState {
    Proposed = 0,
    Accepted = 1,
    Declined = 2,
    Done = 3,
    Expired = 4,
    Withdrawn = 5,
});
codes!("event kind", EventKind { Alarm = 0, Ticket = 1, Maintenance = 2 });

/// Kinds of aggregation keys: `cells.kind`.
pub(super) mod key_kind {
    /// Tickets of a series.
    pub const TICKETS: u8 = 0;
    /// Alarms of a scope.
    pub const ALARMS: u8 = 1;
    /// Planned work.
    pub const MAINTENANCE: u8 = 2;
    /// Tickets with a phrase. It is the largest number, because events are counted exactly once under the kinds with smaller
    /// numbers.
    pub const PHRASE: u8 = 3;
}

/// Kinds of changes: `changes.kind`.
pub(super) mod change_kind {
    /// A window.
    pub const WINDOW: u8 = 0;
    /// The vintages of one issue time.
    pub const ISSUE: u8 = 1;
    /// The anomalies of a window.
    pub const ANOMALIES: u8 = 2;
    /// An alert.
    pub const ALERT: u8 = 3;
    /// Nowcasts.
    pub const NOWCAST: u8 = 4;
    /// The accuracy of a day.
    pub const ACCURACY: u8 = 5;
    /// Planned work or an adjustment.
    pub const PLANNED: u8 = 6;
    /// A recommendation.
    pub const RECOMMENDATION: u8 = 7;
    /// Attained service of a window.
    pub const SERVICE: u8 = 8;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Debug;

    use super::*;

    fn check<T: Code + PartialEq + Debug>(stable: &[(T, u8)]) {
        assert_eq!(T::EVERY, stable, "assigned numbers never change");
        for (value, code) in stable {
            assert_eq!((value.code(), T::of_code(*code).ok()), (*code, Some(*value)));
        }
        assert_eq!(distinct(stable.iter().map(|(_, code)| *code)), stable.len());
        assert!(T::of_code(u8::MAX).is_err());
    }

    fn distinct(codes: impl IntoIterator<Item = u8>) -> usize {
        codes.into_iter().collect::<BTreeSet<_>>().len()
    }

    #[test]
    fn numbers_are_distinct_and_never_change() {
        check(&[
            (Reason::Malformed, 0),
            (Reason::Field, 1),
            (Reason::Late, 2),
            (Reason::Future, 3),
            (Reason::Limit, 4),
        ]);
        check(&[
            (AnomalyKind::High, 0),
            (AnomalyKind::Low, 1),
            (AnomalyKind::Complaints, 2),
            (AnomalyKind::Phrase, 3),
            (AnomalyKind::ShiftUp, 4),
            (AnomalyKind::ShiftDown, 5),
            (AnomalyKind::Vanished, 6),
            (AnomalyKind::AlarmStorm, 7),
            (AnomalyKind::SilentSource, 8),
            (AnomalyKind::ForecastUnreliable, 9),
        ]);
        check(&[
            (AlertState::Pending, 0),
            (AlertState::Firing, 1),
            (AlertState::Acknowledged, 2),
            (AlertState::Resolved, 3),
        ]);
        check(&[
            (DeliveryState::Pending, 0),
            (DeliveryState::Delivered, 1),
            (DeliveryState::Dead, 2),
        ]);
        check(&[
            (RecommendationState::Proposed, 0),
            (RecommendationState::Accepted, 1),
            (RecommendationState::Declined, 2),
            (RecommendationState::Done, 3),
            (RecommendationState::Expired, 4),
            (RecommendationState::Withdrawn, 5),
        ]);
        check(&[(EventKind::Alarm, 0), (EventKind::Ticket, 1), (EventKind::Maintenance, 2)]);
        let keys = {
            use key_kind::*;
            [TICKETS, ALARMS, MAINTENANCE, PHRASE]
        };
        assert_eq!((keys, distinct(keys)), ([0, 1, 2, 3], 4));
        let changes = {
            use change_kind::*;
            [WINDOW, ISSUE, ANOMALIES, ALERT, NOWCAST, ACCURACY, PLANNED, RECOMMENDATION, SERVICE]
        };
        assert_eq!((changes, distinct(changes)), ([0, 1, 2, 3, 4, 5, 6, 7, 8], 9));
    }
}
