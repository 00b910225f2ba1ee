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

-- Where a path leads in a record of JSON: the value; or nil, what has not its next name, and that name's place in it.
local function walk(record, path)
  local value, at = record, 1
  for name in path:gmatch("[^%.]+") do
    local found
    if type(value) == "table" then
      found = value[name]
      if found == nil then found = value[math.tointeger(tonumber(name))] end
    end
    if found == nil then return nil, value, at end
    value, at = found, at + #name + 1
  end
  return value
end

-- "owner.login" or "3.price" of a record; a name with a dot in it comes first.
local function dig(record, path, place, shape)
  local value = record[path]
  if value == nil and type(place) == "userdata" then
    if is_selector(path) then return select(place, path, shape) end
    return record[path:match("^[^:]+:(.+)$")]
  end
  if value ~= nil then return value end
  return walk(record, path)
end

-- The name that was meant by the path's name at `at`, among those of an object, as a whole path: a field that no other
-- column asks for, or for a name on the way an object or a list.
local function meant(shape, path, holder, at)
  local before, name, behind = path:sub(1, at - 1), path:match("^%.*([^%.]+)(.*)", at)
  local asked, names = {}, {}
  for _, theirs in pairs(shape.columns) do asked[theirs] = true end
  for key, value in pairs(holder) do
    local is_free = behind == "" and not asked[before .. key]
    if is_free or behind ~= "" and type(value) == "table" then names[#names + 1] = key end
  end
  table.sort(names)
  local nearest = kernel.nearest(name, names)
  return nearest and ("; did you mean '%s'?"):format(before .. nearest .. behind)
end

-- What is wrong with a path that leads to nothing in this record of JSON; nil where its field may just be absent.
local function oddity(shape, path, record)
  local _, holder, at = walk(record, path)
  if not at or holder == kernel.null then return nil end
  local place = at > 1 and ("'%s'"):format(path:sub(1, at - 2)) or "the record"
  if type(holder) ~= "table" then
    local shown = type(holder) == "string" and kernel.shorten(holder) or tostring(holder)
    return ("; %s has no fields, it is %s"):format(place, shown)
  end
  if #holder == 0 then return meant(shape, path, holder, at) end
  local number = math.tointeger(tonumber(path:match("[^%.]+", at)))
  return not (number and number > 0) and ("; %s is a list, whose items are numbers from 1"):format(place) or nil
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
  if kind == "text" and value:find("\0", 1, true) then
    return false, fault(shape, name, theirs, "text without NUL", value, place)
  end
  if not kind or kind == "text" then return true, value end
  local text = value:gsub("^%s+", ""):gsub("%s+$", "")
  if text == "" then return true, nil end
  local good, got, hint, cure = rows.cell(kind, text, shape)
  if good then return true, got end
  local said = shape.reject and cure and "; " .. cure or ""
  return false, fault(shape, name, theirs, got, value, place) .. said, hint
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

local function sorted(map, of)
  local list = {}
  for name, value in pairs(map) do list[#list + 1] = tostring(of == "names" and name or value) end
  table.sort(list)
  return list
end

-- The first record has none of the columns asked for: they stand elsewhere. A null of JSON is an absent name, so of
-- JSON only what the table requires tells.
local function check_some(shape, record, row, place, node)
  if next(row) ~= nil or next(record) == nil then return end
  local required = node ~= nil
  for name in pairs(shape.columns) do required = required or (shape.needs or {})[name] end
  if not required then return end
  kernel.raise {
    code = "ROWS",
    hint = node and '`columns` may also hold XPath or CSS below the record: "../@time", "td.price"'
      or 'a field inside of another is "owner.login", an item of a list its number: "1"',
    message = ("the record has none of the columns asked for (%s) but %s (%s of %s)"):format(
      table.concat(sorted(shape.columns), ", "), table.concat(sorted(record, "names"), ", "), place, shape.origin),
  }
end

local LOOKS = 20 -- records that are asked what may be wrong with a column that they lack

-- Of the columns in `absent`, by our names, those that this record of JSON lacks as well, and what seems wrong with
-- their paths (or false); nil when it has all.
local function still_absent(shape, absent, record, count)
  local left
  for name, said in pairs(absent) do
    local path = shape.columns[name]
    if dig(record, path) == nil then
      left = left or {}
      left[name] = said or count <= LOOKS and oddity(shape, path, record) or false
    end
  end
  return left
end

local function unseen(shape)
  local absent = {}
  for name in pairs(shape.columns) do absent[name] = false end
  return absent
end

-- A column that no record had is null in every row: where its path seems wrong, that is told.
local function warn_absent(shape, absent)
  for _, name in ipairs(sorted(absent, "names")) do
    if absent[name] then
      require("dts.log").warn(("column '%s': no record has \"%s\"%s (%s)"):format(name, shape.columns[name],
        absent[name], shape.origin))
    end
  end
end

-- Of all fields as they are, one without which a row is refused, of those that the records have offered: others are the
-- script's to fill. A null of JSON is an absent name.
local function lacking(shape, record, row)
  local offered = shape.offered
  for name in pairs(shape.required) do
    if row[name] ~= nil then
      offered[name] = true
    elseif offered[name] or record[name] ~= nil then
      return name
    end
  end
end

-- What the record, or what a path leads to before its absent name, has instead.
local function say_names(path, record)
  local _, holder, at = walk(record, path)
  if type(holder) ~= "table" or next(holder) == nil or #holder > 0 then return nil end
  return ("%s has %s"):format(at > 1 and ("'%s'"):format(path:sub(1, at - 2)) or "the record",
    table.concat(sorted(holder, "names"), ", "))
end

local function say_lack(shape, name, record, place, from)
  local theirs = shape.columns and shape.columns[name] or name
  local alias = theirs ~= name and (' ("%s")'):format(theirs) or ""
  local is_path = from == nil and shape.columns and dig(record, theirs) == nil
  return ("column '%s'%s: a value is required, got nothing%s (%s of %s)"):format(name, alias,
    is_path and oddity(shape, theirs, record) or "", place, shape.origin),
    is_path and say_names(theirs, record) or 'bad = "reject" sets rows without it aside'
end

-- The record as a row; nil, message and hint when a value does not fit. `from` is an element's node, a table's names.
local function read(shape, nulls, record, place, from)
  local row, required, lack = {}, shape.required, nil
  local function take(name, theirs, value)
    local good, got, hint = cell(shape, nulls, name, theirs, value, place)
    if not good and shape.bad ~= "null" then return got, hint end
    if good then row[name] = got end
    return nil
  end
  if shape.columns then
    for name, theirs in pairs(shape.columns) do
      local message, hint = take(name, theirs, dig(record, theirs, from, shape))
      if message then return nil, message, hint end
      if required and row[name] == nil and required[name] then lack = name end
    end
  else
    for name, value in pairs(record) do
      local message, hint = take(name, name, value)
      if message then return nil, message, hint end
    end
    lack = required and lacking(shape, record, row)
  end
  if lack then return nil, say_lack(shape, lack, record, place, from) end
  return row
end

-- next() gives record, line?, from?; what this gives yields row, line (or the record's number).
function records.shaped(next, shape)
  local nulls, count, checked = null_set(shape.null), 0, nil
  local absent -- of JSON: what was asked for and has not come yet
  if not shape.columns and not shape.types and not shape.null then
    return function()
      local record, line = next()
      return record, line
    end
  end
  return function()
    while true do
      local record, line, from = next()
      if record == nil then
        if absent then warn_absent(shape, absent) end
        return nil
      end
      count = count + 1
      local place = line and "line " .. line or "record " .. count
      if shape.columns and type(from) == "table" and from ~= checked then
        check_names(shape, from, place)
        checked = from
      end
      if shape.columns and from == nil and (absent or count == 1) then
        absent = still_absent(shape, absent or unseen(shape), record, count)
      end
      local row, message, hint = read(shape, nulls, record, place, from)
      if row and count == 1 and shape.columns and type(from) ~= "table" then
        check_some(shape, record, row, place, from)
      end
      if row then return row, line or count end
      if not shape.reject then kernel.raise { code = "ROWS", message = message, hint = hint } end
      shape.reject(record, message, line or count)
    end
  end
end

return records
