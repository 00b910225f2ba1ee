return { name = "cli", timezone = "America/Sao_Paulo" }
