//! *Staffing outlook*, for planners.

use serde_json::{Value, json};

use super::advice;
use super::flux::{self, LEAVES, PICK, PIVOT, RANGE, SERIES, fields, from, outlooks};
use super::influxql::{self, reshape};
use super::kit::{Board, Lang, Panel, Query, Select, Source, Variable, thresholds};
use super::panels;
use super::shapes::{Of, Sums};

/// The board in a language.
pub fn board(lang: Lang) -> Board {
    let mut variables = vec![Variable::datasource(lang, Source::Flux)];
    variables.extend(flux::pickers(lang, true));
    Board {
        file: "staffing-outlook",
        uid: "surgecast-staffing-outlook",
        lang,
        source: Source::Flux,
        title: lang.t("Staffing outlook", "坐席需求展望").into(),
        description: lang
            .t(
                "Tickets, their forecast for the next six hours, the alarms behind them, and the agents they need.",
                "工单及其未来六小时的预测、相关告警以及所需坐席。",
            )
            .into(),
        time: ("now-24h", "now+6h"),
        variables,
        annotations: vec![flux::now(lang), flux::planned(lang)],
        panels: vec![
            panels::last_hour(lang, 5),
            panels::expected(lang, 6),
            panels::gap(lang, 8),
            panels::active_alarms(lang, 5),
            panels::arrivals(lang, (24, 10)),
            panels::agents(lang, (12, 8)),
            service_level(lang),
            gaps_of_teams(lang),
            gaps_of_series(lang),
            risks(lang),
            advice::recommendations(lang, (24, 8)),
            panels::plans_and_causes(lang, (24, 8)),
            panels::alarms(lang, (12, 7)),
            open_tickets(lang),
            panels::open_alerts(lang, (24, 7)),
            panels::anomalies(lang, (24, 8)),
            panels::accuracy(lang, (24, 8)),
        ],
    }
}

/// Contacts that were served in time, of those that are judged: a line called `name`.
fn attained(name: &str) -> Query {
    let flux = format!(
        r#"{}{}{SERIES}
    |> group(columns: ["_field"])
    |> aggregateWindow(every: 15m, fn: sum, createEmpty: false, timeSrc: "_start")
    |> group(){PIVOT}
    |> filter(fn: (r) => r.targeted > 0)
    |> map(fn: (r) => ({{_time: r._time, _field: "{name}", _value: float(v: r.in_time) / float(v: r.targeted)}}))
    |> group(columns: ["_field"])
"#,
        from(RANGE, "service"),
        fields(&["in_time", "targeted"]),
    );
    let select = format!(
        "SELECT sum(\"in_time\") / sum(\"targeted\") AS \"{name}\" FROM \"service\" WHERE {} AND {} AND \"targeted\" > 0 \
         GROUP BY time(15m) fill(none)",
        influxql::SERIES,
        influxql::RANGE,
    );
    Query::series(flux).may_be_empty().in_influxql([Select::lines(select, &[name])])
}

