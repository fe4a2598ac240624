//! The decoder in use: replaced as a whole when a look-up table changes.

use std::sync::{Arc, PoisonError, RwLock};

use crate::ingest::Decoder;

/// Shared by all that read events.
#[derive(Debug, Default)]
pub struct Decoders(RwLock<Arc<Decoder>>);

impl Decoders {
    /// Starts with `decoder`.
    pub fn new(decoder: Decoder) -> Self {
        Self(RwLock::new(Arc::new(decoder)))
    }

    /// The one in use now; whoever holds it goes on with it.
    pub fn current(&self) -> Arc<Decoder> {
        // A store of a pointer is whole or has not happened.
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Events that are read from now on are decoded by `decoder`.
    pub fn replace(&self, decoder: Decoder) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(decoder);
    }
}
