-- dts.test { … }: a throw-away kernel for a spec: a store in memory, a clock that moves when told, a network that
-- asks the spec's own functions. Each method is one operation of the engine; `close` (or `local t <close>`) ends it.
-- SPDX-License-Identifier: MIT

local body = require "dts.body"
local ctx = require "dts.ctx"
local json = require "dts.json"
local kernel = require "dts.kernel"
local network = require "dts.spec_network"
local options = require "dts.options"
local store = require "dts.spec_store"

local spec = {}
local methods = {} -- each is called with what is inside of t
local inside = setmetatable({}, { __mode = "k" }) -- t → { test, http, requests, ask, closed }
local kernels = setmetatable({}, { __mode = "v" }) -- test's id → what is inside

local OPEN = options.spec("dts.test", {
  { "file", "text", help = "one file of the project; without it all of them" },
  { "now", "text", help = 'the clock, for example "2026-03-10T10:00-03:00"' },
  { "gaps", "map", help = "settings of `gaps` to use instead, by pipeline" },
  { "config", "map", help = "settings of dts.lua to use instead" },
  { "alerts", "boolean", help = "true: alerts are looked at as the clock moves; t:alerts() is what they tell" },
  { "replay", "text", help = "a recording that answers, and whose clock it is unless `now` is given" },
})
local REQUEST = options.spec("t:request", {
  { "query", "map", help = "what stands after ? in the address" },
  { "headers", "text_map", help = "headers of the request" },
  { "body", "any", help = "a text" },
  { "json", "any", help = "a value, sent as JSON" },
})

-- Asks the engine. What failed in a function of the spec meanwhile is raised as it was there.
local function ask(it, verb, args)
  args = args or {}
  args.test, args.verb, it.fault = it.test, verb, nil
  local ok, got = pcall(kernel.call, "test", args)
  local fault = it.fault
  it.fault = nil
  if fault == nil and not ok then fault = got end
  if fault == nil then return got end
  if type(fault) == "userdata" or type(fault) == "table" and fault.code and (fault.hint or "") ~= "" then
    kernel.raise { code = fault.code, message = ("%s\n%s"):format(fault.message, fault.hint), where = fault.where }
  end
  error(fault, 0)
end

-- Whoever reads that a spec failed after a run did wants to know first why the run did.
local failed -- of the spec under way; nil: busted has not been told yet

local function tell_failed()
  for _, run in ipairs(failed) do
    local why = run[2]
    local where = (why.where or "") ~= "" and why.where .. ": " or ""
    io.stderr:write(("\nnote: the run of '%s' had failed: %s%s\n"):format(run[1], where, tostring(why.message)))
  end
  failed = {}
end

local function watch_failures()
  if failed then return end
  failed = {}
  local found, busted = pcall(require, "busted")
  if not found or type(busted) ~= "table" or not busted.subscribe then return end
  busted.subscribe({ "test", "start" }, function() failed = {} end)
  busted.subscribe({ "failure" }, tell_failed)
  busted.subscribe({ "error" }, tell_failed)
end

local function check_name(name, method)
  if type(name) ~= "string" then
    options.fail("t:" .. method, ("a name expected first, got %s"):format(options.shown(name)))
  end
end

-- ── what happens ──

-- What failed a run, as a sentence where it is printed.
local ERROR = {
  __tostring = function(e)
    local where = (e.where or "") ~= "" and e.where .. ": " or ""
    return ("%s%s [%s]"):format(where, tostring(e.message), tostring(e.code))
  end,
}

