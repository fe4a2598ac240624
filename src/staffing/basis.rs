//! The basis of a plan's figures.

use serde::{Deserialize, Serialize};

use super::{LearnedAht, Profile};
use crate::domain::Name;
use crate::text::{Say, Texts, args};

/// The goal for which a model plans.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "goal", rename_all = "kebab-case")]
pub enum Goal {
    /// A share of contacts (0–1) is answered within this time.
    Answered { share: f64, seconds: u64 },
    /// Customers hang up after this time on average.
    Patience { seconds: u64 },
    /// All work of a window is done within the window (plans of earlier versions).
    WithinWindow,
    /// A share of contacts (0–1) is done within this time.
    Done { share: f64, seconds: u64 },
}

/// The model and the parameters behind a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Basis {
    /// The model's name, such as `erlang-a`.
    pub model: String,
    /// Mean handling time, seconds.
    pub aht: u64,
    pub goals: Vec<Goal>,
    /// Contacts that an agent handles at once.
    pub concurrency: u32,
    /// Highest share of time that agents are busy, 0–1.
    pub max_occupancy: Option<f64>,
    /// Share of scheduled time that agents are away, 0–1.
    pub shrinkage: f64,
    /// The team that serves the series together with others; the plan is the series' share of the team's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Name>,
    /// Open tickets when the plan begins, if their number is known; only for deferred work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backlog: Option<u32>,
    /// Learned handling times by window, if the profile learns them. `aht` is their mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learned: Option<LearnedAht>,
}

impl Basis {
    /// The basis of a profile.
    pub fn of(profile: &Profile) -> Self {
        let queue = profile.model.queue();
        Self {
            model: queue.name().to_owned(),
            aht: profile.aht.as_secs(),
            goals: queue.goals(&profile.target),
            concurrency: profile.concurrency,
            max_occupancy: profile.max_occupancy,
            shrinkage: profile.shrinkage,
            team: None,
            backlog: None,
            learned: None,
        }
    }
}

impl Say for Goal {
    fn say(&self, texts: &Texts) -> String {
        match self {
            Self::Answered { share, seconds } => {
                let percent = texts.number(share * 100.0, 0);
                texts.text("basis-target", args!["percent" => percent, "seconds" => *seconds])
            }
            Self::Patience { seconds } => {
                texts.text("basis-patience", args!["seconds" => *seconds])
            }
            Self::WithinWindow => texts.text("basis-within-window", None),
            Self::Done { share, seconds } => {
                let percent = texts.number(share * 100.0, 0);
                let hours = texts.number(*seconds as f64 / 3600.0, 1);
                texts.text("basis-done", args!["percent" => percent, "hours" => hours])
            }
        }
    }
}

impl Say for Basis {
    fn say(&self, texts: &Texts) -> String {
        let percent = |share: f64| texts.number(share * 100.0, 0);
        let mut parts = vec![match &self.learned {
            Some(own) => texts.text(
                "basis-aht-learned",
                args!["seconds" => self.aht, "n" => own.tickets, "configured" => own.configured],
            ),
            None => texts.text("basis-aht", args!["seconds" => self.aht]),
        }];
        parts.extend(self.goals.iter().map(|goal| goal.say(texts)));
        if self.concurrency > 1 {
            parts.push(texts.text("basis-concurrency", args!["n" => self.concurrency]));
        }
        if let Some(occupancy) = self.max_occupancy {
            parts.push(texts.text("basis-occupancy", args!["percent" => percent(occupancy)]));
        }
        let shrinkage = args!["percent" => percent(self.shrinkage)];
        parts.push(texts.text("basis-shrinkage", shrinkage));
        if let Some(open) = self.backlog {
            parts.push(texts.text("basis-backlog", args!["n" => open]));
        }
        if let Some(team) = &self.team {
            parts.push(texts.text("basis-team", args!["team" => team.as_str()]));
        }
        let model = match self.model.as_str() {
            name @ ("erlang-c" | "erlang-a" | "chat" | "deferred") => {
                texts.text(&format!("basis-{name}"), None)
            }
            other => other.to_owned(),
        };
        texts.text("basis", args!["model" => model, "parts" => texts.parts(parts)])
    }
}
