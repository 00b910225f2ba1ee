-- Each noun: what a load reports, and what the analyst is told, word for word.
-- SPDX-License-Identifier: MIT

local fake = require "tests.specs.lua.fake"

local function load(text, answers)
  return fake.load('local dts = require "dts"\n' .. text, answers)
end

local function one(text, answers)
  local d = load(text, answers)[1]
  d.file, d.line = nil, nil
  return d
end

local function said(text) return (fake.refused(load, text)) end

describe("dts.table", function()
  after_each(fake.restore)

  it("reports columns in order, taken apart", function()
    assert.same({
      noun = "table", name = "rates", key = { "currency", "date" }, index = { { "date" } }, private = false,
      keep_ms = 34560000000, rows = "data/x.csv",
      columns = {
        { name = "currency", type = "text", not_null = false, doc = "" },
        { name = "date", type = "date", not_null = false, doc = "" },
        { name = "rate", type = "real", not_null = true, default = "0", check = "rate > 0", doc = "units -- of it" },
        { name = "note", type = "text", not_null = true, default = "'a -- not null'", doc = "" },
        { name = "n", type = "integer", not_null = false, default = "(1 + 2)", check = "n in (1, 2)", doc = "" },
      },
    }, one [[dts.table { name = "rates", key = { "currency", "date" }, index = { { "date" } }, keep = "400d",
      rows = "data/x.csv", columns = { "currency text", "date date",
      "rate real not null default 0 check (rate > 0) -- units -- of it", "note text default 'a -- not null' not null",
      "n integer check (n in (1, 2)) default (1 + 2)" } }]])
  end)

  it("refuses what is wrong, and says what to write", function()
    assert.equal("dts.table 'x': unknown field 'colums'; did you mean 'columns'?",
      said 'dts.table { name = "x", colums = { "a text" } }')
    assert.equal("dts.table: field 'name' is missing: the table's name, for example name = \"rates\"",
      said 'dts.table { columns = { "a text" } }')
    assert.equal('dts.table \'x\': column "a txt": unknown type \'txt\'; did you mean \'text\'?; the types are ' ..
      "text integer real boolean date timestamp json", said 'dts.table { name = "x", columns = { "a txt" } }')
    assert.equal("dts.table 'x': field 'key': there is no column 'dat'; did you mean 'date'?",
      said 'dts.table { name = "x", key = { "dat" }, columns = { "date date" } }')
    assert.equal("dts.table 'x': column 'a' stands twice",
      said 'dts.table { name = "x", columns = { "a text", "a date" } }')
    assert.equal([[dts.table 'x': column "a text nul": 'nul' is not understood after the type]],
      said 'dts.table { name = "x", columns = { "a text nul" } }')
    assert.equal([[dts.table 'x': field 'keep': a duration such as "30s", "15m", "6h" or "7d" expected, got 5]],
      said 'dts.table { name = "x", keep = 5, columns = { "a text" } }')
    assert.equal("dts.table 'a b': field 'name': a name of letters, digits and _ expected, got \"a b\"",
      said 'dts.table { name = "a b", columns = { "a text" } }')
  end)

  it("names the line", function()
    local _, where = fake.refused(load, '\n\ndts.table { name = "x", columns = { "a txt" } }')
    assert.equal("pipelines/x.lua:4", where)
  end)
end)

