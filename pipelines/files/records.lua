-- Files of Brazil's fuel price survey, uploaded or dropped into incoming/: in any encoding they come in, whole or not
-- at all. A file with a bad line goes to quarantine with that line, and comes back when it is corrected.
-- SPDX-License-Identifier: MIT

local dts = require "dts"
local anp = require "connectors.anp"

dts.table {
  name = "records", key = { "station", "product", "date" },
  columns = {
    "station text -- tax number of the reseller", "product text", "date date", "price real not null check (price > 0)",
    "unit text", "region text", "state text", "city text", "brand text", "file text not null",
  },
  index = { { "state", "product" } },
}

dts.pipeline {
  name = "records", files = "incoming/anp-*.csv",
  run = function(ctx, file)
    ctx:put("records", file:rows(anp.shape("records")), { file = file.name })
  end,
}
