# 预警通知：值班长收到的内容。标题须能在手机锁屏上完整显示。

alert-title = { $scope } 缺坐席：{ $need }
alert-title-critical = 【紧急】{ alert-title }
alert-title-eased = { $scope }：预计不再有明显的坐席缺口
alert-title-resolved = { $scope }：预警解除，已无明显的坐席缺口
alert-channel = { $channel } { $n }
alert-resolved = 预警解除：最新预测显示 { $scope } 的坐席缺口已低于预警标准。预警自 { $from } 持续至 { $to }（{ $zone }）。

# 从何时到何时缺多少坐席。
need-now = 目前 { $n } 名
need-now-most = 目前最多 { $n } 名
need-from = { $from } 起 { $n } 名
need-from-most = { $from } 起最多 { $n } 名
need-now-until = 目前 { $n } 名（至 { $to }）
need-now-most-until = 目前最多 { $n } 名（至 { $to }）
need-until = { $need }（至 { $to }）
need-rest = 此后至 { $to } 仍有缺口

alert-as-of = 截至 { $at }（{ $zone }）；首次发现于 { $since }。
alert-eased = 已缓解：自 { $at } 起不再是紧急级别。
alert-gone = { $at } 的预测显示坐席缺口已低于预警标准；上次通知为缺 { $n } 名。如后续预测一致，预警将解除。
alert-gone-untold = { $at } 的预测显示坐席缺口已低于预警标准。如下次预测一致，预警将解除。
alert-missing = 缺口：{ $need }，其中：{ $channels }。
alert-missing-peak = 缺口：{ $need }；{ $at } 最多，其中：{ $channels }。
alert-missing-more = 此后缺口：另有 { $n } 段，至 { $to }。
alert-shortfall-rostered = { $channel }：{ $at } 需要 { $agents } 名坐席，已排班 { $scheduled } 名，还缺 { $gap } 名。该时段预测 { $tickets } 张工单（80% 概率在 { $low } 至 { $high } 之间）。
alert-shortfall-usual = { $channel }：{ $at } 需要 { $agents } 名坐席，平时同一时段有 { $scheduled } 名，还缺 { $gap } 名。该时段预测 { $tickets } 张工单（80% 概率在 { $low } 至 { $high } 之间）。
alert-shortfall-left-over = { $shortfall }其中大部分是前面时段遗留的工作。
alert-complaints-later = 投诉目前统计至 { $upto }；之后的时段完成统计后再计入。
alert-below-limits = 仍有低于预警标准的缺口（{ $from } 至 { $to }）：{ $at } 同时最多缺 { $n } 名，其中：{ $channels }。
alert-because = 原因：{ $cause }。
alert-affected = 受影响：{ $region } 的 { $service } 客户（{ $channels }）。
alert-next = 下次检查：{ $at }，届时应有新的预测。
alert-acknowledge = 如由您处理，请确认预警；确认后仅在明显恶化时再次通知。

# 事件通知：同一区域的多项业务。其他通知按渠道列出的数字，此处按业务列出。
incident-service = { $service } 缺口：{ $need }。
incident-because = 原因（{ $service }）：{ $cause }。
incident-affected = 受影响：{ $region } 的 { $services } 客户。
incident-acknowledge = 如由您处理，请确认预警（一次确认对所有业务有效）；确认后仅在明显恶化时再次通知。
incident-resolved = 预警解除：最新预测显示 { $scope } 的坐席缺口已低于预警标准。事件自 { $from } 持续至 { $to }（{ $zone }）。

# 两三项建议，各有时间。
action-find = 建议：{ $at } 前增派 { $n } 名坐席（{ $channels }）。
action-find-now = 建议：立即增派 { $n } 名坐席（{ $channels }）。
action-back = 建议：{ $at } 先查看最新预测，再撤回增派的坐席。
action-fewer = 建议：{ $at } 起保留 { $n } 名增派坐席即可，至 { $to }。
action-more = 建议：{ $at } 前将增派坐席增至 { $n } 名，保持至 { $to }。
action-again = 建议：{ $at } 前需再次增派 { $n } 名坐席，至 { $to }。
action-alarms = 建议：立即向网络运维询问故障的预计修复时间。
action-alarms-device = 建议：立即向网络运维询问始于 { $device } 的故障的预计修复时间。
action-complaints = 建议：立即告知网络运维：客户集中投诉，但没有告警可以解释。
action-look = 建议：立即核对该时段的排班和客户反映的问题；如预测异常，再查找数据之外的原因（如营销活动、出账）并录入系统。

cause-alarms = 自 { $since } 起有 { $n } 条{ $severity } { $type } 告警未清除
cause-alarms-untyped = 自 { $since } 起有 { $n } 条{ $severity }告警未清除
cause-alarms-device = 首个告警设备 { $device }
cause-alarms-flapping = 频繁抖动：单条告警上报达 { $n } 次
cause-alarms-doubtful = 其中 { $n } 条可能已清除（告警列表重建后未再上报）
cause-more-alarms = 另有 { $n } 条其他类型的告警
cause-no-alarm = 预测所需坐席多于可用坐席；此处没有相关的未清除告警
cause-overrun = { $from }–{ $to } 的计划作业超时，仍有 { $n } 条相关告警未清除
cause-adjustment = 规划人员录入“{ $label }”：使未来六小时的预测变化 { $tickets } 张工单
cause-complaints = { $since } 至 { $until } 有 { $tickets } 张工单反映服务中断、信号覆盖差或网速慢；平时同期为 { $usual } 张
cause-complaints-since = 自 { $since } 起有 { $tickets } 张工单反映服务中断、信号覆盖差或网速慢；平时同期为 { $usual } 张

# 超出接收方长度限制的通知。
page-lines-left-out = ……另有 { $n } 行，请打开链接查看
page-worse-acknowledged = { $name } 已确认本预警；此后情况明显恶化。
page-reminder = 提醒：本预警始于 { $since }，至今无人确认。最新数据截至 { $at }。

# 测试通知能否送达。
page-test-title = 【测试】surgecast 通知可以送达
page-test-text = 这是送达测试，并不缺坐席，无需处理。
page-test-over = 【测试】surgecast 送达测试结束
page-report-title = 应于 { $at } 发送的报告

# Grafana 看板上的注释。

annotation-anomaly = { $scope }（{ $channels }）：{ $n } 个时段异常。最异常的时段：{ $text }
annotation-surge = { $scope }（{ $channels }）：工单激增；事先没有预报
annotation-surge-warned = { $scope }（{ $channels }）：工单激增；首次预报提前 { $minutes } 分钟
annotation-outage = { $scope }：有紧急告警未清除
annotation-outage-over = { $scope }：{ $n } 条紧急告警
annotation-outage-first = 首条为 { $what }
annotation-work = { $scope }：计划作业“{ $text }”
annotation-adjustment = { $scope }：规划人员录入“{ $text }”
annotation-page = 通知：{ $title }
annotation-link = 打开预警
