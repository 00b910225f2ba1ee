-- Requests to sources and to named hosts: options checked, bodies encoded, replies wrapped; pages.lua follows pages.
-- The engine does the rest (address guard, secrets, retries, rates, caches): a reply comes back whole or as an error.
-- SPDX-License-Identifier: MIT

local body = require "dts.body"
local json = require "dts.json"
local kernel = require "dts.kernel"
local options = require "dts.options"
local pager = require "dts.pages"

local http = {}

local FIELDS = {
  { "query", "map", help = "what stands after ? in the address; a list repeats its name" },
  { "headers", "map", help = "headers of this request" },
  { "body", "any", help = "a text or a body to send" },
  { "json", "any", help = "a value to send as JSON" },
  { "form", "map", help = "a table to send as a form" },
  { "accept", "any", help = "statuses of 400 and more that are no error, for example { 404 }" },
  { "timeout", "duration", to = "timeout_ms", help = 'of one try, for example "30s"' },
  { "largest", "size", help = 'a decoded body at most, for example "2GB"' },
  { "cache", "duration", to = "cache_ms", help = 'share the reply for so long, for example "1h"' },
  { "archive", "text", help = 'keep the reply raw under this name, for example "github/search"' },
  { "meta", "map", help = "kept beside the archived reply" },
  { "idempotency", "any", help = "true or a key: POST and PATCH may be tried again" },
}
local SPEC = options.spec("request", FIELDS)