describe("dts.source", function()
  after_each(fake.restore)

  it("reports its manners", function()
    assert.same({ noun = "source", name = "g", url = "https://g.com", rate_count = 5000, rate_ms = 3600000,
      concurrency = 8,
      headers = { A = "Bearer {secret?:T}" }, timeout_ms = 30000 }, one [[dts.source { name = "g",
        url = "https://g.com",
      rate = "5000/h", concurrency = 8, headers = { A = "Bearer {secret?:T}" }, timeout = "30s" }]])
  end)

  it("refuses addresses and rates that are none", function()
    assert.equal([[dts.source 'g': field 'url': an address that begins with https:// expected, got "g.com"]],
      said 'dts.source { name = "g", url = "g.com" }')
    for url, shown in pairs {
      ["https://{secret:K}/"] = [[an address that begins with https:// expected, got "https://{secret:K}/"]],
      ["https://g.{secret:K}/"] = [[{secret:NAME} stands in the path alone, got "https://g.{secret:K}/"]],
      ["https://g.com/{secret?:K}"] = [[{secret:NAME} stands in the path alone, got "https://g.com/{secret?:K}"]],
      ["https://g.com/{secrets:K}"] = [[{secret:NAME} expected, got "{secrets:K}"]],
    } do
      assert.equal("dts.source 'g': field 'url': " .. shown, said(('dts.source { name = "g", url = %q }'):format(url)))
    end
    assert.equal([[dts.source 'g': field 'query': 'key': {secret:NAME} expected, got "{secret: KEY}"]],
      said 'dts.source { name = "g", url = "https://g.com", query = { key = "{secret: KEY}" } }')
    assert.equal([[dts.source 'g': field 'rate': a rate such as "5/s", "60/m" or "5000/h" expected, got "5"]],
      said 'dts.source { name = "g", url = "https://g.com", rate = "5" }')
  end)
end)

describe("dts.pipeline", function()
  after_each(fake.restore)

  it("reports when it runs, with defaults, its tables and its sources", function()
    local list = load [[
local s = dts.source { name = "s", url = "https://s.com" }
dts.pipeline { name = "p", every = "15m", params = { b = "integer = 10 -- how many", a = "date?", c = { "x", "y" } },
  limits = { time = "10m", memory = "64MB" }, allow = { tables = "other" },
  run = function() end }
dts.table { name = "t", columns = { "a text" } }
]]
    local p = list[2]
    assert.same({
      noun = "pipeline", name = "p", file = "pipelines/x.lua", line = 3, trigger = "every", every_ms = 900000,
      missed = "latest", overlap = "skip", retry = 5, batch = 25, on = "success", run_line = 5,
      limits = { time_ms = 600000, memory = 67108864 }, allow = { tables = { "other" }, sources = {}, hosts = {} },
      sources = { "s" }, tables = { "t" },
      params = {
        { name = "a", type = "date", required = false },
        { name = "b", type = "integer", required = false, default = 10, doc = "how many" },
        { name = "c", type = "choice", required = false, default = "x", choices = { "x", "y" } },
      },
    }, p)
  end)

  it("reports gaps and events", function()
    local p = one [[dts.pipeline { name = "p", schedule = "0 20 * * 1-5", run = print, timezone = "America/Sao_Paulo",
      gaps = { table = "q", since = "2015-01-02", lag = "2d", refresh = "7d", complete = "v > 0", max_span = "3650d",
        calendar = dts.calendar { "NYSE", closed = { "2025-01-09" } },
        keys = { ["A"] = { code = 1, since = "2020-01-01" }, B = { calendar = "BR" } } } }]]
    assert.equal("gaps", p.trigger)
    assert.equal("0 */6 * * *", p.recheck)
    assert.same({
      table = "q", since = "2015-01-02", lag_days = 2, refresh_days = 7, max_span_days = 3650, complete = "v > 0",
      bridge = 0, empty = "retry", calendar = { name = "NYSE", closed = { "2025-01-09" }, open = {} },
      keys = { { key = "A", since = "2020-01-01", with = { code = 1 } },
        { key = "B", with = {}, calendar = { name = "BR", closed = {}, open = {} } } },
    }, p.gaps)
    p = one [[dts.pipeline { name = "p", run = print, ingest = { id = "header:x-id", schema = "schemas/a.json",
      signature = { header = "x-s", secret = "W" } } }]]
    assert.same({ id = "header:x-id", schema = { "schemas/a.json" }, archive = false, window_ms = 86400000,
      batch = 1000,
      wait_ms = 1000, signature = { header = "x-s", secret = "W" } }, p.ingest)
    assert.equal("ingest", p.trigger)
    p = one [[dts.pipeline { name = "p", run = print, files = "incoming/*.csv" }]]
    assert.same({ "files", { "incoming/*.csv" } }, { p.trigger, p.files })
    p = one [[dts.pipeline { name = "p", run = print, after = "q", on = "end" }]]
    assert.same({ "after", { "q" }, "end" }, { p.trigger, p.after, p.on })
    assert.equal("hand", one([[dts.pipeline { name = "p", run = print }]]).trigger)
  end)

  it("refuses two reasons to run, and what does not go together", function()
    assert.equal("dts.pipeline 'p': `schedule` and `every` exclude each other: a pipeline runs for one reason",
      said 'dts.pipeline { name = "p", schedule = "0 6 * * *", every = "1h", run = print }')
    assert.equal([[dts.pipeline 'p': field 'every': a duration from "1s" to "3660d" expected, got "0s"]],
      said 'dts.pipeline { name = "p", every = "0s", run = print }')
    assert.equal([[dts.pipeline 'p': gaps: field 'max_span': "1d" or more expected, got "0d"]],
      said 'dts.pipeline { name = "p", gaps = { table = "q", since = "2026-01-01", max_span = "0d" }, run = print }')
    assert.equal("dts.pipeline 'p': `gaps` needs `schedule`, not `every`: it asks for dates, once for each firing",
      said 'dts.pipeline { name = "p", gaps = { table = "q" }, every = "1h", run = print }')
    assert.equal("dts.pipeline 'p': `recheck` asks for missing dates again: it goes with `gaps`",
      said 'dts.pipeline { name = "p", recheck = "0 6 * * *", run = print }')
    assert.equal("dts.pipeline 'p': field 'run' is missing: function(ctx, input) … end",
      said 'dts.pipeline { name = "p" }')
    assert.equal("dts.pipeline 'p': unknown field 'shedule'; did you mean 'schedule'?",
      said 'dts.pipeline { name = "p", shedule = "x", run = print }')
    assert.equal("dts.pipeline 'p': field 'schedule': minute '61' is not understood: " ..
      "expected 0 to 59, got \"61 * * * *\"",
      said 'dts.pipeline { name = "p", schedule = "61 * * * *", run = print }')
    assert.equal("dts.pipeline 'p': field 'schedule': hour '25' is not understood: " ..
      "expected 0 to 23, got \"0 25 * * *\"",
      said 'dts.pipeline { name = "p", schedule = "0 25 * * *", run = print }')
    local _, _, hint = fake.refused(load, 'dts.pipeline { name = "p", schedule = "0 22-2 * * *", run = print }')
    assert.equal("a range does not go round its end: write '22-23,0-2'", hint)
    assert.equal("dts.pipeline 'p': field 'schedule': a schedule such as \"30 16 * * 1-5\" expected, got 7",
      said 'dts.pipeline { name = "p", schedule = 7, run = print }')
    assert.equal("dts.pipeline 'p': parameter 'a': unknown type 'dat'; did you mean 'date'?",
      said 'dts.pipeline { name = "p", params = { a = "dat?" }, run = print }')
    assert.equal("dts.pipeline 'p': parameter 'a': the default \"x\" is not of type integer",
      said 'dts.pipeline { name = "p", params = { a = "integer = x" }, run = print }')
    assert.equal("dts.pipeline 'p': gaps: unknown field 'calender'; did you mean 'calendar'?",
      said 'dts.pipeline { name = "p", gaps = { table = "q", since = "2015-01-02", calender = "BR" }, run = print }')
    assert.equal([[dts.pipeline 'p': gaps: field 'since': a date such as "2024-02-29" expected, got "2015-02-30"]],
      said 'dts.pipeline { name = "p", gaps = { table = "q", since = "2015-02-30" }, run = print }')
  end)
end)

describe("dts.rollup, dts.view, dts.alert", function()
  after_each(fake.restore)

  it("report what they are made of", function()
    assert.same({ noun = "rollup", name = "r", from = "t", time = "d", every = { "week", "month" },
      by = { { expr = "a", name = "a" }, { expr = "lower(b)", name = "low" } },
      measures = { { expr = "last(x)", name = "x" }, { expr = "count(*)", name = "n" } } },
      one [[dts.rollup { name = "r", from = "t", time = "d", every = { "week", "month" }, by = { "a",
        "lower(b) as low" },
        measures = { "last(x) as x", "count(*) AS n" } }]])
    assert.same({ noun = "view", name = "v", sql = "select 1", keep = true },
      one [=[dts.view { name = "v", keep = true, sql = [[ select 1 ]] }]=])
    assert.same({ noun = "alert", name = "a", every_ms = 600000, hold_ms = 1800000, remind_ms = 86400000,
      when = "select 1" },
      one [[dts.alert { name = "a", hold = "30m", remind = "1d", when = "select 1" }]])
  end)

  it("refuse what is wrong", function()
    assert.equal("dts.rollup 'r': field 'every': unknown period 'weeks'; did you mean 'week'?; the periods are " ..
      "minute, hour, day, week, month, quarter, year",
      said 'dts.rollup { name = "r", from = "t", time = "d", every = "weeks", measures = "count(*) as n" }')
    assert.equal([[dts.rollup 'r': field 'measures': "expression as name" expected, got "count(*)"]],
      said 'dts.rollup { name = "r", from = "t", time = "d", every = "week", measures = "count(*)" }')
    assert.equal([[dts.alert 'a': field 'to': "mailto:name@host" or "https://…" expected, got "me"]],
      said 'dts.alert { name = "a", when = "select 1", to = "me" }')
  end)
end)

describe("dts.route and dts.dashboard", function()
  after_each(fake.restore)

  it("report addresses, parameters and charts", function()
    assert.same({ noun = "route", name = "GET /api/r/{owner}/{path...}", method = "GET",
      path = "/api/r/{owner}/{path...}",
      public = true, from = "t", order = { "-date" }, timeout_ms = 2000, handler = false, limit = 5,
      params = { { name = "from", type = "date", required = false }, { name = "owner", type = "text", required = true },
        { name = "path", type = "text", required = true } } },
      one [[dts.route { "GET /api/r/{owner}/{path...}", from = "t", order = "-date", public = true, limit = 5,
        params = { from = "date?" } }]])
    assert.same({ noun = "dashboard", name = "d", public = false,
      filters = { { name = "repo" }, { name = "every", choices = { "week", "month" } } },
      charts = { { kind = "line", from = "t_{every}", x = "p", y = "avg(s)", by = "r", wide = false, order = {} },
        { kind = "text", text = "hello", wide = false, order = {} } } },
      one [[dts.dashboard { name = "d", filters = { "repo", { "every", choices = { "week", "month" } } },
        { "line", from = "t_{every}", x = "p", y = "avg(s)", by = "r" }, { "text", text = "hello" } }]])
    assert.is_true(one([[dts.route { "POST /api/x", run = print }]]).handler)
  end)

  it("refuse what is wrong", function()
    assert.equal([[dts.route: a method and a path expected first, for example "GET /api/rates", got "/api/rates"]],
      said 'dts.route { "/api/rates", from = "t" }')
    assert.equal("dts.route 'GET /api/v1/x': /api/v1 is the engine's own",
      said 'dts.route { "GET /api/v1/x", from = "t" }')
    assert.equal("dts.route 'GET /api/x': `from`, `sql` or `run` is missing: where the reply comes from",
      said 'dts.route { "GET /api/x" }')
    assert.equal("dts.route 'GET /api/x': `from`, `sql` exclude each other",
      said 'dts.route { "GET /api/x", from = "t", sql = "select 1" }')
    assert.equal("dts.route 'POST /api/x': POST needs `run`: tables and SQL answer GET",
      said 'dts.route { "POST /api/x", from = "t" }')
    assert.equal("dts.dashboard 'd': chart 1: a kind expected first, one of line, area, bar, scatter, heatmap, " ..
      "number, table, text; got \"lines\"; did you mean 'line'?",
      said 'dts.dashboard { name = "d", { "lines", from = "t" } }')
    assert.equal("dts.dashboard 'd': chart 1 'A': a line chart needs `y`: the column upwards, " ..
      "or an aggregate: \"avg(price)\"",
      said 'dts.dashboard { name = "d", { "line", title = "A", from = "t", x = "d" } }')
    assert.equal("dts.dashboard 'd': chart 1: a line chart has no `columns`",
      said 'dts.dashboard { name = "d", { "line", from = "t", x = "d", y = "e", columns = { "a" } } }')
  end)
end)

describe("the names of dts", function()
  after_each(fake.restore)

  it("are known, and the nearest is named", function()
    assert.equal("dts: there is no 'tabel'; did you mean 'table'?", said 'dts.tabel { }')
    assert.equal("dts.log: there is no level 'wran'; did you mean 'warn'?", said 'dts.log.wran "x"')
    assert.equal("dts: 'x' cannot be set", said "dts.x = 1")
  end)

  it("hold for each shipped pipeline and connector", function()
    local pipe = io.popen("ls pipelines/*/*.lua")
    local count = 0
    for path in pipe:lines() do
      local file <close> = assert(io.open(path))
      local declared = fake.play("load", file:read("a"), {}, { file = path }).declared
      assert(#declared > 0, path)
      count = count + 1
    end
    pipe:close()
    assert(count >= 16)
  end)
end)
