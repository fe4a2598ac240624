//! Panels that several boards have.

use serde_json::{Value, json};

use super::flux::{
    CONCERNS, PICK, PICK_SCOPES, PIVOT, RANGE, SCOPES, SERIES, fields, from, outlooks, renamed,
    seconds_since,
};
use super::influxql::{self, reshape};
use super::kit::{Lang, Panel, Query, Select};
use super::shapes::{self, Of, Sums};

/// A forecast is issued every window: after half an hour something is wrong, after an hour it is serious.
pub const LATE: (f64, f64) = (2_700.0, 5_400.0);

/// What to do if the bucket is empty.
pub fn nothing(lang: Lang) -> &'static str {
    lang.t("nothing yet: see /ready of surgecast", "尚无数据：请查看 surgecast 的 /ready")
}

/// Tickets of the newest finalized hour.
pub fn last_hour(lang: Lang, width: u64) -> Panel {
    let age = seconds_since("end");
    let query = format!(
        r#"// The hour up to the newest finalized window. An open window has an offset in `upto`, a finalized one 0.
import "experimental"

counted =
    {}{}{SERIES}{PIVOT}
        |> filter(fn: (r) => r.upto == 0)
        |> group()
        |> sort(columns: ["_time"])

newest = counted |> tail(n: 1) |> findColumn(fn: (key) => true, column: "_time")
end = if length(arr: newest) > 0 then newest[0] else now()

counted
    |> filter(fn: (r) => r._time > experimental.subDuration(d: 1h, from: end))
    |> sum(column: "count")
    |> map(fn: (r) => ({{tickets: r.count, age: {age}}}))
"#,
        from("range(start: -24h)", "tickets"),
        fields(&["count", "upto"]),
    );
    let title = lang.t("Tickets, last finalized hour", "工单：最近已完成统计的一小时");
    let text = lang.t(
        "Tickets of the hour up to the newest finalized window. A window is finalized when every source has reported past its end. The age is the time since that window began: it turns red when no data arrive. Follows the filters, not the time picker.",
        "截至最新已完成统计的时段的一小时内的工单数。所有数据源的数据都已越过时段结束时间后，该时段才算完成统计。“数据距今”为该时段开始至今的时间，没有新数据时变红。随筛选条件变化，不随时间范围变化。",
    );
    Panel::stat(title, text, width)
        .ask(Query::new(query, &["tickets", "age"]).in_influxql(newest_hour()))
        .empty(nothing(lang))
        .field(
            "tickets",
            &[("displayName", json!(lang.t("tickets", "工单"))), ("unit", json!("none"))],
        )
        .age(lang, LATE.0, LATE.1)
}

/// Tickets of the newest finalized hour, and the age. Sums of 12 slots of five minutes; the newest window is the first with the
/// largest running number.
fn newest_hour() -> [Select; 2] {
    let finalized = format!("{} AND \"upto\" = 0", influxql::SERIES);
    let text = format!(
        "SELECT \"tickets\" FROM (SELECT max(\"number\") AS \"number\", \"tickets\" FROM (SELECT cumulative_sum(\"windows\") AS \
         \"number\", moving_average(\"sum\", 12) * 12 AS \"tickets\" FROM (SELECT sum(\"count\") AS \"sum\", count(\"count\") AS \
         \"windows\" FROM \"tickets\" WHERE {finalized} AND {} GROUP BY time(5m) fill(0))))",
        influxql::DAY
    );
    [Select::rows(text, &["tickets"]), influxql::age("tickets", "count", &finalized)]
}

