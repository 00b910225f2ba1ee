-- dts.date: civil arithmetic, ISO weeks, time zones, and what is refused, word for word.
-- SPDX-License-Identifier: MIT

local fake = require "tests.specs.lua.fake"
local dts = require "dts"

local date = dts.date

local function zone_file(name)
  local file <close> = assert(io.open("/usr/share/zoneinfo/" .. name, "rb"))
  return file:read("a")
end

describe("dts.date", function()
  it("moves by months and years, and stays within the month", function()
    assert.same({ "2024-02-29", "2023-02-28", "2024-11-28", "2025-01-31" }, {
      date.add("2024-01-31", 1, "month"), date.add("2024-02-29", -1, "year"), date.add("2025-02-28", -1, "quarter"),
      date.add("2024-01-31", 1, "year"),
    })
    assert.equal("2023-12-31", date.add("2024-01-07", -1, "week"))
    assert.equal("2024-03-01T10:00:00.000Z", date.add("2024-02-01T10:00:00Z", 1, "month"))
  end)

  it("knows starts and ends of periods", function()
    assert.same({ "2024-01-01", "2024-03-31" },
      { date.start("2024-02-10", "quarter"), date.last("2024-02-10", "quarter") })
    assert.same({ "2024-02-05", "2024-02-11" }, { date.start("2024-02-10", "week"), date.last("2024-02-10", "week") })
    assert.same({ "2024-02-29", "2023-02-28" }, { date.last("2024-02-10", "month"), date.last("2023-02-10", "month") })
    assert.equal("9999-12-31", date.last("9999-12-31", "year"))
  end)

  it("lists ranges by days and by periods, ends included", function()
    assert.same({ "2024-01-31", "2024-02-29", "2024-03-31" }, date.range("2024-01-31", "2024-03-31", "month"))
    assert.same({ "2024-02-28", "2024-02-29", "2024-03-01" }, date.range("2024-02-28", "2024-03-01"))
    assert.same({ "9999-11-30", "9999-12-30" }, date.range("9999-11-30", "9999-12-31", "month"))
    assert.same({}, date.range("2024-01-02", "2024-01-01", "year"))
  end)

  it("has the weeks and quarters of ISO 8601 and of banks", function()
    assert.equal("2026-W53", date.format("2027-01-03", "%G-W%V"))
    assert.equal("2027-W01", date.format("2027-01-04", "%G-W%V"))
    assert.equal("2026-12-28", date.parse("2026-W53", "%G-W%V"))
    assert.equal("2024-10-01", date.parse("4T24", "%qT%y"))
    assert.same({ year = 2027, month = 1, day = 3, quarter = 1, weekday = 7, yearday = 3, week = 53, week_year = 2026 },
      date.parts("2027-01-03"))
  end)

  it("reads seconds since 1970, numbers too", function()
    assert.equal("2023-11-14T22:13:20.000Z", date.parse(1700000000, "%s"))
    assert.equal("1700000000", date.format("2023-11-14T22:13:20Z", "%s"))
  end)

  it("reads what JSON writes as numbers, where a shape says how", function()
    fake.engine({}, { tables = { t = { "day date", "at timestamp", "n integer" } } })
    local body = require "dts.body"
    local function first(text, dates)
      return body.of(text, "x"):rows({ into = "t", dates = dates, format = "json" })()
    end
    assert.same({ day = "2024-02-29", n = 5 }, first('[{"day":20240229,"n":5}]', "%Y%m%d"))
    assert.same({ at = "2024-02-29T00:00:00.000Z" }, first('[{"at":1709164800}]', "%s"))
    fake.restore()
  end)

  it("says what is wrong", function()
    assert.equal("there is no such day: \"30/02/2026\", read as %d/%m/%Y",
      (fake.refused(date.parse, "30/02/2026", "%d/%m/%Y")))
    assert.equal("there is no such day: \"2023-02-29\"", (fake.refused(date.add, "2023-02-29", 1)))
    assert.equal("day, week, month, quarter or year expected, got \"fortnight\"",
      (fake.refused(date.add, "2024-02-29", 1, "fortnight")))
    assert.equal("a date YYYY-MM-DD or a timestamp with an offset expected, got the number 1700000000",
      (fake.refused(date.format, 1700000000, "%F")))
    local _, number = pcall(date.range, 20260131, "2026-02-01")
    assert.matches('dts.date.parse(n, "%Y%m%d") a number like 20260131', number.hint, 1, true)
    assert.equal("a date outside of the years 1 to 9999", (fake.refused(date.add, "9999-12-31", 1)))
    assert.equal("date format '%x': '%x' is not known", (fake.refused(date.format, "2024-02-29", "%x")))
  end)
end)

describe("time zones", function()
  before_each(function()
    fake.engine { zone = function(args) return { bytes = args.name == "UTC" and "" or zone_file(args.name) } end }
  end)
  after_each(fake.restore)

  it("turn what a wall shows into instants, and say what it showed twice or never", function()
    assert.equal("2026-03-29T15:00:00.000Z", (date.parse("29/03/2026 12:00", "%d/%m/%Y %H:%M", "America/Sao_Paulo")))
    assert.same({ "2026-10-25T00:30:00.000Z", "repeated", "2026-10-25T01:30:00.000Z" },
      { date.parse("2026-10-25T02:30", nil, "Europe/Berlin") })
    assert.same({ "2026-03-29T01:00:00.000Z", "missing" }, { date.parse("2026-03-29 02:30", nil, "Europe/Berlin") })
    assert.equal("2026-03-29T06:30:00.000Z", (date.parse("2026-03-29 12:00 +0530", "%F %H:%M %z", "Europe/Berlin")))
    assert.equal("2026-03-29", (date.parse("29/03/2026", "%d/%m/%Y", "Europe/Berlin")))
  end)

  it("turn instants into what a wall shows", function()
    assert.equal("2026-07-01 14:00 +0200", date.format("2026-07-01T12:00:00Z", "%F %H:%M %z", "Europe/Berlin"))
    assert.same({ "2026-07-02", "2026-07-01" },
      { date.of("2026-07-01T23:00:00Z", "Europe/Berlin"), (date.of("2026-07-01T23:00:00Z")) })
    assert.equal(1, date.parts("2026-07-01T23:30:00Z", "Europe/Berlin").hour)
    assert.equal("2026-07-01", date.format("2026-07-01", "%F", "Asia/Tokyo"))
  end)
end)
