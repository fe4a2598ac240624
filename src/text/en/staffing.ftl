# How a plan's figures come about.

basis = { $model }: { $parts }
basis-erlang-c = Erlang C
basis-erlang-a = Erlang A
basis-chat = chat
basis-deferred = workload
basis-aht = { $seconds } s handling time
basis-target = { $percent } % answered within { $seconds } s
basis-patience = patience { $seconds } s
basis-within-window = done within the window
basis-done = { $percent } % done within { $hours } h
basis-concurrency = { $n } contacts at once
basis-occupancy = occupancy up to { $percent } %
basis-shrinkage = shrinkage { $percent } %
