-- Page after page of a source: by the Link header, by a number or offset that counts, or by a cursor of the reply.
-- What asks for the next page stands in the query, or in the JSON or form that is sent; then POST asks.
-- SPDX-License-Identifier: MIT

local json = require "dts.json"
local kernel = require "dts.kernel"
local options = require "dts.options"

local pages = {}

local MAX_PAGES = 100

-- The options of pages beside those of a request.
function pages.spec(fields)
  return options.spec("pages", table.move({
    { "max", "count", help = ("pages at most (%d unless said, and then more is an error)"):format(MAX_PAGES) },
    { "page", "text", help = 'the name of a page number, for example page = "page"' },
    { "offset", "text", help = 'the name of an offset, for example offset = "offset"' },
    { "cursor", "text",
      help = 'the name of a cursor, for example cursor = "after"; `next` says where it comes from' },
    { "next", "text", help = 'the path of the next cursor in the JSON reply, for example next = "meta.next"' },
    { "at", "text",
      help = 'the path of the records in the JSON reply, for example at = "items": an empty page is the last' },
  }, 1, 6, #fields + 1, table.move(fields, 1, #fields, 1, {})))
end

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

-- ── records and cursors in a reply ──

local function is_map(value) return type(value) == "table" and #value == 0 and next(value) ~= nil end

local function step(value, name)
  if type(value) ~= "table" then return nil end
  if value[name] ~= nil then return value[name] end
  return value[math.tointeger(tonumber(name))]
end

-- What stands at a path: "data.items", "2.rows"; nil where there is nothing, and then where the path ended.
local function dig(value, path)
  for name in (path or ""):gmatch("[^%.]+") do
    local found = step(value, name)
    if found == nil then return nil, value end
    value = found
  end
  return value
end

local function names_of(value)
  local names = {}
  for name in pairs(is_map(value) and value or {}) do names[#names + 1] = tostring(name) end
  table.sort(names)
  return names
end

-- No list where one must be, so no page would ever be read: what stands there helps to find it.
local function fail_list(reply, value, at, what)
  local names = names_of(value)
  local place = at and ("'%s'"):format(at) or "its top"
  kernel.raise {
    code = "ROWS", message = ("%s: the reply has no list at %s%s (%s)"):format(what, place,
      #names > 0 and "; there are " .. kernel.shorten(table.concat(names, ", ")) or "", tostring(reply)),
    hint = 'say where the records are: at = "items"; one inside of another is "data.items", the second of a list "2"',
  }
end

-- How many records a page has. Later pages may lack the list: they are the end.
local function count_at(reply, at, what, first)
  local list, ended = dig(reply:json(), at)
  if list == nil and first then fail_list(reply, ended, at, what) end
  if list == nil or list == kernel.null then return 0 end
  if type(list) ~= "table" or is_map(list) then fail_list(reply, list, at, what) end
  return #list
end

-- What leads to the next page is put where it is looked for: under a name of the query, a path of the JSON sent.
local function put_at(place, path, value)
  local last = path
  if place.nested then
    for name in path:gmatch("([^%.]+)%.") do
      if type(place.map[name]) ~= "table" then place.map[name] = {} end
      place = { map = place.map[name] }
    end
    last = path:match("[^%.]+$")
  end
  place.map[last] = value
end

local function value_at(place, path)
  if not place.nested then return place.map[path] end
  local value = dig(place.map, path)
  if value == kernel.null then return nil end
  return value
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

-- How the next request follows from a reply: true when there is one; args and place are changed.
local follow = {}

function follow.link(args, reply, _, what, _, seen)
  local address = next_link(reply.headers)
  if not address then return false end
  address = absolute(address, reply.url or "")
  once(seen, address, what, "a next page for the second time: " .. kernel.shorten(address))
  args.url, args.path, args.query = address, nil, nil
  return true
end

function follow.page(_, _, opts, _, place)
  put_at(place, opts.page, value_at(place, opts.page) + 1)
  return true
end

function follow.offset(_, reply, opts, what, place)
  put_at(place, opts.offset, value_at(place, opts.offset) + count_at(reply, opts.at, what))
  return true
end

function follow.cursor(_, reply, opts, what, place, seen)
  local cursor = dig(reply:json(), opts.next)
  if cursor == nil or cursor == kernel.null or cursor == "" or cursor == false then return false end
  once(seen, cursor, what, "the cursor " .. kernel.shorten(tostring(cursor)) .. " for the second time")
  put_at(place, opts.cursor, cursor)
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

local function start(place, opts, style, what)
  if style ~= "page" and style ~= "offset" then return end
  local value = value_at(place, opts[style])
  if value == nil then put_at(place, opts[style], style == "page" and 1 or 0) end
  if value ~= nil and math.type(value) ~= "integer" then
    options.fail(what, ("field '%s': '%s' is a whole number, got %s"):format(place.field, opts[style],
      options.shown(value)))
  end
end

-- Where the page is asked for: in what is sent, if anything is, or else in the query.
local function place_of(args, sent, what)
  if not sent then
    if args.body then options.fail(what, "`body` does not go with pages", "send `json` or `form`, or write a loop") end
    args.query = args.query or {}
    return { map = args.query, field = "query" }
  end
  if type(sent.value) ~= "table" then
    options.fail(what, ("field 'json': a table expected, got %s"):format(options.shown(sent.value)))
  end
  local map = json.decode(json.encode(sent.value), { nulls = true }) -- the script's own stays as it is
  return { map = map, field = sent.field, nested = sent.field == "json", write = sent.write }
end

-- The address of a Link header has its own query, and is asked for as it stands.
local function request(args, place)
  local out = {}
  for name, value in pairs(args) do out[name] = value end
  if place.write then
    out.body = place.write(place.map)
  elseif args.query then
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

local OWN = { "max", "page", "offset", "cursor", "next", "at" }

-- An iterator over the replies. sent = { field, value, write }: what each request sends, and how it becomes text.
function pages.read(args, sent, ask, what)
  local opts = {}
  for _, name in ipairs(OWN) do opts[name], args[name] = args[name], nil end
  local style, max = choose_style(opts, what), opts.max
  local place = place_of(args, sent, what)
  args.method = sent and "POST" or "GET"
  start(place, opts, style, what)
  local count, reply, seen, numbered = 0, nil, {}, style == "page" or style == "offset"
  return function()
    if reply and not follow[style](args, reply, opts, what, place, seen) then return nil end
    if count == (max or MAX_PAGES) then
      if not max then too_many(what, MAX_PAGES) end
      return nil
    end
    local last = reply
    count, reply = count + 1, ask(request(args, place))
    if not numbered and not opts.at then return reply, count end
    if count_at(reply, opts.at, what, count == 1) == 0 then return nil end
    if numbered and last and last.size == reply.size and last:text() == reply:text() then
      looped(what, ("%s = %d brought the same page again"):format(opts[style], value_at(place, opts[style])))
    end
    return reply, count
  end
end

return pages
