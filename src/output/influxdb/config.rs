//! `[influxdb]`.

use super::InfluxSettings;
use crate::config::Reader;

/// Reads the section, if it is there. Connects nowhere.
pub fn read(section: Reader<'_>) -> Option<InfluxSettings> {
    let there = section.is_there();
    if there {
        section.missing("url", "use an http:// or https:// address");
    }
    let mut settings = InfluxSettings {
        url: section.url("url").unwrap_or_default(),
        org: section.text("org", "use the organisation's name").unwrap_or_default(),
        bucket: section.text("bucket", "use the bucket's name").unwrap_or("surgecast".into()),
        token: section.secret("token", "token_file").unwrap_or_default(),
        warm_start: None,
    };
    let read_token = section.secret("read_token", "read_token_file");
    if section.flag("warm_start").unwrap_or(true) {
        settings.warm_start = read_token.or_else(|| Some(settings.token.clone()));
    }
    if there {
        section.missing("org", "use the organisation's name");
    }
    section.finish();
    there.then_some(settings)
}