-- t:run(pipeline, params?): { state, rows, error }. A run that fails is no fault of the spec.
function methods.run(it, pipeline, params)
  check_name(pipeline, "run")
  local got = ask(it, "run", { pipeline = pipeline, params = params })
  if got.error then setmetatable(got.error, ERROR) end
  if got.state ~= "done" and got.error then failed[#failed + 1] = { pipeline, got.error } end
  return got
end

function methods.advance(it, length)
  local ms, expected = options.types.duration(length)
  if not ms then options.fail("t:advance", ("%s expected, got %s"):format(expected, options.shown(length))) end
  return ask(it, "advance", { ms = ms })
end

function methods.spans(it, key)
  local answered = ask(it, "spans", { key = key })
  return answered.spans or answered
end

-- t:release(pipeline?, where?): leaves quarantine, as `dts quarantine release` does; how many inputs did.
function methods.release(it, pipeline, where)
  if pipeline == nil and where == nil then
    options.fail("t:release", "a pipeline's name, or SQL as `where`, expected")
  end
  return ask(it, "release", { pipeline = pipeline, where = where }).count
end

-- t:enqueue(pipeline, params?, { key, delay, group }?): queues a job, as a script does; it runs when it is due.
function methods.enqueue(it, pipeline, params, opts)
  return ask(it, "enqueue", ctx.enqueued(pipeline, params, opts, "t:enqueue")).id
end

-- t:emit(pipeline, events, headers?): one event or a list, signed and sent as one request. A batch runs when its `wait`
-- is over: t:advance.
function methods.emit(it, pipeline, events, headers)
  check_name(pipeline, "emit")
  if type(events) ~= "table" then
    options.fail("t:emit", ("an event or a list of events expected second, got %s"):format(options.shown(events)))
  end
  local list = #events == 0 and next(events) and { events } or events
  return ask(it, "emit", { pipeline = pipeline, events = kernel.list(list), headers = headers })
end

-- t:file(name, bytes): a file arrives. With one argument the bytes are the file's of that name.
function methods.file(it, name, content)
  check_name(name, "file")
  local raw = content == nil and network.read_file(name, "t:file") or body.raw(content)
  if not raw then options.fail("t:file", "a text expected as the file's content, got " .. options.shown(content)) end
  return ask(it, "drop", { name = name:match("[^/]+$"), body = raw })
end
methods.drop = methods.file

-- ── the project's own API ──

local function escape(text)
  return (tostring(text):gsub("[^%w%-%._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

local function with_query(path, query)
  local parts = {}
  for name, value in pairs(query or {}) do parts[#parts + 1] = escape(name) .. "=" .. escape(value) end
  table.sort(parts)
  if #parts == 0 then return path end
  return path .. (path:find("?", 1, true) and "&" or "?") .. table.concat(parts, "&")
end

-- t:request("POST /api/rates", { json = … }): the engine's reply { status, headers, … } with the methods of a body.
function methods.request(it, address, opts)
  local method, path = tostring(address):match("^(%u+)%s+(/.*)$")
  if not method then
    options.fail("t:request", ("a method and a path such as \"GET /api/rates\" expected, got %s")
      :format(options.shown(address)))
  end
  local args = options.check(REQUEST, opts or {}, "t:request")
  if args.json ~= nil then args.body = json.encode(args.json) end
  local got = ask(it, "request",
    { method = method, path = with_query(path, args.query), headers = args.headers, body = args.body })
  local fields = { status = got.status, headers = got.headers or {} }
  return body.wrap(fields, got.body or "", { name = address, type = fields.headers["content-type"] })
end

-- t:get("/api/rates/USD", { limit = 1 }): the same for GET, with parameters.
function methods.get(it, path, params)
  if type(path) ~= "string" or not path:find("^/") then
    options.fail("t:get", ("a path such as \"/api/rates\" expected, got %s"):format(options.shown(path)))
  end
  return methods.request(it, "GET " .. path, { query = params })
end

for _, part in ipairs { network.methods, store.methods } do
  for name, fn in pairs(part) do methods[name] = fn end
end

-- ── the end ──

local function close(t)
  local it = inside[t]
  if not it or it.closed then return end
  it.closed = true
  kernels[it.test] = nil
  kernel.call("test", { test = it.test, verb = "close" })
end

local NAMES = { "close" }
for name in pairs(methods) do NAMES[#NAMES + 1] = name end
table.sort(NAMES)

local bound = { close = close }
for name, fn in pairs(methods) do
  bound[name] = function(t, ...)
    local it = inside[t]
    if not it then options.fail("dts.test", ("write a colon: t:%s(…)"):format(name)) end
    if it.closed then options.fail("t:" .. name, "this test is closed") end
    return fn(it, ...)
  end
end

local CLASS = {
  __index = function(_, name)
    if bound[name] then return bound[name] end
    options.fail("t", ("there is no '%s'%s"):format(tostring(name), options.meant(name, NAMES)),
      "there are " .. table.concat(NAMES, ", "))
  end,
  __close = close,
  __name = "dts.test",
}

-- dts.test { file, now, gaps, config, replay }
function spec.open(given)
  local args = options.check(OPEN, given or {}, "dts.test")
  local opened = kernel.call("test_open", args)
  local t, it = setmetatable({}, CLASS), { test = opened.test, http = {}, requests = {} }
  it.alerts = args.alerts
  it.ask = function(verb, its) return ask(it, verb, its) end
  inside[t], kernels[opened.test] = it, it
  watch_failures()
  kernel.answer_with(function(question) return network.answer(kernels[question.test], question) end)
  return t
end

return spec
