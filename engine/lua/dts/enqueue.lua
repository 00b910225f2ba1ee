-- dts.enqueue(pipeline, params?, { key, delay, group }?): queues a job. A route does it at once; a run with its other
-- effects, when it commits.
-- SPDX-License-Identifier: MIT

local ctx = require "dts.ctx"
local kernel = require "dts.kernel"
local state = require "dts.state"

return function(pipeline, params, opts)
  local args = ctx.enqueued(pipeline, params, opts, "dts.enqueue")
  if state.mode() == "serve" then
    state.volatile = true
    return kernel.call("enqueue", args).id
  end
  args.verb, args.step = "enqueue", state.step()
  kernel.send("stage", args)
end
