//! Both reports of a small store, in both languages.

use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::alert::{Alert, AlertSeverity, AlertState, Cause, Shortfall, Trend};
use crate::domain::{
    AlarmAction, AlarmEvent, DAY, HOUR, Position, Scope, SeriesKey, Severity, SourceId, Timestamp,
    WEEK, WindowWidth,
};
use crate::forecast::surge::{Surge, Warning};
use crate::forecast::{ForecastPoint, Score, Vintage};
use crate::staffing::{Outlook, Plan, PlanTarget};
use crate::store::{Reader, Store, StoreError, Tx, WindowRecord};
use crate::text::{Language, Stored, Texts};
use crate::window::{AggregationKey, Counts};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

/// Monday of week 10.
fn monday() -> Timestamp {
    at("2026-03-02T00:00:00Z")
}

fn key(text: &str) -> SeriesKey {
    SeriesKey::parse(text).expect("a series")
}

fn scope() -> Scope {
    key("north/broadband/phone").scope()
}

fn store(folder: &TempDir, fill: impl FnOnce(&mut Tx<'_>) -> Result<(), StoreError>) -> Reader {
    let mut store = Store::open(folder.path(), WindowWidth::HOUR).expect("a store");
    let mut tx = store.begin().expect("begins");
    fill(&mut tx).expect("puts");
    tx.commit().expect("commits");
    store.reader().expect("a reader")
}

/// Finalized windows of two channels from `from` to `to`.
fn windows(tx: &mut Tx<'_>, from: Timestamp, to: Timestamp) -> Result<(), StoreError> {
    let record = |counts| WindowRecord { counts, settled: true, ..WindowRecord::default() };
    let mut rows = Vec::new();
    let mut start = from;
    while start < to {
        let phone = 20 + u32::from(start >= monday()) * 2;
        for (series, tickets) in [("north/broadband/phone", phone), ("north/broadband/email", 1)] {
            let counts = Counts { tickets, ..Counts::default() };
            rows.push((AggregationKey::Tickets(key(series)), start, record(counts)));
        }
        start = start + HOUR;
    }
    tx.put_windows(&rows)?;
    tx.put_state("next_window", &to.millis())
}

fn alarms(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let raised = Counts { raised: [0, 2, 1, 0, 0], ..Counts::default() };
    let begun = at("2026-03-03T05:00:00Z");
    let record = WindowRecord { counts: raised, settled: true, ..WindowRecord::default() };
    tx.put_windows(&[(AggregationKey::Alarms(scope()), begun, record)])?;
    let kinds =
        [(Some("LOS"), Severity::Major), (Some("LOS"), Severity::Major), (None, Severity::Minor)];
    for (n, (kind, severity)) in (0u32..).zip(kinds) {
        let event = AlarmEvent {
            event_id: format!("e{n}").into(),
            alarm_id: format!("a{n}").into(),
            action: AlarmAction::Raise,
            ts: begun + Duration::from_secs(2400) + Duration::from_secs(60) * n,
            severity,
            scope: scope(),
            device: None,
            alarm_type: kind.map(Into::into),
            text: None,
            aliases: Box::default(),
        };
        let source = SourceId::new("network.alarms", 0);
        tx.put_alarm(&Position { source, offset: n.into() }, &event)?;
    }
    Ok(())
}

fn scores(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let score = |absolute, bias| Score {
        n: 100,
        actual: 2200.0,
        absolute,
        bias,
        naive_absolute: 400.0,
        naive_actual: 2200.0,
        inside80: 64,
        inside95: 90,
        floor: 120.0,
        ..Score::default()
    };
    for series in ["_all/_all/_all", "north/broadband/phone"] {
        let by_lead = [(60, score(180.0, 10.0)), (180, score(260.0, 150.0))].into();
        tx.put_scores(&key(series), monday(), &by_lead)?;
    }
    for (start, warned_minutes) in
        [("2026-03-03T06:00:00Z", Some(75)), ("2026-03-05T14:00:00Z", None)]
    {
        let surge = Surge {
            series: key("north/broadband/_all"),
            lead_hours: 1,
            start: at(start),
            upto: at(start) + HOUR,
            hit: warned_minutes.is_some(),
            alarmed: true,
            warned_minutes,
        };
        tx.put_surge(&surge)?;
    }
    let first = at("2026-03-06T09:00:00Z");
    let series = key("north/broadband/_all");
    tx.put_call(&Warning { series, lead_hours: 3, first, upto: first, good: false })
}

fn plans(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let series = key("north/broadband/phone");
    for (hour, gap) in [(6, 4), (7, -1)] {
        let start = at("2026-03-03T00:00:00Z") + HOUR * hour;
        let target = PlanTarget {
            start,
            arrivals: 40.0,
            positions: 12,
            agents: 14,
            agents_low: 12,
            agents_high: 16,
            scheduled: Some(10),
            gap,
            service_level: 0.7,
        };
        let plan = Plan {
            series: series.clone(),
            issued_at: start,
            basis: Stored::Sentence("Erlang C".into()),
            targets: vec![target],
        };
        let outlook = Outlook {
            series: series.clone(),
            issued_at: start,
            peak: 40.0,
            peak_at: start,
            over_baseline: 1.8,
            gap_max: Some(gap),
            gap_at: Some(start),
            minutes_to_breach: Some(0),
        };
        tx.put_plan(Some(&plan), &outlook)?;
    }
    let issued_at = at("2026-03-03T06:00:00Z");
    let target = |n: u32| ForecastPoint {
        start: issued_at + HOUR * n,
        mean: 41.0,
        quantiles: [20.0, 25.0, 33.0, 41.0, 49.0, 57.0, 65.0],
        baseline: 23.0,
        level: 1.0,
        alarm_effect: 18.0,
    };
    tx.put_vintage(&Vintage {
        series: key("north/broadband/_all"),
        issued_at,
        targets: (0..6).map(target).collect(),
        members: vec!["profile".into()],
        causes: Vec::new(),
        surges: None,
        fallback: None,
    })
}

/// One that was acknowledged and is over, and one that nobody acknowledged.
fn alerts(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let since = at("2026-03-03T06:00:00Z");
    let shortfall = Shortfall {
        series: key("north/broadband/phone"),
        at: since + HOUR,
        arrivals: 40.5,
        arrivals_low: 25.0,
        arrivals_high: 57.0,
        agents: 14,
        scheduled: 10,
        gap: 4,
        rostered: true,
    };
    let cause = Cause::Alarms {
        n: 2,
        severity: Severity::Major,
        alarm_type: Some("LOS".into()),
        since: at("2026-03-03T05:40:00Z"),
        device: None,
        flaps: 0,
        doubtful: 0,
    };
    let alert = Alert {
        id: "a1".into(),
        rule: "short-staffed".into(),
        severity: AlertSeverity::Warning,
        scope: scope(),
        state: AlertState::Acknowledged,
        since,
        updated_at: since,
        ended_at: Some(since + HOUR * 3),
        from: since + HOUR,
        to: since + HOUR * 2,
        agents_short: 4,
        shortfalls: vec![shortfall],
        because: vec![cause.into()],
        zone: "Asia/Shanghai".parse().expect("a zone"),
        acknowledged_by: Some("Li Wei".into()),
        acknowledged_at: Some(since + Duration::from_secs(240)),
        worst: None,
        feedback: Some("not useful: known before".into()),
        streak: 2,
        notified_gap: 4,
        recommended: Vec::new(),
        notified_at: Some(since),
        steps: Vec::new(),
        trend: Trend::default(),
    };
    let later = Alert {
        id: "a2".into(),
        since: since + DAY,
        ended_at: None,
        acknowledged_by: None,
        acknowledged_at: None,
        feedback: None,
        notified_at: Some(since + DAY),
        because: vec![Cause::NoAlarm.into()],
        ..alert.clone()
    };
    tx.put_alert(&alert)?;
    tx.put_alert(&later)
}

fn full(folder: &TempDir) -> Reader {
    store(folder, |tx| {
        windows(tx, monday() - WEEK, monday() + WEEK)?;
        alarms(tx)?;
        scores(tx)?;
        plans(tx)?;
        alerts(tx)
    })
}

fn week_in(reader: &Reader, week: Option<&str>, language: Language) -> String {
    let week = week.map(|week| week.parse().expect("a week"));
    let report = weekly(reader, week, &Texts::new(language)).expect("a report");
    report.write(Format::Markdown)
}

#[test]
fn a_week_is_reported_in_both_languages() {
    let folder = TempDir::new().expect("a folder");
    let reader = full(&folder);
    let english = week_in(&reader, None, Language::En);
    assert_eq!(english, week_in(&reader, Some("2026-W10"), Language::En));
    insta::assert_snapshot!(english, @r"
    # Week 2026-W10

    Mon 2 Mar 00:00 to Mon 9 Mar 00:00 (UTC).

    ## Tickets and alarms

    3,864 tickets. Compared with the week before: +9.5 %. 3 alarms raised.

    | Day | Tickets |
    | --- | --- |
    | Monday | 552 |
    | Tuesday | 552 |
    | Wednesday | 552 |
    | Thursday | 552 |
    | Friday | 552 |
    | Saturday | 552 |
    | Sunday | 552 |

    ## Alerts

    2 alerts, 1 acknowledged. Median time to acknowledge: 4 min.

    | Since | Region and service | Agents short (maximum) | Acknowledged by | Cause | Id |
    | --- | --- | --- | --- | --- | --- |
    | Tue 3 Mar 06:00 | north/broadband | 4 | Li Wei after 4 min | 2 major LOS alarms active since 13:40 | a1 |
    | Wed 4 Mar 06:00 | north/broadband | 4 | nobody | the forecast needs more agents than are available; no relevant alarm is active here | a2 |

    Times in the column “Cause” are local times of each region.

    ## Surges

    Surge: in two windows in a row, more tickets arrive than the 99 % quantile of the forecast that ignores alarms. Hit: a forecast made this long before the surge warned of it. False alarm: a warning that no surge followed. Surges are counted by region and service, all channels together.

    | Lead time | Surges | Alarms already active when the forecast was issued | Hits | False alarms |
    | --- | --- | --- | --- | --- |
    | 1 h | 2 | 2 | 1 | 0 |
    | 3 h | 0 | 0 | 0 | 1 |
    | 6 h | 0 | 0 | 0 | 0 |

    | Start | Region and service | First warning before the start |
    | --- | --- | --- |
    | Tue 3 Mar 06:00 | north/broadband | 75 min |
    | Thu 5 Mar 14:00 | north/broadband | no warning |

    ## Forecast accuracy

    All series together, by lead:

    | Lead time | Accuracy | Accuracy of repeating last week | Accuracy at the noise floor | Actual count inside 80 % band | Bias |
    | --- | --- | --- | --- | --- | --- |
    | 1 h | 91.8 % | 81.8 % | 94.5 % | 64.0 % | +0.5 % |
    | 3 h | 88.2 % | 81.8 % | 94.5 % | 64.0 % | +6.8 % |
    | all leads | 90.0 % | 81.8 % | 94.5 % | 64.0 % | +3.6 % |

    Noise floor: the error that even a perfect forecast has, because tickets arrive at random. The accuracy at the noise floor is the best that is possible at this volume; a single series can exceed it by chance.

    Target accuracy: 87 %. Series that reach it: 1. Series that have enough tickets to reach it, but do not: 0. Series with too few tickets to reach it: 0.

    Every series with enough tickets reaches the target.

    ## Staffing

    4 agent hours short, 1 agent hours spare. Agents needed (newest plan at the start of each window) are compared with the roster or the usual number.

    | Series | Agent hours short | Agent hours spare |
    | --- | --- | --- |
    | north/broadband/phone | 4 | 1 |

    ## Points to check

    - 1 alert was not acknowledged. Check that it reaches the right receiver.
    - 1 surge had active alarms an hour before its start, but no warning was given.
    - north/broadband/phone: only 64 % of the windows lie inside the 80 % band.
    - north/broadband/phone has the largest shortage: 4 agent hours.
    ");
    insta::assert_snapshot!(week_in(&reader, None, Language::Zh), @r"
    # 周报 2026-W10

    3月2日 周一 00:00 至 3月9日 周一 00:00（UTC）。

    ## 工单与告警

    工单 3,864 张。与前一周相比：+9.5%。新增告警 3 条。

    | 日期 | 工单 |
    | --- | --- |
    | 周一 | 552 |
    | 周二 | 552 |
    | 周三 | 552 |
    | 周四 | 552 |
    | 周五 | 552 |
    | 周六 | 552 |
    | 周日 | 552 |

    ## 预警

    预警 2 条，已确认 1 条。确认用时的中位数：4 分钟。

    | 开始 | 区域与服务 | 坐席缺口（最大） | 确认人 | 原因 | 编号 |
    | --- | --- | --- | --- | --- | --- |
    | 3月3日 周二 06:00 | north/broadband | 4 | Li Wei（4 分钟后） | 自 13:40 起有 2 条重要 LOS 告警未清除 | a1 |
    | 3月4日 周三 06:00 | north/broadband | 4 | 无人 | 预测所需坐席多于可用坐席；此处没有相关的未清除告警 | a2 |

    “原因”一栏中的时间为各区域当地时间。

    ## 激增

    激增：连续两个时段的工单数超过“不计告警影响的预测”的 99% 分位数。命中：按该提前量发布的预测预报了这次激增。误报：预报之后没有出现激增。按区域与服务统计，所有渠道合计。

    | 提前量 | 激增 | 预测发布时已有告警 | 命中 | 误报 |
    | --- | --- | --- | --- | --- |
    | 1 小时 | 2 | 2 | 1 | 0 |
    | 3 小时 | 0 | 0 | 0 | 1 |
    | 6 小时 | 0 | 0 | 0 | 0 |

    | 开始 | 区域与服务 | 首次预报的提前时间 |
    | --- | --- | --- |
    | 3月3日 周二 06:00 | north/broadband | 75 分钟 |
    | 3月5日 周四 14:00 | north/broadband | 未预报 |

    ## 预测准确度

    全部序列合计，按提前量：

    | 提前量 | 准确度 | “沿用上周”的准确度 | 噪声下限对应的准确度 | 实际值落入 80% 区间 | 偏差 |
    | --- | --- | --- | --- | --- | --- |
    | 1 小时 | 91.8% | 81.8% | 94.5% | 64.0% | +0.5% |
    | 3 小时 | 88.2% | 81.8% | 94.5% | 64.0% | +6.8% |
    | 全部提前量 | 90.0% | 81.8% | 94.5% | 64.0% | +3.6% |

    噪声下限：因工单随机到达，完美预测也无法避免的误差。其对应的准确度是在此工单量下可达到的最高值；单个序列可能因偶然而超过。

    目标准确度：87%。已达到的序列：1 个。工单量足够但未达到的序列：0 个。工单太少、无法达到的序列：0 个。

    工单量足够的序列均已达到目标。

    ## 坐席

    缺 4 坐席小时，余 1 坐席小时。所需坐席取各时段开始时的最新计划，与排班或平时人数相比。

    | 序列 | 缺口（坐席小时） | 富余（坐席小时） |
    | --- | --- | --- |
    | north/broadband/电话 | 4 | 1 |

    ## 待核查事项

    - 有 1 条预警无人确认，请检查接收人是否正确。
    - 有 1 次激增在开始前一小时已有告警，但未发出预报。
    - north/broadband/电话：只有 64% 的时段落入 80% 区间。
    - north/broadband/电话 的缺口最大：4 坐席小时。
    ");
}

#[test]
fn an_incident_is_reported_in_both_languages() {
    let folder = TempDir::new().expect("a folder");
    let reader = full(&folder);
    let of = |id: &str, language| {
        let report = incident(&reader, id, &Texts::new(language)).expect("reads");
        report.expect("an alert").write(Format::Markdown)
    };
    insta::assert_snapshot!(of("a1", Language::En), @r"
    # north/broadband lacks agents: 4 from 15:00 until 16:00

    north/broadband: Tue 3 Mar 06:00 to Tue 3 Mar 09:00 (UTC). Acknowledged by Li Wei after 4 min. Id: a1.

    - As of 14:00 (Asia/Shanghai); first seen at 14:00.
    - Missing: 4 from 15:00 until 16:00 (phone 4).
    - Action by 15:00: find 4 more agents (phone 4).
    - Action at 16:00: look at the newest forecast before you release them.
    - Action now: ask network operations when the fault will be repaired.
    - Cause: 2 major LOS alarms active since 13:40.
    - phone: 14 agents needed at 15:00, 10 scheduled, 4 short. Forecast for that window: 40 tickets (25 to 57 with 80 % probability).
    - Affected: customers of broadband in north (phone).

    Times in the list above are local times of the region.

    Feedback: not useful (known before)

    ## Agents needed

    By channel, in the window with the largest gap of all channels together:

    | Channel | Window | Tickets forecast | Needed | Scheduled, or usual number | Short |
    | --- | --- | --- | --- | --- | --- |
    | phone | Tue 3 Mar 07:00 | 40.5 (25 to 57) | 14 | 10 | 4 |

    ## Alarms

    | Type | Severity | Alarms | First raised |
    | --- | --- | --- | --- |
    | LOS | major | 2 | Tue 3 Mar 05:40 |
    | no type | minor | 1 | Tue 3 Mar 05:42 |

    ## Actual and forecast by hour

    | Hour | Actual | Forecast at the start of the alert |
    | --- | --- | --- |
    | Tue 3 Mar 04:00 | 23 | – |
    | Tue 3 Mar 05:00 | 23 | – |
    | Tue 3 Mar 06:00 | 23 | 41 |
    | Tue 3 Mar 07:00 | 23 | 41 |

    A surge began on Tue 3 Mar 06:00. The first warning came 75 min before.
    ");
    insta::assert_snapshot!(of("a1", Language::Zh), @r"
    # north/broadband 缺坐席：15:00 起 4 名（至 16:00）

    north/broadband：3月3日 周二 06:00 至 3月3日 周二 09:00（UTC）。确认人：Li Wei（4 分钟后）。编号：a1。

    - 截至 14:00（Asia/Shanghai）；首次发现于 14:00。
    - 缺口：15:00 起 4 名（至 16:00），其中电话 4。
    - 建议：15:00 前增派 4 名坐席（电话 4）。
    - 建议：16:00 先查看最新预测，再撤回增派的坐席。
    - 建议：立即向网络运维询问故障的预计修复时间。
    - 原因：自 13:40 起有 2 条重要 LOS 告警未清除。
    - 电话：15:00 需要 14 名坐席，已排班 10 名，还缺 4 名。该时段预测 40 张工单（80% 概率在 25 至 57 之间）。
    - 受影响：north 的 broadband 客户（电话）。

    以上列表中的时刻为该区域的当地时间。

    反馈：没用（known before）

    ## 所需坐席

    各渠道合计缺口最大的时段：

    | 渠道 | 时段 | 预测工单 | 需要 | 排班人数或平时人数 | 缺口 |
    | --- | --- | --- | --- | --- | --- |
    | 电话 | 3月3日 周二 07:00 | 40.5（25 至 57） | 14 | 10 | 4 |

    ## 告警

    | 类型 | 级别 | 告警数 | 首次上报 |
    | --- | --- | --- | --- |
    | LOS | 重要 | 2 | 3月3日 周二 05:40 |
    | 无类型 | 次要 | 1 | 3月3日 周二 05:42 |

    ## 各小时的实际与预测

    | 小时 | 实际 | 预警开始时的预测 |
    | --- | --- | --- |
    | 3月3日 周二 04:00 | 23 | – |
    | 3月3日 周二 05:00 | 23 | – |
    | 3月3日 周二 06:00 | 23 | 41 |
    | 3月3日 周二 07:00 | 23 | 41 |

    激增始于 3月3日 周二 06:00，首次预报提前 75 分钟。
    ");
    let open = of("a2", Language::En);
    assert!(open.contains("still open. Not acknowledged. Id: a2."), "{open}");
    let html = incident(&reader, "a1", &Texts::new(Language::Zh)).expect("reads");
    let html = html.expect("an alert").write(Format::Html);
    assert!(html.contains("<html lang=\"zh-Hans\">"), "{html}");
}

#[test]
fn a_young_store_is_reported_from_its_first_week() {
    let empty = TempDir::new().expect("a folder");
    let reader = store(&empty, |_| Ok(()));
    let none = "# Weekly report\n\nNo window is complete yet.\n";
    assert_eq!(week_in(&reader, None, Language::En), none);
    let young = TempDir::new().expect("a folder");
    let wednesday = monday() + DAY * 2;
    let reader = store(&young, |tx| windows(tx, wednesday, wednesday + DAY));
    let week = week_in(&reader, None, Language::En);
    assert!(week.starts_with("# Week 2026-W10\n"), "{week}");
    assert!(week.contains("The week is not over. The figures go up to Thu 5 Mar 00:00."), "{week}");
}
