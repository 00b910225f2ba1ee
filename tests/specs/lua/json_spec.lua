-- dts.json: what is read and written, to the letter; the outside suite is that of the test data (TEST_DATA).
-- SPDX-License-Identifier: MIT

local fake = require "tests.specs.lua.fake"
local json = require "dts.json"
local kernel = require "dts.kernel"

local root = os.getenv("TEST_DATA")
local suite = root and it or pending

local function refused(...) return (fake.refused(json.decode, ...)) end
local function unwritten(value) return (fake.refused(json.encode, value)) end
local function again(text) return json.encode(json.decode(text)) end

describe("json.decode", function()
  it("keeps 64-bit integers, and floats apart from them", function()
    for _, text in ipairs { "9223372036854775807", "-9223372036854775808", "9007199254740993", "0", "3.0", "0.1",
      "1e+100", "5e-324", "1.7976931348623157e+308", "-0.0", "0.30000000000000004" } do
      assert.equal(text, again(text))
    end
    assert.equal("integer", math.type(json.decode("9007199254740993")))
    assert.equal("float", math.type(json.decode("3.0")))
    assert.equal("float", math.type(json.decode("9223372036854775808")))
  end)

  it("keeps an empty list and an empty object apart, both ways", function()
    for _, text in ipairs { "[]", "{}", '{"a":[],"b":{}}', "[[],{},[[]]]" } do assert.equal(text, again(text)) end
  end)

  it("leaves nulls out of objects, and has dts.null in lists, unless it is told to keep both", function()
    assert.same({ b = { 1, kernel.null, 2 } }, json.decode '{"a":null,"b":[1,null,2]}')
    assert.same({ a = kernel.null }, json.decode('{"a":null}', { nulls = true }))
    assert.equal('{"a":null,"b":[null]}', json.encode(json.decode('{"b":[null],"a":null}', { nulls = true })))
    assert.equal(kernel.null, json.decode "null")
  end)

  it("takes the last of keys that are there twice, or refuses them where they stand", function()
    assert.same({ a = 2, b = 3 }, json.decode '{"a":1,"b":3,"a":2}')
    assert.same({ b = 3 }, json.decode '{"a":1,"b":3,"a":null}')
    assert.equal('line 2, column 2: the key "b" is there twice in one object',
      refused('[{"a":1},{"b":null,\n "b":2}]', { duplicates = "error" }))
    assert.same({ { a = 1 }, { a = 1 } }, json.decode('[{"a":1},{"a":1}]', { duplicates = "error" }))
    assert.same({ a = 1 }, json.decode('{"a":0,"a":1}', { duplicates = "last" }))
  end)

  it("goes 64 levels deep, or as deep as it is told to", function()
    local function nested(n) return ("["):rep(n) .. ("]"):rep(n) end
    assert.equal(nested(64), again(nested(64)))
    assert.equal("line 1, column 65: lists and maps lie more than 64 levels deep", refused(nested(65)))
    assert.is_table(json.decode(nested(512), { depth = 512 }))
    assert.equal("line 1, column 3: lists and maps lie more than 2 levels deep", refused("[[[", { depth = 2 }))
    assert.matches("more than 64 levels", refused(("["):rep(1e6)), 1, true)
  end)

  it("builds what is large as it builds what is small", function()
    local list, map = {}, {}
    for i = 1, 300 do list[i], map["key " .. i] = i, { i, "text " .. i % 7 } end
    for n = 62, 67 do list[n] = tostring(n) end
    assert.same(list, json.decode(json.encode(list)))
    assert.same(map, json.decode(json.encode(map)))
  end)

  it("never mixes up texts that it has seen before", function()
    local list = {}
    for i = 1, 5000 do list[i] = ("x"):rep(i % 200) .. i % 1777 end
    for _ = 1, 3 do assert.same(list, json.decode(json.encode(list))) end
  end)

  it("says line and column, and which option is misspelt", function()
    assert.equal("line 2, column 7: expected ',' or '}', got '\"'", refused('{\n"a":1 "b":2}'))
    assert.equal("line 1, column 3: expected UTF-8, got byte 0xFF", refused('["\xff"]'))
    assert.equal("line 1, column 1: expected a value, got 'N'", refused("NaN"))
    assert.equal("json.decode: unknown field 'null'; did you mean 'nulls'?", refused("1", { null = true }))
    assert.matches("there are nulls, duplicates, depth", refused("1", { xyzzy = 1 }), 1, true)
    assert.matches("true or false expected", refused("1", { nulls = "yes" }), 1, true)
    assert.matches('"last" or "error" expected', refused("1", { duplicates = "first" }), 1, true)
    assert.matches("from 1 to 512", refused("1", { depth = 513 }), 1, true)
    assert.matches("a text expected, got a nil", refused(nil), 1, true)
  end)

  suite("takes each y_ of JSONTestSuite, refuses each n_ with its place, survives each i_", function()
    local counts, wrong = { y = 0, n = 0, i = 0 }, {}
    local list <close> = assert(io.popen("ls " .. root .. "/suites/json-parsing/*.json"))
    for path in list:lines() do
      local file <close> = assert(io.open(path, "rb"))
      local kind, text = path:match("/([yni])_[^/]*$"), file:read("a")
      local ok, fault = pcall(json.decode, text)
      counts[kind] = counts[kind] + 1
      if kind == "y" and not ok or kind == "n" and ok then wrong[#wrong + 1] = path end
      if not ok and not fault.message:match("^line %d+, column %d+: ") then wrong[#wrong + 1] = fault.message end
    end
    assert.same({}, wrong)
    assert.is_true(counts.y > 30 and counts.n > 80 and counts.i > 10)
  end)
end)

describe("json.encode", function()
  it("writes names in their order and texts as they are", function()
    assert.equal([[{"a":"é\n\"\\/","b":[1,2.5,true]}]], json.encode { b = { 1, 2.5, true }, a = 'é\n"\\/' })
  end)

  it("refuses what JSON has not", function()
    local circle = {}
    circle[1] = circle
    assert.matches("does it hold itself?", unwritten(circle), 1, true)
    assert.matches("a function has no place in JSON", unwritten { print }, 1, true)
    assert.matches("JSON has no NaN", unwritten { 0 / 0 }, 1, true)
    assert.matches("JSON has no infinity", unwritten(math.huge), 1, true)
    assert.matches("this one is both", unwritten { 1, a = 2 }, 1, true)
    assert.matches("a list without holes", unwritten { 1, nil, 3 }, 1, true)
    assert.matches("names are texts, not a number", unwritten { [3] = 1 }, 1, true)
    assert.matches("is not UTF-8", unwritten "\xff", 1, true)
  end)
end)

describe("cjson", function()
  it("is there for scripts that expect it", function()
    local cjson = require "cjson"
    assert.same({ a = { 1, 2 } }, cjson.decode '{"a":[1,2]}')
    assert.equal("[1,2]", cjson.encode { 1, 2 })
  end)
end)
