//! Results of a queueing model from tables, because thousands of series need the same results.

use std::collections::HashMap;
use std::sync::Arc;

use super::StaffingError;
use super::models::{Answer, ChatCorrections, Demand, Model, Rates};
use super::require::{demand, figures, meets_targets, required};
use super::types::{Profile, Staffing};

/// Maximum number of positions in a table. Larger numbers are found by a search.
const POSITIONS_MAX: usize = 2_000;
/// Relative precision of the capacity of positions.
const PRECISION: f64 = 1e-11;
/// Fewer arrivals per hour than this count as none.
const NEGLIGIBLE: f64 = 1e-9;
/// Distance of the nodes between which service levels are interpolated, in logarithms of the arrivals, for one position. With
/// more positions the level falls faster, so the distance is smaller.
const NODE_DISTANCE: f64 = 0.15;
/// Maximum number of nodes that are remembered. When it is exceeded, all are forgotten.
const NODES_MAX: usize = 400_000;

/// Positions and service levels of a profile. A table grows with the values that are requested, and can be built in advance
/// with [`TableBuilder`]. Its results do not depend on earlier requests.
///
/// Chat is computed by the birth–death chain until its [`ChatCorrections`] are known, which change the result by up to one
/// position.
#[derive(Clone, Debug)]
pub struct Table {
    profile: Profile,
    /// For chat: the differences between the exact chain and the birth–death chain.
    corrections: Option<Arc<ChatCorrections>>,
    /// By positions: the maximum number of arrivals per hour for which they meet all targets.
    capacity: Vec<f64>,
    /// Service levels by positions and node.
    levels: HashMap<(u32, i32), f64>,
}

/// Builds tables in advance. Tables for the same completion rates of chat share the corrections, which take the longest to
/// compute.
#[derive(Clone, Debug, Default)]
pub struct TableBuilder {
    corrections: Vec<Arc<ChatCorrections>>,
}

impl TableBuilder {
    /// The corrections for all completion rates so far.
    pub fn known(&self) -> &[Arc<ChatCorrections>] {
        &self.corrections
    }

    /// A table that is filled for plans of up to this number of positions, with corrections for chat of up to this number of
    /// agents.
    pub fn build(&mut self, profile: &Profile, positions: u32) -> Table {
        let mut table = Table::new(profile.clone());
        table.corrections = match &profile.model {
            Model::Chat(chat) => Some(self.corrections(chat.rates, positions)),
            _ => None,
        };
        if !matches!(profile.model, Model::Deferred(_)) {
            table.fill(positions);
        }
        table
    }

    fn corrections(&mut self, rates: Rates, agents: u32) -> Arc<ChatCorrections> {
        if let Some(known) = self.corrections.iter().find(|known| *known.rates() == rates) {
            return known.clone();
        }
        let built = Arc::new(ChatCorrections::build(&rates, agents));
        self.corrections.push(built.clone());
        built
    }
}

impl Table {
    /// An empty table.
    pub fn new(profile: Profile) -> Self {
        Self { profile, corrections: None, capacity: vec![0.0], levels: HashMap::new() }
    }

    /// Uses these corrections for chat from now on, if they are for the same rates.
    pub fn correct(&mut self, corrections: &Arc<ChatCorrections>) {
        if let Model::Chat(chat) = &self.profile.model
            && chat.rates == *corrections.rates()
        {
            self.corrections = Some(corrections.clone());
            self.capacity.truncate(1);
            self.levels.clear();
        }
    }

    /// Computes the values for plans of up to this number of positions: needs, and service levels from a fifth to four times
    /// the capacity.
    fn fill(&mut self, positions: u32) {
        for n in 1..=positions.min(POSITIONS_MAX as u32) {
            let most = self.capacity(n);
            let (from, to) = (node(most / 5.0, n).floor(), node(most * 4.0, n).ceil());
            if most > 0.0 {
                (from as i32..=to as i32).for_each(|at| _ = self.level_at(at, n));
            }
        }
    }

