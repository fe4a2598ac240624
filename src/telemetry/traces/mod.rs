//! Traces: spans of the work that operators ask about, sent to an OpenTelemetry collector over OTLP.
//!
//! The macro `span!` marks such work. Without `telemetry.otlp` these spans are not collected, and each costs one comparison.
//! There are no spans per event.

mod client;
mod export;
mod queue;

use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator, Sampler, SdkTracerProvider};
use tracing::Span;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

pub use self::client::{OtlpClient, parse_header};
pub use self::export::Exporter;
use self::queue::{Feeder, Queue};
use super::config::OtlpSettings;

/// Target of all spans that are sent. Lines of the log never show them.
pub const TRACES: &str = "surgecast::traces";

/// Begins a span. `quiet = true`, recorded later, means that nothing happened, so that the span is not sent. If the work
/// failed, call [`fail`].
macro_rules! span {
    ($name:literal $(, $($fields:tt)*)?) => {
        tracing::info_span!(
            target: $crate::telemetry::TRACES,
            $name,
            "error.type" = tracing::field::Empty,
            "otel.status_code" = tracing::field::Empty,
            $($($fields)*)?
        )
    };
}
pub(crate) use span;

/// Marks the work of a span as failed. `kind` is one of a fixed set of words.
pub fn fail(span: &Span, kind: &'static str) {
    span.record("error.type", kind).record("otel.status_code", "ERROR");
}

/// A number as an attribute. Unsigned numbers would be written as text.
pub fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Collects the spans of this process, and sends them.
pub struct Traces {
    provider: SdkTracerProvider,
    exporter: Exporter,
}

impl Traces {
    /// Creates the collection. Opens no connection.
    ///
    /// # Errors
    /// If the TLS set-up of this machine cannot be used.
    pub fn new(settings: &OtlpSettings) -> Result<Self, reqwest::Error> {
        let queue = Arc::<Queue>::default();
        let instance = RandomIdGenerator::default().new_trace_id();
        // Without the detectors that read the environment, because only the configuration decides.
        let resource = Resource::builder_empty()
            .with_service_name(settings.service_name.clone())
            .with_attributes([
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                KeyValue::new("service.instance.id", instance.to_string()),
            ])
            .build();
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOn)
            .with_span_processor(Feeder(queue.clone()))
            .build();
        let client = OtlpClient::new(settings.clone())?;
        Ok(Self { provider, exporter: Exporter::new(queue, client, &resource) })
    }

    /// The layer that collects spans.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("surgecast"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(Targets::new().with_target(TRACES, LevelFilter::INFO))
    }

    /// The exporter that sends the spans, for a thread of its own.
    pub fn exporter(self) -> Exporter {
        self.exporter
    }
}
