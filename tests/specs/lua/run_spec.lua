-- Runs: what run(ctx, input) receives and what reaches the engine.
-- SPDX-License-Identifier: MIT

local fake = require "tests.specs.lua.fake"

local SCRIPT = [[
local dts = require "dts"
local ecb = dts.source { name = "ecb", url = "https://www.ecb.europa.eu/stats", rate = "5/s" }
dts.table { name = "rates", key = { "currency", "date" }, columns = { "currency text", "date date", "rate real -- x" } }
dts.pipeline {
  name = "p", schedule = "30 16 * * 1-5", params = { base = "text = EUR" },
  run = function(ctx, params)
    for _, r in ipairs(ecb:get("/daily.json", { query = { base = params.base } }):json().rates) do
      ctx:put("rates", { currency = r.c, date = ctx.date, rate = r.r })
    end
    for _, row in ipairs(dts.query("rates", { date = ctx.date }, { order = "-date" })) do dts.log("old", row) end
  end,
}
]]

describe("a run", function()
  after_each(fake.restore)

  it("gets, puts, asks and logs", function()
    local e = fake.run(SCRIPT, {
      http = function() return { status = 200, url = "https://x/daily.json", headers = {}, type = "application/json",
        body = '{"rates":[{"c":"USD","r":1.5},{"c":"BRL","r":5}]}' } end,
      query = function() return { columns = { "rate" }, rows = { { rate = 1 } } } end,
    }, { kind = "params", input = { base = "EUR" }, ctx = { date = "2024-02-29", run = 7, window = { to_ms = 0 } } })
    assert.same({ "http", { method = "GET", source = "ecb", path = "/daily.json", query = { base = "EUR" } } },
      e.calls[1])
    assert.same({ "query", { table = "rates", where = { date = "2024-02-29" }, order = { "-date" } } }, e.calls[2])
    assert.equal(2, #e.rows)
    assert.same({ { currency = "BRL", date = "2024-02-29", rate = 5 } }, e.rows[2].rows)
    assert.same({ "log", { level = "info", message = 'old {"rate":1}' } }, e.sent[1])
  end)

  local function run(text, answers, start)
    return fake.run(('local dts = require "dts"\ndts.pipeline { name = "p", run = function(ctx, input)\n%s\nend }')
      :format(text), answers, start)
  end
  local function said(text, answers, start) return (fake.refused(run, text, answers, start)) end

  it("keeps a finished step, tries a failed one again, and puts under its name", function()
    local ended, tries = {}, 0
    local answers = {
      step = function(args) return args.name == "old" and { done = true, result = { 7 } } or { done = false } end,
      step_end = function(args) ended[#ended + 1] = args return {} end,
      step_fail = function() tries = tries + 1 return { again = tries < 2 } end,
    }
    local e = run([[
      local n = 0
      assert(ctx:step("old", function() error("never run") end)[1] == 7)
      local got = ctx:step("new", { retry = 3, timeout = "5s" }, function()
        n = n + 1
        if n == 1 then error "once" end
        return dts.each({ 1, 2, 3 }, function(i) ctx:put("t", { a = i }) return i ~= 2 and i * i or nil end)
      end)
      assert(got[1] == 1 and got[2] == dts.null and got[3] == 9)
      ctx:put("t", { a = 4 })
    ]], answers)
    assert.same({ "step", { name = "new", retry = 3, timeout_ms = 5000 } }, e.calls[2])
    assert.same({ name = "new", result = { 1, require("dts.kernel").null, 9 } }, ended[1])
    local steps = {}
    for i, put in ipairs(e.rows) do steps[i] = put.step or "none" end
    assert.same({ "new", "new", "new", "none" }, steps)
    assert.matches("always", said('ctx:step("x", function() error "always" end)', answers), 1, true)
    assert.equal("ctx:step 'a': this name was used before in the same run",
      said('for i = 1, 2 do ctx:step("a", function() end) end', answers))
    assert.equal("ctx:step 'b': steps do not nest: this one is inside of 'a'",
      (said('ctx:step("a", function() ctx:step("b", print) end)', answers)))
  end)

  it("tells a function that forgot its return from rows", function()
    assert.equal("ctx:put: rows expected (a row, a list or an iterator), got nothing; " ..
      "does the function that makes them return them?", said('local function rows() end ctx:put("t", rows())'))
  end)

  it("stages what is not rows", function()
    local e = run([[
      ctx:update("t", { a = 1 })
      ctx:replace("t", { { a = 2 } }, { a = { 1, 2 }, d = { from = "2024-01-01" } })
      ctx:delete("t", {})
      ctx:archive("raw/x", "bytes", { page = 1 })
      ctx:enqueue("q", { n = 1 }, { delay = "5m", key = "k" })
      dts.enqueue("q")
      ctx:reject({ a = 3 }, "no such thing")
      ctx:progress(1, 2)
    ]])
    assert.same({
      { "stage", { verb = "update", table = "t", row = { a = 1 } } },
      { "stage", { verb = "delete", table = "t", where = { a = { 1, 2 }, d = { from = "2024-01-01" } } } },
      { "stage", { verb = "delete", table = "t", where = {} } },
      { "stage", { verb = "archive", source = "raw/x", body = "bytes", meta = { page = 1 } } },
      { "stage", { verb = "enqueue", pipeline = "q", params = { n = 1 }, delay_ms = 300000, key = "k" } },
      { "stage", { verb = "enqueue", pipeline = "q", params = {} } },
      { "stage", { verb = "reject", row = { a = 3 }, reason = "no such thing" } },
      { "progress", { done = 1, total = 2 } },
    }, e.sent)
  end)

  it("fails for good or for now, in the words of the script", function()
    local ok, fault = pcall(run, 'ctx:fail("broken", { retry = false })')
    assert.same({ false, "broken", "FAILED", true, false, "pipelines/x.lua:3" },
      { ok, fault.message, fault.code, fault.permanent, fault.retryable, fault.where })
    ok, fault = pcall(run, 'ctx:fail "later"')
    assert.same({ false, nil, true }, { ok, fault.permanent, fault.retryable })
  end)

  it("gets events whose data is decoded when it is looked at", function()
    local e = run([[
      assert(rawget(input[1], "data") == nil)
      for _, e in ipairs(input) do ctx:put("t", { id = e.id, who = (e.data.sender or {}).login }) end
      assert(input[1].nothing == nil)
    ]], {}, { kind = "batch", input = { events = { { id = "1", json = '{"sender":{"login":"me"}}' }, { id = "2",
      json = "{}" } } } })
    assert.same({ { id = "1", who = "me" } }, e.rows[1].rows)
    assert.same({ { id = "2" } }, e.rows[2].rows)
  end)

  it("gets a file that is a body, all or nothing", function()
    local start = { kind = "file", input = { name = "a.csv", size = 8, sha256 = "x" },
      body = require("dts.kernel").body "a,b\n1,2\n" }
    local e = run('ctx:put("t", input:rows(), { file = input.name })', {}, start)
    assert.same({ { a = "1", b = "2" } }, e.rows[1].rows)
    assert.same({ file = "a.csv" }, e.rows[1].also)
    assert.equal("ctx:checkpoint: a file is all or nothing: a `files` run has no checkpoints",
      said("ctx:checkpoint()", {}, start))
    assert.equal("ctx:put: a file is all or nothing: no rows inside a step of a `files` run",
      said('ctx:step("s", function() ctx:put("t", {}) end)', {
        step = function() return {} end, step_fail = function() return {} end }, start))
  end)

  it("gets a span, a window and a cursor", function()
    local e = run([[
      assert(input.key == "K" and input.from == "2024-01-01" and input.with.code == 1 and #input.dates == 1)
      assert(ctx.window.from == nil and ctx.window.to == "1970-01-02T00:00:00.000Z" and ctx.state.at == 3)
      assert(ctx.attempt == 2 and ctx.pipeline == "p")
      ctx:checkpoint { at = 4 }
      assert(ctx.state.at == 4)
    ]], { checkpoint = function() return {} end }, { kind = "span",
      input = { key = "K", from = "2024-01-01", to = "2024-01-01", dates = { "2024-01-01" }, with = { code = 1 } },
      ctx = { attempt = 2, state = { at = 3 }, window = { to_ms = 86400000 } } })
    assert.same({ "checkpoint", { state = { at = 4 } } }, e.calls[1])
  end)

  it("is told what came instead of JSON", function()
    local function reply(kind, text)
      return { http = function() return { status = 200, url = "https://x/a", headers = {}, type = kind, body = text }
      end }
    end
    local ask = 'dts.http.get("https://x/a"):json()'
    assert.matches('JSON expected: the body is text/html and begins "<html> <b>Down</b>"',
      said(ask, reply("text/html; charset=utf-8", "<html>\n\n<b>Down</b>")), 1, true)
    assert.matches("JSON expected: the body is empty", said(ask, reply(nil, "")), 1, true)
    assert.matches('JSON expected: the body is text/plain and begins "Sorry"', said(ask, reply("text/plain", "Sorry")),
      1, true)
    assert.not_matches("JSON expected", said(ask, reply("application/json", '{"a":}')), 1, true)
  end)

  it("is told what is misspelt", function()
    assert.equal("ctx: there is no 'putt'; did you mean 'put'?", said("ctx:putt()"))
    assert.equal("ctx: write a colon: ctx:put(…), not ctx.put(…)", said('ctx.put("t", {})'))
    assert.equal("ctx: 'date' cannot be set", said('ctx.date = "x"'):gsub("ctx: 'date'", "ctx: 'date'"))
    assert.equal("ctx:put: a table's name expected first, got nothing", said("ctx:put(nil, {})"))
    assert.equal("ctx:delete: `where` is missing: {} covers every row", said('ctx:delete("t")'))
    assert.equal("ctx:delete: where.k is dts.null, which is no condition: leave it out to cover every value",
      said('ctx:delete("t", { k = dts.null })'))
    assert.equal("dts.query: table 't' has no column 'dat'; did you mean 'date'?",
      said('dts.query("t", { dat = 1 })', {}, { tables = { t = { "date date" } } }))
    assert.equal("query: a query is a list of rows: write q[1].repo, or a loop over ipairs(q)",
      said('local _ = dts.query("t").repo'))
  end)
end)

describe("requests", function()
  after_each(fake.restore)

  local function ask(text, http, opts)
    return fake.run(([[local dts = require "dts"
local s = dts.source { name = "s", url = "https://s.com" }
dts.pipeline { name = "p", run = function(ctx) %s end }]]):format(text), { http = http }, opts)
  end
  local function empty() return { status = 200, url = "https://s.com/", headers = {}, body = "" } end

  it("carry their options", function()
    local e = ask([[s:post("/x", { json = { b = 1, a = { 1 } }, query = { q = { "a", "b" } }, accept = { 404 },
      cache = "1h",
      timeout = "5s", archive = "raw", idempotency = true, headers = { A = "1" } })]], empty)
    assert.same({ "http", { method = "POST", source = "s", path = "/x", body = '{"a":[1],"b":1}', query = { q = { "a",
      "b" } },
      accept = { 404 }, cache_ms = 3600000, timeout_ms = 5000, archive = "raw", idempotency = true,
      headers = { A = "1", ["Content-Type"] = "application/json" } } }, e.calls[1])
    e = ask([[dts.http.put("https://h.com/", { form = { b = "x y", a = "é" } })]], empty)
    assert.same({ method = "PUT", url = "https://h.com/", body = "a=%C3%A9&b=x%20y",
      headers = { ["Content-Type"] = "application/x-www-form-urlencoded" } }, e.calls[1][2])
    local message = fake.refused(ask, 's:get("/x", { qeury = {} })', empty)
    assert.equal("source 's':get: unknown field 'qeury'; did you mean 'query'?", message)
    assert.equal("source 's': there is no 'fetch'", (fake.refused(ask, "s:fetch()", empty)))
    assert.equal("source 's': write a colon: source:get(path), not source.get(path)", (fake.refused(ask, 's.get("/")',
      empty)))
    assert.equal("source 's':get: `body`, `json` and `form` exclude each other",
      (fake.refused(ask, 's:get("/", { json = 1, body = "x" })', empty)))
  end)

  it("follow Link, page, offset and cursor, and end", function()
    local n = 0
    local e = ask([[for page in s:pages("/x", { query = { q = 1 } }) do dts.log(page.url) end]], function()
      n = n + 1
      return { status = 200, url = "https://s.com/x?p=" .. n, body = "",
        headers = n < 3 and { link = ('<https://s.com/x?p=%d>; rel="next", <z>; rel="last"'):format(n + 1) } or {} }
    end)
    assert.equal(3, #e.sent)
    assert.same({ method = "GET", source = "s", url = "https://s.com/x?p=3" }, e.calls[3][2])
    local function listed(sizes)
      local i = 0
      return function()
        i = i + 1
        return { status = 200, url = "u", headers = {}, body = '{"items":[' .. ("1,"):rep(sizes[i]):sub(1, -2)
          .. '],"next":'
          .. (i < 3 and '"c' .. i .. '"' or "null") .. "}" }
      end
    end
    e = ask([[for _ in s:pages("/x", { page = "page", at = "items" }) do dts.log "p" end]], listed { 2, 2, 0 })
    assert.same({ 2, 3, { page = 3 } }, { #e.sent, #e.calls, e.calls[3][2].query })
    e = ask([[for _ in s:pages("/x", { offset = "o", at = "items" }) do dts.log "p" end]], listed { 2, 3, 0 })
    assert.same({ 2, { o = 5 } }, { #e.sent, e.calls[3][2].query })
    e = ask([[for _ in s:pages("/x", { cursor = "after", next = "next" }) do dts.log "p" end]], listed { 1, 1, 1 })
    assert.same({ 3, { after = "c2" } }, { #e.sent, e.calls[3][2].query })
    e = ask([[for _ in s:pages("/x", { page = "page", at = "items", max = 1 }) do dts.log "p" end]], listed { 2, 2 })
    assert.equal(1, #e.sent)
    local at = 0
    local function endless()
      at = at + 1
      return { status = 200, url = "https://s.com/", headers = { link = ("<?n=%d>; rel=next"):format(at) }, body = "" }
    end
    local message, _, _, code = fake.refused(ask, 'for _ in s:pages("/x") do end', endless)
    assert.same({ "source 's':pages: there are more than 100 pages", "LIMIT_PAGES" }, { message, code })
  end)

  it("are asked for by POST where JSON or a form is sent, with what leads on in it", function()
    local function paged(cursors)
      local i = 0
      return function()
        i = i + 1
        return { status = 200, url = "u", headers = {}, body = ('{"data":{"items":[%d],"next":%s}}'):format(i,
          cursors[i] and '"' .. cursors[i] .. '"' or "null") }
      end
    end
    local e = ask([[local sent = { query = "q", variables = { n = 2, list = { 1 } } }
      for _ in s:pages("/g", { json = sent, cursor = "variables.after", next = "data.next" }) do dts.log "p" end
      assert(sent.variables.after == nil)]], paged { "c1" })
    assert.same({ 2, "POST", '{"query":"q","variables":{"list":[1],"n":2}}' },
      { #e.sent, e.calls[1][2].method, e.calls[1][2].body })
    assert.equal('{"query":"q","variables":{"after":"c1","list":[1],"n":2}}', e.calls[2][2].body)
    assert.same({ ["Content-Type"] = "application/json" }, e.calls[2][2].headers)
    e = ask([[for _ in s:pages("/g", { form = { q = "x" }, offset = "from", at = "data.items", max = 2 }) do end]],
      paged {})
    assert.same({ "from=0&q=x", "from=1&q=x" }, { e.calls[1][2].body, e.calls[2][2].body })
    local message, _, hint = fake.refused(ask, 'for _ in s:pages("/g", { body = "x", page = "p" }) do end', paged {})
    assert.same({ "source 's':pages: `body` does not go with pages", "send `json` or `form`, or write a loop" },
      { message, hint })
  end)

  it("say so when the first page has no list where it is looked for", function()
    local function reply() return { status = 200, url = "u", headers = {}, body = '{"count":2,"items":[1,2]}' } end
    local says = "source 's':pages: the reply has no list at %s; there are \"count, items\" (GET u)"
    for opts, place in pairs { ['page = "p"'] = "its top", ['offset = "o", at = "itms"'] = "'itms'" } do
      local message, _, hint, code = fake.refused(ask, ('for _ in s:pages("/x", { %s }) do end'):format(opts), reply)
      assert.same({ says:format(place), "ROWS" }, { message, code })
      assert.matches('at = "items"', hint, 1, true)
    end
    local i = 0
    local e = ask('for p in s:pages("/x", { page = "p", at = "2.list" }) do dts.log "p" end', function()
      i = i + 1
      return { status = 200, url = "u", headers = {}, body = i == 1 and '[{},{"list":[1]}]' or '[{}]' }
    end)
    assert.same({ 2, 1 }, { #e.calls, #e.sent }) -- a later one may lack it: that is the end
  end)

  it("fill no secret in: it is not sent by its name either", function()
    local says = "source 's':%s: %s: {secret:KEY} is filled in for the source alone"
    for text, said in pairs {
      ['s:get("/", { query = { key = "{secret:KEY}" } })'] = { "get", "field 'query': 'key'" },
      ['s:get("/", { headers = { ["X-Key"] = "a {secret:KEY}" } })'] = { "get", "field 'headers': 'X-Key'" },
      ['s:post("/", { json = { a = { "{secret:KEY}" } } })'] = { "post", "field 'json'" },
      ['s:post("/", { form = { key = "{secret:KEY}" } })'] = { "post", "field 'form': 'key'" },
      ['s:get("/v1/{secret:KEY}")'] = { "get", "the path" },
      ['for _ in s:pages("/{secret:KEY}") do end'] = { "pages", "the path" },
    } do
      local message, _, hint = fake.refused(ask, text, empty)
      assert.equal(says:format(said[1], said[2]), message)
      assert.equal("write it in url, query or headers of dts.source; a script never sees its value", hint)
    end
  end)

  it("name what was meant where a reply or an address stands in a wrong place", function()
    local message, _, hint = fake.refused(ask, 'ctx:put("t", s:get("/"))', empty)
    assert.equal("GET https://s.com/: rows expected, got the reply itself", message)
    assert.equal("say how it is read: res:rows { … }, or res:json() for JSON", hint)
    message, _, hint = fake.refused(ask, 'dts.http:get("https://h.com/")', empty)
    assert.same({ "dts.http:get: get needs an address, got a table", 'write a dot: dts.http.get("https://…")' },
      { message, hint })
  end)

  it("do not follow a source in circles", function()
    local function same() return { status = 200, url = "https://s.com/", headers = { link = '<?n>; rel=next' },
      body = '{"items":[1],"next":"c"}' } end
    local says = "source 's':pages: the source goes round in circles: "
    for opts, words in pairs {
      ["{}"] = 'a next page for the second time: "https://s.com/?n"',
      ['{ page = "p", at = "items" }'] = "p = 2 brought the same page again",
      ['{ offset = "o", at = "items" }'] = "o = 1 brought the same page again",
      ['{ cursor = "after", next = "next" }'] = 'the cursor "c" for the second time',
    } do
      local message, _, _, code = fake.refused(ask, ('for _ in s:pages("/x", %s) do end'):format(opts), same)
      assert.same({ says .. words, "PAGES_LOOP" }, { message, code })
    end
  end)

  it("read every form of a Link header", function()
    for link, address in pairs {
      ['<a>; rel="prev", <b,c>;rel=NEXT'] = "https://s.com/b,c",
      ['<a>; title="x, <b>; rel=next"; rel=last, <c>; a; rel = "last next"'] = "https://s.com/c",
      ['<//t.com/d>; rel=next'] = "https://t.com/d",
      ['<?e=1>; rel=next'] = "https://s.com/x?e=1",
    } do
      local n = 0
      local e = ask('for _ in s:pages("/x") do end', function()
        n = n + 1
        return { status = 200, url = "https://s.com/x?q=1", headers = n == 1 and { link = link } or {}, body = "" }
      end)
      assert.equal(address, e.calls[2][2].url)
    end
  end)
end)

describe("a query", function()
  after_each(fake.restore)

  it("is fetched once, when somebody looks; rows() streams pages", function()
    local e = fake.run([[local dts = require "dts"
dts.pipeline { name = "p", run = function(ctx)
  local q = dts.query("t")
  dts.log "before"
  assert(#q == 2 and q[1].a == 1)
  for i, row in ipairs(q) do assert(row.a == i) end
  local n = 0
  for row in dts.sql("select 1", { x = 1 }):rows() do n = n + row.a end
  assert(n == 6, n)
  assert(dts.lookup("t", nil) == nil and dts.lookup("t", 1).a == 9 and dts.lookup("t", 1).a == 9 and dts.lookup("t",
    2) == nil)
end }]], {
      query = function(args)
        if not args.page then return { rows = { { a = 1 }, { a = 2 } } } end
        if not args.page.after then return { rows = { { a = 1 }, { a = 2 } }, next = "n" } end
        return { rows = { { a = 3 } } }
      end,
      lookup = function(args) return args.key == 1 and { a = 9 } or nil end,
    })
    assert.equal(5, #e.calls)
    assert.same({ sql = "select 1", params = { x = 1 }, page = { size = 1000, after = "n" } }, e.calls[3][2])
  end)
end)

describe("a route", function()
  after_each(fake.restore)

  local function reply(text, req, answers)
    local start = { mode = "serve", file = "pipelines/x.lua",
      source = ('local dts = require "dts"\ndts.route { "GET /api/x/{id}", params = { n = "integer = 5" },' ..
        ' run = function(req) %s end }')
        :format(text) }
    fake.engine(answers or {}, start)
    local main = require "dts.main"
    main.serve(start)
    return main.request { route = "GET /api/x/{id}", req = req or { params = { id = "7", n = 5 }, method = "GET" } }
  end

  it("answers with tables, queries, replies and nothing", function()
    assert.same({ json = '{"id":"7","n":5}' }, reply "return { id = req.id, n = req.n }")
    assert.same({ query = { table = "t", where = { id = "7" } } }, reply 'return dts.query("t", { id = req.id })')
    assert.same({ json = '[{"a":1}]' }, reply('local q = dts.query("t") local _ = #q return q', nil,
      { query = function() return { rows = { { a = 1 } } } end }))
    assert.same({ status = 404, json = '{"e":1}' }, reply "return dts.reply { status = 404, json = { e = 1 } }")
    assert.same({ status = 404 }, reply "return nil")
    assert.same({ text = "x" }, reply 'return "x"')
    assert.same({ json = "[]" }, reply "return dts.json.decode '[]'")
  end)

  it("says what it used, and is told what is misspelt", function()
    local clock = { now = function() return { ms = 0, today = "1970-01-01" } end,
      random = function() return { uuid = "u" } end,
      enqueue = function() return { id = 3 } end }
    assert.same({ json = '["1970-01-01T00:00:00.000Z","1970-01-01","u"]', volatile = true },
      reply("return { dts.now(), dts.today(), dts.uuid() }", nil, clock))
    assert.same({ json = '{"h":"v"}', volatile = true }, reply("return { h = req.headers.x }",
      { headers = { x = "v" } }))
    assert.same({ json = '{"k":"me"}', keyed = true }, reply("return { k = req.key.name }", { key = { name = "me" } }))
    assert.same({ json = '{"id":3}', volatile = true }, reply('return { id = dts.enqueue("p", { a = 1 }) }', nil,
      clock))
    assert.equal("req: there is no 'idd'; did you mean 'id'?", (fake.refused(reply, "return req.idd")))
    assert.equal("dts.reply: unknown field 'satus'; did you mean 'status'?",
      (fake.refused(reply, "return dts.reply { satus = 1 }")))
  end)
end)

describe("values", function()
  local dts = require "dts"
  it("are encoded, hashed, written as CSV and validated", function()
    assert.equal('{"a":[1,2.5,"x",null],"b":{},"c":9007199254740993,"d":3.0}',
      dts.json.encode { d = 3.0, c = 9007199254740993, b = {}, a = { 1, 2.5, "x", dts.null } })
    assert.matches("a table is either a list without holes", (fake.refused(dts.json.encode, { 1, a = 2 })), 1, true)
    assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", dts.hash "abc")
    assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", dts.hash "")
    assert.equal("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", dts.hash(("a"):rep(1000000)))
    assert.equal(dts.hash { a = 1, b = 2 }, dts.hash { b = 2, a = 1 })
    assert.equal('a,b\n1,"x,""y"\n,2\n', dts.csv.encode { { a = 1, b = 'x,"y' }, { b = 2 } })
    assert.same({ { a = "1" } }, dts.csv.decode "a\n1\n")
    local schema = { type = "object", properties = { n = { type = "integer" } }, required = { "n" } }
    assert.is_true(dts.validate(schema, { n = 1 }))
    local good, path, message = dts.validate(schema, { n = "x" })
    assert.same({ "/n", true }, { path, message ~= nil })
    assert.is_nil(good)
  end)

  it("are dates that add up", function()
    local d = dts.date
    assert.equal("2020-06-04", d.parse("04/06/2020", "%d/%m/%Y"))
    assert.equal("04/06/2020", d.format("2020-06-04", "%d/%m/%Y"))
    assert.same({ "2024-02-29", "2024-03-07", "2024-02-29", "2023-02-28" },
      { d.add("2024-02-28", 1), d.add("2024-02-29", 1, "week"), d.add("2024-01-31", 1, "month"), d.add("2024-02-29",
        -1, "year") })
    assert.same({ 366, -1, 90 }, { d.diff("2025-01-01", "2024-01-01"), d.diff("2024-01-01", "2024-01-02"),
      d.diff("2024-01-01T00:01:30Z", "2024-01-01T00:00:00Z") })
    assert.same({ "2024-02-28", "2024-02-29", "2024-03-01" }, d.range("2024-02-28", "2024-03-01"))
    assert.same({ 4, "2024-02-26", "2024-01-01" }, { d.weekday "2024-02-29", d.start("2024-02-29", "week"),
      d.start("2024-02-29", "year") })
    assert.equal("there is no such day: \"31/02/2020\", read as %d/%m/%Y",
      (fake.refused(d.parse, "31/02/2020", "%d/%m/%Y")))
    assert.equal("2024-01-01T00:15:00.000Z", d.add("2024-01-01T00:00:00Z", "15m"))
  end)

  it("are calendars", function()
    local c = dts.calendar { "NYSE", closed = { "2024-02-28" } }
    assert.same({ false, false, "2024-02-29", "2024-02-27" },
      { c:has "2024-02-28", c:has "2024-02-25", c:next "2024-02-27", c:previous "2024-02-29" })
    assert.same({ "2024-02-26", "2024-02-27", "2024-02-29", "2024-03-01" }, c:dates("2024-02-25", "2024-03-03"))
    assert.matches("NYS", (fake.refused(dts.calendar, { "NYS" })), 1, true)
  end)
end)
