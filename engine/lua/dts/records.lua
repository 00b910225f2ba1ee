-- Records of JSON, XML and HTML under the rules that rows_csv.c keeps for CSV: our names, types of a table, texts that
-- mean nothing, and what a value that does not fit does. Only texts are read; other values pass as they are.
-- SPDX-License-Identifier: MIT

local kernel = require "dts.kernel"
local rows = require "dts.rows"

local records = {}

-- "owner.login" of a record; a name with a dot in it comes first.
local function dig(record, path)
  local value = record[path]
  if value ~= nil or not path:find(".", 1, true) then return value end
  value = record
  for name in path:gmatch("[^%.]+") do
    if type(value) ~= "table" then return nil end
    value = value[name]
  end
  return value
end

local function null_set(list)
  local set = {}
  for _, text in ipairs(list or {}) do set[text] = true end
  return set
end

local function fault(shape, name, theirs, expected, value, place)
  local alias = theirs ~= name and (' ("%s")'):format(theirs) or ""
  return ("column '%s'%s: %s expected, got %s (%s of %s)"):format(name, alias, expected, kernel.shorten(value), place,
    shape.origin)
end

-- One value in its column's type; false and the message when it does not fit.
local function cell(shape, nulls, name, theirs, value, place)
  if type(value) ~= "string" then return true, value end
  if nulls[value] then return true, nil end
  local kind = shape.types and shape.types[name]
  if not kind or kind == "text" then return true, value end
  local text = value:gsub("^%s+", ""):gsub("%s+$", "")
  if text == "" then return true, nil end
  local good, got = rows.cell(kind, text, shape.decimal, shape.dates)
  if good then return true, got end
  return false, fault(shape, name, theirs, got, value, place)
end

-- The record as a row; nil and the message when a value does not fit.
local function read(shape, nulls, record, place)
  local row = {}
  local function take(name, theirs, value)
    local good, got = cell(shape, nulls, name, theirs, value, place)
    if not good and shape.bad ~= "null" then return got end
    if good then row[name] = got end
    return nil
  end
  if shape.columns then
    for name, theirs in pairs(shape.columns) do
      local message = take(name, theirs, dig(record, theirs))
      if message then return nil, message end
    end
  else
    for name, value in pairs(record) do
      local message = take(name, name, value)
      if message then return nil, message end
    end
  end
  return row
end

-- next() gives record, line?; what this gives yields row, line (or the record's number).
function records.shaped(next, shape)
  local nulls, count = null_set(shape.null), 0
  if not shape.columns and not shape.types and not shape.null then return next end
  return function()
    while true do
      local record, line = next()
      if record == nil then return nil end
      count = count + 1
      local row, message = read(shape, nulls, record, line and "line " .. line or "record " .. count)
      if row then return row, line or count end
      if shape.bad ~= "reject" then kernel.raise { code = "ROWS", message = message } end
      shape.reject(record, message, line or count)
    end
  end
end

return records
