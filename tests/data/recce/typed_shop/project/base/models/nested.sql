-- Values inside of values, and the types that are no number, text or time.
select
    item_id,
    cast(tags as varchar[]) as tags,
    cast(sizes as integer[]) as sizes,
    cast(address as struct(street varchar, zip integer)) as address,
    cast(document as json) as document,
    cast(stock as map(varchar, integer)) as stock,
    on_sale,
    cast(payload as blob) as payload,
    cast(token as uuid) as token
from (
    values
        (1, ['red', 'blue'], [1, 2], {'street': 'Main', 'zip': 1010}, '{"a": 1, "b": [1, 2]}', map {'x': 1}, true,
            '\x00\xFF', '00000000-0000-4000-8000-000000000001'),
        (2, [], [], {'street': 'Side', 'zip': null}, '{"a": 1}', map {'x': 1, 'y': 2}, false,
            '', '00000000-0000-4000-8000-000000000002'),
        (3, null, [null], null, null, null, null, null, null),
        (4, ['red', null], [3], {'street': '', 'zip': 0}, 'null', map {'z': null}, true,
            'abc', '00000000-0000-4000-8000-000000000004'),
        (5, ['a, b'], [5, 5], {'street': 'a, b', 'zip': 5}, '"text"', map {'k': 5}, true,
            'a''b', '00000000-0000-4000-8000-000000000005'),
        (6, ['gone'], [6], {'street': 'Gone', 'zip': 6}, '{}', map {'g': 6}, false,
            'g', '00000000-0000-4000-8000-000000000006')
) as shelf (item_id, tags, sizes, address, document, stock, on_sale, payload, token)
