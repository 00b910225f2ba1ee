-- The fuel system under a clock of its own, without a socket: spans, batches, the count of each date, quarantine after
-- the sixth attempt and release; and a month of all its schedules.
-- SPDX-License-Identifier: MIT

require "tests.specs.helper"
local dts = require "dts"
local system = require "system"
local engine = dts.test and it or pending
local DAY = "%d/%m/%Y"
local SERIES = { ["1"] = "CURRENCY#USD", ["21619"] = "CURRENCY#EUR" }

local MOST_SECONDS = tonumber(os.getenv("MONTH_SECONDS") or "30") -- sanitizers, and other work beside it

local bank_days = dts.calendar { "BR" }

-- The Banco Central's reply for the days asked; `lacks(series, day)` says which it does not have.
local function bank(asked, lacks)
  return function(req)
    local from, to = dts.date.parse(req.query.dataInicial, DAY), dts.date.parse(req.query.dataFinal, DAY)
    local code = req.path:match("sgs%.(%d+)/")
    asked[#asked + 1] = (SERIES[code] or code) .. " " .. from .. "/" .. to
    local points = {}
    for _, day in ipairs(dts.date.range(from, to)) do
      if bank_days:has(day) and not (lacks and lacks(code, day)) then
        points[#points + 1] = { data = dts.date.format(day, DAY), valor = "5.25" }
      end
    end
    if #points == 0 then return { status = 404, json = { error = "Value(s) not found" } } end
    return { json = points }
  end
end

local function dollar(since, to)
  return dts.test {
    file = "pipelines/fuel/quotes.lua", now = "2026-03-10T10:00-03:00",
    gaps = { currency = { keys = { ["CURRENCY#USD"] = { code = 1 } }, since = since, to = to, refresh = "0d" } },
  }
end

local function gap(t, date)
  return t:sql("select state, attempts, retry_count from dts_gaps where date = :d", { d = date })[1]
end

describe("a date of the dollar that never comes", function()
  engine("counts one for each recheck, is set aside by the sixth attempt, and starts again when released", function()
    local t <close> = dollar("2026-02-02", "2026-03-06")
    local asked, gone = {}, true
    t:http("bcb", bank(asked, function(_, day) return gone and day == "2026-02-11" end))
    t:run("currency")
    assert.same({ "CURRENCY#USD 2026-02-02/2026-03-06" }, asked)
    for count = 1, 5 do
      assert.same({ state = "retrying", attempts = count, retry_count = count }, gap(t, "2026-02-11"))
      t:advance("6h")
      assert.equal("CURRENCY#USD 2026-02-11/2026-02-11", asked[#asked])
    end
    assert.same({ state = "quarantined", attempts = 6, retry_count = 6 }, gap(t, "2026-02-11"))
    assert.equal(1, t:count("dts_quarantine"))
    t:advance("10d")
    assert.equal(6, #asked)

    gone = false
    assert.equal(1, t:release("currency"))
    assert.same({ state = "retrying", attempts = 6, retry_count = 0 }, gap(t, "2026-02-11"))
    t:advance("6h")
    assert.equal(7, #asked)
    assert.same({ state = "filled", attempts = 7, retry_count = 0 }, gap(t, "2026-02-11"))
    assert.equal(0, t:count("dts_quarantine"))
    assert.equal(bank_days:has("2026-02-16") and 25 or 23, t:count("quotes"))
  end)

  engine("burns no retry for carnival, which is no bank day", function()
    local t <close> = dollar("2026-02-13", "2026-02-18")
    local asked = {}
    t:http("bcb", bank(asked))
    t:run("currency")
    t:advance("3d")
    assert.same({ "CURRENCY#USD 2026-02-13/2026-02-18" }, asked)
    assert.same({ "2026-02-13", "2026-02-18" }, (function(rows)
      return dts.each(rows, function(r) return r.date end)
    end)(t:sql "select date from quotes order by date"))
    assert.equal(0, t:sql("select count(*) as n from dts_gaps where retry_count > 0")[1].n)
  end)
end)

describe("a run that breaks off at a row that cannot be stored", function()
  engine("leaves whole batches of 25, and the rest to the next recheck", function()
    local t <close> = dollar("2025-12-01", "2026-03-06")
    local asked, broken = {}, true
    t:http("bcb", function(req)
      local reply = bank(asked)(req)
      if broken and reply.json[60] then reply.json[60].valor = "1e999" end
      return reply
    end)
    assert.equal("failed", t:run("currency").state)
    assert.equal(50, t:count("quotes"))
    assert.same({ n = 50 }, t:sql("select count(*) as n from dts_gaps where state = 'filled' and retry_count = 0")[1])
    local left = t:sql("select count(*) as n, min(date) as first from dts_gaps where retry_count = 1")[1]
    broken = false
    t:advance("6h")
    assert.same({ "CURRENCY#USD 2025-12-01/2026-03-06", "CURRENCY#USD " .. left.first .. "/2026-03-06" }, asked)
    assert.equal(50 + left.n, t:count("quotes"))
  end)
end)

-- Healthy sources: each answers in its own form for the working days that it is asked for.
local function working_days(from, to)
  local list = {}
  for _, day in ipairs(dts.date.range(from, to)) do
    if dts.date.diff(day, "1970-01-05") % 7 < 5 then list[#list + 1] = day end
  end
  return list
end

local function ptax(req)
  local function day(text) return (text:gsub("'(%d+)-(%d+)-(%d+)'", "%3-%1-%2")) end
  local function quote(date) return { cotacaoVenda = 5.25, dataHoraCotacao = date .. " 13:00:00.000" } end
  local days = working_days(day(req.query["@dataInicial"]), day(req.query["@dataFinalCotacao"]))
  return { json = { value = dts.each(days, quote) } }
end

local function ecb(now)
  return function()
    local list = { "<Envelope><Cube>" }
    for _, day in ipairs(working_days("2026-01-02", now())) do
      list[#list + 1] = ('<Cube time="%s"><Cube currency="USD" rate="1.1"/>'):format(day)
        .. '<Cube currency="BRL" rate="5.9"/><Cube currency="CNY" rate="7.8"/></Cube>'
    end
    return table.concat(list) .. "</Cube></Envelope>"
  end
end

local function yahoo(req)
  local function day(second) return dts.date.add("1970-01-01", tonumber(second) // 86400) end
  local days = working_days(day(req.query.period1), dts.date.add(day(req.query.period2), -1))
  local function each(value) return dts.each(days, function() return value end) end
  local stamps = dts.each(days, function(date) return dts.date.diff(date, "1970-01-01") * 86400 + 52200 end)
  local quote = { open = each(10), high = each(11), low = each(9), close = each(10.5), volume = each(1000) }
  local chart = { meta = { gmtoffset = 0 }, timestamp = stamps, indicators = { quote = { quote } } }
  return { json = { chart = { result = { chart } } } }
end

local function stooq(req)
  local function day(text) return (text:gsub("^(%d%d%d%d)(%d%d)", "%1-%2-")) end
  local lines = { "Date,Open,High,Low,Close,Volume" }
  for _, date in ipairs(working_days(day(req.query.d1), day(req.query.d2))) do
    lines[#lines + 1] = date .. ",1,1,1,1,1"
  end
  return table.concat(lines, "\n")
end

local function survey(now)
  return function(req)
    local product = req.path:find "glp" and "GLP" or "GASOLINA"
    local lines = { "Regiao - Sigla;Estado - Sigla;Municipio;CNPJ da Revenda;Produto;Data da Coleta;Valor de Venda;"
      .. "Unidade de Medida;Bandeira" }
    for _, date in ipairs(working_days("2026-01-05", now())) do
      lines[#lines + 1] = ("SE;SP;SAO PAULO;1;%s;%s;6,29;R$ / litro;BRANCA"):format(product, dts.date.format(date, DAY))
    end
    return table.concat(lines, "\n")
  end
end

describe("a month of the fuel system", function()
  engine("takes a moment with all its schedules and rechecks, and each date is asked for as it comes", function()
    local since = { since = "2026-01-02" }
    local t <close> = dts.test { now = "2026-02-27T10:00-03:00", gaps = {
      currency = since, currencies = since, ptax = since, ecb = since, stocks = since, stooq = since,
      pump = { since = "2026-01-05" },
    } }
    local function today() return "2026-04-01" end
    for name, fake in pairs { bcb = bank {}, ptax = ptax, ecb = ecb(today), yahoo = yahoo, stooq = stooq,
      anp = survey(today), ["*"] = { status = 404, body = "" } } do t:http(name, fake) end
    local begun = system.gettime()
    t:advance("31d")
    local took = system.gettime() - begun
    if os.getenv("MONTH_SECONDS") then print(("a month took %.2f s"):format(took)) end
    assert.is_true(took < MOST_SECONDS, ("%.1f s"):format(took))
    local runs = t:sql [[select pipeline, count(*) as n from dts_runs where pipeline in
      ('currency', 'currencies', 'ptax', 'ecb', 'stocks', 'stooq', 'pump') and state = 'done' group by pipeline]]
    assert.equal(7, #runs)
    local days = t:sql "select info_type, max(date) as last from quotes group by info_type"
    for _, series in ipairs(days) do assert.equal("2026-03-26", series.last, series.info_type) end
    assert.equal(0, t:sql([[select count(*) as n from dts_gaps where state = 'quarantined'
      and pipeline in ('currency', 'currencies', 'ptax', 'ecb', 'stooq', 'stocks', 'pump')]])[1].n)
  end)
end)
