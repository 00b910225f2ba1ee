-- What C calls: a worker's life in five functions (engine/script/README.md).
-- SPDX-License-Identifier: MIT

local ctx = require "dts.ctx"
local kernel = require "dts.kernel"
local state = require "dts.state"

local main = {}

local function evaluate(start)
  state.reset()
  return kernel.evaluate(start.file, start.source)
end

-- What a pipeline may write and ask without being told: tables of its own file, sources of that file and its modules.
local function add_neighbours(declared)
  local sources, tables = {}, {}
  for _, d in ipairs(declared) do
    if d.noun == "source" then sources[#sources + 1] = d.name end
    if d.noun == "table" then
      tables[d.file] = tables[d.file] or {}
      table.insert(tables[d.file], d.name)
    end
  end
  for _, d in ipairs(declared) do
    if d.noun == "pipeline" then
      d.sources = kernel.list(table.move(sources, 1, #sources, 1, {}))
      d.tables = kernel.list(table.move(tables[d.file] or {}, 1, #(tables[d.file] or {}), 1, {}))
    end
  end
end

function main.load(start)
  evaluate(start)
  add_neighbours(kernel.declared())
end

-- The line of the text on which a field is set, for what is checked after the text has run.
local function line_of(text, field)
  local line = 0
  for one in (text .. "\n"):gmatch("(.-)\n") do
    line = line + 1
    if one:gsub("%-%-.*", ""):find("%f[%w_]" .. field .. "%f[^%w_]%s*[%]=\"']") then return line end
  end
  return nil
end

-- A table that stands there alone is no Lua: the commonest slip in a file of settings, told as such.
local function check_return(start)
  local before = start.source:gsub("%-%-[^\n]*", ""):match("^(%s*){")
  if not before then return end
  kernel.raise {
    code = "OPTION", message = "it returns one table: return { name = … }, got a table without `return`",
    hint = "begin with `return {`", where = ("%s:%d"):format(start.file, 1 + select(2, before:gsub("\n", ""))),
  }
end

-- `dts.lua` returns one table. Its faults stand at the field that they name, and so need not name the file again.
function main.config(start)
  check_return(start)
  local given = evaluate(start)
  local ok, result = pcall(require("dts.config").read, given, start.file)
  if ok then return result end
  if not kernel.is_error(result) then error(result, 0) end
  local message = result.message
  local head = start.file .. ": "
  if message:sub(1, #head) == head then message = message:sub(#head + 1) end
  local field = message:match(".*field '([%w_]+)'")
  local line = field and line_of(start.source, field)
  kernel.raise {
    code = result.code, message = message, hint = result.hint,
    where = line and ("%s:%d"):format(start.file, line) or start.file,
  }
end

-- ── a run ──

local inputs = {}

function inputs.params(start) return start.input or {} end
function inputs.batch(start) return require("dts.ingest").events(start.input or {}) end

function inputs.span(start)
  local span = start.input or {}
  span.with = span.with or {}
  return span
end

function inputs.file(start)
  local input = start.input or {}
  local file = { name = input.name, size = input.size, sha256 = input.sha256 }
  return require("dts.body").wrap(file, start.body or "", { name = input.name, file = input.name })
end

local function missing(what, name, file, names)
  table.sort(names)
  local nearest = kernel.nearest(name, names)
  kernel.raise {
    code = "NAME", message = ("%s declares no %s '%s'%s"):format(file, what, name,
      nearest and ("; did you mean '%s'?"):format(nearest) or ""),
  }
end

local function keys(map)
  local list = {}
  for name in pairs(map) do list[#list + 1] = name end
  return list
end

function main.run(start)
  evaluate(start)
  local run = state.pipelines[start.pipeline]
  if not run then missing("pipeline", start.pipeline, start.file, keys(state.pipelines)) end
  local input = inputs[start.kind or "params"]
  if not input then kernel.raise { code = "INPUT", message = ("a run of kind '%s' is not known")
    :format(start.kind) } end
  state.began()
  run(ctx.make(start), input(start))
end

-- ── requests ──

local fresh = false -- the script has been evaluated and no request has used it yet

function main.serve(start)
  evaluate(start)
  fresh = true
end

-- Each request has a fresh environment: the worker forgets all modules after each, this one too.
function main.request(message)
  local start = kernel.start()
  if not fresh then evaluate(start) end
  fresh = false
  state.began()
  local handler = state.routes[message.route]
  if not handler then missing("route", message.route, start.file, keys(state.routes)) end
  return require("dts.request").answer(handler, message)
end

return main
