-- Shares as Yahoo Finance serves them: seconds since 1970, the end left out, one list for each figure.
-- SPDX-License-Identifier: MIT

local dts = require "dts"
local figures = require "connectors.figures"

local LEVELS = { XOM = 110, CVX = 155, SHEL = 66, BP = 35, ["PETR4.SA"] = 34, ["PETR3.SA"] = 36, ["UGPA3.SA"] = 22 }
local DAY, BELL = 86400, 14 * 3600

local function date_of(seconds)
  return dts.date.add("1970-01-01", seconds // DAY)
end

local function chart(symbol, dates)
  local quote, stamps = { open = {}, high = {}, low = {}, close = {}, volume = {} }, {}
  for i, date in ipairs(dates) do
    local close = figures.price(symbol, LEVELS[symbol], date)
    local open = figures.price(symbol, LEVELS[symbol], dts.date.add(date, -1))
    stamps[i] = dts.date.diff(date, "1970-01-01") * DAY + BELL
    quote.open[i], quote.close[i] = open, close
    quote.high[i], quote.low[i] = math.max(open, close) * 1.004, math.min(open, close) * 0.996
    quote.volume[i] = 1000000 + figures.number(date) * 7919 % 500000
  end
  return { meta = { symbol = symbol, gmtoffset = 0 }, timestamp = stamps, indicators = { quote = { quote } } }
end

dts.route {
  "GET /v8/finance/chart/{symbol}", public = true, timeout = "10s",
  params = { period1 = "integer", period2 = "integer", interval = "text?", events = "text?" },
  run = function(req)
    if not LEVELS[req.symbol] then
      local fault = { code = "Not Found", description = "No data found, symbol may be delisted" }
      return dts.reply { status = 404, json = { chart = { error = fault } } }
    end
    local last, to = dts.date.add(dts.today(), -1), date_of(req.period2 - 1)
    local dates = figures.days(req.symbol, date_of(req.period1), to < last and to or last)
    return dts.reply { json = { chart = { result = { chart(req.symbol, dates) } } } }
  end,
}
