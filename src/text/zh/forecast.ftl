# 预测的由来。

fallback-one-week = 历史不足两周：沿用上周的数量
fallback-day = 历史不足一周：采用一天中同一时刻的平时数量
fallback-mean = 仅有 { $n } 个时段的历史：采用其平均值
fallback-nothing = 尚无历史数据

nowcast-alarms = 上次预测之后新增 { $n } 条严重告警
nowcast-tickets = 本时段至今 { $n } 张工单，原预测此刻为 { $due } 张
nowcast-scope = { $scope }：{ $reason }
