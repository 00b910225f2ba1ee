-- dts.validate(schema, value): true, or nil with the path and the message of the first fault. A schema is a table or a
-- file of the project; files that it refers to are read too.
-- SPDX-License-Identifier: MIT

local json = require "dts.json"
local kernel = require "dts.kernel"
local options = require "dts.options"
local schema = require "dts.schema"

local ROOT = "file:///"
local by_path = {}
local by_table = setmetatable({}, { __mode = "k" })

-- "schemas/a/b.json" and "../c.json#/x" → "schemas/c.json"; nil for references within a file and to other places.
local function neighbour(path, reference)
  local file = reference:match("^[^#]*")
  if file == "" or file:find("^%a[%w+.-]*:") then return nil end
  local parts = {}
  for part in (file:find("^/") and file or (path:match("^(.*)/") or "") .. "/" .. file):gmatch("[^/]+") do
    if part == ".." then table.remove(parts) elseif part ~= "." then parts[#parts + 1] = part end
  end
  return table.concat(parts, "/")
end

local function references(value, found)
  if type(value) ~= "table" then return found end
  if type(value["$ref"]) == "string" then found[#found + 1] = value["$ref"] end
  for _, item in pairs(value) do references(item, found) end
  return found
end

local function collect(path, documents, seen)
  if seen[path] then return end
  seen[path] = true
  local text = kernel.call("file", { path = path }).source
  documents[#documents + 1] = { uri = ROOT .. path, document = text }
  for _, reference in ipairs(references(json.decode(text, nil, path), {})) do
    local other = neighbour(path, reference)
    if other then collect(other, documents, seen) end
  end
end

local function compiled(given)
  if type(given) == "string" then
    if not by_path[given] then
      local documents = {}
      collect(given, documents, {})
      by_path[given] = schema.compile(documents, ROOT .. given)
    end
    return by_path[given]
  end
  if type(given) ~= "table" then
    options.fail("dts.validate", ("a schema expected first, as a table or a file's path, got %s")
      :format(options.shown(given)))
  end
  by_table[given] = by_table[given] or schema.compile({ { uri = ROOT .. "schema", document = json.encode(given) } },
    ROOT .. "schema")
  return by_table[given]
end

return function(given, value)
  return schema.check(compiled(given), value)
end
