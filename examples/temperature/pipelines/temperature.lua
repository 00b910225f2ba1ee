-- The warmest hour of each day, from Open-Meteo's archive; its newest days are revised, so they are read again.
-- https://open-meteo.com/en/docs/historical-weather-api
-- SPDX-License-Identifier: MIT

local dts = require "dts"
local archive = dts.source { name = "open_meteo", url = "https://archive-api.open-meteo.com/v1", rate = "5/s" }

dts.table {
  name = "temperature", key = { "town", "date" },
  columns = { "town text", "date date", "warmest real -- °C" },
}

dts.pipeline {
  name = "temperature", schedule = "0 7 * * *", timezone = "Europe/Berlin",
  gaps = {
    table = "temperature", calendar = "daily", since = "2026-01-01", lag = "5d", refresh = "3d",
    keys = { Berlin = { latitude = 52.52, longitude = 13.41 }, Passau = { latitude = 48.57, longitude = 13.46 } },
  },
  run = function(ctx, span)
    local daily = archive:get("/archive", { query = {
      latitude = span.with.latitude, longitude = span.with.longitude, start_date = span.from, end_date = span.to,
      daily = "temperature_2m_max", timezone = "Europe/Berlin",
    } }):json({ nulls = true }).daily
    for i, date in ipairs(daily.time) do
      ctx:put("temperature", { town = span.key, date = date, warmest = daily.temperature_2m_max[i] })
    end
  end,
}

dts.route { "GET /api/temperature/{town}", from = "temperature", order = "-date", public = true }
dts.dashboard {
  name = "temperature", title = "Temperature", public = true, filters = { "town", "date" },
  { "line", title = "Warmest hour", from = "temperature", x = "date", y = "warmest", by = "town", unit = "°C" },
}