/// Tickets that the forecast still expects, and for how many hours it reaches.
pub fn expected(lang: Lang, width: u64) -> Panel {
    let age = seconds_since("time(v: r.issued)");
    let query = format!(
        r#"// Means add up; medians and other quantiles do not.
{}{}{SERIES}{PIVOT}
    |> group()
    |> reduce(
        identity: {{expected: 0.0, until: 0, issued: ""}},
        fn: (r, accumulator) => ({{
            expected: accumulator.expected + r.mean,
            until: if int(v: r._time) > accumulator.until then int(v: r._time) else accumulator.until,
            issued: if r.issued_at > accumulator.issued then r.issued_at else accumulator.issued,
        }}),
    )
    |> map(fn: (r) => ({{
        expected: r.expected,
        hours: float(v: r.until - int(v: now())) / 3600000000000.0,
        age: {age},
    }}))
"#,
        from("range(start: now(), stop: 6h)", "forecast"),
        fields(&["mean", "issued_at"]),
    );
    let expected = format!(
        "SELECT sum(\"mean\") AS \"expected\" FROM \"forecast\" WHERE {} AND {}",
        influxql::SERIES,
        influxql::AHEAD
    );
    let title = lang.t("Tickets expected", "预计工单");
    let text = lang.t(
        "Sum of the mean forecast, from the next window to the end of the forecast. The hours say how far it reaches: about six while forecasts are issued. Follows the filters, not the time picker.",
        "从下一个时段到预测结束的平均预测之和。“预测时长”说明预测还能覆盖多久：正常约六小时。随筛选条件变化，不随时间范围变化。",
    );
    Panel::stat(title, text, width)
        .ask(Query::new(query, &["expected", "hours", "age"]).in_influxql([
            Select::rows(expected, &["expected"]),
            influxql::hours_ahead(influxql::SERIES),
            influxql::age("outlook", "peak", influxql::SERIES),
        ]))
        .text_sizes(12, 16)
        .empty(
            lang.t("no forecast: see /ready of surgecast", "没有预测：请查看 surgecast 的 /ready"),
        )
        .field(
            "expected",
            &[
                ("displayName", json!(lang.t("expected", "预计"))),
                ("unit", json!("none")),
                ("decimals", json!(0)),
            ],
        )
        .field(
            "hours",
            &[
                ("displayName", json!(lang.t("reaches", "预测时长"))),
                ("unit", json!("h")),
                ("decimals", json!(1)),
            ],
        )
        .age(lang, LATE.0, LATE.1)
}

/// The largest gap of one series, and when agents will be missing.
pub fn gap(lang: Lang, width: u64) -> Panel {
    let age = seconds_since("time(v: r.issued)");
    let query = format!(
        r#"{}
    |> map(fn: (r) => ({{
        issued: int(v: r._time),
        gap: if exists r.gap_max then r.gap_max else -1000000,
        at: if exists r.gap_at then int(v: time(v: r.gap_at)) / 1000000 else 0,
        breach: if exists r.breach_at then int(v: time(v: r.breach_at)) / 1000000 else 0,
        rostered: if exists r.rostered then r.rostered else 0,
    }}))
    |> reduce(
        identity: {{issued: 0, gap: -1000000, at: 0, breach: 0, rostered: 0}},
        fn: (r, accumulator) => ({{
            issued: if r.issued > accumulator.issued then r.issued else accumulator.issued,
            gap: if r.gap > accumulator.gap then r.gap else accumulator.gap,
            at: if r.gap > accumulator.gap then r.at else accumulator.at,
            breach: if r.breach > 0 and (accumulator.breach == 0 or r.breach < accumulator.breach) then r.breach else accumulator.breach,
            rostered: if r.rostered > accumulator.rostered then r.rostered else accumulator.rostered,
        }}),
    )
    // A gap without a roster is the difference to what is usual; then there is nothing to breach.
    |> map(fn: (r) => ({{
        gap: r.gap,
        at: r.at,
        breach: if r.rostered == 0 then -1 else r.breach,
        age: {age},
    }}))
    |> filter(fn: (r) => r.gap > -1000000)
"#,
        outlooks(),
    );
    let title = lang.t("Largest gap of one series, next 6 hours", "未来六小时单个序列的最大缺口");
    let text = lang.t(
        "The most agents that one series (one region, service and channel) will be missing in one window, and when. 0 or less: no series has too few. Without a roster, the gap is the difference to what is usual at that time. `short from` is the first time at which agents of a roster are missing.",
        "单个序列（一个区域、业务和渠道）在一个时段内最多缺少的坐席数及其时间。0 或更小：没有序列缺人。没有排班时，缺口为与同一时段平时人数之差。“缺人始于”是排班人数首次不足的时间。",
    );
    let none = lang.t("none", "无");
    let unrostered = lang.t("no roster", "没有排班");
    let mappings = json!([{ "type": "value", "options": {
        "0": { "text": none, "index": 0 }, "-1": { "text": unrostered, "index": 1 } } }]);
    let has_roster = json!([{ "type": "value", "options": {
        "0": { "text": unrostered, "index": 0 }, "1": { "text": lang.t("yes", "有"), "index": 1 } } }]);
    Panel::stat(title, text, width)
        .ask(
            Query::new(query, &["gap", "at", "breach", "age"])
                .may_be_empty()
                .in_influxql(largest_gap()),
        )
        .reshaped([reshape::times(&["at", "breach"])])
        .influxql_field(
            "rostered",
            &[("displayName", json!(lang.t("roster", "排班"))), ("mappings", has_roster)],
        )
        .influxql_note(lang.t(
            "If no agents of a roster are missing, `short from` is not shown.",
            "排班人数充足时不显示“缺人始于”。",
        ))
        .text_sizes(12, 16)
        .empty(lang.t("no staffing profile: see [staffing]", "没有坐席参数：请查看 [staffing]"))
        .field(
            "gap",
            &[
                ("displayName", json!(lang.t("missing", "缺少坐席"))),
                ("unit", json!("none")),
                (
                    "thresholds",
                    super::kit::thresholds(&[
                        ("green", None),
                        ("orange", Some(1.0)),
                        ("red", Some(5.0)),
                    ]),
                ),
            ],
        )
        .field("at", &[("displayName", json!(lang.t("at", "时间"))), ("unit", json!("time:HH:mm"))])
        .field(
            "breach",
            &[
                ("displayName", json!(lang.t("short from", "缺人始于"))),
                ("unit", json!("time:HH:mm")),
                ("mappings", mappings),
            ],
        )
        .age(lang, LATE.0, LATE.1)
}

