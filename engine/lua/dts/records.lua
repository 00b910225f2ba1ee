-- Records of JSON, XML and HTML under the rules that rows_csv.c keeps for CSV: our names, types of a table, texts that
-- mean nothing, and what a value that does not fit does. Only texts are read; other values pass as they are.
-- SPDX-License-Identifier: MIT

local kernel = require "dts.kernel"
local options = require "dts.options"
local rows = require "dts.rows"

local records = {}

-- What an element's record has not: a name has no blank, no sign of CSS or XPath but a namespace's prefix.
local function is_selector(path)
  return path:find("[^%w_%-%.:\128-\255]") ~= nil or path:find("^%.") ~= nil or path:find("::", 1, true) ~= nil
end

-- The text at an XPath or CSS selector below a record's element.
local function select(node, path, shape)
  if path:find("^/") then
    options.fail("rows",
      ("field 'columns': '%s' looks from the top of the document, for each record anew"):format(path),
      ("write '.%s' to look below the record (%s)"):format(path, shape.origin))
  end
  local found = node:first(path)
  local text = found and found:text()
  return text ~= "" and text or nil
end

-- "owner.login" of a record; a name with a dot in it comes first.
local function dig(record, path, place, shape)
  local value = record[path]
  if value == nil and type(place) == "userdata" then
    if is_selector(path) then return select(place, path, shape) end
    return record[path:match("^[^:]+:(.+)$")]
  end
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
  local kind = shape.types and shape.types[name]
  local dated = kind == "date" or kind == "timestamp"
  if dated and shape.dates and math.type(value) == "integer" then value = tostring(value) end -- 20240229, 1709164800
  if type(value) ~= "string" then return true, value end
  if nulls[value] then return true, nil end
  if not kind or kind == "text" then return true, value end
  local text = value:gsub("^%s+", ""):gsub("%s+$", "")
  if text == "" then return true, nil end
  local good, got = rows.cell(kind, text, shape)
  if good then return true, got end
  return false, fault(shape, name, theirs, got, value, place)
end

-- The table of a page that has the most of the columns asked for, of equals the first; the page where none has rows.
function records.table_of(document, shape)
  local best, most = document, -1
  for node in document:each("table") do
    local _, _, names = node:records(nil, shape.header)()
    local has, found = {}, 0
    for _, name in ipairs(names or {}) do has[name] = true end
    for _, theirs in pairs(shape.columns) do found = found + (has[theirs] and 1 or 0) end
    if names and found > most then best, most = node, found end
  end
  return best
end

-- The columns asked for are held against those that a table has: an absent one is no empty one.
local function check_names(shape, names, place)
  local has = {}
  for _, name in ipairs(names) do has[name] = true end
  for name, theirs in pairs(shape.columns) do
    if not has[theirs] then
      kernel.raise {
        code = "ROWS", hint = "the table has " .. table.concat(names, ", "),
        message = ("column '%s': the table has no column \"%s\"%s (%s of %s)"):format(name, theirs,
          options.meant(theirs, names), place, shape.origin),
      }
    end
  end
end

-- The first record has none of the columns asked for: they stand elsewhere.
local function check_some(shape, record, row, place)
  if next(row) ~= nil or next(record) == nil then return end
  local names, wanted = {}, {}
  for name in pairs(record) do names[#names + 1] = tostring(name) end
  for _, theirs in pairs(shape.columns) do wanted[#wanted + 1] = theirs end
  table.sort(names)
  table.sort(wanted)
  kernel.raise {
    code = "ROWS", hint = "`columns` may also hold XPath or CSS below the record: \"../@time\", \"td.price\"",
    message = ("the record has none of the columns asked for (%s) but %s (%s of %s)"):format(table.concat(wanted, ", "),
      table.concat(names, ", "), place, shape.origin),
  }
end

-- A column that the table requires and that is null, of those that the records have offered: others are the script's
-- to fill. A null of JSON is an absent name.
local function lacking(shape, record, row)
  for name in pairs(shape.required or {}) do
    if shape.columns and shape.columns[name] or record[name] ~= nil then shape.offered[name] = true end
    if shape.offered[name] and row[name] == nil then return name end
  end
end

-- The record as a row; nil and the message when a value does not fit. `from` is an element's node, a table's names.
local function read(shape, nulls, record, place, from)
  local row = {}
  local function take(name, theirs, value)
    local good, got = cell(shape, nulls, name, theirs, value, place)
    if not good and shape.bad ~= "null" then return got end
    if good then row[name] = got end
    return nil
  end
  if shape.columns then
    for name, theirs in pairs(shape.columns) do
      local message = take(name, theirs, dig(record, theirs, from, shape))
      if message then return nil, message end
    end
  else
    for name, value in pairs(record) do
      local message = take(name, name, value)
      if message then return nil, message end
    end
  end
  local lack = shape.reject and lacking(shape, record, row)
  if lack then
    return nil, ("column '%s': a value expected, for the table requires one (%s of %s)"):format(lack, place,
      shape.origin)
  end
  return row
end

-- next() gives record, line?, from?; what this gives yields row, line (or the record's number).
function records.shaped(next, shape)
  local nulls, count, checked = null_set(shape.null), 0, nil
  if not shape.columns and not shape.types and not shape.null then
    return function()
      local record, line = next()
      return record, line
    end
  end
  return function()
    while true do
      local record, line, from = next()
      if record == nil then return nil end
      count = count + 1
      local place = line and "line " .. line or "record " .. count
      if shape.columns and type(from) == "table" and from ~= checked then
        check_names(shape, from, place)
        checked = from
      end
      local row, message = read(shape, nulls, record, place, from)
      if row and count == 1 and shape.columns and type(from) == "userdata" then
        check_some(shape, record, row, place)
      end
      if row then return row, line or count end
      if not shape.reject then kernel.raise { code = "ROWS", message = message } end
      shape.reject(record, message, line or count)
    end
  end
end

return records
