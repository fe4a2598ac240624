//! *surgecast itself*, from its metrics in Prometheus.

use serde_json::json;

use super::kit::{Board, Lang, Panel, Query, Source, Variable, thresholds};

/// The board in a language.
pub fn board(lang: Lang) -> Board {
    let mut panels = stats(lang);
    panels.extend(input(lang));
    panels.extend(forecasting(lang));
    panels.extend(output(lang));
    Board {
        file: "surgecast-itself",
        uid: "surgecast-itself",
        lang,
        source: Source::PromQl,
        title: lang.t("surgecast itself", "surgecast 自身").into(),
        description: lang
            .t(
                "Throughput, lag, sinks and deliveries of the service, from its metrics. For those who run it.",
                "服务的吞吐量、读取积压、输出和投递，来自其指标。供运维人员使用。",
            )
            .into(),
        time: ("now-6h", "now"),
        variables: vec![Variable::datasource(lang, Source::PromQl)],
        annotations: vec![],
        panels,
    }
}

/// A query for a chart of Prometheus.
fn lines(text: &str) -> Query {
    Query::new(text, &[])
}

/// How often a counter with many statuses counts: only statuses that ever occurred.
fn by_status(counter: &str) -> String {
    format!(
        "sum by (status) (rate({counter}[$__rate_interval])) and sum by (status) ({counter}) > 0"
    )
}

/// One that has no series until something happened.
fn rare(text: &str) -> Query {
    lines(text).may_be_empty()
}

fn nothing(lang: Lang) -> &'static str {
    lang.t("no data: does Prometheus scrape /metrics?", "没有数据：Prometheus 是否抓取 /metrics？")
}

fn stats(lang: Lang) -> Vec<Panel> {
    let stat = |title: &str, text: &str, query: &str, unit: &str, steps: &[(&str, Option<f64>)]| {
        Panel::stat(title, text, 6)
            .ask_named(rare(query), title)
            .unit(unit)
            .empty(nothing(lang))
            .thresholds(steps)
    };
    vec![
        stat(
            lang.t("Age of the last finalized window", "最近已完成统计的时段距今"),
            lang.t(
                "Time since the end of the last finalized window, of the instance that leads. It is never shorter than the lateness. Red: no window was finalized for an hour.",
                "主实例最近已完成统计的时段结束至今的时间，不会短于允许的迟到时间。红色：一小时内没有时段完成统计。",
            ),
            "max(surgecast_frontier_age_seconds)",
            "s",
            &[("green", None), ("orange", Some(2_700.0)), ("red", Some(3_600.0))],
        ),
        stat(
            lang.t("Records to read", "待读记录"),
            lang.t("Records that wait in Kafka, over all partitions.", "Kafka 中所有分区等待读取的记录。"),
            "sum(surgecast_ingest_lag)",
            "none",
            &[("green", None), ("orange", Some(10_000.0)), ("red", Some(100_000.0))],
        ),
        stat(
            lang.t("Events a second", "每秒事件数"),
            lang.t("Events that were counted or refused, over five minutes.", "五分钟内计入或拒绝的事件。"),
            "sum(rate(surgecast_ingest_events_total[5m]))",
            "none",
            &[("text", None)],
        ),
        stat(
            lang.t("Age of the metrics", "指标距今"),
            lang.t(
                "Time since Prometheus last read the metrics of the instance it heard of least. Red: the service does not answer, or is not scraped.",
                "Prometheus 最近一次读取指标至今的时间，取最久未读取的实例。红色：服务未响应或未被抓取。",
            ),
            "max(time() - timestamp(surgecast_series_known))",
            "s",
            &[("green", None), ("orange", Some(120.0)), ("red", Some(300.0))],
        ),
    ]
}

fn chart(lang: Lang, title: &str, text: &str, unit: &str) -> Panel {
    Panel::chart(title, text, (12, 8)).unit(unit).empty(nothing(lang))
}

