//! How many tickets of a window have a positive, neutral or negative text.

use crate::domain::Sentiment;

/// Tickets with a text, by its sentiment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SentimentCounts {
    pub positive: u32,
    pub neutral: u32,
    pub negative: u32,
}

impl SentimentCounts {
    /// Counts one ticket.
    pub fn add(&mut self, sentiment: Sentiment) {
        let count = match sentiment {
            Sentiment::Positive => &mut self.positive,
            Sentiment::Neutral => &mut self.neutral,
            Sentiment::Negative => &mut self.negative,
        };
        *count = count.saturating_add(1);
    }

    /// Adds the counts of another window or series.
    pub fn plus(&mut self, other: &Self) {
        self.positive = self.positive.saturating_add(other.positive);
        self.neutral = self.neutral.saturating_add(other.neutral);
        self.negative = self.negative.saturating_add(other.negative);
    }

    /// All tickets with a text.
    pub fn texts(&self) -> u32 {
        self.positive.saturating_add(self.neutral).saturating_add(self.negative)
    }
}
