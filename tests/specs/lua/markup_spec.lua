-- HTML and XML: selectors, records, tables with spans, and documents that are refused.
-- SPDX-License-Identifier: MIT

local fake = require "tests.specs.lua.fake"
local body = require "dts.body"
local dts = require "dts"

local root = os.getenv("TEST_DATA")
local real = root and it or pending

local function data(name)
  local file <close> = assert(io.open(root .. "/" .. name, "rb"))
  return file:read("a")
end

local function of(text, type)
  return body.wrap({}, text, { name = "GET https://x/f", type = type })
end

local function all(text, shape, type)
  local list = {}
  for row in of(text, type):rows(shape) do list[#list + 1] = row end
  return list
end

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
    assert.equal("there is nothing at '//item' in GET https://x/f", (fake.refused(all, "<r/>", { at = "//item" })))
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
    assert.equal("there is no table in GET https://x/f", (fake.refused(all, "<p>x", nil, "text/html")))
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

  real("reads the table of a real page", function()
    local list = all(data "html/readability-keep-tabular-data.html", nil, "text/html")
    assert(#list > 3)
  end)
end)
