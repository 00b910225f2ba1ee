-- The connectors over bodies as sources send them: the real files of the test data where they are, and small ones with
-- the same traits in other orders, encodings and moods.
-- SPDX-License-Identifier: MIT

local fake = require "tests.specs.lua.fake"
local sample = require "tests.specs.lua.sample"
local anp = require "connectors.anp"
local ecb = require "connectors.ecb"
local github = require "connectors.github"
local stooq = require "connectors.stooq"
local yahoo = require "connectors.yahoo"

local data, of = sample.data, sample.of
local real = sample.there and it or pending

local function utf16(text)
  local out = { "\255\254" }
  for _, code in utf8.codes(text) do out[#out + 1] = string.pack("<I2", code) end
  return table.concat(out)
end

describe("the European Central Bank", function()
  local day = '<?xml version="1.0" encoding="%s"?><gesmes:Envelope xmlns:gesmes="http://g" xmlns="http://e">' ..
    '<gesmes:subject>x</gesmes:subject><Cube><Cube time="2024-02-29"><Cube currency="USD" rate="1.0813"/>' ..
    '<Cube currency="ISK" rate="N/A"/></Cube></Cube></gesmes:Envelope>'
  local want = { { currency = "USD", date = "2024-02-29", rate = 1.0813 } }

  it("is read as XML or CSV, by what the body is", function()
    assert.same(want, ecb.read(of(day:format("UTF-8"), "text/xml")))
    assert.same(want, ecb.read(of(day:format("ISO-8859-1"))))
    assert.same(want, ecb.read(of("Date, USD, ISK, \r\n29 February 2024, 1.0813, N/A, \r\n", "text/csv")))
    assert.same(want, ecb.read(of("\239\187\191ISK,Date,USD,\n,2024-02-29,1.0813,\n")))
  end)

  it("refuses a page that stands in its place", function()
    assert.has_error(function() ecb.read(of("<html><body>moved</body></html>", "text/html")) end)
  end)

  real("has 1,984 rates of 64 days as XML, and 104,732 of 6,402 days as CSV", function()
    local rates = ecb.read(of(data "currency/eurofxref-hist-90d.xml"))
    assert.equal(1984, #rates)
    assert.same({ currency = "AUD", date = "2016-12-05", rate = 1.4391 }, rates[1])
    local history = ecb.read(of(data "currency/eurofxref-hist-part.csv"))
    assert.equal(6402 * 21 - 29710, #history)
    assert.same({ "1999-01-04", "2023-12-29" }, { history[1].date, history[#history].date })
  end)
end)

describe("GitHub", function()
  real("gives a row for a repository, a page of a search and the limits as its API shows them", function()
    local function example(name) return of(data("github/openapi-examples/" .. name .. ".json")):json() end
    local repo = github.row(example "full-repository")
    assert.same({ "octocat/Hello-World", 80, 9 }, { repo.repo, repo.stars, repo.forks })
    assert.equal("dtrupenn/Tetris", github.rows(example "repo-search-result-item-paginated")[1].repo)
    assert.same({ left = 4999, limit = 5000, reset = "2023-08-09T14:29:23.000Z" },
      github.limits(example "rate-limit-overview").core)
  end)
end)

describe("prices", function()
  it("of Stooq come in other orders, marks and with rows cut short", function()
    local want = { { date = "2010-04-26", open = 1, high = 3, low = 0.5, value = 2 } }
    for i, text in ipairs {
      "Date,Open,High,Low,Close,Volume\r\n2010-04-26,1,3,.5,2\r\n",
      "Data,Zamkniecie,Otwarcie,Najwyzszy,Najnizszy,Wolumen\n2010-04-26,2,1,3,.5,\n",
      "\239\187\191Data,Otwarcie,Najwyższy,Najniższy,Zamknięcie,Wolumen\n2010-04-26,1,3,0.5,2,N/D",
    } do
      assert.same(want, stooq.rows(of(text):rows { format = "csv", bad = "null" }), i)
    end
  end)

  it("of Yahoo's export come with null for what is not known", function()
    assert.same({ { date = "2020-07-07", value = 22.76 } },
      yahoo.exported(of("Date,High,Low,Open,Close,Volume,Adj Close\n2020-07-07,null,null,null,22.76,null,22.1"):rows()))
    assert.has_error(function() yahoo.exported(of("<html>Too Many Requests</html>"):rows { at = "html" }) end)
  end)

  real("of real exports, whatever the order of their columns", function()
    local counts = { ["PETR3.SA.2020-07-07"] = 629, ["UGPA3.SA.2020-07-15"] = 388, ["PETR4.SA.2020-07-15"] = 630 }
    for name, count in pairs(counts) do
      assert.equal(count, #yahoo.exported(of(data("stocks/b3-vintages/" .. name .. ".csv")):rows()), name)
    end
    local rows = stooq.rows(of(data "stocks/stooq/xom_us_d.csv"):rows { bad = "null" })
    assert.equal(8365, #rows)
    for _, row in ipairs(rows) do assert.equal(row.date == "2010-04-26", row.volume == nil, row.date) end
  end)
end)

describe("the fuel price survey", function()
  local HEADER = "Regiao - Sigla;Estado - Sigla;Municipio;Revenda;CNPJ da Revenda;Produto;Data da Coleta;" ..
    "Valor de Venda;Valor de Compra;Unidade de Medida;Bandeira\r\n"
  local LINE = "S;RS;SÃO JOSÉ;\"POSTO \"\"A\"\"; B\"; 61.602.199/0065-87;%s;04/12/2023;%s;;%s;BRANCA\r\n"
  local latin1 = { ["Ã"] = "\195", ["É"] = "\201", ["³"] = "\179" }

  before_each(function()
    fake.engine({}, { tables = { pump = {
      "station text", "product text", "date date", "price real not null", "unit text", "region text", "state text",
      "city text", "brand text",
    } } })
  end)
  after_each(fake.restore)

  local function all(text)
    local list = {}
    for row in of(text):rows(anp.shape "pump") do list[#list + 1] = row end
    return list
  end

  it("is read in each of its encodings: with a mark, without, Latin-1, UTF-16", function()
    local text = HEADER .. LINE:format("GNV", "4,99", "R$ / m³") .. LINE:format("GLP", "105", "R$ / 13 kg") ..
      LINE:format("GASOLINA ADITIVADA", "1.105,5", "R$ / litro")
    local single = text:gsub(utf8.charpattern, latin1)
    for i, bytes in ipairs { text, "\239\187\191" .. text, single, utf16(text) } do
      local rows = all(bytes)
      assert.same({
        station = "61.602.199/0065-87", product = "GNV", date = "2023-12-04", price = 4.99, unit = "R$ / m³",
        region = "S", state = "RS", city = "SÃO JOSÉ", brand = "BRANCA",
      }, rows[1], i)
      assert.same({ 105, 1105.5, "R$ / 13 kg" }, { rows[2].price, rows[3].price, rows[2].unit })
    end
  end)

  it("names column, value and line of a price that is none", function()
    assert.matches("^column 'price' %(\"Valor de Venda\"%): a number with a decimal comma expected, got \"cem\"",
      (fake.refused(all, HEADER .. LINE:format("GLP", "cem", "R$ / 13 kg"))))
  end)

  real("has each line of the real files", function()
    for name, count in pairs { ["anp-ultimas-4-semanas-glp"] = 18652, ["anp-diesel-gnv-N-NE-CO"] = 8608,
      ["derived-latin1-anp-glp"] = 2000 } do
      local units = {}
      local rows = all(data("fuel/" .. name .. ".csv"))
      for _, row in ipairs(rows) do
        units[row.unit] = true
        assert(row.station:match("^%d%d%.%d%d%d%.%d%d%d/%d%d%d%d%-%d%d$"), row.station)
      end
      assert.equal(count, #rows)
      local want = name:find("gnv") and { ["R$ / litro"] = true, ["R$ / m³"] = true } or { ["R$ / 13 kg"] = true }
      assert.same(want, units)
    end
  end)
end)
