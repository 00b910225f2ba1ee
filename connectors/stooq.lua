-- Daily prices from Stooq, as CSV.
-- Documentation: https://stooq.com/db/h/ (the address is the link "Download data in csv file" of a quote's page)
-- Limits: a daily number of downloads for each address, not stated; past it the reply is a sentence, with status 200.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

local source = dts.source { name = "stooq", url = "https://stooq.com", rate = "1/s", concurrency = 1 }

local COMPACT = "%Y%m%d"
local SHOWN = 80
local NAMES = { -- the columns in English and in Polish, with its own letters and without
  date = { "Date", "Data" }, open = { "Open", "Otwarcie" },
  high = { "High", "Najwyzszy", "Najwyższy" }, low = { "Low", "Najnizszy", "Najniższy" },
  value = { "Close", "Zamkniecie", "Zamknięcie" }, volume = { "Volume", "Wolumen" },
}

local stooq = {}

local function pick(record, names)
  for _, name in ipairs(names) do
    if record[name] then return record[name] end
  end
end

-- Records under English or Polish headers, in any order, in; rows out. A record without volume is real (2010-04-26 of
-- xom.us is one), and what is no number (N/A, N/D) is not known.
function stooq.rows(records)
  local rows = {}
  for r in records do
    local row = {}
    for name, theirs in pairs(NAMES) do
      local text = pick(r, theirs)
      row[name] = name == "date" and text or tonumber(text or "")
    end
    if not row.date then error("stooq: a record without a date (Date, Data)", 0) end
    if row.date:find("^%d%d%d%d%d%d%d%d$") then row.date = dts.date.parse(row.date, COMPACT) end
    rows[#rows + 1] = row
  end
  return rows
end

-- What a reply is by its first line: "prices", "nothing" for the dates asked, or "limit" and what the service said.
function stooq.kind(text)
  local first = text:gsub("^\239\187\191", ""):match("^%s*([^\r\n]*)")
  if first:find("^Dat[ea][,;]") or first:find(",Dat[ea],") then return "prices" end
  if first == "" or first:find("^No data") or first:find("^Brak danych") then return "nothing" end
  if first:find("^<") then return "limit", "a page instead: " .. first:sub(1, SHOWN) end
  return "limit", first:sub(1, SHOWN)
end

-- Prices of `symbol`, for example "xom.us", from one date to another, both included.
function stooq.daily(symbol, from, to)
  local query = { s = symbol, d1 = dts.date.format(from, COMPACT), d2 = dts.date.format(to, COMPACT), i = "d" }
  local res = source:get("/q/d/l/", { query = query })
  local kind, said = stooq.kind(res:text())
  if kind == "limit" then error("stooq.com gives no prices now: " .. said, 0) end
  return kind == "prices" and stooq.rows(res:rows { format = "csv", bad = "null" }) or {}
end

return stooq
