-- Films and what they earned. The file is dirty on purpose: what cannot be a film is set aside with the reason.
-- SPDX-License-Identifier: MIT

local dts = require "dts"
local vega = require "connectors.vega"

dts.table {
  name = "films", key = { "title", "released" },
  columns = {
    "title text", "released date", "genre text not null", "distributor text not null", "budget integer",
    "gross integer -- US$ worldwide", "rating real -- at IMDB, of 10", "votes integer",
  },
}

dts.pipeline {
  name = "films", after = "markets",
  run = function(ctx)
    for record in vega.records("movies.json", "vega/movies.json") do
      local film, reason = vega.film(record, ctx.date)
      if film then ctx:put("films", film) else ctx:reject(record, reason) end
    end
  end,
}
