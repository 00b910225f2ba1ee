-- The fuel page: what is paid, where, how it moves from week to week, and what moves with it.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

dts.dashboard {
  name = "fuel", title = "Fuel, oil and currencies", public = true,
  summary = "What fuel costs in Brazil, and how it moves with oil shares and currencies.",
  filters = { "region", "product", "movement", "period", { "every", choices = { "week", "month" } } },
  { "line", title = "At the pump", from = "fuel_{every}", x = "period", y = "avg(price)", by = "product",
    where = "product <> 'GLP'", unit = "R$ a litre or m³" },
  { "line", title = "LPG by region", from = "fuel_{every}", x = "period", y = "avg(price)", by = "region",
    where = "product = 'GLP'", unit = "R$ for 13 kg" },
  { "bar", title = "Price by region", from = "fuel_{every}", x = "region", y = "avg(price)", by = "product",
    where = "product <> 'GLP'", unit = "R$ a litre or m³" },
  { "bar", title = "Which way prices went", from = "fuel_moves", x = "period", y = "count(*)", by = "movement",
    unit = "fuels and states" },
  { "heatmap", title = "Change in a week", from = "fuel_moves", x = "period", y = "state", value = "avg(percent)",
    unit = "%" },
  { "table", title = "Largest moves", order = "-size", limit = 50,
    sql = [[select period, product, region, state, round(price, 2) as price, round(percent, 2) as percent,
      movement, abs(percent) as size from fuel_moves]],
    columns = { "period", "product", "state", "price", "percent", "movement" } },
  { "line", title = "Oil shares, first week = 100", x = "period", y = "level", by = "share", sql = [[
      select period, substr(info_type, 7) as share,
        100.0 * value / first_value(value) over (partition by info_type order by period) as level
      from quote_{every} where info_type like 'STOCK#%']] },
  { "line", title = "Currencies", from = "quote_{every}", x = "period", y = "value", by = "info_type",
    where = "info_type in ('CURRENCY#USD', 'EURO#BRL')", unit = "R$" },
  { "line", title = "What a dearer dollar does at the pump", x = "weeks_later", y = "passed_on", by = "fuel", sql = [[
      select lag as weeks_later, fuel, passed_on from pass_through where cost = 'CURRENCY#USD' ]],
    unit = "% for 1 %, where 8 weeks are shared", wide = true },
  { "heatmap", title = "What moves together", from = "relations", x = "one", y = "other", value = "r",
    unit = "r of weekly changes", wide = true },
}
