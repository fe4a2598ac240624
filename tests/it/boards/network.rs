//! *Network to tickets*, for the NOC.

use serde_json::json;

use super::flux::{self, PICK_SCOPES, RANGE, fields, from, renamed, seconds_since};
use super::influxql::{self, reshape};
use super::kit::{Board, Lang, Panel, Query, Select, Source, Variable, thresholds};
use super::shapes::{self, Of, Sums};
use super::{panels, shift};

/// Every reason for which an event is not counted.
const REASONS: [&str; 5] = ["malformed", "field", "late", "future", "limit"];

/// The board in a language.
pub fn board(lang: Lang) -> Board {
    let mut variables = vec![Variable::datasource(lang, Source::Flux)];
    variables.extend(flux::pickers(lang, true));
    Board {
        file: "network-to-tickets",
        uid: "surgecast-network-to-tickets",
        lang,
        source: Source::Flux,
        title: lang.t("Network to tickets", "从网络到工单").into(),
        description: lang
            .t(
                "Alarms beside the tickets that they bring, storms, and the feeds. For the network operations centre.",
                "告警及其带来的工单、告警风暴和数据源。供网络运维人员使用。",
            )
            .into(),
        time: ("now-24h", "now+6h"),
        variables,
        annotations: vec![flux::now(lang), flux::planned(lang)],
        panels: vec![
            panels::active_alarms(lang, 5),
            panels::last_hour(lang, 6),
            feeds_now(lang),
            panels::alarms(lang, (24, 8)),
            effect(lang),
            shift::alarms_behind(lang, (12, 9)),
            storms(lang),
            late(lang),
            feeds(lang),
            dead_letters(lang),
        ],
    }
}

/// The slowest source.
fn feeds_now(lang: Lang) -> Panel {
    let age = seconds_since("r._time");
    let query = format!(
        r#"{}
    |> filter(fn: (r) => r._field == "silent_for" or r._field == "lag" or r._field == "rejected")
    |> last()
    |> group(columns: ["_field"])
    |> max()
    |> keep(columns: ["_time", "_field", "_value"])
    |> group()
    |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
    |> sort(columns: ["_time"])
    |> tail(n: 1)
    |> map(fn: (r) => ({{
        silent_for: if exists r.silent_for then r.silent_for else 0,
        lag: if exists r.lag then r.lag else 0,
        rejected: if exists r.rejected then r.rejected else 0,
        age: {age},
    }}))
"#,
        from("range(start: -24h)", "feed"),
    );
    let title = lang.t("Feeds: the slowest, and the worst", "数据源：最慢与问题最多");
    let text = lang.t(
        "The longest time since a source sent a new event, the most records that wait to be read, and the most events of 24 hours that were not counted. One source may be the first in each. The age turns red if surgecast writes nothing.",
        "各数据源中的最大值：距最近一次新事件的时间、等待读取的记录数、24 小时内未计入的事件数；三者可能属于不同的数据源。surgecast 停止写入时“数据距今”变红。",
    );
    Panel::stat(title, text, 13)
        .ask(
            Query::new(query, &["silent_for", "lag", "rejected", "age"])
                .may_be_empty()
                .in_influxql(worst_feed()),
        )
        .empty(panels::nothing(lang))
        .field(
            "silent_for",
            &[
                ("displayName", json!(lang.t("silent for", "静默时长"))),
                ("unit", json!("s")),
                ("decimals", json!(0)),
                (
                    "thresholds",
                    thresholds(&[("green", None), ("orange", Some(900.0)), ("red", Some(3600.0))]),
                ),
            ],
        )
        .named("lag", lang.t("records to read", "待读记录"), "none")
        .field(
            "rejected",
            &[
                ("displayName", json!(lang.t("not counted in 24 h", "24 小时未计入"))),
                ("unit", json!("none")),
                ("thresholds", thresholds(&[("text", None), ("orange", Some(1.0))])),
            ],
        )
        .age(lang, 180.0, 600.0)
}

