"""Product files: TOML in, domain products out, every fault named."""
