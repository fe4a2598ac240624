//! A reader's texts: the catalogue in one language, times in one zone.

use std::sync::LazyLock;

use chrono::Datelike as _;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

use super::Language;
use super::number::grouped;
use crate::domain::{DAY, Severity, Timestamp, Topic, Zone, printable, unprintable};

/// Files of the catalogue by language: its name, its content.
pub(super) const SOURCES: [[(&str, &str); 9]; 2] = [
    [
        ("alert", include_str!("en/alert.ftl")),
        ("anomaly", include_str!("en/anomaly.ftl")),
        ("common", include_str!("en/common.ftl")),
        ("forecast", include_str!("en/forecast.ftl")),
        ("page", include_str!("en/page.ftl")),
        ("report", include_str!("en/report.ftl")),
        ("rules", include_str!("en/rules.ftl")),
        ("staffing", include_str!("en/staffing.ftl")),
        ("tickets", include_str!("en/tickets.ftl")),
    ],
    [
        ("alert", include_str!("zh/alert.ftl")),
        ("anomaly", include_str!("zh/anomaly.ftl")),
        ("common", include_str!("zh/common.ftl")),
        ("forecast", include_str!("zh/forecast.ftl")),
        ("page", include_str!("zh/page.ftl")),
        ("report", include_str!("zh/report.ftl")),
        ("rules", include_str!("zh/rules.ftl")),
        ("staffing", include_str!("zh/staffing.ftl")),
        ("tickets", include_str!("zh/tickets.ftl")),
    ],
];

/// Names of arguments with their values, for [`Texts::text`]: `args!["n" => 3, "device" => "OLT-17"]`.
macro_rules! text_args {
    () => { None };
    ($($name:literal => $value:expr),+ $(,)?) => {{
        let mut args = crate::text::Args::new();
        $(args.set($name, $value);)+
        Some(args)
    }};
}
pub(crate) use text_args as args;

type Bundle = FluentBundle<FluentResource>;

static BUNDLES: LazyLock<[Bundle; 2]> = LazyLock::new(|| Language::ALL.map(bundle));

/// The catalogue of a language. A message that does not parse is left out, and the tests fail.
fn bundle(language: Language) -> Bundle {
    let locale = language.as_str().parse().into_iter().collect();
    let mut bundle = Bundle::new_concurrent(locale);
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(|value, memoizer| match value {
        FluentValue::Number(number) => Some(grouped(&number.as_string())),
        _ => {
            let _ = memoizer;
            None
        }
    }));
    for (_, source) in &SOURCES[language as usize] {
        let resource = FluentResource::try_new((*source).to_owned());
        let resource = resource.unwrap_or_else(|(resource, _)| resource);
        bundle.add_resource_overriding(resource);
    }
    bundle
}

/// The arguments with escapes for unprintable characters, so that an argument cannot forge a line of a text.
fn printable_args(args: FluentArgs<'_>) -> FluentArgs<'_> {
    let forged = |value: &FluentValue<'_>| matches!(value, FluentValue::String(text) if text.chars().any(unprintable));
    if !args.iter().any(|(_, value)| forged(value)) {
        return args;
    }
    let shown = args.iter().map(|(name, value)| match value {
        FluentValue::String(text) => (name.to_owned(), printable(text).into_owned().into()),
        other => (name.to_owned(), other.clone().into_owned()),
    });
    shown.collect()
}

/// The texts for a reader: in one language, with times in one time zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Texts {
    language: Language,
    zone: Zone,
    /// The time as of which a text holds.
    as_of: Option<Timestamp>,
    /// The year that dates leave out.
    year: Option<i32>,
}

impl Texts {
    /// Texts in a language, with times in UTC.
    pub fn new(language: Language) -> Self {
        Self { language, zone: Zone::UTC, as_of: None, year: None }
    }

    /// The same texts with times of a zone.
    pub fn local(self, zone: Zone) -> Self {
        Self { zone, ..self }
    }

    /// The same texts, which hold as of `at`: times more than a day away from it carry their date.
    pub fn as_of(self, at: Timestamp) -> Self {
        Self { as_of: Some(at), ..self }
    }

    /// The same texts, whose dates carry the year unless it is that of `at`. A report begins with a date that has its year
    /// ([`Self::year_time`]).
    pub fn in_year_of(self, at: Timestamp) -> Self {
        Self { year: Some(self.year(at)), ..self }
    }

    /// The same texts, whose dates never carry the year: for labels with little room.
    pub fn without_year(self) -> Self {
        Self { year: None, ..self }
    }

