# 排班数字的依据。

basis = { $model }：{ $parts }
basis-erlang-c = Erlang C
basis-erlang-a = Erlang A
basis-deferred = 非实时工作
basis-aht = 平均处理时长 { $seconds } 秒
basis-target = { $percent }% 在 { $seconds } 秒内应答
basis-patience = 客户平均等待 { $seconds } 秒后放弃
basis-within-window = 全部工作在本时段内完成
basis-concurrency = 每名坐席同时处理 { $n } 个会话
basis-occupancy = 占用率不超过 { $percent }%
basis-shrinkage = 损耗率 { $percent }%
