-- One reserved word among ordinary names.
select cast(n as integer) as item_id, cast(n % 4 as integer) as "order", 'w' || n as word
from range(1, 13) as rows_ (n)
