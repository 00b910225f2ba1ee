-- One request to a route with `run`: what the function receives, and its answer as the engine wants it. Reading the
-- headers makes a reply volatile, reading the key makes it this key's alone.
-- SPDX-License-Identifier: MIT

local json = require "dts.json"
local options = require "dts.options"
local query = require "dts.query"
local state = require "dts.state"

local request = {}

local REPLY = options.spec("dts.reply", {
  { "status", "count", help = "for example status = 404" },
  { "headers", "text_map", help = "headers of the reply" },
  { "json", "any", help = "a value, sent as JSON" },
  { "text", "any", help = "a text, sent as it is" },
  { "query", "any", help = "what dts.query or dts.sql gave" },
})

local Reply = { __name = "reply" }

-- dts.reply { status =, headers =, json = | text = | query = }
function request.reply(given)
  local out = options.check(REPLY, given or {}, "dts.reply")
  local count = 0
  for _, name in ipairs { "json", "text", "query" } do
    if out[name] ~= nil then count = count + 1 end
  end
  if count > 1 then options.fail("dts.reply", "`json`, `text` and `query` exclude each other") end
  if out.status and (out.status < 200 or out.status > 599) then
    options.fail("dts.reply", ("field 'status': a status from 200 to 599 expected, got %d"):format(out.status))
  end
  if out.text ~= nil and type(out.text) ~= "string" then
    options.fail("dts.reply", ("field 'text': a text expected, got %s"):format(options.shown(out.text)))
  end
  return setmetatable(out, Reply)
end

local FIELDS = { "params", "method", "headers", "body", "key" }

local function make(message, params)
  local given = message.req or {}
  local names = table.move(FIELDS, 1, #FIELDS, 1, {})
  local values, known = given.params or {}, {}
  for _, p in ipairs(params) do names[#names + 1], known[p.name] = p.name, true end
  return setmetatable({}, {
    __index = function(_, name)
      if name == "headers" then
        state.volatile = true
        return given.headers or {}
      end
      if name == "key" then
        state.keyed = true
        return given.key
      end
      if name == "params" then return values end
      if known[name] or values[name] ~= nil then return values[name] end
      if name == "method" or name == "body" then return given[name] end
      options.fail("req", ("there is no '%s'%s"):format(tostring(name), options.meant(name, names)),
        "parameters are declared: params = { from = \"date?\" }")
    end,
    __newindex = function() options.fail("req", "a request cannot be changed") end,
  })
end

local function untouched(value)
  local args = query.untouched(value)
  return args and { query = args }
end

local function unpack_reply(value)
  local out = { status = value.status, headers = value.headers, text = value.text }
  if value.json ~= nil then out.json = json.encode(value.json) end
  if value.query ~= nil then
    local args = query.untouched(value.query)
    if args then out.query = args else out.json = json.encode(value.query) end
  end
  return out
end

local function answer_of(value)
  if value == nil then return { status = 404 } end
  if getmetatable(value) == Reply then return unpack_reply(value) end
  if type(value) == "table" then return untouched(value) or { json = json.encode(value) } end
  if type(value) == "string" then return { text = value } end
  options.fail("route", ("its function returns a query, a table, a text or dts.reply { … }, got %s")
    :format(options.shown(value)))
end

-- The handler's answer to an OP_REQUEST, as OP_REPLY carries it.
function request.answer(handler, message)
  local out = answer_of((handler.run(make(message, handler.params))))
  out.volatile, out.keyed = state.volatile, state.keyed
  return out
end

return request
