-- The reference names what the engine takes: each option table that engine/lua/dts declares has a heading of its title
-- in docs/reference.md, and below it one row for each field, with the type and the default that the declaration has.
-- The files are loaded with stand-ins for what is C, far enough to see their calls of options.spec.
-- SPDX-License-Identifier: MIT

local PAGE, FOLDER = "docs/reference.md", "engine/lua/dts/"
local TYPES = {
  texts = "text or list", names = "name or list", columns = "list of names", dates = "list of dates",
  count = "whole number > 0", natural = "whole number ≥ 0", integer = "whole number", days = "whole days",
  text_map = "names and texts", map = "names and values", order = "column or list", run = "function",
  sql = "SQL", cron = "cron", zone = "time zone", any = "as said",
}
local UNITS = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" } }

-- Stands for anything that only a worker has: indexed, called or joined it is itself, or no text.
local anything = setmetatable({}, {
  __index = function(self) return self end, __call = function(self) return self end,
  __concat = function() return "" end,
})

-- { title = { { name, type, … }, … } } of all files; specs of one title are one list.
local function specs_of(t)
  local specs, loaded, options = {}, {}, { types = anything, fail = anything }
  function options.spec(title, fields)
    specs[title] = specs[title] or {}
    table.move(fields, 1, #fields, #specs[title] + 1, specs[title])
    return { fields = fields, title = title }
  end
  loaded["dts.options"] = options
  local function require(name)
    local path = FOLDER .. name:gsub("^dts%.", "") .. ".lua"
    if loaded[name] == nil then
      loaded[name] = anything
      if t:has(path) then
        local env = setmetatable({ require = require }, { __index = _G })
        loaded[name] = assert(load(t:read(path), "@" .. path, "t", env))() or anything
      end
    end
    return loaded[name]
  end
  for path in t:each("^" .. FOLDER .. "%l+%.lua$") do
    local name = path:match("(%l+)%.lua$")
    if t:read(path):find("options.spec(", 1, true) and name ~= "options" then require("dts." .. name) end
  end
  return specs
end

local function kind_of(kind)
  if type(kind) == "string" then return TYPES[kind] or kind end
  if kind.title then return ("`%s`"):format(kind.title) end
  local shown = {}
  for i, choice in ipairs(kind) do shown[i] = ("`%q`"):format(choice) end
  return table.concat(shown, " ")
end

local function default_of(field)
  local value = field.default
  if value == nil then return field.required and "required" or nil end
  if field[2] == "duration" then
    if value == 0 then return "`\"0s\"`" end
    for _, unit in ipairs(UNITS) do
      if value % unit[1] == 0 then return ("`\"%d%s\"`"):format(value // unit[1], unit[2]) end
    end
  end
  if field[2] == "days" then return ("`\"%dd\"`"):format(value) end
  return type(value) == "string" and ("`%q`"):format(value) or ("`%s`"):format(value)
end

-- { heading = { row, … } }: a heading's name stands in backquotes.
local function sections_of(t)
  local sections, here = {}, nil
  for _, line in t:lines(PAGE) do
    local title = line:match("^#+ `([^`]+)`")
    if title then
      here = sections[title] or {}
      sections[title] = here
    elseif line:find("^#") then here = nil
    elseif here and line:find("^| `") then here[#here + 1] = line end
  end
  return sections
end

local function row_like(rows, start)
  for _, row in ipairs(rows) do
    if row:sub(1, #start) == start then return true end
  end
  return false
end

local function look(fault, title, fields, rows)
  local known = {}
  for _, field in ipairs(fields) do
    local default = default_of(field)
    local start = ("| `%s` | %s |%s"):format(field[1], kind_of(field[2]), default and (" %s |"):format(default) or "")
    known[field[1]] = true
    if not row_like(rows, start) then
      fault("%s, `%s`: a row is missing: %s … %s", PAGE, title, start, field.help or "")
    end
  end
  for _, row in ipairs(rows) do
    local name = row:match("^| `([%a_]+)` |")
    if name and not known[name] then fault("%s, `%s`: there is no option `%s`", PAGE, title, name) end
  end
end

local function check(t, fault)
  local sections = t:has(PAGE) and sections_of(t) or {}
  for title, fields in pairs(specs_of(t)) do
    if not sections[title] then fault("%s has no heading `%s`", PAGE, title) end
    look(fault, title, fields, sections[title] or {})
  end
end

local SOURCE = 'local options = require "dts.options"\nlocal kernel = require "dts.kernel"\n'
  .. 'local S = options.spec("dts.thing", { { "name", "text", required = true }, '
  .. '{ "wait", "duration", default = 600000 }, { "how", { "a", "b" } } })\nreturn function() return kernel.x(S) end\n'
local GOOD = "### `dts.thing`\n| `name` | text | required | its name |\n| `wait` | duration | `\"10m\"` | so long |\n"
  .. "| `how` | `\"a\"` `\"b\"` | | which way |\n"

return {
  about = "each option that scripts may give stands in the reference, with its type and default",
  check = check,
  specs_of = specs_of,
  breaks = {
    ["has no heading `dts.thing`"] = { ["engine/lua/dts/thing.lua"] = SOURCE, [PAGE] = "# Reference\n" },
    ["| `how` | `\"a\"` `\"b\"` |"] = {
      ["engine/lua/dts/thing.lua"] = SOURCE, [PAGE] = GOOD:gsub("| `how`[^\n]*\n", ""),
    },
    ["| `wait` | duration | `\"10m\"` |"] = {
      ["engine/lua/dts/thing.lua"] = SOURCE, [PAGE] = GOOD:gsub("10m", "5m"),
    },
    ["there is no option `gone`"] = {
      ["engine/lua/dts/thing.lua"] = SOURCE, [PAGE] = GOOD .. "| `gone` | text | | nothing |\n",
    },
  },
  keeps = { { ["engine/lua/dts/thing.lua"] = SOURCE, [PAGE] = GOOD } },
}
