-- dts.route: an API endpoint over a table, a select or a function.
-- SPDX-License-Identifier: MIT

local kernel = require "dts.kernel"
local limits = require "dts.limits"
local options = require "dts.options"
local param = require "dts.param"
local query = require "dts.query"
local state = require "dts.state"

local METHODS = { "GET", "POST", "PUT", "PATCH", "DELETE" }
local OURS = { "/api/v1", "/healthz", "/readyz", "/metrics" }

local SPEC = options.spec("dts.route", {
  { "summary", "text", help = "one sentence for the API's documentation" },
  { "public", "boolean", default = false, help = "true: no key is needed" },
  { "params", "any", help = 'for example { from = "date?", limit = "integer = 100" }' },
  { "from", "name", help = "a table; parameters that match its columns filter" },
  { "columns", "columns", help = "the columns wanted" },
  { "order", "order", help = '"date", "-date" for the largest first, or a list of them' },
  { "limit", "natural", help = "at most so many rows" },
  { "where", "any", help = "a table of columns and values, or SQL" },
  { "sql", "sql", help = "a select; :name binds a parameter" },
  { "run", "run", help = "function(req) … end" },
  { "cache", "duration", to = "cache_ms", help = 'keep a reply that reads the clock or headers so long: "1m"' },
  { "timeout", "duration", to = "timeout_ms", default = 2000, help = 'for example "5s" (2 s unless said)' },
  { "limits", limits.spec, help = 'for example limits = { memory = "512MB" }' },
}, "method and path stand first")

local function read_address(given, what)
  local text = given[1]
  local method, path = tostring(text):match("^(%u+)%s+(/%S*)$")
  if type(text) ~= "string" or not method then
    options.fail(what, ("a method and a path expected first, for example \"GET /api/rates\", got %s")
      :format(options.shown(text)))
  end
  if #given > 1 then options.fail(what, "one method and path only: a second route is a second dts.route") end
  what = ("%s '%s'"):format(what, text)
  local known = {}
  for _, name in ipairs(METHODS) do known[name] = true end
  if not known[method] then
    options.fail(what, ("the methods are %s, got '%s'"):format(table.concat(METHODS, ", "), method))
  end
  for _, ours in ipairs(OURS) do
    if path == ours or path:sub(1, #ours + 1) == ours .. "/" then
      options.fail(what, ("%s is the engine's own"):format(ours), "begin the path with /api/ and a name of yours")
    end
  end
  return method, path, what
end

-- The names in "{owner}" and "{path...}", in order.
local function path_names(path, what)
  local names, seen = {}, {}
  for segment in path:gmatch("[^/]+") do
    local name, rest = segment:match("^{([%a_][%w_]*)(%.*)}$")
    if not name and segment:find("[{}]") then
      options.fail(what, ("'%s' is not understood: {name} stands for one segment, {name...} for the rest")
        :format(segment))
    end
    if name then
      if rest ~= "" and rest ~= "..." then options.fail(what, ("'%s': three dots stand for the rest")
        :format(segment)) end
      if seen[name] then options.fail(what, ("{%s} stands twice in the path"):format(name)) end
      seen[name] = true
      names[#names + 1] = name
    end
  end
  return names
end

-- Segments of the path are parameters too: texts that are always there, unless declared otherwise.
local function add_path_params(params, names, what)
  local declared = {}
  for _, p in ipairs(params) do declared[p.name] = p end
  for _, name in ipairs(names) do
    local p = declared[name]
    if not p then table.insert(params, { name = name, type = "text", required = true })
    elseif not p.choices and (not p.required or p.default ~= nil) then
      options.fail(what, ("parameter '%s' stands in the path: it is always there and has no default"):format(name))
    end
  end
end

local function check_ways(out, given, what)
  local ways = {}
  for _, name in ipairs { "from", "sql", "run" } do
    if given[name] ~= nil then ways[#ways + 1] = name end
  end
  if #ways ~= 1 then
    options.fail(what, #ways == 0 and "`from`, `sql` or `run` is missing: where the reply comes from"
      or ("`%s` exclude each other"):format(table.concat(ways, "`, `")))
  end
  for _, name in ipairs { "columns", "order", "limit", "where" } do
    if given[name] ~= nil and not given.from then options.fail(what, ("`%s` goes with `from`"):format(name)) end
  end
  if out.method ~= "GET" and ways[1] ~= "run" then
    options.fail(what, ("%s needs `run`: tables and SQL answer GET"):format(out.method))
  end
end

return function(given)
  if type(given) ~= "table" then
    options.fail("dts.route", ("a table expected, got %s"):format(options.shown(given)))
  end
  local method, path, what = read_address(given, "dts.route")
  local out = options.check(SPEC, given, what)
  out.name, out.method, out.path = ("%s %s"):format(method, path), method, path
  check_ways(out, given, what)
  out.params = param.read(out.params, what)
  add_path_params(out.params, path_names(path, what), what)
  if type(out.where) == "table" then out.where = query.where(out.from, out.where, what)
  elseif out.where ~= nil and not options.types.sql(out.where) then
    options.fail(what, ("field 'where': a table or SQL expected, got %s"):format(options.shown(out.where)))
  end
  out.order = out.order or kernel.list {}
  local run = out.run
  out.run, out.handler = nil, run ~= nil
  state.declare("route", out)
  state.routes[out.name] = run and { run = run, params = out.params }
  return out.name
end
