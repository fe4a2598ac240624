//! Planned work and planners' adjustments.

use super::episodes::{Episode, html, key, place};
use crate::domain::{MaintenanceAction, MaintenanceEvent};
use crate::forecast::Adjustment;
use crate::store::{AnnotationKind, PlannedKey, PlannedKind, Reader, StoreError};
use crate::text::{Texts, args};

/// The entry that the journal names, in its present state. An entry that was cancelled or deleted is not shown any more.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn planned(
    reader: &Reader,
    text: &str,
    at: crate::domain::Timestamp,
    texts: &Texts,
) -> Result<Episode, StoreError> {
    let planned = PlannedKey::of(text)?;
    let scope = planned.series.scope();
    let (word, entry) = match planned.kind {
        PlannedKind::Maintenance => {
            ("work", reader.work(&planned.id)?.and_then(|event| work(&event, texts)))
        }
        PlannedKind::Adjustment => {
            let entry = reader.adjustment(&planned.id)?;
            ("adjustment", entry.map(|entry| adjustment(&entry, texts)))
        }
    };
    let key = Some(key(AnnotationKind::Planned, &format!("{word}/{}", planned.id)));
    Ok(match entry {
        Some(episode) => Episode { key, ..episode },
        None => Episode {
            kind: AnnotationKind::Planned,
            scope,
            key,
            from: at,
            to: Some(at),
            text: String::new(),
            is_cancelled: true,
        },
    })
}

fn work(event: &MaintenanceEvent, texts: &Texts) -> Option<Episode> {
    if event.action == MaintenanceAction::Cancel {
        return None;
    }
    let scope = PlannedKey::of_work(event).series.scope();
    let text = event.text.as_deref().or(event.impact.as_deref()).unwrap_or(&event.event_id);
    let args = args!["scope" => place(texts, &scope), "text" => text];
    let text = html(&texts.text("annotation-work", args));
    Some(Episode {
        kind: AnnotationKind::Planned,
        scope,
        key: None,
        from: event.starts_at,
        to: Some(event.ends_at),
        text,
        is_cancelled: false,
    })
}

fn adjustment(entry: &Adjustment, texts: &Texts) -> Episode {
    let scope = PlannedKey::of_adjustment(entry).series.scope();
    let args = args!["scope" => place(texts, &scope), "text" => entry.label.as_str()];
    let text = html(&texts.text("annotation-adjustment", args));
    Episode {
        kind: AnnotationKind::Planned,
        scope,
        key: None,
        from: entry.starts_at,
        to: Some(entry.ends_at),
        text,
        is_cancelled: false,
    }
}
