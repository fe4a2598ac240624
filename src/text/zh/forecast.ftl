# 预测的由来。

fallback-one-week = 历史数据不足两周：沿用上周的数量，并按今天的工单量调整
fallback-day = 历史数据不足一周：采用每天同一时段的平时数量，并按今天的工单量调整
fallback-mean = 历史数据仅有 { $n } 个时段：采用其平均值
fallback-nothing = 尚无历史数据
fallback-little = 历史数据{ $n ->
    [0] 不足一天
   *[other] 仅 { $n } 天
}：采用至今各天的规律，并按今天的工单量调整；预计自 { $from } 起准确度达到正常水平
fallback-borrowed = 历史数据{ $n ->
    [0] 不足一天
   *[other] 仅 { $n } 天
}：一天的规律借自其他区域，并按本区域的工单量调整；预计自 { $from } 起准确度达到正常水平
fallback-shifted = 自 { $since } 起工单量约为此前的 { $percent }%：此前的数量已按新的水平换算
fallback-unfitted = 尚未拟合模型：采用至今各天的规律，并按今天的工单量调整，不含告警影响

nowcast-alarms = 上次预测之后新增 { $n } 条紧急或重要告警
nowcast-tickets = 本时段至今 { $n } 张工单，原预测到此刻应有 { $due } 张
nowcast-scope = { $scope }：{ $reason }

forecast-cause-alarms = { $type }
forecast-cause-work = 计划作业
forecast-cause-overrun = 超时的计划作业
forecast-cause-entry = 录入“{ $label }”
