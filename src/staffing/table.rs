//! Answers of a queueing model from tables: thousands of series ask the same model.

use std::collections::HashMap;
use std::sync::Arc;

use super::StaffingError;
use super::models::{Answer, ChatCorrections, Demand, Model, Rates};
use super::require::{demand, figures, meets_targets, required};
use super::types::{Profile, Staffing};

/// Positions up to which the table goes; larger numbers are searched for.
const POSITIONS_MAX: usize = 2_000;
/// Relative precision of the arrivals that positions hold.
const PRECISION: f64 = 1e-11;
/// Arrivals an hour that are none.
const NEGLIGIBLE: f64 = 1e-9;
/// Distance of the nodes between which service levels are interpolated, in logarithms of the arrivals, for one position;
/// the level falls the faster, the more positions there are.
const NODE_DISTANCE: f64 = 0.15;
/// Nodes that are remembered; all of them are forgotten beyond that.
const NODES_MAX: usize = 400_000;

/// Positions and service levels of a profile. It grows with what is asked, and can be built ahead with
/// [`TableBuilder`]. Its answers do not depend on what was asked before.
///
/// Chat is the birth–death chain until its [`ChatCorrections`] are known: they are worth up to one position.
#[derive(Clone, Debug)]
pub struct Table {
    profile: Profile,
    /// Of chat: how the exact chain differs.
    corrections: Option<Arc<ChatCorrections>>,
    /// By positions: the most arrivals an hour at which they meet all targets.
    capacity: Vec<f64>,
    /// By positions and node.
    levels: HashMap<(u32, i32), f64>,
}

/// Builds tables ahead. Tables of the same completion rates of chat share what takes longest.
#[derive(Clone, Debug, Default)]
pub struct TableBuilder {
    corrections: Vec<Arc<ChatCorrections>>,
}

impl TableBuilder {
    /// How the exact chain differs, for all rates so far.
    pub fn known(&self) -> &[Arc<ChatCorrections>] {
        &self.corrections
    }

    /// A table filled in for plans of up to so many positions, with the exact chain for chat of up to so many agents.
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
    /// Empty.
    pub fn new(profile: Profile) -> Self {
        Self { profile, corrections: None, capacity: vec![0.0], levels: HashMap::new() }
    }

    /// Answers for chat of the exact chain from now on, where the corrections are for the same rates.
    pub fn correct(&mut self, corrections: &Arc<ChatCorrections>) {
        if let Model::Chat(chat) = &self.profile.model
            && chat.rates == *corrections.rates()
        {
            self.corrections = Some(corrections.clone());
            self.capacity.truncate(1);
            self.levels.clear();
        }
    }

    /// Fills in what plans of up to so many positions ask: needs, and service levels from a fifth to four times the arrivals
    /// that the positions hold.
    fn fill(&mut self, positions: u32) {
        for n in 1..=positions.min(POSITIONS_MAX as u32) {
            let most = self.capacity(n);
            let (from, to) = (node(most / 5.0, n).floor(), node(most * 4.0, n).ceil());
            if most > 0.0 {
                (from as i32..=to as i32).for_each(|at| _ = self.level_at(at, n));
            }
        }
    }

    /// The smallest number of positions that meets all targets; as [`required`] finds it, without a search.
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

    /// Service level of so many positions; of a fraction of one more, in proportion.
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

    /// Whether a few dozen positions hold no arrivals at all.
    fn reaches_nothing(&self) -> bool {
        self.capacity.get(64).is_some_and(|most| *most <= 0.0)
    }

    /// The most arrivals that `n` positions hold; adds them and all before to the table.
    fn capacity(&mut self, n: u32) -> f64 {
        while self.capacity.len() <= n as usize {
            let most = self.largest(self.capacity.len() as u32);
            self.capacity.push(most);
        }
        self.capacity[n as usize]
    }

    /// What customers meet at `n` positions.
    fn answers(&self, n: u32) -> Box<dyn Fn(&Demand) -> Answer + '_> {
        match &self.profile.model {
            Model::Chat(chat) => chat.fast_at(n, self.corrections.as_deref()),
            model => model.queue().at(n),
        }
    }

    /// Figures of so many positions, not interpolated; `None` for a load out of range.
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
        // One more position holds about as much more as the one before.
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

    /// Between four nodes, by a cubic.
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

/// Positions for a load alone, where no number meets the targets.
pub(super) fn by_load(per_hour: f64, profile: &Profile) -> u32 {
    let aht = demand(0.0, profile).map_or(1.0, |Demand { aht, .. }| aht);
    let load = (per_hour / 3600.0 * aht).clamp(0.0, 1e6);
    (load / profile.max_occupancy.unwrap_or(1.0).max(0.05)).ceil() as u32
}

/// Erlang of work in each window, where the work of each contact is spread evenly over the windows until its deadline: all of
/// it is done in time, and the work of a surge is spread.
///
/// `contacts` come in windows of `width` seconds and take `aht` seconds each; `within` is the time until the deadline. Before the first
/// window as many came as in it, for long; `backlog` contacts more wait, as urgent as those that come.
pub fn spread_work(contacts: &[f64], backlog: f64, times: (f64, f64, f64)) -> Vec<f64> {
    spread(contacts, contacts.first().copied().unwrap_or(0.0), backlog, times)
}

/// Like [`spread_work`], where the contacts that wait before the first window are known: `backlog` and no others.
///
/// As many of them as usually wait are taken as contacts of the windows before, which are due the sooner the earlier they came. So
/// steady work stays level, and does not pile up at the deadline of the backlog. The others are as urgent as those that come.
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

/// `first` contacts came in each window before the first one.
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
