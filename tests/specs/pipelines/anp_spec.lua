-- The pure part of the connector to the fuel price survey.
-- SPDX-License-Identifier: MIT

require "tests.specs.helper"
local anp = require "connectors.anp"

local function names(group, from, to, today)
  local list = {}
  for i, path in ipairs(anp.files(group, from, to, today)) do list[i] = path:match("[^/]+$") end
  return list
end

describe("the fuel price survey", function()
  it("takes the files of the last four weeks while they reach back far enough", function()
    assert.same({ "ultimas-4-semanas-glp.csv" }, names("glp", "2023-12-11", "2023-12-18", "2024-01-01"))
    assert.same({ "ultimas-4-semanas-gasolina-etanol.csv", "ultimas-4-semanas-diesel-gnv.csv" },
      names("ca", "2023-12-11", "2023-12-18", "2024-01-01"))
  end)

  it("takes each half-year that older weeks touch, also by their last days", function()
    assert.same({ "glp-2023-02.csv" }, names("glp", "2023-07-03", "2023-12-04", "2024-06-01"))
    assert.same({ "ca-2022-02.csv", "ca-2023-01.csv", "ca-2023-02.csv" },
      names("ca", "2022-12-26", "2023-06-26", "2024-06-01"))
  end)

  it("reads both encodings, commas in prices and days first", function()
    local shape = anp.shape "records"
    assert.same({ "utf-8", "latin1" }, shape.encoding)
    assert.same({ "records", ";", ",", "%d/%m/%Y" }, { shape.into, shape.delimiter, shape.decimal, shape.dates })
  end)
end)
