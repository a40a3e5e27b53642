-- rows of orders
SELECT
  CAST(COALESCE(SUM(g.n_base), 0) AS BIGINT) AS base_rows,
  CAST(COALESCE(SUM(g.n_current), 0) AS BIGINT) AS current_rows,
  CAST(COALESCE(SUM(CASE WHEN g.n_base < g.n_current THEN g.n_base ELSE g.n_current END), 0) AS BIGINT) AS common
FROM (
  SELECT
    u.h,
    SUM(u.n_base) AS n_base,
    SUM(u.n_current) AS n_current
  FROM (
    SELECT
      t.h,
      1 AS n_base,
      0 AS n_current
    FROM (
      SELECT
        FNV_HASH(
          COALESCE(
            CAST(OCTET_LENGTH(CAST(TO_HEX(t."raw") AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(TO_HEX(t."raw") AS VARCHAR(65535)),
            '~'
          ),
          FNV_HASH(
            COALESCE(
              CAST(OCTET_LENGTH(
                CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535))
              ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535)),
              '~'
            ),
            FNV_HASH(
              COALESCE(
                CAST(OCTET_LENGTH(
                  CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535))
                ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535)),
                '~'
              ),
              FNV_HASH(
                COALESCE(
                  CAST(OCTET_LENGTH(
                    CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535))
                  ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535)),
                  '~'
                ),
                FNV_HASH(
                  COALESCE(
                    CAST(OCTET_LENGTH(CAST(t."at" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."at" AS VARCHAR(65535)),
                    '~'
                  ),
                  FNV_HASH(
                    COALESCE(
                      CAST(OCTET_LENGTH(CAST(t."day" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."day" AS VARCHAR(65535)),
                      '~'
                    ),
                    FNV_HASH(
                      COALESCE(
                        CAST(OCTET_LENGTH(
                          CAST(CASE
                            WHEN t."rate" = 0.0
                            THEN '0'
                            WHEN NOT t."rate" IS NULL
                            THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                          END AS VARCHAR(65535))
                        ) AS VARCHAR(65535)) || ':' || CAST(CASE
                          WHEN t."rate" = 0.0
                          THEN '0'
                          WHEN NOT t."rate" IS NULL
                          THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                        END AS VARCHAR(65535)),
                        '~'
                      ),
                      FNV_HASH(
                        COALESCE(
                          CAST(OCTET_LENGTH(CAST(t."amount" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."amount" AS VARCHAR(65535)),
                          '~'
                        ),
                        FNV_HASH(
                          COALESCE(
                            CAST(OCTET_LENGTH(
                              CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535))
                            ) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                            '~'
                          ),
                          FNV_HASH(
                            COALESCE(
                              CAST(OCTET_LENGTH(CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                              '~'
                            ),
                            FNV_HASH(
                              COALESCE(
                                CAST(OCTET_LENGTH(CAST(t."line" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."line" AS VARCHAR(65535)),
                                '~'
                              ),
                              FNV_HASH(
                                COALESCE(
                                  CAST(OCTET_LENGTH(CAST(t."id" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."id" AS VARCHAR(65535)),
                                  '~'
                                )
                              )
                            )
                          )
                        )
                      )
                    )
                  )
                )
              )
            )
          )
        ) AS h
      FROM orders_base AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND ABS(
          FNV_HASH(
            COALESCE(
              CAST(OCTET_LENGTH(CAST(TO_HEX(t."raw") AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(TO_HEX(t."raw") AS VARCHAR(65535)),
              '~'
            ),
            FNV_HASH(
              COALESCE(
                CAST(OCTET_LENGTH(
                  CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535))
                ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535)),
                '~'
              ),
              FNV_HASH(
                COALESCE(
                  CAST(OCTET_LENGTH(
                    CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535))
                  ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535)),
                  '~'
                ),
                FNV_HASH(
                  COALESCE(
                    CAST(OCTET_LENGTH(
                      CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535))
                    ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535)),
                    '~'
                  ),
                  FNV_HASH(
                    COALESCE(
                      CAST(OCTET_LENGTH(CAST(t."at" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."at" AS VARCHAR(65535)),
                      '~'
                    ),
                    FNV_HASH(
                      COALESCE(
                        CAST(OCTET_LENGTH(CAST(t."day" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."day" AS VARCHAR(65535)),
                        '~'
                      ),
                      FNV_HASH(
                        COALESCE(
                          CAST(OCTET_LENGTH(
                            CAST(CASE
                              WHEN t."rate" = 0.0
                              THEN '0'
                              WHEN NOT t."rate" IS NULL
                              THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                            END AS VARCHAR(65535))
                          ) AS VARCHAR(65535)) || ':' || CAST(CASE
                            WHEN t."rate" = 0.0
                            THEN '0'
                            WHEN NOT t."rate" IS NULL
                            THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                          END AS VARCHAR(65535)),
                          '~'
                        ),
                        FNV_HASH(
                          COALESCE(
                            CAST(OCTET_LENGTH(CAST(t."amount" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."amount" AS VARCHAR(65535)),
                            '~'
                          ),
                          FNV_HASH(
                            COALESCE(
                              CAST(OCTET_LENGTH(
                                CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535))
                              ) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                              '~'
                            ),
                            FNV_HASH(
                              COALESCE(
                                CAST(OCTET_LENGTH(CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                                '~'
                              ),
                              FNV_HASH(
                                COALESCE(
                                  CAST(OCTET_LENGTH(CAST(t."line" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."line" AS VARCHAR(65535)),
                                  '~'
                                ),
                                FNV_HASH(
                                  COALESCE(
                                    CAST(OCTET_LENGTH(CAST(t."id" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."id" AS VARCHAR(65535)),
                                    '~'
                                  )
                                )
                              )
                            )
                          )
                        )
                      )
                    )
                  )
                )
              )
            )
          ) % 1000000
        ) < 5000
    ) AS t
    UNION ALL
    SELECT
      t.h,
      0 AS n_base,
      1 AS n_current
    FROM (
      SELECT
        FNV_HASH(
          COALESCE(
            CAST(OCTET_LENGTH(CAST(TO_HEX(t."raw") AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(TO_HEX(t."raw") AS VARCHAR(65535)),
            '~'
          ),
          FNV_HASH(
            COALESCE(
              CAST(OCTET_LENGTH(
                CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535))
              ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535)),
              '~'
            ),
            FNV_HASH(
              COALESCE(
                CAST(OCTET_LENGTH(
                  CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535))
                ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535)),
                '~'
              ),
              FNV_HASH(
                COALESCE(
                  CAST(OCTET_LENGTH(
                    CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535))
                  ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535)),
                  '~'
                ),
                FNV_HASH(
                  COALESCE(
                    CAST(OCTET_LENGTH(CAST(t."at" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."at" AS VARCHAR(65535)),
                    '~'
                  ),
                  FNV_HASH(
                    COALESCE(
                      CAST(OCTET_LENGTH(CAST(t."day" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."day" AS VARCHAR(65535)),
                      '~'
                    ),
                    FNV_HASH(
                      COALESCE(
                        CAST(OCTET_LENGTH(
                          CAST(CASE
                            WHEN t."rate" = 0.0
                            THEN '0'
                            WHEN NOT t."rate" IS NULL
                            THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                          END AS VARCHAR(65535))
                        ) AS VARCHAR(65535)) || ':' || CAST(CASE
                          WHEN t."rate" = 0.0
                          THEN '0'
                          WHEN NOT t."rate" IS NULL
                          THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                        END AS VARCHAR(65535)),
                        '~'
                      ),
                      FNV_HASH(
                        COALESCE(
                          CAST(OCTET_LENGTH(CAST(t."amount" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."amount" AS VARCHAR(65535)),
                          '~'
                        ),
                        FNV_HASH(
                          COALESCE(
                            CAST(OCTET_LENGTH(
                              CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535))
                            ) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                            '~'
                          ),
                          FNV_HASH(
                            COALESCE(
                              CAST(OCTET_LENGTH(CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                              '~'
                            ),
                            FNV_HASH(
                              COALESCE(
                                CAST(OCTET_LENGTH(CAST(t."line" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."line" AS VARCHAR(65535)),
                                '~'
                              ),
                              FNV_HASH(
                                COALESCE(
                                  CAST(OCTET_LENGTH(CAST(t."id" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."id" AS VARCHAR(65535)),
                                  '~'
                                )
                              )
                            )
                          )
                        )
                      )
                    )
                  )
                )
              )
            )
          )
        ) AS h
      FROM orders_current AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND ABS(
          FNV_HASH(
            COALESCE(
              CAST(OCTET_LENGTH(CAST(TO_HEX(t."raw") AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(TO_HEX(t."raw") AS VARCHAR(65535)),
              '~'
            ),
            FNV_HASH(
              COALESCE(
                CAST(OCTET_LENGTH(
                  CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535))
                ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535)),
                '~'
              ),
              FNV_HASH(
                COALESCE(
                  CAST(OCTET_LENGTH(
                    CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535))
                  ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535)),
                  '~'
                ),
                FNV_HASH(
                  COALESCE(
                    CAST(OCTET_LENGTH(
                      CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535))
                    ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535)),
                    '~'
                  ),
                  FNV_HASH(
                    COALESCE(
                      CAST(OCTET_LENGTH(CAST(t."at" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."at" AS VARCHAR(65535)),
                      '~'
                    ),
                    FNV_HASH(
                      COALESCE(
                        CAST(OCTET_LENGTH(CAST(t."day" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."day" AS VARCHAR(65535)),
                        '~'
                      ),
                      FNV_HASH(
                        COALESCE(
                          CAST(OCTET_LENGTH(
                            CAST(CASE
                              WHEN t."rate" = 0.0
                              THEN '0'
                              WHEN NOT t."rate" IS NULL
                              THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                            END AS VARCHAR(65535))
                          ) AS VARCHAR(65535)) || ':' || CAST(CASE
                            WHEN t."rate" = 0.0
                            THEN '0'
                            WHEN NOT t."rate" IS NULL
                            THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                          END AS VARCHAR(65535)),
                          '~'
                        ),
                        FNV_HASH(
                          COALESCE(
                            CAST(OCTET_LENGTH(CAST(t."amount" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."amount" AS VARCHAR(65535)),
                            '~'
                          ),
                          FNV_HASH(
                            COALESCE(
                              CAST(OCTET_LENGTH(
                                CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535))
                              ) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                              '~'
                            ),
                            FNV_HASH(
                              COALESCE(
                                CAST(OCTET_LENGTH(CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                                '~'
                              ),
                              FNV_HASH(
                                COALESCE(
                                  CAST(OCTET_LENGTH(CAST(t."line" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."line" AS VARCHAR(65535)),
                                  '~'
                                ),
                                FNV_HASH(
                                  COALESCE(
                                    CAST(OCTET_LENGTH(CAST(t."id" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."id" AS VARCHAR(65535)),
                                    '~'
                                  )
                                )
                              )
                            )
                          )
                        )
                      )
                    )
                  )
                )
              )
            )
          ) % 1000000
        ) < 5000
    ) AS t
  ) AS u
  GROUP BY
    u.h
) AS g;

-- rows of orders that differ
SELECT
  g.h,
  g.n_base,
  g.n_current
FROM (
  SELECT
    u.h,
    SUM(u.n_base) AS n_base,
    SUM(u.n_current) AS n_current
  FROM (
    SELECT
      t.h,
      1 AS n_base,
      0 AS n_current
    FROM (
      SELECT
        FNV_HASH(
          COALESCE(
            CAST(OCTET_LENGTH(CAST(TO_HEX(t."raw") AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(TO_HEX(t."raw") AS VARCHAR(65535)),
            '~'
          ),
          FNV_HASH(
            COALESCE(
              CAST(OCTET_LENGTH(
                CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535))
              ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535)),
              '~'
            ),
            FNV_HASH(
              COALESCE(
                CAST(OCTET_LENGTH(
                  CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535))
                ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535)),
                '~'
              ),
              FNV_HASH(
                COALESCE(
                  CAST(OCTET_LENGTH(
                    CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535))
                  ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535)),
                  '~'
                ),
                FNV_HASH(
                  COALESCE(
                    CAST(OCTET_LENGTH(CAST(t."at" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."at" AS VARCHAR(65535)),
                    '~'
                  ),
                  FNV_HASH(
                    COALESCE(
                      CAST(OCTET_LENGTH(CAST(t."day" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."day" AS VARCHAR(65535)),
                      '~'
                    ),
                    FNV_HASH(
                      COALESCE(
                        CAST(OCTET_LENGTH(
                          CAST(CASE
                            WHEN t."rate" = 0.0
                            THEN '0'
                            WHEN NOT t."rate" IS NULL
                            THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                          END AS VARCHAR(65535))
                        ) AS VARCHAR(65535)) || ':' || CAST(CASE
                          WHEN t."rate" = 0.0
                          THEN '0'
                          WHEN NOT t."rate" IS NULL
                          THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                        END AS VARCHAR(65535)),
                        '~'
                      ),
                      FNV_HASH(
                        COALESCE(
                          CAST(OCTET_LENGTH(CAST(t."amount" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."amount" AS VARCHAR(65535)),
                          '~'
                        ),
                        FNV_HASH(
                          COALESCE(
                            CAST(OCTET_LENGTH(
                              CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535))
                            ) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                            '~'
                          ),
                          FNV_HASH(
                            COALESCE(
                              CAST(OCTET_LENGTH(CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                              '~'
                            ),
                            FNV_HASH(
                              COALESCE(
                                CAST(OCTET_LENGTH(CAST(t."line" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."line" AS VARCHAR(65535)),
                                '~'
                              ),
                              FNV_HASH(
                                COALESCE(
                                  CAST(OCTET_LENGTH(CAST(t."id" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."id" AS VARCHAR(65535)),
                                  '~'
                                )
                              )
                            )
                          )
                        )
                      )
                    )
                  )
                )
              )
            )
          )
        ) AS h
      FROM orders_base AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND ABS(
          FNV_HASH(
            COALESCE(
              CAST(OCTET_LENGTH(CAST(TO_HEX(t."raw") AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(TO_HEX(t."raw") AS VARCHAR(65535)),
              '~'
            ),
            FNV_HASH(
              COALESCE(
                CAST(OCTET_LENGTH(
                  CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535))
                ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535)),
                '~'
              ),
              FNV_HASH(
                COALESCE(
                  CAST(OCTET_LENGTH(
                    CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535))
                  ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535)),
                  '~'
                ),
                FNV_HASH(
                  COALESCE(
                    CAST(OCTET_LENGTH(
                      CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535))
                    ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535)),
                    '~'
                  ),
                  FNV_HASH(
                    COALESCE(
                      CAST(OCTET_LENGTH(CAST(t."at" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."at" AS VARCHAR(65535)),
                      '~'
                    ),
                    FNV_HASH(
                      COALESCE(
                        CAST(OCTET_LENGTH(CAST(t."day" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."day" AS VARCHAR(65535)),
                        '~'
                      ),
                      FNV_HASH(
                        COALESCE(
                          CAST(OCTET_LENGTH(
                            CAST(CASE
                              WHEN t."rate" = 0.0
                              THEN '0'
                              WHEN NOT t."rate" IS NULL
                              THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                            END AS VARCHAR(65535))
                          ) AS VARCHAR(65535)) || ':' || CAST(CASE
                            WHEN t."rate" = 0.0
                            THEN '0'
                            WHEN NOT t."rate" IS NULL
                            THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                          END AS VARCHAR(65535)),
                          '~'
                        ),
                        FNV_HASH(
                          COALESCE(
                            CAST(OCTET_LENGTH(CAST(t."amount" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."amount" AS VARCHAR(65535)),
                            '~'
                          ),
                          FNV_HASH(
                            COALESCE(
                              CAST(OCTET_LENGTH(
                                CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535))
                              ) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                              '~'
                            ),
                            FNV_HASH(
                              COALESCE(
                                CAST(OCTET_LENGTH(CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                                '~'
                              ),
                              FNV_HASH(
                                COALESCE(
                                  CAST(OCTET_LENGTH(CAST(t."line" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."line" AS VARCHAR(65535)),
                                  '~'
                                ),
                                FNV_HASH(
                                  COALESCE(
                                    CAST(OCTET_LENGTH(CAST(t."id" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."id" AS VARCHAR(65535)),
                                    '~'
                                  )
                                )
                              )
                            )
                          )
                        )
                      )
                    )
                  )
                )
              )
            )
          ) % 1000000
        ) < 5000
    ) AS t
    UNION ALL
    SELECT
      t.h,
      0 AS n_base,
      1 AS n_current
    FROM (
      SELECT
        FNV_HASH(
          COALESCE(
            CAST(OCTET_LENGTH(CAST(TO_HEX(t."raw") AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(TO_HEX(t."raw") AS VARCHAR(65535)),
            '~'
          ),
          FNV_HASH(
            COALESCE(
              CAST(OCTET_LENGTH(
                CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535))
              ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535)),
              '~'
            ),
            FNV_HASH(
              COALESCE(
                CAST(OCTET_LENGTH(
                  CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535))
                ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535)),
                '~'
              ),
              FNV_HASH(
                COALESCE(
                  CAST(OCTET_LENGTH(
                    CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535))
                  ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535)),
                  '~'
                ),
                FNV_HASH(
                  COALESCE(
                    CAST(OCTET_LENGTH(CAST(t."at" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."at" AS VARCHAR(65535)),
                    '~'
                  ),
                  FNV_HASH(
                    COALESCE(
                      CAST(OCTET_LENGTH(CAST(t."day" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."day" AS VARCHAR(65535)),
                      '~'
                    ),
                    FNV_HASH(
                      COALESCE(
                        CAST(OCTET_LENGTH(
                          CAST(CASE
                            WHEN t."rate" = 0.0
                            THEN '0'
                            WHEN NOT t."rate" IS NULL
                            THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                          END AS VARCHAR(65535))
                        ) AS VARCHAR(65535)) || ':' || CAST(CASE
                          WHEN t."rate" = 0.0
                          THEN '0'
                          WHEN NOT t."rate" IS NULL
                          THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                        END AS VARCHAR(65535)),
                        '~'
                      ),
                      FNV_HASH(
                        COALESCE(
                          CAST(OCTET_LENGTH(CAST(t."amount" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."amount" AS VARCHAR(65535)),
                          '~'
                        ),
                        FNV_HASH(
                          COALESCE(
                            CAST(OCTET_LENGTH(
                              CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535))
                            ) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                            '~'
                          ),
                          FNV_HASH(
                            COALESCE(
                              CAST(OCTET_LENGTH(CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                              '~'
                            ),
                            FNV_HASH(
                              COALESCE(
                                CAST(OCTET_LENGTH(CAST(t."line" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."line" AS VARCHAR(65535)),
                                '~'
                              ),
                              FNV_HASH(
                                COALESCE(
                                  CAST(OCTET_LENGTH(CAST(t."id" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."id" AS VARCHAR(65535)),
                                  '~'
                                )
                              )
                            )
                          )
                        )
                      )
                    )
                  )
                )
              )
            )
          )
        ) AS h
      FROM orders_current AS t
      WHERE
        (
          
          amount > 0
          
        )
        AND ABS(
          FNV_HASH(
            COALESCE(
              CAST(OCTET_LENGTH(CAST(TO_HEX(t."raw") AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(TO_HEX(t."raw") AS VARCHAR(65535)),
              '~'
            ),
            FNV_HASH(
              COALESCE(
                CAST(OCTET_LENGTH(
                  CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535))
                ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535)),
                '~'
              ),
              FNV_HASH(
                COALESCE(
                  CAST(OCTET_LENGTH(
                    CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535))
                  ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535)),
                  '~'
                ),
                FNV_HASH(
                  COALESCE(
                    CAST(OCTET_LENGTH(
                      CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535))
                    ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535)),
                    '~'
                  ),
                  FNV_HASH(
                    COALESCE(
                      CAST(OCTET_LENGTH(CAST(t."at" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."at" AS VARCHAR(65535)),
                      '~'
                    ),
                    FNV_HASH(
                      COALESCE(
                        CAST(OCTET_LENGTH(CAST(t."day" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."day" AS VARCHAR(65535)),
                        '~'
                      ),
                      FNV_HASH(
                        COALESCE(
                          CAST(OCTET_LENGTH(
                            CAST(CASE
                              WHEN t."rate" = 0.0
                              THEN '0'
                              WHEN NOT t."rate" IS NULL
                              THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                            END AS VARCHAR(65535))
                          ) AS VARCHAR(65535)) || ':' || CAST(CASE
                            WHEN t."rate" = 0.0
                            THEN '0'
                            WHEN NOT t."rate" IS NULL
                            THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                          END AS VARCHAR(65535)),
                          '~'
                        ),
                        FNV_HASH(
                          COALESCE(
                            CAST(OCTET_LENGTH(CAST(t."amount" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."amount" AS VARCHAR(65535)),
                            '~'
                          ),
                          FNV_HASH(
                            COALESCE(
                              CAST(OCTET_LENGTH(
                                CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535))
                              ) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                              '~'
                            ),
                            FNV_HASH(
                              COALESCE(
                                CAST(OCTET_LENGTH(CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                                '~'
                              ),
                              FNV_HASH(
                                COALESCE(
                                  CAST(OCTET_LENGTH(CAST(t."line" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."line" AS VARCHAR(65535)),
                                  '~'
                                ),
                                FNV_HASH(
                                  COALESCE(
                                    CAST(OCTET_LENGTH(CAST(t."id" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."id" AS VARCHAR(65535)),
                                    '~'
                                  )
                                )
                              )
                            )
                          )
                        )
                      )
                    )
                  )
                )
              )
            )
          ) % 1000000
        ) < 5000
    ) AS t
  ) AS u
  GROUP BY
    u.h
) AS g
WHERE
  g.n_base <> g.n_current
ORDER BY
  g.h ASC
LIMIT 6;

-- rows of orders_base that differ
SELECT
  d.h,
  d.r0 AS r0,
  d.r1 AS r1,
  d.r2 AS r2,
  d.r3 AS r3,
  d.r4 AS r4,
  d.r5 AS r5,
  CAST(d.r6 AS VARCHAR(65535)) AS r6,
  CAST(d.r7 AT TIME ZONE 'UTC' AS VARCHAR(65535)) AS r7,
  d.r8 AS r8,
  d.r9 AS r9,
  d.r10 AS r10,
  d.r11 AS r11
FROM (
  SELECT
    t.h,
    t.r0,
    t.r1,
    t.r2,
    t.r3,
    t.r4,
    t.r5,
    t.r6,
    t.r7,
    t.r8,
    t.r9,
    t.r10,
    t.r11,
    ROW_NUMBER() OVER (PARTITION BY t.h ORDER BY t.h) AS n
  FROM (
    SELECT
      FNV_HASH(
        COALESCE(
          CAST(OCTET_LENGTH(CAST(TO_HEX(t."raw") AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(TO_HEX(t."raw") AS VARCHAR(65535)),
          '~'
        ),
        FNV_HASH(
          COALESCE(
            CAST(OCTET_LENGTH(
              CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535))
            ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535)),
            '~'
          ),
          FNV_HASH(
            COALESCE(
              CAST(OCTET_LENGTH(
                CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535))
              ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535)),
              '~'
            ),
            FNV_HASH(
              COALESCE(
                CAST(OCTET_LENGTH(
                  CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535))
                ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535)),
                '~'
              ),
              FNV_HASH(
                COALESCE(
                  CAST(OCTET_LENGTH(CAST(t."at" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."at" AS VARCHAR(65535)),
                  '~'
                ),
                FNV_HASH(
                  COALESCE(
                    CAST(OCTET_LENGTH(CAST(t."day" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."day" AS VARCHAR(65535)),
                    '~'
                  ),
                  FNV_HASH(
                    COALESCE(
                      CAST(OCTET_LENGTH(
                        CAST(CASE
                          WHEN t."rate" = 0.0
                          THEN '0'
                          WHEN NOT t."rate" IS NULL
                          THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                        END AS VARCHAR(65535))
                      ) AS VARCHAR(65535)) || ':' || CAST(CASE
                        WHEN t."rate" = 0.0
                        THEN '0'
                        WHEN NOT t."rate" IS NULL
                        THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                      END AS VARCHAR(65535)),
                      '~'
                    ),
                    FNV_HASH(
                      COALESCE(
                        CAST(OCTET_LENGTH(CAST(t."amount" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."amount" AS VARCHAR(65535)),
                        '~'
                      ),
                      FNV_HASH(
                        COALESCE(
                          CAST(OCTET_LENGTH(
                            CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535))
                          ) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                          '~'
                        ),
                        FNV_HASH(
                          COALESCE(
                            CAST(OCTET_LENGTH(CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                            '~'
                          ),
                          FNV_HASH(
                            COALESCE(
                              CAST(OCTET_LENGTH(CAST(t."line" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."line" AS VARCHAR(65535)),
                              '~'
                            ),
                            FNV_HASH(
                              COALESCE(
                                CAST(OCTET_LENGTH(CAST(t."id" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."id" AS VARCHAR(65535)),
                                '~'
                              )
                            )
                          )
                        )
                      )
                    )
                  )
                )
              )
            )
          )
        )
      ) AS h,
      t."id" AS r0,
      t."line" AS r1,
      t."order" AS r2,
      t."a ""quoted"" one" AS r3,
      t."amount" AS r4,
      t."rate" AS r5,
      t."day" AS r6,
      t."at" AS r7,
      t."is_it" AS r8,
      t."doc" AS r9,
      t."list" AS r10,
      t."raw" AS r11
    FROM orders_base AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND ABS(
        FNV_HASH(
          COALESCE(
            CAST(OCTET_LENGTH(CAST(TO_HEX(t."raw") AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(TO_HEX(t."raw") AS VARCHAR(65535)),
            '~'
          ),
          FNV_HASH(
            COALESCE(
              CAST(OCTET_LENGTH(
                CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535))
              ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535)),
              '~'
            ),
            FNV_HASH(
              COALESCE(
                CAST(OCTET_LENGTH(
                  CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535))
                ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535)),
                '~'
              ),
              FNV_HASH(
                COALESCE(
                  CAST(OCTET_LENGTH(
                    CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535))
                  ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535)),
                  '~'
                ),
                FNV_HASH(
                  COALESCE(
                    CAST(OCTET_LENGTH(CAST(t."at" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."at" AS VARCHAR(65535)),
                    '~'
                  ),
                  FNV_HASH(
                    COALESCE(
                      CAST(OCTET_LENGTH(CAST(t."day" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."day" AS VARCHAR(65535)),
                      '~'
                    ),
                    FNV_HASH(
                      COALESCE(
                        CAST(OCTET_LENGTH(
                          CAST(CASE
                            WHEN t."rate" = 0.0
                            THEN '0'
                            WHEN NOT t."rate" IS NULL
                            THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                          END AS VARCHAR(65535))
                        ) AS VARCHAR(65535)) || ':' || CAST(CASE
                          WHEN t."rate" = 0.0
                          THEN '0'
                          WHEN NOT t."rate" IS NULL
                          THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                        END AS VARCHAR(65535)),
                        '~'
                      ),
                      FNV_HASH(
                        COALESCE(
                          CAST(OCTET_LENGTH(CAST(t."amount" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."amount" AS VARCHAR(65535)),
                          '~'
                        ),
                        FNV_HASH(
                          COALESCE(
                            CAST(OCTET_LENGTH(
                              CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535))
                            ) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                            '~'
                          ),
                          FNV_HASH(
                            COALESCE(
                              CAST(OCTET_LENGTH(CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                              '~'
                            ),
                            FNV_HASH(
                              COALESCE(
                                CAST(OCTET_LENGTH(CAST(t."line" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."line" AS VARCHAR(65535)),
                                '~'
                              ),
                              FNV_HASH(
                                COALESCE(
                                  CAST(OCTET_LENGTH(CAST(t."id" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."id" AS VARCHAR(65535)),
                                  '~'
                                )
                              )
                            )
                          )
                        )
                      )
                    )
                  )
                )
              )
            )
          )
        ) % 1000000
      ) < 5000
  ) AS t
  WHERE
    t.h IN (1)
) AS d
WHERE
  d.n = 1;

-- rows of orders_current that differ
SELECT
  d.h,
  d.r0 AS r0,
  d.r1 AS r1,
  d.r2 AS r2,
  d.r3 AS r3,
  d.r4 AS r4,
  d.r5 AS r5,
  CAST(d.r6 AS VARCHAR(65535)) AS r6,
  CAST(d.r7 AT TIME ZONE 'UTC' AS VARCHAR(65535)) AS r7,
  d.r8 AS r8,
  d.r9 AS r9,
  d.r10 AS r10,
  d.r11 AS r11
FROM (
  SELECT
    t.h,
    t.r0,
    t.r1,
    t.r2,
    t.r3,
    t.r4,
    t.r5,
    t.r6,
    t.r7,
    t.r8,
    t.r9,
    t.r10,
    t.r11,
    ROW_NUMBER() OVER (PARTITION BY t.h ORDER BY t.h) AS n
  FROM (
    SELECT
      FNV_HASH(
        COALESCE(
          CAST(OCTET_LENGTH(CAST(TO_HEX(t."raw") AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(TO_HEX(t."raw") AS VARCHAR(65535)),
          '~'
        ),
        FNV_HASH(
          COALESCE(
            CAST(OCTET_LENGTH(
              CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535))
            ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535)),
            '~'
          ),
          FNV_HASH(
            COALESCE(
              CAST(OCTET_LENGTH(
                CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535))
              ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535)),
              '~'
            ),
            FNV_HASH(
              COALESCE(
                CAST(OCTET_LENGTH(
                  CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535))
                ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535)),
                '~'
              ),
              FNV_HASH(
                COALESCE(
                  CAST(OCTET_LENGTH(CAST(t."at" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."at" AS VARCHAR(65535)),
                  '~'
                ),
                FNV_HASH(
                  COALESCE(
                    CAST(OCTET_LENGTH(CAST(t."day" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."day" AS VARCHAR(65535)),
                    '~'
                  ),
                  FNV_HASH(
                    COALESCE(
                      CAST(OCTET_LENGTH(
                        CAST(CASE
                          WHEN t."rate" = 0.0
                          THEN '0'
                          WHEN NOT t."rate" IS NULL
                          THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                        END AS VARCHAR(65535))
                      ) AS VARCHAR(65535)) || ':' || CAST(CASE
                        WHEN t."rate" = 0.0
                        THEN '0'
                        WHEN NOT t."rate" IS NULL
                        THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                      END AS VARCHAR(65535)),
                      '~'
                    ),
                    FNV_HASH(
                      COALESCE(
                        CAST(OCTET_LENGTH(CAST(t."amount" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."amount" AS VARCHAR(65535)),
                        '~'
                      ),
                      FNV_HASH(
                        COALESCE(
                          CAST(OCTET_LENGTH(
                            CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535))
                          ) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                          '~'
                        ),
                        FNV_HASH(
                          COALESCE(
                            CAST(OCTET_LENGTH(CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                            '~'
                          ),
                          FNV_HASH(
                            COALESCE(
                              CAST(OCTET_LENGTH(CAST(t."line" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."line" AS VARCHAR(65535)),
                              '~'
                            ),
                            FNV_HASH(
                              COALESCE(
                                CAST(OCTET_LENGTH(CAST(t."id" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."id" AS VARCHAR(65535)),
                                '~'
                              )
                            )
                          )
                        )
                      )
                    )
                  )
                )
              )
            )
          )
        )
      ) AS h,
      t."id" AS r0,
      t."line" AS r1,
      t."order" AS r2,
      t."a ""quoted"" one" AS r3,
      t."amount" AS r4,
      t."rate" AS r5,
      t."day" AS r6,
      t."at" AS r7,
      t."is_it" AS r8,
      t."doc" AS r9,
      t."list" AS r10,
      t."raw" AS r11
    FROM orders_current AS t
    WHERE
      (
        
        amount > 0
        
      )
      AND ABS(
        FNV_HASH(
          COALESCE(
            CAST(OCTET_LENGTH(CAST(TO_HEX(t."raw") AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(TO_HEX(t."raw") AS VARCHAR(65535)),
            '~'
          ),
          FNV_HASH(
            COALESCE(
              CAST(OCTET_LENGTH(
                CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535))
              ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."list" IS NULL THEN JSON_SERIALIZE(t."list") END AS VARCHAR(65535)),
              '~'
            ),
            FNV_HASH(
              COALESCE(
                CAST(OCTET_LENGTH(
                  CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535))
                ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN NOT t."doc" IS NULL THEN JSON_SERIALIZE(t."doc") END AS VARCHAR(65535)),
                '~'
              ),
              FNV_HASH(
                COALESCE(
                  CAST(OCTET_LENGTH(
                    CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535))
                  ) AS VARCHAR(65535)) || ':' || CAST(CASE WHEN t."is_it" THEN 'true' WHEN NOT t."is_it" THEN 'false' END AS VARCHAR(65535)),
                  '~'
                ),
                FNV_HASH(
                  COALESCE(
                    CAST(OCTET_LENGTH(CAST(t."at" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."at" AS VARCHAR(65535)),
                    '~'
                  ),
                  FNV_HASH(
                    COALESCE(
                      CAST(OCTET_LENGTH(CAST(t."day" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."day" AS VARCHAR(65535)),
                      '~'
                    ),
                    FNV_HASH(
                      COALESCE(
                        CAST(OCTET_LENGTH(
                          CAST(CASE
                            WHEN t."rate" = 0.0
                            THEN '0'
                            WHEN NOT t."rate" IS NULL
                            THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                          END AS VARCHAR(65535))
                        ) AS VARCHAR(65535)) || ':' || CAST(CASE
                          WHEN t."rate" = 0.0
                          THEN '0'
                          WHEN NOT t."rate" IS NULL
                          THEN CAST(FNV_HASH(t."rate") AS VARCHAR(65535))
                        END AS VARCHAR(65535)),
                        '~'
                      ),
                      FNV_HASH(
                        COALESCE(
                          CAST(OCTET_LENGTH(CAST(t."amount" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."amount" AS VARCHAR(65535)),
                          '~'
                        ),
                        FNV_HASH(
                          COALESCE(
                            CAST(OCTET_LENGTH(
                              CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535))
                            ) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."a ""quoted"" one", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                            '~'
                          ),
                          FNV_HASH(
                            COALESCE(
                              CAST(OCTET_LENGTH(CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(COLLATE(t."order", 'case_sensitive') || CHR(1) AS VARCHAR(65535)),
                              '~'
                            ),
                            FNV_HASH(
                              COALESCE(
                                CAST(OCTET_LENGTH(CAST(t."line" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."line" AS VARCHAR(65535)),
                                '~'
                              ),
                              FNV_HASH(
                                COALESCE(
                                  CAST(OCTET_LENGTH(CAST(t."id" AS VARCHAR(65535))) AS VARCHAR(65535)) || ':' || CAST(t."id" AS VARCHAR(65535)),
                                  '~'
                                )
                              )
                            )
                          )
                        )
                      )
                    )
                  )
                )
              )
            )
          )
        ) % 1000000
      ) < 5000
  ) AS t
  WHERE
    t.h IN (1)
) AS d
WHERE
  d.n = 1;
