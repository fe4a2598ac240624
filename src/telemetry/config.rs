//! `[log]`: format and level of logs. `[telemetry]`: the collector of traces.

use super::traces::parse_header;
use crate::config::{Reader, Secret};
use crate::domain::Name;

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

/// `[telemetry]` with a collector.
#[derive(Clone, Debug)]
pub struct OtlpSettings {
    /// Address of an OpenTelemetry collector for OTLP over HTTP, with or without `/v1/traces`.
    pub url: String,
    /// The name under which the traces are found.
    pub service_name: String,
    /// A header of every request, such as `Authorization: Bearer …`.
    pub header: Option<Secret>,
}

impl OtlpSettings {
    /// Reads the section; `None` without a collector. Opens no connection.
    pub fn read(section: Reader<'_>) -> Option<Self> {
        let url = section.url("otlp");
        let allowed = "use a name of 1 to 64 characters";
        let name = section.parse("service_name", allowed, Name::new);
        let header = section.secret("otlp_header", "otlp_header_file");
        if header.as_ref().is_some_and(|header| parse_header(header).is_none()) {
            let text = "has no header: write one line such as `Authorization: Bearer …`";
            section.problem("otlp_header_file", text.into());
        }
        section.finish();
        let service_name = name.map_or_else(|| "surgecast".into(), |name| name.to_string());
        Some(Self { url: url?, service_name, header })
    }
}
