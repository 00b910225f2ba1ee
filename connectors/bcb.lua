-- Time series of the Banco Central do Brasil (SGS): exchange rates, Selic, inflation and some 20,000 more.
-- Documentation: https://dadosabertos.bcb.gov.br/dataset/ (each series links its own API page)
-- Limits: a daily series answers for ten years at most, and only with both dates; a range without a value is a 404.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

local source = dts.source { name = "bcb", url = "https://api.bcb.gov.br", rate = "5/s", concurrency = 2 }

local DAY = "%d/%m/%Y"

local bcb = {}

-- [{ data = "04/06/2020", valor = "5.1041" }] in, [{ date = "2020-06-04", value = 5.1041 }] out.
function bcb.rows(reply)
  local rows = {}
  for i, point in ipairs(reply) do
    local value = tonumber(point.valor)
    if not value then
      error(("field 'valor': number expected, got %q (%s)"):format(tostring(point.valor), tostring(point.data)), 2)
    end
    rows[i] = { date = dts.date.parse(point.data, DAY), value = value }
  end
  return rows
end

-- The values of series `code` from one date to another, both included; empty where the bank has none.
function bcb.series(code, from, to)
  local res = source:get(("/dados/serie/bcdata.sgs.%d/dados"):format(code), {
    accept = { 404 },
    query = { formato = "json", dataInicial = dts.date.format(from, DAY), dataFinal = dts.date.format(to, DAY) },
  })
  if res.status == 404 then return {} end
  return bcb.rows(res:json())
end

return bcb
