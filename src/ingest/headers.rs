//! Headers of a record.

use super::words::same;

/// Headers of a Kafka record or an HTTP request, borrowed. The comparison of names ignores case, and treats `-` and `_`
/// as equal: Kafka uses `ce_id`, HTTP `ce-id`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a>(pub &'a [(&'a str, &'a [u8])]);

impl<'a> Headers<'a> {
    /// The first header with this name, if its value is UTF-8.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(key, _)| same(key, name));
        found.and_then(|(_, value)| std::str::from_utf8(value).ok())
    }
}
