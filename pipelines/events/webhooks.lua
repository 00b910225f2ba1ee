-- GitHub's webhooks: each event is checked against its schema, told which team it concerns, stored, and kept raw.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

dts.table { name = "teams", key = { "repo" }, columns = { "repo text", "team text not null" }, rows = "data/teams.csv" }
dts.table {
  name = "hooks", key = { "id" }, keep = "400d",
  columns = {
    "id text -- the delivery's", "at timestamp", "event text not null", "action text", "repo text", "sender text",
    "team text not null default 'none' -- who looks after the repository",
  },
  index = { { "at" }, { "repo" } },
}

dts.pipeline {
  name = "webhooks",
  ingest = {
    id = "header:x-github-delivery", type = "header:x-github-event", archive = true,
    schema = {
      "schemas/{type}/{data.action}.schema.json", "schemas/{type}/event.schema.json", "schemas/any/event.schema.json",
    },
    signature = { header = "x-hub-signature-256", secret = "WEBHOOK" }, window = "24h", batch = 1000, wait = "1s",
  },
  run = function(ctx, events)
    for _, e in ipairs(events) do
      local repo = (e.data.repository or {}).full_name
      ctx:put("hooks", {
        id = e.id, at = e.time, event = e.type, action = e.data.action, repo = repo,
        sender = (e.data.sender or {}).login, team = (dts.lookup("teams", repo) or { team = "none" }).team,
      })
    end
  end,
}
