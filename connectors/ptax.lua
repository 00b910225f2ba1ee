-- PTAX, the reference exchange rates of the Banco Central do Brasil, from its Olinda service.
-- Documentation: https://olinda.bcb.gov.br/olinda/servico/PTAX/versao/v1/documentacao
-- Limits: none are stated; no rate on a day when Brazilian banks are closed.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

local source = dts.source { name = "ptax", url = "https://olinda.bcb.gov.br", rate = "5/s", concurrency = 2 }

local SERVICE = "/olinda/servico/PTAX/versao/v1/odata"
local DATES = "dataInicial=@dataInicial,dataFinalCotacao=@dataFinalCotacao"
local DOLLAR = ("%s/CotacaoDolarPeriodo(%s)"):format(SERVICE, DATES)
local OTHER = ("%s/CotacaoMoedaPeriodo(moeda=@moeda,%s)"):format(SERVICE, DATES)
local CLOSING = "Fechamento"

local ptax = {}

-- The decoded reply in, one row a day out. Currencies but the dollar have several bulletins a day; the last one counts.
function ptax.rows(reply)
  local rows = {}
  for _, quote in ipairs(reply.value) do
    if (quote.tipoBoletim or CLOSING) == CLOSING then
      rows[#rows + 1] = { date = quote.dataHoraCotacao:sub(1, 10), value = quote.cotacaoVenda }
    end
  end
  return rows
end

-- The service wants month first, in quotation marks.
function ptax.quoted(date)
  local year, month, day = date:match("^(%d+)-(%d+)-(%d+)$")
  return ("'%s-%s-%s'"):format(month, day, year)
end

-- The selling rate in reais of one unit of `currency`, from one date to another, both included.
function ptax.rates(currency, from, to)
  local query = { ["@dataInicial"] = ptax.quoted(from), ["@dataFinalCotacao"] = ptax.quoted(to), ["$format"] = "json" }
  if currency ~= "USD" then query["@moeda"] = ("'%s'"):format(currency) end
  return ptax.rows(source:get(currency == "USD" and DOLLAR or OTHER, { query = query }):json())
end

return ptax
