-- A star: one table of facts (series, place, date, value) and what each series, place and date is.
-- Everything that the market pages show is a join of these four.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

dts.table {
  name = "dim_series", key = { "series" }, rows = "data/series.csv",
  columns = { "series text", "title text", "kind text -- prices, jobs, climate or people", "unit text", "source text" },
}
dts.table {
  name = "dim_place", key = { "place" },
  columns = { "place text", "level text -- world, country or county", "parent text" },
}
dts.table {
  name = "dim_date", key = { "date" }, columns = { "date date", "year integer", "quarter integer", "month integer" },
}
dts.table {
  name = "fact_value", key = { "series", "place", "date" },
  columns = { "series text", "place text", "date date", "value real not null" }, index = { { "date" } },
}

dts.view {
  name = "market_year", keep = true, sql = [[
    select s.title, s.kind, s.unit, f.series, f.place, p.level, d.year, avg(f.value) as value, count(*) as n
    from fact_value f join dim_series s on s.series = f.series join dim_place p on p.place = f.place
    join dim_date d on d.date = f.date
    group by s.title, s.kind, s.unit, f.series, f.place, p.level, d.year ]],
}
dts.view {
  name = "market_month", keep = true, sql = [[
    select f.date, s.title, s.kind, s.unit, f.series, f.value,
      100.0 * f.value / first_value(f.value) over (partition by f.series order by f.date) as level
    from fact_value f join dim_series s on s.series = f.series
    where s.kind in ('prices', 'jobs', 'climate') and f.place in ('US', 'WORLD') ]],
}