    /// The smallest number of positions that meets all targets. The result is that of [`required`], without a search.
    ///
    /// # Errors
    /// [`StaffingError`] as for [`required`].
    pub fn positions(&mut self, per_hour: f64) -> Result<u32, StaffingError> {
        demand(per_hour, &self.profile)?;
        if per_hour <= 0.0 {
            return Ok(0);
        }
        while self.capacity.last().is_some_and(|most| *most < per_hour) {
            if self.reaches_nothing() {
                return Err(StaffingError::Unreachable("loosen the target or the occupancy cap"));
            }
            if self.capacity.len() > POSITIONS_MAX {
                return required(per_hour, &self.profile).map(|found| found.positions);
            }
            self.capacity(self.capacity.len() as u32);
        }
        Ok(self.capacity.partition_point(|most| *most < per_hour) as u32)
    }

    /// Service level of this number of positions. For a fraction of a position, the level is interpolated.
    ///
    /// # Errors
    /// [`StaffingError`] for arrivals or a load out of range.
    pub fn level(&mut self, per_hour: f64, positions: f64) -> Result<f64, StaffingError> {
        demand(per_hour, &self.profile)?;
        let whole = positions.max(0.0).floor();
        let more = positions.max(0.0) - whole;
        let low = self.whole_level(per_hour, whole as u32);
        if more <= 1e-9 {
            return Ok(low);
        }
        let high = self.whole_level(per_hour, whole as u32 + 1);
        Ok(low + (high - low) * more)
    }

    /// Whether even a few dozen positions have no capacity at all.
    fn reaches_nothing(&self) -> bool {
        self.capacity.get(64).is_some_and(|most| *most <= 0.0)
    }

    /// The capacity of `n` positions. It is added to the table, with the capacities of all smaller numbers.
    fn capacity(&mut self, n: u32) -> f64 {
        while self.capacity.len() <= n as usize {
            let most = self.largest(self.capacity.len() as u32);
            self.capacity.push(most);
        }
        self.capacity[n as usize]
    }

    /// The model's results at `n` positions.
    fn answers(&self, n: u32) -> Box<dyn Fn(&Demand) -> Answer + '_> {
        match &self.profile.model {
            Model::Chat(chat) => chat.fast_at(n, self.corrections.as_deref()),
            model => model.queue().at(n),
        }
    }

    /// Figures of this number of positions, not interpolated; `None` for a load out of range.
    pub fn figures(&self, per_hour: f64, n: u32) -> Option<Staffing> {
        let demand = demand(per_hour, &self.profile).ok()?;
        Some(figures(&demand, n, &self.profile, &self.answers(n)))
    }

    fn computed(&self, per_hour: f64, n: u32) -> f64 {
        self.figures(per_hour, n).map_or(0.0, |found| found.service_level)
    }

    fn largest(&self, n: u32) -> f64 {
        let profile = &self.profile;
        let answer = self.answers(n);
        let holds = |per_hour: f64| {
            let Ok(demand) = demand(per_hour, profile) else { return false };
            meets_targets(&figures(&demand, n, profile, &answer), profile)
        };
        let known = |back: usize| (n as usize).checked_sub(back).map_or(0.0, |n| self.capacity[n]);
        let mut low = known(1);
        // Each further position serves about as much more load as the one before.
        let unit = 3600.0 / demand(0.0, profile).map_or(1.0, |demand| demand.aht);
        let mut step = (low - known(2.min(n as usize))).max(unit * 0.05);
        let mut high = low + step;
        while holds(high) {
            low = high;
            step *= 2.0;
            high = low + step;
        }
        while high - low > PRECISION * high {
            let middle = f64::midpoint(low, high);
            if middle <= low || middle >= high || high < NEGLIGIBLE {
                break;
            }
            if holds(middle) { low = middle } else { high = middle }
        }
        low
    }

    /// Interpolates between four nodes by a cubic polynomial.
    fn whole_level(&mut self, per_hour: f64, n: u32) -> f64 {
        if per_hour <= 0.0 {
            return 1.0;
        }
        if n == 0 {
            return 0.0;
        }
        if matches!(self.profile.model, Model::ErlangC(_)) {
            // Its level has a kink where the load reaches the positions.
            return self.computed(per_hour, n);
        }
        let place = node(per_hour, n);
        let at = place.floor();
        let x = place - at;
        let [a, b, c, d] = [-1, 0, 1, 2].map(|next| self.level_at(at as i32 + next, n));
        let level = -a * x * (x - 1.0) * (x - 2.0) / 6.0
            + b * (x + 1.0) * (x - 1.0) * (x - 2.0) / 2.0
            - c * (x + 1.0) * x * (x - 2.0) / 2.0
            + d * (x + 1.0) * x * (x - 1.0) / 6.0;
        level.clamp(0.0, 1.0)
    }

    fn level_at(&mut self, at: i32, n: u32) -> f64 {
        if let Some(known) = self.levels.get(&(n, at)) {
            return *known;
        }
        if self.levels.len() >= NODES_MAX {
            self.levels.clear();
        }
        let per_hour = (f64::from(at) * distance(n)).exp();
        let level = self.computed(per_hour, n);
        self.levels.insert((n, at), level);
        level
    }
}

