//! The profile of each series, and the team that serves it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::{Planner, Profile, TableBuilder, Team};
use crate::domain::{Name, SeriesKey};

/// Staffing profiles and teams.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Profiles by scope: `_all` stands for every region or service.
    profiles: BTreeMap<SeriesKey, Profile>,
    teams: Vec<Team>,
    /// The team of each pattern of series.
    served: BTreeMap<SeriesKey, usize>,
    /// The corrections of the chat model, once they are computed.
    chat: Arc<OnceLock<TableBuilder>>,
}

impl Rules {
    /// One profile per channel for all regions and services, and no teams.
    pub fn of_channels(profiles: BTreeMap<Name, Profile>) -> Self {
        let scope = |channel| SeriesKey::new(Name::all(), Name::all(), channel);
        let profiles = profiles.into_iter().map(|(channel, profile)| (scope(channel), profile));
        Self { profiles: profiles.collect(), ..Self::default() }
    }

    /// Profiles by scope, in which `_all` stands for every region or service; and teams, no two of which serve the same series.
    pub fn new(profiles: BTreeMap<SeriesKey, Profile>, teams: Vec<Team>) -> Self {
        let patterns = |(at, team): (usize, &Team)| {
            team.series.iter().map(move |series| (series.clone(), at)).collect::<Vec<_>>()
        };
        let served = teams.iter().enumerate().flat_map(patterns).collect();
        Self { profiles, teams, served, ..Self::default() }
    }

    /// Keeps the tables that were built for the profiles, for later planners.
    pub fn share(&self, built: TableBuilder) {
        // Only the first counts: later ones are the same.
        let _ = self.chat.set(built);
    }

    /// A planner, with the corrections that are known so far.
    pub fn planner(&self, profile: Profile) -> Planner {
        let mut planner = Planner::new(profile);
        for corrections in self.chat.get().map_or(&[][..], TableBuilder::known) {
            planner.correct(corrections);
        }
        planner
    }

    /// All teams.
    pub fn teams(&self) -> &[Team] {
        &self.teams
    }

    /// The team of a name.
    pub fn team(&self, name: &str) -> Option<&Team> {
        self.teams.iter().find(|team| team.name.as_str() == name)
    }

    /// The team that serves a series.
    pub fn team_of(&self, series: &SeriesKey) -> Option<&Team> {
        if series.is_roll_up() {
            return None;
        }
        scopes(series).find_map(|scope| self.teams.get(*self.served.get(&scope)?))
    }

    /// The profile of a series: that of its team, or else of its region and service, its region, its service, or its channel.
    pub fn profile_of(&self, series: &SeriesKey) -> Option<&Profile> {
        if series.is_roll_up() {
            return None;
        }
        if let Some(team) = self.team_of(series) {
            return Some(&team.profile);
        }
        scopes(series).find_map(|scope| self.profiles.get(&scope))
    }

    /// All profiles of channels, scopes and teams.
    pub fn profiles(&self) -> impl Iterator<Item = &Profile> {
        self.profiles.values().chain(self.teams.iter().map(|team| &team.profile))
    }
}

/// The scopes of a series, in which `_all` stands for every region or service, the most specific first.
fn scopes(series: &SeriesKey) -> impl Iterator<Item = SeriesKey> + '_ {
    [(true, true), (true, false), (false, true), (false, false)].into_iter().map(
        |(region, service)| {
            let part = |own: &Name, named: bool| if named { own.clone() } else { Name::all() };
            SeriesKey::new(
                part(&series.region, region),
                part(&series.service, service),
                series.channel.clone(),
            )
        },
    )
}
