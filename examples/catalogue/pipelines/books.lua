-- Every book that the library lists. Its API answers { "books": [ … ], "meta": { "next": "cursor or null" } }.
-- SPDX-License-Identifier: MIT

local dts = require "dts"
local library = dts.source {
  name = "library", url = "https://library.example/api", rate = "60/m",
  headers = { Authorization = "Bearer {secret?:LIBRARY_TOKEN}" },
}

dts.table {
  name = "books", key = { "isbn" },
  columns = { "isbn text", "title text not null", "author text", "year integer" },
}

local function row_of(book)
  return { isbn = book.isbn, title = book.title, author = (book.author or {}).name, year = book.year }
end

dts.pipeline {
  name = "books", schedule = "0 3 * * *",
  run = function(ctx)
    local rows = {}
    for page in library:pages("/books", { query = { size = 100 }, cursor = "after", next = "meta.next" }) do
      for _, book in ipairs(page:json().books) do rows[#rows + 1] = row_of(book) end
    end
    ctx:replace("books", rows, {})
  end,
}

dts.dashboard {
  name = "books", title = "Books", public = true, filters = { "author" },
  { "bar", title = "Books by year", from = "books", x = "year", y = "count(*)" },
  { "table", title = "All books", from = "books", columns = { "title", "author", "year" }, order = "title" },
}
