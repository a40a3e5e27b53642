-- Doubles that are no ordinary numbers: 1 and 3 stay, 13 and 14 go, 15 comes, most others change.
select number_id, cast(value as double) as reading, cast(value as float) as reading_4
from (
    values
        (1, 'nan'), (2, '2.5'), (3, 'inf'), (4, 'inf'), (5, 'nan'), (6, '0.0'), (7, '-0.0'),
        (8, '0.0'), (9, '1.5'), (10, null), (11, 'nan'), (12, '0.30000000000000004'), (15, '-inf')
) as readings (number_id, value)
