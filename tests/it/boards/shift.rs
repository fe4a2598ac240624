//! *Shift now*, for shift leads.

use serde_json::json;

use super::flux::{self, LEAVES, PICK, PICK_SCOPES, fields, from, seconds_since};
use super::influxql::{self, reshape};
use super::kit::{Board, Lang, Panel, Query, Select, Source, Variable, thresholds};
use super::panels::{self, LATE};

/// The board in a language.
pub fn board(lang: Lang) -> Board {
    let mut variables = vec![Variable::datasource(lang, Source::Flux)];
    variables.extend(flux::pickers(lang, true));
    Board {
        file: "shift-now",
        uid: "surgecast-shift-now",
        lang,
        source: Source::Flux,
        title: lang.t("Shift now", "当前班次").into(),
        description: lang
            .t(
                "What is on, what is next, and what to acknowledge. For shift leads.",
                "当前情况、接下来的情况以及需要确认的预警。供值班长使用。",
            )
            .into(),
        time: ("now-3h", "now+6h"),
        variables,
        annotations: vec![flux::now(lang), flux::planned(lang)],
        panels: vec![
            agents_now(lang),
            panels::gap(lang, 8),
            panels::expected(lang, 5),
            panels::active_alarms(lang, 5),
            panels::open_alerts(lang, (24, 8)),
            panels::agents(lang, (12, 9)),
            panels::arrivals(lang, (12, 9)),
            alarms_behind(lang, (24, 7)),
            panels::plans_and_causes(lang, (24, 7)),
            panels::anomalies(lang, (24, 7)),
        ],
    }
}

/// Agents in the present window.
fn agents_now(lang: Lang) -> Panel {
    let age = seconds_since("at");
    let query = format!(
        r#"{PICK}
rows = {}{}{LEAVES}
    |> last()
    |> group(columns: ["_field"])

of = (field) => {{
    found = rows |> filter(fn: (r) => r._field == field) |> sum() |> findColumn(fn: (key) => true, column: "_value")
    return if length(arr: found) > 0 then found[0] else -1
}}

newest = rows |> group() |> max(column: "_time") |> findColumn(fn: (key) => true, column: "_time")
at = if length(arr: newest) > 0 then newest[0] else now()

rows
    |> filter(fn: (r) => r._field == "agents")
    |> sum()
    |> map(fn: (r) => ({{agents: r._value, scheduled: of(field: "scheduled"), gap: of(field: "gap"), age: {age}}}))
"#,
        from("range(start: -3h, stop: now())", "staffing"),
        fields(&["agents", "scheduled", "gap"]),
    );
    let title = lang.t("Agents now", "当前坐席");
    let text = lang.t(
        "Agents that the present window requires, those on the roster, and the difference. Without a roster, the gap is the difference to what is usual.",
        "当前时段需要的坐席、已排班的坐席及两者之差。没有排班时，缺口为与平时人数之差。",
    );
    let mappings = json!([{ "type": "value", "options": { "-1": { "text": lang.t("no roster", "没有排班"), "index": 0 } } }]);
    Panel::stat(title, text, 6)
        .ask(
            Query::new(query, &["agents", "scheduled", "gap", "age"])
                .may_be_empty()
                .in_influxql(present_window()),
        )
        .influxql_note(
            lang.t("Without a roster, `scheduled` is not shown.", "没有排班时不显示“已排班”。"),
        )
        .empty(lang.t("no staffing profile: see [staffing]", "没有坐席参数：请查看 [staffing]"))
        .unit("none")
        .text_sizes(12, 16)
        .named("agents", lang.t("required", "需要"), "none")
        .field(
            "scheduled",
            &[("displayName", json!(lang.t("scheduled", "已排班"))), ("mappings", mappings)],
        )
        .field(
            "gap",
            &[
                ("displayName", json!(lang.t("gap", "缺口"))),
                (
                    "thresholds",
                    thresholds(&[("green", None), ("orange", Some(1.0)), ("red", Some(5.0))]),
                ),
            ],
        )
        .age(lang, LATE.0, LATE.1)
}

/// The newest values of single series, added up. Each is a query of its own: without a value it has no tile.
fn present_window() -> Vec<Select> {
    let sum = |field: &&str| {
        let text = format!(
            "SELECT sum(\"{field}\") AS \"{field}\" FROM (SELECT last(\"{field}\") AS \"{field}\" FROM \"staffing\" WHERE {} AND \
             time > now() - 3h AND time <= now() GROUP BY \"region\", \"service\", \"channel\")",
            influxql::leaves()
        );
        Select::rows(text, &[field])
    };
    let mut selects: Vec<Select> = ["agents", "scheduled", "gap"].iter().map(sum).collect();
    selects.push(influxql::age("staffing", "agents", &influxql::leaves()));
    selects
}

/// Active alarms by type, with the tickets that they bring.
pub fn alarms_behind(lang: Lang, size: (u64, u64)) -> Panel {
    let query = format!(
        r#"{PICK_SCOPES}
{}{}
    |> byRegion()
    |> byService()
    |> last()
    // Tickets are whole numbers here, so that both fields fit into one table.
    |> toFloat()
    |> keep(columns: ["region", "service", "type", "_field", "_value"])
    |> group()
    |> pivot(rowKey: ["region", "service", "type"], columnKey: ["_field"], valueColumn: "_value")
    |> map(fn: (r) => ({{
        region: r.region,
        service: r.service,
        type: r.type,
        standing: if exists r.standing then int(v: r.standing) else 0,
        tickets: if exists r.ticket_effect then r.ticket_effect else 0.0,
    }}))
    |> filter(fn: (r) => r.standing > 0)
    |> sort(columns: ["tickets", "standing"], desc: true)
    |> limit(n: 50)
"#,
        from("range(start: -24h)", "alarm_types"),
        fields(&["standing", "ticket_effect"]),
    );
    let columns = ["region", "service", "type", "standing", "tickets"];
    let active = Select::rows(
        format!(
            "SELECT {} FROM (SELECT last(\"standing\") AS \"standing\", last(\"ticket_effect\") AS \"tickets\" FROM \
             \"alarm_types\" WHERE {} AND {} GROUP BY \"region\", \"service\", \"type\") WHERE \"standing\" > 0",
            influxql::names(&columns),
            influxql::PICK_SCOPES,
            influxql::DAY,
        ),
        &columns,
    );
    let title = lang.t(
        "Active alarms by type, and the tickets they bring",
        "未清除告警（按类型）及其带来的工单",
    );
    let text = lang.t(
        "Alarms that are active now, by type, and the tickets that the newest forecast expects within six hours because of that type. `other` holds the types beyond the 20 most frequent ones of a region and service.",
        "当前未清除的告警（按类型），以及最新预测认为六小时内由该类型带来的工单。“other”为该区域和业务中最常见的 20 种之外的类型。",
    );
    Panel::table(title, text, size)
        .ask(
            Query::new(query, &["region", "service", "type", "standing", "tickets"])
                .may_be_empty()
                .in_influxql([active]),
        )
        .reshaped([reshape::sorted("tickets", true), reshape::first(50)])
        .empty(lang.t("no active alarm", "没有未清除告警"))
        .places(lang, &["region", "service"])
        .named("type", lang.t("type", "类型"), "")
        .named("standing", lang.t("active", "未清除"), "none")
        .field(
            "tickets",
            &[
                ("displayName", json!(lang.t("tickets", "工单"))),
                ("unit", json!("none")),
                ("decimals", json!(1)),
            ],
        )
}
