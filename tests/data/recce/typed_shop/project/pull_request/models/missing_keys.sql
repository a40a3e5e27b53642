-- Rows without a key: two here.
select *
from (values (1, null, 'first'), (2, 1, 'other'), (null, 2, 'third'), (null, 4, 'fourth'), (7, 1, 'seventh'))
    as rows_ (row_id, part_id, word)
