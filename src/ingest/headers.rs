//! Headers of a record.

use super::words::same;

/// Headers of a Kafka record or an HTTP request, borrowed. Names are told apart without their case
/// and with `-` and `_` as one: Kafka says `ce_id` where HTTP says `ce-id`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a>(pub &'a [(&'a str, &'a [u8])]);

impl<'a> Headers<'a> {
    /// The first header of that name, if it is text.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(key, _)| same(key, name));
        found.and_then(|(_, value)| std::str::from_utf8(value).ok())
    }
}
