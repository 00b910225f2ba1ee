-- How oil shares, currencies and fuel prices move together: weekly changes in percent, and their correlation.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

dts.view {
  name = "weekly_moves", sql = [[
    select info_type as series, period, value, 100.0 * change / (value - change) as percent
    from quote_week where change is not null and value <> change
    union all
    select series, period, value, 100.0 * (value - before) / before as percent
    from (select 'FUEL#' || product as series, period, sum(price * prices) / sum(prices) as value,
            lag(sum(price * prices) / sum(prices)) over (partition by product order by period) as before
          from fuel_week group by product, period) as fuel
    where before is not null ]],
}

dts.view {
  name = "relations", keep = true, sql = [[
    select a.series as one, b.series as other, count(*) as weeks, corr(a.percent, b.percent) as r,
      slope(a.percent, b.percent) as slope
    from weekly_moves a join weekly_moves b on b.period = a.period and b.series <> a.series
    group by a.series, b.series having count(*) >= 8 ]],
}

dts.view {
  name = "fuel_moves", keep = true, sql = [[
    select product, region, state, period, price, before, 100.0 * (price - before) / before as percent,
      case when price > before * 1.005 then 'up' when price < before * 0.995 then 'down' else 'flat' end as movement
    from (select product, region, state, period, price,
            lag(price) over (partition by product, state order by period) as before from fuel_week) as weeks
    where before is not null ]],
}

dts.route { "GET /api/relations", summary = "Correlation of weekly changes", from = "relations", public = true }
dts.route { "GET /api/fuel/{state}", summary = "Weekly prices in one state", from = "fuel_moves", order = "-period" }
