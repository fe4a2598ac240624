# How a plan's figures come about.

basis = { $model }: { $parts }
basis-erlang-c = Erlang C
basis-erlang-a = Erlang A
basis-deferred = Deferred work
basis-aht = { $seconds } s handling time per contact
basis-target = { $percent } % answered within { $seconds } s
basis-patience = customers wait { $seconds } s on average before they hang up
basis-within-window = all work is done within its window
basis-concurrency = each agent handles { $n } contacts at once
basis-occupancy = occupancy up to { $percent } %
basis-shrinkage = shrinkage { $percent } %
