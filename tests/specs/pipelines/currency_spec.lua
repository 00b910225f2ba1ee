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
    { time = "2023-12-28" }, { currency = "USD", rate = "1.1114" },
    { time = "2023-12-27" }, { currency = "USD", rate = "1.1065" },
  }

  it("gives one currency's days within the span, oldest first", function()
    local rows = ecb.rows(helper.each(elements), "USD", "2023-12-28", "2023-12-31")
    assert.same({ { date = "2023-12-28", value = 1.1114 }, { date = "2023-12-29", value = 1.105 } }, rows)
  end)

  it("leaves out days without the currency", function()
    local rows = ecb.rows(helper.each(elements), "BRL", "2023-12-01", "2023-12-31")
    assert.same({ { date = "2023-12-29", value = 5.3618 } }, rows)
  end)

  real("reads the recorded 90-day feed: 64 days", function()
    local list = {}
    for name, value, rest in helper.data("currency/eurofxref-hist-90d.xml"):gmatch('<Cube (%l+)="(.-)"(.-)>') do
      list[#list + 1] = { [name] = value, rate = rest:match('rate="(.-)"') }
    end
    local rows = ecb.rows(helper.each(list), "USD", "2016-01-01", "2017-12-31")
    assert.equal(64, #rows)
    assert.same({ date = "2017-03-03", value = 1.0565 }, rows[64])
  end)

  it("takes the small file while it reaches back far enough", function()
    assert.matches("hist%-90d", ecb.file("2023-12-01", "2024-01-02"))
    assert.matches("hist%.xml", ecb.file("2023-06-01", "2024-01-02"))
  end)
end)
