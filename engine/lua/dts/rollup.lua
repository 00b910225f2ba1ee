-- dts.rollup: a table kept up to date from another, by period.
-- SPDX-License-Identifier: MIT

local kernel = require "dts.kernel"
local options = require "dts.options"
local state = require "dts.state"

local PERIODS = { "minute", "hour", "day", "week", "month", "quarter", "year" }

local SPEC = options.spec("dts.rollup", {
  { "name", "name", required = true, help = 'its tables are NAME_PERIOD, for example name = "repo_trend"' },
  { "from", "name", required = true, help = "the table, or roll-up's table, that it is made from" },
  { "time", "name", required = true, help = "the column that says when" },
  { "by", "any", help = 'columns, or "expression as name", that tell rows apart' },
  { "every", "texts", required = true, help = "one or several of " .. table.concat(PERIODS, ", ") },
  { "measures", "texts", required = true, help = 'for example { "last(stars) as stars", "count(*) as days" }' },
  { "where", "sql", help = "rows that count, as SQL" },
  { "timezone", "zone", help = 'whose days they are, for example "Europe/Berlin"' },
})

-- "expr as name" taken apart; a bare column is its own name.
local function named(text, field, what)
  local expr, name = text:match("^%s*(.-)%s+[aA][sS]%s+([%a_][%w_]*)%s*$")
  if expr and expr ~= "" then return { expr = expr, name = name } end
  name = text:match("^%s*([%a_][%w_]*)%s*$")
  if name and field == "by" then return { expr = name, name = name } end
  options.fail(what, ("field '%s': %s expected, got %s"):format(field,
    field == "by" and 'a column or "expression as name"' or '"expression as name"', options.shown(text)))
end

local function named_list(list, field, what)
  local out, seen = {}, {}
  for i, text in ipairs(list) do
    out[i] = named(text, field, what)
    if seen[out[i].name] then options.fail(what, ("field '%s': '%s' stands twice"):format(field, out[i].name)) end
    seen[out[i].name] = true
  end
  return kernel.list(out)
end

local function check_periods(list, what)
  local seen = {}
  for _, period in ipairs(PERIODS) do seen[period] = false end
  for _, period in ipairs(list) do
    if seen[period] == nil then
      options.fail(what, ("field 'every': unknown period '%s'%s; the periods are %s")
        :format(period, options.meant(period, PERIODS), table.concat(PERIODS, ", ")))
    end
    if seen[period] then options.fail(what, ("field 'every': '%s' stands twice"):format(period)) end
    seen[period] = true
  end
end

return function(given)
  local out, what = options.check(SPEC, given)
  check_periods(out.every, what)
  local by, expected = options.types.texts(out.by == nil and {} or out.by)
  if not by then options.fail(what, ("field 'by': %s expected, got %s"):format(expected, options.shown(given.by))) end
  out.by = named_list(by, "by", what)
  if #out.measures == 0 then options.fail(what, "field 'measures': at least one measure expected") end
  out.measures = named_list(out.measures, "measures", what)
  state.declare("rollup", out)
  return out.name
end
