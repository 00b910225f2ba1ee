-- Shares of oil companies: New York from Yahoo with Stooq as a second opinion, São Paulo from Yahoo.
-- A row without an opening price or volume is a day that the source had not finished: it is asked for again.
-- SPDX-License-Identifier: MIT

local dts = require "dts"
local stooq = require "connectors.stooq"
local yahoo = require "connectors.yahoo"

dts.pipeline {
  name = "stocks", schedule = "30 18 * * 1-5", recheck = "30 */6 * * *", timezone = "America/New_York",
  batch = 25, retry = 5,
  gaps = {
    table = "quotes", complete = "value > 0 and open > 0 and volume > 0", calendar = "NYSE", since = "2023-03-03",
    lag = "1d", refresh = "5d",
    keys = {
      ["STOCK#XOM"] = { symbol = "XOM" }, ["STOCK#CVX"] = { symbol = "CVX" },
      ["STOCK#SHEL"] = { symbol = "SHEL" }, ["STOCK#BP"] = { symbol = "BP" },
      ["STOCK#PETR4"] = { symbol = "PETR4.SA", calendar = "B3" },
      ["STOCK#PETR3"] = { symbol = "PETR3.SA", calendar = "B3" },
      ["STOCK#UGPA3"] = { symbol = "UGPA3.SA", calendar = "B3" },
    },
  },
  run = function(ctx, span)
    ctx:put("quotes", yahoo.daily(span.with.symbol, span.from, span.to), { info_type = span.key, source = "yahoo" })
  end,
}

dts.pipeline {
  name = "stooq", schedule = "45 18 * * 1-5", recheck = "45 */6 * * *", timezone = "America/New_York",
  batch = 25, retry = 5,
  gaps = {
    table = "quotes", complete = "value > 0", calendar = "NYSE", since = "2023-01-03", lag = "1d",
    keys = { ["STOOQ#XOM"] = { symbol = "xom.us" } },
  },
  run = function(ctx, span)
    ctx:put("quotes", stooq.daily(span.with.symbol, span.from, span.to), { info_type = span.key, source = "stooq" })
  end,
}
