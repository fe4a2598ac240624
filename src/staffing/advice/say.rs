//! Recommendations as sentences.

use super::{AdviceReason, Kind, Recommendation};
use crate::text::{Say, Texts, args};

/// A share in whole percent, halves rounded up as on the web page.
fn percent(share: f64, texts: &Texts) -> String {
    texts.number((share * 100.0).round(), 0)
}

impl Say for Recommendation {
    /// What to do, such as "Move 4 agents from mobile-chat to broadband-phone, 18:00–20:30".
    fn say(&self, texts: &Texts) -> String {
        let texts = texts.local(self.zone);
        let id = match self.kind {
            Kind::Move => "advice-move",
            Kind::CallIn => "advice-call-in",
            Kind::Overtime => "advice-overtime",
            Kind::OfferLeave => "advice-offer-leave",
            Kind::Announcement => "advice-announcement",
        };
        let percent = |share: f64| percent(share, &texts);
        let (low, high) = self.deflection.unwrap_or_default();
        let args = args![
            "n" => self.agents,
            "team" => self.team.as_str(),
            "source" => self.source.as_deref().unwrap_or_default(),
            "from" => texts.time(self.from),
            "to" => texts.time(self.to),
            "zone" => self.zone.to_string(),
            "low" => percent(low),
            "high" => percent(high),
        ];
        texts.text(id, args)
    }
}

impl Recommendation {
    /// The reason and the expected effect.
    pub fn reason(&self, texts: &Texts) -> String {
        let texts = texts.local(self.zone);
        let percent = |share: f64| percent(share, &texts);
        let levels = args![
            "with" => percent(self.level_with),
            "without" => percent(self.level_without),
            "confidence" => percent(self.confidence),
        ];
        texts.clauses([self.why.say(&texts), texts.text("advice-levels", levels)])
    }
}

impl Say for AdviceReason {
    fn say(&self, texts: &Texts) -> String {
        match self {
            Self::Short { at, needed, scheduled } => {
                let at = texts.time(*at);
                let args = args!["needed" => *needed, "scheduled" => *scheduled, "at" => at];
                texts.text("advice-short", args)
            }
            Self::ShortWithReserve { at, needed, scheduled, reserve } => {
                let args = args![
                    "needed" => *needed,
                    "scheduled" => *scheduled,
                    "reserve" => *reserve,
                    "at" => texts.time(*at),
                ];
                texts.text("advice-short-reserve", args)
            }
            Self::Spare { at, needed, scheduled } => {
                let at = texts.time(*at);
                let args = args!["needed" => *needed, "scheduled" => *scheduled, "at" => at];
                texts.text("advice-spare", args)
            }
            Self::Outage { cause, agents } => {
                texts.text("advice-outage", args!["cause" => cause.as_str(), "n" => *agents])
            }
        }
    }
}
