-- SPDX-License-Identifier: MIT
local dts = require "dts"

describe("sales", function()
  it("takes a file whole, and shows its week", function()
    local t <close> = dts.test { now = "2026-03-10" }
    t:file("sample/sales-north.csv")
    assert.equal(2, t:count("sales"))
    assert.equal(2100.5, t:get("/api/towns"):json()[1].total)
  end)

  it("stores nothing of a broken file, and says where it broke", function()
    local t <close> = dts.test { now = "2026-03-10" }
    t:file("sample/sales-broken.csv")
    assert.equal(0, t:count("sales"))
    assert.equal(1, t:count("dts_quarantine", { name = "sales-broken.csv" }))
  end)
end)
