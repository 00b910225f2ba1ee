-- dts.test { … }: a throw-away kernel for a spec: a store in memory, a clock that moves when told, a network that
-- asks the spec's own functions. Each method is one operation of the engine; `close` (or `local t <close>`) ends it.
-- SPDX-License-Identifier: MIT

local body = require "dts.body"
local json = require "dts.json"
local kernel = require "dts.kernel"
local options = require "dts.options"

local spec = {}
local methods = {}
local inside = setmetatable({}, { __mode = "k" }) -- t → { test, http = { source → function }, closed }
local kernels = setmetatable({}, { __mode = "v" }) -- test's id → what is inside

local OPEN = options.spec("dts.test", {
  { "file", "text", help = "one file of the project; without it all of them" },
  { "now", "text", help = 'the clock, for example "2026-03-10T10:00-03:00"' },
  { "gaps", "map", help = "settings of `gaps` to use instead, by pipeline" },
  { "config", "map", help = "settings of dts.lua to use instead" },
})
local REQUEST = options.spec("t:request", {
  { "headers", "text_map", help = "headers of the request" },
  { "body", "any", help = "a text" },
  { "json", "any", help = "a value, sent as JSON" },
})

local function own(t, method)
  local it = inside[t]
  if not it then options.fail("dts.test", ("write a colon: t:%s(…)"):format(method)) end
  if it.closed then options.fail("t:" .. method, "this test is closed") end
  return it
end

local function ask(it, verb, args)
  args.test, args.verb = it.test, verb
  return kernel.call("test", args)
end

-- ── the network ──

local function request_of(question)
  local given = question.request or {}
  local request = {
    method = given.method, url = given.url, path = given.path, query = given.query or {}, headers = given.headers or {},
    body = given.body,
  }
  if not request.path and given.url then request.path = given.url:match("^%a+://[^/]+([^?#]*)") end
  return request
end

local function answer_of(given, what)
  if type(given) == "string" then return { status = 200, body = given } end
  if type(given) ~= "table" then
    options.fail(what, ("a table such as { json = … } expected from the function, got %s")
      :format(options.shown(given)))
  end
  local out = { status = given.status or 200, headers = given.headers or {}, body = given.body }
  if given.json ~= nil then
    out.body = json.encode(given.json)
    out.headers = {}
    for name, value in pairs(given.headers or {}) do out.headers[name] = value end
    out.headers["content-type"] = out.headers["content-type"] or "application/json"
  end
  if out.body == nil then out.body = "" end
  return out
end

local function answer(question)
  local it = kernels[question.test]
  local name = question.source
  local fn = it and (it.http[name or ""] or it.http["*"])
  local request = request_of(question)
  if not fn then
    kernel.raise {
      code = "SPEC", message = ("the spec has no answer for %s %s"):format(request.method or "GET", request.url or "?"),
      hint = ("t:http(\"%s\", function(req) return { json = {} } end)"):format(name or "*"),
    }
  end
  return answer_of(fn(request), ("t:http(\"%s\")"):format(name or "*"))
end

function methods:http(source, fn)
  local it = own(self, "http")
  if type(source) ~= "string" or type(fn) ~= "function" and type(fn) ~= "table" then
    options.fail("t:http", "a source's name and a function (or a fixed reply) expected")
  end
  it.http[source] = type(fn) == "function" and fn or function() return fn end
end

-- ── the store ──

local function read_file(path, what)
  local file = io.open(path, "rb")
  if not file then options.fail(what, ("the file '%s' cannot be read"):format(path)) end
  local text = file:read("a")
  file:close()
  return text
end

