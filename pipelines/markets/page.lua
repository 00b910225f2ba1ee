-- The market pages: shares, jobs and climate, nations through the years, and films.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

dts.route {
  "GET /api/markets/{series}", summary = "One series by place and date", public = true,
  params = { place = "text?", from = "date?", limit = "integer = 1000" },
  sql = [[
    select f.place, f.date, f.value, s.title, s.unit from fact_value f join dim_series s on s.series = f.series
    where f.series = :series and (:place is null or f.place = :place) and (:from is null or f.date >= :from)
    order by f.place, f.date limit :limit ]],
}

dts.dashboard {
  name = "markets", title = "Markets and nations", public = true,
  summary = "Prices, jobs, climate and people from several public sources, side by side.",
  filters = { "kind", "title", "date", "year", "genre" },
  { "line", title = "Prices and jobs, first month = 100", from = "market_month", x = "date", y = "level", by = "title",
    where = "kind <> 'climate'", wide = true },
  { "line", title = "Jobs in the US", from = "market_month", x = "date", y = "value", by = "title",
    where = "kind = 'jobs'", unit = "thousands" },
  { "line", title = "Carbon dioxide at Mauna Loa", from = "market_month", x = "date", y = "value",
    where = "kind = 'climate'", unit = "ppm" },
  { "scatter", title = "Life and fertility", x = "fertility", y = "life", by = "place", size = "population", sql = [[
      select l.place, l.year, f.value as fertility, l.value as life, p.value as population from market_year l
      join market_year f on f.place = l.place and f.year = l.year and f.series = 'FERTILITY'
      join market_year p on p.place = l.place and p.year = l.year and p.series = 'POPULATION'
      where l.series = 'LIFE' ]] },
  { "bar", title = "Gross by genre", from = "films", x = "genre", y = "sum(gross)", unit = "US$" },
  { "table", title = "Films", from = "films", columns = { "title", "released", "genre", "gross", "rating" },
    order = "-gross", limit = 100, wide = true },
}

dts.alert {
  name = "facts_without_series", every = "1h",
  when = [[select series, count(*) as n from fact_value
    where series not in (select series from dim_series) group by series]],
}
