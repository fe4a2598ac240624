//! `[log]`: format and level of logs.

use crate::config::Reader;

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Plain text for a terminal.
    Text,
    /// One JSON object per line.
    Json,
}

/// `[log]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Format of log lines.
    pub format: LogFormat,
    /// A `tracing` filter, such as `info` or `info,surgecast=debug`.
    pub level: String,
}

impl Log {
    /// Reads the section.
    pub fn read(section: Reader<'_>) -> Self {
        let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
        let allowed =
            "use error, warn, info, debug or trace, or a filter such as info,surgecast=debug";
        let level = section.parse("level", allowed, |text| {
            match tracing_subscriber::EnvFilter::builder().parse(text) {
                Ok(_) => Ok(text.to_owned()),
                Err(_) => Err(allowed),
            }
        });
        let log = Self {
            format: section.word("format", &formats).unwrap_or(LogFormat::Text),
            level: level.unwrap_or_else(|| "info".into()),
        };
        section.finish();
        log
    }
}