/// The largest gap, the first time at which agents of a roster are missing, whether there is a roster, and the age.
fn largest_gap() -> [Select; 4] {
    let newest = influxql::outlooks();
    let largest =
        format!("SELECT max(\"gap_max\") AS \"gap\", \"gap_at\" AS \"at\" FROM ({newest})");
    let first = format!(
        "SELECT \"breach\" FROM (SELECT min(\"minutes_to_breach\") AS \"minutes\", \"breach_at\" AS \"breach\" FROM ({newest}) \
         WHERE \"rostered\" = 1)"
    );
    let rostered = format!("SELECT max(\"rostered\") AS \"rostered\" FROM ({newest})");
    [
        Select::rows(largest, &["gap", "at"]),
        Select::rows(first, &["breach"]),
        Select::rows(rostered, &["rostered"]),
        influxql::age("outlook", "gap_max", &influxql::leaves()),
    ]
}

/// Active alarms now.
pub fn active_alarms(lang: Lang, width: u64) -> Panel {
    let age = seconds_since("r._time");
    let query = format!(
        r#"// The 0 of a scope is written when its last alarm ends. No point means that no alarm was active for a day.
active = {}{}{SCOPES}
    |> last()
    |> group()
    |> sum()
    |> findColumn(fn: (key) => true, column: "_value")

// The newest window says how old the data are, with or without alarms.
{}{}
    |> filter(fn: (r) => r.region == "_all" and r.service == "_all" and r.channel == "_all")
    |> last()
    |> map(fn: (r) => ({{active: if length(arr: active) > 0 then active[0] else 0, age: {age}}}))
"#,
        from("range(start: -24h)", "alarms"),
        fields(&["active"]),
        from("range(start: -24h)", "tickets"),
        fields(&["count"]),
    );
    let active = format!(
        "SELECT sum(\"active\") AS \"active\" FROM (SELECT last(\"active\") AS \"active\" FROM \"alarms\" WHERE {} AND {} \
         GROUP BY \"region\", \"service\")",
        influxql::SCOPES,
        influxql::DAY
    );
    let title = lang.t("Active alarms", "未清除告警");
    let text = lang.t(
        "Network alarms that are active now: raised and not over. Open windows count too. Follows region and service; alarms have no channel.",
        "当前未清除的网络告警，包括未完成统计的时段。随区域和业务变化；告警没有渠道。",
    );
    Panel::stat(title, text, width)
        .ask(Query::new(query, &["active", "age"]).in_influxql([
            Select::rows(active, &["active"]),
            influxql::age("tickets", "count", influxql::ALL_SERIES),
        ]))
        .influxql_note(lang.t(
            "Nothing is shown if no alarm was active for a day.",
            "一天内没有未清除告警时不显示数值。",
        ))
        .empty(nothing(lang))
        .field(
            "active",
            &[("displayName", json!(lang.t("active", "未清除"))), ("unit", json!("none"))],
        )
        .age(lang, LATE.0, LATE.1)
}

