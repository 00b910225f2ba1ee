-- Each day's stars, forks and issues of the repositories we follow, straight from GitHub; every reply is kept raw.
-- SPDX-License-Identifier: MIT

local dts = require "dts"
local github = require "connectors.github"

dts.table { name = "followed", key = { "repo" }, columns = { "repo text", "topic text" }, rows = "data/followed.csv" }
dts.table {
  name = "repo_stats", key = { "repo", "date" },
  columns = {
    "repo text -- owner/name", "date date", "stars integer not null", "forks integer not null",
    "open_issues integer -- issues and pull requests", "language text", "pushed_at timestamp",
  },
  index = { { "date" } },
}

dts.pipeline {
  name = "github", schedule = "0 6 * * *", timezone = "UTC",
  params = { topic = "text = topic:data-engineering stars:>5000" },
  run = function(ctx, params)
    local found = github.search(params.topic, "github/search")
    ctx:put("repo_stats", found, { date = ctx.date })
    local done, names = 0, dts.query("followed", nil, { order = "repo" })
    dts.each(names, { concurrency = 8 }, function(followed)
      local row = github.repo(followed.repo, "github/repos")
      if row then
        ctx:put("repo_stats", row, { date = ctx.date })
      else
        ctx:reject(followed, "GitHub has no such repository, or it is private now")
      end
      done = done + 1
      ctx:progress(done, #names)
    end)
  end,
}
