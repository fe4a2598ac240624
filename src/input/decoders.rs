//! The current decoder. It is replaced when a look-up table or the lexicon changes.

use std::sync::{Arc, PoisonError, RwLock};

use super::hints::Hints;
use crate::ingest::Decoder;

/// The current decoder, shared by all readers of events.
#[derive(Debug, Default)]
pub struct Decoders {
    current: RwLock<Arc<Decoder>>,
    pub(super) hints: Hints,
}

impl Decoders {
    /// Starts with `decoder`.
    pub fn new(decoder: Decoder) -> Self {
        Self { current: RwLock::new(Arc::new(decoder)), hints: Hints::default() }
    }

    /// The current decoder. A holder keeps it after a replacement.
    pub fn current(&self) -> Arc<Decoder> {
        // The pointer is valid even if a holder of the lock panicked.
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the decoder for events that are read from now on.
    pub fn replace(&self, decoder: Decoder) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(decoder);
    }
}
