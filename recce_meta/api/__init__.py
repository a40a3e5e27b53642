"""Operations of recce_meta, such as record and diff: they connect the layers and return values."""
