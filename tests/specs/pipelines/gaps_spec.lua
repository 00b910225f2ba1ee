-- The fuel system's series as a whole: which dates are asked for, when they are given up, and how they are repaired.
-- These need an engine: `dts test` brings one; plain busted shows them as pending.
-- SPDX-License-Identifier: MIT

require "tests.specs.helper"
local dts = require "dts"
local engine = dts.test and it or pending
local MONDAY = "1970-01-05"
local DAY = "%d/%m/%Y"

-- The service's reply for the days asked, each worth 5; `without` lists days that it never has.
local function bank(asked, without)
  return function(req)
    local from = dts.date.parse(req.query.dataInicial, DAY)
    local to = dts.date.parse(req.query.dataFinal, DAY)
    asked[#asked + 1] = from .. "/" .. to
    local points = {}
    for _, day in ipairs(dts.date.range(from, to)) do
      local weekday = math.abs(dts.date.diff(day, MONDAY)) % 7 < 5
      if weekday and not without[day] then points[#points + 1] = { data = dts.date.format(day, DAY), valor = "5" } end
    end
    return { json = points }
  end
end

local function currency(to)
  local keys = { ["CURRENCY#USD"] = { code = 1 } }
  return dts.test {
    file = "pipelines/fuel/quotes.lua", now = "2023-12-15T10:00-03:00",
    gaps = { currency = { keys = keys, since = "2023-12-01", to = to, refresh = "0d" } },
  }
end

describe("the dollar", function()
  engine("is asked for once, over a weekend too, and never again when all is there", function()
    local t <close> = currency("2023-12-08")
    local asked = {}
    t:http("bcb", bank(asked, {}))
    t:run("currency")
    assert.same({ "2023-12-01/2023-12-08" }, asked)
    t:run("currency")
    assert.equal(1, #asked)
    assert.equal(6, t:count("quotes"))
  end)

  engine("is given up for a day that never comes, after six attempts, and for that day alone", function()
    local t <close> = currency("2023-12-08")
    local asked = {}
    t:http("bcb", bank(asked, { ["2023-12-05"] = true }))
    t:run("currency")
    t:advance("30d")
    assert.equal(1, t:count("dts_quarantine"))
    assert.equal(5, t:count("quotes"))
    assert.same({ "2023-12-01/2023-12-08", "2023-12-05/2023-12-05" }, { asked[1], asked[#asked] })
    assert.equal(6, #asked)
  end)

  engine("asks for two holes as two spans", function()
    local t <close> = currency("2023-12-08")
    local asked, missing = {}, { ["2023-12-04"] = true, ["2023-12-06"] = true, ["2023-12-07"] = true }
    t:http("bcb", bank(asked, missing))
    t:run("currency")
    t:advance("6h")
    table.sort(asked)
    assert.same({ "2023-12-01/2023-12-08", "2023-12-04/2023-12-04", "2023-12-06/2023-12-07" }, asked)
  end)

  engine("is asked for by the schedule when it is new, and by recheck when it was missing", function()
    local t <close> = currency("2023-12-29")
    local asked = {}
    t:http("bcb", bank(asked, { ["2023-12-05"] = true }))
    t:run("currency")
    t:advance("1h")
    assert.same({ "2023-12-01/2023-12-14" }, asked)
    t:advance("2h")
    assert.same({ "2023-12-05/2023-12-05" }, { table.unpack(asked, 2) })
    t:advance("3d")
    assert.equal("quarantined", t:sql("select state from dts_gaps where date = '2023-12-05'")[1].state)
    assert.equal(6, #asked)
    t:advance("9h")
    assert.same({ "2023-12-15/2023-12-15" }, { table.unpack(asked, 7) })
    assert.equal(0, t:sql("select count(*) as n from dts_gaps where date > '2023-12-05' and state = 'retrying'")[1].n)
  end)
end)
