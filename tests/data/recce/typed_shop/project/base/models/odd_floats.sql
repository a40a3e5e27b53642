-- Doubles that are no ordinary numbers: value diffs, but no sums.
select number_id, cast(value as double) as reading, cast(value as float) as reading_4
from (
    values
        (1, 'nan'), (2, 'nan'), (3, 'inf'), (4, '-inf'), (5, 'inf'), (6, '-0.0'), (7, '0.0'),
        (8, '5e-324'), (9, '1.5'), (10, null), (11, null), (12, '0.1'), (13, 'nan'), (14, '-1e30')
) as readings (number_id, value)
