-- What fuel costs at the pump in Brazil: each surveyed price of gasoline, ethanol, diesel, natural gas and LPG, and
-- its weeks and months by state. `surveys` remembers which weeks of which survey have been read.
-- SPDX-License-Identifier: MIT

local dts = require "dts"
local anp = require "connectors.anp"

dts.table {
  name = "pump", key = { "station", "product", "date" }, keep = "1825d",
  columns = {
    "station text -- tax number of the reseller", "product text", "date date", "price real not null -- R$ per unit",
    "unit text", "region text", "state text", "city text", "brand text",
  },
}
dts.table {
  name = "surveys", key = { "survey", "week" },
  columns = { "survey text", "week date -- its Monday", "prices integer not null" },
}
dts.rollup {
  name = "fuel", from = "pump", time = "date", by = { "product", "region", "state" }, every = { "week", "month" },
  measures = { "avg(price) as price", "min(price) as low", "max(price) as high", "count(*) as prices" },
}

dts.pipeline {
  name = "pump", schedule = "0 7 * * 2", recheck = "0 */6 * * *", timezone = "America/Sao_Paulo",
  batch = 5000, retry = 5,
  gaps = {
    table = "surveys", complete = "prices > 0", calendar = "week", since = "2023-01-02", lag = "8d", refresh = "14d",
    keys = { "glp", "ca" },
  },
  run = function(ctx, span)
    local weeks = {}
    anp.each(span.key, span.from, span.to, "pump", function(price)
      ctx:put("pump", price)
      local week = dts.date.start(price.date, "week")
      weeks[week] = (weeks[week] or 0) + 1
    end)
    for week, prices in pairs(weeks) do ctx:put("surveys", { survey = span.key, week = week, prices = prices }) end
  end,
}