/// Counts and forecast with bands, past and future.
pub fn arrivals(lang: Lang, size: (u64, u64)) -> Panel {
    let (tickets, so_far) = (lang.t("tickets", "工单"), lang.t("tickets so far", "工单（统计中）"));
    let (expected, usual) = (lang.t("expected", "预计"), lang.t("usual", "平时"));
    let [low95, low80, high80, high95] = [
        lang.t("95 % low", "95% 下限"),
        lang.t("80 % low", "80% 下限"),
        lang.t("80 % high", "80% 上限"),
        lang.t("95 % high", "95% 上限"),
    ];
    let names = [
        ("mean", expected),
        ("baseline", usual),
        ("q025", low95),
        ("q10", low80),
        ("q90", high80),
        ("q975", high95),
    ];
    let forecast = Sums {
        comment: "Past windows keep the forecast with which they began.",
        ..Sums::of(Of::Series, "forecast", &names)
    };
    let title = lang.t("Arrivals: counted and forecast", "工单来量：实际与预测");
    let text = lang.t(
        "Tickets per window, with the mean forecast and its bands. Past windows show the forecast with which they began. Bands of several series are added up, which makes them wider than they are. `usual` is the profile without today's level, alarms and plans.",
        "每个时段的工单数、平均预测及其区间。过去的时段显示其开始时的预测。多个序列的区间直接相加，因此偏宽。“平时”为不含当日水平、告警和计划的水平。",
    );
    let fixed = |color: &str| json!({ "mode": "fixed", "fixedColor": color });
    let line =
        |color: &str, width: u8| vec![("color", fixed(color)), ("custom.lineWidth", json!(width))];
    let dashed = json!({ "fill": "dash", "dash": [8, 6] });
    let band = |color: &str, opacity: u8, below: Option<&str>| {
        let mut properties = vec![
            ("color", fixed(color)),
            ("custom.lineWidth", json!(0)),
            ("custom.fillOpacity", json!(opacity)),
        ];
        match below {
            Some(below) => properties.push(("custom.fillBelowTo", json!(below))),
            None => properties.push((
                "custom.hideFrom",
                json!({ "legend": true, "tooltip": false, "viz": false }),
            )),
        }
        properties
    };
    let mut mean = line("blue", 2);
    mean.extend([("custom.lineStyle", dashed), ("decimals", json!(1))]);
    let mut usually = line("semi-dark-green", 1);
    usually.extend([
        ("custom.lineStyle", json!({ "fill": "dot", "dash": [2, 6] })),
        ("decimals", json!(1)),
    ]);
    // Points without a line: an open window has few tickets yet, which would look like a fall.
    let mut open = line("text", 1);
    open.extend([("custom.drawStyle", json!("points")), ("custom.pointSize", json!(6))]);
    Panel::chart(title, text, size)
        .ask(shapes::finalized_and_open(tickets, so_far))
        .ask(forecast.query())
        .unit("none")
        .empty(nothing(lang))
        .custom("axisLabel", json!(lang.t("tickets per window", "每时段工单数")))
        .field(tickets, &line("text", 2))
        .field(so_far, &open)
        .field(expected, &mean)
        .field(usual, &usually)
        .field(high95, &band("light-blue", 12, Some(low95)))
        .field(low95, &band("light-blue", 0, None))
        .field(high80, &band("blue", 25, Some(low80)))
        .field(low80, &band("blue", 0, None))
}

/// Alarms by severity, with those that are active.
pub fn alarms(lang: Lang, size: (u64, u64)) -> Panel {
    let names = [
        ("raised_critical", lang.t("critical", "紧急")),
        ("raised_major", lang.t("major", "重要")),
        ("raised_minor", lang.t("minor", "次要")),
        ("raised_warning", lang.t("warning", "提示")),
        ("raised_indeterminate", lang.t("no severity", "未定级")),
        ("active", lang.t("active", "未清除")),
    ];
    let title = lang.t("Alarms raised, by severity, and active", "新增告警（按级别）与未清除告警");
    let text = lang.t(
        "Alarms raised in each window, as bars by severity, and how many are active at its end, as a line. Follows region and service.",
        "每个时段的新增告警（柱形，按级别）以及时段结束时的未清除告警数（线）。随区域和业务变化。",
    );
    let colors = ["red", "orange", "yellow", "blue", "purple"];
    let mut panel = Panel::chart(title, text, size)
        .ask(Sums::of(Of::Scopes, "alarms", &names).query().may_be_empty())
        .unit("none")
        .empty(lang.t("no alarm in this time", "此时间范围内没有告警"))
        .custom("axisLabel", json!(lang.t("alarms per window", "每时段告警数")));
    for ((_, name), color) in names.iter().zip(colors) {
        panel = panel.field(
            name,
            &[
                ("color", json!({ "mode": "fixed", "fixedColor": color })),
                ("custom.drawStyle", json!("bars")),
                ("custom.fillOpacity", json!(70)),
                ("custom.stacking", json!({ "mode": "normal", "group": "raised" })),
            ],
        );
    }
    panel.field(
        names[5].1,
        &[
            ("color", json!({ "mode": "fixed", "fixedColor": "text" })),
            ("custom.lineWidth", json!(2)),
            ("custom.lineInterpolation", json!("stepAfter")),
        ],
    )
}

