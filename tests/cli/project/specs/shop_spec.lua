local dts = require "dts"

describe("shop", function()
  local t

  before_each(function() t = dts.test { file = "pipelines/shop.lua", now = "2026-03-10T10:00Z" } end)
  after_each(function() t:close() end)

  it("takes events once, signed", function()
    local got = t:emit("orders", { { id = "a", amount = 1.5 }, { id = "b", amount = 2 } })
    assert.equal(2, got.accepted)
    assert.equal(1, t:emit("orders", { { id = "a", amount = 1.5 } }).duplicates)
    assert.equal(2, t:count("orders"))
  end)

  it("takes a file once for each content", function()
    t:drop("sales-1.csv", "Product,Amount\nbread,1.5\nmilk,2\n")
    t:drop("sales-1.csv", "Product,Amount\nbread,1.5\nmilk,2\n")
    assert.equal(2, t:count("sales"))
    assert.equal("sales-1.csv", t:query("sales", { product = "milk" })[1].file)
  end)

  it("refuses a file that no pipeline wants", function()
    local ok, e = pcall(t.drop, t, "other.txt", "x")
    assert.is_false(ok)
    assert.equal("NO_PIPELINE", e.code)
  end)

  it("runs with parameters, and says why a run failed", function()
    assert.same({ state = "done", rows = 5 }, t:run("ticks", { count = 5 }))
    local bad = t:run("wrong")
    assert.equal("failed", bad.state)
    assert.equal("COLUMN", bad.error.code)
    assert.equal("pipelines/shop.lua:35", bad.error.where)
  end)

  it("answers requests", function()
    t:rows("orders", { { id = "a", amount = 1 }, { id = "b", amount = 3 } })
    local res = t:request("GET /api/total?least=2")
    assert.equal(200, res.status)
    assert.equal(404, t:request("GET /api/nothing").status)
    assert.equal("Ana", t:request("GET /api/hello/Ana"):json().hello)
    assert.equal(401, t:request("GET /api/hello/Ana", { headers = { authorization = "Bearer no" } }).status)
  end)

  it("refuses rows that do not fit", function()
    local ok, e = pcall(t.rows, t, "orders", { { id = "a", amuont = 1 } })
    assert.is_false(ok)
    assert.truthy(e.message:find("table 'orders' has no column 'amuont'", 1, true))
    assert.equal(0, t:count("orders"))
  end)
end)
