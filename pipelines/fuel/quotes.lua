-- Every daily price and rate that the fuel pages compare, one row for each series and date; and the first of them, the
-- dollar and the Selic rate from the Banco Central. Only dates that are missing are asked for.
-- SPDX-License-Identifier: MIT

local dts = require "dts"
local bcb = require "connectors.bcb"

dts.table {
  name = "quotes", key = { "info_type", "date" },
  columns = {
    "info_type text -- kind and name, for example STOCK#XOM or CURRENCY#USD", "date date",
    "value real -- the close of a share, the selling rate of a currency", "open real", "high real", "low real",
    "volume real", "source text not null",
  },
  index = { { "date" } },
}

dts.pipeline {
  name = "currency", schedule = "0 20 * * 1-5", recheck = "0 */6 * * *", timezone = "America/Sao_Paulo",
  batch = 25, retry = 5,
  gaps = {
    table = "quotes", complete = "value > 0", calendar = "BR", since = "2020-06-04", lag = "1d", refresh = "7d",
    keys = { ["CURRENCY#USD"] = { code = 1 }, ["RATE#SELIC"] = { code = 11 } },
  },
  run = function(ctx, span)
    ctx:put("quotes", bcb.series(span.with.code, span.from, span.to), { info_type = span.key, source = "bcb.sgs" })
  end,
}
