//! Queueing models: the service level of a number of positions.
//!
//! One file per model. A new one is a file with a type that implements [`Queue`], its `mod` line, and its name in the list
//! at the end of this file; configurations know it by the name in kebab case.

mod chat;
mod deferred;
mod erlang_a;
mod erlang_c;
mod line;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use chat::{Chat, ChatCorrections, EXACT_STATES_MAX, Rates};
pub use deferred::Deferred;
pub use erlang_a::ErlangA;
pub use erlang_c::{ErlangC, erlang_b, erlang_c};

use super::basis::Goal;
use super::error::ProfileError;
use super::target::ServiceTarget;

/// Demand and targets: arrivals, handling time, service target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand {
    /// Contacts per second.
    pub(super) arrivals: f64,
    /// Seconds per contact.
    pub(super) aht: f64,
    pub(super) target: ServiceTarget,
    /// Maximum occupancy.
    pub(super) max_occupancy: Option<f64>,
}

impl Demand {
    /// Erlang.
    pub(super) fn load(&self) -> f64 {
        self.arrivals * self.aht
    }
}

/// Service of a number of positions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    /// Share answered within the target time.
    pub(super) service_level: f64,
    /// Mean wait; infinite if the queue grows without limit.
    pub(super) asa_seconds: f64,
    /// Occupancy.
    pub(super) occupancy: f64,
    /// Probability of waiting.
    pub(super) p_wait: f64,
    /// Share that hangs up.
    pub(super) p_abandon: f64,
}

/// Parameters of a model in a configuration.
#[derive(Clone, Copy, Debug, Default)]
pub struct ModelTerms {
    /// Mean time after which a caller who waits hangs up.
    pub patience: Option<Duration>,
    /// Contacts that an agent handles at once; 0 and 1 are the same.
    pub concurrency: u32,
    /// Completion rates of an agent with several contacts; the usual rates if absent.
    pub rates: Option<Rates>,
    /// Contacts that wait at the start; only for deferred work.
    pub backlog: f64,
}

/// A queueing model with its own parameters.
pub(super) trait Queue {
    /// Builds the model from its parameters.
    ///
    /// # Errors
    /// [`ProfileError`] for a term that it needs and that is missing.
    fn of_terms(terms: &ModelTerms) -> Result<Self, ProfileError>
    where
        Self: Sized;

    /// Its name, as in configurations; the catalogue has `basis-NAME`.
    fn name(&self) -> &'static str;

    /// The goals of the model.
    fn goals(&self, target: &ServiceTarget) -> Vec<Goal> {
        vec![Goal::Answered { share: target.fraction, seconds: target.within.as_secs() }]
    }

    /// Number of contacts that an agent with `concurrency` contacts at once completes in the time of one. Handling times are divided by it.
    ///
    /// These are published figures for queueing models that know only one contact per agent.
    fn efficiency(&self, concurrency: u32) -> f64 {
        Rates::usual(concurrency).full()
    }

    /// Whether anybody is needed at all.
    fn has_work(&self, demand: &Demand) -> bool {
        demand.arrivals > 0.0
    }

    /// Whether `n` positions can keep up with the work in the long run, regardless of their service level.
    fn is_stable(&self, _: &Demand, _: u32) -> bool {
        true
    }

    /// The results at `n` positions. It is called only if there is work.
    fn answer(&self, demand: &Demand, n: u32) -> Answer;

    /// [`answer`](Self::answer) for many demands and the same positions.
    fn at(&self, n: u32) -> Box<dyn Fn(&Demand) -> Answer + '_> {
        Box::new(move |demand| self.answer(demand, n))
    }

    /// Contacts that still wait at the deadline; `None` for models of live contacts.
    fn carry_over(&self, _: &Demand, _: u32) -> Option<f64> {
        None
    }
}

/// Makes [`Model`] and [`ModelName`] of the types that are listed.
macro_rules! models {
    ($($Model:ident),+ $(,)?) => {
        /// A queueing model by its name in configurations, such as `erlang-a`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum ModelName {
            $(#[doc = concat!("[`", stringify!($Model), "`].")] $Model),+
        }

        /// Queueing model behind the figures, with its parameters.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Model {
            $(#[doc = concat!("[`", stringify!($Model), "`].")] $Model($Model)),+
        }

        impl Model {
            /// The model of a name.
            ///
            /// # Errors
            /// [`ProfileError`] for a term that it needs and that is missing.
            pub fn new(name: ModelName, terms: &ModelTerms) -> Result<Self, ProfileError> {
                match name {
                    $(ModelName::$Model => $Model::of_terms(terms).map(Self::$Model)),+
                }
            }

            /// Its name.
            pub fn name(&self) -> ModelName {
                match self {
                    $(Self::$Model(_) => ModelName::$Model),+
                }
            }

            pub(super) fn queue(&self) -> &dyn Queue {
                match self {
                    $(Self::$Model(model) => model),+
                }
            }
        }
    };
}

models!(ErlangC, ErlangA, Deferred, Chat);
