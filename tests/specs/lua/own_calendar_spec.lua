-- A calendar of one's own with more days than a kilobyte holds: sorting them once ended the script's process.
-- SPDX-License-Identifier: MIT

local dts = require "dts"
local engine = dts.test and it or pending

describe("a calendar of one's own", function()
  engine("may hold thousands of days, in any order", function()
    local days = dts.date.range("2000-01-01", "2020-12-31")
    for i = 1, #days // 2 do days[i], days[#days - i + 1] = days[#days - i + 1], days[i] end
    local own = dts.calendar { "none", open = days }
    assert.equal("2000-01-01", own:next("1999-01-01"))
    assert.equal("2020-12-31", own:previous("2030-01-01"))
    assert.is_false(own:has("2021-01-01"))
  end)

  engine("is used by gaps", function()
    local t <close> = dts.test { file = "tests/specs/fixtures/own_calendar.lua", now = "2026-03-10T10:00Z" }
    t:run("own_calendar")
    assert.equal(1096, t:count("own_days"))
    assert.equal(1, #t:spans())
  end)
end)