    /// Their language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The zone that times are in.
    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// The message `id` with its arguments (`args!`). Whole numbers choose plural forms and get thousands separators. If the
    /// catalogue does not have the id, the id itself is returned.
    pub fn text(&self, id: &str, args: Option<FluentArgs<'_>>) -> String {
        let bundle = &BUNDLES[self.language as usize];
        let Some(pattern) = bundle.get_message(id).and_then(|message| message.value()) else {
            debug_assert!(false, "the catalogue has no message {id}");
            return id.to_owned();
        };
        let args = args.map(printable_args);
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, args.as_ref(), &mut errors).into_owned();
        debug_assert!(errors.is_empty(), "{id}: {errors:?}");
        text
    }

    /// A time of the day: `14:30`.
    pub fn time(&self, at: Timestamp) -> String {
        self.zone.local(at).format("%H:%M").to_string()
    }

    /// A time of the day, with its date if it is more than a day away from [`Self::as_of`].
    pub fn moment(&self, at: Timestamp) -> String {
        let is_far = |now: Timestamp| at.since(now).max(now.since(at)) >= DAY;
        if self.as_of.is_some_and(is_far) { self.day_time(at) } else { self.time(at) }
    }

    /// A time with its date, as reports and late texts give it: `Tue 3 Mar 14:30`, `3月3日 周二 14:30`. It has the year if texts
    /// [`Self::in_year_of`] another one ask for it.
    pub fn day_time(&self, at: Timestamp) -> String {
        if self.is_other_year(at) {
            return self.year_time(at);
        }
        format!("{} {}", self.weekday_date(at), self.time(at))
    }

    /// A time with its date and year: `Tue 3 Mar 2026, 14:30`, `2026年3月3日 周二 14:30`.
    pub fn year_time(&self, at: Timestamp) -> String {
        let (day, year) = (self.weekday_date(at), self.year(at).to_string());
        self.text("date-year-time", args!["day" => day, "year" => year, "time" => self.time(at)])
    }

    /// A date with its weekday: `Tue 3 Mar`, `3月3日 周二`; with the year as in [`Self::day_time`].
    pub fn day(&self, at: Timestamp) -> String {
        let day = self.weekday_date(at);
        if self.is_other_year(at) {
            return self
                .text("date-year", args!["day" => day, "year" => self.year(at).to_string()]);
        }
        day
    }

    fn year(&self, at: Timestamp) -> i32 {
        self.zone.local(at).year()
    }

    fn is_other_year(&self, at: Timestamp) -> bool {
        self.year.is_some_and(|year| year != self.year(at))
    }

    fn weekday_date(&self, at: Timestamp) -> String {
        let local = self.zone.local(at);
        match self.language {
            Language::En => local.format("%a %-d %b").to_string(),
            Language::Zh => {
                let weekday = ["一", "二", "三", "四", "五", "六", "日"];
                let weekday = weekday[local.weekday().num_days_from_monday() as usize];
                format!("{}月{}日 周{weekday}", local.month(), local.day())
            }
        }
    }

    /// A severity.
    pub fn severity(&self, severity: Severity) -> String {
        self.text(&format!("severity-{}", severity.as_str()), None)
    }

    /// A topic of customers' texts.
    pub fn topic(&self, topic: Topic) -> String {
        self.text(&format!("topic-{}", topic.as_str()), None)
    }

    /// A channel: common ones as words, others by their name.
    pub fn channel(&self, channel: &str) -> String {
        match channel {
            "phone" | "chat" | "email" | "complaint" => {
                self.text(&format!("channel-{channel}"), None)
            }
            other => other.to_owned(),
        }
    }

    /// Several things as a list: `a, b, c`, `a、b、c`.
    pub fn list<S: AsRef<str>>(&self, items: impl IntoIterator<Item = S>) -> String {
        self.joined(items, "list-separator")
    }

    /// Parts of one clause: `a, b`, `a，b`.
    pub fn parts<S: AsRef<str>>(&self, items: impl IntoIterator<Item = S>) -> String {
        self.joined(items, "part-separator")
    }

    /// Clauses of one sentence: `a; b`, `a；b`.
    pub fn clauses<S: AsRef<str>>(&self, items: impl IntoIterator<Item = S>) -> String {
        self.joined(items, "clause-separator")
    }

    fn joined<S: AsRef<str>>(&self, items: impl IntoIterator<Item = S>, separator: &str) -> String {
        let items: Vec<S> = items.into_iter().collect();
        let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
        items.join(&self.text(separator, None))
    }

    /// A number with at most `digits` decimals and with thousands separators: `2,753`, `0.4`.
    pub fn number(&self, value: f64, digits: usize) -> String {
        let text = format!("{value:.digits$}");
        let text = if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.')
        } else {
            &text
        };
        grouped(if text == "-0" { "0" } else { text })
    }

    /// A share as a percentage with one decimal, or `–` if it is not known: `93.4 %`, `93.4%`.
    pub fn percent(&self, share: Option<f64>) -> String {
        let Some(share) = share else { return "–".to_owned() };
        self.text("percent", args!["value" => format!("{:.1}", share * 100.0)])
    }
}
