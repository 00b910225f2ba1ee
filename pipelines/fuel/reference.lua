-- Reference rates: the dollar and the euro again from PTAX, with currencies that the bank's series lack, and the euro
-- from the European Central Bank; CNY for one real is EURO#CNY by EURO#BRL.
-- SPDX-License-Identifier: MIT

local dts = require "dts"
local ecb = require "connectors.ecb"
local ptax = require "connectors.ptax"

dts.pipeline {
  name = "ptax", schedule = "15 20 * * 1-5", recheck = "15 */6 * * *", timezone = "America/Sao_Paulo",
  batch = 25, retry = 5,
  gaps = {
    table = "quotes", complete = "value > 0", calendar = "BR", since = "2020-06-04", lag = "1d",
    keys = { ["PTAX#USD"] = { currency = "USD" }, ["PTAX#EUR"] = { currency = "EUR" },
      ["CURRENCY#CHF"] = { currency = "CHF" }, ["CURRENCY#CAD"] = { currency = "CAD" },
    },
  },
  run = function(ctx, span)
    ctx:put("quotes", ptax.rates(span.with.currency, span.from, span.to), { info_type = span.key, source = "bcb.ptax" })
  end,
}

dts.pipeline {
  name = "ecb", schedule = "30 16 * * 1-5", recheck = "15 */6 * * *", timezone = "Europe/Berlin", batch = 25, retry = 5,
  gaps = {
    table = "quotes", complete = "value > 0", calendar = "TARGET", since = "2020-06-04", lag = "1d", refresh = "3d",
    keys = {
      ["EURO#USD"] = { currency = "USD" }, ["EURO#BRL"] = { currency = "BRL" }, ["EURO#CNY"] = { currency = "CNY" },
    },
  },
  run = function(ctx, span)
    ctx:put("quotes", ecb.rates(span.with.currency, span.from, span.to), { info_type = span.key, source = "ecb" })
  end,
}
