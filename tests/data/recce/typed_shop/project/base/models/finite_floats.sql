select cast(n as integer) as sample_id, cast((n * 37 % 101) / 7.0 as double) as spread,
    cast(1000000 + n as double) as far_from_zero, cast(n * 1e-9 as double) as minute,
    cast(-1.5 as double) as same
from range(1, 81) as samples (n)
