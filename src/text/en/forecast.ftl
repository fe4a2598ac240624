# How a forecast came about.

fallback-one-week = less than two weeks of history: last week's counts are repeated
fallback-day = less than a week of history: the usual count at this time of day
fallback-mean = only { $n ->
    [one] { $n } window
   *[other] { $n } windows
} of history: their mean
fallback-nothing = no history yet

nowcast-alarms = { $n ->
    [one] { $n } severe alarm since the last forecast
   *[other] { $n } severe alarms since the last forecast
}
nowcast-tickets = { $n ->
    [one] { $n } ticket so far in this window, where { $due } were forecast by now
   *[other] { $n } tickets so far in this window, where { $due } were forecast by now
}
nowcast-scope = { $scope }: { $reason }
