-- What the sensors send, minute by minute, and who is told when a room is cold.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

dts.table {
  name = "readings", key = { "id" }, keep = "90d", index = { { "room", "at" } },
  columns = { "id text", "room text not null", "at timestamp not null", "celsius real not null" },
}
dts.pipeline {
  name = "readings", ingest = { id = "id", schema = "schemas/reading.schema.json", wait = "1s" },
  run = function(ctx, events)
    for _, e in ipairs(events) do
      ctx:put("readings", { id = e.id, room = e.data.room, at = e.time, celsius = e.data.celsius })
    end
  end,
}
dts.rollup {
  name = "warmth", from = "readings", time = "at", by = { "room" }, every = { "hour" },
  measures = { "avg(celsius) as celsius", "min(celsius) as coldest" },
}
dts.route { "GET /api/warmth/{room}", from = "warmth_hour", order = "-period", public = true }
dts.dashboard {
  name = "readings", title = "Rooms", public = true, filters = { "room" },
  { "line", title = "Each hour", from = "warmth_hour", x = "period", y = "celsius", by = "room", unit = "°C" },
}
dts.alert {
  name = "cold", every = "5m", hold = "10m",
  when = "select room, coldest from warmth_hour where coldest < 5 and period >= add_minutes(:now, -120)",
}
