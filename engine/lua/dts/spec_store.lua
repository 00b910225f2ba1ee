-- What a spec puts into its throw-away store, and what it finds there.
-- SPDX-License-Identifier: MIT

local kernel = require "dts.kernel"
local network = require "dts.spec_network"
local options = require "dts.options"

local store = {}
local methods = {}
store.methods = methods

local SELECT = options.spec("t:query", {
  { "order", "order", help = '"date", "-date" for the largest first, or a list of them' },
  { "limit", "natural", help = "at most so many rows" },
  { "columns", "columns", help = "the columns wanted" },
})

function methods.rows(it, table_name, rows)
  if type(rows) == "string" then
    local csv = rows:find("[\r\n]") and rows or network.read_file(rows, "t:rows")
    return it.ask("rows", { table = table_name, csv = csv }).count
  elseif type(rows) == "table" then
    local list = #rows == 0 and next(rows) and { rows } or rows
    return it.ask("rows", { table = table_name, rows = kernel.list(list) }).count
  end
  options.fail("t:rows", ("rows, a CSV text or a file's name expected, got %s"):format(options.shown(rows)))
end

local function query(it, sql, params)
  return it.ask("sql", { sql = sql, params = params and next(params) and params or nil }).rows
end

function methods.sql(it, sql, params)
  if type(sql) ~= "string" then options.fail("t:sql", "SQL as a text expected, got " .. options.shown(sql)) end
  return query(it, sql, params)
end

local function quoted(name, what)
  if type(name) ~= "string" then options.fail(what, "a column's name expected, got " .. options.shown(name)) end
  return '"' .. name:gsub('"', '""') .. '"'
end

local function any_of(column, list, bind)
  local marks = {}
  for i, value in ipairs(list) do marks[i] = bind(value) end
  return #marks == 0 and "1 = 0" or ("%s in (%s)"):format(column, table.concat(marks, ", "))
end

local function range(column, given, bind, what)
  local parts = {}
  for name in pairs(given) do
    if name ~= "from" and name ~= "to" then
      options.fail(what, ("column %s: a range is { from = …, to = … }, got '%s'"):format(column, tostring(name)))
    end
  end
  if given.from ~= nil then parts[#parts + 1] = ("%s >= %s"):format(column, bind(given.from)) end
  if given.to ~= nil then parts[#parts + 1] = ("%s <= %s"):format(column, bind(given.to)) end
  return table.concat(parts, " and ")
end

-- The conditions of dts.query as SQL: equality, a list for any of, { from, to }, dts.null.
local function conditions(where, what)
  local parts, params, count = {}, {}, 0
  local function bind(value)
    count = count + 1
    params["p" .. count] = value
    return ":p" .. count
  end
  for name, value in pairs(where or {}) do
    local column = quoted(name, what)
    if value == kernel.null then parts[#parts + 1] = column .. " is null"
    elseif type(value) ~= "table" then parts[#parts + 1] = ("%s = %s"):format(column, bind(value))
    elseif #value > 0 or next(value) == nil then parts[#parts + 1] = any_of(column, value, bind)
    else parts[#parts + 1] = range(column, value, bind, what) end
  end
  return #parts > 0 and " where " .. table.concat(parts, " and ") or "", params
end

-- t:query(table, where?, { order, limit, columns }?): rows, as dts.query gives them; tables of the engine too.
function methods.query(it, table_name, where, opts)
  local args = options.check(SELECT, opts or {}, "t:query")
  local columns, order = {}, {}
  for i, name in ipairs(args.columns or {}) do columns[i] = quoted(name, "t:query") end
  for i, name in ipairs(args.order or {}) do
    order[i] = quoted((name:gsub("^%-", "", 1)), "t:query") .. (name:find("^%-") and " desc" or "")
  end
  local text, params = conditions(where, "t:query")
  local sql = ("select %s from %s%s%s%s"):format(#columns > 0 and table.concat(columns, ", ") or "*",
    quoted(table_name, "t:query"), text, #order > 0 and " order by " .. table.concat(order, ", ") or "",
    args.limit and (" limit %d"):format(args.limit) or "")
  return query(it, sql, params)
end

function methods.count(it, table_name, where)
  local text, params = conditions(where, "t:count")
  return query(it, ("select count(*) as n from %s%s"):format(quoted(table_name, "t:count"), text), params)[1].n
end

-- t:logs(pipeline?): what the runs said, in order: { pipeline, level, message, run }.
function methods.logs(it, pipeline)
  return query(it, [[select r.pipeline, l.level, l.message, l.run from dts_log l join dts_run r on r.id = l.run
    where :pipeline is null or r.pipeline = :pipeline order by l.run, l.seq]], { pipeline = pipeline })
end

return store
