-- Bodies read as rows: the formats, encodings and types, and what a value that does not fit is told. Real files are
-- those of the test data (TEST_DATA); without them the specs that need them are pending.
-- SPDX-License-Identifier: MIT

local fake = require "tests.specs.lua.fake"
local body = require "dts.body"
local sample = require "tests.specs.lua.sample"
local kernel = require "dts.kernel"
require "dts.ctx"

local data, of, all = sample.data, sample.of, sample.all
local real = sample.there and it or pending

describe("CSV", function()
  before_each(function()
    fake.engine({}, { tables = {
      pump = { "station text", "product text", "date date", "price real not null", "unit text", "n integer",
        "ok boolean",
        "at timestamp", "extra json" },
    } })
  end)
  after_each(fake.restore)

  it("is text without a table: 00123 stays", function()
    local rows, lines = all("a,b\n00123, x y \n,\"q\"\"z\"\n")
    assert.same({ { a = "00123", b = "x y" }, { b = 'q"z' } }, rows)
    assert.same({ 2, 3 }, lines)
  end)

  it("has the types of the table that it goes into", function()
    assert.same({ { price = 1234.5, n = 12, ok = true, date = "2024-02-29", at = "2024-02-29T10:00:00.000Z",
      extra = { 1 } } },
      all("price,n,ok,date,at,extra\n1234.5,12.0,TRUE,2024-02-29,2024-02-29T07:00:00-03:00,[1]\n", { into = "pump" }))
  end)

  it("reads a decimal comma and takes out thousands marks where thousands stand", function()
    local shape = { into = "pump", delimiter = ";", decimal = ",", dates = "%d/%m/%Y" }
    assert.same({ { price = 1234567.5, date = "2024-02-29" }, { price = 0.5, n = -1000 } },
      all("price;date;n\n1.234.567,50;29/02/2024;\n,5;;-1 000\n", shape))
    local message = fake.refused(all, "price\n1.5\n", shape)
    assert.equal([[column 'price': a number with a decimal comma expected, got "1.5" (line 2 of GET https://x/f)]],
      message)
  end)

  it("refuses what is no text, and says what it is", function()
    for text, said in pairs {
      ["\na,b\0\n1,2\n"] = { "a NUL byte, which no text has (line 2 of GET https://x/f)", "is it UTF-16" },
      ["a\0\n\0001\0\n\0"] = { "(line 1 of", "is it UTF-16" },
      ["\xff\xfe\n\0a\0\0\0\n\0"] = { "a NUL byte, which no text has (line 2 of", "UTF-16" },
      ["PK\3\4\xff\0"] = { "is not utf-8 (line 1 of", "a ZIP archive or an Excel workbook" },
      ["%PDF-1\n\xff"] = { "is not utf-8 (line 2 of", "a PDF" },
    } do
      local message, _, hint = fake.refused(all, text, { format = "csv" })
      assert.matches(said[1], message, 1, true)
      assert.matches(said[2], hint, 1, true)
    end
  end)

  it("reads what a clock shows somewhere, where a time has no offset of its own", function()
    local file <close> = assert(io.open("/usr/share/zoneinfo/Europe/Berlin", "rb"))
    local zone = { bytes = file:read("a") }
    fake.engine({ zone = function() return zone end }, { tables = { t = { "at timestamp", "day date" } } })
    local shape = { into = "t", timezone = "Europe/Berlin", dates = { "%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M%z", "%F" } }
    local text = "at,day\n02.07.2026 12:00,2026-07-02\n25.10.2026 02:30,\n29.03.2026 02:30,\n2026-07-02 12:00+00,\n"
    local wanted = { { at = "2026-07-02T10:00:00.000Z", day = "2026-07-02" }, { at = "2026-10-25T00:30:00.000Z" },
      { at = "2026-03-29T01:00:00.000Z" }, { at = "2026-07-02T12:00:00.000Z" } }
    assert.same(wanted, (all(text, shape)))
    assert.same({ wanted[1] }, (all('[{"at":"02.07.2026 12:00","day":"2026-07-02"}]', shape)))
    shape.timezone = nil
    assert.equal("2026-07-02T12:00:00.000Z", all(text, shape)[1].at)
    local _, _, hint = fake.refused(all, "at\n2026-07-02 12:00\n", { into = "t" })
    assert.equal('timezone = "Europe/Berlin" would read it, as the clock there shows', hint)
  end)

  it("reads a timestamp without an offset by a zone alone, and one with its own as it is", function()
    local file <close> = assert(io.open("/usr/share/zoneinfo/Europe/Berlin", "rb"))
    local zone = { bytes = file:read("a") }
    fake.engine({ zone = function() return zone end }, { tables = { t = { "at timestamp" } } })
    local shape = { into = "t", timezone = "Europe/Berlin" }
    local wanted = { { at = "2026-04-01T08:00:00.000Z" }, { at = "2026-01-01T09:00:00.500Z" },
      { at = "2026-04-01T08:00:00.000Z" }, { at = "2026-04-01T10:00:00.000Z" } }
    assert.same(wanted, (all("at\n2026-04-01T10:00:00\n2026-01-01 10:00:00.5\n2026-04-01T10:00\n" ..
      "2026-04-01T12:00:00+02:00\n", shape)))
    assert.same({ wanted[1] }, (all('[{"at":"2026-04-01T10:00:00"}]', shape)))
    for _, text in ipairs { "2026-04-01", "2026-02-30T10:00:00", "2026-04-01T10:00:00+", "10:00" } do
      local message = fake.refused(all, "at\n" .. text .. "\n", shape)
      assert.matches("a timestamp like 2024-02-29T13:00:00 expected", message, 1, true)
    end
  end)

  it("says what would have read a value that does not fit", function()
    local function hint_of(text, shape)
      shape.into = "pump"
      return (select(3, fake.refused(all, text, shape)))
    end
    assert.equal('decimal = "," would read it', hint_of("price;n\n1,5;\n", { delimiter = ";" }))
    assert.equal('decimal = "." would read it', hint_of('n\n"1,234"\n', {}))
    assert.equal('decimal = "." would read it', hint_of("price;n\n1,234.5;\n", { delimiter = ";", decimal = "," }))
    for text, said in pairs {
      ["01.02.2024"] = 'dates = "%d.%m.%Y" would read it', ["2024-1-31"] = 'dates = "%Y-%m-%d" would read it',
      ["31/12/2024"] = 'dates = "%d/%m/%Y" would read it', ["12/31/2024"] = 'dates = "%m/%d/%Y" would read it',
      ["01/02/2024"] = 'dates = "%d/%m/%Y" would read it, %m/%d where the month stands first',
      ["20240131"] = 'dates = "%Y%m%d" would read it', ["3 Feb 2024"] = 'dates = "%d %b %Y" would read it',
    } do
      assert.equal(said, hint_of("date\n" .. text .. "\n", {}))
    end
    assert.equal('dates = "%d.%m.%Y" would read it; several may be given',
      hint_of("date\n02.01.2026\n", { dates = "%d/%m/%Y" }))
    assert.equal('dates = "%d.%m.%Y %H:%M" would read it, timezone = "Europe/Berlin" says whose clock',
      hint_of("at\n02.01.2026 10:00\n", {}))
    for _, text in ipairs { "date\nn/a\n", "at\n02.01.2026\n" } do
      assert.matches('null = { "n/a" }', hint_of(text, {}), 1, true)
    end
    assert.matches('null = { "n/a" }', hint_of("date\n31.02.2024\n", {}), 1, true)
    assert.matches('null = { "n/a" }', hint_of("price\n-\n", {}), 1, true)
    assert.matches('null = { "n/a" }', hint_of('[{"price":"-"}]', {}), 1, true)
    assert.equal("the file has a, b", hint_of("a,b\n1,2\n", { columns = { price = "c" } }))
    assert.matches("looks like a page", hint_of("<html>\n", { format = "csv", columns = { price = "c" } }), 1, true)
    assert.equal('our name stands first: { price = "Preis" }', hint_of("Preis\n1\n", { columns = { Preis = "price" } }))
  end)

  it("reads the printed minus sign where a decimal mark is given, and there alone", function()
    assert.same({ { price = -1234.5, n = -7 }, { price = -0.5, n = 0 } },
      all("price;n\n\u{2212}1.234,50;\u{2212}7\n\u{2212},5;\u{2212}0\n",
        { into = "pump", delimiter = ";", decimal = "," }))
    for _, text in ipairs { "\u{2212}", "\u{2212}\u{2212}1", "\u{2212}-1", "1\u{2212}", "\u{2013}1" } do
      local message = fake.refused(all, "price\n" .. text .. "\n", { into = "pump", decimal = "." })
      assert.matches("a number", message, 1, true)
    end
    assert.matches("a number", (fake.refused(all, "price\n\u{2212}1\n", { into = "pump" })), 1, true)
  end)

  it("reads noughts, signs and exponents, whatever stood in the row before", function()
    assert.same({ { n = 1000, price = 1000000.0 }, { n = 0, price = 0.0 }, { n = -7, price = -0.05 },
      { n = 5, price = 1e3 } },
      all("n,price\n1000,1000000\n0,00\n-007,-.05\n+5,1e3\n", { into = "pump" }))
  end)

  it("says file, line, column, value and what was expected", function()
    local message = fake.refused(all, "Valor,Data\n1,29/02/2023\n", {
      into = "pump", columns = { date = "Data" }, dates = "%d/%m/%Y",
    })
    assert.equal([[column 'date' ("Data"): a date like %d/%m/%Y expected, ]] ..
      [[got "29/02/2023" (line 2 of GET https://x/f)]],
      message)
    message = fake.refused(all, "n\n1.5\n", { into = "pump" })
    assert.equal([[column 'n': a whole number expected, got "1.5" (line 2 of GET https://x/f)]], message)
    message = fake.refused(all, "a,b\n1\n")
    assert.equal("2 fields expected, as in the header, got 1 (line 2 of GET https://x/f)", message)
  end)

  it("names the nearest column when one is missing", function()
    local message, _, hint = fake.refused(all, "Valor de Venda,Data\n1,2\n", { columns = { price = "Valor da Venda" } })
    assert.equal([[there is no column "Valor da Venda" (for 'price') in line 1 of GET https://x/f; ]] ..
      [[did you mean "Valor de Venda"?]], message)
    assert.equal("the file has Valor de Venda, Data", hint)
    message, _, hint = fake.refused(all, "a;b\n1;2\n", { columns = { x = "b" } })
    assert.equal([[there is no column "b" (for 'x') in line 1 of GET https://x/f]], message)
    assert.equal([[the line has one field only: is the delimiter right? delimiter = ";"]], hint)
  end)

  it("finds the header below titles, or what stands between its names", function()
    local function hint_of(text, shape)
      shape.columns = shape.columns or { day = "Day", n = "Qty" }
      return (select(3, fake.refused(all, text, shape)))
    end
    assert.equal("line 2 has them: skip = 1", hint_of("Stock of May\nDay\tQty\n1\t2\n", { format = "tsv" }))
    assert.equal("line 5 has them: skip = 4", hint_of("Stock\n\n\"of, May\",2026\n\n Day ,Qty,x\n1,2,3\n", {}))
    assert.equal("line 3 has them: skip = 2", hint_of("a\nb\nDay,Qty\n", { skip = 1 }))
    assert.equal([[the line has one field only: is the delimiter right? delimiter = "\t"]], hint_of("Day\tQty\n", {}))
    assert.equal([[the line has one field only: is the delimiter right? delimiter = ","]],
      hint_of("Day,Qty\n", { delimiter = ";" }))
    assert.matches("skip = 1 passes over a line", hint_of("Stock of May\nDay,Number\n", {}), 1, true)
    assert.equal("the file has Day, Number", hint_of("Day,Number\n1,2\n", {}))
    assert.equal("the file has Day, Number", hint_of('Day,Number\n"1,2\n', {}))
  end)

  it("misses the header of an empty file, but not of a reply without a body", function()
    local shape = { columns = { a = "a" }, format = "csv" }
    for _, text in ipairs { "", "\n\n", "\239\187\191" } do
      assert.equal("a line with the columns' names expected, but GET https://x/f is empty",
        (fake.refused(all, text, shape)))
    end
    shape.skip = 3
    local message, _, hint = fake.refused(all, "a\n1\n", shape)
    assert.equal("a line with the columns' names expected, but GET https://x/f ends before it", message)
    assert.equal("skip = 3 passes over all of its lines", hint)
    assert.matches("is empty", (fake.refused(all, "", shape)), 1, true)
    assert.same({}, (all("", { format = "csv" })))
    assert.same({}, (all("", { format = "csv", columns = { a = "x" }, header = { "x" } })))
    assert.same({}, (all("a\n", { format = "csv", columns = { a = "a" } })))
    assert.is_nil((body.wrap({ status = 204 }, "", { name = "GET https://x/f" }):rows { format = "csv",
      columns = { a = "a" } }()))
  end)

  it("sets rows aside, or makes what does not fit null", function()
    local e = fake.engine({}, { tables = { pump = { "price real", "unit text" } } })
    assert.same({ { price = 2.0, unit = "b" } },
      all("price,unit\nn/a,a\n2,b\n3\n", { into = "pump", bad = "reject" }))
    assert.same({ "stage", { verb = "reject", row = { price = "n/a", unit = "a" }, line = 2,
      reason = [[column 'price': a number expected, got "n/a" (line 2 of GET https://x/f)]] } }, e.sent[1])
    assert.equal(2, #e.sent)
    assert.same({ { unit = "a" }, { price = 3.0 } }, all("price,unit\nn/a,a\n3\n", { into = "pump", bad = "null" }))
    assert.same({ { unit = "a" } }, all("price,unit\nn/a,a\n", { into = "pump", null = { "n/a", "-" } }))
  end)

  it("sets aside what its table requires and the file has not", function()
    local e = fake.engine({}, { tables = { pump = { "price real not null", "unit text", "n integer not null" } } })
    local text = "price,unit\n,a\n2,\n"
    for _, bad in ipairs { "reject", "null" } do
      assert.same({ { price = 2.0 } }, all(text, { into = "pump", bad = bad }))
      assert.same({ "stage", { verb = "reject", row = { price = "", unit = "a" }, line = 2, reason =
        "column 'price': a value is required, got nothing (line 2 of GET https://x/f)" } },
        table.remove(e.sent))
      assert.same({ { price = 3.0 } }, all('[{"price":3},{"price":null}]', { into = "pump", bad = bad }))
      assert.equal("column 'price': a value is required, got nothing (record 2 of GET https://x/f)",
        table.remove(e.sent)[2].reason)
    end
    all("unit,price\nx\n", { into = "pump", bad = "reject", ragged = "pad" })
    assert.matches("column 'price'", table.remove(e.sent)[2].reason, 1, true)
    all("price\nx\n", { into = "pump", bad = "null" })
    assert.matches("column 'price'", table.remove(e.sent)[2].reason, 1, true)
    assert.same({ { unit = "a" }, { price = 2.0 } }, all(text, { into = "pump" }))
    assert.equal(0, #e.sent)
  end)

  it("says what is missing of rows that go into their table as they are read", function()
    local e = fake.engine({}, { tables = { pump = { "price real not null", "unit text" } } })
    local function put(text, also, shape)
      shape = shape or { into = "pump", columns = { price = "Preis", unit = "unit" } }
      local rows, list = of(text):rows(shape), {}
      body.put(rows, "pump", also)
      for row in rows do list[#list + 1] = row end
      return list
    end
    local message, _, hint = fake.refused(put, "Preis,unit\n1,a\n,b\n")
    assert.equal('column \'price\' ("Preis"): a value is required, got nothing (line 3 of GET https://x/f)', message)
    assert.matches('bad = "reject" sets rows without it aside', hint, 1, true)
    assert.same({ { unit = "b" } }, put("Preis,unit\n,b\n", { price = 1 }))
    message = fake.refused(put, '[{"Preis":1},{"unit":"x"}]')
    assert.matches('a value is required, got nothing (record 2 of', message, 1, true)
    put("price,unit\n,b\nx,\n", nil, { into = "pump", bad = "reject" })
    assert.matches("a value is required, got nothing (line 2", e.sent[1][2].reason, 1, true)
  end)

  it("tells with the first rows that are set aside what would read them", function()
    local e = fake.engine({}, { tables = { t = { "n integer" } } })
    assert.equal(0, #all("n\n" .. ('"1,200"\n'):rep(20) .. "Total\n", { into = "t", bad = "reject" }))
    assert.equal([[column 'n': a whole number expected, got "1,200" (line 2 of GET https://x/f); ]] ..
      'decimal = "." would read it', e.sent[1][2].reason)
    assert.equal([[column 'n': a whole number expected, got "1,200" (line 21 of GET https://x/f)]],
      e.sent[20][2].reason)
    all('[{"n":"1,200"},{"n":"x"}]', { into = "t", bad = "reject" })
    assert.equal([[column 'n': a whole number expected, got "1,200" (record 1 of GET https://x/f); ]] ..
      'decimal = "." would read it', e.sent[22][2].reason)
    assert.matches("GET https://x/f%)$", e.sent[23][2].reason)
  end)

  it("passes over the lines above its header", function()
    local rows, lines = all('Title "of the\r\nyear, 2024\r\n\r\na,b\r\n1,2\r\n', { skip = 3 })
    assert.same({ { a = "1", b = "2" } }, rows)
    assert.same({ 5 }, lines)
    assert.same({ { a = "1" } }, (all("\239\187\191t\ra\r1", { skip = 1 })))
    assert.same({}, (all("t\n", { skip = 9 })))
    assert.same({ { a = "1" } }, (all("t\n1\n", { skip = 1, header = { "a" } })))
    assert.equal("rows: `skip` does not go with JSON (GET https://x/f)", (fake.refused(all, "[]", { skip = 1 })))
    assert.equal("rows: field 'skip': a whole number, 0 or more expected, got -1",
      (fake.refused(all, "a\n", { skip = -1 })))
  end)

  it("may have no header line, no quotes, another delimiter", function()
    assert.same({ { a = "1", b = '"2' } }, all('1|"2\n', { header = { "a", "b" }, delimiter = "|", quotes = false,
      format = "csv" }))
    assert.same({ { a = "1", b = "2" } }, all("a\tb\n1\t2\n", nil, { type = "text/tab-separated-values" }))
    assert.same({ { a = "1", b = "2" } }, all("a\tb\n1\t2\n", nil, { file = "https://x/f.tsv?y=1" }))
    assert.same({ { a = "1", column_2 = "2", a_3 = "3" } }, all("a,,a\n1,2,3\n"))
  end)

  it("writes what it reads", function()
    local csv = require "dts.csv"
    local text = 'a,b;c\n"x,""y""",1\n" z\n",2.5\n'
    assert.equal(text, csv.encode({ { a = 'x,"y"', ["b;c"] = 1 }, { a = " z\n", ["b;c"] = 2.5 } }))
    assert.same({ { a = 'x,"y"', ["b;c"] = "1" } }, csv.decode('a,b;c\n"x,""y""",1\n'))
    local risky = { { a = "=1+1", b = -5 }, { a = "@x", b = "-2.5" } }
    assert.equal("a,b\n=1+1,-5\n@x,-2.5\n", csv.encode(risky))
    assert.equal("a,b\n'=1+1,-5\n'@x,-2.5\n", csv.encode(risky, { formulas = false }))
    assert.equal("csv.encode: column 'a': CSV has no NaN (0/0) (row 1)", (fake.refused(csv.encode, { { a = 0 / 0 } })))
    assert.equal("csv.encode: column 'a': CSV has no infinity (row 2)",
      (fake.refused(csv.encode, { { a = 1 }, { a = -math.huge } })))
    assert.matches("one character", (fake.refused(csv.encode, {}, { delimiter = "--" })), 1, true)
  end)

  it("tries several ways to write dates in their order, for dates and timestamps", function()
    local shape = { into = "pump", dates = { "%d/%m/%Y", "%Y%m%d", "%d/%m/%Y %H:%M" } }
    assert.same({ { date = "2024-02-01", at = "2024-02-01T13:30:00.000Z" }, { date = "2024-02-29" } },
      (all("date,at\n01/02/2024,01/02/2024 13:30\n20240229,\n", shape)))
    assert.same({ { date = "2024-02-29" } }, (all('[{"date":"20240229"}]', shape)))
    assert.matches("a date like %d/%m/%Y or %Y%m%d expected", (fake.refused(all, "date\n2024-02-29\n", shape)), 1, true)
  end)

  it("has a policy for rows that have other fields than the header", function()
    local message, _, hint = fake.refused(all, "a,b\n1,2\n1,2,3\n")
    assert.equal("2 fields expected, as in the header, got 3 (line 3 of GET https://x/f)", message)
    assert.matches('ragged = "pad"', hint, 1, true)
    assert.same({ { a = "1" }, { a = "1", b = "2" } }, all("a,b\n1\n1,2\n", { ragged = "pad" }))
    assert.matches("got 3 (line 2", (fake.refused(all, "a,b\n1,2,3\n", { ragged = "pad" })), 1, true)
    assert.same({ { a = "1" }, { a = "1", b = "2" } }, all("a,b\n1\n1,2,3\n", { ragged = "cut" }))
    assert.matches("got 1 (line 2", (fake.refused(all, "a,b\n1\n", { ragged = "fail" })), 1, true)
    assert.equal('rows: field \'ragged\': "fail", "pad" or "cut" expected, got "fill"',
      (fake.refused(all, "a\n", { ragged = "fill" })))
  end)

  it("takes another quotation mark, and numbers columns that have no names at all", function()
    assert.same({ { a = "x,y", b = '"' } }, all("a,b\n'x,y',\"\n", { quote = "'", format = "csv" }))
    assert.same({ { column_1 = "1", column_2 = "2" }, { column_1 = "3", column_2 = "4" } },
      all("1,2\n3,4\n", { header = {}, format = "csv" }))
    assert.same({ { price = 3.5 } }, all("x;3,5\n", { header = {}, delimiter = ";", decimal = ",", format = "csv",
      into = "pump", columns = { price = "column_2" } }))
    assert.matches("one character expected", (fake.refused(all, "a\n", { quote = "a" })), 1, true)
    assert.matches("the same character", (fake.refused(all, "a\n", { quote = ",", format = "csv" })), 1, true)
  end)

  it("reads every line end, marks before the header, and lines that are long, blank or unfinished", function()
    local rows = { { a = "1", b = "2" }, { a = "3", b = "4" } }
    for _, text in ipairs { "a,b\n1,2\n3,4\n", "a,b\r\n1,2\r\n3,4", "a,b\r1,2\r3,4\r", "a,b\r\n1,2\n3,4\r",
      '\xef\xbb\xbf"a","b"\n\n1,2\n\n\n"3","4"\n', " a ,b\t\n 1,2 \n3,4" } do
      assert.same(rows, (all(text)))
    end
    local long = ("x"):rep(2^20)
    assert.same({ { a = long } }, (all("a\n" .. long .. "\n")))
    assert.matches('line 2, field 1 "xxx', (fake.refused(all, "a\n" .. long .. "x\n")), 1, true)
    assert.same({ 2, 5 }, (select(2, all('a,b\n"1\n\n",2\n3,4\n'))))
    local typed = { into = "pump", columns = { n = "n" } }
    assert.matches("line 3 of", (fake.refused(all, 'a,n\n1,2\n"x\ny",z\n', typed)), 1, true)
    assert.same({ { a = "x\0y" } }, (all("a\nx\0y\n")))
    assert.equal([[column 'unit': text without NUL expected, got "x\x00" (line 3 of GET https://x/f)]],
      (fake.refused(all, "unit\na\nx\0\n", { into = "pump" })))
    assert.same({ { unit = "a" }, {} }, (all("unit\na\nx\0\n", { into = "pump", bad = "null" })))
    assert.same({ { unit = "a" } }, (all('[{"unit":"x\\u0000"},{"unit":"a"}]', { into = "pump", bad = "reject" })))
  end)

  it("reads UTF-16 of either kind, with a mark or as told, and says where it is broken", function()
    local function wide(text, big) return (text:gsub(".", big and "\0%0" or "%0\0")) end
    for _, big in ipairs { false, true } do
      assert.same({ { a = "1" } }, (all((big and "\xfe\xff" or "\xff\xfe") .. wide("a\r\n1\r\n", big))))
      local shape = { format = "csv", encoding = big and "utf-16be" or "utf-16le" }
      assert.same({ { a = "1" } }, (all(wide("a\n1", big), shape)))
    end
    assert.matches("ends inside a utf-16le character", (fake.refused(all, "\xff\xfea\0\n\0x")), 1, true)
    assert.matches("byte 0xE9 at offset 3 is not utf-8 (line 2 of GET https://x/f)",
      (fake.refused(all, "a\nx\xe9y\n")), 1, true)
    assert.matches("(line 3 of", (fake.refused(all, "\xff\xfea\0\n\0\n\0\0\xdcy\0")), 1, true)
  end)

  it("refuses what is misspelt, unknown or of another type", function()
    assert.equal("rows: unknown field 'delimeter'; did you mean 'delimiter'?", (fake.refused(all, "a\n",
      { delimeter = "x" })))
    assert.equal("rows: field 'into': there is no table 'pumps'; did you mean 'pump'?",
      (fake.refused(all, "a\n", { into = "pumps" })))
    assert.equal("rows: field 'columns': the table has no column 'prices'; did you mean 'price'?",
      (fake.refused(all, "a\n", { into = "pump", columns = { prices = "x" } })))
    assert.equal([[rows: field 'bad': "fail", "reject" or "null" expected, got "skip"]],
      (fake.refused(all, "a\n", { bad = "skip" })))
    assert.equal("rows: field 'delimiter': one character expected, got \";;\"",
      (fake.refused(all, "a\n", { delimiter = ";;" })))
  end)

  it("tries encodings in their order, and a byte order mark decides", function()
    assert.same({ { ["São"] = "é" } }, all("S\xe3o\n\xe9\n", { encoding = { "utf-8", "latin1" } }))
    assert.same({ { ["São"] = "é" } }, all("São\né\n", { encoding = { "utf-8", "latin1" } }))
    assert.same({ { a = "€" } }, all("a\n\x80\n", { encoding = "windows-1252" }))
    assert.same({ { a = "é" } }, all("\xff\xfea\0\n\0\xe9\0\n\0"))
    assert.same({ { a = "é" } }, all("\xef\xbb\xbfa\r\né\r\n"))
    assert.same({ { a = "é" } }, all("a\n\xe9\n", nil, { type = "text/csv; charset=iso-8859-1" }))
    local message = fake.refused(all, "a\n\xe9x\n")
    assert.matches("GET https://x/f", message, 1, true)
  end)

  it("can be read twice, and twice at once", function()
    local b = of("a\n1\n2\n")
    local one, two = b:rows(), b:rows()
    assert.same({ "1", "1", "2", "2" }, { one().a, two().a, one().a, two().a })
    assert.is_nil((one()))
    assert.is_nil((one()))
    assert.equal("a\n1\n2\n", b:text())
  end)

  real("reads each price of the survey (BOM, CRLF, decimal commas) and the older file in Latin-1", function()
    local shape = {
      into = "pump", encoding = { "utf-8", "latin1" }, delimiter = ";", decimal = ",", dates = "%d/%m/%Y",
      columns = { station = "CNPJ da Revenda", product = "Produto", date = "Data da Coleta", price = "Valor de Venda",
        unit = "Unidade de Medida" },
    }
    local count, sum = 0, 0
    for row in of(data "fuel/anp-ultimas-4-semanas-glp.csv"):rows(shape) do
      count, sum = count + 1, sum + row.price
      assert(row.product and row.date:find("^20%d%d%-%d%d%-%d%d$"))
    end
    assert.equal(18652, count)
    assert(sum > 18652 * 50)
    local list = all(data "fuel/derived-latin1-anp-glp.csv", shape)
    assert.equal(2000, #list)
  end)
end)

-- gzip of "a,b\n1,2\n", which another program made.
local GZIP = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff" ..
  "\x4b\xd4\x49\xe2\x32\xd4\x31\xe2\x02\x00\x7b\x07\x97\x0a\x08\x00\x00\x00"

describe("a body", function()
  after_each(fake.restore)

  it("that is gzip is read as what is in it, again and again, and sent on as it came", function()
    assert.same({ { a = "1", b = "2" } }, all(GZIP))
    assert.same({ { a = "1", b = "2" }, { a = "a", b = "b" }, { a = "1", b = "2" } }, all(GZIP .. GZIP))
    local it = of(GZIP, { file = "https://x/f.csv.gz" })
    for _ = 1, 2 do
      assert.equal("a,b\n1,2\n", it:text())
      assert.equal("a,b", it:lines()())
      assert.equal("1", it:rows {}().a)
    end
    assert.equal(#GZIP, body.raw(it):size())
    assert.equal("the gzip data ends too early (20 bytes) (GET https://x/f)", (fake.refused(all, GZIP:sub(1, 20))))
    assert.matches("damaged near byte", (fake.refused(all, GZIP:sub(1, 10) .. "\xff\xff" .. GZIP:sub(13))), 1, true)
    local long = ("0123456789abcdef"):rep(40000)
    local first, second = of(long):lines(), of(GZIP):lines()
    assert.equal(long, first())
    assert.equal("a,b", second())
  end)

  it("gives lines, text and JSON", function()
    local list = {}
    for line, n in of("a\r\n\nb"):lines() do list[n] = line end
    assert.same({ "a", "", "b" }, list)
    assert.equal("é", of("\xe9", { type = "text/plain; charset=latin1" }):text())
    assert.same({ a = { 1 } }, of('{"a":[1],"b":null}'):json())
    assert.same({ b = kernel.null }, of('{"b":null}'):json { nulls = true })
    assert.matches("^line 1, column 2: .* %(GET https://x/f%)$", (fake.refused(function() of("{x"):json() end)))
  end)
end)