fn input(lang: Lang) -> Vec<Panel> {
    vec![
        chart(
            lang,
            lang.t("Events by outcome", "事件（按处理结果）"),
            lang.t("Events a second, by what became of them.", "每秒事件数，按处理结果。"),
            "cps",
        )
        .ask_named(rare("sum by (outcome) (rate(surgecast_ingest_events_total[$__rate_interval]))"), "{{outcome}}"),
        chart(
            lang,
            lang.t("Lag by partition", "各分区读取积压"),
            lang.t("Records not yet read. A line that only grows: the instance is too slow, or stuck.", "尚未读取的记录。持续增长表示实例过慢或停滞。"),
            "none",
        )
        .ask_named(rare("max by (source) (surgecast_ingest_lag)"), "{{source}}"),
        chart(
            lang,
            lang.t("Frontier by partition", "各分区进度"),
            lang.t(
                "Time since the end of the last window that each source has closed. The slowest one holds up the windows of all.",
                "各数据源最近关闭的时段结束至今的时间。最慢的数据源会拖延所有时段。",
            ),
            "s",
        )
        .ask_named(rare("max by (source) (surgecast_source_frontier_age_seconds)"), "{{source}}"),
        chart(
            lang,
            lang.t("Dead letters by reason", "死信（按原因）"),
            lang.t("Events a second that were not counted. `surgecast dead-letters` shows them.", "每秒未计入的事件数。可用 `surgecast dead-letters` 查看。"),
            "cps",
        )
        .ask_named(rare("sum by (reason) (rate(surgecast_dead_letters_total[$__rate_interval]))"), "{{reason}}")
        .ask_named(
            rare("sum(rate(surgecast_ingest_gone_total[$__rate_interval]))"),
            lang.t("deleted before they were read", "读取前已被删除"),
        )
        .ask_named(
            rare("sum(rate(surgecast_events_beyond_limit_total[$__rate_interval]))"),
            lang.t("counted without their own name (limits)", "超出上限，未以自身名称计数"),
        ),
    ]
}

fn forecasting(lang: Lang) -> Vec<Panel> {
    let quantile = |name: &str| {
        rare(&format!("histogram_quantile(0.95, sum by (le) (rate({name}_bucket[30m])))"))
    };
    vec![
        chart(
            lang,
            lang.t("Windows finalized and revised", "完成统计的时段与修订的时段"),
            lang.t("Windows an hour. Revised windows changed after they were finalized.", "每小时时段数。修订的时段在完成统计后又发生变化。"),
            "none",
        )
        .ask_named(rare("sum(rate(surgecast_windows_settled_total[1h])) * 3600"), lang.t("finalized", "完成统计"))
        .ask_named(rare("sum(rate(surgecast_windows_revised_total[1h])) * 3600"), lang.t("revised", "修订")),
        chart(
            lang,
            lang.t("Time that steps take (95 %)", "各步骤耗时（95%）"),
            lang.t("Of 20 steps, 19 take less: to forecast all series, to fit them, and to store a report.", "20 次中有 19 次短于此值。步骤：预测所有序列、拟合模型、存储报告。"),
            "s",
        )
        .ask_named(quantile("surgecast_forecast_duration_seconds"), lang.t("forecast", "预测"))
        .ask_named(quantile("surgecast_refit_duration_seconds"), lang.t("fit", "拟合"))
        .ask_named(quantile("surgecast_store_commit_duration_seconds"), lang.t("store", "存储")),
        chart(
            lang,
            lang.t("Series", "序列"),
            lang.t("Series with forecasts, and ticket series with counts under their own names (at most limits.series).", "有预测的序列，以及以自身名称计数的工单序列（最多 limits.series）。"),
            "none",
        )
        .ask_named(rare("max(surgecast_series_known)"), lang.t("with a forecast", "有预测"))
        .ask_named(rare("max(surgecast_series_named)"), lang.t("with their own name", "以自身名称")),
        chart(
            lang,
            lang.t("Network alarms", "网络告警"),
            lang.t("Active alarms, and what raises and clears did, an hour.", "未清除告警，以及每小时上报和清除的处理结果。"),
            "none",
        )
        .ask_named(rare("max(surgecast_alarms_standing)"), lang.t("active", "未清除"))
        .ask_named(
            // People read the names: `lists_refused` is "lists refused".
            rare(
                "label_replace(sum by (effect) (rate(surgecast_alarms_total[$__rate_interval])) * 3600, \"effect\", \"$1 $2\", \"effect\", \"(.+)_(.+)\")",
            ),
            "{{effect}}",
        ),
    ]
}

