-- dts.calendar { "NYSE", closed = { "2025-01-09" } }: the dates that a series is expected to have. Lists may be a CSV
-- file of the project whose first column holds dates.
-- SPDX-License-Identifier: MIT

local kernel = require "dts.kernel"
local options = require "dts.options"
local time = require "dts.time"

local calendar = {}

local SPEC = options.spec("dts.calendar", {
  { "closed", "any", help = "dates taken out: a list, or a CSV file of the project" },
  { "open", "any", help = "dates put in: a list, or a CSV file of the project" },
}, "the name of a calendar stands first")

local made = setmetatable({}, { __mode = "k" }) -- what dts.calendar gave → { declaration, C's calendar }

local function dates_of_file(path, what)
  local list = {}
  local number = 0
  for line in (kernel.call("file", { path = path }).source .. "\n"):gmatch("([^\n]*)\r?\n") do
    number = number + 1
    local field = line:gsub("^\239\187\191", ""):match('^%s*"?([^",;]*)')
    if time.is_date(field) then list[#list + 1] = field
    elseif number > 1 and field:find("%S") then
      options.fail(what, ("%s, line %d: a date such as 2025-01-09 expected, got %s")
        :format(path, number, options.shown(field)))
    end
  end
  return kernel.list(list)
end

local function dates_of(field, given, what)
  if given == nil then return kernel.list {} end
  if type(given) == "string" and not time.is_date(given) then return dates_of_file(given, what) end
  local list, expected = options.types.dates(given)
  if not list then options.fail(what, ("field '%s': %s expected, got %s"):format(field, expected,
    options.shown(given))) end
  return list
end

local function declaration(given, what)
  local name = given[1]
  if type(name) ~= "string" or #given ~= 1 then
    options.fail(what, ("a calendar's name expected first, for example dts.calendar { \"NYSE\" }, got %s")
      :format(options.shown(name)))
  end
  local out = options.check(SPEC, given, what)
  return { name = name, closed = dates_of("closed", out.closed, what), open = dates_of("open", out.open, what) }
end

local methods = {}

local function check(self)
  if not made[self] then options.fail("calendar", "write a colon: calendar:has(date)") end
  return made[self].days
end

function methods:has(date) return check(self):has(date) end
function methods:next(date) return check(self):next(date) end
function methods:previous(date) return check(self):previous(date) end

-- The expected dates of a range, both ends included.
function methods:dates(from, to)
  local days, list = check(self), {}
  local date = days:has(from) and from or days:next(from)
  while date and date <= to do
    list[#list + 1] = date
    date = days:next(date)
  end
  return list
end

local CLASS = { __index = methods, __name = "calendar" }

-- dts.calendar { … }
function calendar.make(given)
  if type(given) == "string" then given = { given } end
  if type(given) ~= "table" then
    options.fail("dts.calendar", ("a name or a table expected, got %s"):format(options.shown(given)))
  end
  local out = declaration(given, "dts.calendar")
  local self = setmetatable({}, CLASS)
  made[self] = { declaration = out, days = time.calendar(out.name, out.closed, out.open) }
  return self
end

-- What stands at `calendar =`: a name, or what dts.calendar gave; as declarations carry it.
function calendar.read(given, what)
  if made[given] then return made[given].declaration end
  if type(given) ~= "string" and type(given) ~= "table" then
    options.fail(what, ("field 'calendar': a name or dts.calendar { … } expected, got %s")
      :format(options.shown(given)))
  end
  return made[calendar.make(given)].declaration
end

return calendar
