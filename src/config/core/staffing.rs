//! `[staffing.CHANNEL]`: the staffing profile of a channel. Missing keys have the defaults of `models/staffing.toml`.
//! `[services.NAME.staffing.CHANNEL]` and `[regions.NAME.staffing.CHANNEL]` change keys for a service or a region,
//! `[teams.NAME]` for a team.

use std::collections::BTreeMap;

use super::windows::{Regions, Windows, zone};
use crate::config::Reader;
use crate::domain::{Hours, Name, SeriesKey, Zone};
use crate::staffing::{Profile, ProfileSpec, Rules, Team, overlap};

const LENGTH: &str = "use a length such as 300s, 5m or 1h";
const MODEL: &str = "use erlang-c, erlang-a, chat or deferred";
const SERIES: &str =
    "use series such as [\"north/broadband/phone\"], with _all for every region or service";
const SKILLS: &str =
    "use series such as [\"north/mobile/phone\"], with _all for every region, service or channel";
const HOURS: &str = "use days and hours such as \"Mo-Fr 07:00-23:00\", or \"24/7\"";
const PEOPLE_MAX: usize = 10_000;

/// The sections of staffing.
#[derive(Debug)]
pub struct Staffing {
    /// `[staffing.CHANNEL]`: profiles of the configured channels only.
    pub channels: BTreeMap<Name, Profile>,
    /// All profiles and teams.
    pub rules: Rules,
}

/// The configured keys of channels, services and regions.
#[derive(Default)]
struct Specs {
    /// Keys by scope, in which `_all` stands for every region or service.
    by_scope: BTreeMap<SeriesKey, ProfileSpec>,
}

impl Staffing {
    /// Reads all sections of staffing.
    pub fn read(root: &Reader<'_>, windows: &Windows, regions: &Regions) -> Self {
        let mut specs = Specs::default();
        let channels = channels(root, &mut specs);
        let mut profiles = specs.of_channels(&channels);
        for (region, section) in root.named_quietly("regions") {
            specs.read_scope(&section, &mut profiles, |channel| {
                SeriesKey::new(region.clone(), Name::all(), channel)
            });
        }
        for (service, section) in root.named("services") {
            let service = service.unwrap_or(Name::unknown());
            specs.read_scope(&section, &mut profiles, |channel| {
                SeriesKey::new(Name::all(), service.clone(), channel)
            });
            section.finish();
        }
        specs.add_pairs(root, &mut profiles);
        let teams = specs.teams(root, windows, regions);
        Self { channels, rules: Rules::new(profiles, teams) }
    }
}

/// Reads `[staffing.CHANNEL]`: a profile for each configured channel.
fn channels(root: &Reader<'_>, specs: &mut Specs) -> BTreeMap<Name, Profile> {
    let mut profiles = BTreeMap::new();
    for (channel, section) in root.named("staffing") {
        let Some(channel) = channel.filter(|_| section.is_there()) else { continue };
        let spec = spec(&section);
        let scope = SeriesKey::new(Name::all(), Name::all(), channel.clone());
        specs.by_scope.insert(scope, spec.clone());
        let profile = profile(&section, &channel, spec, |_| true);
        section.finish();
        profiles.extend(profile.map(|profile| (channel, profile)));
    }
    profiles
}

impl Specs {
    /// The profiles of all channels, by scope.
    fn of_channels(&self, own: &BTreeMap<Name, Profile>) -> BTreeMap<SeriesKey, Profile> {
        let mut profiles = default_profiles();
        profiles.extend(own.clone());
        let scope = |channel| SeriesKey::new(Name::all(), Name::all(), channel);
        profiles.into_iter().map(|(channel, profile)| (scope(channel), profile)).collect()
    }

    /// Reads the tables under `staffing` of a region or service.
    fn read_scope(
        &mut self,
        section: &Reader<'_>,
        profiles: &mut BTreeMap<SeriesKey, Profile>,
        scope: impl Fn(Name) -> SeriesKey,
    ) {
        for (channel, section) in section.named("staffing") {
            let Some(channel) = channel.filter(|_| section.is_there()) else { continue };
            let (own, scope) = (spec(&section), scope(channel.clone()));
            let merged =
                own.over(&self.merged(&SeriesKey::new(Name::all(), Name::all(), channel.clone())));
            // Faults of the channel's own keys are reported there.
            let profile = profile(&section, &channel, merged, |key| section.has_text(key));
            section.finish();
            self.by_scope.insert(scope.clone(), own);
            profiles.extend(profile.map(|profile| (scope, profile)));
        }
    }

