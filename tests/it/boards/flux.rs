//! Parts of Flux queries.
//!
//! Names are inserted as regular expressions (`${region:regex}`): Grafana escapes every character that means something
//! there, so that no name can break a query. InfluxDB finds the tags by its index.

use super::influxql;
use super::kit::{Annotation, Lang, Query, Select, Variable};

/// Series of the pickers. `All` is the roll-up; several are added up.
pub const SERIES: &str = "
    |> filter(fn: (r) => r.region =~ /^(${region:regex})$/)
    |> filter(fn: (r) => r.service =~ /^(${service:regex})$/)
    |> filter(fn: (r) => r.channel =~ /^(${channel:regex})$/)";

/// Regions and services of the pickers, for alarms.
pub const SCOPES: &str = "
    |> filter(fn: (r) => r.region =~ /^(${region:regex})$/)
    |> filter(fn: (r) => r.service =~ /^(${service:regex})$/)";

/// What only single series have: `All` picks every one.
pub const PICK: &str = r#"byRegion = (tables=<-) =>
    if "_all" =~ /^(${region:regex})$/ then tables else tables |> filter(fn: (r) => r.region =~ /^(${region:regex})$/)
byService = (tables=<-) =>
    if "_all" =~ /^(${service:regex})$/ then tables else tables |> filter(fn: (r) => r.service =~ /^(${service:regex})$/)
byChannel = (tables=<-) =>
    if "_all" =~ /^(${channel:regex})$/ then tables else tables |> filter(fn: (r) => r.channel =~ /^(${channel:regex})$/)
"#;

/// The same for alarms, which have no channel.
pub const PICK_SCOPES: &str = r#"byRegion = (tables=<-) =>
    if "_all" =~ /^(${region:regex})$/ then tables else tables |> filter(fn: (r) => r.region =~ /^(${region:regex})$/)
byService = (tables=<-) =>
    if "_all" =~ /^(${service:regex})$/ then tables else tables |> filter(fn: (r) => r.service =~ /^(${service:regex})$/)
"#;

/// Single series of the pickers, after [`PICK`].
pub const LEAVES: &str = r#"
    |> filter(fn: (r) => r.region != "_all" and r.service != "_all" and r.channel != "_all")
    |> byRegion()
    |> byService()
    |> byChannel()"#;

/// The time range of the board.
pub const RANGE: &str = "range(start: v.timeRangeStart, stop: v.timeRangeStop)";

/// Rows of columns, from rows of fields.
pub const PIVOT: &str = r#"
    |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")"#;

/// Adds series up, start by start. Starts are multiples of five minutes, so that no two windows share a slot.
pub const ADD_UP: &str = r#"
    |> group(columns: ["_field"])
    |> aggregateWindow(every: 5m, fn: sum, createEmpty: false, timeSrc: "_start")
    |> keep(columns: ["_time", "_field", "_value"])"#;

/// Seconds from an instant to now.
pub fn seconds_since(instant: &str) -> String {
    format!("float(v: int(v: now()) - int(v: {instant})) / 1000000000.0")
}

/// Points of a measurement.
pub fn from(range: &str, measurement: &str) -> String {
    format!(
        "from(bucket: v.defaultBucket)\n    |> {range}\n    |> filter(fn: (r) => r._measurement == \"{measurement}\")"
    )
}

/// One of these fields.
pub fn fields(names: &[&str]) -> String {
    let any: Vec<String> = names.iter().map(|name| format!("r._field == \"{name}\"")).collect();
    format!("\n    |> filter(fn: (r) => {})", any.join(" or "))
}

/// Fields by their names on the panel. The text has to begin with `import "dict"`.
pub fn renamed(names: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        names.iter().map(|(field, name)| format!("\"{field}\": \"{name}\"")).collect();
    format!(
        "\n    |> map(fn: (r) => ({{r with _field: dict.get(dict: [{}], key: r._field, default: r._field)}}))",
        pairs.join(", ")
    )
}

/// The newest outlook of each single series, as rows. First the newest value of each field, then the newest row: a field
/// that is absent there must not come from an older one.
pub fn outlooks() -> String {
    format!(
        "{PICK}\n{}{LEAVES}\n    |> last(){PIVOT}
    |> group(columns: [\"region\", \"service\", \"channel\"])
    |> sort(columns: [\"_time\"])
    |> tail(n: 1)
    |> group()",
        from("range(start: -24h)", "outlook")
    )
}

/// Pickers of region, service and channel.
pub fn pickers(lang: Lang, with_channel: bool) -> Vec<Variable> {
    let values = |tag: &str| {
        let text = format!(
            r#"// Names with tickets in the last 30 days. `All` is the roll-up.
import "influxdata/influxdb/schema"

schema.tagValues(
    bucket: v.defaultBucket,
    tag: "{tag}",
    predicate: (r) => r._measurement == "tickets",
    start: -30d,
)
    |> filter(fn: (r) => r._value != "_all")
"#
        );
        Query::new(text, &["_value"]).in_influxql([influxql::tag_values(tag)])
    };
    let mut pickers = vec![
        Variable::picker("region", lang.t("Region", "区域"), values("region")),
        Variable::picker("service", lang.t("Service", "业务"), values("service")),
    ];
    if with_channel {
        pickers.push(Variable::picker("channel", lang.t("Channel", "渠道"), values("channel")));
    }
    pickers.push(Variable::text(
        "page",
        lang.t("Address of surgecast", "surgecast 地址"),
        "http://127.0.0.1:8080",
    ));
    pickers
}

/// The shaded future, with a line at now.
pub fn now(lang: Lang) -> Annotation {
    let text = lang.t("Now: the forecast is on the right", "现在：右侧为预测");
    let query = format!(
        r#"// Nothing is stored for this: one row with the server's time.
import "array"
import "experimental"

array.from(rows: [{{_time: now(), timeEnd: experimental.addDuration(d: 6h, to: now()), text: "{text}"}}])
"#
    );
    Annotation {
        name: lang.t("Now", "现在").into(),
        query: Query::new(query, &["_time", "timeEnd", "text"]).in_influxql([influxql::now()]),
        color: "purple",
    }
}

/// What concerns the regions and services of the pickers: theirs, and what is planned for all.
pub const CONCERNS: &str = r#"ofRegion = (tables=<-) =>
    if "_all" =~ /^(${region:regex})$/ then tables else tables |> filter(fn: (r) => r.region =~ /^(_all|${region:regex})$/)
ofService = (tables=<-) =>
    if "_all" =~ /^(${service:regex})$/ then tables else tables |> filter(fn: (r) => r.service =~ /^(_all|${service:regex})$/)
"#;

/// Planned work and planners' adjustments, from start to end.
pub fn planned(lang: Lang) -> Annotation {
    let from = from("range(start: -3d, stop: 30d)", "planned");
    let query = format!(
        r#"{CONCERNS}
{from}
    |> ofRegion()
    |> ofService(){PIVOT}
    |> filter(fn: (r) => r.state == "planned" and r.kind != "cause")
    |> group()
    |> map(fn: (r) => ({{_time: r._time, timeEnd: time(v: r.until), text: r.kind + ": " + r.text}}))
"#
    );
    Annotation {
        name: lang.t("Planned", "计划").into(),
        query: Query::new(query, &["_time", "timeEnd", "text"])
            .may_be_empty()
            .in_influxql([Select::rows(influxql::planned(&["kind", "text"]), &["kind", "text"])]),
        color: "blue",
    }
}
