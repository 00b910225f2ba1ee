-- The Banco Central's series as api.bcb.gov.br serves them: dates day first, 404 for a range without a value, and now
-- and then a 429 that asks to wait for a second.
-- SPDX-License-Identifier: MIT

local dts = require "dts"
local figures = require "connectors.figures"

local LEVELS = {
  ["bcdata.sgs.1"] = 5.1, ["bcdata.sgs.11"] = 0.045, -- the dollar, the Selic rate
  ["bcdata.sgs.21619"] = 5.6, ["bcdata.sgs.21621"] = 0.035, ["bcdata.sgs.21623"] = 6.5, -- the euro, the yen, the pound
}
local DAY = "%d/%m/%Y"

dts.route {
  "GET /dados/serie/{series}/dados", public = true, timeout = "10s",
  params = { formato = "text?", dataInicial = "text", dataFinal = "text" },
  run = function(req)
    local level = LEVELS[req.series]
    if not level then return dts.reply { status = 404, json = { error = "Series not found" } } end
    if dts.now():sub(19, 19) == "7" then
      return dts.reply { status = 429, headers = { ["Retry-After"] = "1" }, json = { error = "Too many requests" } }
    end
    local last, points = dts.date.add(dts.today(), -1), {}
    local to = dts.date.parse(req.dataFinal, DAY)
    local from = dts.date.parse(req.dataInicial, DAY)
    for i, date in ipairs(figures.days(req.series, from, to < last and to or last)) do
      local value = ("%.4f"):format(figures.price(req.series, level, date))
      points[i] = { data = dts.date.format(date, DAY), valor = value }
    end
    if #points == 0 then return dts.reply { status = 404, json = { error = "Value(s) not found" } } end
    return dts.reply { json = points }
  end,
}
