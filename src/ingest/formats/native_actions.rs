//! The actions of native events: the words that are documented, and those that mean the same.

use crate::domain::{AlarmAction, MaintenanceAction, TicketAction};
use crate::ingest::acts::Act;
use crate::ingest::read;
use crate::ingest::reject::Reject;

/// The actions of a kind: the documented words, and the actions that other words contain.
pub(super) struct Actions<T: 'static> {
    pub(super) words: &'static [(&'static str, T)],
    acts: &'static [(Act, T, &'static str)],
    /// Words that [`life`](super::life) reads before these.
    others: &'static [&'static str],
}

impl<T: Copy> Actions<T> {
    /// The action that an act means, and its word.
    pub(super) fn of(&self, act: Act) -> Option<(T, &'static str)> {
        let found = self.acts.iter().find(|(known, ..)| *known == act);
        found.map(|(_, action, word)| (*action, *word))
    }

    /// The reject for a word that means no action.
    pub(super) fn no_choice(&self, text: &str) -> Reject {
        let words: Vec<&str> = self.words.iter().map(|(word, _)| *word).collect();
        read::no_choice_of("action", text, &[&words, self.others].concat())
    }
}

pub(super) const ALARM_ACTIONS: Actions<AlarmAction> = Actions {
    words: &[
        ("raise", AlarmAction::Raise),
        ("change", AlarmAction::Change),
        ("clear", AlarmAction::Clear),
    ],
    acts: &[
        (Act::Begin, AlarmAction::Raise, "raise"),
        (Act::Reopen, AlarmAction::Raise, "raise"),
        (Act::Change, AlarmAction::Change, "change"),
        (Act::Nothing, AlarmAction::Change, "change"),
        (Act::End, AlarmAction::Clear, "clear"),
    ],
    others: &[],
};

pub(super) const TICKET_ACTIONS: Actions<TicketAction> = Actions {
    words: &[
        ("create", TicketAction::Create),
        ("update", TicketAction::Update),
        ("resolve", TicketAction::Resolve),
        ("reopen", TicketAction::Reopen),
    ],
    acts: &[
        (Act::Begin, TicketAction::Create, "create"),
        (Act::Reopen, TicketAction::Reopen, "reopen"),
        (Act::Change, TicketAction::Update, "update"),
        (Act::Nothing, TicketAction::Update, "update"),
        (Act::End, TicketAction::Resolve, "resolve"),
    ],
    others: &["respond", "abandon", "snapshot"],
};

pub(super) const MAINTENANCE_ACTIONS: Actions<MaintenanceAction> = Actions {
    words: &[("plan", MaintenanceAction::Plan), ("cancel", MaintenanceAction::Cancel)],
    acts: &[
        (Act::Begin, MaintenanceAction::Plan, "plan"),
        (Act::Change, MaintenanceAction::Plan, "plan"),
        (Act::End, MaintenanceAction::Cancel, "cancel"),
    ],
    others: &[],
};
