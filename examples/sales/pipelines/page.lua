-- Weeks by town, and the page that shows them.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

dts.rollup {
  name = "sold", from = "sales", time = "day", by = { "shop" }, every = { "week" },
  measures = { "sum(total) as total", "count(*) as days" },
}
dts.view {
  name = "towns",
  sql = "select town, period, sum(total) as total from sold_week join shops using (shop) group by town, period",
}
dts.route { "GET /api/towns", summary = "Sales by town and week", from = "towns", order = "-period", public = true }
dts.dashboard {
  name = "sales", title = "Sales", public = true, filters = { "town" },
  { "bar", title = "Sales by week", from = "towns", x = "period", y = "total", by = "town", unit = "€" },
  { "table", title = "All days", from = "sales", columns = { "day", "shop", "total" }, order = "-day", limit = 50 },
}
