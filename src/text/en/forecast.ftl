# How a forecast came about.

fallback-one-week = less than two weeks of history: last week’s counts, adjusted to today’s volume
fallback-day = less than a week of history: the usual count at this time of day, adjusted to today’s volume
fallback-mean = only { $n ->
    [one] { $n } window
   *[other] { $n } windows
} of history: the forecast is their mean
fallback-nothing = no history yet
fallback-little = { $n ->
    [0] less than a day
    [one] { $n } day
   *[other] { $n } days
} of history: the daily profile of this history, adjusted to today’s volume; full accuracy is expected from { $from } on
fallback-borrowed = { $n ->
    [0] less than a day
    [one] { $n } day
   *[other] { $n } days
} of history: the daily profile of other regions, adjusted to the volume here; full accuracy is expected from { $from } on
fallback-shifted = since { $since } the number of tickets is about { $percent } % of what it was: earlier counts are scaled to the new level
fallback-unfitted = no model is fitted yet: the daily profile of the history so far, adjusted to today’s volume, without the effect of alarms

nowcast-alarms = { $n ->
    [one] { $n } critical or major alarm since the last forecast
   *[other] { $n } critical or major alarms since the last forecast
}
nowcast-tickets = { $n ->
    [one] { $n } ticket so far in this window, but { $due } were forecast up to now
   *[other] { $n } tickets so far in this window, but { $due } were forecast up to now
}
nowcast-scope = { $scope }: { $reason }

forecast-cause-alarms = { $type }
forecast-cause-work = planned work
forecast-cause-overrun = planned work that overruns
forecast-cause-entry = entry “{ $label }”
