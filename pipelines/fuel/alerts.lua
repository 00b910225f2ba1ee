-- Whom to tell when a series stops, two sources disagree or a price jumps.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

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
