# Service of tickets: why a ticket has its priority, why a customer is to be called.

priority-by-sender = The sender's priority is { $word }.
priority-by-default = No rule applies.
priority-by-rule = A rule without conditions applies.
priority-if-class = about { $class }
priority-if-alarm = a critical network alarm is active in its region and service
priority-if-negative = negative text
priority-if-neutral = neutral text
priority-if-positive = positive text
priority-if-tier = tier { $name }
priority-if-channel = channel { $name }
priority-if-service = service { $name }

outreach-breached = { $n ->
    [one] A ticket missed its deadline.
   *[other] { $n } tickets missed their deadline.
}
outreach-several = { $days ->
    [one] { $n } tickets within a day.
   *[other] { $n } tickets within { $days } days.
}
outreach-repeated = { $n ->
    [one] One of them repeats an earlier one.
   *[other] { $n } of them repeat earlier ones.
}
outreach-negative = { $n ->
    [one] One text is negative.
   *[other] { $n } texts are negative.
}