/// The service level that the scheduled agents would reach and the one that was attained, and the seats.
fn service_level(lang: Lang) -> Panel {
    let (lowest, mean) =
        (lang.t("lowest of a series", "单序列最低"), lang.t("mean of all series", "全部序列平均"));
    // Start by start: no two windows share five minutes. `min` would take whole rows along, which takes nine times as long as the
    // first value of each start in order of size.
    let least = "sort(columns: [\"_time\", \"_value\"])\n    |> unique(column: \"_time\")";
    let average = "aggregateWindow(every: 5m, fn: mean, createEmpty: false, timeSrc: \"_start\")";
    let level = |name: &str, function: &str, of_each_start: &str| {
        let flux = format!(
            r#"{PICK}
{}{}{LEAVES}
    |> group()
    |> keep(columns: ["_time", "_value"])
    |> {of_each_start}
    |> set(key: "_field", value: "{name}")
    |> group(columns: ["_field"])
    |> keep(columns: ["_time", "_field", "_value"])
"#,
            from(RANGE, "staffing"),
            fields(&["service_level"]),
        );
        let select = format!(
            "SELECT {function}(\"service_level\") AS \"{name}\" FROM \"staffing\" WHERE {} AND {} GROUP BY time(5m) fill(none)",
            influxql::leaves(),
            influxql::RANGE,
        );
        Query::series(flux).may_be_empty().in_influxql([Select::lines(select, &[name])])
    };
    let seats = lang.t("positions", "席位");
    let real = lang.t("attained", "实际");
    let title =
        lang.t("Service level expected and attained, and positions", "预计与实际服务水平及席位");
    let text = lang.t(
        "Share of contacts answered in time with the scheduled agents (with the required ones where there is no roster), and the seats that have to be taken. Attained: the share that really was served in time, where events carry ticket ids; the newest contacts may still be served in time. Positions have their scale on the same side, so that the line at now is in the same place as on the other panels.",
        "按已排班坐席（没有排班时按所需坐席）预计的及时应答比例，以及需要占用的席位数。“实际”：事件带有工单编号时，实际得到及时处理的比例；最新的联络仍可能得到及时处理。席位的刻度也在同一侧，使“现在”线与其他面板对齐。",
    );
    Panel::chart(title, text, (12, 8))
        .ask(level(lowest, "min", least))
        .ask(level(mean, "mean", average))
        .ask(attained(real))
        .ask(Sums::of(Of::Leaves, "staffing", &[("positions", seats)]).query().may_be_empty())
        .unit("percentunit")
        .empty(lang.t("no staffing profile: see [staffing]", "没有坐席参数：请查看 [staffing]"))
        .field(lowest, &[("color", json!({ "mode": "fixed", "fixedColor": "orange" }))])
        .field(mean, &[("color", json!({ "mode": "fixed", "fixedColor": "green" }))])
        .field(real, &[("color", json!({ "mode": "fixed", "fixedColor": "purple" }))])
        .field(
            seats,
            &[
                ("unit", json!("none")),
                ("decimals", json!(0)),
                ("custom.axisLabel", json!(seats)),
                ("color", json!({ "mode": "fixed", "fixedColor": "blue" })),
            ],
        )
}

/// What a table of gaps shows in its rows.
struct Gaps<'a> {
    measurement: &'a str,
    /// Functions before the query, and filters in it.
    pick: (&'a str, &'a str),
    /// The column of names, and how it is made from the tags.
    name: (&'a str, &'a str),
    /// The same in InfluxQL: the filter, the tags, and the name made from them.
    influxql: (String, &'a str, &'a str),
}

impl Gaps<'_> {
    /// The largest gap of each half hour.
    fn query(&self) -> Query {
        let Self { measurement, pick: (before, filters), name: (column, name), influxql } = self;
        let query = format!(
            r#"{before}
// The largest gap of each half hour. Columns say how far ahead it is, because a query does not know the reader's time zone.
{}{}{filters}
    |> aggregateWindow(every: 30m, fn: max, createEmpty: false, timeSrc: "_start")
    |> map(fn: (r) => {{
        minutes = (int(v: r._time) - int(v: now())) / 60000000000
        ahead = if minutes < 0 then 0 else minutes / 30 * 30
        rest = ahead - ahead / 60 * 60
        return {{
            {column}: {name},
            ahead: "+" + string(v: ahead / 60) + ":" + (if rest < 10 then "0" else "") + string(v: rest),
            order: ahead,
            gap: r._value,
        }}
    }})
    |> group(columns: ["{column}"])
    |> sort(columns: ["order"])
    |> group()
    |> pivot(rowKey: ["{column}"], columnKey: ["ahead"], valueColumn: "gap")
    |> limit(n: 100)
"#,
            from("range(start: now(), stop: 6h)", measurement),
            fields(&["gap"]),
        );
        let (filter, tags, alias) = influxql;
        let largest = format!(
            "SELECT max(\"gap\") AS \"gap\" FROM \"{measurement}\" WHERE {filter} GROUP BY time(30m), {tags} fill(none)"
        );
        Query::new(query, &[column])
            .may_be_empty()
            .in_influxql([Select::rows(largest, &["gap"]).called(*alias)])
    }

    /// The table, with coloured cells.
    fn panel(&self, lang: Lang, (title, text): (&str, &str), size: (u64, u64)) -> Panel {
        Panel::table(title, text, size)
            .ask(self.query())
            .reshaped([reshape::joined_by_time()])
            .influxql_field(
                "Time",
                &[
                    ("displayName", json!(lang.t("half hour", "半小时"))),
                    ("unit", json!("time:HH:mm")),
                    ("custom.cellOptions", json!({ "type": "auto" })),
                ],
            )
            .unit("none")
            .decimals(0)
            .custom("cellOptions", json!({ "type": "color-background", "mode": "basic" }))
            // Twelve columns fit a narrow screen, and each name fits a column.
            .custom("minWidth", json!(90))
            .default("color", json!({ "mode": "thresholds" }))
            .thresholds(&[
                ("green", None),
                ("transparent", Some(0.0)),
                ("orange", Some(1.0)),
                ("red", Some(5.0)),
            ])
    }
}

