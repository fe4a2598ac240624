//! Planners by profile and handling time.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::staffing::{LearnedAht, Planner, Profile, Rules, Table};

/// One planner for each profile, and one for each of its learned handling times. Handling times are rounded, so that there are
/// few planners.
pub(super) struct Planners {
    rules: Arc<Rules>,
    configured: Vec<(Profile, Planner)>,
    /// Planners with learned handling times, by index of the profile and the bits of the seconds (an `f64`).
    learned: BTreeMap<(usize, u64), Planner>,
}

impl Planners {
    pub(super) fn new(rules: Arc<Rules>, profiles: &[Profile]) -> Self {
        let planner = |profile: &Profile| (profile.clone(), Planner::new(profile.clone()));
        let configured = profiles.iter().map(planner).collect();
        Self { rules, configured, learned: BTreeMap::new() }
    }

    /// The index of a profile.
    pub(super) fn place_of(&self, profile: &Profile) -> Option<usize> {
        self.configured.iter().position(|(own, _)| own == profile)
    }

    /// The profile with this index.
    pub(super) fn profile(&self, at: usize) -> &Profile {
        &self.configured[at].0
    }

    /// Sets the table from which plans of the profile with this index are made from now on.
    pub(super) fn use_table(&mut self, at: usize, table: Table) {
        self.configured[at].1.use_table(table);
        // Drop planners with learned handling times: with the new table, those of chat become exact too.
        self.learned.retain(|(of, _), _| *of != at);
    }

    /// The planner of the profile with this index, for the learned handling time if there is one.
    pub(super) fn with(&mut self, at: usize, learned: Option<&LearnedAht>) -> &mut Planner {
        let Some(own) = learned else { return &mut self.configured[at].1 };
        let (rules, profile) = (&self.rules, &self.configured[at].0);
        let key = (at, own.model_seconds.to_bits());
        self.learned.entry(key).or_insert_with(|| rules.planner(own.profile(profile)))
    }
}
