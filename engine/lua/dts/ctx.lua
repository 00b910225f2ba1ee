-- ctx: this run. What it writes, remembers and is; each method is one operation of the engine, checked first.
-- SPDX-License-Identifier: MIT

local kernel = require "dts.kernel"
local options = require "dts.options"
local state = require "dts.state"
local time = require "dts.time"

local loaded_query -- many a run asks nothing, and is spared what it does not use
local function query()
  loaded_query = loaded_query or require "dts.query"
  return loaded_query
end

local ctx = {}
local methods = {}

local FIELDS = { "run", "attempt", "date", "window", "pipeline", "state", "trigger" }
local IS_FIELD = {}
for _, name in ipairs(FIELDS) do IS_FIELD[name] = true end

local private = setmetatable({}, { __mode = "k" }) -- ctx → { kind, used steps, sleeps }

local ENQUEUE = options.spec("enqueue", {
  { "key", "text", help = "a job of this key is queued once" },
  { "delay", "duration", to = "delay_ms", help = 'not before so long, for example "5m"' },
  { "group", "text", help = "jobs of one group run one after the other" },
})
local STEP = options.spec("step", {
  { "retry", "natural", help = "how often it is tried again" },
  { "timeout", "duration", to = "timeout_ms", help = 'of one try, for example "5s"' },
})
local FAIL = options.spec("ctx:fail", {
  { "retry", "boolean", help = "false: the run is not tried again" },
})

local function check_self(self, method)
  if not private[self] then
    options.fail("ctx", ("write a colon: ctx:%s(…), not ctx.%s(…)"):format(method, method))
  end
  return private[self]
end

local function check_table(name, what)
  if type(name) ~= "string" then
    options.fail(what, ("a table's name expected first, got %s"):format(options.shown(name)))
  end
end

local function check_no_step(self, what)
  if private[self].kind == "file" and state.step() then
    options.fail(what, "a file is all or nothing: no rows inside a step of a `files` run",
      "give the rows back as the step's result and put them after it")
  end
end

-- ── rows ──

function methods:put(table_name, rows, also)
  check_self(self, "put")
  check_table(table_name, "ctx:put")
  check_no_step(self, "ctx:put")
  if rows == nil then
    options.fail("ctx:put", "rows expected (a row, a list or an iterator), got nothing; " ..
      "does the function that makes them return them?")
  end
  if also ~= nil and type(also) ~= "table" then
    options.fail("ctx:put", ("a table of columns that all rows share expected third, got %s")
      :format(options.shown(also)))
  end
  require("dts.body").put(rows, table_name, also)
  return kernel.put(table_name, query().plain(rows), also, state.step())
end

function methods:update(table_name, row)
  check_self(self, "update")
  check_table(table_name, "ctx:update")
  check_no_step(self, "ctx:update")
  if type(row) ~= "table" then options.fail("ctx:update", ("a row expected, got %s"):format(options.shown(row))) end
  kernel.send("stage", { verb = "update", table = table_name, row = kernel.check(table_name, row),
    step = state.step() })
end

local function stage_delete(table_name, where, what)
  if where == nil then options.fail(what, "`where` is missing: {} covers every row") end
  for column, value in pairs(type(where) == "table" and where or {}) do
    if value == kernel.null then -- it would be no condition, and the rows covered more than meant
      options.fail(what, ("where.%s is dts.null, which is no condition: leave it out to cover every value")
        :format(tostring(column)))
    end
  end
  where = query().where(table_name, where, what)
  kernel.send("stage", { verb = "delete", table = table_name, where = where, step = state.step() })
end

function methods:delete(table_name, where)
  check_self(self, "delete")
  check_table(table_name, "ctx:delete")
  check_no_step(self, "ctx:delete")
  stage_delete(table_name, where, "ctx:delete")
end

function methods:replace(table_name, rows, where)
  check_self(self, "replace")
  check_table(table_name, "ctx:replace")
  check_no_step(self, "ctx:replace")
  stage_delete(table_name, where, "ctx:replace")
  return methods.put(self, table_name, rows)
end

-- ── durable work ──

function methods:checkpoint(kept)
  if check_self(self, "checkpoint").kind == "file" then
    options.fail("ctx:checkpoint", "a file is all or nothing: a `files` run has no checkpoints")
  end
  if state.step() then options.fail("ctx:checkpoint", "not inside a step: its end commits what it put") end
  kernel.call("checkpoint", { state = kept })
  if kept ~= nil then rawset(self, "state", kept) end
end

local function try(name, fn)
  local here = coroutine.running()
  local outer = state.steps[here]
  state.steps[here], state.open_steps, state.only_step = name, state.open_steps + 1, name
  local result = table.pack(pcall(fn))
  state.steps[here], state.open_steps = outer, state.open_steps - 1
  return result
end

local function fault_map(fault)
  if type(fault) == "table" and kernel.is_error(fault) then return fault end
  return kernel.error { code = "SCRIPT", message = tostring(fault) }
end

local function plain_fault(fault)
  local map = {}
  for _, name in ipairs { "code", "message", "hint", "where", "retryable", "retry_after", "status", "permanent" } do
    map[name] = fault[name]
  end
  return map
end

-- Runs fn until it succeeds or the engine, which counts the tries and waits between them, says that it is enough.
local function run_step(name, fn)
  while true do
    local result = try(name, fn)
    if result[1] then
      local kept = require("dts.each").kept(result[2])
      kernel.call("step_end", { name = name, result = kept })
      return kept
    end
    local fault = fault_map(result[2])
    if not kernel.call("step_fail", { name = name, error = plain_fault(fault) }).again then error(result[2], 0) end
  end
end

