-- What the specs of connectors share: real files of the test data, record by record, and, where a spec is run by plain
-- busted and not by `dts test`, as much of `dts` as the pure part of a connector needs. It never reaches a network.
-- SPDX-License-Identifier: MIT

local helper = {}

local MONTHS = {
  Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11, Dec = 12,
}
local FIELDS = { ["%d"] = "(%d%d?)", ["%m"] = "(%d%d?)", ["%Y"] = "(%d%d%d%d)", ["%b"] = "(%a%a%a)" }
local NOON = 12

local function day_number(date)
  local year, month, day = date:match("^(%d%d%d%d)-(%d%d)-(%d%d)$")
  assert(year, ("a date such as 2024-02-29 expected, got %q"):format(date))
  local noon = os.time { year = year, month = month, day = day, hour = NOON }
  assert(os.date("%Y-%m-%d", noon) == date, ("%q is not a day of the calendar"):format(date))
  return math.floor(os.difftime(noon, os.time { year = 1970, month = 1, day = 1, hour = NOON }) / 86400 + 0.5)
end

local date = {}

function date.parse(text, form)
  local names = {}
  local pattern = "^" .. form:gsub("%%%a", function(f) names[#names + 1] = f; return FIELDS[f] end) .. "$"
  local found, at = { text:match(pattern) }, {}
  assert(found[1], ("a date like %s expected, got %q"):format(form, text))
  for i, name in ipairs(names) do at[name] = MONTHS[found[i]] or tonumber(found[i]) end
  local parsed = ("%04d-%02d-%02d"):format(at["%Y"], at["%m"] or at["%b"], at["%d"])
  day_number(parsed)
  return parsed
end

function date.format(day, form)
  local year, month, number = day:match("^(%d+)-(%d+)-(%d+)$")
  return (form:gsub("%%%a", { ["%Y"] = year, ["%m"] = month, ["%d"] = number }))
end

function date.add(day, n)
  local year, month, number = day:match("^(%d+)-(%d+)-(%d+)$")
  return os.date("%Y-%m-%d", os.time { year = year, month = month, day = number + n, hour = NOON })
end

function date.diff(a, b)
  return day_number(a) - day_number(b)
end

local function refuse(_, verb)
  return function() error(verb .. ": there is no network in a spec of a connector's pure part", 2) end
end

if not pcall(require, "dts") then
  package.preload["dts"] = function()
    local source = setmetatable({}, { __index = refuse })
    local null = setmetatable({}, { __tostring = function() return "null" end })
    return { date = date, null = null, source = function() return source end }
  end
end

-- Where the test data are; without them the specs that need them are shown as pending.
helper.root = os.getenv("TEST_DATA")

-- The bytes of a file of the test data.
function helper.data(name)
  local file <close> = assert(io.open(helper.root .. "/" .. name, "rb"))
  return file:read("a")
end

-- The records of a plain CSV text (no quotes in it) by header, as `rows` yields them; an empty or absent field is nil.
function helper.records(text, delimiter)
  local function fields(line)
    local list = {}
    for field in (line .. delimiter):gmatch("(.-)" .. delimiter) do list[#list + 1] = field end
    return list
  end
  local lines = text:gsub("\r", ""):gmatch("[^\n]+")
  local names = fields(lines())
  return function()
    local line = lines()
    if not line then return nil end
    local record = {}
    for i, field in ipairs(fields(line)) do
      if field ~= "" then record[names[i]] = field end
    end
    return record
  end
end

-- An iterator over a list, as `rows` gives one.
function helper.each(list)
  local i = 0
  return function() i = i + 1; return list[i] end
end

return helper
