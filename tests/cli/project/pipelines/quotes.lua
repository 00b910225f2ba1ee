-- A series with gaps: what a spec of `dts test` sees of spans, rechecks and quarantine.
local dts = require "dts"
local bcb = dts.source { name = "bcb", url = "https://api.bcb.gov.br", headers = { Authorization = "{secret:BCB}" } }

dts.table {
  name = "quotes", key = { "info_type", "date" },
  columns = { "info_type text", "date date", "value real" },
}

dts.pipeline {
  name = "currency", schedule = "0 20 * * 1-5", recheck = "0 */6 * * *", timezone = "America/Sao_Paulo", retry = 5,
  gaps = {
    table = "quotes", complete = "value > 0", calendar = "BR", since = "2015-01-02", lag = "1d", refresh = "7d",
    keys = { ["CURRENCY#USD"] = { code = 1 }, ["CURRENCY#EUR"] = { code = 21619 } },
  },
  run = function(ctx, span)
    local res = bcb:get("/series/" .. span.with.code, { query = { from = span.from, to = span.to } })
    for _, row in ipairs(res:json()) do
      ctx:put("quotes", { info_type = span.key, date = row.date, value = row.value })
    end
  end,
}
