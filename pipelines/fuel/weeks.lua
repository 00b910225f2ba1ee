-- Weeks and months of each price and rate, and all of them by API.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

dts.rollup {
  name = "quote", from = "quotes", time = "date", by = { "info_type" }, every = { "week", "month" },
  where = "value > 0",
  measures = { "last(value) as value", "change(value) as change", "avg(value) as mean", "count(*) as days" },
}

dts.route {
  "GET /api/quotes", summary = "Prices and rates by series and date", public = true,
  params = { info_type = "text?", from = "date?", to = "date?", limit = "integer = 1000" },
  sql = [[
    select info_type, date, value, open, high, low, volume, source from quotes
    where (:info_type is null or info_type = :info_type)
      and (:from is null or date >= :from) and (:to is null or date <= :to)
    order by info_type, date limit :limit ]],
}
