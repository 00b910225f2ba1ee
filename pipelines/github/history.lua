-- The years before we looked: daily ranking files give the history, and our own raw snapshots can give any day again.
-- SPDX-License-Identifier: MIT

local dts = require "dts"
local github = require "connectors.github"

-- A repository stands once in each list that it is in; of two lines of one day the later is kept.
dts.pipeline {
  name = "github_history", files = "incoming/data-repos-*.csv", allow = { tables = { "repo_stats" } },
  run = function(ctx, file)
    ctx:put("repo_stats", file:rows {
      into = "repo_stats",
      columns = {
        repo = "repo", date = "date", stars = "stars", forks = "forks", open_issues = "open_issues",
        language = "language", pushed_at = "last_commit",
      },
    })
  end,
}

dts.pipeline {
  name = "github_rebuild", params = { from = "date", to = "date" }, allow = { tables = { "repo_stats" } },
  run = function(ctx, params)
    for body in dts.archive("github/search", params.from, params.to) do
      ctx:put("repo_stats", github.rows(body:json()), { date = body.date })
    end
    for body in dts.archive("github/repos", params.from, params.to) do
      ctx:put("repo_stats", github.row(body:json()), { date = body.date })
    end
  end,
}