/// Agents required and scheduled, by step.
pub fn agents(lang: Lang, size: (u64, u64)) -> Panel {
    let (required, scheduled, missing) =
        (lang.t("required", "需要"), lang.t("scheduled", "已排班"), lang.t("gap", "缺口"));
    let names = [("agents", required), ("scheduled", scheduled), ("gap", missing)];
    let sums = Sums {
        comment: "Staffing has no roll-ups: single series are added up.",
        ..Sums::of(Of::Leaves, "staffing", &names)
    };
    let title = lang.t("Agents: required against scheduled", "坐席：需要与已排班");
    let text = lang.t(
        "Agents that the forecast requires in each window, those on the roster, and the difference. Past windows show the plan with which they began. Without a roster there is no line `scheduled`, and the gap is the difference to what is usual.",
        "每个时段按预测需要的坐席、已排班的坐席及两者之差。过去的时段显示其开始时的计划。没有排班时没有“已排班”线，缺口为与平时人数之差。",
    );
    let fixed = |color: &str| json!({ "mode": "fixed", "fixedColor": color });
    Panel::chart(title, text, size)
        .ask(sums.query().may_be_empty())
        .unit("none")
        .decimals(0)
        .empty(lang.t("no staffing profile: see [staffing]", "没有坐席参数：请查看 [staffing]"))
        .custom("lineInterpolation", json!("stepAfter"))
        .custom("axisLabel", json!(lang.t("agents", "坐席")))
        .field(required, &[("color", fixed("blue")), ("custom.lineWidth", json!(2))])
        .field(scheduled, &[("color", fixed("green")), ("custom.lineWidth", json!(2))])
        .field(
            missing,
            &[
                ("color", fixed("red")),
                ("custom.drawStyle", json!("bars")),
                ("custom.fillOpacity", json!(35)),
                ("custom.lineWidth", json!(0)),
            ],
        )
}

/// Open alerts, each with a link to acknowledge it.
pub fn open_alerts(lang: Lang, size: (u64, u64)) -> Panel {
    let query = format!(
        r#"{PICK_SCOPES}
// An incident keeps its name while its severity, a tag, may change. Its service is a field.
{}
    |> byRegion(){PIVOT}
    |> group(columns: ["incident"])
    |> sort(columns: ["_time"])
    |> tail(n: 1)
    |> filter(fn: (r) => r.state != "resolved" and exists r.since)
    |> group()
    |> byService()
    |> map(fn: (r) => ({{r with since: time(v: r.since)}}))
    |> sort(columns: ["since"], desc: true)
    |> keep(columns: ["since", "severity", "state", "region", "service", "agents_short", "summary", "url"])
"#,
        from("range(start: -7d)", "alert"),
    );
    let columns = [
        "incident",
        "since",
        "severity",
        "state",
        "region",
        "service",
        "agents_short",
        "summary",
        "url",
    ];
    let changes = Select::rows(
        format!(
            "SELECT {} FROM \"alert\" WHERE {} AND time > now() - 7d",
            influxql::names(&columns),
            influxql::PICK_SCOPES,
        ),
        &columns,
    );
    let title = lang.t("Open alerts", "未解除的预警");
    let text = lang.t(
        "Alerts that are not over. The summary opens the alert on surgecast's page, where it is acknowledged.",
        "尚未解除的预警。点击摘要在 surgecast 页面打开并确认。",
    );
    let severities = json!([{ "type": "value", "options": {
        "critical": { "text": lang.t("critical", "紧急"), "index": 0 },
        "warning": { "text": lang.t("warning", "警告"), "index": 1 },
        "info": { "text": lang.t("info", "提示"), "index": 2 } } }]);
    let states = json!([{ "type": "value", "options": {
        "pending": { "text": lang.t("pending", "待下次预测确认"), "index": 0 },
        "firing": { "text": lang.t("firing", "已触发"), "index": 1 },
        "acknowledged": { "text": lang.t("acknowledged", "已确认"), "index": 2 } } }]);
    // Alerts about something else than agents have none.
    let none = json!([{ "type": "value", "options": { "0": { "text": "–", "index": 0 } } }]);
    Panel::table(title, text, size)
        .ask(
            Query::new(
                query,
                &[
                    "since",
                    "severity",
                    "state",
                    "region",
                    "service",
                    "agents_short",
                    "summary",
                    "url",
                ],
            )
            .may_be_empty()
            .in_influxql([changes]),
        )
        .reshaped(newest_of_each_incident())
        .empty(lang.t("no open alert", "没有未解除的预警"))
        .instant("since", lang.t("since", "始于"))
        .field(
            "severity",
            &[("displayName", json!(lang.t("severity", "级别"))), ("mappings", severities)],
        )
        .field("state", &[("displayName", json!(lang.t("state", "状态"))), ("mappings", states)])
        .places(lang, &["region", "service"])
        .field(
            "agents_short",
            &[
                ("displayName", json!(lang.t("agents missing", "缺少坐席"))),
                ("unit", json!("none")),
                ("mappings", none),
            ],
        )
        .named("summary", lang.t("summary", "摘要"), "")
        .field("summary", &[("custom.width", json!(420))])
        .hidden("url")
        .link("summary", lang.t("Open and acknowledge", "打开并确认"), "${__data.fields.url}")
}

