-- JSON read as rows: where its records are, what their paths lead to, and what is told of one that leads nowhere.
-- SPDX-License-Identifier: MIT

local fake = require "tests.specs.lua.fake"
local body = require "dts.body"
local sample = require "tests.specs.lua.sample"
local kernel = require "dts.kernel"
require "dts.ctx"

local data, of, all = sample.data, sample.of, sample.all
local real = sample.there and it or pending

describe("JSON", function()
  after_each(fake.restore)

  it("has its records in the outermost list, or under a path", function()
    assert.same({ { a = 1 }, { a = 2.5 } }, all('[{"a":1},{"a":2.5}]'))
    assert.same({ { n = 1 }, { n = 2 } }, all('[{"pages":3},[{"n":1},{"n":2}],[{"n":3}]]', { at = "2" }))
    assert.same({ { n = 2 } }, all('{"a":[{"b":[{"n":1}]},{"b":[{"n":2}]}]}', { at = "a.2.b" }))
    assert.same({ { id = 9007199254740993 } }, all('{"x":{"y":[1,{"z":2}]},"data":{"items":[{"id":9007199254740993}]}}',
      { at = "data.items" }))
    assert.same({ { n = 1 }, { n = 2 }, { n = 3 } }, all('{"o":[{"i":[{"n":1},{"n":2}]},{"i":[{"n":3}]}]}',
      { at = "o.i" }))
    assert.same({ { a = { 1, kernel.null } } }, all('{"a":[1,null],"b":null}'))
    assert.same({ { value = 1 }, { value = "x" } }, all('[1,"x"]'))
  end)

  it("says when nothing is there, and where it is broken", function()
    assert.equal("there is nothing at 'data.items' in GET https://x/f",
      (fake.refused(all, '{"data":{}}', { at = "data.items" })))
    assert.equal("there is nothing at 'itms' in GET https://x/f; it has count, items",
      (fake.refused(all, '{"count":1,"items":[]}', { at = "itms" })))
    assert.equal("there is nothing at 'data.itms' in GET https://x/f; 'data' has count, items",
      (fake.refused(all, '{"data":{"count":1,"items":[]}}', { at = "data.itms" })))
    assert.same({}, (all('{"items":null}', { at = "items" })))
    assert.matches("^line 1, column 9: .* %(GET https://x/f%)$", (fake.refused(all, '[{"a":1,}]')))
  end)

  it("may be one document a line", function()
    local rows, lines = all('{"a":1}\n\n{"a":2}\n')
    assert.same({ { a = 1 }, { a = 2 } }, rows)
    assert.same({ 1, 3 }, lines)
    assert.matches("%(line 2 of GET https://x/f%)$", (fake.refused(all, '{"a":1}\n{"a"}\n')))
    assert.same({ { a = 1 } }, all('{"a":1}', nil, { type = "application/x-ndjson" }))
    assert.same({ { a = 1 }, {}, { value = 3 }, { 4 } }, (all('{"a":1}\nnull\n3\n[4]\n', { format = "ndjson" })))
    assert.same({ { n = 1 }, {}, {} }, (all('{"a":1}\nnull\n3\n', { format = "ndjson", columns = { n = "a" } })))
    assert.equal("line 2 of GET https://x/f is longer than 16 MB",
      (fake.refused(all, '{"a":1}\n{"a":"' .. ("x"):rep(17 * 2 ^ 20) .. '"}\n')))
  end)

  it("gives texts the types of a table, and picks nested fields", function()
    fake.engine({}, { tables = { t = { "day date", "who text", "n integer" } } })
    assert.same({ { day = "2024-02-29", who = "me", n = 3 } }, all('[{"d":"29.02.2024","o":{"login":"me"},"n":"3"}]',
      { into = "t", columns = { day = "d", who = "o.login", n = "n" }, dates = "%d.%m.%Y" }))
    assert.equal([[column 'n': a whole number expected, got "x" (record 1 of GET https://x/f)]],
      (fake.refused(all, '[{"n":"x"}]', { into = "t" })))
  end)

  it("takes items of a list by their number", function()
    assert.same({ { t = 1, high = "3", deep = "x" }, { t = 2, high = "4" } },
      all('[[1,"3",{"a":"x"}],[2,"4",{}]]', { columns = { t = "1", high = "2", deep = "3.a" } }))
    assert.same({ { b = false } }, all('[{"o":{"b":false}}]', { columns = { b = "o.b" } }))
  end)

  it("says when nothing of what the table requires is there, and when a name is misspelt", function()
    local e = fake.engine({}, { tables = { t = { "day date not null", "n integer", "x text" } } })
    local message, _, hint = fake.refused(all, '[{"d":"2024-02-29","v":1}]', { into = "t", columns = { day = "D" } })
    assert.equal("the record has none of the columns asked for (D) but d, v (record 1 of GET https://x/f)", message)
    assert.equal('a field inside of another is "owner.login", an item of a list its number: "1"', hint)
    local shape = { into = "t", columns = { day = "d", n = "valu", x = "other" } }
    assert.equal(2, #all('[{"d":"2024-02-29","value":1},{"d":"2024-03-01","value":2}]', shape))
    assert.same({ { "log", { level = "warn",
      message = "column 'n': no record has \"valu\"; did you mean 'value'? (GET https://x/f)" } } }, e.sent)
    all('[{"d":"2024-02-29","value":1},{"d":"2024-03-01","valu":2}]', shape)
    all('[{"d":"2024-02-29","n":null}]', { into = "t", columns = { day = "d", n = "n" } })
    assert.equal(1, #e.sent)
  end)

  it("says when a path into an object or a list is misspelt", function()
    local text = [[ [{"id":1,"tags":[{"n":"x"}],"customer":null},
      {"id":2,"customer":{"name":"Ann","address":{"city":"Bonn"},"mail":"a"},"total":{"amount":5},"tags":["a"]},
      {"id":3,"customer":{"name":"Bob","address":{"city":"Ulm"},"mail":"b"},"total":{"amount":6},"tags":[]}] ]]
    local e = fake.engine({}, { tables = { o = { "id integer", "amount real not null", "x text" } } })
    for path, said in pairs {
      ["custmer.name"] = "; did you mean 'customer.name'?",
      ["customer.adress.city"] = "; did you mean 'customer.address.city'?",
      ["customer.nam"] = "; did you mean 'customer.name'?", ["customer..mial"] = "; did you mean 'customer.mail'?",
      ["id.name"] = "; 'id' has no fields, it is 1",
      ["tags.0"] = "; 'tags' is a list, whose items are numbers from 1",
      ["tags.n"] = "; 'tags' is a list, whose items are numbers from 1",
    } do
      e.sent = {}
      assert.equal(3, #all(text, { columns = { id = "id", x = path } }))
      assert.same({ { "log", { level = "warn",
        message = ("column 'x': no record has \"%s\"%s (GET https://x/f)"):format(path, said) } } }, e.sent)
    end
    for _, path in ipairs { "customer.name", "customer.telephone", "tags.7", "tags.1.n", "other",
      "customer.mail.x.y" } do
      e.sent = {}
      all(text, { columns = { id = "id", x = path, m = "customer.mail" } })
      assert.equal(path == "customer.mail.x.y" and 1 or 0, #e.sent, path)
    end
    for path, said in pairs {
      ["total.amnt"] = { "", "'total' has amount" },
      ["total.amuont"] = { "; did you mean 'total.amount'?", "'total' has amount" },
      ["totl.amount"] = { "; did you mean 'total.amount'?", "the record has id, none, total" },
      ["none"] = { "", 'bad = "reject" sets rows without it aside' },
    } do
      local rows = of([[ [{"id":1,"total":{"amount":5},"none":""}] ]]):rows {
        into = "o", columns = { id = "id", amount = path },
      }
      body.put(rows, "o")
      local message, _, hint = fake.refused(rows)
      assert.equal(([[column 'amount' ("%s"): a value is required, got nothing%s (record 1 of GET https://x/f)]])
        :format(path, said[1]), message)
      assert.equal(said[2], hint)
    end
  end)

  real("reads 3,201 films, and nations", function()
    assert.equal(3201, #all(data "multi/movies.json"))
    assert.equal(682, #all(data "multi/gapminder.json", nil, { file = "gapminder.json" }))
  end)
end)
