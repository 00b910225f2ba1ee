-- The pure parts of the connectors to Yahoo Finance and Stooq.
-- SPDX-License-Identifier: MIT

local helper = require "tests.specs.helper"
local dts = require "dts"
local stooq = require "connectors.stooq"
local yahoo = require "connectors.yahoo"

local function chart(timestamps, close)
  local quote = { open = close, high = close, low = close, close = close, volume = close }
  local result = { meta = { gmtoffset = -18000 }, timestamp = timestamps, indicators = { quote = { quote } } }
  return { chart = { result = { result } } }
end

local real = helper.root and it or pending

describe("Yahoo's chart", function()
  it("counts seconds from 1970 to a day's first moment", function()
    assert.equal(0, yahoo.seconds("1970-01-01"))
    assert.equal(1704067200, yahoo.seconds("2024-01-01"))
  end)

  it("puts a price under the exchange's own day, also when it is tomorrow already in UTC", function()
    assert.equal("2024-01-02", yahoo.rows(chart({ 1704207600 }, { 102.36 }))[1].date)
    assert.equal("2024-01-02", yahoo.rows(chart({ 1704254400 }, { 102.36 }))[1].date)
  end)

  it("leaves out prices that are not known", function()
    local rows = yahoo.rows(chart({ 1704207600, 1704294000 }, { 102.36, dts.null }))
    assert.equal(102.36, rows[1].value)
    assert.same({ date = "2024-01-03" }, rows[2])
  end)

  it("takes the day from the exchange's zone where the reply names it", function()
    if not dts.date.of then return pending("needs an engine") end
    local reply = chart({ 1720479600 }, { 5.4 })
    reply.chart.result[1].meta = { gmtoffset = 0, exchangeTimezoneName = "Europe/London" }
    assert.equal("2024-07-09", yahoo.rows(reply)[1].date)
  end)

  it("has no rows for a chart without times or prices", function()
    assert.same({}, yahoo.rows { chart = { result = { { meta = {}, indicators = { quote = { {} } } } } } })
    assert.same({}, yahoo.rows { chart = { result = {} } })
    assert.same({ { date = "2024-01-02" } }, yahoo.rows { chart = { result = { { timestamp = { 1704207600 } } } } })
    assert.is_false(pcall(yahoo.checked, {}))
  end)

  it("has no rows when the service has no data for the period", function()
    local fault = { code = "Bad Request", description = "Data doesn't exist for startDate = 1, endDate = 2" }
    assert.same({}, yahoo.rows(yahoo.checked { chart = { error = fault } }))
  end)

  it("passes on any other fault of the service in its own words", function()
    local fault = { code = "Not Found", description = "No data found, symbol may be delisted" }
    local ok, said = pcall(yahoo.checked, { chart = { error = fault } })
    assert.is_false(ok)
    assert.matches("Yahoo Finance: No data found, symbol may be delisted", tostring(said), 1, true)
  end)

  real("reads an export whatever the order of its columns", function()
    local rows = yahoo.exported(helper.records(helper.data("stocks/b3-vintages/PETR3.SA.2020-07-07.csv"), ","))
    assert.equal(629, #rows)
    assert.equal("2020-07-07", rows[629].date)
    assert.equal(0, rows[629].open)
    assert.is_near(22.76, rows[629].value, 1e-6)
    local xom = yahoo.exported(helper.records(helper.data("stocks/yahoo/XOM.csv"), ","))
    assert.equal(251, #xom)
    assert.equal(112.809998, xom[1].value)
  end)
end)

describe("Stooq", function()
  it("reads English and Polish headers alike", function()
    local english = stooq.rows(helper.each {
      { Date = "2023-03-17", Open = "1", High = "3", Low = "1", Close = "2", Volume = "9" },
    })
    local polish = stooq.rows(helper.each {
      { Data = "2023-03-17", Otwarcie = "1", Najwyzszy = "3", Najnizszy = "1", Zamkniecie = "2", Wolumen = "9" },
    })
    assert.same(english, polish)
    assert.same({ date = "2023-03-17", open = 1, high = 3, low = 1, value = 2, volume = 9 }, english[1])
  end)

  it("reads Polish letters, compact dates, and what is not known", function()
    assert.same({ { date = "2023-03-17", open = 1, value = 2, high = 3 } }, stooq.rows(helper.each {
      {
        ["Zamknięcie"] = "2", Data = "20230317", ["Najwyższy"] = "3", Otwarcie = "1", Wolumen = "N/D",
        ["Najniższy"] = "N/A",
      },
    }))
    local ok, fault = pcall(stooq.rows, helper.each { { Close = "2" } })
    assert.is_false(ok)
    assert.matches("without a date", tostring(fault))
  end)

  it("tells prices, nothing and the day's limit apart by the first line", function()
    assert.equal("prices", (stooq.kind "Date,Open,High,Low,Close,Volume\r\n2023-03-17,1,1,1,1,1\r\n"))
    assert.equal("nothing", (stooq.kind "No data"))
    assert.equal("nothing", (stooq.kind ""))
    assert.equal("nothing", (stooq.kind "Brak danych\r\n"))
    assert.equal("prices", (stooq.kind "\239\187\191Data;Otwarcie"))
    assert.equal("prices", (stooq.kind "Symbol,Date,Close"))
    assert.same({ "limit", "a page instead: <html><head>" }, { stooq.kind "\n<html><head>\n<title>" })
    local kind, said = stooq.kind "Exceeded the daily hits limit\r\n"
    assert.same({ "limit", "Exceeded the daily hits limit" }, { kind, said })
  end)

  real("keeps the one day of the real file that has no volume", function()
    local rows = stooq.rows(helper.records(helper.data("stocks/stooq/xom_us_d.csv"), ","))
    local without = {}
    for _, row in ipairs(rows) do
      if not row.volume then without[#without + 1] = row.date end
    end
    assert.equal(8365, #rows)
    assert.same({ "2010-04-26" }, without)
  end)
end)
