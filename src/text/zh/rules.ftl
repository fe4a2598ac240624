# 除缺坐席以外的预警规则。每条规则有名称、适合锁屏的标题、带数字的说明和建议。

rule-title-critical = 【紧急】{ $title }
rule-title-eased = { $scope }：{ $rule }，最新时段已不再出现
rule-title-resolved = { $scope }：预警解除（{ $rule }）
rule-resolved = 预警解除：{ $rule }（{ $scope }）已结束。预警自 { $from } 持续至 { $to }（{ $zone }）。
rule-eased = 最新时段已不再出现此情况。如后续时段一致，预警将解除。
rule-inhibited = 此处有缺坐席预警，仅由该预警发送通知：{ $id }。
rule-acknowledge = 如由您处理，请确认预警。

rule-alarm-storm-name = 告警风暴
rule-alarm-storm-title = { $scope }：告警风暴，一小时内 { $raised } 条告警
rule-alarm-storm-line = 一小时内新增 { $raised } 条紧急、重要和次要告警，首条于 { $since }；平时同一时段为 { $usual } 条。
rule-alarm-storm-action = 建议：立即向网络运维询问客户是否会受影响。

rule-surge-ahead-name = 工单即将激增
rule-surge-ahead-title = { $scope }：工单即将激增，{ $at } 预计 { $tickets } 张，平时 { $usual } 张
rule-surge-ahead-line = { $from } 至 { $to } 的预测远高于平时：{ $at } 最多，一个时段 { $tickets } 张工单，平时为 { $usual } 张；合计比平时多 { $extra } 张。
rule-surge-ahead-action = 建议：立即核对 { $from } 至 { $to } 的坐席是否足够。

rule-sla-at-risk-name = 服务水平有风险
rule-sla-at-risk-title = { $scope }（{ $channel }）：{ $from } 起预计服务水平 { $expected }，目标 { $target }
rule-sla-at-risk-line = { $channel }：按现有排班，{ $from } 至 { $to } 的服务水平预计为 { $expected }，目标为 { $target }。最差时段已排班 { $scheduled } 名坐席，需要 { $needed } 名。
rule-sla-at-risk-title-deferred = { $scope }（{ $channel }）：{ $from } 起排班 { $scheduled } 名、需要 { $needed } 名，工作将积压
rule-sla-at-risk-line-deferred = { $channel }：按现有排班，{ $from } 至 { $to } 工作将积压；最差时段已排班 { $scheduled } 名坐席，需要 { $needed } 名。如果之后赶不上进度，超出时限的工作将多于平时。
rule-sla-at-risk-action = 建议：{ $from } 前增派 { $more } 名坐席（{ $channel }）。

rule-anomaly-now-name = 工单数异常
rule-anomaly-now-title-high = { $scope }（{ $channel }）：{ $at } 有 { $actual } 张工单，远高于预测的 { $expected } 张
rule-anomaly-now-line-high = { $channel }：{ $at } 的时段收到 { $actual } 张工单；预测为 { $expected } 张。
rule-anomaly-now-title-low = { $scope }（{ $channel }）：{ $at } 有 { $actual } 张工单，远低于预测的 { $expected } 张
rule-anomaly-now-line-low = { $channel }：{ $at } 的时段仅收到 { $actual } 张工单；预测为 { $expected } 张。数据源可能已中断。
rule-anomaly-now-title-complaints = { $scope }：{ $at } 有 { $actual } 张“{ $topics }”类工单，平时 { $expected } 张
rule-anomaly-now-line-complaints = { $channel }：{ $at } 的时段有 { $actual } 张“{ $topics }”类工单；平时为 { $expected } 张。
rule-anomaly-now-title-phrase = { $scope }：{ $at } 有 { $actual } 张工单出现少见词语
rule-anomaly-now-line-phrase = { $channel }：{ $at } 的时段有 { $actual } 张工单出现平时少见的词语；平时为 { $expected } 张。具体词语见异常列表。
rule-anomaly-now-title-shift-up = { $scope }（{ $channel }）：{ $minutes } 分钟内 { $actual } 张工单，持续高于预测的 { $expected } 张
rule-anomaly-now-line-shift-up = { $channel }：截至 { $at } 的时段，{ $minutes } 分钟内收到 { $actual } 张工单；预测合计为 { $expected } 张。单个时段偏差不大。
rule-anomaly-now-title-shift-down = { $scope }（{ $channel }）：{ $minutes } 分钟内 { $actual } 张工单，持续低于预测的 { $expected } 张
rule-anomaly-now-line-shift-down = { $channel }：截至 { $at } 的时段，{ $minutes } 分钟内仅收到 { $actual } 张工单；预测合计为 { $expected } 张。部分数据可能缺失。
rule-anomaly-now-title-vanished = { $scope }（{ $channel }）：已 { $minutes } 分钟没有工单，平时 { $expected } 张
rule-anomaly-now-line-vanished = { $channel }：截至 { $at } 的时段，已 { $minutes } 分钟没有工单；平时同期为 { $expected } 张。其他序列仍有工单：该队列或数据源可能已中断。
rule-anomaly-now-action = 建议：立即查找原因；如没有告警可以解释，请告知网络运维。

rule-silent-source-name = 数据源静默
rule-silent-source-title = { $source }：自 { $since } 起没有事件
rule-silent-source-line = { $source } 自 { $since } 起没有发送事件，已 { $minutes } 分钟；平时最长 { $usual } 分钟。静默的分区：{ $partitions } 个。
rule-silent-source-action = 建议：立即向 { $source } 的负责人确认其是否仍在发送。

rule-forecast-unreliable-name = 预测不可靠
rule-forecast-unreliable-title = { $scope }：预测不可靠，{ $share } 的实际值超出预测区间
rule-forecast-unreliable-line = 自 { $since } 起，{ $windows } 个实际值中有 { $outside } 个（{ $share }）超出最近一次预测的 80% 区间；正常情况下约为 20%。
rule-forecast-unreliable-action = 建议：目前以最新的实际值为准，并查找数据之外的原因。

rule-backlog-growing-name = 积压工单增长
rule-backlog-growing-title = { $scope }（{ $channel }）：{ $open } 张未结工单，平时最多 { $usual } 张
rule-backlog-growing-line = { $channel }：{ $open } 张工单未结，比四个时段前多 { $grown } 张；平时一天中同时未结的最多 { $usual } 张。
rule-backlog-growing-action = 建议：立即核对处理这些工单的团队人手是否足够。

rule-ticket-deadline-name = 工单即将超时
rule-ticket-deadline-title = { $scope }：{ $at_risk } 张工单即将超时
rule-ticket-deadline-line = { $at_risk } 张未结工单的服务时限即将用完。已超时的未结工单：{ $breached } 张。
rule-ticket-deadline-action = 建议：立即优先处理这些工单；未结工单列表按紧急程度排序。
