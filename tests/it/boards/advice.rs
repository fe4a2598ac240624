//! Recommendations, for planners.

use serde_json::json;

use super::flux::{PIVOT, from};
use super::influxql::{self, reshape};
use super::kit::{Lang, Panel, Query, Select};

/// Columns of the table.
const COLUMNS: [&str; 10] = [
    "team",
    "kind",
    "from",
    "until",
    "agents",
    "state",
    "confidence",
    "service_level_without",
    "service_level_with",
    "summary",
];

/// Recommendations that are not over, with their state.
pub fn recommendations(lang: Lang, size: (u64, u64)) -> Panel {
    let query = format!(
        r#"// A recommendation has one point, which is written again when its state changes.
{}{PIVOT}
    |> group()
    |> filter(fn: (r) => r.until >= string(v: now()))
    |> map(fn: (r) => ({{
        team: r.team,
        kind: r.kind,
        from: time(v: r.from),
        until: time(v: r.until),
        agents: r.agents,
        state: r.state,
        confidence: r.confidence,
        service_level_without: r.service_level_without,
        service_level_with: r.service_level_with,
        summary: r.summary,
    }}))
    |> sort(columns: ["from", "team"])
    |> limit(n: 50)
"#,
        from("range(start: -2d)", "recommendation"),
    );
    let newest = format!(
        "SELECT {} FROM \"recommendation\" WHERE time > now() - 2d AND time <= now()",
        influxql::names(&COLUMNS)
    );
    let title = lang.t("Recommendations", "建议");
    let text = lang.t(
        "What would help where agents are missing or to spare, for all teams. Confidence: the probability that the target is missed without it; for leave, that the target is met although people leave. The summary opens surgecast's page, where a recommendation is accepted or declined.",
        "针对坐席不足或富余可采取的措施，包含所有团队。置信度：不采取建议时达不到服务目标的概率；调休建议则为采取后仍达到目标的概率。点击摘要在 surgecast 页面接受或拒绝建议。",
    );
    let share = |name: &str| {
        [
            ("displayName", json!(name)),
            ("unit", json!("percentunit")),
            ("decimals", json!(0)),
            ("custom.width", json!(130)),
        ]
    };
    Panel::table(title, text, size)
        .ask(
            Query::new(query, &COLUMNS)
                .may_be_empty()
                .in_influxql([Select::rows(newest, &COLUMNS)]),
        )
        .reshaped([
            reshape::organized(&COLUMNS.map(|column| (column, "")), &["Time"]),
            reshape::times(&["from", "until"]),
            reshape::sorted("from", true),
            reshape::first(50),
        ])
        .influxql_note(
            lang.t("What is over stays in the table for two days.", "已结束的建议在表中保留两天。"),
        )
        .empty(lang.t(
            "no recommendation: they need a roster, see [recommendations]",
            "没有建议：建议需要排班，请查看 [recommendations]",
        ))
        .named("team", lang.t("team", "团队"), "")
        .field(
            "kind",
            &[("displayName", json!(lang.t("action", "措施"))), ("mappings", kinds(lang))],
        )
        .instant("from", lang.t("from", "始于"))
        .instant("until", lang.t("until", "止于"))
        .named("agents", lang.t("agents", "坐席"), "none")
        .field(
            "state",
            &[("displayName", json!(lang.t("state", "状态"))), ("mappings", states(lang))],
        )
        .field("confidence", &share(lang.t("confidence", "置信度")))
        .field("service_level_without", &share(lang.t("level without", "不采取的服务水平")))
        .field("service_level_with", &share(lang.t("level with", "采取后服务水平")))
        .named("summary", lang.t("summary", "摘要"), "")
        .field("summary", &[("custom.width", json!(420))])
        .link("summary", lang.t("Open the recommendations", "打开建议"), "${page}/#/staffing")
}

/// Names of what people can do.
fn kinds(lang: Lang) -> serde_json::Value {
    texts([
        ("move", lang.t("move agents", "调动坐席")),
        ("call_in", lang.t("call in", "召回休班人员")),
        ("overtime", lang.t("overtime", "加班")),
        ("offer_leave", lang.t("offer leave", "提供调休")),
        ("announcement", lang.t("announcement", "故障语音公告")),
    ])
}

fn states(lang: Lang) -> serde_json::Value {
    texts([
        ("proposed", lang.t("open", "待答复")),
        ("accepted", lang.t("accepted", "已接受")),
        ("declined", lang.t("declined", "已拒绝")),
        ("done", lang.t("done", "已完成")),
        ("expired", lang.t("expired", "已过期")),
        ("withdrawn", lang.t("withdrawn", "已撤回")),
    ])
}

/// Texts for the values of a column.
fn texts<const N: usize>(of: [(&str, &str); N]) -> serde_json::Value {
    let each = of.into_iter().enumerate();
    let options: serde_json::Map<String, serde_json::Value> = each
        .map(|(index, (value, text))| (value.to_owned(), json!({ "text": text, "index": index })))
        .collect();
    json!([{ "type": "value", "options": options }])
}
