-- Six public files in three formats, cleaned and merged into the star; the raw files are kept.
-- SPDX-License-Identifier: MIT

local dts = require "dts"
local vega = require "connectors.vega"

local function place(name)
  if name == "WORLD" then return { place = name, level = "world" } end
  local country = name:match("^(US)%-%d+$")
  return { place = name, level = country and "county" or "country", parent = country or "WORLD" }
end

local function day(date)
  local parts = dts.date.parts(date)
  return { date = date, year = parts.year, quarter = parts.quarter, month = parts.month }
end

dts.pipeline {
  name = "markets", schedule = "0 5 * * 1", timezone = "UTC",
  allow = { tables = { "fact_value", "dim_place", "dim_date" } },
  run = function(ctx)
    local places, days = {}, {}
    for name, facts in pairs(vega.facts) do
      for record in vega.records(name, "vega/" .. name) do
        for _, fact in ipairs(facts(record)) do
          if fact.value then
            ctx:put("fact_value", fact)
            places[fact.place], days[fact.date] = true, true
          end
        end
      end
    end
    for name in pairs(places) do ctx:put("dim_place", place(name)) end
    for date in pairs(days) do ctx:put("dim_date", day(date)) end
  end,
}
