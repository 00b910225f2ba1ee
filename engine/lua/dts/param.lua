-- Parameters of pipelines and routes: "text", "date?" (may be absent), "integer = 10" (has a default), or a list, which
-- is a choice whose first value is the default. Text after -- says what it means.
-- SPDX-License-Identifier: MIT

local column = require "dts.column"
local kernel = require "dts.kernel"
local options = require "dts.options"
local time = require "dts.time"

local param = {}

local IS_TYPE = {}
for _, name in ipairs(column.types) do IS_TYPE[name] = true end

-- A default's text in the type of its parameter; nil when it does not fit.
local function read_default(kind, text)
  if kind == "text" then return text end
  if kind == "integer" then return math.tointeger(tonumber(text)) end
  if kind == "real" then return tonumber(text) and tonumber(text) + 0.0 end
  if kind == "boolean" then
    if text == "true" or text == "false" then return text == "true" end
    return nil
  end
  if kind == "date" then return time.is_date(text) and text or nil end
  if kind == "timestamp" then return time.is_instant(text) and text or nil end
  return nil
end

local function read_choice(name, list, fail)
  local choices = {}
  for i, choice in ipairs(list) do
    if type(choice) ~= "string" or choice == "" then fail(name, "a choice is a list of texts") end
    choices[i] = choice
  end
  if #choices == 0 then fail(name, "a choice has at least one value") end
  return { name = name, type = "choice", required = false, default = choices[1], choices = kernel.list(choices) }
end

local function read_text(name, text, fail)
  local plain, doc = text:match("^(.-)%s*%-%-%s*(.*)$")
  plain = plain or text
  local kind, optional, rest = plain:match("^%s*(%a+)(%??)%s*(.-)%s*$")
  if not kind then fail(name, ('a type such as "date?" expected, got %s'):format(options.shown(text))) end
  if not IS_TYPE[kind] then
    fail(name, ("unknown type '%s'%s"):format(kind, options.meant(kind, column.types)))
  end
  local out = { name = name, type = kind, required = optional == "", doc = doc }
  if rest == "" then return out end
  local default = rest:match("^=%s*(.+)$")
  if not default then fail(name, ("'%s' is not understood after the type"):format(rest)) end
  out.default, out.required = read_default(kind, default), false
  if out.default == nil then
    fail(name, ("the default %s is not of type %s"):format(options.shown(default), kind))
  end
  return out
end

-- { name = declaration, … } in, a list sorted by name out.
function param.read(given, what)
  local list = {}
  local function fail(name, message)
    options.fail(what, ("parameter '%s': %s"):format(name, message),
      'a parameter is "text", "date?" (may be absent), "integer = 10" (a default) or a list of choices')
  end
  if given ~= nil and type(given) ~= "table" then
    options.fail(what, ("field 'params': a table such as { from = \"date?\" } expected, got %s")
      :format(options.shown(given)))
  end
  for name, text in pairs(given or {}) do
    if not options.types.name(name) then
      options.fail(what, ("field 'params': a parameter has a name, got %s"):format(options.shown(name)),
        'for example params = { from = "date?", limit = "integer = 100" }')
    end
    if type(text) == "table" then list[#list + 1] = read_choice(name, text, fail)
    elseif type(text) == "string" then list[#list + 1] = read_text(name, text, fail)
    else fail(name, ('a type such as "date?" expected, got %s'):format(options.shown(text))) end
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return kernel.list(list)
end

return param