fn distance(n: u32) -> f64 {
    NODE_DISTANCE / f64::from(n).sqrt()
}

fn node(per_hour: f64, n: u32) -> f64 {
    per_hour.max(NEGLIGIBLE).ln() / distance(n)
}

/// Positions determined only by the load, if no number of positions meets the targets.
pub(super) fn by_load(per_hour: f64, profile: &Profile) -> u32 {
    let aht = demand(0.0, profile).map_or(1.0, |Demand { aht, .. }| aht);
    let load = (per_hour / 3600.0 * aht).clamp(0.0, 1e6);
    (load / profile.max_occupancy.unwrap_or(1.0).max(0.05)).ceil() as u32
}

/// Work in Erlang in each window, if the work of each contact is spread evenly over the windows until its deadline. So all work
/// is done in time, and the work of a surge is spread.
///
/// `contacts` arrive in windows of `width` seconds and take `aht` seconds each; `within` is the time until the deadline. Before
/// the first window, contacts are assumed to have arrived at its rate for a long time. `backlog` is the number of additional
/// waiting contacts, which are as urgent as new ones.
pub fn spread_work(contacts: &[f64], backlog: f64, times: (f64, f64, f64)) -> Vec<f64> {
    spread(contacts, contacts.first().copied().unwrap_or(0.0), backlog, times)
}

/// Like [`spread_work`], if the number of contacts that wait before the first window is known: exactly `backlog`.
///
/// Up to the number that usually waits, they are treated as contacts of earlier windows, with earlier deadlines for earlier
/// arrivals. So steady work stays level, and does not accumulate at the deadline of the backlog. All further ones are as urgent
/// as new contacts.
pub fn spread_backlog(contacts: &[f64], backlog: f64, times: (f64, f64, f64)) -> Vec<f64> {
    let first = contacts.first().copied().unwrap_or(0.0);
    let usual = usually_waiting(first, times);
    if backlog < usual {
        return spread(contacts, first * backlog / usual, 0.0, times);
    }
    spread(contacts, first, backlog - usual, times)
}

/// Contacts that wait where `first` came in each window for long: of those of the window before all but one part is left, and so on.
pub(super) fn usually_waiting(first: f64, times: (f64, f64, f64)) -> f64 {
    first * (windows_until(times) - 1) as f64 / 2.0
}

/// Windows over which the work of a contact is spread.
fn windows_until((_, within, width): (f64, f64, f64)) -> usize {
    (within / width).floor().max(1.0) as usize
}

/// Spreads the work, with `first` contacts in each window before the first one.
fn spread(contacts: &[f64], first: f64, backlog: f64, times: (f64, f64, f64)) -> Vec<f64> {
    let (windows, (aht, _, width)) = (windows_until(times), times);
    let erlang = aht / width / windows as f64;
    (0..contacts.len())
        .map(|at| {
            let counted = windows.min(at + 1);
            let due: f64 = contacts[at + 1 - counted..=at].iter().sum();
            let before = first * (windows - counted) as f64;
            let opening = if at < windows { backlog } else { 0.0 };
            (due + before + opening) * erlang
        })
        .collect()
}
