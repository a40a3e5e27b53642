-- Keys that are the same once they are glued with a hyphen; equal on both sides.
select *
from (values ('a-b', 'c', 1), ('a', 'b-c', 2), ('x', 'y', 3), ('x-', 'y', 4), ('x', '-y', 5)) as pairs (head, tail, worth)
