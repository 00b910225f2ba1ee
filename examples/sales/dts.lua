-- Files of sales become a table, weeks, a route and a page. See README.md in this folder.
-- SPDX-License-Identifier: MIT
return { name = "sales", timezone = "Europe/Berlin" }
