-- Daily share prices from Yahoo Finance's chart service, and the CSV files that its site exports.
-- Documentation: none is published; the fields are described at https://finance.yahoo.com/quote/XOM/history
-- Limits: unstated, about 2,000 requests an hour; answers 429 when there were too many.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

local source = dts.source { name = "yahoo", url = "https://query1.finance.yahoo.com", rate = "1/s", concurrency = 2 }

local EPOCH = "1970-01-01"
local DAY = 86400

local yahoo = {}

-- Midnight UTC of a date, in seconds.
function yahoo.seconds(date)
  return math.abs(dts.date.diff(date, EPOCH)) * DAY
end

local function number(list, i)
  local value = list[i]
  return value ~= dts.null and value or nil
end

-- A decoded reply in, the same out. A period without a price is an error to the service, and an empty chart to us.
function yahoo.checked(reply)
  local fault = reply.chart.error
  if not fault then return reply end
  if not fault.description:find("^Data doesn't exist") then error("Yahoo Finance: " .. fault.description, 2) end
  return { chart = { result = { { meta = {}, indicators = { quote = { {} } } } } } }
end

-- The decoded chart in, one row a trading day out. A day is the exchange's own; a price that is not known is left out.
function yahoo.rows(reply)
  local chart = reply.chart.result[1]
  local quote, offset = chart.indicators.quote[1], chart.meta.gmtoffset or 0
  local rows = {}
  for i, second in ipairs(chart.timestamp or {}) do
    rows[i] = {
      date = dts.date.add(EPOCH, (second + offset) // DAY),
      open = number(quote.open, i), high = number(quote.high, i), low = number(quote.low, i),
      value = number(quote.close, i), volume = number(quote.volume, i),
    }
  end
  return rows
end

-- The rows of a CSV export (Date, Open, High, Low, Close, Adj Close, Volume, in any order) in, the same rows out.
function yahoo.exported(records)
  local rows = {}
  for r in records do
    rows[#rows + 1] = {
      date = r.Date, open = tonumber(r.Open), high = tonumber(r.High), low = tonumber(r.Low),
      value = tonumber(r.Close), volume = tonumber(r.Volume),
    }
  end
  return rows
end

-- Prices of `symbol` from one date to another, both included (the service leaves the end of its period out).
function yahoo.daily(symbol, from, to)
  local query = { period1 = yahoo.seconds(from), period2 = yahoo.seconds(to) + DAY, interval = "1d" }
  local res = source:get("/v8/finance/chart/" .. symbol, { query = query, accept = { 400 } })
  return yahoo.rows(yahoo.checked(res:json()))
end

return yahoo
