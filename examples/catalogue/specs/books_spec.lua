-- SPDX-License-Identifier: MIT
local dts = require "dts"

local EMMA = { isbn = "1", title = "Emma", author = { name = "Austen" }, year = 1815 }
local PAGES = {
  first = { books = { EMMA }, meta = { next = "b" } },
  b = { books = { { isbn = "2", title = "Beowulf" } }, meta = { next = dts.null } },
}

describe("books", function()
  it("reads all pages, and forgets what is no longer listed", function()
    local t <close> = dts.test { now = "2026-03-10" }
    t:rows("books", { isbn = "0", title = "Lost" })
    t:http("library", function(req) return { json = PAGES[req.query.after or "first"] } end)
    assert.equal(2, t:run("books").rows)
    assert.same({ { isbn = "1", author = "Austen" }, { isbn = "2" } },
      t:query("books", nil, { order = "isbn", columns = { "isbn", "author" } }))
  end)

  it("keeps what it had when a page fails", function()
    local t <close> = dts.test { now = "2026-03-10" }
    t:rows("books", { isbn = "0", title = "Kept" })
    t:http("library", function(req)
      return req.query.after and { error = "connection reset" } or { json = PAGES.first }
    end)
    assert.equal("HTTP_NETWORK", t:run("books").error.code)
    assert.equal("Kept", t:query("books")[1].title)
  end)
end)
