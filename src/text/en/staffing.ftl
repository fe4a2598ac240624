# How a plan's figures come about.

basis = { $model }: { $parts }
basis-erlang-c = Erlang C
basis-erlang-a = Erlang A
basis-chat = Chat
basis-deferred = Deferred work
basis-aht = { $seconds } s handling time per contact
basis-aht-learned = { $seconds } s handling time per contact, learned from { $n ->
    [one] { $n } ticket
   *[other] { $n } tickets
} ({ $configured } s in the config)
basis-target = { $percent } % answered within { $seconds } s
basis-patience = customers wait { $seconds } s on average before they hang up
basis-within-window = all work is done within its window
basis-done = { $percent } % done within { $hours } h
basis-concurrency = each agent handles { $n } contacts at once
basis-occupancy = occupancy up to { $percent } %
basis-shrinkage = shrinkage { $percent } %
basis-backlog = open tickets at the start: { $n }
basis-team = served by team { $team }

# Rows of a roster that can have no effect.

roster-line = Line { $rows }
roster-lines = Lines { $rows }
roster-shift = Shift { $rows }
roster-shifts = Shifts { $rows }
roster-rows-more = { $rows } and { $more } more
roster-unknown-series = { $rows }: there are no tickets of { $owner }. Check the names.
roster-team-has-shifts = { $rows }: { $owner } is served by the team { $team }, which has shifts of its own. Shifts of the series are then not used.
roster-outside-hours = { $rows }: { $owner } is closed at this time. Hours: { $hours } ({ $zone }).
roster-past = { $rows }: these shifts of { $owner } ended more than a day ago.

# Recommendations: what a person can do.

advice-move = Move { $n ->
    [one] { $n } agent
   *[other] { $n } agents
} from { $source } to { $team }, { $from }–{ $to } ({ $zone })
advice-call-in = Call in { $n ->
    [one] { $n } agent
   *[other] { $n } agents
} for { $team }, { $from }–{ $to } ({ $zone })
advice-overtime = Ask { $n ->
    [one] { $n } agent
   *[other] { $n } agents
} of { $team } to stay, { $from }–{ $to } ({ $zone })
advice-offer-leave = Offer leave to { $n ->
    [one] { $n } agent
   *[other] { $n } agents
} of { $team }, { $from }–{ $to } ({ $zone })
advice-announcement = Switch on the outage announcement for { $team }, { $from }–{ $to } ({ $zone }); { $low } to { $high } % of callers are then expected to hang up without waiting for an agent
advice-short = { $needed } agents needed at { $at }, { $scheduled } on the schedule
advice-short-reserve = { $needed } agents needed at { $at }, { $scheduled } on the schedule; { $reserve } more as a reserve, because the forecast may be too low
advice-spare = even at the upper end of the forecast, only { $needed } agents are needed at { $at }; { $scheduled } are on the schedule
advice-outage = cause of the extra calls: { $cause }; { $n ->
    [one] { $n } agent is missing and cannot
   *[other] { $n } agents are missing and cannot
} be found in time
advice-levels = expected service level { $with } % with this action, { $without } % without it; confidence that the action is justified: { $confidence } %
advice-recommended = Recommended: { $text }.
advice-recommended-for = Recommended, for { $services } together: { $text }.
advice-sum = { $n ->
    [0] None of these brings agents at { $at }, when { $missing } are missing.
   *[other] { $left ->
        [0] Together these bring up to { $n } at { $at }, when { $missing } are missing.
       *[other] Together these bring up to { $n } at { $at }, when { $missing } are missing: at least { $left } stay missing.
    }
}
