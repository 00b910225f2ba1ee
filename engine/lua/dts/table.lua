-- dts.table: typed rows under a key.
-- SPDX-License-Identifier: MIT

local column = require "dts.column"
local kernel = require "dts.kernel"
local options = require "dts.options"
local state = require "dts.state"

local SPEC = options.spec("dts.table", {
  { "name", "name", required = true, help = 'the table\'s name, for example name = "rates"' },
  { "key", "columns", help = "the columns that tell rows apart; without a key rows are only appended" },
  { "columns", "any", required = true, help = 'a list such as { "currency text", "date date", "rate real" }' },
  { "index", "any", help = 'lists of columns that are searched by, for example { { "product", "date" } }' },
  { "rows", "text", help = 'a CSV file of the project with rows for it, for example "data/teams.csv"' },
  { "keep", "duration", to = "keep_ms", help = 'how long rows are kept, for example "400d"' },
  { "private", "boolean", help = "true: only the pipelines that write it may read it" },
})

local function read_columns(given, what)
  if type(given) ~= "table" or #given == 0 then
    options.fail(what, ("field 'columns': a list of columns expected, got %s"):format(options.shown(given)),
      'for example columns = { "currency text", "date date", "rate real" }')
  end
  local list, names, seen = {}, {}, {}
  for i, text in ipairs(given) do
    local read = column.read(text, what)
    if seen[read.name] then options.fail(what, ("column '%s' stands twice"):format(read.name)) end
    list[i], names[i], seen[read.name] = read, read.name, true
  end
  return kernel.list(list), names, seen
end

local function check_known(field, columns, names, seen, what)
  for _, name in ipairs(columns) do
    if not seen[name] then
      options.fail(what, ("field '%s': there is no column '%s'%s"):format(field, name, options.meant(name, names)))
    end
  end
end

local function read_index(given, names, seen, what)
  if given == nil then return kernel.list {} end
  if type(given) == "string" then given = { given } end
  if type(given) ~= "table" then
    options.fail(what, ("field 'index': a list of lists of columns expected, got %s"):format(options.shown(given)))
  end
  local list = {}
  for i, item in ipairs(given) do
    list[i] = options.types.names(item)
    if not list[i] then
      options.fail(what, ("field 'index': a list of columns expected, got %s"):format(options.shown(item)))
    end
    check_known("index", list[i], names, seen, what)
  end
  return kernel.list(list)
end

return function(given)
  local out, what = options.check(SPEC, given)
  local names, seen
  out.columns, names, seen = read_columns(given.columns, what)
  if out.key then check_known("key", out.key, names, seen, what) end
  out.index = read_index(given.index, names, seen, what)
  out.private = out.private or false
  state.declare("table", out)
  return out.name
end
