-- Four systems as wholes on real files: what is stored equals what an independent engine computed from the same files
-- (oracle-duckdb.json), and what is broken is set aside whole. They need an engine and the test data.
-- SPDX-License-Identifier: MIT

local helper = require "tests.specs.helper"
local dts = require "dts"
local engine = dts.test and helper.root and it or pending

local function rows(t, sql)
  local answer = t:sql(sql)
  return answer.rows or answer
end

local function oracle()
  return dts.json.decode(helper.data("oracle-duckdb.json"))
end

describe("files", function()
  engine("hold each price of the survey, and the same means by state", function()
    local t <close> = dts.test { file = "pipelines/files/records.lua", now = "2024-01-02T10:00-03:00" }
    t:drop("anp-glp.csv", helper.data("fuel/anp-ultimas-4-semanas-glp.csv"))
    assert.equal(18652, t:count("records"))
    local found = {}
    for _, r in ipairs(rows(t, "select state, count(*) as n, avg(price) as mean from records group by state")) do
      found[r.state] = r
    end
    for _, want in ipairs(oracle().fuel[1].by_state) do
      assert.equal(tonumber(want.n), found[want.uf].n)
      assert.is_near(want.av, found[want.uf].mean, 1e-5)
    end
  end)

  engine("read an older file in Latin-1 alike", function()
    local t <close> = dts.test { file = "pipelines/files/records.lua", now = "2024-01-02T10:00-03:00" }
    t:drop("anp-old.csv", helper.data("fuel/derived-latin1-anp-glp.csv"))
    assert.equal(2000, t:count("records"))
    assert.equal(0, rows(t, "select count(*) as n from records where city like '%Ã%'")[1].n)
  end)

  engine("store nothing of a broken file, and name its line", function()
    local t <close> = dts.test { file = "pipelines/files/records.lua", now = "2024-01-02T10:00-03:00" }
    local text = helper.data("fuel/derived-latin1-anp-glp.csv")
    local broken = text:gsub("(06/12/2023);105;", "%1;one hundred;", 1)
    t:drop("anp-broken.csv", broken)
    t:advance("1m")
    assert.equal(0, t:count("records"))
    local set_aside = rows(t, "select name, line, error from dts_quarantine")
    assert.equal(1, #set_aside)
    assert.equal(2, set_aside[1].line)
    assert.matches("one hundred", set_aside[1].error, 1, true)
  end)
end)

describe("the history of GitHub", function()
  engine("has the weeks that the oracle has", function()
    local t <close> = dts.test { now = "2024-04-02T10:00Z" }
    t:drop("data-repos-2024Q1.csv", helper.data("github/ranking-daily/data-repos-2024Q1.csv"))
    local found = {}
    for _, r in ipairs(rows(t, "select repo, period, low, high, days from repo_trend_week")) do
      found[r.repo .. " " .. r.period] = { r.low, r.high, r.days }
    end
    local weeks = 0
    for _, want in ipairs(oracle().ranking[1].weekly) do
      weeks = weeks + 1
      local key = want.repo .. " " .. want.wk
      assert.same({ tonumber(want.mn), tonumber(want.mx), tonumber(want.n_days) }, found[key], key)
      found[key] = nil
    end
    assert.equal(262, weeks)
    assert.is_nil(next(found))
  end)
end)

describe("markets", function()
  engine("merge six files into one star, and set aside films that cannot be", function()
    local t <close> = dts.test { now = "2024-04-01T05:00Z" }
    t:http("vega", function(req) return { body = helper.data("multi/" .. req.path:match("[^/]+$")) } end)
    t:run("markets")
    assert.equal(560 + 123 + 360 + 741 + 3218 + 3 * 682, t:count("fact_value"))
    assert.equal(0, rows(t, [[select count(*) as n from fact_value f left join dim_series s on s.series = f.series
      left join dim_place p on p.place = f.place left join dim_date d on d.date = f.date
      where s.series is null or p.place is null or d.date is null]])[1].n)
    local future = rows(t, "select count(*) as n from films where released > '2024-04-01'")[1].n
    assert.equal(0, future)
    assert.is_true(t:count("films") > 3000)
  end)
end)

describe("events", function()
  local function emit(t, delivery, data)
    return t:emit("webhooks", data, { ["x-github-event"] = "star", ["x-github-delivery"] = delivery })
  end

  engine("are stored once, with the team that looks after the repository", function()
    local t <close> = dts.test { now = "2024-04-01T05:00Z" }
    local data = dts.json.decode(helper.data("events/payloads/star/created.payload.json"))
    assert.same({ 1, 0 }, { emit(t, "one", data).accepted, emit(t, "one", data).accepted })
    t:advance("1s")
    local stored = rows(t, "select event, action, repo, team from hooks")
    assert.same({ { event = "star", action = "created", repo = "Codertocat/Hello-World", team = "platform" } }, stored)
    assert.equal(1, rows(t, "select sum(events) as n from hook_count_minute")[1].n)
  end)

  engine("that break their schema are refused with the path of the fault", function()
    local t <close> = dts.test { now = "2024-04-01T05:00Z" }
    local data = dts.json.decode(helper.data("events/payloads/star/created.payload.json"))
    data.sender.login = 7
    assert.equal("/sender/login", emit(t, "one", data).refused[1].path)
    t:advance("1s")
    assert.equal(0, t:count("hooks"))
    assert.equal(1, t:count("dts_refused"))
  end)
end)
