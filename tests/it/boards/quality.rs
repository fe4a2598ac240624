//! *Forecast quality*: the ledger by lead, and surges.

use serde_json::json;

use super::flux::{self, PIVOT, RANGE, SERIES, fields, from};
use super::influxql::{self, reshape};
use super::kit::{Board, Lang, Panel, Query, Select, Source, Variable};
use super::panels;
use super::shapes::{self, Of, Sums};

/// The board in a language. Its file and uid are those of the earlier board *Accuracy*.
pub fn board(lang: Lang) -> Board {
    let mut variables = vec![Variable::datasource(lang, Source::Flux)];
    variables.extend(flux::pickers(lang, true));
    let share = |panel: Panel| panel.unit("percentunit").decimals(1);
    Board {
        file: "accuracy",
        uid: "surgecast-accuracy",
        lang,
        source: Source::Flux,
        title: lang.t("Forecast quality", "预测质量").into(),
        description: lang
            .t(
                "Accuracy of forecasts 1, 3 and 6 hours ahead, day by day, and surges: hit, missed and false. All figures come from the ledger.",
                "提前 1、3、6 小时预测的逐日准确度，以及激增：命中、漏报和误报。所有数字来自台账。",
            )
            .into(),
        time: ("now-28d", "now"),
        variables,
        annotations: vec![],
        panels: vec![
            panels::accuracy(lang, (24, 9)),
            share(by_lead(lang, "wape", true, lang.t("Accuracy by lead", "各提前量的准确度"), lang.t(
                "1 − WAPE of each day, 1, 3 and 6 hours ahead. The dashed line is 87 %.",
                "每天提前 1、3、6 小时的 1 − WAPE。虚线为 87%。",
            )))
            .default("max", json!(1))
            .lines_at(&[("transparent", None), ("green", Some(0.87))]),
            share(by_lead(lang, "coverage80", false, lang.t("Windows in the 80 % band", "落入 80% 区间的时段比例"), lang.t(
                "Share of windows whose count lies inside the 80 % band. The dashed line is 80 %: above it, bands are wider than needed, below it, too narrow.",
                "实际值落入 80% 区间的时段比例。虚线为 80%：在其上方表示区间过宽，在其下方表示区间过窄。",
            )))
            .default("max", json!(1))
            .lines_at(&[("transparent", None), ("green", Some(0.8))]),
            share(by_lead(lang, "bias", false, lang.t("Bias by lead", "各提前量的偏差"), lang.t(
                "Forecast minus actual, as a share of the tickets. Above the dashed line at 0 forecasts are too high.",
                "预测减实际，占工单数的比例。在虚线（0）上方表示预测偏高。",
            )))
            .lines_at(&[("transparent", None), ("green", Some(0.0))]),
            by_lead(lang, "mase", false, lang.t("Error against last week's count (MASE)", "相对“沿用上周”的误差（MASE）"), lang.t(
                "Mean error divided by that of last week's count. Below the dashed line at 1 the forecast is better than repeating last week.",
                "平均误差除以“沿用上周”的平均误差。在虚线（1）下方表示预测好于“沿用上周”。",
            ))
            .unit("none")
            .decimals(2)
            .lines_at(&[("transparent", None), ("orange", Some(1.0))]),
            surges(lang),
            ahead(lang),
            worst(lang),
        ],
    }
}

fn by_lead(lang: Lang, field: &str, complement: bool, title: &str, text: &str) -> Panel {
    Panel::chart(title, text, (12, 8))
        .ask(shapes::daily_by_lead(lang, field, complement).may_be_empty())
        .empty(lang.t(
            "no finalized forecast in this time: choose a longer one",
            "此时间范围内没有已评分的预测：请选择更长的时间范围",
        ))
        .custom("showPoints", json!("always"))
        .custom("insertNulls", json!(false))
}

/// Surges that happened, with those that were missed, and false alarms.
fn surges(lang: Lang) -> Panel {
    let (hits, missed, false_alarms) =
        (lang.t("hit", "命中"), lang.t("missed", "漏报"), lang.t("false alarms", "误报"));
    let query = format!(
        r#"{}
    |> filter(fn: (r) => r.lead_h == "3"){}{SERIES}
    |> group(columns: ["_field"])
    |> aggregateWindow(every: 1d, fn: sum, createEmpty: false, timeSrc: "_start")
    |> keep(columns: ["_time", "_field", "_value"])
    |> group(){PIVOT}
    |> map(fn: (r) => ({{_time: r._time, "{hits}": r.surges_hit, "{missed}": r.surges - r.surges_hit, "{false_alarms}": r.false_calls}}))
"#,
        from(RANGE, "accuracy"),
        fields(&["surges", "surges_hit", "false_calls"]),
    );
    let days = Select::lines(
        format!(
            "SELECT sum(\"surges_hit\") AS \"{hits}\", sum(\"surges\") - sum(\"surges_hit\") AS \"{missed}\", \
             sum(\"false_calls\") AS \"{false_alarms}\" FROM \"accuracy\" WHERE {} AND \"lead_h\" = '3' AND {} \
             GROUP BY time(1d) fill(none)",
            influxql::SERIES,
            influxql::RANGE,
        ),
        &[hits, missed, false_alarms],
    );
    let title = lang
        .t("Surges 3 hours ahead: hit, missed, false alarms", "提前三小时的激增：命中、漏报、误报");
    let text = lang.t(
        "Surges of each day with a warning in time and without one, and warnings without a surge. Days without bars had none; before the first fit no forecast can warn, and there are no values.",
        "每天及时预报和未预报的激增，以及之后没有激增的预报。没有柱形的日子均为零；模型首次拟合之前无法预报，没有数值。",
    );
    let fixed = |color: &str| json!({ "mode": "fixed", "fixedColor": color });
    Panel::chart(title, text, (24, 7))
        .ask(
            Query::new(query, &["_time", hits, missed, false_alarms])
                .may_be_empty()
                .in_influxql([days]),
        )
        .unit("none")
        .decimals(0)
        .empty(lang.t("no forecast could warn in this time", "此时间范围内的预测都无法预报激增"))
        .custom("drawStyle", json!("bars"))
        .custom("fillOpacity", json!(60))
        .custom("insertNulls", json!(false))
        .custom("axisLabel", json!(lang.t("a day", "每天次数")))
        .field(
            hits,
            &[
                ("color", fixed("green")),
                ("custom.stacking", json!({ "mode": "normal", "group": "surges" })),
            ],
        )
        .field(
            missed,
            &[
                ("color", fixed("red")),
                ("custom.stacking", json!({ "mode": "normal", "group": "surges" })),
            ],
        )
        .field(false_alarms, &[("color", fixed("orange"))])
}

