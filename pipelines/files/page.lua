-- The records by API and on a page, and an e-mail when a file had to be set aside.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

dts.route {
  "GET /api/records", summary = "Surveyed prices, newest first", from = "records", order = "-date",
  params = { state = "text?", product = "text?", date = "date?", file = "text?", limit = "integer = 100" },
}
dts.route {
  "GET /api/records/summary", summary = "Count, extremes and mean by product and state",
  params = { product = "text?" },
  sql = [[
    select product, state, count(*) as prices, min(price) as low, max(price) as high, avg(price) as mean
    from records where :product is null or product = :product group by product, state order by product, state ]],
}

dts.dashboard {
  name = "records", title = "Surveyed prices", summary = "What the uploaded files say.",
  filters = { "product", "region", "state" },
  { "number", title = "Prices", from = "records", y = "count(*)" },
  { "number", title = "Stations", from = "records", y = "count(distinct station)" },
  { "number", title = "Files", from = "records", y = "count(distinct file)" },
  { "number", title = "Weeks before", from = "weekly_survey", y = "count(distinct week)" },
  { "bar", title = "Mean price by state", from = "records", x = "state", y = "avg(price)", by = "product",
    unit = "R$" },
  { "line", title = "Week by week", from = "weekly_survey", x = "week", y = "avg(price)", by = "region",
    unit = "R$ a litre" },
  { "table", title = "Last prices", from = "records", order = "-date", limit = 100, wide = true,
    columns = { "date", "city", "state", "product", "price", "unit", "brand", "file" } },
}

dts.alert {
  name = "file_quarantined", every = "1m", remind = "1d",
  when = [[
    select pipeline, name, line, error, at from dts_quarantine
    where input = 'file' and pipeline in ('records', 'weekly_survey') ]],
}
