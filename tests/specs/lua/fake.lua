-- A fake engine for specs of the Lua half: it plays OP_START, answers calls from tables of functions, and remembers
-- everything that a script sent. The C half (rows, JSON, dates, error values) is the real one: run by `dts-worker
-- --spec`.
-- SPDX-License-Identifier: MIT

local kernel = require "dts.kernel"
local column = require "dts.column"

local fake = {}
local real = {}
for name, value in pairs(kernel) do real[name] = value end

local function declared(tables)
  local out = {}
  for name, columns in pairs(tables or {}) do
    local list = {}
    for i, text in ipairs(columns) do list[i] = column.read(text, "dts.table") end
    out[name] = { name = name, columns = list }
  end
  return out
end

local function copy(value)
  if type(value) ~= "table" then return value end
  local out = {}
  for k, v in pairs(value) do out[k] = copy(v) end
  return out
end

local function collect(rows)
  local list = {}
  if type(rows) == "function" then
    for row in rows do list[#list + 1] = row end
  elseif #rows > 0 or next(rows) == nil then
    for i, row in ipairs(rows) do list[i] = row end
  else
    list[1] = rows
  end
  return list
end

-- The line at which the running code of a file stands.
local function line_in(file)
  for level = 2, math.huge do
    local info = debug.getinfo(level, "Sl")
    if not info then return nil end
    if info.source == "@" .. file then return info.currentline end
  end
end

-- What the engine has been told and asked, and what it answers: answers.http = function(args) … end.
function fake.engine(answers, start)
  local e = { calls = {}, sent = {}, rows = {}, declared = {}, answers = answers or {} }
  start = start or {}
  start.tables = declared(start.tables)
  kernel.start = function() return start end
  kernel.tables = function() return start.tables end
  kernel.declare = function(map)
    map.file, map.line = map.file or start.file, map.line or line_in(start.file)
    e.declared[#e.declared + 1] = map
    return map
  end
  kernel.declared = function() return e.declared end
  kernel.call = function(op, args)
    e.calls[#e.calls + 1] = { op, copy(args) }
    local answer = e.answers[op]
    if not answer then error(("the spec has no answer for '%s'"):format(op), 0) end
    return answer(args or {})
  end
  kernel.send = function(op, args) e.sent[#e.sent + 1] = { op, copy(args) } end
  kernel.put = function(name, rows, also, step)
    local list = collect(rows)
    e.rows[#e.rows + 1] = { table = name, rows = list, also = also, step = step }
    return #list
  end
  kernel.check = function(_, row) return row end
  kernel.tasks = function(list, _, fn)
    local results, n = {}, 0
    for i, item in ipairs(list) do
      n = i
      results[i] = coroutine.wrap(fn)(item, i)
    end
    results.n = n
    return results
  end
  require("dts.state").reset()
  return e
end

-- A load, run or request of a script's text.
function fake.play(mode, source, answers, start)
  start = start or {}
  start.mode, start.file, start.source = mode, start.file or "pipelines/x.lua", source
  local e = fake.engine(answers, start)
  e.result = require("dts.main")[mode](start)
  return e
end

function fake.load(source, answers) return fake.play("load", source, answers).declared end

function fake.run(source, answers, start)
  start = start or {}
  start.pipeline = start.pipeline or "p"
  return fake.play("run", source, answers, start)
end

-- What a script's load, or a function, is refused with: message, line, hint.
function fake.refused(fn, ...)
  local ok, fault = pcall(fn, ...)
  assert(not ok, "nothing was refused")
  if type(fault) ~= "table" then return tostring(fault) end
  return fault.message, fault.where, fault.hint, fault.code
end

function fake.restore()
  for name, value in pairs(real) do kernel[name] = value end
end

return fake
