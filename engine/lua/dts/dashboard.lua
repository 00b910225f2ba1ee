-- dts.dashboard: a page of charts, with filters that hold for all of them.
-- SPDX-License-Identifier: MIT

local kernel = require "dts.kernel"
local options = require "dts.options"
local query = require "dts.query"
local state = require "dts.state"

local SPEC = options.spec("dts.dashboard", {
  { "name", "name", required = true, help = 'the page\'s address, for example name = "rates"' },
  { "title", "text", help = "what stands above it" },
  { "summary", "text", help = "one sentence under the title" },
  { "public", "boolean", default = false, help = "true: no key is needed" },
  { "filters", "any", help = 'columns, or { "every", choices = { "week", "month" } }' },
}, "its charts stand there without a name")

local FILTER = options.spec("filter", {
  { "choices", "texts", help = "what may be chosen; the first is the default" },
}, "the column stands first")

local CHART = options.spec("chart", {
  { "title", "text", help = "what stands above it" },
  { "from", "text", help = 'a table; {every} puts in the choice of that name' },
  { "sql", "sql", help = "a select" },
  { "x", "name", help = "the column to the right" },
  { "y", "text", help = 'the column upwards, or an aggregate: "avg(price)"' },
  { "by", "name", help = "the column that tells series apart" },
  { "value", "text", help = "the column that gives the colour (heatmap)" },
  { "size", "name", help = "the column that gives the size (scatter)" },
  { "columns", "columns", help = "the columns of a table" },
  { "order", "order", help = '"-date" for the largest first, or a list' },
  { "limit", "natural", help = "at most so many rows" },
  { "where", "any", help = "a table of columns and values, or SQL" },
  { "unit", "text", help = 'for example unit = "R$"' },
  { "wide", "boolean", default = false, help = "true: the whole width" },
  { "text", "text", help = "what a text chart says" },
}, "the kind stands first")

-- What each kind must and may have besides title, from or sql, where, unit and wide.
local NEEDS = {
  line = { "x", "y" }, area = { "x", "y" }, bar = { "x", "y" }, scatter = { "x", "y" }, heatmap = { "x", "y", "value" },
  number = { "y" }, table = {}, text = { "text" },
}
local TAKES = {
  line = { "by" }, area = { "by" }, bar = { "by" }, scatter = { "by", "size" }, heatmap = {}, number = { "x" },
  table = { "columns" }, text = {},
}
local ANY = { "title", "from", "sql", "where", "unit", "wide", "order", "limit" }
local KINDS = { "line", "area", "bar", "scatter", "heatmap", "number", "table", "text" }

local function takes(kind, name)
  for _, list in ipairs { NEEDS[kind], TAKES[kind], kind == "text" and { "title", "wide" } or ANY } do
    for _, known in ipairs(list) do
      if known == name then return true end
    end
  end
  return false
end

local function check_fields(kind, given, what)
  for name in pairs(given) do
    if type(name) == "string" and CHART.fields[name] and not takes(kind, name) then
      options.fail(what, ("a %s chart has no `%s`"):format(kind, name))
    end
  end
  for _, name in ipairs(NEEDS[kind]) do
    if given[name] == nil then
      options.fail(what, ("a %s chart needs `%s`: %s"):format(kind, name, CHART.fields[name].help))
    end
  end
  if kind ~= "text" and (given.from == nil) == (given.sql == nil) then
    options.fail(what, given.from and "`from` and `sql` exclude each other" or "`from` or `sql` is missing")
  end
end

local function read_chart(given, i, dashboard)
  local what = ("%s: chart %d"):format(dashboard, i)
  if type(given) ~= "table" then
    options.fail(what, ("a table such as { \"line\", from = … } expected, got %s"):format(options.shown(given)))
  end
  local kind = given[1]
  if not NEEDS[kind] then
    options.fail(what, ("a kind expected first, one of %s; got %s%s"):format(table.concat(KINDS, ", "),
      options.shown(kind), options.meant(kind, KINDS)))
  end
  if #given > 1 then options.fail(what, "a chart has one kind only") end
  if type(given.title) == "string" then what = ("%s '%s'"):format(what, given.title) end
  local out = options.check(CHART, given, what)
  check_fields(kind, given, what)
  if type(out.where) == "table" then out.where = query.where(out.from or "", out.where, what) end
  out.kind, out.order = kind, out.order or kernel.list {}
  return out
end

local function read_filter(given, what)
  if type(given) == "string" then given = { given } end
  if type(given) ~= "table" or not options.types.name(given[1]) then
    options.fail(what, ("field 'filters': a column, or { \"every\", choices = { … } } expected, got %s")
      :format(options.shown(type(given) == "table" and given[1] or given)))
  end
  local out = options.check(FILTER, given, ("%s: filter '%s'"):format(what, given[1]))
  return { name = given[1], choices = out.choices }
end

local function read_filters(given, what)
  local list = {}
  if given == nil then return kernel.list(list) end
  if type(given) == "string" then given = { given } end
  if type(given) ~= "table" then
    options.fail(what, ("field 'filters': a list expected, got %s"):format(options.shown(given)))
  end
  for i, filter in ipairs(given) do list[i] = read_filter(filter, what) end
  return kernel.list(list)
end

return function(given)
  local out, what = options.check(SPEC, given)
  out.filters = read_filters(out.filters, what)
  local charts = {}
  for i, chart in ipairs(given) do charts[i] = read_chart(chart, i, what) end
  if #charts == 0 then options.fail(what, 'it has no charts: { "line", from = "rates", x = "date", y = "rate" }') end
  out.charts = kernel.list(charts)
  state.declare("dashboard", out)
  return out.name
end
