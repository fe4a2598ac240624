# 工单服务：优先级的依据、需要回访的原因。

priority-by-sender = 来源系统标注的优先级为 { $word }。
priority-by-default = 没有适用的规则。
priority-by-rule = 适用一条无条件的规则。
priority-if-class = 反映{ $class }
priority-if-alarm = 所在区域和业务有未清除的紧急网络告警
priority-if-negative = 客户情绪负面
priority-if-neutral = 客户情绪中性
priority-if-positive = 客户情绪正面
priority-if-tier = 客户等级 { $name }
priority-if-channel = 渠道：{ $name }
priority-if-service = 业务：{ $name }

outreach-breached = 有 { $n } 张工单超时。
outreach-several = { $days } 天内有 { $n } 张工单。
outreach-repeated = 其中 { $n } 张为重复投诉。
outreach-negative = { $n } 段文字情绪负面。
