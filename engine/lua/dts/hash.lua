-- dts.hash(value): SHA-256 as 64 hexadecimal digits, of a text, of a body's bytes, or of any other value's JSON (whose
-- names are sorted, so that equal tables have equal hashes).
-- SPDX-License-Identifier: MIT

local body = require "dts.body"
local digest = require "dts.digest"
local json = require "dts.json"

return function(value)
  local raw = body.raw(value)
  if raw == nil then raw = json.encode(value) end
  return digest.sha256(raw)
end
