//! The actions of native events: the words that are documented, and those that mean the same.

use crate::domain::{AlarmAction, MaintenanceAction, TicketAction};
use crate::ingest::acts::{Act, act};
use crate::ingest::read;
use crate::ingest::reject::Reject;

/// The actions of a kind: the documented words, and the actions that other words contain.
pub(super) struct Actions<T: 'static> {
    pub(super) words: &'static [(&'static str, T)],
    acts: &'static [(Act, T, &'static str)],
    /// Words of other systems that contain no act.
    more: &'static [(&'static str, Act)],
    /// Words that [`life`](super::life) reads before these.
    others: &'static [&'static str],
}

impl<T: Copy> Actions<T> {
    /// The action that an act means, and its word.
    pub(super) fn of(&self, act: Act) -> Option<(T, &'static str)> {
        let found = self.acts.iter().find(|(known, ..)| *known == act);
        found.map(|(_, action, word)| (*action, *word))
    }

    /// The act that a word of another system means.
    pub(super) fn act(&self, text: &str) -> Option<Act> {
        read::find(text, self.more).or_else(|| act(text))
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
    more: &[
        ("problem", Act::Begin),
        ("fault", Act::Begin),
        ("on", Act::Begin),
        ("down", Act::Begin),
        ("产生", Act::Begin),
        ("发生", Act::Begin),
        ("触发", Act::Begin),
        ("新增", Act::Begin),
        ("ok", Act::End),
        ("normal", Act::End),
        ("off", Act::End),
        ("up", Act::End),
        ("恢复", Act::End),
        ("已恢复", Act::End),
        ("清除", Act::End),
        ("已清除", Act::End),
        ("消除", Act::End),
        ("变更", Act::Change),
        ("确认", Act::Nothing),
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
    more: &[
        ("in progress", Act::Change),
        ("work in progress", Act::Change),
        ("on hold", Act::Change),
        ("pending", Act::Change),
        ("waiting", Act::Change),
        ("处理中", Act::Change),
        ("挂起", Act::Change),
        ("更新", Act::Change),
        ("solved", Act::End),
        ("fixed", Act::End),
        ("done", Act::End),
        ("completed", Act::End),
        ("解决", Act::End),
        ("已解决", Act::End),
        ("关闭", Act::End),
        ("已关闭", Act::End),
        ("创建", Act::Begin),
        ("新建", Act::Begin),
        ("重新打开", Act::Reopen),
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
    more: &[],
    others: &[],
};
