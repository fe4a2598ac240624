# How a forecast came about.

fallback-one-week = less than two weeks of history: last week’s counts, adjusted to today’s volume
fallback-day = less than a week of history: the usual count at this time of day, adjusted to today’s volume
fallback-mean = only { $n ->
    [one] { $n } window
   *[other] { $n } windows
} of history: the forecast is their mean
fallback-nothing = no history yet

nowcast-alarms = { $n ->
    [one] { $n } critical or major alarm since the last forecast
   *[other] { $n } critical or major alarms since the last forecast
}
nowcast-tickets = { $n ->
    [one] { $n } ticket so far in this window, but { $due } were forecast up to now
   *[other] { $n } tickets so far in this window, but { $due } were forecast up to now
}
nowcast-scope = { $scope }: { $reason }
