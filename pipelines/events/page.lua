-- Events by minute, hour and day, by API and on a page, and an alert when many are refused.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

dts.rollup {
  name = "hook_count", from = "hooks", time = "at", by = { "event", "team" }, every = { "minute", "hour", "day" },
  measures = { "count(*) as events", "count(distinct sender) as people" },
}

dts.route {
  "GET /api/events", summary = "Events, newest first", from = "hooks", order = "-at",
  params = { event = "text?", team = "text?", repo = "text?", limit = "integer = 100" },
}
dts.route {
  "GET /api/events/counts", summary = "How many events, by period",
  params = { every = { "minute", "hour", "day" }, event = "text?", team = "text?", limit = "integer = 1000" },
  sql = [[
    select period, event, team, events, people from hook_count_{every}
    where (:event is null or event = :event) and (:team is null or team = :team)
    order by period desc, event, team limit :limit ]],
}

dts.dashboard {
  name = "events", title = "What happens in our repositories",
  filters = { "event", "team", { "every", choices = { "hour", "minute", "day" } } },
  { "number", title = "Events", from = "hooks", y = "count(*)" },
  { "number", title = "People", from = "hooks", y = "count(distinct sender)" },
  { "area", title = "Events", from = "hook_count_{every}", x = "period", y = "sum(events)", by = "event", wide = true },
  { "bar", title = "Events by team", from = "hook_count_day", x = "team", y = "sum(events)" },
  { "table", title = "Last events", from = "hooks", columns = { "at", "event", "action", "repo", "team", "sender" },
    order = "-at", limit = 50, wide = true },
}

dts.alert {
  name = "events_refused", every = "1m", remind = "1d",
  when = "select id, message, at from dts_refused where pipeline = 'webhooks' and at >= :today",
}
