//! `[grafana]`.

use std::collections::BTreeSet;

use super::GrafanaSettings;
use crate::config::Reader;
use crate::domain::unprintable;
use crate::store::AnnotationKind;

/// Default maximum number of annotations of one kind that begin in one hour.
const PER_HOUR: usize = 12;
const PER_HOUR_MAX: usize = 1000;
/// Grafana refuses annotations whose tags are longer than 500 bytes together.
const TAGS_MAX: usize = 5;
const TAG_BYTES_MAX: usize = 40;

/// Reads the section, if it is there. Connects nowhere.
pub fn read(section: Reader<'_>) -> Option<GrafanaSettings> {
    let there = section.is_there();
    if there {
        section.missing("url", "use an http:// or https:// address");
    }
    let settings = GrafanaSettings {
        url: section.url("url").unwrap_or_default(),
        token: section.secret("token", "token_file").unwrap_or_default(),
        kinds: kinds(&section),
        tags: tags(&section),
        per_hour: section.count("annotations_per_hour", 1..=PER_HOUR_MAX).unwrap_or(PER_HOUR),
    };
    section.finish();
    there.then_some(settings)
}

fn kinds(section: &Reader<'_>) -> BTreeSet<AnnotationKind> {
    let every = AnnotationKind::EVERY;
    let allowed = format!("use some of {}", every.map(AnnotationKind::as_str).join(", "));
    let Some(words) = section.list("annotations", &allowed) else { return every.into() };
    if words.is_empty() {
        section.problem("annotations", format!("names none: {allowed}, or take the section out"));
    }
    let mut kinds = BTreeSet::new();
    for word in words {
        match every.into_iter().find(|kind| kind.as_str() == word) {
            Some(kind) => _ = kinds.insert(kind),
            None => section.problem("annotations", format!("found `{word}`: {allowed}")),
        }
    }
    kinds
}

fn tags(section: &Reader<'_>) -> Vec<String> {
    let allowed = format!("use at most {TAGS_MAX} texts of 1 to {TAG_BYTES_MAX} bytes");
    let Some(tags) = section.list("tags", &allowed) else { return Vec::new() };
    let is_good =
        |tag: &String| (1..=TAG_BYTES_MAX).contains(&tag.len()) && !tag.chars().any(unprintable);
    if tags.len() > TAGS_MAX || !tags.iter().all(is_good) {
        section.problem("tags", allowed);
    }
    tags
}