    /// Adds the profiles of a region and a service that both have keys of their own for a channel.
    fn add_pairs(&self, root: &Reader<'_>, profiles: &mut BTreeMap<SeriesKey, Profile>) {
        let regions = self.by_scope.keys().filter(|scope| !scope.region.is_all());
        for region in regions {
            let services = self.by_scope.keys().filter(|scope| !scope.service.is_all());
            for service in services.filter(|scope| scope.channel == region.channel) {
                let channel = &region.channel;
                let both =
                    SeriesKey::new(region.region.clone(), service.service.clone(), channel.clone());
                match self.merged(&both).profile(channel) {
                    Ok(profile) => _ = profiles.insert(both, profile),
                    // Where each alone is valid, they do not fit together.
                    Err(error)
                        if profiles.contains_key(region) && profiles.contains_key(service) =>
                    {
                        let key =
                            format!("regions.{}.staffing.{channel}.{}", region.region, error.key);
                        root.problem(
                            &key,
                            format!("for service {}: {}", service.service, error.text),
                        );
                    }
                    Err(_) => {}
                }
            }
        }
    }

    /// The keys that apply to a scope: those of its region, then of its service, then of its channel.
    fn merged(&self, scope: &SeriesKey) -> ProfileSpec {
        let (all, channel) = (Name::all, scope.channel.clone());
        let find =
            |region, service| self.by_scope.get(&SeriesKey::new(region, service, channel.clone()));
        let mut merged = find(all(), all()).cloned().unwrap_or_default();
        if !scope.service.is_all()
            && let Some(service) = find(all(), scope.service.clone())
        {
            merged = service.over(&merged);
        }
        if !scope.region.is_all()
            && let Some(region) = find(scope.region.clone(), all())
        {
            merged = region.over(&merged);
        }
        merged
    }

    /// Reads the tables under `teams`.
    fn teams(&self, root: &Reader<'_>, windows: &Windows, regions: &Regions) -> Vec<Team> {
        let mut teams: Vec<Team> = Vec::new();
        // Of teams with other problems too.
        let mut taken: Vec<(Name, Vec<SeriesKey>)> = Vec::new();
        for (name, section) in root.named("teams") {
            let series = series(&section);
            let own_zone = zone(&section, "time_zone");
            let skills = skills(&section);
            let hours = section.parse("hours", HOURS, str::parse::<Hours>);
            let minimum = section.count("minimum", 0..=PEOPLE_MAX).unwrap_or(0);
            let own = spec(&section);
            let profile = series.first().and_then(|first| {
                let merged = self.of_team(&section, &own, &series)?;
                profile(&section, &first.channel, merged, |key| section.has_text(key))
            });
            for (team, others) in &taken {
                let known = |one: &&SeriesKey| others.iter().any(|other| overlap(one, other));
                if let Some(both) = series.iter().find(known) {
                    let text =
                        format!("team {team} serves {both} too: name each series in one team");
                    section.problem("series", text);
                }
            }
            taken.extend(name.clone().map(|name| (name, series.clone())));
            section.finish();
            let zone = own_zone.unwrap_or_else(|| zone_of(&series, windows, regions));
            if let (Some(name), Some(profile)) = (name, profile) {
                let minimum = u32::try_from(minimum).unwrap_or(0);
                teams.push(Team { name, series, skills, profile, hours, zone, minimum });
            }
        }
        teams
    }

    /// The keys that apply to a team. Records a problem if its series differ in a key that the team does not set.
    fn of_team(
        &self,
        section: &Reader<'_>,
        own: &ProfileSpec,
        series: &[SeriesKey],
    ) -> Option<ProfileSpec> {
        let mut merged: Option<(SeriesKey, ProfileSpec)> = None;
        for scope in series.iter().flat_map(|pattern| self.scopes(pattern)) {
            let next = own.over(&self.merged(&scope));
            let Some((first, known)) = &merged else {
                merged = Some((scope, next));
                continue;
            };
            if let Some(key) = known.differs_in(&next) {
                let text =
                    format!("{first} and {scope} differ: set it for the team, or make two teams");
                section.problem(key, text);
                return None;
            }
        }
        merged.map(|(_, spec)| spec)
    }

