# 预测的由来。

fallback-one-week = 历史数据不足两周：沿用上周的数量，并按今天的工单量调整
fallback-day = 历史数据不足一周：采用每天同一时段的平时数量，并按今天的工单量调整
fallback-mean = 历史数据仅有 { $n } 个时段：采用其平均值
fallback-nothing = 尚无历史数据

nowcast-alarms = 上次预测之后新增 { $n } 条紧急或重要告警
nowcast-tickets = 本时段至今 { $n } 张工单，原预测到此刻应有 { $due } 张
nowcast-scope = { $scope }：{ $reason }