/// Rows are in order of time: the last one of an incident is its present state.
fn newest_of_each_incident() -> [Value; 5] {
    let last: &[&str] = &["last"];
    let columns =
        ["since", "severity", "state", "region", "service", "agents_short", "summary", "url"];
    let renamed = columns.map(|column| (format!("{column} (last)"), column));
    let renamed = renamed.each_ref().map(|(from, to)| (from.as_str(), *to));
    [
        reshape::grouped(&["incident"], &columns.map(|column| (column, last))),
        reshape::without("state (last)", "resolved"),
        reshape::organized(&renamed, &["incident"]),
        reshape::times(&["since"]),
        reshape::sorted("since", true),
    ]
}

/// Anomalies, each incident once.
pub fn anomalies(lang: Lang, size: (u64, u64)) -> Panel {
    let query = format!(
        r#"{PICK}
// One row for each series and kind: how long it lasted, how often, and what its worst window says.
{}
    |> byRegion()
    |> byService()
    |> byChannel(){PIVOT}
    |> group(columns: ["region", "service", "channel", "kind"])
    |> sort(columns: ["_time"])
    |> reduce(
        identity: {{first: 0, last: 0, windows: 0, score: 0.0, text: ""}},
        fn: (r, accumulator) => ({{
            first: if accumulator.first == 0 then int(v: r._time) else accumulator.first,
            last: int(v: r._time),
            windows: accumulator.windows + 1,
            score: if r.score > accumulator.score then r.score else accumulator.score,
            text: if r.score > accumulator.score then r.text else accumulator.text,
        }}),
    )
    |> group()
    |> map(fn: (r) => ({{r with first: time(v: r.first), last: time(v: r.last)}}))
    |> sort(columns: ["last", "score"], desc: true)
    |> limit(n: 50)
    |> keep(columns: ["last", "first", "windows", "region", "service", "channel", "kind", "score", "text"])
"#,
        from("range(start: -24h)", "anomaly"),
    );
    let columns = ["region", "service", "channel", "kind", "score", "text"];
    let windows = Select::rows(
        format!(
            "SELECT {} FROM \"anomaly\" WHERE {} AND {}",
            influxql::names(&columns),
            influxql::PICK,
            influxql::DAY,
        ),
        &columns,
    );
    let title = lang.t("Anomalies of the last 24 hours", "最近 24 小时的异常");
    let text = lang.t(
        "Tickets that differ from their forecast, and complaints, alarms, sources and forecasts that differ from what is usual: one row for each series and kind, the latest first.",
        "与预测不符的工单数，以及异于平常的投诉、告警、数据源和预测：每个序列和类型一行，最新的在前。",
    );
    let kinds = json!([{ "type": "value", "options": {
        "high": { "text": lang.t("too many", "偏高"), "index": 0 },
        "low": { "text": lang.t("too few", "偏低"), "index": 1 },
        "complaints": { "text": lang.t("complaints", "投诉增多"), "index": 2 },
        "phrase": { "text": lang.t("phrase", "高频词"), "index": 3 },
        "shift_up": { "text": lang.t("steadily more", "持续偏高"), "index": 4 },
        "shift_down": { "text": lang.t("steadily fewer", "持续偏低"), "index": 5 },
        "vanished": { "text": lang.t("no tickets", "工单消失"), "index": 6 },
        "alarm_storm": { "text": lang.t("alarm storm", "告警风暴"), "index": 7 },
        "silent_source": { "text": lang.t("silent source", "数据源静默"), "index": 8 },
        "forecast_unreliable":
            { "text": lang.t("unreliable forecast", "预测不可靠"), "index": 9 } } }]);
    Panel::table(title, text, size)
        .ask(
            Query::new(
                query,
                &[
                    "last", "first", "windows", "region", "service", "channel", "kind", "score",
                    "text",
                ],
            )
            .may_be_empty()
            .in_influxql([windows]),
        )
        .reshaped(one_row_for_each_kind())
        .empty(lang.t("no anomaly", "没有异常"))
        .instant("last", lang.t("last window", "最近时段"))
        .instant("first", lang.t("first window", "最早时段"))
        .named("windows", lang.t("windows", "时段数"), "none")
        .places(lang, &["region", "service", "channel"])
        .field("kind", &[("displayName", json!(lang.t("kind", "类型"))), ("mappings", kinds)])
        .field(
            "score",
            &[("displayName", json!(lang.t("score", "异常程度"))), ("decimals", json!(1))],
        )
        .field(
            "text",
            &[("displayName", json!(lang.t("what", "说明"))), ("custom.width", json!(420))],
        )
}

