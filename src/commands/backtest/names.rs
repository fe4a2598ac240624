//! Maps series names in a file to series keys and back.

use std::collections::BTreeMap;

use crate::domain::{Name, SeriesKey};

/// Name of the only series of a file without a `series` column.
pub const ONLY: &str = "all";

/// Keys by name and names by key.
#[derive(Debug, Default)]
pub struct Names {
    keys: BTreeMap<String, SeriesKey>,
    names: BTreeMap<SeriesKey, String>,
}

impl Names {
    /// The key of a name: the name itself if it is `region/service/channel`, else a channel of an unknown region
    /// and service.
    pub fn key(&mut self, name: &str) -> SeriesKey {
        if let Some(key) = self.keys.get(name) {
            return key.clone();
        }
        let key = self.unused(name);
        self.keys.insert(name.to_owned(), key.clone());
        self.names.insert(key.clone(), name.to_owned());
        key
    }

    /// The file's name of a series.
    pub fn shown(&self, key: &SeriesKey) -> String {
        self.names.get(key).cloned().unwrap_or_else(|| key.to_string())
    }

    /// Number of names.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    fn unused(&self, name: &str) -> SeriesKey {
        if let Ok(key) = SeriesKey::parse(name)
            && !self.names.contains_key(&key)
        {
            return key;
        }
        // Leave room for a number: two names may become the same text.
        let plain: String = name
            .chars()
            .map(|c| if c.is_control() || c == '/' { '_' } else { c })
            .take(50)
            .collect();
        let key = |channel: &str| {
            let channel = Name::new(channel).unwrap_or_else(|_| Name::unknown());
            SeriesKey::new(Name::unknown(), Name::unknown(), channel)
        };
        let first = key(&plain);
        let mut numbered = (2..).map(|n: u64| key(&format!("{plain}~{n}")));
        let mut found = first;
        while self.names.contains_key(&found) {
            found = numbered.next().unwrap_or(found);
        }
        found
    }
}
