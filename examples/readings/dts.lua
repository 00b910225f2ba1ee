-- See README.md in this folder.
-- SPDX-License-Identifier: MIT
return { name = "readings", alerts = { to = { "https://chat.example/hook" } } }
