-- Weeks and months of each price and rate, how each fuel moved in each state, and all of them by API.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

dts.rollup {
  name = "quote", from = "quotes", time = "date", by = { "info_type" }, every = { "week", "month" },
  where = "value > 0",
  measures = { "last(value) as value", "change(value) as change", "avg(value) as mean", "count(*) as days" },
}

dts.view {
  name = "fuel_moves", keep = true, sql = [[
    select product, region, state, period, price, before, 100.0 * (price - before) / before as percent,
      case when price > before * 1.005 then 'up' when price < before * 0.995 then 'down' else 'flat' end as movement
    from (select product, region, state, period, price,
            lag(price) over (partition by product, state order by period) as before from fuel_week) as weeks
    where before is not null ]],
}

dts.route { "GET /api/fuel/{state}", summary = "Weekly prices in one state", from = "fuel_moves", order = "-period" }
dts.route {
  "GET /api/quotes", summary = "Prices and rates by series and date", public = true,
  params = { info_type = "text?", from = "date?", to = "date?", limit = "integer = 1000" },
  sql = [[
    select info_type, date, value, open, high, low, volume, source from quotes
    where (:info_type is null or info_type = :info_type)
      and (:from is null or date >= :from) and (:to is null or date <= :to)
    order by info_type, date limit :limit ]],
}