/// How a column of names looks.
fn names_of_rows(name: &str) -> [(&'static str, Value); 3] {
    [
        ("displayName", json!(name)),
        ("custom.width", json!(220)),
        ("custom.cellOptions", json!({ "type": "auto" })),
    ]
}

/// Gaps by team and half hour.
fn gaps_of_teams(lang: Lang) -> Panel {
    let gaps = Gaps {
        measurement: "team_staffing",
        pick: ("", ""),
        name: ("name", "r.team"),
        influxql: (influxql::AHEAD.into(), "\"team\"", "$tag_team"),
    };
    let title = lang.t("Gap by team and half hour", "各团队每半小时的缺口");
    let text = lang.t(
        "Agents missing (above 0) or to spare (below 0) in each team that serves several series together, by how far ahead the half hour is. `+1:30` is the half hour that begins in an hour and a half. Shows all teams, up to 100, whatever is chosen above.",
        "各团队（共同服务多个序列）缺少（大于 0）或富余（小于 0）的坐席，按距现在的时长排列。“+1:30”为一个半小时后开始的半小时。显示全部团队（最多 100 个），不随上方的选择变化。",
    );
    gaps.panel(lang, (title, text), (24, 6))
        .influxql_text(lang.t(
            "Agents missing (above 0) or to spare (below 0) in each team that serves several series together. Each row is a half hour, each column a team. Shows all teams, whatever is chosen above.",
            "各团队（共同服务多个序列）缺少（大于 0）或富余（小于 0）的坐席。每行对应半小时，每列对应一个团队。显示全部团队，不随上方的选择变化。",
        ))
        .empty(lang.t("no teams: see [teams.NAME]", "没有团队：请查看 [teams.NAME]"))
        .field("name", &names_of_rows(lang.t("team", "团队")))
}

/// Gaps by series and half hour.
fn gaps_of_series(lang: Lang) -> Panel {
    let gaps = Gaps {
        measurement: "staffing",
        pick: (PICK, LEAVES),
        name: ("series", r#"r.region + " / " + r.service + " / " + r.channel"#),
        influxql: (
            format!("{} AND {}", influxql::leaves(), influxql::AHEAD),
            "\"region\", \"service\", \"channel\"",
            "$tag_region / $tag_service / $tag_channel",
        ),
    };
    let title = lang.t("Gap by series and half hour", "各序列每半小时的缺口");
    let text = lang.t(
        "Agents missing (above 0) or to spare (below 0), by how far ahead the half hour is. `+1:30` is the half hour that begins in an hour and a half. A series of a team has its share of the team. Up to 100 series.",
        "缺少（大于 0）或富余（小于 0）的坐席，按距现在的时长排列。“+1:30”为一个半小时后开始的半小时。团队所服务的序列按其在团队中的份额计算。最多 100 个序列。",
    );
    gaps.panel(lang, (title, text), (24, 10))
        .influxql_text(lang.t(
            "Agents missing (above 0) or to spare (below 0). Each row is a half hour, each column a series. A series of a team has its share of the team. With many series, choose some above.",
            "缺少（大于 0）或富余（小于 0）的坐席。每行对应半小时，每列对应一个序列。团队所服务的序列按其在团队中的份额计算。序列较多时请在上方选择。",
        ))
        .empty(lang.t("no staffing profile: see [staffing]", "没有坐席参数：请查看 [staffing]"))
        .field("series", &names_of_rows(lang.t("series", "序列")))
}

/// Open tickets of the series of the pickers.
fn open_tickets(lang: Lang) -> Panel {
    let (open, title) = (lang.t("open", "未结"), lang.t("Open tickets", "未结工单"));
    let flux = format!(
        r#"import "experimental"

{PICK}
// A window in which nothing happened to a series' tickets has no point: the last one holds, up to three days.
from(bucket: v.defaultBucket)
    |> range(start: experimental.subDuration(d: 3d, from: v.timeRangeStart), stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "backlog"){}{LEAVES}
    |> aggregateWindow(every: 15m, fn: last, timeSrc: "_start")
    |> fill(usePrevious: true)
    |> filter(fn: (r) => exists r._value and r._time <= now())
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> set(key: "_field", value: "{open}")
    |> group(columns: ["_field"])
    |> aggregateWindow(every: 15m, fn: sum, createEmpty: false, timeSrc: "_start")
    |> keep(columns: ["_time", "_field", "_value"])
"#,
        fields(&["open"]),
    );
    // InfluxQL cannot add up what `fill(previous)` has filled: each series is an area, and Grafana stacks them.
    let last = format!(
        "SELECT last(\"open\") AS \"{open}\" FROM \"backlog\" WHERE {} AND {} AND time <= now() GROUP BY time(15m), \"region\", \
         \"service\", \"channel\" fill(previous)",
        influxql::leaves(),
        influxql::RANGE,
    );
    let select = Select::lines(last, &[open]).called("$tag_region / $tag_service / $tag_channel");
    let text = lang.t(
        "Tickets that are open at the end of each window, where events carry ticket ids; other series are not counted. Single series are added up. A series whose tickets did not change within the range or the three days before it is not counted.",
        "事件带有工单编号时，每个时段结束时的未结工单数；其他序列不计。各序列相加。在所选时间及此前三天内工单没有变化的序列不计。",
    );
    Panel::chart(title, text, (12, 7))
        .ask(Query::series(flux).may_be_empty().in_influxql([select]))
        .influxql_text(lang.t(
            "Tickets that are open at the end of each window, where events carry ticket ids; other series are not counted. Each series is an area, stacked on the others: with many series, choose some above. A series counts from the first change of its tickets within the range on.",
            "事件带有工单编号时，每个时段结束时的未结工单数；其他序列不计。每个序列为一块面积，逐层堆叠；序列较多时请在上方选择。每个序列从所选时间内工单首次变化起计入。",
        ))
        .custom("stacking", json!({ "mode": "normal", "group": "open" }))
        .custom("fillOpacity", json!(10))
        .unit("none")
        .decimals(0)
        .empty(lang.t(
            "no ticket ids in the events: only the counts of new tickets are known",
            "事件中没有工单编号：只知道新工单的数量",
        ))
        .custom("lineInterpolation", json!("stepAfter"))
        .custom("axisLabel", json!(lang.t("tickets", "工单")))
        .field(
            open,
            &[
                ("color", json!({ "mode": "fixed", "fixedColor": "blue" })),
                ("custom.lineWidth", json!(2)),
            ],
        )
}

/// The series with the largest gaps.
fn risks(lang: Lang) -> Panel {
    let query = format!(
        r#"{}
    // Series without a staffing profile have no gap and go last; sort() alone would put them first.
    |> map(fn: (r) => ({{
        issued: r._time,
        region: r.region,
        service: r.service,
        channel: r.channel,
        peak: r.peak,
        peak_at: time(v: r.peak_at),
        over_baseline: r.over_baseline,
        gap_max: if exists r.gap_max then r.gap_max else -1000000,
        // Milliseconds, so that Grafana shows it in the reader's time zone. 0: never; -1: there is no roster; -2: nothing is planned.
        breach: if not exists r.rostered then -2 else if r.rostered == 0 then -1 else if exists r.breach_at then int(v: time(v: r.breach_at)) / 1000000 else 0,
        fallback: if exists r.fallback then r.fallback else "",
    }}))
    |> sort(columns: ["gap_max", "peak"], desc: true)
    |> limit(n: 20)
"#,
        outlooks(),
    );
    let (none, unrostered) = (lang.t("none", "无"), lang.t("no roster", "没有排班"));
    let breach = json!([{ "type": "value", "options": {
        "0": { "text": none, "index": 0 }, "-1": { "text": unrostered, "index": 1 }, "-2": { "text": "–", "index": 2 } } }]);
    let unplanned =
        json!([{ "type": "value", "options": { "-1000000": { "text": "–", "index": 0 } } }]);
    let title = lang.t("Top risks of the next 6 hours", "未来六小时的主要风险");
    let text = lang.t(
        "Single series with the largest gaps. `short from` is the first time at which agents of a roster will be missing, `none`, or `no roster`. The last column says how the forecast was made if no model could be fitted yet: take such forecasts with care. The region opens the series on surgecast's page.",
        "缺口最大的单个序列。“缺人始于”为排班人数首次不足的时间、“无”或“没有排班”。最后一列说明尚无法拟合模型时预测如何得出：此类预测请谨慎使用。点击区域在 surgecast 页面打开该序列。",
    );
    let columns = [
        "issued",
        "region",
        "service",
        "channel",
        "peak",
        "peak_at",
        "over_baseline",
        "gap_max",
        "breach",
        "fallback",
    ];
    let shown = [
        ("Time", "issued"),
        ("region", "region"),
        ("service", "service"),
        ("channel", "channel"),
        ("peak", "peak"),
        ("peak_at", "peak_at"),
        ("over_baseline", "over_baseline"),
        ("gap_max", "gap_max"),
        ("rostered", "rostered"),
        ("breach_at", "breach"),
        ("fallback", "fallback"),
    ];
    let read = shown.map(|(column, _)| column);
    let newest = format!("SELECT {} FROM ({})", influxql::names(&read[1..]), influxql::outlooks());
    let newest = Select::rows(newest, &read[1..]);
    let roster = json!([{ "type": "value", "options": {
        "0": { "text": lang.t("none", "无"), "index": 0 }, "1": { "text": lang.t("yes", "有"), "index": 1 } } }]);
    let url = "${page}/#/series/${__data.fields.region:percentencode}/${__data.fields.service:percentencode}/${__data.fields.channel:percentencode}";
    Panel::table(title, text, (24, 10))
        .ask(Query::new(query, &columns).in_influxql([newest]))
        .reshaped([
            reshape::organized(&shown, &[]),
            reshape::times(&["peak_at", "breach"]),
            reshape::sorted("gap_max", true),
            reshape::first(20),
        ])
        .influxql_text(lang.t(
            "Single series with the largest gaps. `short from` is the first time at which agents of a roster will be missing, and a dash if there is none. The last column says how the forecast was made if no model could be fitted yet: take such forecasts with care. The region opens the series on surgecast's page.",
            "缺口最大的单个序列。“缺人始于”为排班人数首次不足的时间，排班人数充足时为“–”。最后一列说明尚无法拟合模型时预测如何得出：此类预测请谨慎使用。点击区域在 surgecast 页面打开该序列。",
        ))
        .influxql_field("Time", &[])
        .influxql_field("gap_max", &[("noValue", json!("–"))])
        .influxql_field("breach", &[("noValue", json!("–"))])
        .influxql_field("rostered", &[("displayName", json!(lang.t("roster", "排班"))), ("mappings", roster)])
        .empty(panels::nothing(lang))
        .instant("issued", lang.t("forecast of", "预测发布时间"))
        .field(
            "region",
            &[
                ("displayName", json!(lang.t("region", "区域"))),
                ("links", json!([{ "title": lang.t("Open the series", "打开序列"), "url": url, "targetBlank": true }])),
            ],
        )
        .places(lang, &["service", "channel"])
        .field("peak", &[("displayName", json!(lang.t("peak", "峰值"))), ("decimals", json!(1)), ("unit", json!("none"))])
        .named("peak_at", lang.t("peak at", "峰值时间"), "time:HH:mm")
        .field(
            "over_baseline",
            &[
                ("displayName", json!(lang.t("× usual", "× 平时"))),
                ("decimals", json!(2)),
                ("custom.cellOptions", json!({ "type": "color-text" })),
                ("thresholds", thresholds(&[("text", None), ("orange", Some(1.3)), ("red", Some(2.0))])),
            ],
        )
        .field(
            "gap_max",
            &[
                ("displayName", json!(lang.t("agents missing", "缺少坐席"))),
                ("unit", json!("none")),
                ("mappings", unplanned),
            ],
        )
        .instant("breach", lang.t("short from", "缺人始于"))
        .field("breach", &[("mappings", breach)])
        .field(
            "fallback",
            &[
                ("displayName", json!(lang.t("without a fitted model", "未拟合模型时的方法"))),
                ("custom.width", json!(320)),
            ],
        )
}
