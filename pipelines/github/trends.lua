-- Weeks and months of each repository, the public API over them, the page, and an alert when the days stop coming.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

dts.rollup {
  name = "repo_trend", from = "repo_stats", time = "date", by = { "repo" }, every = { "week", "month" },
  measures = {
    "last(stars) as stars", "change(stars) as gained", "min(stars) as low", "max(stars) as high",
    "last(forks) as forks", "last(open_issues) as open_issues", "count(*) as days",
  },
}
dts.view {
  name = "repo_latest", sql = [[
    select s.repo, s.date, s.stars, s.forks, s.open_issues, s.language from repo_stats s
    join (select repo, max(date) as date from repo_stats group by repo) l on l.repo = s.repo and l.date = s.date ]],
}

dts.route { "GET /api/repos", summary = "Latest figures", from = "repo_latest", order = "-stars", public = true }
dts.route {
  "GET /api/repos/{owner}/{name}/trend", summary = "Stars of one repository over time", public = true,
  params = { every = { "week", "month" }, from = "date?", limit = "integer = 520" },
  sql = [[
    select period, stars, gained, low, high, forks, open_issues, days from repo_trend_{every}
    where repo = :owner || '/' || :name and (:from is null or period >= :from) order by period limit :limit ]],
}

dts.dashboard {
  name = "trends", title = "Data tech stats", public = true, summary = "How the tools of data people are taken up.",
  filters = { "repo", "period", { "every", choices = { "week", "month" } } },
  { "number", title = "Repositories", from = "repo_trend_{every}", y = "count(distinct repo)" },
  { "line", title = "Stars", from = "repo_trend_{every}", x = "period", y = "stars", by = "repo", wide = true },
  { "bar", title = "Stars gained", from = "repo_trend_{every}", x = "period", y = "sum(gained)", unit = "stars" },
  { "line", title = "Forks", from = "repo_trend_{every}", x = "period", y = "forks", by = "repo" },
  { "table", title = "Latest", from = "repo_latest", columns = { "repo", "stars", "forks" }, order = "-stars" },
}
dts.alert {
  name = "github_stale", every = "1h",
  when = "select day from (select max(date) as day from repo_stats) as latest where day < :today_minus_2d",
}
