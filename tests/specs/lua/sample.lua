-- Bodies for specs: of a text, or of a file of the test data (TEST_DATA); specs of files are pending where it is not.
-- SPDX-License-Identifier: MIT

local body = require "dts.body"

local root = os.getenv("TEST_DATA")
local sample = { there = root ~= nil }

function sample.data(name)
  local file <close> = assert(io.open(root .. "/" .. name, "rb"))
  return file:read("a")
end

-- `about`: a media type, or what body.wrap takes.
function sample.of(text, about)
  about = type(about) == "table" and about or { type = about }
  about.name = about.name or "GET https://x/f"
  return body.wrap({}, text, about)
end

function sample.all(text, shape, about)
  local list, lines = {}, {}
  for row, line in sample.of(text, about):rows(shape) do list[#list + 1], lines[#lines + 1] = row, line end
  return list, lines
end

return sample
