-- "price real not null default 0 check (price > 0) -- at the pump": one column of a table, taken apart.
-- The words are read left to right; what follows `default` goes to the next keyword outside of brackets and quotes.
-- SPDX-License-Identifier: MIT

local options = require "dts.options"

local TYPES = { "text", "integer", "real", "boolean", "date", "timestamp", "json" }
local IS_TYPE = {}
for _, name in ipairs(TYPES) do IS_TYPE[name] = true end

local column = { types = TYPES }

-- The text before the comment, and the comment. Two dashes within quotes are part of the text.
local function split_doc(text)
  local quoted = false
  for i = 1, #text do
    local c = text:sub(i, i)
    if c == "'" then quoted = not quoted end
    if not quoted and text:sub(i, i + 1) == "--" then
      return text:sub(1, i - 1), (text:sub(i + 2):gsub("^%s+", ""):gsub("%s+$", ""))
    end
  end
  return text, ""
end

-- The expression at the start of `text`, up to a keyword outside of brackets and quotes; and the rest.
local function take_expression(text)
  local depth, quoted, i = 0, false, 1
  while i <= #text do
    local c = text:sub(i, i)
    if c == "'" then quoted = not quoted
    elseif not quoted and c == "(" then depth = depth + 1
    elseif not quoted and c == ")" then depth = depth - 1
    elseif not quoted and depth == 0 and c == " " then
      local word = text:sub(i):match("^%s+(%a+)")
      word = word and word:lower()
      if word == "not" or word == "check" or word == "default" then break end
    end
    i = i + 1
  end
  return (text:sub(1, i - 1):gsub("^%s+", ""):gsub("%s+$", "")), text:sub(i), depth == 0 and not quoted
end

local function read_constraints(out, rest, fail)
  while rest:find("%S") do
    local after = rest:match("^%s*[nN][oO][tT]%s+[nN][uU][lL][lL]%f[%W](.*)$")
    local default = rest:match("^%s*[dD][eE][fF][aA][uU][lL][tT]%s(.*)$")
    local check = rest:match("^%s*[cC][hH][eE][cC][kK]%s*(%b())")
    if after then
      out.not_null, rest = true, after
    elseif default then
      local whole
      out.default, rest, whole = take_expression(default)
      if out.default == "" or not whole then fail("`default` is followed by a value") end
    elseif check then
      out.check = check:sub(2, -2):gsub("^%s+", ""):gsub("%s+$", "")
      rest = rest:match("^%s*%a+%s*%b()(.*)$")
    else
      local said = rest:gsub("^%s+", "")
      fail(("'%s' is not understood after the type"):format(said))
    end
  end
end

-- One column's text in, { name, type, not_null, default, check, doc } out. `what` names the table.
function column.read(text, what)
  local function fail(message)
    options.fail(what, ("column %s: %s"):format(options.shown(text), message),
      'a column is "name type", then `not null`, `default …`, `check (…)`, and after -- what it means')
  end
  if type(text) ~= "string" then fail('a text such as "price real not null -- at the pump" expected') end
  local plain, doc = split_doc(text)
  local name, kind, rest = plain:match("^%s*([%a_][%w_]*)%s+([%a_]+)(.*)$")
  if not name then fail("a name and a type expected") end
  if not IS_TYPE[kind] then
    fail(("unknown type '%s'%s; the types are %s"):format(kind, options.meant(kind, TYPES), table.concat(TYPES, " ")))
  end
  local out = { name = name, type = kind, not_null = false, doc = doc }
  read_constraints(out, rest, fail)
  return out
end

return column
