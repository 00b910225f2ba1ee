-- The pure part of the connector to GitHub.
-- SPDX-License-Identifier: MIT

require "tests.specs.helper"
local dts = require "dts"
local github = require "connectors.github"

local spark = {
  full_name = "apache/spark", stargazers_count = 37501, forks_count = 28085, open_issues_count = 219,
  language = "Scala", pushed_at = "2023-12-31T21:15:47Z", private = false,
}

describe("GitHub", function()
  it("takes the figures of a repository, and nothing else", function()
    assert.same({
      repo = "apache/spark", stars = 37501, forks = 28085, open_issues = 219, language = "Scala",
      pushed_at = "2023-12-31T21:15:47Z",
    }, github.row(spark))
  end)

  it("leaves the language out where GitHub knows none", function()
    assert.is_nil(github.row({ full_name = "a/b", stargazers_count = 1, forks_count = 0 }).language)
  end)

  it("makes one row for each repository of a search, in its order", function()
    local kafka = { full_name = "apache/kafka", stargazers_count = 27000, forks_count = 13000 }
    local rows = github.rows { total_count = 2, items = { spark, kafka } }
    assert.same({ "apache/spark", "apache/kafka" }, { rows[1].repo, rows[2].repo })
    assert.same({}, github.rows { total_count = 0, items = {} })
  end)

  it("says what came instead of a repository or a page", function()
    local ok, fault = pcall(github.row, { message = "Moved Permanently" })
    assert.is_false(ok)
    assert.matches("Moved Permanently", tostring(fault), 1, true)
    assert.is_false(pcall(github.rows, { message = "Validation Failed" }))
  end)

  it("tells what is left, and when there is more", function()
    if not dts.date.of then return pending("needs an engine") end
    assert.same({ core = { left = 4987, limit = 5000, reset = "2024-03-02T10:00:00.000Z" } },
      github.limits { resources = { core = { limit = 5000, remaining = 4987, reset = 1709373600, used = 13 } } })
  end)
end)
