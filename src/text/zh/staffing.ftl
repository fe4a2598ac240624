# 排班数字的依据。

basis = { $model }：{ $parts }
basis-erlang-c = Erlang C
basis-erlang-a = Erlang A
basis-chat = 在线客服
basis-deferred = 延后处理的工作
basis-aht = 平均处理时长 { $seconds } 秒
basis-aht-learned = 平均处理时长 { $seconds } 秒（由 { $n } 张工单学得，配置值为 { $configured } 秒）
basis-target = { $percent }% 在 { $seconds } 秒内应答
basis-patience = 客户平均等待 { $seconds } 秒后放弃
basis-within-window = 全部工作在本时段内完成
basis-done = { $percent }% 在 { $hours } 小时内完成
basis-concurrency = 每名坐席同时处理 { $n } 个会话
basis-occupancy = 占用率不超过 { $percent }%
basis-shrinkage = 损耗率 { $percent }%
basis-backlog = 开始时未结工单 { $n } 张
basis-team = 由团队 { $team } 负责

# 不起作用的排班行。

roster-line = 第 { $rows } 行
roster-lines = 第 { $rows } 行
roster-shift = 第 { $rows } 个班次
roster-shifts = 第 { $rows } 个班次
roster-rows-more = { $rows }（另有 { $more } 处）
roster-unknown-series = { $rows }：没有 { $owner } 的工单，请检查名称。
roster-team-has-shifts = { $rows }：{ $owner } 由团队 { $team } 负责，该团队有自己的班次，因此不采用这一序列的班次。
roster-outside-hours = { $rows }：{ $owner } 此时不在服务时间内。服务时间：{ $hours }（{ $zone }）。
roster-past = { $rows }：{ $owner } 的这些班次在一天多以前已经结束。

# 建议：人可以采取的措施。

advice-move = 将 { $n } 名坐席从 { $source } 调往 { $team }，{ $from }–{ $to }（{ $zone }）
advice-call-in = 为 { $team } 召回 { $n } 名休班坐席，{ $from }–{ $to }（{ $zone }）
advice-overtime = 请 { $team } 的 { $n } 名坐席加班，{ $from }–{ $to }（{ $zone }）
advice-offer-leave = 向 { $team } 的 { $n } 名坐席提供调休，{ $from }–{ $to }（{ $zone }）
advice-announcement = 开启 { $team } 的故障语音公告，{ $from }–{ $to }（{ $zone }）：可使 { $low }% 至 { $high }% 的来电者不再排队
advice-short = { $at } 需要 { $needed } 名坐席，已排班 { $scheduled } 名
advice-short-reserve = { $at } 需要 { $needed } 名坐席，已排班 { $scheduled } 名；预测可能偏低，另备 { $reserve } 名
advice-spare = 即使按偏高的预测，{ $at } 也只需 { $needed } 名坐席，已排班 { $scheduled } 名
advice-outage = 来电增多的原因：{ $cause }；缺 { $n } 名坐席且无法及时补足
advice-levels = 采取后预计服务水平 { $with }%，不采取则 { $without }%；该措施合理的置信度 { $confidence }%
advice-recommended = 建议：{ $text }。
advice-recommended-for = 建议（共用：{ $services }）：{ $text }。
advice-sum = { $n ->
    [0] { $at } 缺 { $missing } 名，以上建议均不能在此时增加坐席。
   *[other] { $left ->
        [0] { $at } 缺 { $missing } 名，以上建议合计最多增加 { $n } 名。
       *[other] { $at } 缺 { $missing } 名，以上建议合计最多增加 { $n } 名，至少仍缺 { $left } 名。
    }
}
