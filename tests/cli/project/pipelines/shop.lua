-- Events, files, parameters, a route of each kind.
local dts = require "dts"
local NAMES = { product = "Product", amount = "Amount" }
dts.table { name = "orders", key = { "id" }, columns = { "id text", "amount real", "at timestamp" } }
dts.table { name = "sales", columns = { "product text", "amount real", "file text" } }
dts.table { name = "ticks", key = { "n" }, columns = { "n integer", "label text" } }

dts.pipeline {
  name = "orders", ingest = { id = "id", batch = 100, signature = { header = "x-shop", secret = "SHOP" } },
  run = function(ctx, events)
    for _, e in ipairs(events) do ctx:put("orders", { id = e.data.id, amount = e.data.amount }) end
  end,
}

dts.pipeline {
  name = "sales", files = "incoming/sales-*.csv",
  run = function(ctx, file)
    ctx:put("sales", file:rows { into = "sales", columns = NAMES }, { file = file.name })
  end,
}

dts.pipeline {
  name = "ticks", params = { count = "integer = 3" },
  run = function(ctx, p)
    for i = 1, p.count do
      dts.log(("tick %d"):format(i))
      ctx:put("ticks", { n = i, label = ("中文 %d"):format(i) })
    end
  end,
}

dts.pipeline {
  name = "wrong",
  run = function(ctx)
    ctx:put("ticks", { m = 1 })
  end,
}

dts.pipeline { name = "endless", run = function() while true do end end }

dts.route { "GET /api/orders", from = "orders", order = "id", public = true }
dts.route {
  "GET /api/total", params = { least = "real = 0" }, public = true,
  sql = "select count(*) as n, sum(amount) as amount from orders where amount >= :least",
}
dts.route { "GET /api/hello/{who}", run = function(req) return { hello = req.who } end }
