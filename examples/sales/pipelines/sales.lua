-- What each shop sold on each day, from the files that they send.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

dts.table { name = "shops", key = { "shop" }, columns = { "shop text", "town text" }, rows = "data/shops.csv" }
dts.table {
  name = "sales", key = { "shop", "day" },
  columns = { "shop text", "day date", "total real not null -- in euro", "file text" },
}

dts.pipeline {
  name = "sales", files = "incoming/sales-*.csv", retry = 0, -- a broken file does not mend itself
  run = function(ctx, file)
    ctx:put("sales", file:rows {
      into = "sales", delimiter = ";", decimal = ",", dates = "%d.%m.%Y", encoding = { "utf-8", "latin1" },
    }, { file = file.name })
  end,
}
