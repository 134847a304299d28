"""Exchange files between registry, bank, agency, factory and terminals 交换文件."""
