-- The pure part of the connector to the public example data sets.
-- SPDX-License-Identifier: MIT

local helper = require "tests.specs.helper"
local vega = require "connectors.vega"

local real = helper.root and it or pending

describe("the market files", function()
  it("turn a price into a fact, with its date from words", function()
    assert.same({ { series = "STOCK#MSFT", place = "US", date = "2000-01-01", value = 39.81 } },
      vega.facts["stocks.csv"] { symbol = "MSFT", date = "Jan 1 2000", price = "39.81" })
    assert.equal("INDEX#SP500", vega.facts["sp500.csv"]({ date = "Feb 1 2000", price = "1366.42" })[1].series)
  end)

  it("turn a nation's year into three facts", function()
    local facts = vega.facts["gapminder.json"] {
      year = 1955, country = "Brazil", cluster = 3, pop = 61774000, life_expect = 53.285, fertility = 6.1501,
    }
    assert.equal(3, #facts)
    assert.same({ series = "POPULATION", place = "Brazil", date = "1955-01-01", value = 61774000 }, facts[1])
  end)

  it("keep a county's leading nought, and a rate without one", function()
    assert.same({ series = "UNEMPLOYMENT", place = "US-01001", date = "2009-01-01", value = 0.097 },
      vega.facts["unemployment.tsv"]({ id = "1001", rate = ".097" })[1])
  end)

  real("have a value in each record of the real files", function()
    local count = {}
    for name, delimiter in pairs { ["stocks.csv"] = ",", ["sp500.csv"] = ",", ["us-employment.csv"] = ",",
      ["co2-concentration.csv"] = ",", ["unemployment.tsv"] = "\t" } do
      count[name] = 0
      for record in helper.records(helper.data("multi/" .. name), delimiter) do
        for _, fact in ipairs(vega.facts[name](record)) do
          assert.is_number(fact.value)
          assert.matches("^%d%d%d%d%-%d%d%-%d%d$", fact.date)
          count[name] = count[name] + 1
        end
      end
    end
    assert.same({ ["stocks.csv"] = 560, ["sp500.csv"] = 123, ["us-employment.csv"] = 360,
      ["co2-concentration.csv"] = 741, ["unemployment.tsv"] = 3218 }, count)
  end)
end)

describe("a film", function()
  local film = {
    Title = "The Land Girls", ["Release Date"] = "Jun 12 1998", ["Worldwide Gross"] = 146083, ["IMDB Rating"] = 6.1,
  }

  it("is cleaned into a row", function()
    assert.same({ title = "The Land Girls", released = "1998-06-12", genre = "unknown", distributor = "unknown",
      gross = 146083, rating = 6.1 }, vega.film(film, "2024-01-01"))
  end)

  it("may have a number for its title", function()
    assert.equal("1776", vega.film({ Title = 1776, ["Release Date"] = "Nov 9 1972" }, "2024-01-01").title)
  end)

  it("is set aside without a title or with a day that has not come", function()
    local row, reason = vega.film({ ["Release Date"] = "Jun 12 1998" }, "2024-01-01")
    assert.is_nil(row)
    assert.equal("a film without a title", reason)
    row, reason = vega.film({ Title = "Bliss", ["Release Date"] = "Jan 1 2046" }, "2024-01-01")
    assert.is_nil(row)
    assert.equal("released on 2046-01-01, which has not come", reason)
  end)
end)
