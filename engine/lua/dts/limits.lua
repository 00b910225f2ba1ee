-- Limits of a run, as pipelines and routes may set them. Only those given are reported; the rest are the engine's.
-- SPDX-License-Identifier: MIT

local options = require "dts.options"

local limits = {}

limits.spec = options.spec("limits", {
  { "time", "duration", to = "time_ms", help = 'of one run, for example "5m"' },
  { "cpu", "duration", to = "cpu_ms", help = 'for example "60s"' },
  { "memory", "size", help = 'for example "256MB"' },
  { "rows", "count", help = "rows of one transaction" },
  { "requests", "count", help = "requests of one run" },
  { "jobs", "count", help = "jobs that may come of one firing by ctx:enqueue" },
  { "log", "size", help = 'what one run may log, for example "10MB"' },
})

return limits
