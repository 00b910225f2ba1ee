-- Tables of options, declared once: `options.spec(title, { { name, type, … }, … })` is a function that takes what
-- the analyst wrote and gives it normalised. A field is { name, type, to = (name in the result), required, default,
-- help }; a type is a name in `types` below, a list of choices, or another spec. What is not declared is an error
-- that names the nearest field; what is of another type is one that shows the value and what was expected.
-- SPDX-License-Identifier: MIT

local kernel = require "dts.kernel"
local time = require "dts.time"

local options = {}
local types = {}
options.types = types

local DAY = 86400000
local SECOND, MOST_DAYS = 1000, 3660
local SIZES = { KB = 1024, MB = 1024 ^ 2, GB = 1024 ^ 3 }
local PER = { s = 1000, m = 60000, h = 3600000, d = DAY }

-- An error in what the analyst wrote; `what` says of what it is ("dts.pipeline 'rates'").
function options.fail(what, message, hint)
  kernel.raise { code = "OPTION", message = ("%s: %s"):format(what, message), hint = hint }
end

function options.shown(value)
  if type(value) == "string" or value == nil or type(value) ~= "table" then return kernel.shorten(value) end
  return #value > 0 and "a list" or "a table"
end

-- ", did you mean …" for a word that is not one of `names`.
function options.meant(word, names)
  local nearest = type(word) == "string" and kernel.nearest(word, names)
  return nearest and ("; did you mean '%s'?"):format(nearest) or ""
end