/// The largest of the newest figures of all sources, each in a query of its own: without a value it has no tile.
fn worst_feed() -> Vec<Select> {
    let largest = |field: &&str| {
        let text = format!(
            "SELECT max(\"{field}\") AS \"{field}\" FROM (SELECT last(\"{field}\") AS \"{field}\" FROM \"feed\" WHERE {} GROUP BY \
             \"source\")",
            influxql::DAY
        );
        Select::rows(text, &[field])
    };
    let mut selects: Vec<Select> = ["silent_for", "lag", "rejected"].iter().map(largest).collect();
    selects.push(influxql::age("feed", "rejected", "\"source\" != ''"));
    selects
}

/// Tickets beside the part that alarms explain.
fn effect(lang: Lang) -> Panel {
    let (tickets, usual, alarms) = (
        lang.t("tickets", "工单"),
        lang.t("usual", "平时"),
        lang.t("because of alarms and planned work", "因告警与计划作业"),
    );
    let parts = [("baseline", usual), ("alarm_effect", alarms)];
    let title = lang.t(
        "Tickets, what is usual, and the part that alarms bring",
        "工单、平时水平以及告警带来的部分",
    );
    let text = lang.t(
        "Counted tickets, the usual number, and the tickets that the forecast adds because of alarms and planned work.",
        "实际工单、平时数量，以及预测因告警和计划作业增加的工单。",
    );
    let fixed = |color: &str| json!({ "mode": "fixed", "fixedColor": color });
    Panel::chart(title, text, (12, 9))
        .ask(shapes::finalized(tickets))
        .ask(Sums::of(Of::Series, "forecast", &parts).query())
        .unit("none")
        .empty(panels::nothing(lang))
        .custom("axisLabel", json!(lang.t("tickets per window", "每时段工单数")))
        .field(tickets, &[("color", fixed("text")), ("custom.lineWidth", json!(2))])
        .field(usual, &[("color", fixed("semi-dark-green")), ("decimals", json!(1))])
        .field(
            alarms,
            &[("color", fixed("red")), ("custom.fillOpacity", json!(30)), ("decimals", json!(1))],
        )
}

/// Scopes with most alarms within the hour.
fn storms(lang: Lang) -> Panel {
    let query = format!(
        r#"{PICK_SCOPES}
// Raised within a span, by region and service. InfluxDB adds them up, because nothing but a range and filters comes before.
raised = (start, name) => {}
    |> filter(fn: (r) => r._field =~ /^raised_/)
    |> filter(fn: (r) => r.region != "_all" and r.service != "_all")
    |> byRegion()
    |> byService()
    |> group(columns: ["region", "service"])
    |> sum()
    |> group()
    |> set(key: "span", value: name)

// The last hour, compared with the mean hour of a day.
union(tables: [raised(start: -1h, name: "hour"), raised(start: -24h, name: "day")])
    |> pivot(rowKey: ["region", "service"], columnKey: ["span"], valueColumn: "_value")
    |> filter(fn: (r) => exists r.hour and r.hour > 0)
    |> map(fn: (r) => ({{region: r.region, service: r.service, hour: r.hour, usual: float(v: r.day) / 24.0}}))
    |> sort(columns: ["hour"], desc: true)
    |> limit(n: 20)
"#,
        from("range(start: start)", "alarms"),
    );
    let title = lang.t("Most alarms within the hour", "最近一小时新增告警最多");
    let text = lang.t(
        "Regions and services by alarms raised within the last hour, beside the mean hour of the last day. A number far above it is a storm.",
        "最近一小时新增告警最多的区域和业务，对比最近一天的每小时平均。远高于平均即为告警风暴。",
    );
    Panel::table(title, text, (12, 8))
        .ask(
            Query::new(query, &["region", "service", "hour", "usual"])
                .may_be_empty()
                .in_influxql([raised_within_the_hour()]),
        )
        .reshaped([reshape::sorted("hour", true), reshape::first(20)])
        .empty(lang.t("no alarm within the hour", "最近一小时没有告警"))
        .places(lang, &["region", "service"])
        .named("hour", lang.t("within the hour", "最近一小时"), "none")
        .field(
            "usual",
            &[
                ("displayName", json!(lang.t("mean hour", "每小时平均"))),
                ("unit", json!("none")),
                ("decimals", json!(1)),
            ],
        )
}

