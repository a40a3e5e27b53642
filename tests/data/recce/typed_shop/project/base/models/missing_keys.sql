-- Rows without a key: three here.
select *
from (values (1, null, 'first'), (2, 1, 'second'), (null, 2, 'third'), (null, 3, 'fourth'), (null, null, 'fifth'), (6, 1, 'sixth'))
    as rows_ (row_id, part_id, word)
