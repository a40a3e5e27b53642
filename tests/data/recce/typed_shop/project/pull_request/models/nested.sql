-- Values inside of values: one thing in every item is edited, item 6 is gone, item 7 is new.
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
        (1, ['blue', 'red'], [1, 2], {'street': 'Main', 'zip': 1010}, '{"b": [1, 2], "a": 1}', map {'x': 1}, true,
            '\x00\xFE', '00000000-0000-4000-8000-000000000001'),
        (2, [], null, {'street': 'Side', 'zip': 1}, '{"a":1}', map {'y': 2, 'x': 1}, null,
            '', '00000000-0000-4000-8000-000000000022'),
        (3, [], [null], null, 'null', null, false, null, null),
        (4, ['red', null], [3], {'street': null, 'zip': 0}, null, map {'z': null}, true,
            'abc', '00000000-0000-4000-8000-000000000004'),
        (5, ['a', 'b'], [5, 5], {'street': 'a, b', 'zip': 5}, '"text"', map {'k': 6}, true,
            'a''b', '00000000-0000-4000-8000-000000000005'),
        (7, ['new'], [7], {'street': 'New', 'zip': 7}, '[]', map {'n': 7}, true,
            'n', '00000000-0000-4000-8000-000000000007')
) as shelf (item_id, tags, sizes, address, document, stock, on_sale, payload, token)
