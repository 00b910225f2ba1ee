-- How oil shares, currencies and fuel prices move together, by weeks: returns of series that share their Mondays, their
-- correlation, and how much of a cost's change reaches the pump some weeks later. Computed when read: views that are
-- kept would be made anew with each batch of 25 rows.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

dts.view { -- one value a week for each series; a fuel's is the mean over all that was surveyed
  name = "weekly", sql = [[
    select info_type as series, period, value from quote_week
    union all
    select 'FUEL#' || product, period, sum(price * prices) / sum(prices) from fuel_week group by product, period ]],
}
dts.view { -- returns in percent; a week that follows a hole has none
  name = "weekly_moves", sql = [[
    select series, period, value, 100.0 * (value - before) / before as percent
    from (select series, period, value, lag(value) over (partition by series order by period) as before,
            lag(period) over (partition by series order by period) as since from weekly) as weeks
    where since = add_days(period, -7) and before <> 0 ]],
}
dts.view { -- in the same week
  name = "relations", sql = [[
    select a.series as one, b.series as other, count(*) as weeks, corr(a.percent, b.percent) as r,
      slope(b.percent, a.percent) as slope
    from weekly_moves a join weekly_moves b on b.period = a.period and b.series <> a.series
    group by a.series, b.series having count(*) >= 8 ]],
}
dts.view { -- a fuel some weeks after a cost: passed_on is the percent that it moves by for one percent of the cost
  name = "pass_through", sql = [[
    select a.series as cost, substr(b.series, 6) as fuel, n.lag, count(*) as weeks, corr(a.percent, b.percent) as r,
      slope(b.percent, a.percent) as passed_on
    from (select * from weekly_moves where series not like 'FUEL#%') a
      cross join (select 0 as lag union all select 1 union all select 2 union all select 4 union all select 8) n
      join (select * from weekly_moves where series like 'FUEL#%') b on b.period = add_days(a.period, 7 * n.lag)
    group by a.series, b.series, n.lag having count(*) >= 8 ]],
}
dts.route { "GET /api/relations", summary = "Correlation of weekly changes", from = "relations", public = true }
dts.route { "GET /api/pass-through", summary = "What reaches the pump", from = "pass_through", public = true }
