-- dts.source: an address that scripts may talk to, with its manners and secrets. What it gives has the methods
-- get post put delete patch request pages, whose options are http.lua's.
-- SPDX-License-Identifier: MIT

local http = require "dts.http"
local options = require "dts.options"
local state = require "dts.state"

local SPEC = options.spec("dts.source", {
  { "name", "name", required = true, help = 'how scripts, limits and logs call it, for example name = "ecb"' },
  { "url", "text", required = true, help = 'where paths begin, for example url = "https://api.github.com"' },
  { "rate", "rate", help = 'at most so many requests, shared by all runs: "5/s", "60/m", "5000/h"' },
  { "concurrency", "count", help = "connections at once, shared by all runs (8 unless said)" },
  { "headers", "text_map", help = "sent with each request; {secret:NAME} is filled in by the engine" },
  { "query", "text_map", help = "sent with each request; {secret:NAME} is filled in by the engine" },
  { "timeout", "duration", to = "timeout_ms", help = 'of one try, for example "30s"' },
  { "connect", "duration", to = "connect_ms", help = 'of that, to connect: "10s" unless said' },
  { "stall", "duration", to = "stall_ms", help = 'ends a try that has hardly brought a byte for so long: "20s"' },
  { "largest", "size", help = 'a decoded body at most: "512MB" unless said' },
})

-- "{secret: KEY}" would go out as it is written.
local function check_secret(text, place, what)
  for written in text:gmatch("{%s*[Ss][Ee][Cc][Rr][Ee][Tt][^}]*}?") do
    if not written:find("^{secret%??:[%w_%.-]+}$") then
      options.fail(what, ("%s: {secret:NAME} expected, got %s"):format(place, options.shown(written)),
        "NAME has letters, digits and _; {secret?:NAME} may be absent")
    end
  end
end

local function check_secrets(map, field, what)
  for name, value in pairs(map or {}) do check_secret(value, ("field '%s': '%s'"):format(field, name), what) end
end

-- A key in the address stands in its path: hosts are known before anything is asked.
local function check_url(url, what)
  if not url:find("^https?://[^/%s{]+") then
    options.fail(what, ("field 'url': an address that begins with https:// expected, got %s")
      :format(options.shown(url)))
  end
  check_secret(url, "field 'url'", what)
  local host = url:match("^%a+://([^/?#]*)")
  if host:find("{", 1, true) or url:find("{secret?:", 1, true) then
    options.fail(what, ("field 'url': {secret:NAME} stands in the path alone, got %s"):format(options.shown(url)))
  end
end

return function(given)
  local out, what = options.check(SPEC, given)
  check_url(out.url, what)
  if out.rate then out.rate_count, out.rate_ms, out.rate = out.rate.count, out.rate.ms, nil end
  out.headers = out.headers or {}
  check_secrets(out.headers, "headers", what)
  check_secrets(out.query, "query", what)
  state.declare("source", out)
  return http.source(out.name)
end
