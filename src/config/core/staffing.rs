//! `[staffing.CHANNEL]`: the staffing profile of a channel. Missing keys have the defaults of `models/staffing.toml`.

use std::collections::BTreeMap;

use crate::config::Reader;
use crate::domain::Name;
use crate::staffing::{Profile, ProfileSpec};

const LENGTH: &str = "use a length such as 300s, 5m or 1h";
const MODEL: &str = "use erlang-c, erlang-a, chat or deferred";

/// Reads the tables under `staffing`: a profile for each configured channel.
pub fn read(root: &Reader<'_>) -> BTreeMap<Name, Profile> {
    let mut profiles = BTreeMap::new();
    for (channel, section) in root.named("staffing") {
        let Some(channel) = channel.filter(|_| section.is_there()) else { continue };
        let spec = spec(&section);
        let profile = profile(&section, &channel, spec);
        section.finish();
        profiles.extend(profile.map(|profile| (channel, profile)));
    }
    profiles
}

/// The profiles of all channels that have a default.
pub fn default_profiles() -> BTreeMap<Name, Profile> {
    ["phone", "chat", "email", "social", "app"]
        .into_iter()
        .filter_map(|channel| Some((Name::new(channel).ok()?, Profile::default_of(channel)?)))
        .collect()
}

fn spec(section: &Reader<'_>) -> ProfileSpec {
    ProfileSpec {
        model: section
            .parse("model", MODEL, |text| toml::Value::from(text).try_into().map_err(|_| MODEL)),
        aht: section.text("aht", LENGTH),
        target: section.text("target", "use a target such as 80/20: 80 % within 20 s"),
        patience: section.text("patience", LENGTH),
        shrinkage: section.number("shrinkage"),
        max_occupancy: section.number("max_occupancy"),
        max_asa: section.text("max_asa", LENGTH),
        max_abandonment: section.number("max_abandonment"),
        concurrency: section.count("concurrency", 1..=10).and_then(|n| u32::try_from(n).ok()),
        concurrency_rates: section.text(
            "concurrency_rates",
            "use a text with one rate for each number, such as 1,1.7,2.5",
        ),
        aht_measured: section.text("aht_measured", "use alone or elapsed"),
        redial: section.number("redial"),
    }
}

/// The profile, or a problem for every invalid key. A valid value replaces an invalid one, so that the other keys are
/// checked too.
fn profile(section: &Reader<'_>, channel: &Name, mut spec: ProfileSpec) -> Option<Profile> {
    let mut seen: Vec<&str> = Vec::new();
    loop {
        let error = match spec.profile(channel) {
            Ok(profile) => return seen.is_empty().then_some(profile),
            Err(error) => error,
        };
        if seen.contains(&error.key) {
            return None;
        }
        // The reader has already recorded a key that exists but could not be read.
        let unread = error.text.starts_with("is missing") && section.has(error.key);
        if !unread {
            section.problem(error.key, error.text);
        }
        seen.push(error.key);
        replace(&mut spec, error.key);
    }
}

/// Replaces the value of `key` by one that is always valid.
fn replace(spec: &mut ProfileSpec, key: &str) {
    match key {
        "aht" => spec.aht = Some("300s".into()),
        "target" => spec.target = Some("80/20".into()),
        "patience" => spec.patience = Some("180s".into()),
        "shrinkage" => spec.shrinkage = None,
        "max_occupancy" => spec.max_occupancy = None,
        "max_asa" => spec.max_asa = None,
        "max_abandonment" => spec.max_abandonment = None,
        "concurrency" => spec.concurrency = None,
        "concurrency_rates" => spec.concurrency_rates = None,
        "aht_measured" => spec.aht_measured = None,
        "redial" => spec.redial = None,
        _ => {}
    }
}
