-- Fuel prices at the pump, from the survey of Brazil's Agência Nacional do Petróleo (ANP).
-- Documentation: https://www.gov.br/anp/pt-br/centrais-de-conteudo/dados-abertos/
--   (page "Série histórica de preços de combustíveis e de GLP")
-- Limits: none are stated. There is no date range: one file has the last four weeks, another each half-year since 2004.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

local source = dts.source { name = "anp", url = "https://www.gov.br", rate = "1/s", concurrency = 1 }

local FOLDER = "/anp/pt-br/centrais-de-conteudo/dados-abertos/arquivos/shpc"
local RECENT_DAYS = 21
local RECENT = { glp = { "glp" }, ca = { "gasolina-etanol", "diesel-gnv" } }
local COLUMNS = {
  station = "CNPJ da Revenda", product = "Produto", date = "Data da Coleta", price = "Valor de Venda",
  unit = "Unidade de Medida", region = "Regiao - Sigla", state = "Estado - Sigla", city = "Municipio",
  brand = "Bandeira",
}

local anp = {}

-- How a survey file is read into a table. Older files are Latin-1, newer ones UTF-8 with a byte order mark.
function anp.shape(into)
  return {
    into = into, columns = COLUMNS, encoding = { "utf-8", "latin1" },
    delimiter = ";", decimal = ",", dates = "%d/%m/%Y",
  }
end

-- The paths of the files that hold the weeks from one Monday to another. `group` is "glp" or "ca" (fuels for cars).
function anp.files(group, from, to, today)
  local files = {}
  if from >= dts.date.add(today, -RECENT_DAYS) then
    for i, name in ipairs(RECENT[group]) do files[i] = ("%s/qus/ultimas-4-semanas-%s.csv"):format(FOLDER, name) end
    return files
  end
  local last = dts.date.add(to, 6)
  for year = tonumber(from:sub(1, 4)), tonumber(last:sub(1, 4)) do
    for half, ends in ipairs { "06-30", "12-31" } do
      local begins = half == 1 and "01-01" or "07-01"
      if from <= ("%d-%s"):format(year, ends) and last >= ("%d-%s"):format(year, begins) then
        files[#files + 1] = ("%s/dsas/%s/%s-%d-%02d.csv"):format(FOLDER, group, group, year, half)
      end
    end
  end
  return files
end

-- Gives `take` each price of these weeks, typed as the table `into` says. A file not published yet has none.
function anp.each(group, from, to, into, take)
  local last = dts.date.add(to, 6)
  for _, path in ipairs(anp.files(group, from, to, dts.today())) do
    local res = source:get(path, { cache = "1h", accept = { 404 } })
    if res.status ~= 404 then
      for price in res:rows(anp.shape(into)) do
        if price.date >= from and price.date <= last then take(price) end
      end
    end
  end
end

return anp