/// How long it lasted, how often, and what its worst window says. The worst one is the last when sorted by score.
fn one_row_for_each_kind() -> [Value; 5] {
    let columns = [
        ("Time (max)", "last"),
        ("Time (min)", "first"),
        ("Time (count)", "windows"),
        ("region", "region"),
        ("service", "service"),
        ("channel", "channel"),
        ("kind", "kind"),
        ("score (last)", "score"),
        ("text (last)", "text"),
    ];
    let others: [(&str, &[&str]); 3] =
        [("Time", &["max", "min", "count"]), ("score", &["last"]), ("text", &["last"])];
    [
        reshape::sorted("score", false),
        reshape::grouped(&["region", "service", "channel", "kind"], &others),
        reshape::organized(&columns, &[]),
        reshape::sorted("last", true),
        reshape::first(50),
    ]
}

/// What is planned, and what the newest forecasts name as causes.
pub fn plans_and_causes(lang: Lang, size: (u64, u64)) -> Panel {
    let query = format!(
        r#"{CONCERNS}
rows = {}
    |> ofRegion()
    |> ofService(){PIVOT}
    |> filter(fn: (r) => r.state == "planned" and r.until >= string(v: now()))
    |> group()

// Causes of the newest forecasts only.
newest = rows |> filter(fn: (r) => r.kind == "cause") |> max(column: "_time") |> findColumn(fn: (key) => true, column: "_time")
since = if length(arr: newest) > 0 then int(v: newest[0]) - 1800000000000 else 0

rows
    |> filter(fn: (r) => r.kind != "cause" or (int(v: r._time) >= since and r.channel == "_all" and r.region != "_all" and r.service != "_all"))
    |> map(fn: (r) => ({{
        from: r._time,
        until: time(v: r.until),
        kind: r.kind,
        text: r.text,
        region: r.region,
        service: r.service,
        factor: if exists r.factor then string(v: r.factor) + " ×" else if exists r.tickets_per_window then "+ " + string(v: r.tickets_per_window) else "",
        tickets: if exists r.tickets then r.tickets else 0.0,
    }}))
    |> sort(columns: ["from"])
    |> limit(n: 50)
"#,
        from("range(start: -3d, stop: 30d)", "planned"),
    );
    let title =
        lang.t("Planned, and causes that the forecast names", "计划作业、录入以及预测所列的原因");
    let text = lang.t(
        "Planned work and planners' adjustments that are not over, and alarm types that add tickets by the newest forecast, with the tickets of the next six hours.",
        "尚未结束的计划作业和规划人员的录入，以及最新预测认为会带来工单的告警类型及其未来六小时的工单数。",
    );
    let kinds = json!([{ "type": "value", "options": {
        "maintenance": { "text": lang.t("planned work", "计划作业"), "index": 0 },
        "campaign": { "text": lang.t("campaign", "营销活动"), "index": 1 },
        "billing": { "text": lang.t("billing", "出账"), "index": 2 },
        "override": { "text": lang.t("override", "人工设定"), "index": 3 },
        "other": { "text": lang.t("other", "其他"), "index": 4 },
        "cause": { "text": lang.t("alarms", "告警"), "index": 5 } } }]);
    // Only causes have a number of tickets.
    let unknown = json!([{ "type": "value", "options": { "0": { "text": "–", "index": 0 } } }]);
    Panel::table(title, text, size)
        .ask(
            Query::new(
                query,
                &["from", "until", "kind", "text", "region", "service", "factor", "tickets"],
            )
            .may_be_empty()
            .in_influxql(planned_and_causes()),
        )
        .reshaped([
            reshape::merged(),
            reshape::organized(
                &PLANNED.map(|column| (column, if column == "Time" { "from" } else { column })),
                &[],
            ),
            reshape::times(&["until"]),
            reshape::sorted("from", false),
            reshape::first(50),
        ])
        .influxql_field("Time", &[])
        .influxql_field(
            "tickets_per_window",
            &[("displayName", json!(lang.t("+ tickets a window", "每时段增加工单")))],
        )
        .influxql_note(lang.t(
            "What is over stays in the table for three days.",
            "已结束的作业和录入在表中保留三天。",
        ))
        .empty(
            lang.t(
                "nothing is planned, and no cause is named",
                "没有计划作业或录入，预测也未列出原因",
            ),
        )
        .instant("from", lang.t("from", "始于"))
        .instant("until", lang.t("until", "止于"))
        .field("kind", &[("displayName", json!(lang.t("kind", "类型"))), ("mappings", kinds)])
        .field(
            "text",
            &[("displayName", json!(lang.t("what", "说明"))), ("custom.width", json!(320))],
        )
        .places(lang, &["region", "service"])
        .named("factor", lang.t("adjusts by", "调整"), "")
        .field(
            "tickets",
            &[
                ("displayName", json!(lang.t("tickets", "工单"))),
                ("unit", json!("none")),
                ("decimals", json!(1)),
                ("mappings", unknown),
            ],
        )
}