    /// Scopes that match a pattern and have keys of their own, and the pattern itself.
    fn scopes(&self, pattern: &SeriesKey) -> Vec<SeriesKey> {
        let known = self.by_scope.keys().filter(|scope| scope.channel == pattern.channel);
        let (mut regions, mut services) =
            (vec![pattern.region.clone()], vec![pattern.service.clone()]);
        for scope in known {
            if pattern.region.is_all() {
                regions.push(scope.region.clone());
            }
            if pattern.service.is_all() {
                services.push(scope.service.clone());
            }
        }
        let pairs =
            regions.iter().flat_map(|region| services.iter().map(move |service| (region, service)));
        pairs.map(|(r, s)| SeriesKey::new(r.clone(), s.clone(), pattern.channel.clone())).collect()
    }
}

/// `series` of a team, all of one channel.
fn series(section: &Reader<'_>) -> Vec<SeriesKey> {
    section.missing("series", SERIES);
    let mut series: Vec<SeriesKey> = Vec::new();
    for text in section.list("series", SERIES).unwrap_or_default() {
        match SeriesKey::parse(&text) {
            Ok(key) if key.channel.is_all() => {
                section.problem(
                    "series",
                    format!("{text} has no channel: make a team for each channel"),
                );
            }
            Ok(key) if series.first().is_some_and(|first| first.channel != key.channel) => {
                let text = format!(
                    "{} and {key} have different channels: make a team for each",
                    series[0]
                );
                section.problem("series", text);
            }
            Ok(key) => series.push(key),
            Err(why) => section.problem("series", format!("{why}: {SERIES}")),
        }
    }
    series
}

/// `skills` of a team: further series that its agents can serve.
fn skills(section: &Reader<'_>) -> Vec<SeriesKey> {
    let mut skills = Vec::new();
    for text in section.list("skills", SKILLS).unwrap_or_default() {
        match SeriesKey::parse(&text) {
            Ok(key) => skills.push(key),
            Err(why) => section.problem("skills", format!("{why}: {SKILLS}")),
        }
    }
    skills
}

/// The zone of a team's region, if all its series have the same one.
fn zone_of(series: &[SeriesKey], windows: &Windows, regions: &Regions) -> Zone {
    let zone =
        |key: &SeriesKey| regions.zones.get(&key.region).copied().unwrap_or(windows.time_zone);
    let mut zones = series.iter().map(zone);
    let first = zones.next().unwrap_or(windows.time_zone);
    if zones.all(|zone| zone == first) { first } else { windows.time_zone }
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
        absence: section.number("absence"),
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
        aht_from: section.text("aht_from", "use config or learned"),
        aht_prior: section.number("aht_prior"),
        aht_factor_max: section.number("aht_factor_max"),
    }
}

/// The profile. Records a problem for each invalid key that is set in this table. An invalid value is replaced by a valid one,
/// so that the other keys are checked too.
fn profile(
    section: &Reader<'_>,
    channel: &Name,
    mut spec: ProfileSpec,
    is_here: impl Fn(&str) -> bool,
) -> Option<Profile> {
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
        if !unread && is_here(error.key) {
            section.problem(error.key, error.text);
        }
        seen.push(error.key);
        replace(&mut spec, error.key);
    }
}

/// Replaces the value of `key` by a value that is always valid.
fn replace(spec: &mut ProfileSpec, key: &str) {
    match key {
        "aht" => spec.aht = Some("300s".into()),
        "target" => spec.target = Some("80/20".into()),
        "patience" => spec.patience = Some("180s".into()),
        "shrinkage" => spec.shrinkage = None,
        "absence" => spec.absence = None,
        "max_occupancy" => spec.max_occupancy = None,
        "max_asa" => spec.max_asa = None,
        "max_abandonment" => spec.max_abandonment = None,
        "concurrency" => spec.concurrency = None,
        "concurrency_rates" => spec.concurrency_rates = None,
        "aht_measured" => spec.aht_measured = None,
        "redial" => spec.redial = None,
        "aht_from" => spec.aht_from = None,
        "aht_prior" => spec.aht_prior = None,
        "aht_factor_max" => spec.aht_factor_max = None,
        _ => {}
    }
}
