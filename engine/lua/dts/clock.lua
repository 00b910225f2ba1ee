-- dts.now, dts.today, dts.uuid: the engine's clock and chance. A reply that used one is not cached unless it says so.
-- SPDX-License-Identifier: MIT

local kernel = require "dts.kernel"
local state = require "dts.state"
local time = require "dts.time"

local clock = {}

-- The present instant as a timestamp.
function clock.now()
  state.volatile = true
  return time.instant(kernel.call("now").ms)
end

-- The date in the project's zone.
function clock.today()
  state.volatile = true
  return kernel.call("now").today
end

function clock.uuid()
  state.volatile = true
  return kernel.call("random").uuid
end

return clock