function methods:rows(table_name, rows)
  local it = own(self, "rows")
  if type(rows) == "string" then
    ask(it, "rows", { table = table_name, csv = rows:find("[\r\n]") and rows or read_file(rows, "t:rows") })
  elseif type(rows) == "table" then
    ask(it, "rows", { table = table_name, rows = kernel.list(#rows == 0 and next(rows) and { rows } or rows) })
  else
    options.fail("t:rows", ("rows, a CSV text or a file's name expected, got %s"):format(options.shown(rows)))
  end
end

function methods:sql(sql, params)
  return ask(own(self, "sql"), "sql", { sql = sql, params = params }).rows
end

function methods:query(table_name, where, opts)
  own(self, "query")
  local order, parts, params = (opts or {}).order, {}, {}
  for name, value in pairs(where or {}) do
    parts[#parts + 1], params[name] = ("%s = :%s"):format(name, name), value
  end
  table.sort(parts)
  local sql = "select * from " .. table_name
  if #parts > 0 then sql = sql .. " where " .. table.concat(parts, " and ") end
  local columns = {}
  for i, name in ipairs(options.types.order(order or {}) or {}) do
    columns[i] = name:gsub("^%-(.*)$", "%1 desc")
  end
  if #columns > 0 then sql = sql .. " order by " .. table.concat(columns, ", ") end
  return self:sql(sql, next(params) and params or nil)
end

function methods:count(table_name, where)
  local parts, params = {}, {}
  for name, value in pairs(where or {}) do
    parts[#parts + 1], params[name] = ("%s = :%s"):format(name, name), value
  end
  local sql = "select count(*) as n from " .. table_name
  if #parts > 0 then sql = sql .. " where " .. table.concat(parts, " and ") end
  return self:sql(sql, next(params) and params or nil)[1].n
end

-- ── what happens ──

local function check_name(name, method)
  if type(name) ~= "string" then
    options.fail("t:" .. method, ("a name expected first, got %s"):format(options.shown(name)))
  end
end

function methods:run(pipeline, params)
  check_name(pipeline, "run")
  return ask(own(self, "run"), "run", { pipeline = pipeline, params = params })
end

function methods:advance(length)
  local ms, expected = options.types.duration(length)
  if not ms then options.fail("t:advance", ("%s expected, got %s"):format(expected, options.shown(length))) end
  return ask(own(self, "advance"), "advance", { ms = ms })
end

function methods:spans(key)
  local answered = ask(own(self, "spans"), "spans", { key = key })
  return answered.spans or answered
end

-- t:emit(pipeline, events, headers?): one event or a list, signed and sent as one request. A batch runs when its `wait`
-- is over: t:advance.
function methods:emit(pipeline, events, headers)
  check_name(pipeline, "emit")
  if type(events) ~= "table" then
    options.fail("t:emit", ("an event or a list of events expected second, got %s"):format(options.shown(events)))
  end
  local list = #events == 0 and next(events) and { events } or events
  return ask(own(self, "emit"), "emit", { pipeline = pipeline, events = kernel.list(list), headers = headers })
end

-- t:drop(name, bytes): a file arrives. With one argument the bytes are the file's of that name.
function methods:drop(name, content)
  check_name(name, "drop")
  local raw = content == nil and read_file(name, "t:drop") or body.raw(content)
  return ask(own(self, "drop"), "drop", { name = name:match("[^/]+$"), body = raw })
end

-- t:request("GET /api/rates/USD?limit=1"): the engine's reply { status, headers, … } with the methods of a body.
function methods:request(address, opts)
  local it = own(self, "request")
  local method, path = tostring(address):match("^(%u+)%s+(/.*)$")
  if not method then
    options.fail("t:request", ("a method and a path such as \"GET /api/rates\" expected, got %s")
      :format(options.shown(address)))
  end
  local args = options.check(REQUEST, opts or {}, "t:request")
  if args.json ~= nil then args.body = json.encode(args.json) end
  local got = ask(it, "request", { method = method, path = path, headers = args.headers, body = args.body })
  local fields = { status = got.status, headers = got.headers or {} }
  return body.wrap(fields, got.body or "", { name = address, type = fields.headers["content-type"] })
end

function methods:close()
  local it = inside[self]
  if not it or it.closed then return end
  it.closed = true
  kernels[it.test] = nil
  kernel.call("test", { test = it.test, verb = "close" })
end

local NAMES = {}
for name in pairs(methods) do NAMES[#NAMES + 1] = name end
table.sort(NAMES)

local CLASS = {
  __index = function(_, name)
    if methods[name] then return methods[name] end
    options.fail("t", ("there is no '%s'%s"):format(tostring(name), options.meant(name, NAMES)),
      "there are " .. table.concat(NAMES, ", "))
  end,
  __close = methods.close,
}

-- dts.test { file, now, gaps, config }
function spec.open(given)
  local args = options.check(OPEN, given or {}, "dts.test")
  local opened = kernel.call("test_open", args)
  local t = setmetatable({}, CLASS)
  inside[t] = { test = opened.test, http = {} }
  kernels[opened.test] = inside[t]
  kernel.answer_with(answer)
  return t
end

return spec
