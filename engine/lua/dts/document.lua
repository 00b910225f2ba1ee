-- dts.html and dts.xml: decode(text) gives a document to select from, encode(text) a text made safe to stand in one.
-- SPDX-License-Identifier: MIT

local markup = require "dts.markup"
local options = require "dts.options"

local ESCAPES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

return function(kind)
  return {
    decode = function(text)
      if type(text) ~= "string" then
        options.fail(kind .. ".decode", ("a text expected, got %s"):format(options.shown(text)))
      end
      return markup.read(text, kind, "utf-8", kind .. ".decode")
    end,
    encode = function(text)
      if type(text) ~= "string" and type(text) ~= "number" then
        options.fail(kind .. ".encode", ("a text expected, got %s"):format(options.shown(text)))
      end
      return (tostring(text):gsub("[&<>\"']", ESCAPES))
    end,
  }
end
