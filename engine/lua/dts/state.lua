-- What one worker remembers: which nouns with functions the script has, what a request has used, and which step each
-- coroutine is in. `reset` forgets all of it before a script is evaluated again.
-- SPDX-License-Identifier: MIT

local kernel = require "dts.kernel"

local state = {}

function state.reset()
  state.pipelines, state.routes, state.declared = {}, {}, {}
  state.began()
end

-- A run or a request begins: nothing is known of it yet.
function state.began()
  state.volatile, state.keyed = nil, nil
  state.lookups, state.lookup_count = {}, 0
  state.steps, state.open_steps = setmetatable({}, { __mode = "k" }), 0
end

function state.mode()
  local start = kernel.start()
  return start and start.mode
end

-- Keeps what was declared, with file and line; in a load it is reported too.
function state.declare(noun, map)
  map.noun = noun
  if state.mode() == "load" then kernel.declare(map) end
  state.declared[#state.declared + 1] = map
  return map
end

-- The step that the running code is in, or nil. A coroutine of the analyst's own belongs to the only open step.
function state.step()
  local step = state.steps[coroutine.running()]
  if step == nil and state.open_steps == 1 then step = state.only_step end
  return step or nil
end

state.reset()
return state
