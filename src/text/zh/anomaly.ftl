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
anomaly-shift = { $minutes } 分钟内共 { $actual } 张工单，预测合计 { $expected } 张；单个时段偏差不大，但 { $windows } 个时段中有 { $side } 个偏向同一侧
anomaly-vanished = 已 { $minutes } 分钟没有工单；平时同期约 { $usual } 张，且其他序列仍有工单
anomaly-alarm-storm = 一小时内新增 { $actual } 条紧急、重要和次要告警；平时同一时段为 { $usual } 条
anomaly-silent-source = { $source } 已 { $minutes } 分钟没有发送事件；平时最长 { $usual } 分钟
anomaly-silent-others = { $first }；另有 { $n } 个数据源静默
anomaly-forecast-unreliable = 最近 { $windows } 个实际值中有 { $outside } 个超出最近一次预测的 80% 区间；正常情况下约为 20%
anomaly-phrase-rising = { $tickets } 张工单提到“{ $phrase }”；此前一整周共 { $before } 张
