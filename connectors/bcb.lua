-- Time series of the Banco Central do Brasil (SGS): exchange rates, Selic, inflation and some 20,000 more.
-- Documentation: https://dadosabertos.bcb.gov.br/dataset/ (each series links its own API page)
-- Limits: a daily series answers for ten years at most, and only with both dates; a range without a value is a 404.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

local source = dts.source { name = "bcb", url = "https://api.bcb.gov.br", rate = "5/s", concurrency = 2 }

local DAY = "%d/%m/%Y"
local MOST_YEARS = 10

local bcb = {}

local function number(text, point)
  local value = tonumber(text) or type(text) == "string" and tonumber((text:gsub("%.", ""):gsub(",", ".")))
  if value then return value end
  error(("field 'valor': number expected, got %q (%s)"):format(tostring(text), tostring(point.data)), 0)
end

-- [{ data = "04/06/2020", valor = "5.1041" }] in, [{ date = "2020-06-04", value = 5.1041 }] out. A point without a
-- value is left out.
function bcb.rows(reply)
  if reply[1] == nil and next(reply) ~= nil then
    error("bcb: a list of points expected, got " .. tostring(reply.error or reply.message or "a table of names"), 0)
  end
  local rows = {}
  for _, point in ipairs(reply) do
    if point.valor ~= nil and point.valor ~= "" and point.valor ~= "-" then
      rows[#rows + 1] = { date = dts.date.parse(point.data, DAY), value = number(point.valor, point) }
    end
  end
  return rows
end

-- The ranges of ten years or less that make up a longer one.
function bcb.spans(from, to)
  local spans = {}
  while from <= to do
    local last = dts.date.add(dts.date.add(from, MOST_YEARS, "year"), -1)
    spans[#spans + 1] = { from = from, to = last < to and last or to }
    from = dts.date.add(last, 1)
  end
  return spans
end

local function ask(code, span)
  local res = source:get(("/dados/serie/bcdata.sgs.%d/dados"):format(code), {
    accept = { 404 },
    query = {
      formato = "json", dataInicial = dts.date.format(span.from, DAY), dataFinal = dts.date.format(span.to, DAY),
    },
  })
  if res.status == 404 then return {} end
  return bcb.rows(res:json())
end

-- The values of series `code` from one date to another, both included; empty where the bank has none.
function bcb.series(code, from, to)
  local rows = {}
  for _, span in ipairs(bcb.spans(from, to)) do
    for _, row in ipairs(ask(code, span)) do
      if row.date >= span.from and row.date <= span.to then rows[#rows + 1] = row end
    end
  end
  return rows
end

return bcb
