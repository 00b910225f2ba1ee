-- SPDX-License-Identifier: MIT
local dts = require "dts"

describe("readings", function()
  it("keeps each event once, refuses a broken one, and tells of a cold room", function()
    local t <close> = dts.test { now = "2026-03-10T10:00Z", alerts = true }
    local got = t:emit("readings", {
      { id = "1", room = "attic", celsius = 4 }, { id = "2", room = "attic", celsius = 6 },
      { id = "1", room = "attic", celsius = 4 }, { id = "3", room = "attic", celsius = "warm" },
    })
    assert.equal(2, got.accepted)
    assert.equal("/celsius", got.refused[1].path)
    t:advance("30m")
    assert.equal(5, t:get("/api/warmth/attic"):json()[1].celsius)
    local told = t:alerts()
    assert.equal(1, #told)
    assert.same({ "attic", 4 }, told[1].json.rows[1])
  end)
end)
