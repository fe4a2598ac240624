//! `planned`: planned work, planners' adjustments, and the causes that forecasts name.

use super::fields::{Fields, Line, nanos_of, series_tags};
use crate::domain::{MaintenanceAction, MaintenanceEvent, Timestamp, WindowWidth};
use crate::forecast::{ADJUSTMENT, Adjustment, AdjustmentAmount, AdjustmentKind, Vintage};
use crate::store::{PlannedKey, PlannedKind, Reader, StoreError};
use crate::text::{Say, Texts};

/// The measurement.
const PLANNED: &str = "planned";
/// Maximum length of a text that boards show.
const TEXT_CHARS_MAX: usize = 200;

/// The entries that the journal names, in their present state. An entry that was moved, cancelled or deleted keeps its point, with another state.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn planned(reader: &Reader, at: Timestamp, text: &str) -> Result<Option<Line>, StoreError> {
    let key = PlannedKey::of(text)?;
    let fields = match key.kind {
        PlannedKind::Maintenance => reader.work(&key.id)?.and_then(|event| {
            let is_there = event.starts_at == at && PlannedKey::of_work(&event) == key;
            (is_there && event.action != MaintenanceAction::Cancel).then(|| work(&event))
        }),
        PlannedKind::Adjustment => reader.adjustment(&key.id)?.and_then(|entry| {
            let is_there = entry.starts_at == at && PlannedKey::of_adjustment(&entry) == key;
            is_there.then(|| adjustment(&entry))
        }),
    };
    let fields = fields.unwrap_or_else(|| Fields::new().text("state", "cancelled"));
    Ok(fields.at(series_tags(PLANNED, &key.series), nanos_of(at, text)))
}

fn work(event: &MaintenanceEvent) -> Fields {
    let text = event.text.as_deref().or(event.impact.as_deref()).unwrap_or(&event.event_id);
    Fields::new()
        .text("kind", "maintenance")
        .text("text", short(text))
        .text("until", event.ends_at.to_string())
        .text("state", PLANNED)
}

fn adjustment(entry: &Adjustment) -> Fields {
    let kind = match entry.kind {
        AdjustmentKind::Campaign => "campaign",
        AdjustmentKind::Billing => "billing",
        AdjustmentKind::Override => "override",
        AdjustmentKind::Other => "other",
    };
    let fields = Fields::new().text("kind", kind).text("text", short(&entry.label));
    let fields = match entry.amount {
        AdjustmentAmount::Factor(factor) => fields.float("factor", factor),
        AdjustmentAmount::TicketsPerWindow(tickets) => fields.float("tickets_per_window", tickets),
    };
    fields.text("until", entry.ends_at.to_string()).text("state", PLANNED)
}

/// The causes that a forecast names, at its issue time. Adjustments have points of their own.
pub fn causes<'a>(
    vintage: &'a Vintage,
    width: WindowWidth,
    texts: &'a Texts,
) -> impl Iterator<Item = Line> + 'a {
    let until = vintage.targets.last().map_or(vintage.issued_at, |last| width.end(last.start));
    let named = vintage.causes.iter().filter(|cause| !cause.what.starts_with(ADJUSTMENT));
    named.filter_map(move |cause| {
        Fields::new()
            .text("kind", "cause")
            .text("text", short(&cause.say(texts)))
            .float("tickets", cause.tickets)
            .text("until", until.to_string())
            .text("state", PLANNED)
            .at(series_tags(PLANNED, &vintage.series), nanos_of(vintage.issued_at, &cause.what))
    })
}

fn short(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}