function methods:step(name, opts, fn)
  local own = check_self(self, "step")
  if fn == nil and type(opts) == "function" then opts, fn = {}, opts end
  if type(name) ~= "string" or name == "" then
    options.fail("ctx:step", ("a name expected first, got %s"):format(options.shown(name)))
  end
  local what = ("ctx:step '%s'"):format(name)
  if type(fn) ~= "function" then
    options.fail(what, ("a function expected as the last argument, got %s"):format(options.shown(fn)))
  end
  local args = options.check(STEP, opts or {}, what)
  if own.steps[name] then
    options.fail(what, "this name was used before in the same run", "in a loop, make the name from the data")
  end
  if state.step() then options.fail(what, ("steps do not nest: this one is inside of '%s'"):format(state.step())) end
  own.steps[name], args.name = true, name
  local kept = kernel.call("step", args)
  if kept.done then return kept.result end
  return run_step(name, fn)
end

function methods:sleep(length)
  local own = check_self(self, "sleep")
  local ms, expected = options.types.duration(length)
  if not ms then options.fail("ctx:sleep", ("%s expected, got %s"):format(expected, options.shown(length))) end
  if state.step() then options.fail("ctx:sleep", "not inside a step: a step runs again as a whole") end
  own.sleeps = own.sleeps + 1
  kernel.call("sleep", { name = ("sleep %d"):format(own.sleeps), ms = ms })
end

-- ── beside rows ──

function methods:archive(source, content, meta)
  check_self(self, "archive")
  local raw = require("dts.body").raw(content)
  if type(source) ~= "string" or source == "" then
    options.fail("ctx:archive", ("a name such as \"github/search\" expected first, got %s")
      :format(options.shown(source)))
  end
  if raw == nil then
    options.fail("ctx:archive", ("a text, a reply or a file expected second, got %s"):format(options.shown(content)))
  end
  if meta ~= nil and not options.types.map(meta) then
    options.fail("ctx:archive", ("a table of names and values expected third, got %s"):format(options.shown(meta)))
  end
  kernel.send("stage", { verb = "archive", source = source, body = raw, meta = meta, step = state.step() })
end

-- The arguments of a new job, checked; dts.enqueue uses it too.
function ctx.enqueued(pipeline, params, opts, what)
  if type(pipeline) ~= "string" then
    options.fail(what, ("a pipeline's name expected first, got %s"):format(options.shown(pipeline)))
  end
  if params ~= nil and (type(params) ~= "table" or #params > 0) then
    options.fail(what, ("a table of parameters expected second, got %s"):format(options.shown(params)))
  end
  local args = options.check(ENQUEUE, opts or {}, what)
  args.pipeline, args.params = pipeline, params or {}
  return args
end

function methods:enqueue(pipeline, params, opts)
  check_self(self, "enqueue")
  local args = ctx.enqueued(pipeline, params, opts, "ctx:enqueue")
  args.verb, args.step = "enqueue", state.step()
  kernel.send("stage", args)
end

local function reject(row, reason, line)
  kernel.send("stage", { verb = "reject", row = row, reason = reason, line = line, step = state.step() })
end
ctx.reject = reject

function methods:reject(row, reason)
  check_self(self, "reject")
  if type(row) ~= "table" then options.fail("ctx:reject", ("a row expected first, got %s")
    :format(options.shown(row))) end
  if type(reason) ~= "string" then
    options.fail("ctx:reject", ("the reason expected second, as a text, got %s"):format(options.shown(reason)))
  end
  reject(row, reason)
end

-- A reason that is no text is shown as a log shows it.
local function said(reason)
  if type(reason) == "string" or kernel.is_error(reason) then return tostring(reason) end
  return type(reason) == "table" and require("dts.show")(reason) or kernel.shorten(reason)
end

function methods:fail(reason, opts)
  check_self(self, "fail")
  local out = options.check(FAIL, opts or {}, "ctx:fail")
  local permanent = out.retry == false
  kernel.raise {
    code = "FAILED", message = reason == nil and "the script ended its run" or said(reason),
    permanent = permanent or nil, retryable = not permanent,
  }
end

function methods:progress(done, total)
  check_self(self, "progress")
  for _, n in ipairs { done == nil and "nothing" or done, total } do
    if type(n) ~= "number" then
      options.fail("ctx:progress", ("two numbers expected: how many are done, and of how many; got %s")
        :format(options.shown(n)))
    end
  end
  kernel.send("progress", { done = done // 1, total = total and total // 1 })
end

-- ── what it is ──

local NAMES = table.move(FIELDS, 1, #FIELDS, 1, {})
for name in pairs(methods) do NAMES[#NAMES + 1] = name end
table.sort(NAMES)

local CLASS = {
  __index = function(_, name)
    if methods[name] then return methods[name] end
    if IS_FIELD[name] then return nil end
    options.fail("ctx", ("there is no '%s'%s"):format(tostring(name), options.meant(name, NAMES)),
      "there are " .. table.concat(NAMES, ", "))
  end,
  __newindex = function(_, name)
    options.fail("ctx", ("'%s' cannot be set"):format(tostring(name)), "ctx:checkpoint(state) keeps ctx.state")
  end,
  __name = "ctx",
}

local function instant(ms) return ms and time.instant(ms) end

-- The ctx of the run that the OP_START map describes.
function ctx.make(start)
  local given = start.ctx or {}
  local window = given.window or {}
  local self = {
    run = given.run, attempt = given.attempt, date = given.date, state = given.state, trigger = given.trigger,
    pipeline = given.pipeline or start.pipeline, window = { from = instant(window.from_ms),
      to = instant(window.to_ms) },
  }
  private[self] = { kind = start.kind, steps = {}, sleeps = 0 }
  state.steps[coroutine.running()] = false
  return setmetatable(self, CLASS)
end

return ctx
