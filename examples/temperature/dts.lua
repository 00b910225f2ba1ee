-- See README.md in this folder.
-- SPDX-License-Identifier: MIT
return { name = "temperature", timezone = "Europe/Berlin" }
