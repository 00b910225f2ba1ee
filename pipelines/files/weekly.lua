-- The older weekly survey by state (2004 to 2011), as English CSV with "-" for what was not measured.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

dts.table {
  name = "weekly_survey", key = { "product", "state", "week" },
  columns = {
    "product text", "state text", "week date -- its Sunday", "region text", "stations integer", "unit text",
    "price real not null -- mean at the pump", "low real", "high real", "margin real", "wholesale real",
  },
}

dts.pipeline {
  name = "weekly_survey", files = "incoming/weekly-*.csv",
  run = function(ctx, file)
    ctx:put("weekly_survey", file:rows {
      into = "weekly_survey", null = { "-" },
      columns = {
        product = "Product", state = "State", week = "Analysis_Date", region = "Macroregion",
        stations = "No_of_Gas_Stations_Analyzed", unit = "Measurement_Unit", price = "Mean_Price", low = "Min_Price",
        high = "Max_Price", margin = "Mean_Price_Margin", wholesale = "Mean_Dist_Price",
      },
    })
  end,
}
