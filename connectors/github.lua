-- GitHub's REST API: one repository, or a search for many.
-- Documentation: https://docs.github.com/en/rest/repos and https://docs.github.com/en/rest/search
-- Limits: 60 requests an hour without a token, 5,000 with one; a search gives 1,000 results at most, 100 a page.
-- A token is read from the secret GITHUB_TOKEN where there is one. A reply that has not changed (ETag) is free.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

local source = dts.source {
  name = "github", url = "https://api.github.com", rate = "5000/h", concurrency = 8,
  headers = {
    Accept = "application/vnd.github+json, application/json;q=0.9",
    ["X-GitHub-Api-Version"] = "2022-11-28",
    Authorization = "Bearer {secret?:GITHUB_TOKEN}",
  },
}

local PAGE = 100
local MOST_PAGES = 10

local github = {}

-- A repository as the API describes it in, one row of figures out. The name is the reply's: GitHub follows renames.
function github.row(repo)
  if not repo.full_name then
    error("github: a repository expected, got " .. tostring(repo.message or "something without full_name"), 0)
  end
  return {
    repo = repo.full_name,
    stars = repo.stargazers_count,
    forks = repo.forks_count,
    open_issues = repo.open_issues_count,
    language = repo.language,
    pushed_at = repo.pushed_at,
  }
end

-- One page of a search in, a list of rows out.
function github.rows(page)
  if not page.items then error("github: items of a search expected, got " .. tostring(page.message or "none"), 0) end
  local rows = {}
  for i, repo in ipairs(page.items) do rows[i] = github.row(repo) end
  return rows
end

-- The reply of /rate_limit in; what is left, and until when, out: { core = { left, limit, reset }, … }.
function github.limits(reply)
  local limits = {}
  for name, r in pairs(reply.resources) do
    limits[name] = { left = r.remaining, limit = r.limit, reset = dts.date.parse(r.reset, "%s") }
  end
  return limits
end

-- The figures of "owner/name", or nil when there is no such repository. The reply is archived under `archive`.
function github.repo(name, archive)
  local res = source:get("/repos/" .. name, { archive = archive, accept = { 404, 451 } })
  if res.status >= 400 then return nil end
  return github.row(res:json())
end

-- The rows of a whole search, most stars first. Each page is archived under `archive`.
function github.search(q, archive)
  local query = { q = q, sort = "stars", order = "desc", per_page = PAGE }
  local found = {}
  for page in source:pages("/search/repositories", { query = query, max = MOST_PAGES, archive = archive }) do
    table.move(github.rows(page:json()), 1, PAGE, #found + 1, found)
  end
  return found
end

-- How many requests are left; asking costs none.
function github.left()
  return github.limits(source:get("/rate_limit"):json())
end

return github
