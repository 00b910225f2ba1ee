-- Requests to sources and to named hosts: options checked, bodies encoded, replies wrapped, pages followed.
-- The engine does the rest (address guard, secrets, retries, rates, caches): a reply comes back whole or as an error.
-- SPDX-License-Identifier: MIT

local body = require "dts.body"
local json = require "dts.json"
local kernel = require "dts.kernel"
local options = require "dts.options"

local http = {}

local MAX_PAGES = 100

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

local PAGES = options.spec("pages", table.move({
  { "max", "count", help = ("pages at most (%d unless said, and then more is an error)"):format(MAX_PAGES) },
  { "page", "text", help = 'the query name of a page number, for example page = "page"' },
  { "offset", "text", help = 'the query name of an offset, for example offset = "offset"' },
  { "cursor", "text",
    help = 'the query name of a cursor, for example cursor = "after"; `next` says where it comes from' },
  { "next", "text", help = 'the path of the next cursor in the JSON reply, for example next = "meta.next"' },
  { "at", "text",
    help = 'the path of the records in the JSON reply, for example at = "items": an empty page is the last' },
}, 1, 6, #FIELDS + 1, table.move(FIELDS, 1, #FIELDS, 1, {})))

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
    options.fail(what, ("%s needs %s, got %s"):format(verb, what == "dts.http" and "an address" or "a path",
      options.shown(address)))
  end
end

-- One function for each method, bound to where it asks: `where` puts address and source into the arguments.
local function request(self, method, address, given)
  local what = ("%s:%s"):format(self.what, method:lower())
  check_address(method:lower(), address, what)
  local args = arguments(SPEC, given, what)
  args.method = method
  self.place(args, address)
  return ask(args)
end

-- ── pages ──

-- The parameters behind one address of a Link header (RFC 8288, 3): `rel` and where the next address may begin.
local function link_parameters(text, at)
  local rel
  while true do
    local name, after = text:match("^%s*;%s*([^%s=;,\"<]*)%s*()", at)
    if not name then return rel, at end
    local value, ended = text:match('^=%s*"([^"]*)"()', after)
    if not value then value, ended = text:match("^=%s*([^%s;,]*)()", after) end
    if name:lower() == "rel" then rel = rel or value end
    at = ended or after
  end
end

local function next_link(headers)
  local text, at = headers.link, 1
  if type(text) == "table" then text = table.concat(text, ", ") end
  while text do
    local address, after = text:match("^[%s,]*<([^>]*)>()", at)
    if not address then return nil end
    local rel
    rel, at = link_parameters(text, after)
    if rel and (" " .. rel:lower() .. " "):find(" next ", 1, true) then return address end
  end
  return nil
end

-- An address of a Link header, which may be relative, made absolute.
local function absolute(address, base)
  if address:find("^https?://") then return address end
  local scheme, host = base:match("^(https?:)(//[^/?#]+)")
  if not scheme then return address end
  if address:find("^//") then return scheme .. address end
  if address:find("^/") then return scheme .. host .. address end
  if address:find("^%?") then return base:match("^[^?#]*") .. address end
  return (base:match("^[^?#]*"):match("^(.*/)") or scheme .. host .. "/") .. address
end

local function dig(value, path)
  for name in (path or ""):gmatch("[^%.]+") do
    if type(value) ~= "table" then return nil end
    value = value[name]
    if value == nil and tonumber(name) then value = nil end
  end
  if value == kernel.null then return nil end
  return value
end

local function count_at(reply, at, what)
  local list = dig(reply:json(), at)
  if list == nil then return 0 end
  if type(list) ~= "table" then
    options.fail(what, ("the reply has no list at %s"):format(at and ("'%s'"):format(at) or "its top"))
  end
  return #list
end

-- A source that ignores what it is asked for would be read for ever: the same next page again is an error.
local function looped(what, how)
  kernel.raise {
    code = "PAGES_LOOP", message = ("%s: the source goes round in circles: %s"):format(what, how),
    hint = "does it know the query name of the page, and is this the path of the next one?",
  }
end

local function once(seen, mark, what, how)
  if seen[mark] then looped(what, how) end
  seen[mark] = true
end

-- How the next request follows from a reply: true when there is one; args are changed in place.
local follow = {}

function follow.link(args, reply, _, what, seen)
  local address = next_link(reply.headers)
  if not address then return false end
  address = absolute(address, reply.url or "")
  once(seen, address, what, "a next page for the second time: " .. kernel.shorten(address))
  args.url, args.path, args.query = address, nil, nil
  return true
end

function follow.page(args, reply, opts, what)
  if count_at(reply, opts.at, what) == 0 then return false end
  args.query[opts.page] = args.query[opts.page] + 1
  return true
end

function follow.offset(args, reply, opts, what)
  local count = count_at(reply, opts.at, what)
  args.query[opts.offset] = args.query[opts.offset] + count
  return count > 0
end

function follow.cursor(args, reply, opts, what, seen)
  local cursor = dig(reply:json(), opts.next)
  if cursor == nil or cursor == "" or cursor == false then return false end
  once(seen, cursor, what, "the cursor " .. kernel.shorten(tostring(cursor)) .. " for the second time")
  args.query[opts.cursor] = cursor
  return true
end

local function choose_style(opts, what)
  local style, count = "link", 0
  for _, name in ipairs { "page", "offset", "cursor" } do
    if opts[name] then style, count = name, count + 1 end
  end
  if count > 1 then options.fail(what, "`page`, `offset` and `cursor` exclude each other") end
  if style == "cursor" and not opts.next then
    options.fail(what,
      "`cursor` needs `next`: the path of the next cursor in the reply, for example next = \"meta.next\"")
  end
  return style
end

local function start_pages(args, opts, style, what)
  args.query = args.query or {}
  local name = opts[style]
  if style == "page" then args.query[name] = args.query[name] or 1 end
  if style == "offset" then args.query[name] = args.query[name] or 0 end
  if (style == "page" or style == "offset") and math.type(args.query[name]) ~= "integer" then
    options.fail(what, ("field 'query': '%s' is a whole number"):format(name))
  end
end

local function copy(args)
  local out = {}
  for name, value in pairs(args) do out[name] = value end
  if args.query then
    out.query = {}
    for name, value in pairs(args.query) do out.query[name] = value end
  end
  return out
end

local function too_many(what, max)
  kernel.raise {
    code = "LIMIT_PAGES", message = ("%s: there are more than %d pages"):format(what, max),
    hint = "say how many are wanted with max = …; then reading stops there without an error",
  }
end

local function pages(self, address, given)
  local what = self.what .. ":pages"
  check_address("pages", address, what)
  local opts = arguments(PAGES, given, what)
  local style, max = choose_style(opts, what), opts.max
  local args = copy(opts)
  for _, name in ipairs { "max", "page", "offset", "cursor", "next", "at" } do args[name] = nil end
  args.method = "GET"
  self.place(args, address)
  start_pages(args, opts, style, what)
  local count, reply, seen, numbered = 0, nil, {}, style == "page" or style == "offset"
  return function()
    if reply and not follow[style](args, reply, opts, what, seen) then return nil end
    if count == (max or MAX_PAGES) then
      if not max then too_many(what, MAX_PAGES) end
      return nil
    end
    local last = reply
    count, reply = count + 1, ask(copy(args))
    if not numbered then return reply, count end
    if count_at(reply, opts.at, what) == 0 then return nil end
    if last and last.size == reply.size and last:text() == reply:text() then
      looped(what, ("%s = %d brought the same page again"):format(opts[style], args.query[opts[style]]))
    end
    return reply, count
  end
end

-- ── sources and hosts ──

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
  source.request = bind(function(verb, path, opts) return request(self, tostring(verb):upper(), path, opts) end)
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
  plain.request = function(verb, url, opts) return request(self, tostring(verb):upper(), url, opts) end
  plain.pages = function(url, opts) return pages(self, url, opts) end
  return setmetatable(plain, { __index = unknown("dts.http") })
end

return http
