//! `recommendation`: what people can do, and what became of it.

use super::fields::{Fields, Line, line, nanos_of, tag};
use crate::staffing::Recommendation;
use crate::text::{Say, Texts};

/// A recommendation in its present state, at the time at which it was first made.
///
/// Kind and team are its only tags: so that several of one issue do not overwrite each other, the id decides on the fraction of the
/// second.
pub fn recommendation(own: &Recommendation, texts: &Texts) -> Option<Line> {
    let tags = line("recommendation").tag("kind", own.kind.as_str()).tag("team", &tag(&own.team));
    let mut fields = Fields::new()
        .text("id", own.id.clone())
        .text("state", own.state.as_str())
        .text("source", own.source.clone().unwrap_or_default())
        .text("from", own.from.to_string())
        .text("until", own.to.to_string())
        .integer("agents", own.agents)
        .float("confidence", own.confidence)
        .float("service_level_with", own.level_with)
        .float("service_level_without", own.level_without)
        .float("cost", own.cost)
        .integer("changes", own.changes)
        .text("answered_by", own.answered_by.clone().unwrap_or_default())
        .text("summary", own.say(texts));
    if let Some((low, high)) = own.deflection {
        fields = fields.float("deflection_low", low).float("deflection_high", high);
    }
    if let Some(outcome) = &own.outcome {
        fields = fields
            .float("arrivals", outcome.arrivals)
            .float("expected_arrivals", outcome.expected_arrivals)
            .float("attained_with", outcome.level_with)
            .float("attained_without", outcome.level_without);
        if let Some(deflected) = outcome.deflected {
            fields = fields.float("deflected", deflected);
        }
    }
    fields.at(tags, nanos_of(own.issued_at, &own.id))
}
