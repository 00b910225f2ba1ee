-- The public example data sets of the Vega project: prices, jobs, climate, nations and films in CSV, TSV and JSON.
-- Documentation: https://vega.github.io/vega-datasets/ (what each file holds and where it came from)
-- Limits: none are stated; the files change about once a year.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

local source = dts.source { name = "vega", url = "https://vega.github.io/vega-datasets/data", concurrency = 4 }

local WORDED = "%b %d %Y"
local UNEMPLOYMENT_DATE = "2009-01-01"
local JOBS = { "manufacturing", "construction", "government" }

local vega = {}

local function fact(series, place, date, value)
  return { series = series, place = place, date = date, value = tonumber(value) }
end

-- For each file one pure function: a record in, a list of facts { series, place, date, value } out.
vega.facts = {
  ["stocks.csv"] = function(r)
    return { fact("STOCK#" .. r.symbol, "US", dts.date.parse(r.date, WORDED), r.price) }
  end,
  ["sp500.csv"] = function(r)
    return { fact("INDEX#SP500", "US", dts.date.parse(r.date, WORDED), r.price) }
  end,
  ["us-employment.csv"] = function(r)
    local facts = {}
    for _, column in ipairs(JOBS) do facts[#facts + 1] = fact("JOBS#" .. column, "US", r.month, r[column]) end
    return facts
  end,
  ["co2-concentration.csv"] = function(r)
    return { fact("CO2", "WORLD", r.Date, r.CO2) }
  end,
  ["gapminder.json"] = function(r)
    local date = ("%d-01-01"):format(r.year)
    return {
      fact("POPULATION", r.country, date, r.pop), fact("LIFE", r.country, date, r.life_expect),
      fact("FERTILITY", r.country, date, r.fertility),
    }
  end,
  ["unemployment.tsv"] = function(r)
    return { fact("UNEMPLOYMENT", "US-" .. ("%05d"):format(tonumber(r.id)), UNEMPLOYMENT_DATE, r.rate) }
  end,
}

-- A film in, a clean row out; or nil and the reason. Titles may be numbers, dates are written in words.
function vega.film(r, today)
  if r.Title == nil then return nil, "a film without a title" end
  local released = dts.date.parse(r["Release Date"], WORDED)
  if released > today then return nil, ("released on %s, which has not come"):format(released) end
  return {
    title = tostring(r.Title), released = released, genre = r["Major Genre"] or "unknown",
    distributor = r.Distributor or "unknown", budget = r["Production Budget"], gross = r["Worldwide Gross"],
    rating = r["IMDB Rating"], votes = r["IMDB Votes"],
  }
end

-- Yields the records of one of the files.
function vega.records(name, archive)
  return source:get("/" .. name, { archive = archive }):rows()
end

return vega
