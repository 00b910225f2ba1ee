-- dts.csv: decode(text, shape?) gives a list of rows as :rows would; encode(rows, { columns, delimiter }?) gives a
-- text.
-- SPDX-License-Identifier: MIT

local body = require "dts.body"
local kernel = require "dts.kernel"
local options = require "dts.options"
local query = require "dts.query"
local rows = require "dts.rows"

local csv = {}

local SPEC = options.spec("csv.encode", {
  { "columns", "texts", help = "the columns in their order; without them all, by name" },
  { "delimiter", "text", default = ",", help = "one character" },
  { "formulas", "boolean", default = true,
    help = "false: texts that a spreadsheet would run (those that begin with = + - @) get a ' before them" },
})

function csv.decode(text, shape)
  if type(text) ~= "string" then
    options.fail("csv.decode", ("a text expected, got %s"):format(options.shown(text)))
  end
  local given, list = { format = "csv" }, {}
  for name, value in pairs(shape or {}) do given[name] = value end
  for row in body.of(text, "csv.decode"):rows(given) do list[#list + 1] = row end
  return list
end

local function all_columns(list)
  local names, seen = {}, {}
  for _, row in ipairs(list) do
    for name in pairs(row) do
      if not seen[name] then names[#names + 1], seen[name] = name, true end
    end
  end
  table.sort(names)
  return names
end

local function field(value, name, row)
  if value ~= value or value == math.huge or value == -math.huge then
    options.fail("csv.encode", ("column '%s': CSV has no %s (row %d)"):format(name,
      value ~= value and "NaN (0/0)" or "infinity", row))
  end
  if value == nil or value == kernel.null then return "" end
  if type(value) == "table" then return require("dts.json").encode(value) end
  return tostring(value)
end

function csv.encode(list, opts)
  list = query.plain(list)
  if type(list) ~= "table" then
    options.fail("csv.encode", ("a list of rows expected, got %s"):format(options.shown(list)))
  end
  local out = options.check(SPEC, opts or {}, "csv.encode")
  if #out.delimiter ~= 1 or out.delimiter:find('["\r\n%z]') then
    local shown = options.shown(out.delimiter)
    options.fail("csv.encode", ("field 'delimiter': one character expected, got %s"):format(shown))
  end
  local columns = out.columns or all_columns(list)
  local lines = { rows.csv_line(columns, out.delimiter, not out.formulas) }
  for i, row in ipairs(list) do
    local fields = {}
    for j, name in ipairs(columns) do fields[j] = field(row[name], name, i) end
    lines[i + 1] = rows.csv_line(fields, out.delimiter, not out.formulas)
  end
  return table.concat(lines)
end

return csv
