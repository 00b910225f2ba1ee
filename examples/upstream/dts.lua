-- Plays the sources of the fuel system on loopback, over real HTTP, with made-up figures up to yesterday: `./dev demo`.
-- SPDX-License-Identifier: MIT
return { name = "upstream", timezone = "America/Sao_Paulo" }
