-- Euro foreign exchange reference rates of the European Central Bank, about 16:00 CET on each TARGET day.
-- Documentation: https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/
-- Limits: none are stated. There is no date range: one file has the last 90 days, another all since 1999.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

local source = dts.source { name = "ecb", url = "https://www.ecb.europa.eu", rate = "1/s", concurrency = 1 }

local RECENT = "/stats/eurofxref/eurofxref-hist-90d.xml"
local ALL = "/stats/eurofxref/eurofxref-hist.xml"
local RECENT_DAYS = 85

local ecb = {}

-- The file's elements in document order in: first a day, <Cube time="…">, then its <Cube currency="…" rate="…">.
-- The days of one currency from one date to another out, oldest first (the file has the newest first).
function ecb.rows(elements, currency, from, to)
  local rows, day = {}, nil
  for element in elements do
    day = element.time or day
    if element.currency == currency and day >= from and day <= to then
      table.insert(rows, 1, { date = day, value = tonumber(element.rate) })
    end
  end
  return rows
end

-- The smaller file, when it reaches back far enough.
function ecb.file(from, today)
  return from >= dts.date.add(today, -RECENT_DAYS) and RECENT or ALL
end

-- Units of `currency` for one euro, from one date to another, both included.
function ecb.rates(currency, from, to)
  local res = source:get(ecb.file(from, dts.today()), { cache = "1h" })
  return ecb.rows(res:rows { at = "//*[@time or @currency]" }, currency, from, to)
end

return ecb