fn output(lang: Lang) -> Vec<Panel> {
    vec![
        chart(
            lang,
            lang.t("Points written, by sink", "各输出写入的数据点"),
            lang.t("Points a second. A sink that writes nothing for long is down: /ready says why.", "每秒写入的数据点数。长时间不写入表示该输出故障：/ready 说明原因。"),
            "cps",
        )
        .ask_named(rare("sum by (sink) (rate(surgecast_sink_points_total[$__rate_interval]))"), "{{sink}}"),
        chart(
            lang,
            lang.t("Points refused, by sink", "各输出拒绝的数据点"),
            lang.t("Points an hour that a sink never accepts. The log has each one.", "每小时被输出永久拒绝的数据点数。日志中逐条记录。"),
            "none",
        )
        .ask_named(rare("sum by (sink) (rate(surgecast_sink_points_refused_total[$__rate_interval])) * 3600"), "{{sink}}"),
        chart(
            lang,
            lang.t("Deliveries of pages, by status", "通知投递（按状态）"),
            lang.t("Attempts an hour by HTTP status; 0 is no answer. Other than 2xx: `surgecast pages` shows what waits.", "每小时投递次数，按 HTTP 状态；0 表示无响应。状态不是 2xx 时，可用 `surgecast pages` 查看待投递的通知。"),
            "none",
        )
        .ask_named(rare(&format!("({}) * 3600", by_status("surgecast_outbox_tries_total"))), "{{status}}"),
        chart(
            lang,
            lang.t("Requests by status, and refused ones", "请求（按状态）与被拒绝的请求"),
            lang.t("Requests a second by HTTP status, and those refused before they were looked at.", "每秒请求数，按 HTTP 状态，以及在处理前被拒绝的请求。"),
            "reqps",
        )
        .ask_named(rare(&by_status("surgecast_http_requests_total")), "{{status}}")
        .ask_named(rare("sum by (reason) (rate(surgecast_http_refused_total[$__rate_interval]))"), lang.t("refused: {{reason}}", "拒绝：{{reason}}")),
        chart(
            lang,
            lang.t("Accuracy 3 hours ahead, last 7 days", "提前三小时的准确度（最近 7 天）"),
            lang.t("1 − WAPE over all series, by the ledger, beside last week's count and the noise floor.", "台账中全部序列的 1 − WAPE，对比“沿用上周”与噪声下限。"),
            "percentunit",
        )
        .ask_named(ledger("wape"), lang.t("forecast", "预测"))
        .ask_named(ledger("wape_naive"), lang.t("last week repeated", "沿用上周"))
        .ask_named(ledger("wape_floor"), lang.t("noise floor", "噪声下限"))
        .default("max", json!(1))
        .default("thresholds", thresholds(&[("transparent", None), ("green", Some(0.87))]))
        .custom("thresholdsStyle", json!({ "mode": "dashed" })),
        chart(
            lang,
            lang.t("Memory and CPU", "内存与 CPU"),
            lang.t(
                "Of the process, where an exporter gives them (for example systemd's or Kubernetes'). surgecast has no metrics of its own for them.",
                "进程的内存与 CPU，由外部导出器提供（例如 systemd 或 Kubernetes）。surgecast 自身没有这些指标。",
            ),
            "bytes",
        )
        .empty(lang.t(
            "no data: an exporter outside of surgecast has to provide it",
            "没有数据：需要 surgecast 之外的导出器提供",
        ))
        .ask_named(rare("container_memory_working_set_bytes{container=\"surgecast\"}"), "{{pod}}")
        .ask_named(rare("process_resident_memory_bytes{job=\"surgecast\"}"), "{{instance}}"),
    ]
}

fn ledger(figure: &str) -> Query {
    rare(&format!(
        "1 - max(surgecast_forecast_ledger{{region=\"_all\",service=\"_all\",channel=\"_all\",lead_h=\"3\",figure=\"{figure}\"}})"
    ))
}
