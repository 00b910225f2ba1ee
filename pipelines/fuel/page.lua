-- The fuel page, and whom to tell when a series stops, two sources disagree or a price jumps.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

dts.dashboard {
  name = "fuel", title = "Fuel, oil and currencies", public = true,
  summary = "What fuel costs in Brazil, and how it moves with oil shares and currencies.",
  filters = { "region", "product", "movement", "period", { "every", choices = { "week", "month" } } },
  { "line", title = "Price at the pump", from = "fuel_{every}", x = "period", y = "avg(price)", by = "product",
    unit = "R$", wide = true },
  { "bar", title = "Price by region", from = "fuel_{every}", x = "region", y = "avg(price)", by = "product" },
  { "heatmap", title = "Change in a week", x = "period", y = "state", value = "percent", unit = "%",
    sql = [[select period, state, avg(percent) as percent from fuel_moves
      where :product is null or product = :product group by period, state]] },
  { "table", title = "Largest moves", from = "fuel_moves", order = "-percent", limit = 50,
    columns = { "period", "product", "state", "price", "percent", "movement" } },
  { "line", title = "Shares and currencies", from = "quote_{every}", x = "period", y = "value", by = "info_type" },
  { "heatmap", title = "What moves together", from = "relations", x = "one", y = "other", value = "r", unit = "r" },
}

dts.alert {
  name = "fuel_stale", every = "10m", hold = "30m", remind = "1d",
  when = [[select info_type, max(date) as last from quotes group by info_type having max(date) < :today_minus_7d]],
}
dts.alert {
  name = "sources_disagree", every = "1h",
  when = [[
    select a.date, a.info_type as one, a.value, b.info_type as other, b.value as other_value
    from quotes a join quotes b on b.date = a.date and (
      (a.info_type = 'CURRENCY#USD' and b.info_type = 'PTAX#USD' and abs(a.value - b.value) > 0.00005) or
      (a.info_type = 'STOCK#XOM' and b.info_type = 'STOOQ#XOM' and abs(a.value - b.value) > a.value * 0.01)) ]],
}
dts.alert {
  name = "fuel_jump", every = "1h", hold = "10m",
  when = "select product, state, percent from fuel_moves where abs(percent) > 15 and period >= :today_minus_21d",
}
