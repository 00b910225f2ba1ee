-- Daily prices from Stooq, as CSV.
-- Documentation: https://stooq.com/db/h/ (the address is the link "Download data in csv file" of a quote's page)
-- Limits: a daily number of downloads for each address, not stated; past it the reply is a sentence, with status 200.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

local source = dts.source { name = "stooq", url = "https://stooq.com", rate = "1/s", concurrency = 1 }

local COMPACT = "%Y%m%d"

local stooq = {}

local function number(text)
  return text and tonumber(text)
end

-- Records under English or Polish headers in, rows out. A record without volume is real (2010-04-26 of xom.us is one).
function stooq.rows(records)
  local rows = {}
  for r in records do
    rows[#rows + 1] = {
      date = r.Date or r.Data,
      open = number(r.Open or r.Otwarcie), high = number(r.High or r.Najwyzszy), low = number(r.Low or r.Najnizszy),
      value = number(r.Close or r.Zamkniecie), volume = number(r.Volume or r.Wolumen),
    }
  end
  return rows
end

-- What a reply is by its first line: "prices", "nothing" for the dates asked, or "limit" for the day's limit.
function stooq.kind(text)
  local first = text:match("^[^\r\n]*")
  if first:find(",", 1, true) then return "prices" end
  if first == "" or first == "No data" or first == "Brak danych" then return "nothing" end
  return "limit", first
end

-- Prices of `symbol`, for example "xom.us", from one date to another, both included.
function stooq.daily(symbol, from, to)
  local query = { s = symbol, d1 = dts.date.format(from, COMPACT), d2 = dts.date.format(to, COMPACT), i = "d" }
  local res = source:get("/q/d/l/", { query = query })
  local kind, said = stooq.kind(res:text())
  if kind == "limit" then error("stooq.com gives no prices now: " .. said, 2) end
  return kind == "prices" and stooq.rows(res:rows { bad = "null" }) or {}
end

return stooq
