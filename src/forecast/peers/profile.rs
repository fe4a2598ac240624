//! The forecast from a short history, which the service uses for a series without a fit.

use crate::forecast::{Ensemble, Model, Past, Vintage};

/// An ensemble that is never fitted.
#[derive(Default)]
pub struct ProfileOnly(Ensemble);

impl Model for ProfileOnly {
    fn name(&self) -> &'static str {
        "profile"
    }

    fn fit(&mut self, _: &Past<'_>, _: i64) {}

    fn predict(&self, past: &Past<'_>, origin: i64) -> Vec<Vintage> {
        self.0.predict(past, origin)
    }
}