/// The forecast as issued three hours before, and the count.
fn ahead(lang: Lang) -> Panel {
    let tickets = lang.t("tickets", "工单");
    let names = [
        ("q10", lang.t("80 % low", "80% 下限")),
        ("q50", lang.t("median, 3 h ahead", "中位数（提前 3 小时）")),
        ("q90", lang.t("80 % high", "80% 上限")),
    ];
    let forecast =
        Sums { three_hours_ahead: true, ..Sums::of(Of::Series, "forecast_lead", &names) };
    let title = lang.t("Forecast 3 hours ahead, and actual", "提前三小时的预测与实际");
    let text = lang.t(
        "The count of each window, and the forecast as it was issued three hours before. It is never rewritten.",
        "每个时段的实际工单，以及提前三小时发布的预测。预测发布后不再改写。",
    );
    let fixed = |color: &str| json!({ "mode": "fixed", "fixedColor": color });
    Panel::chart(title, text, (24, 10))
        .ask(shapes::finalized(tickets))
        .ask(forecast.query())
        .unit("none")
        .empty(panels::nothing(lang))
        .custom("axisLabel", json!(lang.t("tickets per window", "每时段工单数")))
        .field(tickets, &[("color", fixed("text")), ("custom.lineWidth", json!(2))])
        .field(names[1].1, &[("color", fixed("blue")), ("custom.lineWidth", json!(2))])
        .field(
            names[2].1,
            &[
                ("color", fixed("blue")),
                ("custom.lineWidth", json!(0)),
                ("custom.fillOpacity", json!(25)),
                ("custom.fillBelowTo", json!(names[0].1)),
            ],
        )
        .field(
            names[0].1,
            &[
                ("color", fixed("blue")),
                ("custom.lineWidth", json!(0)),
                ("custom.hideFrom", json!({ "legend": true, "tooltip": false, "viz": false })),
            ],
        )
}

/// The series with the largest errors, beside what is possible.
fn worst(lang: Lang) -> Panel {
    let query = format!(
        r#"{}
    |> filter(fn: (r) => r.lead_h == "3"){}
    |> filter(fn: (r) => r.region != "_all" and r.service != "_all" and r.channel != "_all")
    |> mean()
    |> group()
    |> keep(columns: ["region", "service", "channel", "_field", "_value"])
    |> pivot(rowKey: ["region", "service", "channel"], columnKey: ["_field"], valueColumn: "_value")
    |> map(fn: (r) => ({{
        region: r.region,
        service: r.service,
        channel: r.channel,
        wape: r.wape,
        floor: if exists r.wape_floor then r.wape_floor else 0.0,
        above: r.wape - (if exists r.wape_floor then r.wape_floor else 0.0),
    }}))
    |> sort(columns: ["above"], desc: true)
    |> limit(n: 20)
"#,
        from(RANGE, "accuracy"),
        fields(&["wape", "wape_floor"]),
    );
    let means = Select::rows(
        format!(
            "SELECT \"region\", \"service\", \"channel\", \"wape\", \"floor\", \"above\" FROM (SELECT mean(\"wape\") AS \"wape\", \
             mean(\"wape_floor\") AS \"floor\", mean(\"wape\") - mean(\"wape_floor\") AS \"above\" FROM \"accuracy\" \
             WHERE {} AND \"lead_h\" = '3' AND {} GROUP BY \"region\", \"service\", \"channel\")",
            influxql::SINGLE,
            influxql::RANGE,
        ),
        &["region", "service", "channel", "wape", "floor", "above"],
    );
    let title = lang.t(
        "Series furthest above their noise floor, 3 hours ahead",
        "高出噪声下限最多的序列（提前三小时）",
    );
    let text = lang.t(
        "Mean error (WAPE) of the days shown, beside the noise floor of the same series. The difference is what a better forecast could gain.",
        "所示各天的平均误差（WAPE）及同一序列的噪声下限。两者之差是更好的预测最多能改进的幅度。",
    );
    let share = |name: &str| {
        vec![("displayName", json!(name)), ("unit", json!("percentunit")), ("decimals", json!(1))]
    };
    Panel::table(title, text, (24, 8))
        .ask(
            Query::new(query, &["region", "service", "channel", "wape", "floor", "above"])
                .may_be_empty()
                .in_influxql([means]),
        )
        .reshaped([reshape::sorted("above", true), reshape::first(20)])
        .empty(lang.t(
            "no finalized forecast in this time: choose a longer one",
            "此时间范围内没有已评分的预测：请选择更长的时间范围",
        ))
        .places(lang, &["region", "service", "channel"])
        .field("wape", &share(lang.t("error", "误差")))
        .field("floor", &share(lang.t("noise floor", "噪声下限")))
        .field("above", &share(lang.t("above the floor", "高出下限")))
}