/// Columns of [`plans_and_causes`] in InfluxQL.
const PLANNED: [&str; 9] = [
    "Time",
    "until",
    "kind",
    "text",
    "region",
    "service",
    "factor",
    "tickets_per_window",
    "tickets",
];

/// What is planned, and the causes of the last forecasts.
fn planned_and_causes() -> [Select; 2] {
    let columns = &PLANNED[1..];
    let causes = format!(
        "SELECT {} FROM \"planned\" WHERE {} AND \"region\" != '_all' AND \"service\" != '_all' AND \"channel\" = '_all' AND \
         \"state\" = 'planned' AND \"kind\" = 'cause' AND time > now() - 30m AND time <= now()",
        influxql::names(columns),
        influxql::CONCERNS,
    );
    [Select::rows(influxql::planned(columns), columns), Select::rows(causes, columns)]
}

/// Accuracy of one lead beside last week's count and the noise floor.
pub fn accuracy(lang: Lang, size: (u64, u64)) -> Panel {
    let names = [
        ("wape", lang.t("forecast", "预测")),
        ("wape_naive", lang.t("last week repeated", "沿用上周")),
        ("wape_floor", lang.t("noise floor", "噪声下限")),
    ];
    let query = format!(
        r#"import "dict"

{}
    |> filter(fn: (r) => r.lead_h == "3"){}{SERIES}{}
    // Several series: the mean of their accuracies.
    |> group(columns: ["_field"])
    |> aggregateWindow(every: 1d, fn: mean, createEmpty: false, timeSrc: "_start")
    |> map(fn: (r) => ({{r with _value: 1.0 - r._value}}))
    |> keep(columns: ["_time", "_field", "_value"])
"#,
        from(RANGE, "accuracy"),
        fields(&["wape", "wape_naive", "wape_floor"]),
        renamed(&names),
    );
    let days = influxql::daily("1 - mean", &names, " AND \"lead_h\" = '3'", "");
    let title = lang.t(
        "Accuracy 3 hours ahead, with last week's count and the noise floor",
        "提前三小时的准确度，对比“沿用上周”与噪声下限",
    );
    let text = lang.t(
        "1 − WAPE of each day. The dashed line is 87 %, which operators commonly ask for. The noise floor is the best that is possible at this volume: where it lies below the line, no forecast can reach it.",
        "每天的 1 − WAPE。虚线为运营商通常要求的 87%。噪声下限对应在此工单量下可达到的最高准确度：若其低于虚线，任何预测都无法达到 87%。",
    );
    Panel::chart(title, text, size)
        .ask(Query::series(query).may_be_empty().in_influxql([days]))
        .unit("percentunit")
        .decimals(1)
        .default("max", json!(1))
        .empty(lang.t(
            "no finalized forecast in this time: choose a longer one",
            "此时间范围内没有已评分的预测：请选择更长的时间范围",
        ))
        .custom("showPoints", json!("always"))
        .custom("insertNulls", json!(false))
        .lines_at(&[("transparent", None), ("green", Some(0.87))])
}
