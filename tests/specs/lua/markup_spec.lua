-- HTML and XML: selectors, records, tables with spans, and documents that are refused.
-- SPDX-License-Identifier: MIT

local fake = require "tests.specs.lua.fake"
local sample = require "tests.specs.lua.sample"
local dts = require "dts"

local data, of, all = sample.data, sample.of, sample.all
local real = sample.there and it or pending

local RATES = [[<?xml version="1.0" encoding="UTF-8"?>
<g:Envelope xmlns:g="http://g" xmlns="http://e"><Cube><Cube time="2024-02-29">
<Cube currency="USD" rate="1.08"/><Cube currency="BRL" rate="5.4"/></Cube></Cube></g:Envelope>]]

describe("XML", function()
  after_each(fake.restore)

  it("gives attributes and children as fields, namespaces aside", function()
    assert.same({ { currency = "USD", rate = "1.08" }, { currency = "BRL", rate = "5.4" } },
      all(RATES, { at = "//*[@currency]" }))
    assert.same({ { time = "2024-02-29" } }, all(RATES, { at = "Cube[time]" }))
    assert.same({ { id = "1", n = "a", tag = { "x", "y" } } },
      all('<r><i id="1"><n> a </n><tag>x</tag><tag>y</tag><e/></i></r>', { at = "//i" }))
    assert.same({ { text = "a" }, { text = "b" } }, all("<r><i>a</i><i>b</i></r>", { at = "r > i" }))
  end)

  it("has the types of a table", function()
    fake.engine({}, { tables = { rates = { "currency text", "rate real" } } })
    assert.same({ { currency = "USD", rate = 1.08 }, { currency = "BRL", rate = 5.4 } },
      all(RATES, { at = "//*[@currency]", into = "rates" }))
    fake.restore()
  end)

  it("is read in its own encoding", function()
    assert.same({ { text = "é" } }, all('<?xml version="1.0" encoding="ISO-8859-1"?><r><i>\xe9</i></r>',
      { at = "//i" }))
  end)

  it("says what is missing or broken", function()
    assert.equal("there is nothing at '//item' in GET https://x/f; its root is <r>, which has <a>, <b>",
      (fake.refused(all, "<r><a/><a/><b/></r>", { at = "//item" })))
    assert.equal("`at` says where the records of an XML document are, for example rows { at = \"//item\" } " ..
      "(GET https://x/f)",
      (fake.refused(all, "<r/>")))
    assert.matches("^not XML: line 1: Premature end of data in tag r line 1 %(GET https://x/f%)$",
      (fake.refused(all, "<r><a></r>", { at = "//a" })))
    assert.matches("^'//%[' is not an XPath", (fake.refused(all, "<r/>", { at = "//[" })))
    assert.equal("selector 'a:hover' is not understood at ':hover'", (fake.refused(all, "<r/>", { at = "a:hover" })))
  end)

  it("declares no entities of its own: neither bombs nor files", function()
    local bomb = '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><r>&b;</r>'
    assert.matches("^a document that declares entities is not read", (fake.refused(all, bomb, { at = "//r" })))
    local file = '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/hostname">]><r>&a;</r>'
    assert.matches("^a document that declares entities is not read", (fake.refused(all, file, { at = "//r" })))
  end)

  it("takes columns from above and below the record by XPath", function()
    local shape = { at = "Cube[currency]", columns = { date = "../@time", currency = "currency", rate = "@rate" } }
    assert.same({ { date = "2024-02-29", currency = "USD", rate = "1.08" },
      { date = "2024-02-29", currency = "BRL", rate = "5.4" } }, all(RATES, shape))
    local _, _, hint = fake.refused(all, RATES, { at = "//Cube[@rate]", columns = { date = "//@time" } })
    assert.equal("write './/@time' to look below the record (GET https://x/f)", hint)
    assert.matches("^the record has none of the columns asked for %(price%) but currency, rate %(line 3 of GET",
      (fake.refused(all, RATES, { at = "//Cube[@rate]", columns = { price = "price" } })))
  end)

  it("knows no prefixes: neither in the document nor in selectors", function()
    local feed = '<f xmlns:g="u"><g:i g:k="1"><dc:date>2024-03-01</dc:date></g:i></f>'
    for _, at in ipairs { "//g:i", "//i", "g|i", "i", "//*[local-name()='i']", "//x:i[@g:k='1']", "g:i:first-child",
      "f > g:i" } do
      assert.same({ { k = "1", date = "2024-03-01" } }, all(feed, { at = at }), at)
    end
    assert.same({ { d = "2024-03-01" } }, all(feed, { at = "i", columns = { d = "dc:date" } }))
  end)

  it("is read in the encoding that it names, that its bytes show, or that the header says", function()
    local want = { { text = "é" } }
    local function utf16(text, wide) return (text:gsub("[%z\1-\255]", wide)) end
    local xml = "<?xml version='1.0' encoding='UTF-16'?><r><i>\233</i></r>"
    for i, text in ipairs {
      utf16(xml, "%0\0"), utf16(xml, "\0%0"), "\255\254" .. utf16(xml, "%0\0"), "\254\255" .. utf16(xml, "\0%0"),
      (xml:gsub("\233", "é")), "\239\187\191<?xml version='1.0' encoding='latin1'?><r><i>é</i></r>",
      "<?xml version='1.0' encoding='windows-1252' ?><r><i>\233</i></r>",
    } do
      assert.same(want, all(text, { at = "//i", format = "xml" }), i)
    end
    assert.same(want, all("<r><i>\233</i></r>", { at = "//i" }, "text/xml; charset=ISO-8859-1"))
    assert.same(want, all("<?xml version='1.0' encoding='latin1'?><r><i>é</i></r>", { at = "//i" },
      "text/xml; charset=utf-8"))
    assert.matches("^GET https://x/f says that it is in Shift_JIS, which is not known",
      (fake.refused(all, "<?xml version='1.0' encoding='Shift_JIS'?><r/>", { at = "//i" })))
  end)

  it("keeps CDATA, drops what a foreign DTD would have named, and says where it broke", function()
    assert.same({ { text = "1 < 2" } }, all("<r><i><![CDATA[ 1 < 2 ]]></i></r>", { at = "//i" }))
    assert.same({ { text = "a\u{a0}b" } }, all('<!DOCTYPE html PUBLIC "x" "http://x/y.dtd"><r><i>a&nbsp;b</i></r>', {
      at = "//i", format = "xml",
    }))
    assert.equal("not XML: line 2: Entity 'nbsp' not defined (GET https://x/f)",
      (fake.refused(all, "<r>\n<i>&nbsp;</i></r>", { at = "//i" })))
    assert.equal("not XML that is read: line 1: more than 256 elements deep (GET https://x/f)",
      (fake.refused(all, ("<a>"):rep(300), { at = "//a" })))
    assert.equal("there is nothing to read: the body is empty (GET https://x/f)",
      (fake.refused(all, " \n", { at = "//i", format = "xml" })))
    local parameter = '<!DOCTYPE r [<!ENTITY % x SYSTEM "http://127.0.0.1/x"> %x;]><r/>'
    assert.matches("^a document that declares entities is not read", (fake.refused(all, parameter, { at = "//r" })))
    local _, _, hint = fake.refused(all, "<!DOCTYPE html><html><br></html>", { at = "//i", format = "xml" })
    assert.matches("^it is a page of HTML", hint)
  end)

  real("reads the 1,984 rates of 64 days of the European Central Bank", function()
    assert.equal(1984, #all(data "currency/eurofxref-hist-90d.xml", { at = "//*[@currency]" }))
    assert.equal(64, #all(data "currency/eurofxref-hist-90d.xml", { at = "//*[@time]" }))
  end)
end)

local SPANS = [[<html><body><table id="t">
<tr><th rowspan=2>Place</th><th colspan=2>Price</th></tr><tr><th>low</th><th>high</th></tr>
<tr><td rowspan="2">A&amp;B</td><td>1</td><td>2</td></tr><tr><td colspan=2> 3
 4 </td></tr></table><p class="x y">text <b>bold</b></p></body></html>]]

describe("HTML", function()
  it("gives a table's rows, spans filled in", function()
    assert.same({ { Place = "A&B", ["Price low"] = "1", ["Price high"] = "2" },
      { Place = "A&B", ["Price low"] = "3 4", ["Price high"] = "3 4" } }, all(SPANS))
    assert.same({ { a = "1" } }, all("<table><tr><td>a</td></tr><tr><td>1</td></tr></table>", { at = "table" }))
    assert.equal("there is no table in GET https://x/f; its root is <html>, which has <body> (`at` is for records " ..
      "that stand in other elements, for example at = \"li.item\")", (fake.refused(all, "<p>x", nil, "text/html")))
    local down = "<title>Oops</title><h1>We are down</h1><p>Back at noon"
    for _, shape in ipairs { { at = "data.items" }, {}, { columns = { a = "A" } } } do
      assert.equal('the page says "We are down Back at noon"', (select(3, fake.refused(all, down, shape, "text/html"))))
    end
  end)

  it("is selected from by CSS and XPath", function()
    local page = dts.html.decode(SPANS)
    assert.equal("text bold", page:first("p.x"):text())
    assert.equal("x y", page:first("//p"):attr("class"))
    local counts = {}
    for i, selector in ipairs { "td", "tr > td", "table#t td[colspan='2']", "tr:first-child th", "tr:nth-child(3) > td",
      "td:not([rowspan])", "th + th", "th ~ th", "p, b", "P.y B", "[class~=x]", "[class^=x]", "[class$=y]",
        "[class*=' ']",
      "tr:last-child td", "body > *" } do
      counts[i] = #page:select(selector)
    end
    assert.same({ 4, 4, 1, 2, 3, 3, 2, 2, 2, 1, 1, 1, 1, 1, 1, 2 }, counts)
    local names = {}
    for i, node in ipairs(page:first("body"):children()) do names[i] = node:name() end
    assert.same({ "table", "p" }, names)
    assert.equal("&lt;a&gt;&amp;&quot;", dts.html.encode('<a>&"'))
  end)

  it("has text as a browser shows it", function()
    local page = dts.html.decode('<body><p>a<br>b&nbsp; c<script>x</script><i style="top:1; DISPLAY : None">h</i>' ..
      "<span hidden>h</span> d&shy;e</p><p>f</p><pre> g\n  h </pre><script> var i  = 1 </script></body>")
    assert.equal("a b c de f g h", page:text())
    assert.equal("g\n  h", page:first("pre"):text())
    assert.equal("var i  = 1", page:first("body > script"):text())
    assert.equal("h", page:first("span"):text())
    local words = {}
    for p in page:each("p") do words[#words + 1] = p:text() end
    assert.same({ "a b c de", "f" }, words)
    assert.equal(2, page:first("pre"):line() + 1)
  end)

  it("finds the names of a table where they are, and only there", function()
    local cases = {
      { "<tr><td>a<td>b<tr><td>1<td>2", { { a = "1", b = "2" } } },
      { "<thead><tr><td>a<td>b</thead><tbody><tr><th>1<th>2</tbody>", { { a = "1", b = "2" } } },
      { "<tr><td><th>a<tr><th>x<td>1", { { column_1 = "x", a = "1" } } },
      { "<caption>c</caption><tr><th colspan=2>Title<tr><th>a<th>b<tr><td>1<td>2", { { a = "1", b = "2" } } },
      { "<tr><td colspan=2>Title<tr><tr><td>a<td>b<tr><td>1<td>&nbsp;<tr><td> <td>", { { a = "1" } } },
      { "<tr><th>Name<td>x<tr><th>Age<td>5",
        { { column_1 = "Name", column_2 = "x" }, { column_1 = "Age", column_2 = "5" } } },
      { "<tr><th>a<th>a<tr><td>1<td>2", { { a = "1", a_2 = "2" } } },
      { "<tfoot><tr><td>9</tfoot><thead><tr><th>a</thead><tbody><tr><td>1</tbody>", { { a = "1" }, { a = "9" } } },
      { "<tr><th>a<th>b</tr>", {} },
    }
    for i, case in ipairs(cases) do assert.same(case[2], all("<table>" .. case[1] .. "</table>"), i) end
    assert.same({ { x = "1", y = "2" }, { x = "3", y = "4" } },
      all("<table><tr><td>1<td>2<tr><td>3<td>4</table>", { header = { "x", "y" } }))
    assert.equal("`header` has 3 names, the table at line 1 of GET https://x/f has 2 columns",
      (fake.refused(all, "<table><tr><td>1<td>2</table>", { header = { "x", "y", "z" } })))
  end)

  it("fills spans within their section, and bounds what is absurd", function()
    assert.same({ { a = "1", b = "x" }, { a = "1", b = "y" }, { a = "z" } }, all(
      "<table><tr><th>a<th>b<tbody><tr><td rowspan=0>1<td>x<tr><td>y</tbody><tbody><tr><td>z</tbody></table>"))
    assert.same({ { a = "1", b = "2" }, { a = "1", b = "3" } },
      all "<table><tr><th>a<th>b<tbody><tr><td rowspan=99999999999>1<td colspan=0>2<tr><td rowspan=-5>3</table>")
    assert.equal("a table may have 1000 columns and 2000000 cells", (fake.refused(all,
      "<table>" .. ("<tr><td rowspan=65534>1"):rep(3000) .. "</table>")))
    assert.same({ { o = "in", p = "4" } },
      all "<table><tr><th>o<th>p<tr><td><table><tr><td>in</table><td>4</table>")
  end)

  it("is read in the encoding of its header, of its <meta>, or as a browser guesses", function()
    local function cell(text, type)
      return all("<meta name=x><table><tr><th>a<tr><td>" .. text .. "</table>", nil, type)
    end
    assert.same({ { a = "é" } }, cell("é", "text/html"))
    assert.same({ { a = "é€" } }, cell("\233\128", "text/html"))
    assert.same({ { a = "é" } }, cell("\233", "text/html; charset=iso-8859-1"))
    local meta = "<!-- <meta charset=utf-8> --><meta name=x><meta http-equiv=Content-Type content='text/html; " ..
      "charset=ISO-8859-1'><table><tr><th>a<tr><td>\233\150</table>"
    assert.same({ { a = "é–" } }, all(meta, nil, "text/html"))
    assert.same({ { a = "é" } }, all("\239\187\191<meta charset=latin1><table><tr><th>a<tr><td>é</table>"))
  end)

  it("has typed rows under our names, and says which name the table lacks", function()
    fake.engine({}, { tables = { prices = { "day date", "price real", "note text" } } })
    local page = "<table><tr><th>Dia<th>Preço&nbsp;(R$)<th>Obs<tr><td>02/03/2026<td>1.105,50<td>-\n" ..
      "<tr><td>x<td>2<td></table>"
    local shape = {
      into = "prices", columns = { day = "Dia", price = "Preço (R$)", note = "Obs" }, decimal = ",", dates = "%d/%m/%Y",
      null = { "-" },
    }
    local rows = of(page, "text/html"):rows(shape)
    assert.same({ day = "2026-03-02", price = 1105.5 }, rows())
    assert.equal('column \'day\' ("Dia"): a date like %d/%m/%Y expected, got "x" (line 2 of GET https://x/f)',
      (fake.refused(rows)))
    shape.columns.price = "Preco (R$)"
    local message, _, hint = fake.refused(all, page, shape, "text/html")
    assert.equal("column 'price': the table has no column \"Preco (R$)\"; did you mean 'Preço (R$)'? " ..
      "(line 1 of GET https://x/f)", message)
    assert.equal("the table has Dia, Preço (R$), Obs", hint)
    fake.restore()
  end)

  it("is the table with the columns asked for, not the menu before it", function()
    local page = "<table><tr><td>Home<td>News</table><table><tr><th>Day<th>Price<tr><td>1<td>2</table>"
    assert.same({ { p = "2" } }, all(page, { columns = { p = "Price" } }))
    assert.matches('the table has no column "Prise"', (fake.refused(all, page .. page, { columns = { p = "Prise" } })))
  end)

  it("gives records of other elements, with columns by CSS", function()
    local list = "<ul><li class=i><a href=/1>One</a> <b class=p>1,5</b><li class=i><a href=/2>Two</a></ul>"
    assert.same({ { name = "One", link = "/1", price = "1,5" }, { name = "Two", link = "/2" } },
      all(list, { at = "li.i", columns = { name = "a", link = "a/@href", price = ".p" } }, "text/html"))
    assert.same({ { class = "i", a = "One", b = "1,5", text = "One 1,5" } },
      all(list, { at = "li:nth-child(-n+1)" }, "text/html"))
    assert.same({ { class = "i", a = "Two", text = "Two" } }, all(list, { at = "li:contains('Two')" }, "text/html"))
  end)

  it("survives what a parser would choke on", function()
    assert.matches("there is no table", (fake.refused(all, ("<div>"):rep(100000), nil, "text/html")))
    assert.same({ { a = "1" } }, all("<table><tr><th>a</th></b></i><tr><td>1</td></p></table></div>"))
    assert.equal(30000, #all("<table><tr><th>a<th>b" .. ("<tr><td rowspan=2>1<td>2<tr><td>3"):rep(15000) .. "</table>"))
  end)

  -- What is not one of our encodings is refused and never guessed; so are a few pages with broken quotes in <meta>.
  real("finds the encodings that html5lib's tests want", function()
    local read, refused, wrong = 0, 0, {}
    for page, want in (data "suites/html5lib/encoding/tests1.dat"):gmatch("#data\n(.-)\n#encoding\n([^\n]+)") do
      local ok, got = pcall(function() return of(page .. "\n<q>\233</q>", "text/html"):html():first("q"):text() end)
      if not ok then
        refused = refused + 1
        assert.equal("ENCODING", got.code)
      elseif want:lower() == "windows-1252" and got == "é" then
        read = read + 1
      else
        wrong[#wrong + 1] = #page
      end
    end
    assert.same({ {}, 12, 47 }, { wrong, read, refused })
  end)

  -- Counted from the same pages by a second, independent reader.
  real("reads the tables of real pages, cell for cell", function()
    local counts = {
      ["keep-tabular-data"] = { { 24, 31 } }, ["dropbox-blog"] = { { 8, 30 } },
      ["links-in-tables"] = { { 0, 0 }, { 1, 1 }, { 7, 28 }, { 0, 0 }, { 1, 1 } },
      ["google-sre-book-1"] = { { 4, 8 } },
    }
    for name, tables in pairs(counts) do
      local page = of(data("html/readability-" .. name .. ".html"), "text/html"):html()
      for i, node in ipairs(page:select("table")) do
        local rows, cells = 0, 0
        for row in node:records("self::table", {}) do
          rows = rows + 1
          for _ in pairs(row) do cells = cells + 1 end
        end
        assert.same(tables[i], { rows, cells }, name .. " " .. i)
      end
      assert.equal(#tables, #page:select("table"))
    end
  end)
end)
