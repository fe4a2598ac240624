//! Pages on standard output.

use super::http::Problem;
use super::message::Message;
use super::receiver::{Attempt, Receiver, Settings};
use crate::alert::Notification;
use crate::domain::Timestamp;
use crate::text::Language;

/// Name of this kind of receiver.
pub const KIND: &str = "console";

/// Creates a receiver from its configuration.
pub fn make(settings: Settings) -> Result<Box<dyn Receiver>, Vec<Problem>> {
    Ok(Box::new(Console { language: settings.language, public_url: settings.public_url }))
}

/// Prints pages in one language.
pub struct Console {
    pub language: Language,
    /// Base of links.
    pub public_url: String,
}

impl Receiver for Console {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn deliver(&self, page: &Notification, _now: Timestamp) -> Attempt {
        let message = Message::new(page, self.language, &self.public_url);
        print(&format!("\n  ▌ {}\n", message.whole().replace('\n', "\n  ▌ ")));
        Attempt::done(None)
    }
}

/// Prints a text. A closed pipe is not an error.
pub fn print(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
