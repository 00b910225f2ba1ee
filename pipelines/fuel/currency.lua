-- Currencies: the dollar and the Selic rate from the Banco Central's series, the dollar again from PTAX as a check,
-- and the euro's reference rates from the European Central Bank. Each asks only for the dates that are missing.
-- SPDX-License-Identifier: MIT

local dts = require "dts"
local bcb = require "connectors.bcb"
local ecb = require "connectors.ecb"
local ptax = require "connectors.ptax"

local function brazil(name, keys, fetch, source)
  dts.pipeline {
    name = name, schedule = "0 20 * * 1-5", recheck = "0 */6 * * *", timezone = "America/Sao_Paulo",
    batch = 25, retry = 5,
    gaps = {
      table = "quotes", complete = "value > 0", calendar = "BR", since = "2020-06-04", lag = "1d", refresh = "7d",
      max_span = "3650d", keys = keys,
    },
    run = function(ctx, span)
      ctx:put("quotes", fetch(span.with.code, span.from, span.to), { info_type = span.key, source = source })
    end,
  }
end

brazil("currency", { ["CURRENCY#USD"] = { code = 1 }, ["RATE#SELIC"] = { code = 11 } }, bcb.series, "bcb.sgs")
brazil("ptax", { ["PTAX#USD"] = { code = "USD" } }, ptax.rates, "bcb.ptax")

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
