-- Reference rates that check the first ones: the dollar again from PTAX, and the euro from the European Central Bank.
-- SPDX-License-Identifier: MIT

local dts = require "dts"
local ecb = require "connectors.ecb"
local ptax = require "connectors.ptax"

dts.pipeline {
  name = "ptax", schedule = "15 20 * * 1-5", recheck = "15 */6 * * *", timezone = "America/Sao_Paulo",
  batch = 25, retry = 5,
  gaps = {
    table = "quotes", complete = "value > 0", calendar = "BR", since = "2020-06-04", lag = "1d",
    keys = { ["PTAX#USD"] = { currency = "USD" } },
  },
  run = function(ctx, span)
    ctx:put("quotes", ptax.rates(span.with.currency, span.from, span.to), { info_type = span.key, source = "bcb.ptax" })
  end,
}

dts.pipeline {
  name = "ecb", schedule = "30 16 * * 1-5", recheck = "15 */6 * * *", timezone = "Europe/Berlin", batch = 25, retry = 5,
  gaps = {
    table = "quotes", complete = "value > 0", calendar = "TARGET", since = "2020-06-04", lag = "1d", refresh = "3d",
    keys = { ["EURO#USD"] = { currency = "USD" }, ["EURO#BRL"] = { currency = "BRL" } },
  },
  run = function(ctx, span)
    ctx:put("quotes", ecb.rates(span.with.currency, span.from, span.to), { info_type = span.key, source = "ecb" })
  end,
}
