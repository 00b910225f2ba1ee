-- What a spec answers for the sources of its project: t:http, t:replay, and what was asked and told. A function of
-- the spec that fails, fails the spec: its error is kept here and raised again by the method that was under way.
-- SPDX-License-Identifier: MIT

local json = require "dts.json"
local options = require "dts.options"

local network = {}

local REPLY = options.spec("t:http", {
  { "status", "count", help = "200 unless said" },
  { "headers", "map", help = "for example { [\"Retry-After\"] = 120 }" },
  { "body", "any", help = "a text" },
  { "json", "any", help = "a value, sent as JSON" },
  { "file", "text", help = "a file of the project, sent as it is" },
  { "error", "text", help = "no reply: the network's fault, for example \"connection refused\"" },
  { "delay", "duration", to = "delay_ms", help = "how long it takes on the test's clock" },
})

function network.read_file(path, what)
  local file = type(path) == "string" and io.open(path, "rb")
  local text = file and file:read("a") -- nil: a folder
  if file then file:close() end
  if not text then
    options.fail(what, ("the file '%s' cannot be read"):format(tostring(path)),
      "a path is relative to the project's folder, for example \"specs/fixtures/rates.csv\"")
  end
  return text
end

local function request_of(question)
  local given = question.request or {}
  local request = {
    method = given.method, url = given.url, path = given.path, query = given.query or {}, headers = given.headers or {},
    body = given.body, source = question.source,
  }
  if not request.path and given.url then request.path = given.url:match("^%a+://[^/]+([^?#]*)") end
  function request.json() return json.decode(request.body or "") end
  return request
end

local function answer_of(given, what)
  if type(given) == "string" then return { status = 200, body = given, headers = {} } end
  if type(given) ~= "table" then
    options.fail(what, ("a table such as { json = … } expected from the function, got %s")
      :format(options.shown(given)))
  end
  if given[1] ~= nil then
    options.fail(what, "the fields of a reply expected, got a list", "to send it write json = { … }")
  end
  local out = options.check(REPLY, given, what)
  local headers = {}
  for name, value in pairs(out.headers or {}) do headers[tostring(name):lower()] = tostring(value) end
  if out.json ~= nil then
    out.body, out.json = json.encode(out.json), nil
    headers["content-type"] = headers["content-type"] or "application/json"
  end
  if out.file then out.body, out.file = network.read_file(out.file, what), nil end
  if out.body ~= nil and type(out.body) ~= "string" then
    options.fail(what, ("field 'body': a text expected, got %s"):format(options.shown(out.body)),
      "write json = … for a value")
  end
  out.status, out.headers, out.body = out.status or 200, headers, out.body or ""
  return out
end

-- The engine's question for one of our sources. { none = true }: the recording, if there is one, may know.
function network.answer(it, question)
  local name, request = question.source or "", request_of(question)
  local fn = it.http[name] or it.http["*"]
  it.requests[#it.requests + 1] = request
  if not fn then return name == "alerts" and { status = 200, headers = {}, body = "" } or { none = true } end
  local what = ("t:http(\"%s\")"):format(name == "" and "*" or name)
  local ok, out = pcall(function() return answer_of(fn(request), what) end)
  if ok then
    request.status = out.status
    return out
  end
  it.fault = it.fault or out
  error(out, 0)
end

local methods = {}
network.methods = methods

-- t:http(source, fn): fn(req) answers for the source; "*" for those without a function of their own.
function methods.http(it, source, fn)
  if type(source) ~= "string" or type(fn) ~= "function" and type(fn) ~= "table" and type(fn) ~= "string" then
    options.fail("t:http", "a source's name and a function (or a fixed reply) expected")
  end
  it.http[source] = type(fn) == "function" and fn or function() return fn end
end

-- t:replay(file): what `dts run --record` kept answers where no function does.
function methods.replay(it, path)
  network.read_file(path, "t:replay")
  return it.ask("replay", { file = path }).now
end

-- t:requests(source?): what was asked, in order: { method, url, path, query, headers, body, source, status }.
function methods.requests(it, source)
  local list = {}
  for _, request in ipairs(it.requests) do
    if request.source == source or source == nil and request.source ~= "alerts" then list[#list + 1] = request end
  end
  return list
end

local function json_or_nil(text)
  local ok, value = pcall(json.decode, text or "")
  return ok and value or nil
end

-- t:alerts(): what was told to whom: { to, subject, text, json }.
function methods.alerts(it)
  if not it.alerts then options.fail("t:alerts", "no alert is looked at: say dts.test { alerts = true }") end
  local list = {}
  for _, request in ipairs(methods.requests(it, "alerts")) do
    local is_mail = request.method == "MAIL"
    list[#list + 1] = {
      to = request.url, subject = request.headers.Subject, text = request.body,
      json = not is_mail and json_or_nil(request.body) or nil,
    }
  end
  return list
end

return network
