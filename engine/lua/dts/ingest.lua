-- `ingest = { … }` of a pipeline: events taken at POST /api/v1/ingest/NAME, one batch a run. An event's JSON is
-- decoded when the script first looks at its `data`.
-- SPDX-License-Identifier: MIT

local json = require "dts.json"
local options = require "dts.options"

local ingest = {}

local SIGNATURE = options.spec("signature", {
  { "header", "text", required = true, help = 'for example "x-hub-signature-256"' },
  { "secret", "text", required = true, help = "the secret's name" },
})

local SPEC = options.spec("ingest", {
  { "id", "text", help = 'where an event\'s id is: "header:x-delivery" or a field\'s path' },
  { "type", "text", help = 'where its type is: "header:x-event" or a field\'s path' },
  { "time", "text", help = "where its time is; without it the time when it came" },
  { "schema", "texts",
    help = 'JSON Schema files; {type} and {data.field} are filled in: the first that exists counts' },
  { "archive", "boolean", default = false, help = "true: keep each body raw" },
  { "signature", SIGNATURE, help = "refuse what is not signed" },
  { "window", "duration", to = "window_ms", default = 86400000, help = 'an id counts as seen for so long ("24h")' },
  { "batch", "count", default = 1000, help = "events of one run at most" },
  { "wait", "duration", to = "wait_ms", default = 1000, help = 'how long a batch waits to fill ("1s")' },
})

function ingest.read(given, pipeline)
  local out, what = options.check(SPEC, given, ("%s: ingest"):format(pipeline))
  for _, name in ipairs { "id", "type", "time" } do
    local text = out[name]
    if text and not text:find("^header:[%w%-]+$") and not text:find("^[%a_][%w_%-%.]*$") then
      options.fail(what, ("field '%s': \"header:NAME\" or a field's path expected, got %s")
        :format(name, options.shown(text)))
    end
  end
  out.schema = out.schema or require("dts.kernel").list {}
  return out
end

local CLASS = {
  __index = function(event, name)
    if name ~= "data" then return nil end
    local text = rawget(event, "json")
    local data = text and json.decode(text, nil, ("event %s"):format(tostring(event.id)))
    rawset(event, "data", data)
    return data
  end,
}

-- The batch as `run` receives it: each event { id, type, time, data }.
function ingest.events(input)
  for _, event in ipairs(input.events or {}) do setmetatable(event, CLASS) end
  return input.events or {}
end

return ingest
