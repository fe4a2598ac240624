//! Pages on standard output, for the demo.

use super::receiver::{Attempt, Receiver};
use crate::domain::Timestamp;
use crate::store::{DeliveryOutcome, OutboxRow};
use crate::text::{Language, Texts};

/// Prints pages in a language.
pub struct Console(pub Language);

impl Receiver for Console {
    fn kind(&self) -> &'static str {
        "console"
    }

    fn deliver(&self, page: &OutboxRow, now: Timestamp) -> Attempt {
        let alert = &page.notice.alert;
        let texts = Texts::new(self.0);
        let text = alert.body(&texts).replace('\n', "\n  ▌ ");
        print(&format!("\n  ▌ {}\n  ▌ {text}\n", alert.title(&texts)));
        Attempt { status: None, outcome: DeliveryOutcome::Delivered { at: now } }
    }
}

/// Prints; a closed pipe is not an error.
pub fn print(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
