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
  return dts.date.diff(date, EPOCH) * DAY
end

local function number(list, i)
  local value = list and list[i]
  return type(value) == "number" and value or nil
end

-- A decoded reply in, the same out. A period without a price is an error to the service, and an empty chart to us.
function yahoo.checked(reply)
  local fault = type(reply.chart) == "table" and reply.chart.error
  if type(reply.chart) ~= "table" then error("Yahoo Finance: a chart expected, got none", 0) end
  if not fault or fault == dts.null then return reply end
  if not fault.description:find("^Data doesn't exist") then error("Yahoo Finance: " .. fault.description, 0) end
  return { chart = { result = {} } }
end

-- The exchange's own day: its zone knows summer time, `gmtoffset` only what holds today.
local function day_of(second, meta)
  if meta.exchangeTimezoneName then
    return dts.date.of(dts.date.parse(("%d"):format(second), "%s"), meta.exchangeTimezoneName)
  end
  return dts.date.add(EPOCH, (second + (meta.gmtoffset or 0)) // DAY)
end

-- The decoded chart in, one row a trading day out; a price that is not known is left out.
function yahoo.rows(reply)
  local chart = (reply.chart.result or {})[1] or {}
  local quote = ((chart.indicators or {}).quote or {})[1] or {}
  local rows = {}
  for i, second in ipairs(chart.timestamp or {}) do
    rows[i] = {
      date = day_of(second, chart.meta or {}),
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
      date = dts.date.parse(r.Date), open = tonumber(r.Open or ""), high = tonumber(r.High or ""),
      low = tonumber(r.Low or ""), value = tonumber(r.Close or ""), volume = tonumber(r.Volume or ""),
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
