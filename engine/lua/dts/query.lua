-- dts.query, dts.sql, dts.lookup: descriptions of a read, carried out when somebody looks. The first index, `#`, ipairs
-- or pairs fetches all rows at once; `for row in q:rows()` streams pages; a route may return one that nobody looked at.
-- SPDX-License-Identifier: MIT

local kernel = require "dts.kernel"
local options = require "dts.options"
local state = require "dts.state"

local query = {}

local PAGE = 1000
local MOST_LOOKUPS = 10000
local inside = setmetatable({}, { __mode = "k" }) -- query → { args, rows }

local SPEC = options.spec("dts.query", {
  { "order", "order", help = '"date", "-date" for the largest first, or a list of them' },
  { "limit", "natural", help = "at most so many rows" },
  { "columns", "columns", help = "the columns wanted, for example { \"repo\", \"stars\" }" },
})

local function fetch(q)
  local it = inside[q]
  it.rows = it.rows or kernel.call("query", it.args).rows
  return it.rows
end

local function stream(q)
  local it, at, page, after = inside[q], 0, nil, nil
  if not it then options.fail("query", "write a colon: q:rows(), not q.rows()") end
  return function()
    if page and at == #page.rows and page.next == nil then return nil end
    if not page or at == #page.rows then
      local args = { page = { size = PAGE, after = after } }
      for name, value in pairs(it.args) do args[name] = value end
      page, at = kernel.call("query", args), 0
      after = page.next
    end
    at = at + 1
    return page.rows[at]
  end
end

local CLASS
CLASS = {
  __index = function(q, name)
    if name == "rows" then return stream end
    if type(name) == "number" then return fetch(q)[name] end
    options.fail("query", ("a query is a list of rows: write q[1].%s, or a loop over ipairs(q)"):format(tostring(name)))
  end,
  __newindex = function() options.fail("query", "a query's rows cannot be changed: it is a read") end,
  __len = function(q) return #fetch(q) end,
  __pairs = function(q) return pairs(fetch(q)) end,
  __plain = fetch,
  __name = "query",
}

local function make(args)
  local q = setmetatable({}, CLASS)
  inside[q] = { args = args }
  return q
end

-- A query that nobody has looked at, as a QUERY's arguments; nil for anything else.
function query.untouched(value)
  local it = inside[value]
  return it and not it.rows and it.args or nil
end

-- A query's rows; any other value as it is, but no reply that nobody has read.
function query.plain(value)
  if inside[value] then return fetch(value) end
  if type(value) == "table" and getmetatable(value) then require("dts.body").refuse(value) end
  return value
end

local function column_names(declared)
  local names, seen = {}, {}
  for i, column in ipairs(declared.columns) do names[i], seen[column.name] = column.name, true end
  return names, seen
end

-- Tables and columns as far as this run knows them; the engine looks again.
local function known(table_name, what)
  local tables = kernel.start() and kernel.tables() or {}
  if tables[table_name] then return column_names(tables[table_name]) end
  return nil, nil, what
end

local function check_column(table_name, name, names, seen, what)
  if type(name) ~= "string" then
    options.fail(what, ("a condition has a column's name, got %s"):format(options.shown(name)))
  end
  if seen and not seen[name] then
    options.fail(what, ("table '%s' has no column '%s'%s"):format(table_name, name, options.meant(name, names)))
  end
end

local function condition(name, value, what)
  if type(value) ~= "table" then
    if type(value) == "function" or type(value) == "userdata" and value ~= kernel.null then
      options.fail(what, ("column '%s': a value, a list or { from =, to = } expected, got %s")
        :format(name, options.shown(value)))
    end
    return value
  end
  value = query.plain(value)
  if #value > 0 or next(value) == nil then return kernel.list(table.move(value, 1, #value, 1, {})) end
  for key in pairs(value) do
    if key ~= "from" and key ~= "to" then
      options.fail(what, ("column '%s': a range is { from = …, to = … }, got '%s'"):format(name, tostring(key)))
    end
  end
  return { from = value.from, to = value.to }
end

-- A `where` checked: equality, a list for any of, { from, to } inclusive.
function query.where(table_name, where, what)
  if type(where) ~= "table" or #where > 0 then
    options.fail(what, ("a table of columns and values expected as `where`, got %s"):format(options.shown(where)))
  end
  local names, seen = known(table_name)
  local out = {}
  for name, value in pairs(where) do
    check_column(table_name, name, names, seen, what)
    out[name] = condition(name, value, what)
  end
  return out
end

local function check_name(name, what)
  if type(name) ~= "string" then options.fail(what, ("a table's name expected, got %s"):format(options.shown(name))) end
end

-- dts.query(table, where?, { order, limit, columns }?)
function query.query(table_name, where, opts)
  local what = "dts.query"
  check_name(table_name, what)
  local args = options.check(SPEC, opts or {}, what)
  local names, seen = known(table_name)
  for _, name in ipairs(args.columns or {}) do check_column(table_name, name, names, seen, what) end
  for _, name in ipairs(args.order or {}) do check_column(table_name, name:gsub("^%-", "", 1), names, seen, what) end
  args.table, args.where = table_name, where and query.where(table_name, where, what) or nil
  return make(args)
end

-- dts.sql(text, params?)
function query.sql(text, params)
  local sql = options.types.sql(text)
  if not sql then options.fail("dts.sql", ("SQL as a text expected, got %s"):format(options.shown(text))) end
  if params ~= nil and (type(params) ~= "table" or #params > 0) then
    options.fail("dts.sql", ("a table of names and values expected as parameters, got %s")
      :format(options.shown(params)))
  end
  if sql:find(":now%f[^%w_]") or sql:find(":today") then state.volatile = true end
  return make { sql = sql, params = params }
end

-- A key as one text, to remember what was found under it.
local function key_text(key)
  if type(key) ~= "table" then return math.type(key) == "float" and ("%.17g"):format(key) or tostring(key) end
  local parts = {}
  for name, value in pairs(key) do parts[#parts + 1] = ("%s=%s"):format(tostring(name), tostring(value)) end
  table.sort(parts)
  return table.concat(parts, "\0")
end

-- dts.lookup(table, key): one row, remembered for this run; nil for nil.
function query.lookup(table_name, key)
  check_name(table_name, "dts.lookup")
  if key == nil or key == kernel.null then return nil end
  if type(key) == "function" or type(key) == "userdata" then
    options.fail("dts.lookup", ("a key's value expected, got %s"):format(options.shown(key)))
  end
  local at = table_name .. "\0" .. type(key) .. key_text(key)
  local found = state.lookups[at]
  if found == nil then
    found = kernel.call("lookup", { table = table_name, key = key }) or kernel.null
    if state.lookup_count >= MOST_LOOKUPS then state.lookups, state.lookup_count = {}, 0 end
    state.lookups[at], state.lookup_count = found, state.lookup_count + 1
  end
  if found == kernel.null then return nil end
  return found
end

return query
