-- The euro's reference rates, once each working day.
-- https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates

local dts = require "dts"
local ecb = dts.source { name = "ecb", url = "https://www.ecb.europa.eu/stats/eurofxref" }

dts.table {
  name = "rates", key = { "currency", "date" },
  columns = { "currency text", "date date", "rate real not null -- units for one euro" },
}

dts.pipeline {
  name = "rates", schedule = "30 16 * * 1-5", timezone = "Europe/Berlin",
  run = function(ctx)
    ctx:put("rates", ecb:get("/eurofxref-daily.xml"):rows {
      into = "rates", at = "//*[@currency]", -- the date stands above the rates; on a holiday it is not today's
      columns = { currency = "currency", date = "../@time", rate = "rate" },
    })
  end,
}

dts.route { "GET /api/rates/{currency}", from = "rates", order = "-date", public = true }

dts.dashboard {
  name = "rates", title = "Rates of the euro", filters = { "currency" },
  { "line", title = "Units for one euro", from = "rates", x = "date", y = "rate", by = "currency" },
}
