//! Logs to standard error, as text or JSON.

use std::io::{self, IsTerminal as _, Write};

use tracing_subscriber::filter::Directive;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

use super::traces::{TRACES, Traces};
use crate::domain::unprintable;

/// Starts logging, and collecting spans for `traces`. `RUST_LOG` overrides `level`. A second call has no effect.
pub fn init(json: bool, level: &str, traces: Option<&Traces>) {
    let filter = EnvFilter::try_from_default_env()
        .or_else(|_| EnvFilter::try_new(level))
        .unwrap_or_else(|_| EnvFilter::new("info"));
    // Spans of traces would stand before each line that is written within them.
    let hidden = format!("{TRACES}=off").parse::<Directive>();
    let filter = hidden.into_iter().fold(filter, EnvFilter::add_directive);
    // An error means that logging was started before, by a test or an embedding program.
    let _ = match traces {
        None => registry().with(filter).with(lines(json)).try_init(),
        Some(traces) => {
            registry().with(lines(json).with_filter(filter)).with(traces.layer()).try_init()
        }
    };
}

/// Writes events as lines.
fn lines<S>(json: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
{
    let has_colours = io::stderr().is_terminal();
    let lines = fmt::layer().with_ansi(has_colours);
    if json {
        // JSON has escapes of its own.
        lines.json().with_writer(io::stderr).boxed()
    } else {
        lines.with_writer(move || OneLine { out: io::stderr(), has_colours }).boxed()
    }
}

/// Writes each event on one line, with escapes for unprintable characters: a value must not forge a line of the log.
struct OneLine<W> {
    out: W,
    /// Whether escape sequences for colours pass.
    has_colours: bool,
}

impl<W: Write> Write for OneLine<W> {
    /// Escapes a whole event, because the subscriber writes whole events.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let passes = |c: char| !unprintable(c) || (self.has_colours && c == '\u{1b}');
        let mut shown = String::with_capacity(text.len() + 16);
        for c in line.chars() {
            if passes(c) { shown.push(c) } else { shown.extend(c.escape_default()) }
        }
        if text.ends_with('\n') {
            shown.push('\n');
        }
        self.out.write_all(shown.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_stays_on_its_line() {
        let cases = [
            (false, "WARN a\nb\n", "WARN a\\nb\n"),
            (false, "a\x1b[31mb\u{202e}c\n", "a\\u{1b}[31mb\\u{202e}c\n"),
            (true, "\x1b[31mWARN\x1b[0m a\nb\n", "\x1b[31mWARN\x1b[0m a\\nb\n"),
            (false, "plain 东区\n", "plain 东区\n"),
        ];
        for (has_colours, event, line) in cases {
            let mut writer = OneLine { out: Vec::new(), has_colours };
            writer.write_all(event.as_bytes()).expect("written");
            assert_eq!(String::from_utf8(writer.out).expect("text"), line);
        }
    }
}
