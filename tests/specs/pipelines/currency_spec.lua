-- The pure parts of the connectors to the Banco Central (series and PTAX) and to the European Central Bank.
-- SPDX-License-Identifier: MIT

local helper = require "tests.specs.helper"
local bcb = require "connectors.bcb"
local ecb = require "connectors.ecb"
local ptax = require "connectors.ptax"

local real = helper.root and it or pending

describe("the Banco Central's series", function()
  it("turns day-first dates and values in quotes into rows", function()
    local reply = { { data = "04/06/2020", valor = "5.1041" }, { data = "05/06/2020", valor = "4.9775" } }
    assert.same({ { date = "2020-06-04", value = 5.1041 }, { date = "2020-06-05", value = 4.9775 } }, bcb.rows(reply))
  end)

  it("has no rows for an empty reply", function()
    assert.same({}, bcb.rows {})
  end)

  it("says which value is not a number, and of which day", function()
    local ok, fault = pcall(bcb.rows, { { data = "04/06/2020", valor = "n/a" } })
    assert.is_false(ok)
    assert.matches("field 'valor': number expected, got \"n/a\" %(04/06/2020%)", tostring(fault))
  end)

  it("refuses a day that the calendar does not have", function()
    assert.has_error(function() bcb.rows { { data = "31/02/2020", valor = "5" } } end)
  end)

  it("leaves out a day without a value, and reads a decimal comma", function()
    local reply = { { data = "04/06/2020", valor = "" }, { data = "05/06/2020", valor = "-" }, { data = "06/06/2020" },
      { data = "07/06/2020", valor = "1.234,5" }, { data = "08/06/2020", valor = 2 } }
    assert.same({ { date = "2020-06-07", value = 1234.5 }, { date = "2020-06-08", value = 2 } }, bcb.rows(reply))
  end)

  it("passes on what the bank says instead of a list", function()
    local ok, fault = pcall(bcb.rows, { error = "O sistema aceita uma janela de consulta de, no máximo, 10 anos" })
    assert.is_false(ok)
    assert.matches("10 anos", tostring(fault), 1, true)
  end)

  it("splits what is longer than ten years", function()
    assert.same({ { from = "2020-06-04", to = "2030-06-03" } }, bcb.spans("2020-06-04", "2030-06-03"))
    assert.same({ { from = "2020-06-04", to = "2030-06-03" }, { from = "2030-06-04", to = "2030-06-04" } },
      bcb.spans("2020-06-04", "2030-06-04"))
    assert.equal("2010-02-27", bcb.spans("2000-02-29", "2010-02-28")[1].to)
    assert.same({}, bcb.spans("2020-06-04", "2020-06-03"))
  end)

  real("reads each of the 897 days that the bank published", function()
    local reply = {}
    local text = helper.data("currency/bcb-sgs-shape-1-dados-2020-2023.json")
    for data, valor in text:gmatch('"data":"(.-)","valor":"(.-)"') do
      reply[#reply + 1] = { data = data, valor = valor }
    end
    local rows = bcb.rows(reply)
    assert.equal(897, #rows)
    assert.same({ date = "2023-12-29", value = 4.8413 }, rows[897])
  end)
end)

describe("PTAX", function()
  it("writes dates month first, in quotation marks", function()
    assert.equal("'12-29-2023'", ptax.quoted("2023-12-29"))
  end)

  it("takes the selling rate under the day of its time", function()
    local quote = { cotacaoCompra = 4.8407, cotacaoVenda = 4.8413, dataHoraCotacao = "2023-12-29 13:11:10.203" }
    assert.same({ { date = "2023-12-29", value = 4.8413 } }, ptax.rows { value = { quote } })
  end)

  it("counts the closing bulletin alone, where a currency has several a day", function()
    local reply = { value = {
      { cotacaoVenda = 5.35, dataHoraCotacao = "2023-12-29 10:05:00.000", tipoBoletim = "Abertura" },
      { cotacaoVenda = 5.36, dataHoraCotacao = "2023-12-29 13:05:00.000", tipoBoletim = "Fechamento" },
    } }
    assert.same({ { date = "2023-12-29", value = 5.36 } }, ptax.rows(reply))
  end)
end)

describe("the European Central Bank's file", function()
  local elements = {
    { time = "2023-12-29" }, { currency = "USD", rate = "1.105" }, { currency = "BRL", rate = "5.3618" },
    { time = "2023-12-28" }, { currency = "USD", rate = "1.1114" }, { currency = "RUB", rate = "N/A" },
  }
  local wanted = {
    { currency = "USD", date = "2023-12-28", rate = 1.1114 },
    { currency = "BRL", date = "2023-12-29", rate = 5.3618 }, { currency = "USD", date = "2023-12-29", rate = 1.105 },
  }

  it("gives each day's rates as XML, oldest first", function()
    assert.same(wanted, ecb.elements(helper.each(elements)))
  end)

  it("gives the same as CSV, without what has no rate", function()
    assert.same(wanted, ecb.records(helper.each {
      { Date = "2023-12-29", USD = "1.105", BRL = "5.3618", RUB = "N/A", [""] = "" },
      { Date = "2023-12-28", USD = "1.1114", BRL = "", MTL = "N/A" },
    }))
  end)

  it("reads the day in words of the daily CSV", function()
    assert.same({ { currency = "USD", date = "2024-02-29", rate = 1.0813 } },
      ecb.records(helper.each { { Date = "29 Feb 2024", USD = "1.0813" } }))
  end)

  real("has 64 days as XML, and 6,402 days as CSV", function()
    local list = {}
    for name, value, rest in helper.data("currency/eurofxref-hist-90d.xml"):gmatch('<Cube (%l+)="(.-)"(.-)>') do
      list[#list + 1] = { [name] = value, rate = rest:match('rate="(.-)"') }
    end
    local rates = ecb.elements(helper.each(list))
    assert.equal(1984, #rates)
    assert.same({ "2016-12-05", "2017-03-03" }, { rates[1].date, rates[#rates].date })
    local days, missing = {}, 0
    for record in helper.records(helper.data("currency/eurofxref-hist-part.csv"), ",") do
      for _, value in pairs(record) do missing = missing + (value == "N/A" and 1 or 0) end
      days[#days + 1] = record
    end
    assert.equal(29710, missing)
    assert.equal(6402 * 21 - missing, #ecb.records(helper.each(days)))
  end)

  it("takes the small file while it reaches back far enough", function()
    assert.matches("hist%-90d", ecb.file("2023-12-01", "2024-01-02"))
    assert.matches("hist%.xml", ecb.file("2023-06-01", "2024-01-02"))
  end)
end)
