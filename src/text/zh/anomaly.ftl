# 异常：每条一句话。

anomaly-outside = 实际 { $actual } 张工单，预测 { $expected } 张（95% 区间：{ $low } 至 { $high }）
anomaly-complaints = { $actual } 张工单反映{ $topics }；平时同一时段为 { $usual } 张；{ $alarms }
anomaly-no-alarm = 没有未清除的告警：问题由客户率先反映
anomaly-alarms-ended = 已没有未清除的告警：最后一条紧急或重要告警在本时段结束前 { $n } 分钟清除
anomaly-alarms = 未清除：{ $list }
anomaly-alarm-group = { $n } 条{ $severity } { $type } 告警
anomaly-alarm-group-untyped = { $n } 条{ $severity }告警
anomaly-more-alarms = 另有 { $n } 条
anomaly-phrase-new = { $tickets } 张工单提到“{ $phrase }”；此前一周从未出现
anomaly-phrase-rising = { $tickets } 张工单提到“{ $phrase }”；此前一整周共 { $before } 张
