-- Other currencies in reais, from the Banco Central's series: the selling rates of the euro, the pound and the yen.
-- SPDX-License-Identifier: MIT

local dts = require "dts"
local bcb = require "connectors.bcb"

dts.pipeline {
  name = "currencies", schedule = "5 20 * * 1-5", recheck = "5 */6 * * *", timezone = "America/Sao_Paulo",
  batch = 25, retry = 5,
  gaps = {
    table = "quotes", complete = "value > 0", calendar = "BR", since = "2020-06-04", lag = "1d", refresh = "7d",
    keys = {
      ["CURRENCY#EUR"] = { code = 21619 }, ["CURRENCY#GBP"] = { code = 21623 }, ["CURRENCY#JPY"] = { code = 21621 },
    },
  },
  run = function(ctx, span)
    ctx:put("quotes", bcb.series(span.with.code, span.from, span.to), { info_type = span.key, source = "bcb.sgs" })
  end,
}