/// Alarms raised within the hour, and the mean hour of the day, from one subquery each.
fn raised_within_the_hour() -> Select {
    let raised = |name: &str, range: &str| {
        let severities = ["critical", "major", "minor", "warning", "indeterminate"];
        let sums = severities.map(|severity| format!("sum(\"raised_{severity}\")"));
        format!(
            "(SELECT {} AS \"{name}\" FROM \"alarms\" WHERE {} AND \"region\" != '_all' AND \"service\" != '_all' AND {range} \
             GROUP BY \"region\", \"service\")",
            sums.join(" + "),
            influxql::PICK_SCOPES,
        )
    };
    let text = format!(
        "SELECT \"region\", \"service\", \"hour\", \"usual\" FROM (SELECT sum(\"hour\") AS \"hour\", sum(\"day\") / 24.0 AS \"usual\" \
         FROM {} GROUP BY \"region\", \"service\") WHERE \"hour\" > 0",
        influxql::both(
            ("hour", &raised("hour", "time > now() - 1h AND time <= now()")),
            ("day", &raised("day", influxql::DAY)),
        ),
    );
    Select::rows(text, &["region", "service", "hour", "usual"])
}

/// Each source as it is now.
fn feeds(lang: Lang) -> Panel {
    let query = format!(
        r#"{}
    |> last()
    |> keep(columns: ["_time", "source", "_field", "_value"])
    |> group(columns: ["source"])
    |> pivot(rowKey: ["_time", "source"], columnKey: ["_field"], valueColumn: "_value")
    |> group(columns: ["source"])
    |> sort(columns: ["_time"])
    |> tail(n: 1)
    |> group()
    |> map(fn: (r) => ({{
        source: r.source,
        silent_for: if exists r.silent_for then string(v: r.silent_for / 60) + " min" else "{}",
        silent: if exists r.silent_for then r.silent_for else 1000000000,
        frontier_age: if exists r.frontier_age then r.frontier_age else 0,
        lag: if exists r.lag then string(v: r.lag) else "–",
        rejected: if exists r.rejected then r.rejected else 0,
        late: if exists r.late then r.late else 0,
        heard: if exists r.heard then r.heard else 0,
        written: r._time,
    }}))
    |> sort(columns: ["silent"], desc: true)
    |> limit(n: 100)
"#,
        from("range(start: -24h)", "feed"),
        lang.t("no event yet", "尚无事件"),
    );
    let figures = ["silent_for", "frontier_age", "lag", "rejected", "late", "heard"];
    let mut columns: Vec<(&str, &str)> = vec![("source", "source")];
    columns.extend(figures.map(|figure| (figure, figure)));
    columns.push(("Time", "written"));
    let newest = Select::rows(
        format!(
            "SELECT \"source\", {} FROM ({})",
            influxql::names(&figures),
            influxql::newest("feed", ("heard", &figures[..5]), "\"source\" != ''", &["source"]),
        ),
        &["source", "silent_for", "frontier_age", "lag", "rejected", "late", "heard"],
    );
    let title = lang.t("Feeds", "数据源");
    let text = lang.t(
        "Each source (a partition, file or log), the most silent first. `last closed` is the time since the end of the newest closed window. Events that were late or not counted are those of 24 hours. Records to read are known only to the instance that reads a partition.",
        "各数据源（分区、文件或日志），静默最久的在前。“最近关闭”为最新已关闭时段结束至今的时间。迟到和未计入的事件为 24 小时之内的。只有读取该分区的实例知道待读记录数。",
    );
    Panel::table(title, text, (24, 8))
        .ask(
            Query::new(
                query,
                &[
                    "source",
                    "silent_for",
                    "frontier_age",
                    "lag",
                    "rejected",
                    "late",
                    "heard",
                    "written",
                ],
            )
            .in_influxql([newest]),
        )
        .reshaped([
            reshape::organized(&columns, &[]),
            reshape::sorted("silent_for", true),
            reshape::first(100),
        ])
        .influxql_field("Time", &[])
        .influxql_field("silent_for", &[("unit", json!("s"))])
        .empty(panels::nothing(lang))
        .hidden("silent")
        .field(
            "source",
            &[("displayName", json!(lang.t("source", "数据源"))), ("custom.width", json!(340))],
        )
        .named("silent_for", lang.t("silent for", "静默时长"), "")
        .named("frontier_age", lang.t("last closed", "最近关闭"), "s")
        .named("lag", lang.t("records to read", "待读记录"), "")
        .named("rejected", lang.t("not counted", "未计入"), "none")
        .named("late", lang.t("late", "迟到"), "none")
        .named("heard", lang.t("last report", "最近报告"), "s")
        .instant("written", lang.t("as of", "截至"))
}