function options.one_of(names, quote)
  local shown = {}
  for i, name in ipairs(names) do shown[i] = (quote or '"%s"'):format(name) end
  if #shown < 2 then return shown[1] or "nothing" end
  return table.concat(shown, ", ", 1, #shown - 1) .. " or " .. shown[#shown]
end

-- ── types: the value normalised, or nil and what was expected, or nil, nil and what is wrong ──

function types.text(v)
  if type(v) == "string" and v ~= "" then return v end
  return nil, "a text"
end

function types.sql(v)
  if type(v) == "string" and v:find("%S") then return (v:gsub("^%s+", ""):gsub("%s+$", "")) end
  return nil, "SQL as a text"
end

function types.name(v)
  if type(v) == "string" and #v <= 63 and v:find("^[%a_][%w_]*$") then return v end
  return nil, "a name of letters, digits and _"
end

function types.boolean(v)
  if type(v) == "boolean" then return v end
  return nil, "true or false"
end

function types.integer(v)
  local n = type(v) == "number" and math.tointeger(v)
  if n then return n end
  return nil, "a whole number"
end

function types.count(v)
  local n = type(v) == "number" and math.tointeger(v)
  if n and n > 0 then return n end
  return nil, "a whole number above 0"
end

function types.natural(v)
  local n = type(v) == "number" and math.tointeger(v)
  if n and n >= 0 then return n end
  return nil, "a whole number, 0 or more"
end

function types.duration(v)
  local ms = type(v) == "string" and time.duration(v)
  if ms then return ms end
  return nil, 'a duration such as "30s", "15m", "6h" or "7d"'
end

function types.days(v)
  local ms = type(v) == "string" and time.duration(v)
  if ms and ms % DAY == 0 then return ms // DAY end
  return nil, 'whole days such as "7d"'
end

function types.date(v)
  if time.is_date(v) then return v end
  return nil, 'a date such as "2024-02-29"'
end

function types.size(v)
  local number, unit = tostring(v):match("^(%d+)%s*([KMG]B)$")
  if type(v) == "string" and number then return math.tointeger(number * SIZES[unit]) end
  return nil, 'a size such as "64MB"'
end

function types.rate(v)
  local count, unit = tostring(v):match("^(%d+)/(%l)$")
  if type(v) == "string" and count and tonumber(count) > 0 and PER[unit] then
    return { count = math.tointeger(tonumber(count)), ms = PER[unit] }
  end
  return nil, 'a rate such as "5/s", "60/m" or "5000/h"'
end

-- How often something comes: neither all the time nor never.
function options.check_every(ms, given, what)
  if not ms or ms >= SECOND and ms <= MOST_DAYS * DAY then return end
  options.fail(what, ("field 'every': a duration from \"1s\" to \"%dd\" expected, got %s"):format(MOST_DAYS,
    options.shown(given.every)))
end

function types.cron(v)
  if type(v) ~= "string" then return nil, 'a schedule such as "30 16 * * 1-5"' end
  local wrong, hint = time.check_cron(v)
  if wrong then return nil, nil, wrong:gsub("^schedule: ", ""), hint end
  return v
end

function types.zone(v)
  if type(v) == "string" and v:find("^[%a][%w_+/-]*$") then return v end
  return nil, 'a time zone such as "Europe/Berlin"'
end

function types.run(v)
  if type(v) == "function" then return v end
  return nil, "a function"
end

function types.map(v)
  if type(v) == "table" and #v == 0 and not getmetatable(v) then return v end
  return nil, "a table of names and values"
end

function types.any(v) return v end

local function list_of(item, expected)
  return function(v)
    if type(v) == "string" then v = { v } end
    if type(v) ~= "table" or next(v) ~= nil and #v == 0 then return nil, expected end
    local list = {}
    for i, x in ipairs(v) do
      list[i] = item(x)
      if list[i] == nil then return nil, expected end
    end
    return kernel.list(list)
  end
end

types.texts = list_of(types.text, "a text or a list of texts")
types.names = list_of(types.name, "a name or a list of names")
types.dates = list_of(types.date, 'a list of dates such as "2024-02-29"')

function types.columns(v)
  local list = type(v) == "table" and list_of(types.name, "")(v)
  if list and #list > 0 then return list end
  return nil, "a list of column names"
end

function types.text_map(v)
  if type(v) ~= "table" or #v > 0 then return nil, "a table of names and texts" end
  for name, text in pairs(v) do
    if type(name) ~= "string" or type(text) ~= "string" then return nil, "a table of names and texts" end
  end
  return v
end

-- "-date" or { "-date", "name" }: always a list.
function types.order(v)
  local list = list_of(function(x)
    return type(x) == "string" and x:find("^%-?[%a_][%w_]*$") and x or nil
  end, "")(v)
  if list then return list end
  return nil, 'column names such as "date", "-date" for the largest first, or a list of them'
end

-- ── specs ──

local function choice_of(list)
  return function(v)
    for _, name in ipairs(list) do
      if v == name then return v end
    end
    return nil, options.one_of(list)
  end
end

local function normalise(field, value, what)
  local kind = field[2]
  if type(kind) == "table" and kind.fields then
    if type(value) ~= "table" then return nil, "a table" end
    return options.check(kind, value, ("%s: field '%s'"):format(what, field[1]))
  end
  local check = type(kind) == "table" and choice_of(kind) or types[kind]
  return check(value)
end

local function refuse(field, value, what, expected, wrong, hint)
  local said = wrong or expected .. " expected"
  local got = ("field '%s': %s, got %s"):format(field[1], said, options.shown(value))
  options.fail(what, got, hint or field.help)
end

local function check_names(spec, given, what)
  for name in pairs(given) do
    local known = spec.fields[name] or (math.type(name) == "integer" and spec.items)
    if not known then
      if type(name) ~= "string" then
        options.fail(what, ("an unnamed item (%s) has no place here"):format(options.shown(given[name])))
      end
      options.fail(what, ("unknown field '%s'%s"):format(name, options.meant(name, spec.names)),
        "the fields are " .. table.concat(spec.names, ", ") .. (spec.items and ("; %s"):format(spec.items) or ""))
    end
  end
end

-- The given table checked and normalised; unnamed items (where the spec allows them) are left to the caller.
-- `unnamed`: its `name` is a setting like others, and `what` says enough.
function options.check(spec, given, what, unnamed)
  what = what or spec.title
  if type(given) ~= "table" then
    options.fail(what, ("a table expected, got %s"):format(options.shown(given)),
      what == spec.title and ("write %s { … }"):format(what) or nil)
  end
  if not unnamed and spec.fields.name and type(given.name) == "string" and given.name ~= "" then
    what = ("%s '%s'"):format(what, given.name)
  end
  check_names(spec, given, what)
  local out = {}
  for _, field in ipairs(spec) do
    local value, to = given[field[1]], field.to or field[1]
    if value == nil then
      if field.required then
        options.fail(what, ("field '%s' is missing: %s"):format(field[1], field.help))
      end
      out[to] = field.default
    else
      local checked, expected, wrong, hint = normalise(field, value, what)
      if checked == nil then refuse(field, value, what, expected, wrong, hint) end
      out[to] = checked
    end
  end
  return out, what
end

-- A spec from its fields; `items` says what the unnamed items are, where they may stand in the table.
function options.spec(title, fields, items)
  local spec = { title = title, fields = {}, names = {}, items = items }
  for i, field in ipairs(fields) do
    spec[i], spec.names[i], spec.fields[field[1]] = field, field[1], field
  end
  return spec
end

return options
