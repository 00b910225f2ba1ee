-- Euro foreign exchange reference rates of the European Central Bank, about 16:00 CET on each TARGET day.
-- Documentation: https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/
-- Limits: none are stated. There is no date range: files have the last day, the last 90, all since 1999.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

local source = dts.source { name = "ecb", url = "https://www.ecb.europa.eu", rate = "1/s", concurrency = 1 }

local FOLDER = "/stats/eurofxref/"
local DAY, RECENT, ALL = "eurofxref-daily.xml", "eurofxref-hist-90d.xml", "eurofxref-hist.xml"
local RECENT_DAYS = 85
local WORDED = "%d %b %Y"
local NOTHING = { ["N/A"] = true, [""] = true, ["-"] = true }

local ecb = {}

local function by_date(a, b)
  if a.date ~= b.date then return a.date < b.date end
  return a.currency < b.currency
end

-- XML in document order in: first a day, <Cube time="…">, then its <Cube currency="…" rate="…">. Units for one euro,
-- { currency, date, rate }, out, oldest first (the file has the newest first).
function ecb.elements(elements)
  local list, day = {}, nil
  for element in elements do
    day = element.time or day
    if element.currency and not NOTHING[element.rate] then
      list[#list + 1] = { currency = element.currency, date = day, rate = tonumber(element.rate) }
    end
  end
  table.sort(list, by_date)
  return list
end

-- CSV records in: Date, then one column for each currency; N/A, or nothing, before it began and after it ended. The
-- file of one day writes its date in words ("29 February 2024").
function ecb.records(records)
  local list = {}
  for record in records do
    local date = record.Date:find("^%d+%-") and record.Date or dts.date.parse(record.Date, WORDED)
    for name, rate in pairs(record) do
      if name:find("^%u%u%u$") and not NOTHING[rate] then
        list[#list + 1] = { currency = name, date = date, rate = tonumber(rate) }
      end
    end
  end
  table.sort(list, by_date)
  return list
end

-- All rates of a body in either form.
function ecb.read(body)
  if body:text():find("^%s*<") then return ecb.elements(body:rows { at = "//*[@time or @currency]" }) end
  return ecb.records(body:rows { format = "csv" })
end

-- The smallest file that reaches back far enough.
function ecb.file(from, today)
  return FOLDER .. (from >= dts.date.add(today, -RECENT_DAYS) and RECENT or ALL)
end

-- The last day's rates of all currencies: { currency, date, rate }.
function ecb.daily()
  return ecb.read(source:get(FOLDER .. DAY, { cache = "10m" }))
end

-- Units of `currency` for one euro, { date, value }, from one date to another, both included.
function ecb.rates(currency, from, to)
  local rows = {}
  for _, r in ipairs(ecb.read(source:get(ecb.file(from, dts.today()), { cache = "1h" }))) do
    if r.currency == currency and r.date >= from and r.date <= to then
      rows[#rows + 1] = { date = r.date, value = r.rate }
    end
  end
  return rows
end

return ecb