local function escape(text)
  return (tostring(text):gsub("[^%w%-%._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

local function form_text(form)
  local names, parts = {}, {}
  for name in pairs(form) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local values = type(form[name]) == "table" and form[name] or { form[name] }
    for _, value in ipairs(values) do parts[#parts + 1] = escape(name) .. "=" .. escape(value) end
  end
  return table.concat(parts, "&")
end

local function has_header(headers, wanted)
  for name in pairs(headers) do
    if name:lower() == wanted then return true end
  end
  return false
end

local function scalars(map, field, what)
  local out = {}
  for name, value in pairs(map) do
    if type(value) == "table" then
      out[name] = kernel.list(table.move(value, 1, #value, 1, {}))
    elseif type(value) == "string" or type(value) == "number" or type(value) == "boolean" then
      out[name] = value
    elseif value ~= kernel.null then
      options.fail(what, ("field '%s': a text or number expected for '%s', got %s")
        :format(field, tostring(name), options.shown(value)))
    end
  end
  return out
end

local function texts(map, what)
  local out = {}
  for name, value in pairs(map) do
    if type(name) ~= "string" or type(value) ~= "string" and type(value) ~= "number" then
      options.fail(what, ("field 'headers': a text expected for '%s', got %s")
        :format(tostring(name), options.shown(value)))
    end
    out[name] = tostring(value)
  end
  return out
end

local function accepted(given, what)
  local list = type(given) == "table" and given or { given }
  for _, status in ipairs(list) do
    if math.type(status) ~= "integer" or status < 400 or status > 599 then
      options.fail(what, ("field 'accept': statuses such as { 404 } expected, got %s"):format(options.shown(status)))
    end
  end
  return kernel.list(table.move(list, 1, #list, 1, {}))
end

-- A secret is filled in where a source declares it, and nowhere else: here its name would be sent as it is.
local function refuse_secret(text, place, what)
  local written = type(text) == "string" and text:match("{secret%??:[^}]*}?") or nil
  if written then
    options.fail(what, ("%s: %s is filled in for the source alone"):format(place, written),
      "write it in url, query or headers of dts.source; a script never sees its value")
  end
end

local function refuse_secrets(map, field, what)
  for name, value in pairs(map) do refuse_secret(value, ("field '%s': '%s'"):format(field, name), what) end
end

-- json, form and body are three ways to say one thing.
local function add_body(out, what)
  local given = (out.body ~= nil and 1 or 0) + (out.json ~= nil and 1 or 0) + (out.form ~= nil and 1 or 0)
  if given > 1 then options.fail(what, "`body`, `json` and `form` exclude each other") end
  local kind
  if out.json ~= nil then out.body, kind = json.encode(out.json), "application/json"
  elseif out.form then out.body, kind = form_text(out.form), "application/x-www-form-urlencoded"
  elseif out.body ~= nil then
    out.body = body.raw(out.body)
    if not out.body then options.fail(what, "field 'body': a text or a body expected") end
  end
  if kind == "application/json" then refuse_secret(out.body, "field 'json'", what) end
  if out.form then refuse_secrets(out.form, "form", what) end
  if kind and not has_header(out.headers or {}, "content-type") then
    out.headers = out.headers or {}
    out.headers["Content-Type"] = kind
  end
  out.json, out.form = nil, nil
end

-- What the analyst wrote as an OP_HTTP's arguments.
local function arguments(spec, given, what)
  local out = options.check(spec, given or {}, what)
  if out.query then out.query = scalars(out.query, "query", what) end
  if out.headers then out.headers = texts(out.headers, what) end
  if out.accept then out.accept = accepted(out.accept, what) end
  if out.idempotency == false then out.idempotency = nil end
  if out.idempotency ~= nil and out.idempotency ~= true and type(out.idempotency) ~= "string" then
    options.fail(what, "field 'idempotency': true or a key expected, got " .. options.shown(out.idempotency))
  end
  refuse_secrets(out.query or {}, "query", what)
  refuse_secrets(out.headers or {}, "headers", what)
  add_body(out, what)
  return out
end

local function ask(args)
  local answer = kernel.call("http", args)
  local reply = {
    status = answer.status, headers = answer.headers or {}, url = answer.url, unchanged = answer.unchanged or false,
    size = answer.size,
  }
  return body.wrap(reply, answer.body or "", {
    name = ("%s %s"):format(args.method, answer.url or args.url or args.path), type = answer.type, file = answer.url,
  })
end

local function check_address(verb, address, what)
  if type(address) ~= "string" then
    local plain = what:find("^dts%.http") ~= nil
    options.fail(what, ("%s needs %s, got %s"):format(verb, plain and "an address" or "a path", options.shown(address)),
      plain and ('write a dot: dts.http.%s("https://…")'):format(verb) or nil)
  end
end

local function method_of(verb, what)
  if type(verb) ~= "string" then
    options.fail(what .. ":request", ("a method such as \"GET\" expected first, got %s"):format(options.shown(verb)))
  end
  return verb:upper()
end

-- One function for each method, bound to where it asks: `where` puts address and source into the arguments.
local function request(self, method, address, given)
  local what = ("%s:%s"):format(self.what, method:lower())
  check_address(method:lower(), address, what)
  refuse_secret(address, "the path", what)
  local args = arguments(SPEC, given, what)
  args.method = method
  self.place(args, address)
  return ask(args)
end

-- ── sources and hosts ──

local PAGES = pager.spec(FIELDS)

local function pages(self, address, given)
  local what = self.what .. ":pages"
  check_address("pages", address, what)
  refuse_secret(address, "the path", what)
  local args = arguments(PAGES, given, what)
  self.place(args, address)
  local sent -- what each page is asked for with, and how that becomes text
  if given and given.json ~= nil then sent = { field = "json", value = given.json, write = json.encode }
  elseif given and given.form then sent = { field = "form", value = given.form, write = form_text }
  end
  return pager.read(args, sent, ask, what)
end


local METHODS = { get = "GET", post = "POST", put = "PUT", delete = "DELETE", patch = "PATCH", head = "HEAD" }
local NAMES = { "get", "post", "put", "delete", "patch", "head", "request", "pages" }

local function unknown(what)
  return function(_, name)
    options.fail(what, ("there is no '%s'%s"):format(tostring(name), options.meant(name, NAMES)),
      "there are " .. table.concat(NAMES, ", "))
  end
end

-- The object that dts.source gives: its methods are called with a colon.
function http.source(name)
  local what = ("source '%s'"):format(name)
  local self = { what = what, place = function(args, path) args.source, args.path = name, path end }
  local source = {}
  local function bind(fn)
    return function(me, ...)
      if me ~= source then options.fail(what, "write a colon: source:get(path), not source.get(path)") end
      return fn(...)
    end
  end
  for method, verb in pairs(METHODS) do
    source[method] = bind(function(path, opts) return request(self, verb, path, opts) end)
  end
  source.request = bind(function(verb, path, opts) return request(self, method_of(verb, what), path, opts) end)
  source.pages = bind(function(path, opts) return pages(self, path, opts) end)
  return setmetatable(source, { __index = unknown(what), __name = what })
end

-- dts.http: the same for whole addresses; called with a dot.
function http.plain()
  local self = { what = "dts.http", place = function(args, url) args.url = url end }
  local plain = {}
  for method, verb in pairs(METHODS) do
    plain[method] = function(url, opts) return request(self, verb, url, opts) end
  end
  plain.request = function(verb, url, opts) return request(self, method_of(verb, self.what), url, opts) end
  plain.pages = function(url, opts) return pages(self, url, opts) end
  return setmetatable(plain, { __index = unknown("dts.http") })
end

return http