/// Events that were not counted, by reason.
fn dead_letters(lang: Lang) -> Panel {
    let names = [
        ("malformed", lang.t("malformed", "无法读取")),
        ("field", lang.t("a field is missing or wrong", "字段缺失或有误")),
        ("late", lang.t("late", "迟到")),
        ("future", lang.t("in the future", "时间超前")),
        ("limit", lang.t("beyond a limit", "过大或过多")),
    ];
    assert_eq!(names.map(|(field, _)| field), REASONS);
    let query = format!(
        r#"import "dict"

{}{}
    |> group(columns: ["_field", "source"])
    |> aggregateWindow(every: 5m, fn: last, createEmpty: false)
    |> group(columns: ["_field", "_time"])
    |> sum()
    |> group(columns: ["_field"])
    |> keep(columns: ["_time", "_field", "_value"]){}
"#,
        from(RANGE, "feed"),
        fields(&REASONS),
        renamed(&names),
    );
    let of_a_source = REASONS.map(|reason| (reason, reason));
    let counts = format!(
        "SELECT {} FROM (SELECT {} FROM \"feed\" WHERE {range} GROUP BY time(5m), \"source\" fill(none)) WHERE {range} \
         GROUP BY time(5m) fill(none)",
        influxql::each("sum", &names),
        influxql::each("last", &of_a_source),
        range = influxql::RANGE,
    );
    let title =
        lang.t("Dead letters of the last 24 hours, by reason", "最近 24 小时的死信（按原因）");
    let text = lang.t(
        "Events of the last 24 hours that were not counted, over all sources. `surgecast dead-letters` shows them.",
        "最近 24 小时所有数据源未计入的事件。可用 `surgecast dead-letters` 查看。",
    );
    Panel::chart(title, text, (24, 7))
        .ask(
            Query::series(query).in_influxql([Select::lines(counts, &names.map(|(_, name)| name))]),
        )
        .unit("none")
        .empty(panels::nothing(lang))
        .custom("axisLabel", json!(lang.t("events of 24 hours", "24 小时事件数")))
}

/// Events that were too late for their window.
fn late(lang: Lang) -> Panel {
    let name = lang.t("late events", "迟到事件");
    let title = lang.t("Late events, by the window they belong to", "迟到事件（按所属时段）");
    let text = lang.t(
        "Tickets that arrived after their window had closed, and were not counted. If there are many, increase windows.lateness.",
        "时段关闭后才到达、未计入的工单。数量较多时请增大 windows.lateness。",
    );
    Panel::chart(title, text, (12, 8))
        .ask(Sums::of(Of::Series, "tickets", &[("late", name)]).query())
        .unit("none")
        .empty(panels::nothing(lang))
        .custom("drawStyle", json!("bars"))
        .custom("fillOpacity", json!(60))
        .custom("axisLabel", json!(lang.t("events per window", "每时段事件数")))
}
