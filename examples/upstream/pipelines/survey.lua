-- The weekly survey of fuel prices as www.gov.br/anp serves it: whole files of four weeks or half a year, with
-- semicolons, decimal commas and dates day first; one reseller in each state here.
-- SPDX-License-Identifier: MIT

local dts = require "dts"
local figures = require "connectors.figures"

local STATES = {
  N = "AC AM AP PA RO RR TO", NE = "AL BA CE MA PB PE PI RN SE", CO = "DF GO MS MT", SE = "ES MG RJ SP", S = "PR RS SC",
}
local PRODUCTS = {
  { "GASOLINA", 5.9, "ca", "gasolina-etanol" }, { "ETANOL", 4.1, "ca", "gasolina-etanol" },
  { "DIESEL", 5.9, "ca", "diesel-gnv" }, { "DIESEL S10", 6.0, "ca", "diesel-gnv" }, { "GLP", 105, "glp", "glp" },
}
local HEADER = "Regiao - Sigla;Estado - Sigla;Municipio;CNPJ da Revenda;Produto;Data da Coleta;Valor de Venda;"
  .. "Unidade de Medida;Bandeira\n"
local FOLDER = "/anp/pt-br/centrais-de-conteudo/dados-abertos/arquivos/shpc"

local function add_week(lines, date, product)
  for region, states in pairs(STATES) do
    for state in states:gmatch("%u+") do
      local price = ("%.2f"):format(figures.price(product[1] .. state, product[2], date)):gsub("%.", ",")
      lines[#lines + 1] = table.concat({ region, state, "CAPITAL", "00.000.000/0001-" .. state, product[1],
        dts.date.format(date, "%d/%m/%Y"), price, product[3] == "glp" and "R$ / 13 kg" or "R$ / litro", "BRANCA" }, ";")
    end
  end
end

-- The Tuesdays from one date to another.
local function file(from, to, wanted)
  local lines = {}
  local date = dts.date.add(from, (1 - figures.number(from)) % 7)
  while date <= to do
    for _, product in ipairs(PRODUCTS) do
      if wanted == product[3] or wanted == product[4] then add_week(lines, date, product) end
    end
    date = dts.date.add(date, 7)
  end
  return dts.reply {
    headers = { ["Content-Type"] = "text/csv" }, text = HEADER .. table.concat(lines, "\n") .. "\n",
  }
end

dts.route {
  "GET " .. FOLDER .. "/qus/{name}", public = true, timeout = "10s",
  run = function(req)
    return file(dts.date.add(dts.today(), -28), dts.today(), req.name:match("^ultimas%-4%-semanas%-(.*)%.csv$"))
  end,
}
dts.route {
  "GET " .. FOLDER .. "/dsas/{group}/{name}", public = true, timeout = "10s",
  run = function(req)
    local year, half = req.name:match("%-(%d%d%d%d)%-(%d%d)%.csv$")
    if not year then return nil end
    local from = half == "01" and year .. "-01-01" or year .. "-07-01"
    local to = half == "01" and year .. "-06-30" or year .. "-12-31"
    return from <= dts.today() and file(from, to < dts.today() and to or dts.today(), req.group) or nil
  end,
}
